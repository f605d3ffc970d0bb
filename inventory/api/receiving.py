"""Goods of a purchase order arrive."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.api.purchasing import OrderDetailShown
from inventory.queries.purchasing import get_purchase_order
from inventory.services.receiving import ReceiptLine, receive_order
from tenancy.api.endpoints import Endpoint, Writing, writing
from tenancy.api.fields import IdField, InstantField, QuantityField, Strict, many
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class NewReceiptLine(Strict):
    line_id = IdField()
    quantity = QuantityField()
    lot_code = serializers.CharField(required=False, allow_blank=True, max_length=64)
    expires_on = serializers.DateField(required=False, allow_null=True)
    damaged = QuantityField(required=False, min_value=0)


class NewReceipt(Strict):
    lines = many(NewReceiptLine)
    received_at = InstantField(required=False)
    to_location_id = IdField(required=False, allow_null=True)


class OrderReceipt(TenantView):
    @writing(
        Endpoint("receive_purchase_order", Permission.FLOOR_WORK, "Receive goods of an order"),
        Writing(OrderDetailShown, NewReceipt, status=201, key_required=True),
    )
    def post(self, request: Request, order_id: int, *, data: dict[str, Any]) -> Any:
        lines = [ReceiptLine(**line) for line in data.pop("lines")]
        return get_purchase_order(receive_order(order_id=order_id, lines=lines, **data).pk)
