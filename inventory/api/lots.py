"""Lots: listed, held or recalled, and traced in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Lot, LotStatus
from inventory.queries.lots import get_lot, search_lots
from inventory.queries.traceability import (
    Crossing,
    Edge,
    Stay,
    Trace,
    lots_of_document,
    trace_lot,
)
from inventory.services.lots import set_lot_status
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import QuantityField, Shown, Strict
from tenancy.api.parameters import Filter, choice_filter, date_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class LotShown(Shown[Lot]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    code = serializers.CharField()
    expires_on = serializers.DateField(allow_null=True)
    status = serializers.ChoiceField(choices=LotStatus.choices)
    created_at = serializers.DateTimeField()


class NewLotStatus(Strict):
    status = serializers.ChoiceField(choices=LotStatus.choices)


class CrossingShown(Shown[Crossing]):
    way = serializers.ChoiceField(source="edge", choices=[(e.value, e.name) for e in Edge])
    quantity = QuantityField()
    document_kind = serializers.CharField(source="party.document_kind")
    document_id = serializers.IntegerField(source="party.document_id", allow_null=True)
    number = serializers.CharField(source="party.number")
    order_number = serializers.CharField(source="party.related")
    party = serializers.CharField(source="party.name")
    customer_id = serializers.IntegerField(source="party.customer_id", allow_null=True)
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class StayShown(Shown[Stay]):
    location_id = serializers.IntegerField(source="location.pk")
    location = serializers.CharField(source="location.code")
    warehouse_id = serializers.IntegerField(source="location.warehouse_id")
    quantity_in = QuantityField()
    quantity_out = QuantityField()
    on_hand = QuantityField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class TraceShown(Shown[Trace]):
    lot = LotShown()
    came_in = QuantityField()
    went_out = QuantityField()
    on_hand = QuantityField()
    unaccounted = QuantityField()
    is_partial = serializers.BooleanField()
    crossings = CrossingShown(many=True)
    stays = StayShown(many=True)


@dataclass(frozen=True)
class LotQuantity:
    lot_id: int
    product_id: int
    code: str
    way: str
    quantity: Decimal


class LotQuantityShown(Shown[LotQuantity]):
    lot_id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    code = serializers.CharField()
    way = serializers.ChoiceField(choices=[(e.value, e.name) for e in Edge])
    quantity = QuantityField()


@dataclass(frozen=True)
class LotQuantities:
    items: list[LotQuantity]


class LotQuantitiesShown(Shown[LotQuantities]):
    items = LotQuantityShown(many=True)


def _starting_with(rows: QuerySet[Lot], text: str) -> QuerySet[Lot]:
    return rows.filter(code__istartswith=text)


class LotList(TenantView):
    @listing(
        Endpoint("list_lots", Permission.READ, "Lots, soonest to expire first"),
        Listing(
            LotShown,
            orders={"due_on": ("due_on", "id"), "id": ("id",), "-id": ("-id",)},
            filters={
                "product_id": id_filter("product_id"),
                "status": choice_filter("status", LotStatus.choices),
                "code": text_filter(_starting_with, help="The start of the code.", most=64),
                "expires_by": date_filter("expires_on__lte", help="Last day of expiry."),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return search_lots()


class LotDetail(TenantView):
    @reading(Endpoint("get_lot", Permission.READ, "A lot"), LotShown)
    def get(self, request: Request, lot_id: int) -> Any:
        return get_lot(lot_id)


class LotStatusChange(TenantView):
    @writing(
        Endpoint("set_lot_status", Permission.ADJUST, "Hold, recall or release a lot"),
        Writing(LotShown, NewLotStatus),
    )
    def post(self, request: Request, lot_id: int, *, data: dict[str, Any]) -> Any:
        return get_lot(set_lot_status(lot_id=lot_id, status=LotStatus(data["status"])).pk)


class LotTrace(TenantView):
    @reading(
        Endpoint("trace_lot", Permission.READ, "Where a lot came from, lies, lay and went"),
        TraceShown,
    )
    def get(self, request: Request, lot_id: int) -> Any:
        return trace_lot(lot_id)


class DocumentLots(TenantView):
    @reading(
        Endpoint("list_document_lots", Permission.READ, "Lots a document brought in or out"),
        LotQuantitiesShown,
        document_kind=Filter(serializers.CharField(max_length=32), required=True),
        document_id=Filter(
            serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=True
        ),
    )
    def get(self, request: Request, *, asked: dict[str, Any]) -> Any:
        rows = lots_of_document(asked["document_kind"], asked["document_id"])
        return LotQuantities(
            [
                LotQuantity(row.lot.pk, row.lot.product_id, row.lot.code, row.edge, row.quantity)
                for row in rows
            ]
        )
