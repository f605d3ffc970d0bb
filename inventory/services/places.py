"""Warehouses with their standard locations, zones and further locations."""

from __future__ import annotations

from inventory.models import Location, LocationKind, Warehouse, Zone
from inventory.services.access import require_every_warehouse
from inventory.services.rows import load, save
from tenancy.errors import NotFound
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope
from tenancy.services import audit

STANDARD_LOCATIONS = {
    LocationKind.RECEIVING: "RECEIVING",
    LocationKind.STORAGE: "STORAGE",
    LocationKind.PACKING: "PACKING",
    LocationKind.SHIPPING: "SHIPPING",
    LocationKind.QUARANTINE: "QUARANTINE",
    LocationKind.DAMAGED: "DAMAGED",
    LocationKind.IN_TRANSIT: "IN-TRANSIT",
    LocationKind.SUPPLIER: "SUPPLIER",
    LocationKind.CUSTOMER: "CUSTOMER",
    LocationKind.LOSS: "LOSS",
}


def create_warehouse(
    *, code: str, name: str, time_zone: str | None = None, country: str = ""
) -> Warehouse:
    """Create a warehouse with one location of every kind, so that stock can move at once.

    The time zone (default: the tenant's) decides the business day. Raises ``Invalid``, and
    ``BeyondOwnAccess`` for a member who works in some warehouses only.
    """
    require(Permission.EDIT_CATALOG)
    require_every_warehouse()
    zone = time_zone or active_scope().tenant.time_zone
    warehouse = save(Warehouse(code=code, name=name, time_zone=zone, country=country))
    Location.objects.bulk_create(
        [
            Location(warehouse=warehouse, code=location_code, kind=kind, walking_order=order)
            for order, (kind, location_code) in enumerate(STANDARD_LOCATIONS.items())
        ]
    )
    audit.record("warehouse.created", warehouse, code=code)
    return warehouse


def create_zone(*, warehouse_id: int, code: str, name: str = "") -> Zone:
    """Create an area of a warehouse. Raises ``NotFound``, ``Invalid``."""
    require(Permission.EDIT_CATALOG)
    zone = save(Zone(warehouse=load(Warehouse, warehouse_id), code=code, name=name))
    audit.record("zone.created", zone, code=code)
    return zone


def create_location(
    *,
    warehouse_id: int,
    code: str,
    kind: LocationKind = LocationKind.STORAGE,
    zone_id: int | None = None,
    walking_order: int = 0,
) -> Location:
    """Create an addressable place. Each outside kind and in-transit exist once per warehouse."""
    require(Permission.EDIT_CATALOG)
    warehouse = load(Warehouse, warehouse_id)
    zone = load(Zone, zone_id) if zone_id is not None else None
    if zone is not None and zone.warehouse_id != warehouse.pk:
        raise NotFound("zone", zone_id)
    location = save(
        Location(warehouse=warehouse, zone=zone, code=code, kind=kind, walking_order=walking_order)
    )
    audit.record("location.created", location, code=code, kind=str(kind))
    return location
