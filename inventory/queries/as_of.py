"""Stock as it was at a past moment, replayed from the ledger by when things happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from inventory.models.places import OUTSIDE_KINDS
from tenancy.scope import active_tenant_id


@dataclass(frozen=True, slots=True)
class StockThen:
    """What lay at a location then. Below zero when an issue was dated before its receipt."""

    product_id: int
    location_id: int
    lot_id: int | None
    quantity: Decimal


STOCK_AS_OF = """
    SELECT m.product_id, side.location_id, m.lot_id, sum(side.sign * m.quantity) AS quantity
    FROM inventory_stockmovement m
    CROSS JOIN LATERAL (VALUES (m.from_location_id, -1), (m.to_location_id, 1))
        AS side (location_id, sign)
    JOIN inventory_location l ON l.tenant_id = m.tenant_id AND l.id = side.location_id
    WHERE m.tenant_id = %(tenant)s AND m.effective_at <= %(at)s AND l.kind <> ALL(%(outside)s)
        AND (%(products)s::bigint[] IS NULL OR m.product_id = ANY(%(products)s::bigint[]))
        AND (%(warehouse)s::bigint IS NULL OR l.warehouse_id = %(warehouse)s)
    GROUP BY m.product_id, side.location_id, m.lot_id
    HAVING sum(side.sign * m.quantity) <> 0
    ORDER BY m.product_id, side.location_id, m.lot_id NULLS FIRST
"""


def stock_as_of(
    at: datetime,
    *,
    product_ids: Iterable[int] | None = None,
    warehouse_id: int | None = None,
) -> list[StockThen]:
    """Return what lay where at ``at``, counting everything that had taken effect by then."""
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "at": at,
        "outside": sorted(str(kind) for kind in OUTSIDE_KINDS),
        "products": None if product_ids is None else list(product_ids),
        "warehouse": warehouse_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(STOCK_AS_OF, arguments)
        return [StockThen(*row) for row in cursor.fetchall()]
