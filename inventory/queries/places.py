"""Where things are by default: the first location of each kind in a warehouse."""

from __future__ import annotations

from django.db.models import QuerySet

from inventory.models import Location, LocationKind, Warehouse
from tenancy.errors import NotFound


def standard_locations(warehouse_id: int) -> dict[LocationKind, Location]:
    """Return the first active location of every kind, by walking order."""
    rows = Location.objects.filter(warehouse_id=warehouse_id, is_active=True)
    found: dict[LocationKind, Location] = {}
    for location in rows.order_by("walking_order", "id"):
        found.setdefault(LocationKind(location.kind), location)
    return found


def warehouses() -> QuerySet[Warehouse]:
    """Return every warehouse by code."""
    return Warehouse.objects.order_by("code", "id")


def get_warehouse(warehouse_id: int) -> Warehouse:
    """Return the warehouse; raise ``NotFound``."""
    found = Warehouse.objects.filter(pk=warehouse_id).first()
    if found is None:
        raise NotFound("warehouse", warehouse_id)
    return found


def locations() -> QuerySet[Location]:
    """Return every location with its warehouse."""
    return Location.objects.select_related("warehouse", "zone").order_by("id")
