"""What lies where, what is available; moving and adjusting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import LocationKind, MovementReason, StockBalance
from inventory.queries.availability import Availability, availability
from inventory.queries.stock import balances
from inventory.services.adjustments import ADJUSTMENT_REASONS, Adjustment, adjust_stock
from inventory.services.ledger import MovementLine
from inventory.services.stock import move_stock
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import (
    IdField,
    InstantField,
    QuantityField,
    ReasonField,
    Shown,
    Strict,
    many,
)
from tenancy.api.parameters import choice_filter, id_filter, ids_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

MOVES = (MovementReason.PUT_AWAY, MovementReason.MOVE)


class BalanceShown(Shown[StockBalance]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField(source="location.warehouse_id")
    location_id = serializers.IntegerField()
    location = serializers.CharField(source="location.code")
    location_kind = serializers.ChoiceField(source="location.kind", choices=LocationKind.choices)
    lot_id = serializers.IntegerField(allow_null=True)
    lot = serializers.CharField(source="lot.code", default=None, allow_null=True)
    expires_on = serializers.DateField(source="lot.expires_on", default=None, allow_null=True)
    on_hand = QuantityField()
    allocated = QuantityField()


class AvailabilityShown(Shown[Availability]):
    product_id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    on_hand = QuantityField()
    allocated = QuantityField()
    available = QuantityField()
    unusable = QuantityField()
    in_transit = QuantityField()
    on_order = QuantityField()
    backordered = QuantityField(help_text="Accepted orders ask for it; nothing is promised.")
    owed = QuantityField(help_text="Accepted orders have not been shipped it yet.")
    inventory_position = QuantityField()


@dataclass(frozen=True)
class AvailabilityTable:
    items: list[Availability]


class AvailabilityTableShown(Shown[AvailabilityTable]):
    items = AvailabilityShown(many=True)


@dataclass(frozen=True)
class Posted:
    movement_ids: list[int]


class PostedShown(Shown[Posted]):
    movement_ids = serializers.ListField(child=serializers.IntegerField())


class NewMoveLine(Strict):
    product_id = IdField()
    from_location_id = IdField()
    to_location_id = IdField()
    quantity = QuantityField()
    reason = ReasonField(choices=MOVES, default=MovementReason.MOVE)
    lot_id = IdField(required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)


class NewMove(Strict):
    lines = many(NewMoveLine)
    effective_at = InstantField(required=False)


class NewAdjustmentLine(Strict):
    product_id = IdField()
    location_id = IdField()
    change = QuantityField(help_text="Below zero takes stock away.")
    reason = ReasonField(choices=sorted(ADJUSTMENT_REASONS))
    lot_id = IdField(required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)


class NewAdjustment(Strict):
    warehouse_id = IdField()
    adjustments = many(NewAdjustmentLine)
    effective_at = InstantField(required=False)


class BalanceList(TenantView):
    @listing(
        Endpoint("list_balances", Permission.READ, "Stock by product, location and lot"),
        Listing(
            BalanceShown,
            orders={"id": ("id",), "-id": ("-id",)},
            filters={
                "product_id": id_filter("product_id"),
                "sku": text_filter("product__sku"),
                "warehouse_id": id_filter("location__warehouse_id"),
                "location_id": id_filter("location_id"),
                "lot_id": id_filter("lot_id"),
                "location_kind": choice_filter("location__kind", LocationKind.choices),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return balances()


class AvailabilityList(TenantView):
    @reading(
        Endpoint("get_availability", Permission.READ, "Available stock of up to 200 products"),
        AvailabilityTableShown,
        product_id=ids_filter(required=True),
        warehouse_id=id_filter(),
    )
    def get(self, request: Request, *, asked: dict[str, Any]) -> Any:
        rows = availability(product_ids=asked["product_id"], warehouse_id=asked.get("warehouse_id"))
        return AvailabilityTable(items=rows)


class MoveList(TenantView):
    @writing(
        Endpoint("move_stock", Permission.FLOOR_WORK, "Move stock within a warehouse"),
        Writing(PostedShown, NewMove, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        data["lines"] = [MovementLine(**line) for line in data["lines"]]
        return Posted(movement_ids=move_stock(**data))


class AdjustmentList(TenantView):
    @writing(
        Endpoint(
            "adjust_stock",
            Permission.FLOOR_WORK,
            "Correct what is on hand; above the limit only who may adjust",
        ),
        Writing(PostedShown, NewAdjustment, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        data["adjustments"] = [Adjustment(**line) for line in data["adjustments"]]
        return Posted(movement_ids=adjust_stock(**data))
