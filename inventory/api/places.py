"""Warehouses and locations."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Location, LocationKind, MixingRule, Warehouse, Zone
from inventory.queries.places import (
    get_location,
    get_warehouse,
    get_zone,
    locations,
    warehouses,
    zones,
)
from inventory.services.places import (
    Limits,
    ManyLocations,
    change_location,
    change_zone,
    create_location,
    create_locations,
    create_warehouse,
    create_zone,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, QuantityField, Shown, Strict
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
    max_volume_l = QuantityField(allow_null=True, help_text="Room in litres; null: not known.")
    max_weight_kg = QuantityField(allow_null=True, help_text="Load in kg; null: not known.")
    mixing_rule = serializers.ChoiceField(choices=MixingRule.choices)
    is_active = serializers.BooleanField()
    version = serializers.IntegerField()


class LimitsSaid(Strict):
    max_volume_l = QuantityField(required=False, allow_null=True, min_value=0)
    max_weight_kg = QuantityField(required=False, allow_null=True, min_value=0)
    mixing_rule = serializers.ChoiceField(required=False, choices=MixingRule.choices)


class NewLocation(LimitsSaid):
    warehouse_id = IdField()
    code = serializers.CharField(max_length=48)
    kind = serializers.ChoiceField(required=False, choices=LocationKind.choices)
    zone_id = IdField(required=False, allow_null=True)
    walking_order = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)


class LocationChange(LimitsSaid):
    code = serializers.CharField(required=False, max_length=48)
    zone_id = IdField(required=False, allow_null=True)
    walking_order = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    is_active = serializers.BooleanField(required=False)


class NewLocations(LimitsSaid):
    warehouse_id = IdField()
    pattern = serializers.CharField(max_length=200, help_text="E.g. A-[01-20]-[1-4].")
    kind = serializers.ChoiceField(required=False, choices=LocationKind.choices)
    zone_id = IdField(required=False, allow_null=True)
    first_walking_order = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    walking_step = serializers.IntegerField(required=False, min_value=0, max_value=1_000_000)


class LocationsMade(Shown[Any]):
    count = serializers.IntegerField()
    first_code = serializers.CharField()
    last_code = serializers.CharField()


class ZoneShown(Shown[Zone]):
    id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    parent_id = serializers.IntegerField(allow_null=True, help_text="Where goods go when full.")
    code = serializers.CharField()
    name = serializers.CharField()


class NewZone(Strict):
    warehouse_id = IdField()
    code = serializers.CharField(max_length=32)
    name = serializers.CharField(required=False, allow_blank=True, max_length=120)
    parent_id = IdField(required=False, allow_null=True)


class ZoneSaid(Strict):
    name = serializers.CharField(allow_blank=True, max_length=120)
    parent_id = IdField(allow_null=True)


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
        return create_location(limits=_limits(data), **data)


class LocationDetail(TenantView):
    @reading(Endpoint("get_location", Permission.READ, "A location"), LocationShown)
    def get(self, request: Request, location_id: int) -> Any:
        return get_location(location_id)

    @writing(
        Endpoint("change_location", Permission.EDIT_CATALOG, "Change a location"),
        Writing(LocationShown, LocationChange, versioned=True, partial=True),
    )
    def patch(
        self, request: Request, location_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        return change_location(location_id=location_id, changes=data, version=version)


class LocationPattern(TenantView):
    @writing(
        Endpoint("create_locations", Permission.EDIT_CATALOG, "Create many locations"),
        Writing(LocationsMade, NewLocations, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        warehouse_id, pattern = data.pop("warehouse_id"), data.pop("pattern")
        fields = ManyLocations(limits=_limits(data), **data)
        made = create_locations(warehouse_id=warehouse_id, pattern=pattern, fields=fields)
        return {"count": len(made), "first_code": made[0].code, "last_code": made[-1].code}


class ZoneList(TenantView):
    @listing(
        Endpoint("list_zones", Permission.READ, "Zones"),
        Listing(
            ZoneShown,
            orders={"id": ("id",), "-id": ("-id",)},
            filters={"warehouse_id": id_filter("warehouse_id"), "code": text_filter("code")},
        ),
    )
    def get(self, request: Request) -> Any:
        return zones()

    @writing(
        Endpoint("create_zone", Permission.EDIT_CATALOG, "Create a zone"),
        Writing(ZoneShown, NewZone, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_zone(**data)


class ZoneDetail(TenantView):
    @reading(Endpoint("get_zone", Permission.READ, "A zone"), ZoneShown)
    def get(self, request: Request, zone_id: int) -> Any:
        return get_zone(zone_id)

    @writing(
        Endpoint(
            "change_zone", Permission.EDIT_CATALOG, "Rename a zone, or say where it overflows"
        ),
        Writing(ZoneShown, ZoneSaid),
    )
    def put(self, request: Request, zone_id: int, *, data: dict[str, Any]) -> Any:
        return change_zone(zone_id=zone_id, **data)


def _limits(data: dict[str, Any]) -> Limits:
    """Take the limits out of what was sent."""
    names = ("max_volume_l", "max_weight_kg", "mixing_rule")
    return Limits(**{name: data.pop(name) for name in names if name in data})
