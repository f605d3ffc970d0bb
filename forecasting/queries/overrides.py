"""Planners' overrides: those in force, laid over a run's arrays, and how they turned out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from forecasting.decisions.overrides import Change, apply_changes
from forecasting.models import ForecastOverride, OverrideKind, OverrideState, SeriesForecast
from forecasting.pipeline.series import BoolArray, FloatArray
from forecasting.queries.blind_days import BLIND, CLOSED, read_blind_days
from forecasting.queries.forecasts import RunArrays
from forecasting.queries.series import SeriesKey, latest_origin
from inventory.models import DailyDemand
from inventory.queries.access import allowed_warehouses
from tenancy.errors import NotFound
from tenancy.scope import active_tenant_id


@dataclass(frozen=True)
class OverrideScore:
    """How an override did on the days that have passed: units of error, with it and without."""

    override: ForecastOverride
    days: int
    actual: float
    error: float
    base_error: float

    @property
    def gain(self) -> float | None:
        """Return the share of the forecast's error that the planner saved; None without error."""
        return 1 - self.error / self.base_error if self.base_error else None


@dataclass(frozen=True)
class Changed:
    """A forecast as planners changed it: mean [H], quantiles [H, Q], and the days concerned [H]."""

    mean: FloatArray
    quantiles: FloatArray
    days: BoolArray

    @property
    def total_mean(self) -> float:
        return float(self.mean.sum())


NO_DAYS = (0, 0.0, 0.0, 0.0)


def overrides() -> QuerySet[ForecastOverride]:
    """Return the overrides with what lists show, newest first.

    A member who works in some warehouses only sees theirs.
    """
    rows = ForecastOverride.objects.select_related("product", "warehouse").order_by("-id")
    allowed = allowed_warehouses()
    return rows if allowed is None else rows.filter(warehouse_id__in=allowed)


def get_override(forecast_override_id: int) -> ForecastOverride:
    """Return the override; raise ``NotFound``."""
    found = overrides().filter(pk=forecast_override_id).first()
    if found is None:
        raise NotFound("override", forecast_override_id)
    return found


def overrides_of(product_id: int, warehouse_id: int) -> list[ForecastOverride]:
    """Return the newest overrides of a product in a warehouse, withdrawn ones included."""
    rows = overrides().filter(product_id=product_id, warehouse_id=warehouse_id)
    return list(rows[:20])


def outdone(rows: Iterable[ForecastOverride]) -> set[int]:
    """Return the ids of the active changes that newer active ones cover on each of their days.

    rows: of one product in one warehouse, the newest first.
    """
    covered: set[int] = set()
    found: set[int] = set()
    for row in rows:
        if row.state != OverrideState.ACTIVE:
            continue
        days = set(range(row.first_day.toordinal(), row.last_day.toordinal() + 1))
        if days <= covered:
            found.add(row.pk)
        covered |= days
    return found


def in_force(
    first: date, last: date, product_ids: Collection[int] | None = None
) -> list[ForecastOverride]:
    """Return the active overrides that concern the days, in the order they were made.

    product_ids: of these products only.
    """
    rows = ForecastOverride.objects.filter(
        state=OverrideState.ACTIVE, first_day__lte=last, last_day__gte=first
    )
    if product_ids is not None:
        rows = rows.filter(product_id__in=product_ids)
    return list(rows.order_by("id"))


def with_overrides(arrays: RunArrays) -> RunArrays:
    """Return the arrays of a run with the overrides in force laid over them: one query."""
    run = arrays.run
    rows = in_force(*_ahead(run.origin, run.horizon_days))
    changes = _changes(rows, {key: place for place, key in enumerate(arrays.keys)}, run.origin)
    if not changes:
        return arrays
    mean, quantiles = apply_changes(arrays.mean, arrays.quantiles, changes)
    return replace(arrays, mean=mean, quantiles=quantiles)


def changed_forecasts(forecasts: Sequence[SeriesForecast]) -> dict[int, Changed]:
    """Return the forecasts that planners changed, by their id, as orders reckon them: one query.

    forecasts: of one run. Those of one channel alone are as they were forecast.
    """
    own = [row for row in forecasts if row.channel_id is None]
    if not own:
        return {}
    run = own[0].run
    rows = in_force(*_ahead(run.origin, run.horizon_days), {row.product_id for row in own})
    places = {SeriesKey(row.product_id, row.warehouse_id): at for at, row in enumerate(own)}
    by_place: dict[int, list[Change]] = {}
    for change in _changes(rows, places, run.origin):
        by_place.setdefault(change.row, []).append(replace(change, row=0))
    return {own[place].pk: _changed(own[place], made) for place, made in by_place.items()}


def _changed(forecast: SeriesForecast, changes: Sequence[Change]) -> Changed:
    run = forecast.run
    quantiles = np.reshape(forecast.quantile_values, (1, run.horizon_days, len(run.quantiles)))
    mean, changed = apply_changes(np.array([forecast.mean]), quantiles, changes)
    days = np.zeros(run.horizon_days, dtype=bool)
    for change in changes:
        days[max(change.first, 0) : change.last + 1] = True
    return Changed(mean[0], changed[0], days)


def _ahead(origin: date, horizon_days: int) -> tuple[date, date]:
    ordinal = origin.toordinal()
    return date.fromordinal(ordinal + 1), date.fromordinal(ordinal + horizon_days)


def _changes(
    rows: Iterable[ForecastOverride], places: dict[SeriesKey, int], origin: date
) -> list[Change]:
    found = []
    for row in rows:
        place = places.get(SeriesKey(row.product_id, row.warehouse_id))
        if place is None:
            continue
        percent = row.kind == OverrideKind.PERCENT
        found.append(
            Change(
                row=place,
                first=(row.first_day - origin).days - 1,
                last=(row.last_day - origin).days - 1,
                factor=1 + float(row.value) / 100 if percent else None,
                units=None if percent else float(row.value),
            )
        )
    return found


_SCORES = f"""
    SELECT o.id, count(*), sum(a.units), sum(abs(a.units - d.changed)), sum(abs(a.units - d.base))
    FROM {ForecastOverride._meta.db_table} o
    CROSS JOIN LATERAL (
        SELECT o.first_day + (b.place - 1)::int AS day, b.base,
               CASE o.kind WHEN 'percent' THEN b.base * (1 + o.value::float8 / 100)
                    ELSE o.value::float8 END AS changed
        FROM unnest(o.base_mean) WITH ORDINALITY AS b (base, place)
        WHERE b.base IS NOT NULL AND o.first_day + (b.place - 1)::int <= %(known)s
    ) d
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(q.quantity), 0)::float8 AS units
        FROM {DailyDemand._meta.db_table} q
        WHERE q.tenant_id = o.tenant_id AND q.product_id = o.product_id
            AND q.warehouse_id = o.warehouse_id AND q.business_day = d.day
    ) a
    WHERE o.tenant_id = %(tenant)s AND o.id = ANY(%(ids)s) AND NOT EXISTS (
        SELECT FROM {BLIND}
        WHERE b.product_id = o.product_id AND b.warehouse_id = o.warehouse_id AND b.day = d.day
    ) AND NOT EXISTS (
        SELECT FROM {CLOSED}
        WHERE coalesce(c.warehouse_id, o.warehouse_id) = o.warehouse_id AND c.day = d.day
    )
    GROUP BY o.id
"""  # noqa: S608  names of our own tables


def score_overrides(rows: Sequence[ForecastOverride]) -> list[OverrideScore]:
    """Score overrides on the days that have passed, against the forecast they changed.

    Three queries. Days out of stock and closed days do not count; one that has no other day yet
    has a score of no days. Withdrawn ones are scored too: it shows whether withdrawing was right.
    """
    known = latest_origin()
    begun = [row for row in rows if known is not None and row.first_day <= known]
    if known is None or not begun:
        return []
    blind = read_blind_days(
        min(row.first_day for row in begun), known, product_ids={row.product_id for row in begun}
    )
    by_id = {row.pk: row for row in begun}
    asked: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "ids": list(by_id),
        "known": known,
        **blind.parameters(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SCORES, asked)
        found = {pk: figures for pk, *figures in cursor.fetchall()}
    scores = [OverrideScore(row, *found.get(pk, NO_DAYS)) for pk, row in by_id.items()]
    return sorted(scores, key=lambda score: -score.override.pk)
