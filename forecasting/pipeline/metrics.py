"""How good a forecast is: errors of means and quantiles, and the demand class of a series.

Formulas follow the M5 Competition guides (2020) for RMSSE and SPL, Hyndman and Koehler (2006) for
MASE, and GluonTS for WAPE. Scales look at history only, from its first non-zero day on.
Shapes: S series, H days ahead, Q quantiles; demand and errors in units. Where `seen` [S, H] is
given, days that were not seen (out of stock) do not count.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.arrays import by_rows
from forecasting.pipeline.series import QUANTILES, BoolArray, FloatArray

SEASON_DAYS = 7
WEIGHT_DAYS = 28
ADI_LIMIT = 1.32
CV2_LIMIT = 0.49


class DemandClass(StrEnum):
    """How regular demand is (Syntetos and Boylan, 2005)."""

    SMOOTH = "smooth"
    ERRATIC = "erratic"
    INTERMITTENT = "intermittent"
    LUMPY = "lumpy"


LONGEST_CLASS = max(len(one) for one in DemandClass)


@dataclass(frozen=True)
class HistoryScales:
    """What errors of a series are divided by, all [S]; NaN where history is too short or constant.

    sq_step: mean squared change from day to day; abs_step: mean absolute change; abs_season: mean
    absolute change from week to week; recent: units of the last 28 days.
    """

    sq_step: FloatArray
    abs_step: FloatArray
    abs_season: FloatArray
    recent: FloatArray


def pinball(actual: FloatArray, forecast: FloatArray, quantile: FloatArray | float) -> FloatArray:
    """Return the pinball loss: (y - f) q where y >= f, else (f - y)(1 - q). Shapes broadcast."""
    error = np.asarray(actual, dtype=float) - forecast
    loss: FloatArray = np.where(error >= 0, quantile * error, (quantile - 1) * error)
    return loss


def mean_pinball(
    actual: FloatArray, quantiles: FloatArray, levels: FloatArray = QUANTILES
) -> FloatArray:
    """Return the pinball loss averaged over quantiles: [...], [..., Q] -> [...]."""
    return np.asarray(pinball(actual[..., None], quantiles, levels).mean(axis=-1))


def history_scales(
    demand: FloatArray, observed: BoolArray | None = None, season_days: int = SEASON_DAYS
) -> HistoryScales:
    """Return the scales of histories [S, T] that end at the origin.

    A change counts where both of its days were observed.
    """
    demand = np.asarray(demand, dtype=float)
    known = np.isfinite(demand) if observed is None else observed & np.isfinite(demand)
    values = np.where(known, demand, 0.0)
    begun = known & np.logical_or.accumulate(values != 0, axis=1)
    return HistoryScales(
        sq_step=_mean_change(values, begun, 1, squared=True),
        abs_step=_mean_change(values, begun, 1, squared=False),
        abs_season=_mean_change(values, begun, season_days, squared=False),
        recent=values[:, -WEIGHT_DAYS:].sum(axis=1),
    )


def _mean_change(values: FloatArray, known: BoolArray, lag: int, *, squared: bool) -> FloatArray:
    if values.shape[1] <= lag:
        return np.full(values.shape[0], np.nan)
    both = known[:, lag:] & known[:, :-lag]
    change = np.where(both, values[:, lag:] - values[:, :-lag], 0.0)
    total = (change**2 if squared else np.abs(change)).sum(axis=1)
    return _ratio(total, both.sum(axis=1) * (total > 0))


def rmsse(
    actual: FloatArray, mean: FloatArray, scales: HistoryScales, seen: BoolArray | None = None
) -> FloatArray:
    """Return the root mean squared scaled error of each series: [S, H] -> [S]."""
    return np.sqrt(_row_mean((actual - mean) ** 2, _seen(actual, seen)) / scales.sq_step)


def mase(
    actual: FloatArray, median: FloatArray, scales: HistoryScales, seen: BoolArray | None = None
) -> FloatArray:
    """Return the mean absolute scaled error of each series: [S, H] -> [S]."""
    return _row_mean(np.abs(actual - median), _seen(actual, seen)) / scales.abs_season


def spl(
    actual: FloatArray,
    quantiles: FloatArray,
    scales: HistoryScales,
    seen: BoolArray | None = None,
    levels: FloatArray = QUANTILES,
) -> FloatArray:
    """Return the scaled pinball loss of each series: actual [S, H], quantiles [S, H, Q] -> [S]."""
    losses = mean_pinball(actual, quantiles, levels)
    return _row_mean(losses, _seen(actual, seen)) / scales.abs_step


def weighted_mean(values: FloatArray, weights: FloatArray) -> float:
    """Return the weighted mean of what is not NaN, NaN where no weight is left: [S], [S]."""
    known = np.isfinite(values)
    total = float(weights[known].sum())
    return float((values[known] * weights[known]).sum() / total) if total > 0 else float("nan")


def wape(actual: FloatArray, forecast: FloatArray, seen: BoolArray | None = None) -> float:
    """Return the sum of absolute errors over the sum of demand: [S, H], [S, H]."""
    error, actual = _flat(np.abs(actual - forecast), actual, seen)
    return _divide(float(error.sum()), float(np.abs(actual).sum()))


def mae(actual: FloatArray, median: FloatArray, seen: BoolArray | None = None) -> float:
    """Return the mean absolute error of a day, in units: [S, H], [S, H]."""
    error, counted = _flat(np.abs(actual - median), actual, seen)
    return _divide(float(error.sum()), counted.size)


def rmse(actual: FloatArray, mean: FloatArray, seen: BoolArray | None = None) -> float:
    """Return the root mean squared error of a day, in units: [S, H], [S, H]."""
    square, counted = _flat((actual - mean) ** 2, actual, seen)
    return math.sqrt(_divide(float(square.sum()), counted.size))


def bias(actual: FloatArray, mean: FloatArray, seen: BoolArray | None = None) -> float:
    """Return the sum of errors over the sum of demand, above 0 if too high: [S, H], [S, H]."""
    error, actual = _flat(mean - actual, actual, seen)
    return _divide(float(error.sum()), float(np.abs(actual).sum()))


def coverage(
    actual: FloatArray, low: FloatArray, high: FloatArray, seen: BoolArray | None = None
) -> float:
    """Return the share of actuals inside [low, high], both ends included."""
    inside, _ = _flat((actual >= low) & (actual <= high), actual, seen)
    return _divide(float(inside.sum()), float(inside.size))


def demand_class(demand: FloatArray, observed: BoolArray) -> NDArray[np.str_]:
    """Return smooth, erratic, intermittent or lumpy for each series: [S, T] -> [S].

    ADI = observed days per day with demand, CV2 = squared variation of the demand of those days,
    cut at 1.32 and 0.49. A series that never sold is intermittent.
    """
    return by_rows(_demand_class, f"<U{LONGEST_CLASS}", demand, observed)


def _demand_class(demand: FloatArray, observed: BoolArray) -> NDArray[np.str_]:
    known = observed & np.isfinite(demand)
    values = np.where(known, demand, 0.0).astype(float)
    sold = values > 0
    days, sales = known.sum(axis=1), sold.sum(axis=1)
    interval = np.where(sales > 0, days / np.maximum(sales, 1), np.inf)
    size = values.sum(axis=1) / np.maximum(sales, 1)
    spread = (np.where(sold, values - size[:, None], 0.0) ** 2).sum(axis=1) / np.maximum(sales, 1)
    variation = spread / np.maximum(size, 1e-12) ** 2
    rare, varied = interval >= ADI_LIMIT, variation >= CV2_LIMIT
    classes = np.where(
        rare,
        np.where(varied, DemandClass.LUMPY.value, DemandClass.INTERMITTENT.value),
        np.where(varied, DemandClass.ERRATIC.value, DemandClass.SMOOTH.value),
    )
    return classes.astype(np.str_)


def _seen(actual: FloatArray, seen: BoolArray | None) -> BoolArray:
    known = np.isfinite(actual)
    return known if seen is None else known & seen


def _flat(
    values: NDArray[np.generic], actual: FloatArray, seen: BoolArray | None
) -> tuple[NDArray[np.generic], FloatArray]:
    counted = _seen(actual, seen)
    return values[counted], actual[counted]


def _row_mean(values: FloatArray, counted: BoolArray) -> FloatArray:
    return _ratio(np.where(counted, values, 0.0).sum(axis=1), counted.sum(axis=1))


def _ratio(total: FloatArray, count: NDArray[np.integer]) -> FloatArray:
    result: FloatArray = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return result


def _divide(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else float("nan")
