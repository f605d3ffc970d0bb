"""What forecasting reads: daily demand, and the days on which demand could not be seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum

from inventory.models import PROMISABLE_KINDS, DailyDemand
from tenancy.scope import active_tenant_id


@dataclass(frozen=True, slots=True)
class DemandDay:
    """Demand of one business day. Channel and segment only where they were asked for."""

    product_id: int
    warehouse_id: int
    business_day: date
    quantity: Decimal
    revenue: Decimal
    channel_id: int | None = None
    segment_id: int | None = None


def daily_demand(
    first: date,
    last: date,
    *,
    product_ids: Iterable[int] | None = None,
    by_channel: bool = False,
    by_segment: bool = False,
) -> list[DemandDay]:
    """Return the demand of each product, warehouse and day (both ends included): one query.

    Days without demand have no row.
    """
    keys = ["product_id", "warehouse_id", "business_day"]
    keys += ["channel_id"] * by_channel + ["segment_id"] * by_segment
    rows = DailyDemand.objects.filter(business_day__range=(first, last))
    if product_ids is not None:
        rows = rows.filter(product_id__in=list(product_ids))
    summed = rows.order_by(*keys).values(*keys).annotate(asked=Sum("quantity"), paid=Sum("revenue"))
    return [DemandDay(quantity=row.pop("asked"), revenue=row.pop("paid"), **row) for row in summed]


# Stock that may be promised, as a curve over time, from the ledger alone. A lot leaves the curve
# when it expires. What happens at one instant is netted (the window's frame takes peers together),
# so one posting in and out is no stock-out.
OUT_OF_STOCK = """
    WITH touching AS (
        SELECT m.product_id, l.warehouse_id, m.lot_id, lot.expires_on, m.business_day,
            m.effective_at, side.sign * m.quantity AS delta
        FROM inventory_stockmovement m
        CROSS JOIN LATERAL (VALUES (m.from_location_id, -1), (m.to_location_id, 1))
            AS side (location_id, sign)
        JOIN inventory_location l ON l.tenant_id = m.tenant_id AND l.id = side.location_id
        LEFT JOIN inventory_lot lot ON lot.tenant_id = m.tenant_id AND lot.id = m.lot_id
        WHERE m.tenant_id = %(tenant)s AND m.business_day <= %(last)s
            AND l.kind = ANY(%(promisable)s)
            AND (%(products)s::bigint[] IS NULL OR m.product_id = ANY(%(products)s::bigint[]))
    ), events AS (
        SELECT product_id, warehouse_id, business_day AS day, effective_at, delta FROM touching
        WHERE expires_on IS NULL OR business_day <= expires_on
        UNION ALL
        SELECT product_id, warehouse_id, expires_on + 1, '-infinity', -sum(delta) FROM touching
        WHERE business_day <= expires_on AND expires_on < %(last)s
        GROUP BY product_id, warehouse_id, lot_id, expires_on HAVING sum(delta) <> 0
    ), curve AS (
        SELECT product_id, warehouse_id, day, effective_at, sum(delta) OVER (
            PARTITION BY product_id, warehouse_id ORDER BY day, effective_at) AS stock
        FROM events
    ), days AS (
        SELECT product_id, warehouse_id, day, min(stock) AS lowest,
            (array_agg(stock ORDER BY effective_at DESC))[1] AS closing
        FROM curve GROUP BY product_id, warehouse_id, day
    ), spans AS (
        SELECT product_id, warehouse_id, day AS begins, lowest, CASE
            WHEN closing > 0 THEN day
            ELSE coalesce(lead(day) OVER (PARTITION BY product_id, warehouse_id ORDER BY day),
                %(last)s::date) END AS ends
        FROM days
    )
    SELECT product_id, warehouse_id, array_agg(DISTINCT day ORDER BY day)
    FROM spans CROSS JOIN LATERAL (
        SELECT day::date FROM generate_series(
            greatest(begins, %(first)s::date)::timestamp,
            least(ends, %(last)s::date)::timestamp, interval '1 day') AS day
    ) AS each_day
    WHERE lowest <= 0
    GROUP BY product_id, warehouse_id ORDER BY product_id, warehouse_id
"""


def out_of_stock_days(
    first: date, last: date, *, product_ids: Iterable[int] | None = None
) -> list[tuple[int, int, list[date]]]:
    """Return (product, warehouse, days) on which demand could not be fully seen: one query.

    A day counts when nothing could be promised as it began, or when stock ran out during it. Days
    before the first movement of a product in a warehouse say nothing and do not count. A hold on a
    lot is not in the ledger and does not count.
    """
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "first": first,
        "last": last,
        "promisable": sorted(str(kind) for kind in PROMISABLE_KINDS),
        "products": None if product_ids is None else list(product_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(OUT_OF_STOCK, arguments)
        return [(product, warehouse, list(days)) for product, warehouse, days in cursor.fetchall()]


def demand_rows() -> QuerySet[DailyDemand]:
    """Return the recorded demand, row by row."""
    return DailyDemand.objects.order_by("id")
