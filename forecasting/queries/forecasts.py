"""Forecasts as they were stored: the run in use, its arrays, and one series with its past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db import connection
from django.db.models import Q, QuerySet

from forecasting.models import ForecastRun, SeriesForecast
from forecasting.pipeline.series import FloatArray
from forecasting.queries.series import SeriesKey, business_today
from inventory.queries.access import allowed_warehouses, in_allowed
from tenancy.errors import NotFound
from tenancy.scope import active_tenant_id

STALE_AFTER_DAYS = 7
"""A forecast whose last known day is longer ago than this is not ordered from unless confirmed."""
_ARRAY_HEADER_BYTES = 20
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">f8")])


@dataclass(frozen=True)
class RunArrays:
    """The forecasts of one run as arrays, series in the order of `keys`.

    mean: [S, H]; quantiles: [S, H, Q], both in units per day.
    """

    run: ForecastRun
    keys: tuple[SeriesKey, ...]
    mean: FloatArray
    quantiles: FloatArray
    method: tuple[str, ...]
    reason: tuple[str, ...]


def latest_run() -> ForecastRun | None:
    """Return the run in use: the newest; None before the first forecast."""
    return ForecastRun.objects.select_related("network").order_by("-id").first()


def last_day_of(run: ForecastRun) -> date:
    """Return the last day that a run forecasts."""
    return run.origin + timedelta(days=run.horizon_days)


def age_days(run: ForecastRun) -> int:
    """Return how many whole days have passed that the run has not seen."""
    return max((business_today() - run.origin).days - 1, 0)


def is_stale(run: ForecastRun) -> bool:
    """Tell whether the run is too old to order from without a second look."""
    return age_days(run) > STALE_AFTER_DAYS


def silent_signals(run: ForecastRun) -> list[str]:
    """Return the signals that the network behind a run learned from and that said nothing any more.

    Simple methods listen to none: what they miss is nothing.
    """
    found: list[str] = run.silent_signals if run.network_id is not None else []
    return found


def passed_days(run: ForecastRun) -> int:
    """Return how many of the run's days have passed: decisions begin with today.

    None of a stale run: it describes another time (imported history may have ended years ago), and
    whoever orders from it takes its first days for the next ones.
    """
    return 0 if is_stale(run) else min(age_days(run), run.horizon_days - 1)


def read_arrays(run: ForecastRun) -> RunArrays:
    """Return the forecasts of the run that are not of one channel alone, as arrays.

    Those of the reader's warehouses; a job reads all.
    """
    allowed = allowed_warehouses()
    statement = f"""
        SELECT product_id, warehouse_id, method, reason,
               array_send(mean), array_send(quantile_values)
        FROM {SeriesForecast._meta.db_table}
        WHERE tenant_id = %(tenant)s AND run_id = %(run)s AND channel_id IS NULL
            AND (%(allowed)s::bigint[] IS NULL OR warehouse_id = ANY(%(allowed)s))
        ORDER BY product_id, warehouse_id
    """  # noqa: S608  names of our own table and columns
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "tenant": active_tenant_id(),
                "run": run.pk,
                "allowed": None if allowed is None else sorted(allowed),
            },
        )
        rows = cursor.fetchall()
    shape = (len(rows), run.horizon_days)
    return RunArrays(
        run=run,
        keys=tuple(SeriesKey(row[0], row[1]) for row in rows),
        mean=_unpack([row[4] for row in rows]).reshape(shape),
        quantiles=_unpack([row[5] for row in rows]).reshape(*shape, len(run.quantiles)),
        method=tuple(row[2] for row in rows),
        reason=tuple(row[3] for row in rows),
    )


def _unpack(values: Sequence[bytes]) -> FloatArray:
    """Read float8 arrays in PostgreSQL's binary form, one after the other."""
    bodies = b"".join(bytes(value)[_ARRAY_HEADER_BYTES:] for value in values)
    return np.frombuffer(bodies, dtype=_ELEMENT)["value"].astype(np.float64)


def get_series(product_id: int, warehouse_id: int, channel_id: int | None = None) -> SeriesForecast:
    """Return the forecast in use of one series with what its page shows; raise ``NotFound``."""
    rows = series_in_use().filter(product_id=product_id, warehouse_id=warehouse_id)
    if channel_id is None:
        found = rows.filter(channel=None).first()
    else:
        found = rows.filter(channel_id=channel_id).first()
    if found is None:
        raise NotFound("forecast", f"{product_id}/{warehouse_id}")
    return found


def series_in_use() -> QuerySet[SeriesForecast]:
    """Return every series of the run in use, those of single channels included."""
    run = latest_run()
    return SeriesForecast.objects.none() if run is None else series_of(run)


def series_of(run: ForecastRun) -> QuerySet[SeriesForecast]:
    """Return the series of a run in the reader's warehouses, with what their lists show."""
    rows = in_allowed(SeriesForecast.objects.filter(run=run), "warehouse_id")
    return rows.select_related("product", "warehouse", "channel", "run", "run__network")


def forecast_days(run: ForecastRun) -> list[date]:
    """Return the days the run forecasts."""
    return [run.origin + timedelta(days=step) for step in range(1, run.horizon_days + 1)]


@dataclass(frozen=True)
class ForecastFilter:
    """What the list of forecasts shows; empty fields show everything."""

    text: str = ""
    warehouse_id: int | None = None
    demand_class: str = ""
    method: str = ""


def forecast_list(
    run: ForecastRun, wanted: ForecastFilter = ForecastFilter()
) -> QuerySet[SeriesForecast]:
    """Return the forecasts of all channels together, the largest demand first."""
    rows = series_of(run).filter(channel=None).order_by("-total_mean", "id")
    if wanted.text:
        rows = rows.filter(
            Q(product__sku__istartswith=wanted.text) | Q(product__name__icontains=wanted.text)
        )
    if wanted.warehouse_id is not None:
        rows = rows.filter(warehouse_id=wanted.warehouse_id)
    if wanted.demand_class:
        rows = rows.filter(demand_class=wanted.demand_class)
    if wanted.method:
        rows = rows.filter(method=wanted.method)
    return rows


def forecasts_of_product(product_id: int) -> list[SeriesForecast]:
    """Return the forecasts in use of a product, one per warehouse."""
    run = latest_run()
    if run is None:
        return []
    rows = series_of(run).filter(product_id=product_id, channel=None)
    return list(rows.order_by("warehouse__code", "id"))
