"""Opening stock: what lies there on the first day. It comes from the supplier location, so that it
counts neither as found nor as demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from inventory.models import LocationKind, MovementReason, Warehouse
from inventory.queries.places import standard_locations
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.rows import load
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

LEARN_COSTS = """
    UPDATE inventory_product p SET unit_cost = known.unit_cost, version = version + 1
    FROM (
        SELECT DISTINCT ON (product_id) product_id, unit_cost
        FROM unnest(%s::bigint[], %s::numeric[]) WITH ORDINALITY AS x (product_id, unit_cost, place)
        ORDER BY product_id, place DESC) known
    WHERE p.tenant_id = %s AND p.id = known.product_id AND p.unit_cost IS NULL
"""


@dataclass(frozen=True, slots=True)
class OpeningLine:
    """A quantity in base units; ``location_id`` empty means the warehouse's first storage place."""

    product_id: int
    quantity: Decimal
    location_id: int | None = None
    lot_id: int | None = None
    unit_cost: Decimal | None = None


def post_opening_stock(
    *, warehouse_id: int, lines: Sequence[OpeningLine], effective_at: datetime | None = None
) -> list[int]:
    """Post opening stock, all lines or none, and return the movements' ids.

    A product that has no unit cost yet takes that of its opening stock.

    Raises what ``post_movements`` raises.
    """
    require(Permission.IMPORT)
    warehouse = load(Warehouse, warehouse_id)
    places = standard_locations(warehouse.pk)
    supplier, storage = places[LocationKind.SUPPLIER], places[LocationKind.STORAGE]
    movements = [
        MovementLine(
            product_id=line.product_id,
            from_location_id=supplier.pk,
            to_location_id=storage.pk if line.location_id is None else line.location_id,
            quantity=line.quantity,
            reason=MovementReason.OPENING,
            lot_id=line.lot_id,
            unit_cost=line.unit_cost,
        )
        for line in lines
    ]
    ids = post_movements(lines=movements, effective_at=effective_at)
    _learn_costs(lines)
    audit.record("opening_stock.posted", warehouse, lines=len(lines))
    return ids


def _learn_costs(lines: Sequence[OpeningLine]) -> None:
    known = [(line.product_id, line.unit_cost) for line in lines if line.unit_cost is not None]
    if not known:
        return
    products, costs = zip(*known, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(LEARN_COSTS, [list(products), list(costs), active_tenant_id()])
