"""The ledger: read, and taken back by a reversing movement."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import MovementReason, StockMovement
from inventory.queries.movements import movements
from inventory.services.adjustments import take_back_movement
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, writing
from tenancy.api.fields import InstantField, MoneyField, QuantityField, ReasonField, Shown, Strict
from tenancy.api.parameters import Filter, date_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

REASON_NAMES = [(reason.name.lower(), reason.name.lower()) for reason in MovementReason]
"""As the schema has them."""


class MovementShown(Shown[StockMovement]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    lot_id = serializers.IntegerField(allow_null=True)
    from_location_id = serializers.IntegerField()
    to_location_id = serializers.IntegerField()
    quantity = QuantityField()
    unit_cost = MoneyField(allow_null=True)
    reason = ReasonField(choices=list(MovementReason))
    note = serializers.CharField()
    document_kind = serializers.CharField()
    document_id = serializers.IntegerField(allow_null=True)
    reverses_id = serializers.IntegerField(allow_null=True)
    actor = serializers.CharField(source="actor_label")
    effective_at = serializers.DateTimeField()
    posted_at = serializers.DateTimeField()
    business_day = serializers.DateField()


class Reversal(Strict):
    effective_at = InstantField(required=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)


def _in_warehouse(rows: QuerySet[StockMovement], warehouse_id: int) -> QuerySet[StockMovement]:
    return rows.filter(
        Q(from_location__warehouse_id=warehouse_id) | Q(to_location__warehouse_id=warehouse_id)
    )


def _at_location(rows: QuerySet[StockMovement], location_id: int) -> QuerySet[StockMovement]:
    return rows.filter(Q(from_location_id=location_id) | Q(to_location_id=location_id))


class MovementList(TenantView):
    @listing(
        Endpoint("list_movements", Permission.READ, "Movements, newest first"),
        Listing(
            MovementShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "product_id": id_filter("product_id"),
                "warehouse_id": id_filter(_in_warehouse),
                "location_id": id_filter(_at_location),
                "lot_id": id_filter("lot_id"),
                "reason": Filter(ReasonField(choices=list(MovementReason)), "reason"),
                "document_kind": text_filter("document_kind"),
                "document_id": id_filter("document_id"),
                "from": date_filter("business_day__gte", help="First business day."),
                "to": date_filter("business_day__lte", help="Last business day."),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return movements()


class MovementReversal(TenantView):
    @writing(
        Endpoint("reverse_movement", Permission.FLOOR_WORK, "Take a movement back"),
        Writing(MovementShown, Reversal, status=201, key_required=True),
    )
    def post(self, request: Request, movement_id: int, *, data: dict[str, Any]) -> Any:
        return take_back_movement(movement_id=movement_id, **data)
