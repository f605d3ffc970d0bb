"""Stock and value as they were at a past moment, by when things happened.

One statement each. It starts from what is known nearest to the moment, and reads only the movements
between: forward from the last closed period before it, or backward from what lies there now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from inventory.models.places import OUTSIDE_KINDS
from inventory.queries.access import allowed_warehouses
from tenancy.scope import active_tenant_id

FARTHEST_ZONE = timedelta(hours=16)
"""No clock on earth is further from UTC, so a business day is within this of its moment."""
EARLIEST, LATEST = datetime(1000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StockThen:
    """What lay at a location then. Below zero when an issue was dated before its receipt."""

    product_id: int
    location_id: int
    lot_id: int | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class ValueThen:
    """What a product's stock in a warehouse was worth then, by the entries that had taken effect.

    Either may be below zero when an issue was dated before its receipt.
    """

    product_id: int
    warehouse_id: int
    quantity: Decimal
    value: Decimal


# the last closing that was over everywhere before the moment; a day is as good a measure of the
# work between as there is before it is done
WAY = """
    closing AS MATERIALIZED (
        SELECT max(through) AS day FROM inventory_periodclosing
        WHERE tenant_id = %(tenant)s AND through < %(first_day)s
    ), way AS MATERIALIZED (
        SELECT day, day IS NOT NULL
            AND %(first_day)s::date - day <= current_date - %(first_day)s::date AS is_forward
        FROM closing
    )
"""
# Both ways are written down and one of them is walked: the other's condition is false before it
# reads. The sums are made before the places are joined, lest all be read once per place.
STOCK_AS_OF = f"""
    WITH {WAY}, part AS (
        SELECT s.product_id, s.location_id, s.lot_id, s.quantity
        FROM inventory_stocksnapshot s
        WHERE (SELECT is_forward FROM way) AND s.tenant_id = %(tenant)s
            AND s.day = (SELECT day FROM way) {{product_s}}
        UNION ALL
        SELECT m.product_id, side.location_id, m.lot_id, side.sign * m.quantity
        FROM inventory_stockmovement m
        CROSS JOIN LATERAL (VALUES (m.from_location_id, -1), (m.to_location_id, 1))
            AS side (location_id, sign)
        WHERE (SELECT is_forward FROM way) AND m.tenant_id = %(tenant)s
            AND m.business_day > (SELECT day FROM way) AND m.business_day <= %(last_day)s
            AND m.effective_at <= %(at)s {{product_m}}
        UNION ALL
        SELECT b.product_id, b.location_id, b.lot_id, b.on_hand
        FROM inventory_stockbalance b
        WHERE NOT (SELECT is_forward FROM way) AND b.tenant_id = %(tenant)s {{product_b}}
        UNION ALL
        SELECT m.product_id, side.location_id, m.lot_id, side.sign * m.quantity
        FROM inventory_stockmovement m
        CROSS JOIN LATERAL (VALUES (m.from_location_id, 1), (m.to_location_id, -1))
            AS side (location_id, sign)
        WHERE NOT (SELECT is_forward FROM way) AND m.tenant_id = %(tenant)s
            AND m.business_day >= %(first_day)s AND m.effective_at > %(at)s {{product_m}}
    ), sums AS MATERIALIZED (
        SELECT product_id, location_id, lot_id, sum(quantity) AS quantity
        FROM part GROUP BY product_id, location_id, lot_id HAVING sum(quantity) <> 0
    )
    SELECT sums.* FROM sums
    JOIN inventory_location l ON l.tenant_id = %(tenant)s AND l.id = sums.location_id
    WHERE l.kind <> ALL(%(outside)s)
        AND (%(warehouses)s::bigint[] IS NULL OR l.warehouse_id = ANY(%(warehouses)s::bigint[]))
    ORDER BY sums.product_id, sums.location_id, sums.lot_id NULLS FIRST
"""  # noqa: S608 - constants only
VALUE_AS_OF = f"""
    WITH {WAY}, part AS (
        SELECT s.product_id, s.warehouse_id, s.quantity, s.value
        FROM inventory_valuesnapshot s
        WHERE (SELECT is_forward FROM way) AND s.tenant_id = %(tenant)s
            AND s.day = (SELECT day FROM way) {{product_s}}
        UNION ALL
        SELECT m.product_id, m.warehouse_id, m.quantity_change, m.value_change
        FROM inventory_valueentry m
        WHERE (SELECT is_forward FROM way) AND m.tenant_id = %(tenant)s
            AND m.business_day > (SELECT day FROM way) AND m.business_day <= %(last_day)s
            AND m.effective_at <= %(at)s {{product_m}}
        UNION ALL
        SELECT b.product_id, b.warehouse_id, b.quantity, b.value
        FROM inventory_stockvalue b
        WHERE NOT (SELECT is_forward FROM way) AND b.tenant_id = %(tenant)s {{product_b}}
        UNION ALL
        SELECT m.product_id, m.warehouse_id, -m.quantity_change, -m.value_change
        FROM inventory_valueentry m
        WHERE NOT (SELECT is_forward FROM way) AND m.tenant_id = %(tenant)s
            AND m.business_day >= %(first_day)s AND m.effective_at > %(at)s {{product_m}}
    )
    SELECT product_id, warehouse_id, sum(quantity), sum(value) FROM part
    WHERE %(warehouses)s::bigint[] IS NULL OR warehouse_id = ANY(%(warehouses)s::bigint[])
    GROUP BY product_id, warehouse_id HAVING sum(quantity) <> 0 OR sum(value) <> 0
    ORDER BY product_id, warehouse_id
"""  # noqa: S608 - constants only


def stock_as_of(
    at: datetime, *, product_ids: Iterable[int] | None = None, warehouse_id: int | None = None
) -> list[StockThen]:
    """Return what lay where at ``at``, counting everything that had taken effect by then."""
    return [
        StockThen(*row) for row in _fetch(*statement(STOCK_AS_OF, at, product_ids, warehouse_id))
    ]


def value_as_of(
    at: datetime, *, product_ids: Iterable[int] | None = None, warehouse_id: int | None = None
) -> list[ValueThen]:
    """Return what stock was worth at ``at``, by product and warehouse."""
    return [
        ValueThen(*row) for row in _fetch(*statement(VALUE_AS_OF, at, product_ids, warehouse_id))
    ]


def statement(
    sql: str, at: datetime, product_ids: Iterable[int] | None, warehouse_id: int | None
) -> tuple[str, dict[str, Any]]:
    """Return the statement and its arguments; a filter that is not asked for is not in it."""
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone is no moment")
    # what is asked of the year 1 or 9999 is what was before everything, or is now
    universal = min(max(at.astimezone(UTC), EARLIEST), LATEST)
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "at": universal,
        "first_day": (universal - FARTHEST_ZONE).date(),
        "last_day": (universal + FARTHEST_ZONE).date(),
        "outside": sorted(str(kind) for kind in OUTSIDE_KINDS),
        "warehouses": _warehouses(warehouse_id),
    }
    chosen = {f"product_{alias}": "" for alias in "smb"}
    if product_ids is not None:
        arguments["products"] = list(product_ids)
        chosen = {
            f"product_{alias}": f"AND {alias}.product_id = ANY(%(products)s::bigint[])"
            for alias in "smb"
        }
    return sql.format(**chosen), arguments


def _warehouses(asked: int | None) -> list[int] | None:
    """Return the warehouses to read, of those the reader works in; None for all."""
    allowed = allowed_warehouses()
    if asked is not None:
        return [asked] if allowed is None or asked in allowed else []
    return None if allowed is None else sorted(allowed)


def _fetch(sql: str, arguments: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return list(cursor.fetchall())
