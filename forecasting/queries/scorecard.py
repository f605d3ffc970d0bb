"""How suppliers keep what they promise: days, on time, in full, quality, prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from forecasting.queries.series import business_today
from tenancy.scope import active_tenant_id

PERIOD_DAYS = 365


@dataclass(frozen=True)
class ModeScore:
    """Days that deliveries by a transport mode took (nothing: nobody said), and share on time."""

    mode: str
    deliveries: int
    early_days: float
    usual_days: float
    late_days: float
    on_time: float | None


@dataclass(frozen=True)
class SupplierScore:
    """Figures of a year. Shares are of one; None where nothing was delivered or bought.

    early, usual, late_days: the days that a tenth, half and nine tenths of deliveries took;
    price_trend: what the same products cost now against a year before, weighted by value;
    freight_share: transport cost over value, of the orders whose transport cost is known.
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
    freight_share: float | None
    spent: Decimal
    modes: tuple[ModeScore, ...] = ()

    @property
    def said_modes(self) -> tuple[ModeScore, ...]:
        """Return the transport modes that somebody named."""
        return tuple(one for one in self.modes if one.mode)


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
    ), freight AS (
        SELECT o.supplier_id, sum(o.transport_cost) / nullif(sum(worth.value), 0) AS share
        FROM inventory_purchaseorder o
        JOIN LATERAL (
            SELECT sum(l.quantity * l.unit_price) AS value FROM inventory_purchaseorderline l
            WHERE l.tenant_id = o.tenant_id AND l.order_id = o.id
        ) worth ON true
        WHERE o.tenant_id = %(tenant)s AND o.placed_at > %(since)s AND o.state <> 'cancelled'
            AND o.transport_cost IS NOT NULL
        GROUP BY o.supplier_id
    )
    SELECT s.id, s.name, coalesce(days.deliveries, 0), days.early, days.usual, days.late,
        coalesce(days.promised, s.lead_time_days), days.on_time, bought.in_full, quality.rejects,
        trend.trend, freight.share, coalesce(bought.spent, 0)
    FROM inventory_supplier s
    LEFT JOIN days ON days.supplier_id = s.id
    LEFT JOIN bought ON bought.supplier_id = s.id
    LEFT JOIN quality ON quality.supplier_id = s.id
    LEFT JOIN trend ON trend.supplier_id = s.id
    LEFT JOIN freight ON freight.supplier_id = s.id
    WHERE s.tenant_id = %(tenant)s AND s.is_active
    ORDER BY coalesce(bought.spent, 0) DESC, s.id
"""


MODES = """
    SELECT supplier_id, transport_mode, count(*),
        percentile_cont(0.1) WITHIN GROUP (ORDER BY lead_time_days),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY lead_time_days),
        percentile_cont(0.9) WITHIN GROUP (ORDER BY lead_time_days),
        avg((lead_time_days <= promised_days)::int) FILTER (WHERE promised_days IS NOT NULL)
    FROM inventory_leadtimeobservation
    WHERE tenant_id = %(tenant)s AND received_on > %(since)s
    GROUP BY supplier_id, transport_mode ORDER BY supplier_id, count(*) DESC, transport_mode
"""


def supplier_scores() -> list[SupplierScore]:
    """Return the figures of every active supplier, those most is bought from first: two queries."""
    today = business_today()
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "since": today - timedelta(days=PERIOD_DAYS),
        "half": today - timedelta(days=PERIOD_DAYS // 2),
    }
    with connection.cursor() as cursor:
        cursor.execute(MODES, arguments)
        modes: dict[int, list[ModeScore]] = defaultdict(list)
        for supplier, mode, deliveries, *days in cursor.fetchall():
            early, usual, late, on_time = _read(days)
            modes[supplier].append(ModeScore(mode, deliveries, early, usual, late, on_time))
        cursor.execute(SCORES, arguments)
        return [_score(row, tuple(modes.get(row[0], ()))) for row in cursor.fetchall()]


def _score(row: tuple[Any, ...], modes: tuple[ModeScore, ...]) -> SupplierScore:
    number, name, deliveries, *figures, spent = row
    return SupplierScore(*[number, name, deliveries, *_read(figures), spent, modes])


def _read(figures: Iterable[Any]) -> list[Any]:
    return [None if one is None else float(one) for one in figures]
