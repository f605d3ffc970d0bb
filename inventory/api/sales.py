"""Channels, segments, and sales that ship at once."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Channel, ChannelKind, CustomerSegment
from inventory.queries.sales import channels, segments
from inventory.services.stock import Sale, SaleLine, ship_sale
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, writing
from tenancy.api.fields import IdField, InstantField, MoneyField, QuantityField, Shown, Strict, many
from tenancy.api.parameters import flag_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class ChannelShown(Shown[Channel]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=ChannelKind.choices)
    is_active = serializers.BooleanField()


class SegmentShown(Shown[CustomerSegment]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()


class SaleShown(Shown[Sale]):
    shipped = serializers.ListField(child=QuantityField(), help_text="By line of the sale.")
    movement_ids = serializers.ListField(child=serializers.IntegerField())


class NewSaleLine(Strict):
    product_id = IdField()
    quantity = QuantityField()
    unit_price = MoneyField(required=False, allow_null=True, min_value=0)
    channel_id = IdField(required=False, allow_null=True)
    segment_id = IdField(required=False, allow_null=True)


class NewSale(Strict):
    warehouse_id = IdField()
    lines = many(NewSaleLine)
    sold_at = InstantField(required=False)
    allow_short = serializers.BooleanField(
        required=False, help_text="Ship what is there; record the demand in full."
    )


class ChannelList(TenantView):
    @listing(
        Endpoint("list_channels", Permission.READ, "Channels"),
        Listing(
            ChannelShown,
            orders={"code": ("code", "id"), "id": ("id",)},
            filters={"code": text_filter("code"), "is_active": flag_filter("is_active")},
        ),
    )
    def get(self, request: Request) -> Any:
        return channels()


class SegmentList(TenantView):
    @listing(
        Endpoint("list_segments", Permission.READ, "Customer segments"),
        Listing(SegmentShown, orders={"code": ("code", "id"), "id": ("id",)}),
    )
    def get(self, request: Request) -> Any:
        return segments()


class SaleList(TenantView):
    @writing(
        Endpoint("ship_sale", Permission.FLOOR_WORK, "Ship a sale at once and record its demand"),
        Writing(SaleShown, NewSale, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        data["lines"] = [SaleLine(**line) for line in data["lines"]]
        return ship_sale(**data)
