"""One series with its past and its forecast, laid out for the fan chart; small lines for lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db.models import Sum

from forecasting.decisions.demand_paths import demand_forecast, path_chunks
from forecasting.models import SeriesForecast
from forecasting.pipeline.series import FloatArray
from forecasting.queries.overrides import Changed
from inventory.models import Channel, DailyDemand
from inventory.queries.demand_history import daily_demand, out_of_stock_days

HISTORY_DAYS = 730
SPARK_DAYS = 91
MEDIAN = 9
BANDS = ((50, 4, 14), (90, 0, 18))
"""Width of a band in percent, and its lower and upper quantile by position."""


@dataclass(frozen=True)
class Fan:
    """What the forecast page shows of one series; totals are over the horizon."""

    chart: dict[str, Any]
    total_mean: float
    total_low: float
    total_high: float
    sold_before: float
    """Demand of as many days before the origin as are forecast."""
    stockout_days: int


def read_fan(series: SeriesForecast, changed: Changed | None = None) -> Fan:
    """Return past demand, days out of stock, and the forecast of one series.

    changed: as planners changed it; the forecast itself then stays as a line beside that.
    """
    run = series.run
    last = run.origin
    first = last - timedelta(days=HISTORY_DAYS - 1)
    demand = _demand(series, first, last)
    begin = min(demand, default=last)
    days = (last - begin).days + 1
    values = [demand.get(begin + timedelta(days=step), 0.0) for step in range(days)]
    out = _out_of_stock(series, begin, last)
    stockout = [begin + timedelta(days=step) in out for step in range(days)]
    quantiles = np.array(series.quantile_values).reshape(run.horizon_days, len(run.quantiles))
    own_mean = np.array(series.mean)
    mean = own_mean
    if changed is not None:
        mean, quantiles = changed.mean, changed.quantiles
    low, high = _total_range(mean, quantiles)
    chart = {
        "unit": series.product.base_unit,
        "history": {"start": begin, "values": values, "stockout": stockout},
        "forecast": {
            "start": last + timedelta(days=1),
            "median": quantiles[:, MEDIAN],
            "mean": np.round(mean, 4),
            "before": None if changed is None else np.round(own_mean, 4),
            "bands": [
                {"level": level, "lower": quantiles[:, lower], "upper": quantiles[:, upper]}
                for level, lower, upper in BANDS
            ],
        },
    }
    return Fan(
        chart=chart,
        total_mean=float(mean.sum()),
        total_low=low,
        total_high=high,
        sold_before=sum(values[-run.horizon_days :]),
        stockout_days=sum(stockout[-SPARK_DAYS:]),
    )


def _demand(series: SeriesForecast, first: date, last: date) -> dict[date, float]:
    rows = DailyDemand.objects.filter(
        product_id=series.product_id,
        warehouse_id=series.warehouse_id,
        business_day__range=(first, last),
    )
    if series.channel_id is not None:
        rows = rows.filter(channel_id=series.channel_id)
    sums = rows.order_by().values_list("business_day").annotate(total=Sum("quantity"))
    return {day: float(total) for day, total in sums}


def _out_of_stock(series: SeriesForecast, first: date, last: date) -> set[date]:
    for _product, warehouse, days in out_of_stock_days(
        first, last, product_ids=[series.product_id]
    ):
        if warehouse == series.warehouse_id:
            return set(days)
    return set()


def _total_range(mean: FloatArray, quantiles: FloatArray) -> tuple[float, float]:
    """Return the 90 % range of the sum over the horizon; days of one product err together."""
    forecast = demand_forecast(mean[None], quantiles[None])
    reach = np.array([len(mean)])
    for _rows, paths in path_chunks(forecast, reach):
        totals = paths[0, :, -1]
        return float(np.quantile(totals, 0.05)), float(np.quantile(totals, 0.95))
    raise AssertionError("unreachable")


def channel_tabs(series: SeriesForecast) -> list[tuple[int, str]]:
    """Return the channels this product and warehouse has forecasts for."""
    rows = SeriesForecast.objects.filter(
        run_id=series.run_id, product_id=series.product_id, warehouse_id=series.warehouse_id
    ).exclude(channel=None)
    return list(
        Channel.objects.filter(pk__in=rows.values("channel_id"))
        .order_by("name", "id")
        .values_list("id", "name")
    )


def sparklines(rows: Sequence[SeriesForecast]) -> dict[int, list[float]]:
    """Return the demand of the last thirteen weeks of each row, by the row's id: one query."""
    if not rows:
        return {}
    last = rows[0].run.origin
    first = last - timedelta(days=SPARK_DAYS - 1)
    lines: dict[tuple[int, int], list[float]] = {}
    for one in daily_demand(first, last, product_ids={row.product_id for row in rows}):
        line = lines.setdefault((one.product_id, one.warehouse_id), [0.0] * SPARK_DAYS)
        line[(one.business_day - first).days] = float(one.quantity)
    return {row.pk: lines.get((row.product_id, row.warehouse_id), []) for row in rows}
