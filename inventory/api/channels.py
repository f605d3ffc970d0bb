"""Channels, what stock is kept for and from each, and what a channel may still sell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Channel, ChannelKind, ChannelStock
from inventory.queries.channels import (
    ChannelAvailability,
    channel_stocks,
    channels,
    get_channel,
    get_channel_stock,
    promisable_for_channel,
)
from inventory.services.channels import (
    ChannelFields,
    KeptStock,
    create_channel,
    remove_channel_stock,
    set_channel_stock,
    update_channel,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, QuantityField, Shown, Strict
from tenancy.api.parameters import flag_filter, id_filter, ids_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class ChannelShown(Shown[Channel]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=ChannelKind.choices)
    is_active = serializers.BooleanField()


class NewChannel(Strict):
    code = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=ChannelKind.choices, required=False)
    is_active = serializers.BooleanField(required=False)


class ChannelStockShown(Shown[ChannelStock]):
    id = serializers.IntegerField()
    channel_id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField()
    ring_fenced = QuantityField(help_text="Kept for the channel: others are not promised it.")
    buffer = QuantityField(help_text="Kept from the channel: the last units.")
    version = serializers.IntegerField()


class NewChannelStock(Strict):
    channel_id = IdField()
    product_id = IdField()
    warehouse_id = IdField()
    ring_fenced = QuantityField(required=False, min_value=0)
    buffer = QuantityField(required=False, min_value=0)


class ChangedChannelStock(Strict):
    ring_fenced = QuantityField(required=False, min_value=0)
    buffer = QuantityField(required=False, min_value=0)


class ChannelAvailabilityShown(Shown[ChannelAvailability]):
    product_id = serializers.IntegerField()
    sku = serializers.CharField()
    available = QuantityField(help_text="What the channel may sell now.")
    free = QuantityField(help_text="In storage, promised to nobody.")
    kept_for_others = QuantityField()
    buffer = QuantityField()


@dataclass(frozen=True)
class ChannelAvailabilityTable:
    items: list[ChannelAvailability]


class ChannelAvailabilityTableShown(Shown[ChannelAvailabilityTable]):
    items = ChannelAvailabilityShown(many=True)


@dataclass(frozen=True)
class Removed:
    id: int


class RemovedShown(Shown[Removed]):
    id = serializers.IntegerField()


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

    @writing(
        Endpoint("create_channel", Permission.SELL, "Create a channel"),
        Writing(ChannelShown, NewChannel, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_channel(fields=_fields(data))


class ChannelDetail(TenantView):
    @reading(Endpoint("get_channel", Permission.READ, "A channel"), ChannelShown)
    def get(self, request: Request, channel_id: int) -> Any:
        return get_channel(channel_id)

    @writing(
        Endpoint("change_channel", Permission.SELL, "Change a channel"),
        Writing(ChannelShown, NewChannel, partial=True),
    )
    def patch(self, request: Request, channel_id: int, *, data: dict[str, Any]) -> Any:
        known = get_channel(channel_id)
        before = {name: getattr(known, name) for name in ("code", "name", "kind", "is_active")}
        return update_channel(channel_id=channel_id, fields=_fields(before | data))


class ChannelAvailabilityList(TenantView):
    @reading(
        Endpoint(
            "get_channel_availability",
            Permission.READ,
            "What a channel may sell now, of up to 200 products",
        ),
        ChannelAvailabilityTableShown,
        product_id=ids_filter(required=True),
        warehouse_id=id_filter(required=True),
    )
    def get(self, request: Request, channel_id: int, *, asked: dict[str, Any]) -> Any:
        rows = promisable_for_channel(
            product_ids=asked["product_id"],
            warehouse_id=asked["warehouse_id"],
            channel_id=channel_id,
        )
        return ChannelAvailabilityTable(items=rows)


class ChannelStockList(TenantView):
    @listing(
        Endpoint("list_channel_stock", Permission.READ, "Stock kept for and from channels"),
        Listing(
            ChannelStockShown,
            orders={"id": ("id",)},
            filters={
                "channel_id": id_filter("channel_id"),
                "product_id": id_filter("product_id"),
                "warehouse_id": id_filter("warehouse_id"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return channel_stocks()

    @writing(
        Endpoint("set_channel_stock", Permission.SELL, "Keep stock for a channel or from it"),
        Writing(ChannelStockShown, NewChannelStock),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        names = ("channel_id", "product_id", "warehouse_id")
        where = {name: data.pop(name) for name in names}
        return get_channel_stock(set_channel_stock(**where, kept=KeptStock(**data)).pk)


class ChannelStockDetail(TenantView):
    @reading(
        Endpoint("get_channel_stock", Permission.READ, "Stock kept for a channel or from it"),
        ChannelStockShown,
    )
    def get(self, request: Request, channel_stock_id: int) -> Any:
        return get_channel_stock(channel_stock_id)

    @writing(
        Endpoint("change_channel_stock", Permission.SELL, "Change what is kept"),
        Writing(ChannelStockShown, ChangedChannelStock, versioned=True, partial=True),
    )
    def patch(
        self, request: Request, channel_stock_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        row = get_channel_stock(channel_stock_id)
        before = {"ring_fenced": row.ring_fenced, "buffer": row.buffer}
        set_channel_stock(
            channel_id=row.channel_id,
            product_id=row.product_id,
            warehouse_id=row.warehouse_id,
            kept=KeptStock(**(before | data)),
            version=version,
        )
        return get_channel_stock(channel_stock_id)

    @writing(
        Endpoint("remove_channel_stock", Permission.SELL, "Keep nothing any more"),
        Writing(RemovedShown, versioned=True),
    )
    def delete(
        self, request: Request, channel_stock_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        remove_channel_stock(channel_stock_id=channel_stock_id, version=version)
        return Removed(channel_stock_id)


def _fields(data: dict[str, Any]) -> ChannelFields:
    if "kind" in data:
        data = data | {"kind": ChannelKind(data["kind"])}
    return ChannelFields(**data)
