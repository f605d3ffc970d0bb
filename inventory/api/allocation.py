"""Promising stock to sales orders, and taking the promise back."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Allocation, AllocationState, SalesOrderState
from inventory.queries.sales import allocations, get_allocation
from inventory.services.allocation import (
    AllocationRun,
    allocate_orders,
    allocate_warehouse,
    release_allocations,
)
from inventory.services.allocation_manual import allocate_line
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import MOST_LINES, IdField, InstantField, QuantityField, Shown, Strict
from tenancy.api.parameters import choice_filter, id_filter
from tenancy.api.views import TenantView
from tenancy.errors import Invalid
from tenancy.permissions import Permission


class AllocationShown(Shown[Allocation]):
    id = serializers.IntegerField()
    sales_order_id = serializers.IntegerField(source="order_line.order_id")
    line_id = serializers.IntegerField(source="order_line_id")
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    location_id = serializers.IntegerField(help_text="Where it was promised.")
    lot_id = serializers.IntegerField(allow_null=True)
    quantity = QuantityField()
    state = serializers.ChoiceField(choices=AllocationState.choices)
    picked_into_id = serializers.IntegerField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class NewAllocation(Strict):
    line_id = IdField(help_text="Of the sales order.")
    location_id = IdField()
    lot_id = IdField(required=False, allow_null=True)
    quantity = QuantityField()
    expires_at = InstantField(required=False)


class NewRun(Strict):
    """Either orders or a warehouse."""

    sales_order_ids = serializers.ListField(
        child=IdField(), required=False, min_length=1, max_length=MOST_LINES
    )
    warehouse_id = IdField(required=False, help_text="Everything it owes, by priority and day.")
    expires_at = InstantField(required=False, help_text="The promise lapses then unless picked.")


class ReachedShown(serializers.Serializer[Any]):
    sales_order_id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=SalesOrderState.choices)


class RunShown(Shown[AllocationRun]):
    allocation_ids = serializers.ListField(child=serializers.IntegerField())
    orders = serializers.SerializerMethodField()

    @extend_schema_field(ReachedShown(many=True))
    def get_orders(self, run: AllocationRun) -> list[dict[str, Any]]:
        """Return the state of each order."""
        return [{"sales_order_id": pk, "state": str(s)} for pk, s in sorted(run.states.items())]


class AllocationIds(Strict):
    allocation_ids = serializers.ListField(
        child=IdField(), min_length=1, max_length=MOST_LINES, allow_empty=False
    )


class ReleasedAllocations(Shown[Any]):
    allocation_ids = serializers.ListField(child=serializers.IntegerField())


class AllocationList(TenantView):
    @listing(
        Endpoint("list_allocations", Permission.READ, "Stock promised to sales orders"),
        Listing(
            AllocationShown,
            orders={"id": ("id",), "-id": ("-id",)},
            filters={
                "sales_order_id": id_filter("order_line__order_id"),
                "line_id": id_filter("order_line_id"),
                "product_id": id_filter("product_id"),
                "location_id": id_filter("location_id"),
                "lot_id": id_filter("lot_id"),
                "state": choice_filter("state", AllocationState.choices),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return allocations()

    @writing(
        Endpoint(
            "allocate_line",
            Permission.FLOOR_WORK,
            "Promise a chosen place to a line",
            also=Permission.SELL,
        ),
        Writing(AllocationShown, NewAllocation, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return get_allocation(allocate_line(**data).pk)


class AllocationDetail(TenantView):
    @reading(Endpoint("get_allocation", Permission.READ, "A promise of stock"), AllocationShown)
    def get(self, request: Request, allocation_id: int) -> Any:
        return get_allocation(allocation_id)


class AllocationRunList(TenantView):
    @writing(
        Endpoint(
            "allocate_orders",
            Permission.FLOOR_WORK,
            "Promise stock to what is open",
            also=Permission.SELL,
        ),
        Writing(RunShown, NewRun, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        asked = {"sales_order_ids", "warehouse_id"} & data.keys()
        if len(asked) != 1 or ("warehouse_id" in asked and "expires_at" in data):
            message = _("Name either orders or a warehouse; expires_at goes with orders.")
            raise Invalid.field("sales_order_ids", "either_or", message)
        if "warehouse_id" in asked:
            return allocate_warehouse(warehouse_id=data["warehouse_id"])
        return allocate_orders(order_ids=data["sales_order_ids"], expires_at=data.get("expires_at"))


class AllocationRelease(TenantView):
    @writing(
        Endpoint(
            "release_allocations",
            Permission.FLOOR_WORK,
            "Take promises of stock back",
            also=Permission.SELL,
        ),
        Writing(ReleasedAllocations, AllocationIds, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        release_allocations(allocation_ids=data["allocation_ids"])
        return data
