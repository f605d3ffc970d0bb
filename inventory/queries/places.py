"""Where things are by default: the first location of each kind in a warehouse."""

from __future__ import annotations

from inventory.models import Location, LocationKind


def standard_locations(warehouse_id: int) -> dict[LocationKind, Location]:
    """Return the first active location of every kind, by walking order."""
    rows = Location.objects.filter(warehouse_id=warehouse_id, is_active=True)
    found: dict[LocationKind, Location] = {}
    for location in rows.order_by("walking_order", "id"):
        found.setdefault(LocationKind(location.kind), location)
    return found
