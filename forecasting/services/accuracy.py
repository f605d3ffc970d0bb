"""Scoring of stored forecasts against what was asked for, week by week, in set-based SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils.translation import gettext as _

from forecasting.models import AccuracySum, ForecastRun, SeriesForecast
from forecasting.queries.blind_days import BLIND, CLOSED, BlindDays, read_blind_days
from forecasting.queries.series import latest_origin
from inventory.models import DailyDemand
from tenancy.database import joining_by_hashing
from tenancy.scope import active_tenant_id
from tenancy.services.jobs import JobRun

KIND = "score_forecasts"
KEPT_DAYS = 400
WEEK = 7
NAIVE_WEEKS = 4
"""So far back the naive forecast looks for the same weekday on a day that was seen."""

_SCORE = f"""
    WITH taken AS MATERIALIZED (
        SELECT product_id, warehouse_id, demand_class, method, mean, quantile_values
        FROM {SeriesForecast._meta.db_table}
        WHERE tenant_id = %(tenant)s AND run_id = %(run)s AND channel_id IS NULL
    ), asked AS MATERIALIZED (
        SELECT product_id, warehouse_id, business_day - %(origin)s::date AS step,
               sum(quantity)::float8 AS units
        FROM {DailyDemand._meta.db_table}
        WHERE tenant_id = %(tenant)s
            AND business_day BETWEEN %(origin)s::date - {NAIVE_WEEKS * WEEK - 1}
                AND %(origin)s::date + %(last)s
        GROUP BY 1, 2, 3
    ), blind AS MATERIALIZED (
        SELECT * FROM {BLIND}
    ), closed AS MATERIALIZED (
        SELECT * FROM {CLOSED}
    ), naive AS MATERIALIZED (
        SELECT DISTINCT ON (t.product_id, t.warehouse_id, s.step)
               t.product_id, t.warehouse_id, s.step, coalesce(a.units, 0) AS units
        FROM taken t
        CROSS JOIN generate_series(1, {WEEK}) AS s (step)
        CROSS JOIN generate_series(1, {NAIVE_WEEKS}) AS w (back)
        LEFT JOIN asked a ON a.product_id = t.product_id AND a.warehouse_id = t.warehouse_id
            AND a.step = s.step - {WEEK} * w.back
        LEFT JOIN blind b ON b.product_id = t.product_id AND b.warehouse_id = t.warehouse_id
            AND b.day = %(origin)s::date + s.step - {WEEK} * w.back
        LEFT JOIN closed c ON coalesce(c.warehouse_id, t.warehouse_id) = t.warehouse_id
            AND c.day = %(origin)s::date + s.step - {WEEK} * w.back
        WHERE b.day IS NULL AND c.day IS NULL
        ORDER BY t.product_id, t.warehouse_id, s.step, w.back
    ), days AS (
        SELECT t.product_id, t.warehouse_id, t.demand_class, t.method, m.step, m.mean,
               coalesce(a.units, 0) AS actual, coalesce(n.units, 0) AS naive,
               t.quantile_values[(m.step::int - 1) * %(levels)s + 1 : m.step::int * %(levels)s]
                   AS quantiles
        FROM taken t
        CROSS JOIN LATERAL unnest(t.mean) WITH ORDINALITY AS m (mean, step)
        LEFT JOIN asked a ON a.product_id = t.product_id AND a.warehouse_id = t.warehouse_id
            AND a.step = m.step
        LEFT JOIN naive n ON n.product_id = t.product_id AND n.warehouse_id = t.warehouse_id
            AND n.step = (m.step - 1) %% {WEEK} + 1
        LEFT JOIN blind b ON b.product_id = t.product_id AND b.warehouse_id = t.warehouse_id
            AND b.day = %(origin)s::date + m.step::int
        LEFT JOIN closed c ON coalesce(c.warehouse_id, t.warehouse_id) = t.warehouse_id
            AND c.day = %(origin)s::date + m.step::int
        WHERE m.step BETWEEN %(first)s AND %(last)s AND b.day IS NULL AND c.day IS NULL
    )
    INSERT INTO {AccuracySum._meta.db_table} (
        tenant_id, run_id, product_id, warehouse_id, week, demand_class, method, days, actual,
        predicted, error, naive_error, pinball, inside_80
    )
    SELECT %(tenant)s, %(run)s, d.product_id, d.warehouse_id, (d.step - 1) / 7 + 1, d.demand_class,
           d.method, count(*), sum(d.actual), sum(d.mean),
           sum(abs(d.actual - d.quantiles[%(median)s])), sum(abs(d.actual - d.naive)),
           sum(l.pinball),
           count(*) FILTER (WHERE d.actual BETWEEN d.quantiles[%(low)s] AND d.quantiles[%(high)s])
    FROM days d
    -- a day's quantiles stay beside it: joined to their days again they cost the square of the days
    CROSS JOIN LATERAL (
        SELECT avg(greatest(q.level * (d.actual - q.value), (q.level - 1) * (d.actual - q.value)))
            AS pinball
        FROM unnest(d.quantiles, %(level_values)s::float8[]) AS q (value, level)
    ) l
    GROUP BY d.product_id, d.warehouse_id, 5, d.demand_class, d.method
    ON CONFLICT (tenant_id, run_id, product_id, warehouse_id, week) DO UPDATE SET
        days = excluded.days, actual = excluded.actual, predicted = excluded.predicted,
        error = excluded.error, naive_error = excluded.naive_error, pinball = excluded.pinball,
        inside_80 = excluded.inside_80
"""  # noqa: S608  names of our own tables


@dataclass(frozen=True)
class _Days:
    """Days of a run to score, counted from its origin, and how many weeks of them are new."""

    origin: date
    first: int
    last: int
    new_weeks: int

    @property
    def first_read(self) -> date:
        return self.origin - timedelta(days=NAIVE_WEEKS * WEEK - 1)

    @property
    def last_day(self) -> date:
        return self.origin + timedelta(days=self.last)


def score_forecasts(run: JobRun) -> dict[str, Any]:
    """Score every stored run on the whole weeks that have passed since; return counts.

    The week scored last is scored again with the next one, for demand that was reported late.
    """
    run.progress(0, 1, _("Comparing forecasts with demand"))
    with run.publishing():
        known = latest_origin()
        if known is None:
            return {"weeks_scored": 0}
        due = [
            (stored, days) for stored in _runs_with_arrays() if (days := _days_due(stored, known))
        ]
        if due:
            blind = read_blind_days(
                min(days.first_read for _stored, days in due),
                max(days.last_day for _stored, days in due),
            )
            for stored, days in due:
                _score_run(stored, days, blind)
        scored = sum(days.new_weeks for _stored, days in due)
        AccuracySum.objects.filter(run__origin__lt=known - timedelta(days=KEPT_DAYS)).delete()
    return {"weeks_scored": scored}


def _runs_with_arrays() -> list[ForecastRun]:
    kept = SeriesForecast.objects.order_by().values("run_id").distinct()
    rows = ForecastRun.objects.filter(pk__in=kept).annotate(scored=Max("accuracy__week"))
    return list(rows.order_by("id"))


def _days_due(stored: ForecastRun, known: date) -> _Days | None:
    """Return the days to score, where a whole week has passed since the last score."""
    weeks = min((known - stored.origin).days, stored.horizon_days) // WEEK
    scored = getattr(stored, "scored", None) or 0
    if weeks <= scored:
        return None
    first = max(scored - 1, 0) * WEEK + 1
    return _Days(stored.origin, first, weeks * WEEK, weeks - scored)


def _score_run(stored: ForecastRun, days: _Days, blind: BlindDays) -> None:
    levels = [round(level, 4) for level in stored.quantiles]
    with joining_by_hashing(), connection.cursor() as cursor:
        cursor.execute(
            _SCORE,
            {
                "tenant": active_tenant_id(),
                "run": stored.pk,
                "origin": stored.origin,
                "first": days.first,
                "last": days.last,
                "levels": len(levels),
                "level_values": levels,
                "median": levels.index(0.5) + 1,
                "low": levels.index(0.1) + 1,
                "high": levels.index(0.9) + 1,
                **blind.between(days.first_read, days.last_day).parameters(),
            },
        )
