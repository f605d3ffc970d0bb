"""Warehouses and locations."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Location, LocationKind, Warehouse
from inventory.queries.places import get_warehouse, locations, warehouses
from inventory.services.places import create_location, create_warehouse
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, Shown, Strict
from tenancy.api.parameters import choice_filter, flag_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class WarehouseShown(Shown[Warehouse]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    time_zone = serializers.CharField()
    country = serializers.CharField()
    is_active = serializers.BooleanField()


class NewWarehouse(Strict):
    code = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=120)
    time_zone = serializers.CharField(required=False, max_length=64)
    country = serializers.RegexField(r"^[A-Z]{2}\Z", required=False)


class LocationShown(Shown[Location]):
    id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    zone_id = serializers.IntegerField(allow_null=True)
    code = serializers.CharField()
    kind = serializers.ChoiceField(choices=LocationKind.choices)
    walking_order = serializers.IntegerField()
    is_active = serializers.BooleanField()


class NewLocation(Strict):
    warehouse_id = IdField()
    code = serializers.CharField(max_length=48)
    kind = serializers.ChoiceField(required=False, choices=LocationKind.choices)
    zone_id = IdField(required=False, allow_null=True)
    walking_order = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)


class WarehouseList(TenantView):
    @listing(
        Endpoint("list_warehouses", Permission.READ, "Warehouses"),
        Listing(
            WarehouseShown,
            orders={"code": ("code", "id"), "id": ("id",)},
            filters={"code": text_filter("code"), "is_active": flag_filter("is_active")},
        ),
    )
    def get(self, request: Request) -> Any:
        return warehouses()

    @writing(
        Endpoint("create_warehouse", Permission.EDIT_CATALOG, "Create a warehouse"),
        Writing(WarehouseShown, NewWarehouse, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_warehouse(**data)


class WarehouseDetail(TenantView):
    @reading(Endpoint("get_warehouse", Permission.READ, "A warehouse"), WarehouseShown)
    def get(self, request: Request, warehouse_id: int) -> Any:
        return get_warehouse(warehouse_id)


class LocationList(TenantView):
    @listing(
        Endpoint("list_locations", Permission.READ, "Locations"),
        Listing(
            LocationShown,
            orders={"id": ("id",), "-id": ("-id",)},
            filters={
                "warehouse_id": id_filter("warehouse_id"),
                "kind": choice_filter("kind", LocationKind.choices),
                "code": text_filter("code"),
                "is_active": flag_filter("is_active"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return locations()

    @writing(
        Endpoint("create_location", Permission.EDIT_CATALOG, "Create a location"),
        Writing(LocationShown, NewLocation, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_location(**data)
