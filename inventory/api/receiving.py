"""Receipts: goods that arrive, of an order or without one; and an order received in one call."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.api.purchasing import OrderDetailShown
from inventory.models import DifferenceReason, Receipt, ReceiptLine as Line, ReceiptState
from inventory.queries.purchasing import get_purchase_order
from inventory.queries.receiving import get_receipt, receipts
from inventory.services.receiving import (
    Arrival,
    ReceiptLine,
    add_receipt_line,
    cancel_receipt,
    change_receipt_line,
    complete_receipt,
    open_receipt,
    receive_order,
    remove_receipt_line,
    reverse_receipt_line,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import (
    IdField,
    InstantField,
    MoneyField,
    QuantityField,
    Shown,
    Strict,
    many,
)
from tenancy.api.parameters import choice_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

REASONS = [choice for choice in DifferenceReason.choices if choice[0]]


class ReceiptShown(Shown[Receipt]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=ReceiptState.choices)
    purchase_order_id = serializers.IntegerField(allow_null=True)
    supplier_id = serializers.IntegerField(allow_null=True)
    warehouse_id = serializers.IntegerField()
    location_id = serializers.IntegerField()
    delivery_note = serializers.CharField()
    note = serializers.CharField()
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class ReceiptLineShown(Shown[Line]):
    id = serializers.IntegerField()
    order_line_id = serializers.IntegerField(allow_null=True)
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    quantity = QuantityField(help_text="In base units.")
    damaged = QuantityField()
    lot_code = serializers.CharField()
    expires_on = serializers.DateField(allow_null=True)
    unit_cost = MoneyField(allow_null=True)
    difference_reason = serializers.CharField()
    note = serializers.CharField()
    movement_id = serializers.IntegerField(allow_null=True)
    damaged_movement_id = serializers.IntegerField(allow_null=True)
    reversed_at = serializers.DateTimeField(allow_null=True)


class ReceiptDetailShown(ReceiptShown):
    lines = ReceiptLineShown(many=True)


class NewReceipt(Strict):
    order_id = IdField(
        required=False, allow_null=True, help_text="Left out: name supplier and warehouse."
    )
    supplier_id = IdField(required=False, allow_null=True)
    warehouse_id = IdField(required=False, allow_null=True)
    location_id = IdField(
        required=False, allow_null=True, help_text="Left out: the receiving dock."
    )
    delivery_note = serializers.CharField(required=False, allow_blank=True, max_length=64)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)


class NewArrival(Strict):
    product_id = IdField()
    quantity = QuantityField(help_text="In base units, or in the packaging named.")
    packaging_id = IdField(required=False, allow_null=True)
    damaged = QuantityField(required=False, min_value=0, help_text="Of it, in base units.")
    lot_code = serializers.CharField(required=False, allow_blank=True, max_length=64)
    expires_on = serializers.DateField(required=False, allow_null=True)
    unit_cost = MoneyField(
        required=False, allow_null=True, min_value=0, help_text="Of goods without an order."
    )
    difference_reason = serializers.ChoiceField(choices=REASONS, required=False, allow_blank=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)


class Completion(Strict):
    received_at = InstantField(required=False)
    accept_differences = serializers.BooleanField(
        required=False, help_text="Take what differs as over- or short-delivered."
    )


class ReceiptCancelled(Strict):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class LineReversal(Strict):
    reason = serializers.CharField(max_length=200)


class ReceivedLine(Strict):
    line_id = IdField()
    quantity = QuantityField(help_text="In base units, or in the packaging named.")
    packaging_id = IdField(required=False, allow_null=True)
    lot_code = serializers.CharField(required=False, allow_blank=True, max_length=64)
    expires_on = serializers.DateField(required=False, allow_null=True)
    damaged = QuantityField(required=False, min_value=0)
    difference_reason = serializers.ChoiceField(choices=REASONS, required=False, allow_blank=True)


class NewOrderReceipt(Strict):
    lines = many(ReceivedLine)
    received_at = InstantField(required=False)
    to_location_id = IdField(required=False, allow_null=True)


class ReceiptList(TenantView):
    @listing(
        Endpoint("list_receipts", Permission.READ, "Receipts"),
        Listing(
            ReceiptShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "state": choice_filter("state", ReceiptState.choices),
                "purchase_order_id": id_filter("purchase_order_id"),
                "supplier_id": id_filter("supplier_id"),
                "warehouse_id": id_filter("warehouse_id"),
                "number": text_filter("number"),
                "delivery_note": text_filter("delivery_note"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return receipts()

    @writing(
        Endpoint("open_receipt", Permission.FLOOR_WORK, "Open a receipt"),
        Writing(ReceiptDetailShown, NewReceipt, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return get_receipt(open_receipt(**data).pk)


class ReceiptDetail(TenantView):
    @reading(Endpoint("get_receipt", Permission.READ, "A receipt"), ReceiptDetailShown)
    def get(self, request: Request, receipt_id: int) -> Any:
        return get_receipt(receipt_id)


class ReceiptLines(TenantView):
    @writing(
        Endpoint("add_receipt_line", Permission.FLOOR_WORK, "Add what arrived to a receipt"),
        Writing(ReceiptDetailShown, NewArrival, status=201, key_required=True, versioned=True),
    )
    def post(self, request: Request, receipt_id: int, *, data: dict[str, Any], version: int) -> Any:
        arrival = Arrival(**data)
        add_receipt_line(receipt_id=receipt_id, arrival=arrival, version=version)
        return get_receipt(receipt_id)


class ReceiptLineDetail(TenantView):
    @writing(
        Endpoint("change_receipt_line", Permission.FLOOR_WORK, "Replace a line of a receipt"),
        Writing(ReceiptDetailShown, NewArrival, versioned=True),
    )
    def put(
        self,
        request: Request,
        receipt_id: int,
        receipt_line_id: int,
        *,
        data: dict[str, Any],
        version: int,
    ) -> Any:
        change_receipt_line(
            receipt_id=receipt_id,
            receipt_line_id=receipt_line_id,
            arrival=Arrival(**data),
            version=version,
        )
        return get_receipt(receipt_id)

    @writing(
        Endpoint("remove_receipt_line", Permission.FLOOR_WORK, "Take a line off a receipt"),
        Writing(ReceiptDetailShown, versioned=True),
    )
    def delete(
        self,
        request: Request,
        receipt_id: int,
        receipt_line_id: int,
        *,
        data: dict[str, Any],
        version: int,
    ) -> Any:
        remove_receipt_line(receipt_id=receipt_id, receipt_line_id=receipt_line_id, version=version)
        return get_receipt(receipt_id)


class ReceiptLineReversal(TenantView):
    @writing(
        Endpoint("reverse_receipt_line", Permission.FLOOR_WORK, "Take back a completed line"),
        Writing(ReceiptDetailShown, LineReversal, status=201, key_required=True, versioned=True),
    )
    def post(
        self,
        request: Request,
        receipt_id: int,
        receipt_line_id: int,
        *,
        data: dict[str, Any],
        version: int,
    ) -> Any:
        reverse_receipt_line(
            receipt_id=receipt_id, receipt_line_id=receipt_line_id, version=version, **data
        )
        return get_receipt(receipt_id)


class ReceiptCompletion(TenantView):
    @writing(
        Endpoint("complete_receipt", Permission.FLOOR_WORK, "Post what a receipt says arrived"),
        Writing(ReceiptDetailShown, Completion, key_required=True, versioned=True),
    )
    def post(self, request: Request, receipt_id: int, *, data: dict[str, Any], version: int) -> Any:
        return get_receipt(complete_receipt(receipt_id=receipt_id, version=version, **data).pk)


class ReceiptCancellation(TenantView):
    @writing(
        Endpoint("cancel_receipt", Permission.FLOOR_WORK, "Cancel an open receipt"),
        Writing(ReceiptDetailShown, ReceiptCancelled, key_required=True, versioned=True),
    )
    def post(self, request: Request, receipt_id: int, *, data: dict[str, Any], version: int) -> Any:
        return get_receipt(cancel_receipt(receipt_id=receipt_id, version=version, **data).pk)


class OrderReceipt(TenantView):
    @writing(
        Endpoint("receive_purchase_order", Permission.FLOOR_WORK, "Receive goods of an order"),
        Writing(OrderDetailShown, NewOrderReceipt, status=201, key_required=True),
    )
    def post(self, request: Request, order_id: int, *, data: dict[str, Any]) -> Any:
        lines = [ReceiptLine(**line) for line in data.pop("lines")]
        return get_purchase_order(receive_order(order_id=order_id, lines=lines, **data).pk)
