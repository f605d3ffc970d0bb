"""Forecasts as they were stored: the run in use, its arrays, and one series with its past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from forecasting.models import ForecastRun, SeriesForecast
from forecasting.pipeline.series import FloatArray
from forecasting.queries.series import SeriesKey, business_today
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


def age_days(run: ForecastRun) -> int:
    """Return how many whole days have passed that the run has not seen."""
    return max((business_today() - run.origin).days - 1, 0)


def is_stale(run: ForecastRun) -> bool:
    """Tell whether the run is too old to order from without a second look."""
    return age_days(run) > STALE_AFTER_DAYS


def read_arrays(run: ForecastRun) -> RunArrays:
    """Return all forecasts of the run that are not of one channel alone, as arrays."""
    statement = f"""
        SELECT product_id, warehouse_id, method, reason,
               array_send(mean), array_send(quantile_values)
        FROM {SeriesForecast._meta.db_table}
        WHERE tenant_id = %s AND run_id = %s AND channel_id IS NULL
        ORDER BY product_id, warehouse_id
    """  # noqa: S608  names of our own table and columns
    with connection.cursor() as cursor:
        cursor.execute(statement, [active_tenant_id(), run.pk])
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


def find_series(
    product_id: int, warehouse_id: int, channel_id: int | None = None
) -> SeriesForecast | None:
    """Return the forecast in use of one series, with product, warehouse, channel and run."""
    run = latest_run()
    if run is None:
        return None
    return (
        series_of(run)
        .filter(product_id=product_id, warehouse_id=warehouse_id, channel_id=channel_id)
        .first()
    )


def series_of(run: ForecastRun) -> QuerySet[SeriesForecast]:
    """Return the series of a run with what their lists show."""
    return SeriesForecast.objects.filter(run=run).select_related(
        "product", "warehouse", "channel", "run", "run__network"
    )


def forecast_days(run: ForecastRun) -> list[date]:
    """Return the days the run forecasts."""
    return [run.origin + timedelta(days=step) for step in range(1, run.horizon_days + 1)]
