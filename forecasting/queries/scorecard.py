"""How suppliers keep what they promise: days, on time, in full, quality, prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from forecasting.queries.series import business_today
from tenancy.scope import active_tenant_id

PERIOD_DAYS = 365


@dataclass(frozen=True)
class SupplierScore:
    """Figures of a year. Shares are of one; None where nothing was delivered or bought.

    early, usual, late_days: the days that a tenth, half and nine tenths of deliveries took;
    price_trend: what the same products cost now against a year before, weighted by value.
    """

    supplier_id: int
    name: str
    deliveries: int
    early_days: float | None
    usual_days: float | None
    late_days: float | None
    promised_days: float | None
    on_time: float | None
    in_full: float | None
    reject_share: float | None
    price_trend: float | None
    spent: Decimal


SCORES = """
    WITH days AS (
        SELECT supplier_id, count(*) AS deliveries,
            percentile_cont(0.1) WITHIN GROUP (ORDER BY lead_time_days) AS early,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY lead_time_days) AS usual,
            percentile_cont(0.9) WITHIN GROUP (ORDER BY lead_time_days) AS late,
            avg(promised_days) AS promised,
            avg((lead_time_days <= promised_days)::int) FILTER (WHERE promised_days IS NOT NULL)
                AS on_time
        FROM inventory_leadtimeobservation
        WHERE tenant_id = %(tenant)s AND received_on > %(since)s GROUP BY supplier_id
    ), bought AS (
        SELECT o.supplier_id, sum(l.quantity * l.unit_price) AS spent,
            avg((l.quantity_received >= l.quantity)::int)
                FILTER (WHERE o.state IN ('received', 'closed')) AS in_full
        FROM inventory_purchaseorderline l
        JOIN inventory_purchaseorder o ON o.tenant_id = l.tenant_id AND o.id = l.order_id
        WHERE l.tenant_id = %(tenant)s AND o.placed_at > %(since)s
            AND o.state <> 'cancelled' GROUP BY o.supplier_id
    ), quality AS (
        SELECT o.supplier_id, sum(r.damaged) / nullif(sum(r.quantity), 0) AS rejects
        FROM inventory_receiptline r
        JOIN inventory_receipt p ON p.tenant_id = r.tenant_id AND p.id = r.receipt_id
        JOIN inventory_purchaseorderline l ON l.tenant_id = r.tenant_id AND l.id = r.order_line_id
        JOIN inventory_purchaseorder o ON o.tenant_id = l.tenant_id AND o.id = l.order_id
        WHERE r.tenant_id = %(tenant)s AND p.state = 'completed' AND r.reversed_at IS NULL
            AND o.placed_at > %(since)s GROUP BY o.supplier_id
    ), priced AS (
        SELECT o.supplier_id, l.product_id,
            avg(l.unit_price) FILTER (WHERE o.placed_at > %(half)s) AS now,
            avg(l.unit_price) FILTER (WHERE o.placed_at <= %(half)s) AS before,
            sum(l.quantity) AS quantity
        FROM inventory_purchaseorderline l
        JOIN inventory_purchaseorder o ON o.tenant_id = l.tenant_id AND o.id = l.order_id
        WHERE l.tenant_id = %(tenant)s AND o.placed_at > %(since)s AND o.state <> 'cancelled'
        GROUP BY o.supplier_id, l.product_id
    ), trend AS (
        SELECT supplier_id, sum(now * quantity) / nullif(sum(before * quantity), 0) - 1 AS trend
        FROM priced WHERE now IS NOT NULL AND before IS NOT NULL GROUP BY supplier_id
    )
    SELECT s.id, s.name, coalesce(days.deliveries, 0), days.early, days.usual, days.late,
        coalesce(days.promised, s.lead_time_days), days.on_time, bought.in_full, quality.rejects,
        trend.trend, coalesce(bought.spent, 0)
    FROM inventory_supplier s
    LEFT JOIN days ON days.supplier_id = s.id
    LEFT JOIN bought ON bought.supplier_id = s.id
    LEFT JOIN quality ON quality.supplier_id = s.id
    LEFT JOIN trend ON trend.supplier_id = s.id
    WHERE s.tenant_id = %(tenant)s AND s.is_active
    ORDER BY coalesce(bought.spent, 0) DESC, s.id
"""


def supplier_scores() -> list[SupplierScore]:
    """Return the figures of every active supplier, those most is bought from first: one query."""
    today = business_today()
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "since": today - timedelta(days=PERIOD_DAYS),
        "half": today - timedelta(days=PERIOD_DAYS // 2),
    }
    with connection.cursor() as cursor:
        cursor.execute(SCORES, arguments)
        return [_score(row) for row in cursor.fetchall()]


def _score(row: tuple[Any, ...]) -> SupplierScore:
    number, name, deliveries, *figures, spent = row
    read: list[Any] = [None if one is None else float(one) for one in figures]
    return SupplierScore(*[number, name, deliveries, *read, spent])
