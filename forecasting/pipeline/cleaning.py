"""Demand made fit for forecasting: what nobody saw, and what is too large to be true.

What was recorded stays as it is; training and forecasts read a cleaned copy, and `report` tells
every kind of change that was made, with the largest ones.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.arrays import by_rows, row_chunks
from forecasting.pipeline.scaling import LARGEST
from forecasting.pipeline.series import BoolArray, FloatArray, SeriesPanel
from forecasting.pipeline.triage import MIN_OBSERVED_DAYS

WEEK = 7
LOCAL_DAYS = 14
MIN_SALES_FOR_OUTLIERS = 8
LEAST_LOG_SPREAD = 0.25
"""Demand that never varies would make every other value an outlier."""
LEAST_MEDIAN = 1.0
"""Units: sales by fractions of a unit have the limit of sales by one."""
EXAMPLES = 20


class MissingDays(StrEnum):
    """What becomes of a day nobody saw: out of stock, closed, or without a usable value."""

    DROP = "drop"
    """It stays unseen: networks mask it, simple methods skip it."""
    MEAN = "mean"
    MEDIAN = "median"
    NEAREST = "nearest"
    MODEL = "model"
    """The mean of the four weeks around the day, times the weekday's usual share."""


class CleaningError(ValueError):
    """A cleaning setting cannot be used; `field` names it."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        self.field, self.value, self.remedy = field, value, remedy
        super().__init__(f"{field} is {value}. {remedy}")


@dataclass(frozen=True)
class CleaningConfig:
    """What a tenant wants done.

    outliers: robust deviations (on the logarithm of the sold quantity) above which a value is cut
    to that limit; None = never.
    """

    missing: MissingDays = MissingDays.DROP
    outliers: float | None = 8.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "missing", MissingDays(self.missing))
        if self.outliers is not None and not self.outliers > 0:
            raise CleaningError("outliers", self.outliers, "Give a number above 0, or none.")


def clean(panel: SeriesPanel, config: CleaningConfig) -> SeriesPanel:
    """Return the panel with outliers cut and, where the config says so, unseen days filled.

    Only days of a series' life are filled, and only where enough days were seen to know it by.
    """
    demand, observed = panel.demand, panel.observed
    if config.outliers is not None:
        threshold = config.outliers
        demand = by_rows(lambda d, o: _cut(d, o, threshold), np.float32, demand, observed)
    if config.missing is not MissingDays.DROP:
        lost = by_rows(_fillable, np.bool_, demand, observed)
        demand = by_rows(
            lambda d, o, gaps: _filled(d, o, gaps, config.missing),
            np.float32, demand, observed, lost,
        )  # fmt: skip
        observed = by_rows(np.logical_or, np.bool_, observed, lost)
    return replace(panel, demand=demand, observed=observed)


def report(panel: SeriesPanel, config: CleaningConfig) -> dict[str, Any]:
    """Return what `clean` changes in a panel, as JSON: counts, and the largest cuts.

    outliers: days cut, in how many series; filled: days, by which strategy; examples: series (row
    of the panel), day (column), what was recorded and what is used.
    """
    cuts: list[tuple[int, int, float, float]] = []
    filled = 0
    for rows in row_chunks(panel.n_series, panel.n_days):
        demand, observed = panel.demand[rows], panel.observed[rows]
        if config.outliers is not None:
            used = _cut(demand, observed, config.outliers)
            found = np.argwhere(used < demand)
            cuts += [
                (int(row) + rows.start, int(day), float(demand[row, day]), float(used[row, day]))
                for row, day in found
            ]
        if config.missing is not MissingDays.DROP:
            filled += int(_fillable(demand, observed).sum())
    largest = sorted(cuts, key=lambda one: one[3] - one[2])[:EXAMPLES]
    return {
        "outliers": len(cuts),
        "outlier_series": len({row for row, *_rest in cuts}),
        "outlier_threshold": config.outliers,
        "filled": filled,
        "missing": config.missing.value,
        "examples": [
            {"row": row, "day": day, "recorded": before, "used": after}
            for row, day, before, after in largest
        ],
    }


def _usable(demand: FloatArray) -> BoolArray:
    return np.isfinite(demand) & (demand >= 0)


def _fillable(demand: FloatArray, observed: BoolArray) -> BoolArray:
    """Return the unseen days since a series' first one, where enough others were seen: [S, T]."""
    seen = observed & _usable(demand)
    begun = np.logical_or.accumulate(~np.isnan(demand), axis=1)
    enough = seen.sum(axis=1) >= MIN_OBSERVED_DAYS
    return np.asarray(begun & ~seen & enough[:, None])


def _filled(
    demand: FloatArray, observed: BoolArray, gaps: BoolArray, strategy: MissingDays
) -> FloatArray:
    values = fill(demand.astype(np.float64), observed & _usable(demand), strategy)
    return np.where(gaps, np.minimum(values, LARGEST), demand)


def _cut(demand: FloatArray, observed: BoolArray, threshold: float) -> FloatArray:
    """Return demand no larger than each series' limit: [S, T]; unseen days as they are."""
    known = observed & _usable(demand)
    largest = np.where(known, demand, 0).max(axis=1, initial=0)
    suspects = np.flatnonzero(largest > _least_limit(threshold))
    cut = demand.copy()
    values = np.where(known[suspects], demand[suspects], 0).astype(np.float64)
    limits = outlier_limits(values, known[suspects], threshold)
    over = known[suspects] & (values > limits[:, None])
    cut[suspects] = np.where(over, limits[:, None], demand[suspects])
    return cut


def outlier_limits(values: FloatArray, known: BoolArray, threshold: float) -> FloatArray:
    """Return the largest plausible demand of a day for each series: [S]; infinite with few sales.

    exp(median + threshold * spread) - 1 of log(1 + demand) over days with demand, in whole units;
    spread is 1.4826 times the median absolute deviation (a normal's standard deviation), with a
    floor.
    """
    sold = known & (values > 0)
    logs = np.where(sold, np.log1p(values), np.nan)
    centre = _row_median(logs)
    spread = 1.4826 * _row_median(np.abs(logs - centre[:, None]))
    centre = np.maximum(centre, np.log1p(LEAST_MEDIAN))
    limits = np.expm1(np.minimum(centre + threshold * np.maximum(spread, LEAST_LOG_SPREAD), 300.0))
    return np.where(sold.sum(axis=1) >= MIN_SALES_FOR_OUTLIERS, np.floor(limits), np.inf)


def _least_limit(threshold: float) -> float:
    """Return what no limit is below, so that most series need not be looked at closely."""
    return float(np.expm1(min(np.log1p(LEAST_MEDIAN) + threshold * LEAST_LOG_SPREAD, 300.0)))


def fill(values: FloatArray, known: BoolArray, strategy: MissingDays) -> FloatArray:
    """Return what a strategy would put on every day, from the known days only: [S, T]."""
    if strategy is MissingDays.NEAREST:
        return _nearest(values, known)
    if strategy is MissingDays.MODEL:
        return _local_level(values, known) * _weekday_shares(values, known)
    if strategy is MissingDays.MEDIAN:
        level = np.nan_to_num(_row_median(np.where(known, values, np.nan)))
    else:
        level = np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.broadcast_to(level[:, None], values.shape)


def _row_median(values: FloatArray) -> FloatArray:
    """Median of what is not NaN in each row; NaN where nothing is: [S, T] -> [S]."""
    ordered = np.sort(values, axis=1)
    count = np.isfinite(values).sum(axis=1)
    if not values.shape[1]:
        return np.full(values.shape[0], np.nan)
    rows = np.arange(values.shape[0])
    low, high = np.maximum((count - 1) // 2, 0), np.minimum(count // 2, values.shape[1] - 1)
    median: FloatArray = (ordered[rows, low] + ordered[rows, high]) / 2
    return median


def _nearest(values: FloatArray, known: BoolArray) -> FloatArray:
    """The value of the nearest known day, the earlier of two equally near: [S, T]."""
    days = np.arange(values.shape[1])
    before = np.maximum.accumulate(np.where(known, days, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, days, 10**9)[:, ::-1], axis=1)[:, ::-1]
    use_after = (before < 0) | ((after < 10**9) & (after - days < days - before))
    index = np.where(use_after, np.minimum(after, values.shape[1] - 1), np.maximum(before, 0))
    return np.take_along_axis(values, index, axis=1)


def _local_level(values: FloatArray, known: BoolArray) -> FloatArray:
    """Mean of the known days within two weeks either side, else of all known days: [S, T]."""
    total = np.cumsum(np.where(known, values, 0.0), axis=1)
    count = np.cumsum(known, axis=1)
    last = values.shape[1] - 1
    right = np.minimum(np.arange(values.shape[1]) + LOCAL_DAYS, last)
    left = np.arange(values.shape[1]) - LOCAL_DAYS - 1
    sums = total[:, right] - np.where(left >= 0, total[:, np.maximum(left, 0)], 0.0)
    days: NDArray[np.intp] = count[:, right] - np.where(left >= 0, count[:, np.maximum(left, 0)], 0)
    overall = total[:, -1:] / np.maximum(count[:, -1:], 1)
    level: FloatArray = np.where(days > 0, sums / np.maximum(days, 1), overall)
    return level


def _weekday_shares(values: FloatArray, known: BoolArray) -> FloatArray:
    """Mean of each day's weekday over the mean of all, shrunk by four days: [S, T]."""
    overall = np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    shares = np.ones(values.shape)
    for weekday in range(WEEK):
        part, seen = values[:, weekday::WEEK], known[:, weekday::WEEK]
        total = np.where(seen, part, 0.0).sum(axis=1) + 4 * overall
        mean = total / (seen.sum(axis=1) + 4)
        shares[:, weekday::WEEK] = (mean / np.where(overall > 0, overall, 1.0))[:, None]
    return shares
