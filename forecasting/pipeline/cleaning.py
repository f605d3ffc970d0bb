"""Demand made fit for forecasting: errors out, gaps and outliers as the tenant chose, all reported.

Nothing is changed silently: every changed day is in the report with its value before and after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.series import BoolArray, FloatArray

WEEK = 7
LOCAL_DAYS = 14
MIN_SALES_FOR_OUTLIERS = 8
LEAST_LOG_SPREAD = 0.25
"""Demand that never varies would make every other value an outlier."""


class MissingStrategy(StrEnum):
    """What becomes of a day without a usable value."""

    DROP = "drop"
    """It stays unobserved: networks mask it, baselines skip it."""
    MEAN = "mean"
    MEDIAN = "median"
    NEAREST = "nearest"
    MODEL = "model"
    """The mean of the four weeks around the day, times the weekday's usual share."""


class NegativeStrategy(StrEnum):
    """What becomes of a negative value, which is no demand."""

    MASK = "mask"
    ZERO = "zero"


class DuplicateStrategy(StrEnum):
    """What becomes of several rows for one series and day."""

    SUM = "sum"
    FIRST = "first"
    LAST = "last"
    MEAN = "mean"


class ChangeReason(StrEnum):
    """Why a value was changed."""

    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    OUTLIER = "outlier"
    MISSING = "missing"
    DUPLICATE = "duplicate"


SENTENCES: Mapping[ChangeReason, str] = {
    ChangeReason.NOT_A_NUMBER: "{count} infinite values were left out.",
    ChangeReason.NEGATIVE: "{count} negative values were treated as {strategy}.",
    ChangeReason.OUTLIER: "{count} outliers were cut to the limit of their series.",
    ChangeReason.MISSING: "{count} missing days were treated by: {strategy}.",
    ChangeReason.DUPLICATE: "{count} rows of days that occur more than once were merged by: "
    "{strategy}.",
}
"""English sentence of every reason, to be translated."""


class CleaningError(ValueError):
    """A cleaning setting cannot be used; `field` names it."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        self.field, self.value, self.remedy = field, value, remedy
        super().__init__(f"{field} is {value}. {remedy}")


@dataclass(frozen=True)
class CleaningConfig:
    """What a tenant wants done.

    outlier_threshold: robust deviations (on the logarithm of the sold quantity) above which a
    value is cut to that limit; None = never.
    """

    missing: MissingStrategy = MissingStrategy.DROP
    outlier_threshold: float | None = 8.0
    negatives: NegativeStrategy = NegativeStrategy.MASK
    duplicates: DuplicateStrategy = DuplicateStrategy.SUM

    def __post_init__(self) -> None:
        if self.outlier_threshold is not None and not self.outlier_threshold > 0:
            raise CleaningError(
                "outlier_threshold", self.outlier_threshold, "Give a number above 0, or none."
            )


@dataclass(frozen=True)
class Change:
    """One changed day: column of the panel, value before and after (None = no value)."""

    column: int
    before: float | None
    after: float | None
    reason: ChangeReason


@dataclass(frozen=True)
class _Changes:
    """Changed days of one reason, as arrays of equal length; NaN = no value."""

    reason: ChangeReason
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    before: FloatArray
    after: FloatArray


@dataclass(frozen=True)
class CleaningReport:
    """What was changed, by reason and by series."""

    config: CleaningConfig
    parts: tuple[_Changes, ...]

    @property
    def counts(self) -> dict[ChangeReason, int]:
        """How many days were changed, for every reason that occurred."""
        return {one.reason: len(one.rows) for one in self.parts if len(one.rows)}

    @property
    def series_changed(self) -> tuple[int, ...]:
        """Rows of the series with any change, in order."""
        rows = [one.rows for one in self.parts]
        return tuple(int(row) for row in np.unique(np.concatenate(rows))) if rows else ()

    def of_series(self, row: int) -> tuple[Change, ...]:
        """Return every change of one series, by day."""
        found = [
            Change(int(one.columns[k]), _value(one.before[k]), _value(one.after[k]), one.reason)
            for one in self.parts
            for k in np.flatnonzero(one.rows == row)
        ]
        return tuple(sorted(found, key=lambda change: (change.column, change.reason)))

    def sentences(self) -> tuple[tuple[ChangeReason, str, dict[str, Any]], ...]:
        """Return reason, sentence template and its values for everything that occurred."""
        strategies: dict[ChangeReason, str] = {
            ChangeReason.NEGATIVE: self.config.negatives.value,
            ChangeReason.MISSING: self.config.missing.value,
            ChangeReason.DUPLICATE: self.config.duplicates.value,
        }
        return tuple(
            (reason, SENTENCES[reason], {"count": count, "strategy": strategies.get(reason, "")})
            for reason, count in self.counts.items()
        )

    def to_dict(self, series_ids: Sequence[str], examples: int = 20) -> dict[str, Any]:
        """Return counts and the largest changes of every reason, for storage as JSON."""
        return {
            "counts": {reason.value: count for reason, count in self.counts.items()},
            "series": len(self.series_changed),
            "examples": {
                one.reason.value: _examples(one, series_ids, examples)
                for one in self.parts
                if len(one.rows)
            },
        }

    def joined(self, other: "CleaningReport") -> "CleaningReport":
        """Return both reports as one."""
        return CleaningReport(self.config, (*self.parts, *other.parts))


@dataclass(frozen=True)
class CleanedDemand:
    """demand: [S, T], NaN before a series begins and 0 where unobserved; observed: [S, T]."""

    demand: FloatArray
    observed: BoolArray
    report: CleaningReport


def clean(
    demand: FloatArray,
    observed: BoolArray,
    config: CleaningConfig | None = None,
    censored: BoolArray | None = None,
) -> CleanedDemand:
    """Return demand fit for forecasting, and the report of every change.

    demand, observed: [S, T], column 0 any weekday. Days `censored` (out of stock) stay unobserved
    whatever the strategy for missing days. A series begins with its first recorded day.
    """
    config = config or CleaningConfig()
    raw = np.asarray(demand, dtype=float)
    begun = np.logical_or.accumulate(~np.isnan(raw), axis=1)
    finite = np.isfinite(raw)
    infinite = np.isinf(raw)
    negative = finite & (raw < 0)
    values = np.where(finite & ~negative, raw, 0.0)
    known = observed & finite & ~negative
    parts = [_record(ChangeReason.NOT_A_NUMBER, infinite, raw, np.full(raw.shape, np.nan))]
    if config.negatives is NegativeStrategy.ZERO:
        known |= observed & negative
        parts.append(_record(ChangeReason.NEGATIVE, negative, raw, values))
    else:
        nothing = np.full(raw.shape, np.nan)
        parts.append(_record(ChangeReason.NEGATIVE, negative, raw, nothing))
    if config.outlier_threshold is not None:
        limits = outlier_limits(values, known, config.outlier_threshold)
        high = known & (values > limits[:, None])
        cut = np.minimum(values, limits[:, None])
        parts.append(_record(ChangeReason.OUTLIER, high, values, cut))
        values = np.where(high, cut, values)
    lost = begun & ~known
    fillable = lost if censored is None else lost & ~censored
    if config.missing is MissingStrategy.DROP:
        gaps = lost & np.isnan(raw)
        parts.append(_record(ChangeReason.MISSING, gaps, raw, np.full(raw.shape, np.nan)))
    else:
        filled = fill_missing(values, known, config.missing)
        # a series without any usable day has nothing to fill from
        fillable = fillable & known.any(axis=1)[:, None]
        parts.append(_record(ChangeReason.MISSING, fillable, raw, filled))
        values, known = np.where(fillable, filled, values), known | fillable
    cleaned = np.where(begun, values, np.nan)
    return CleanedDemand(cleaned, known, CleaningReport(config, tuple(p for p in parts if p)))


def outlier_limits(values: FloatArray, known: BoolArray, threshold: float) -> FloatArray:
    """Return the largest plausible demand of a day for each series: [S]; infinite with few sales.

    exp(median + threshold * spread) - 1 of log(1 + demand) over days with demand; spread is 1.4826
    times the median absolute deviation (a normal's standard deviation), with a floor.
    """
    sold = known & (values > 0)
    logs = np.where(sold, np.log1p(values), np.nan)
    centre = _row_median(logs)
    spread = 1.4826 * _row_median(np.abs(logs - centre[:, None]))
    limits = np.expm1(np.minimum(centre + threshold * np.maximum(spread, LEAST_LOG_SPREAD), 300.0))
    return np.where(sold.sum(axis=1) >= MIN_SALES_FOR_OUTLIERS, limits, np.inf)


def fill_missing(values: FloatArray, known: BoolArray, strategy: MissingStrategy) -> FloatArray:
    """Return what a strategy would put on every day, from the known days only: [S, T]."""
    if strategy is MissingStrategy.NEAREST:
        return _nearest(values, known)
    if strategy is MissingStrategy.MODEL:
        return _local_level(values, known) * _weekday_shares(values, known)
    if strategy is MissingStrategy.MEDIAN:
        level = np.nan_to_num(_row_median(np.where(known, values, np.nan)))
    else:
        level = np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.broadcast_to(level[:, None], values.shape)


def merge_duplicates(
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    values: FloatArray,
    config: CleaningConfig | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray, CleaningReport]:
    """Return one value per series (row) and day (column), sorted, and the report of what merged.

    rows, columns, values: [N], in the order of the source, which `first` and `last` refer to.
    """
    config = config or CleaningConfig()
    order = np.lexsort((columns, rows))
    rows, columns, values = rows[order], columns[order], np.asarray(values, dtype=float)[order]
    starts = np.ones(len(rows), dtype=bool)
    starts[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    first = np.flatnonzero(starts)
    count = np.diff(np.append(first, len(rows)))
    if not len(rows):
        merged = values
    elif config.duplicates is DuplicateStrategy.FIRST:
        merged = values[first]
    elif config.duplicates is DuplicateStrategy.LAST:
        merged = values[first + count - 1]
    else:
        merged = np.add.reduceat(values, first)
        merged = merged / count if config.duplicates is DuplicateStrategy.MEAN else merged
    extra = ~starts
    group = np.cumsum(starts) - 1
    changes = _Changes(
        ChangeReason.DUPLICATE, rows[extra], columns[extra], values[extra], merged[group[extra]]
    )
    report = CleaningReport(config, (changes,) if extra.any() else ())
    return rows[first], columns[first], merged, report


def _record(
    reason: ChangeReason, where: BoolArray, before: FloatArray, after: FloatArray
) -> _Changes | None:
    if not where.any():
        return None
    rows, columns = np.nonzero(where)
    return _Changes(reason, rows, columns, before[where], after[where])


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


def _value(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _examples(changes: _Changes, series_ids: Sequence[str], count: int) -> list[dict[str, Any]]:
    size = np.abs(np.nan_to_num(changes.before, nan=0, posinf=1e300, neginf=-1e300))
    largest = np.argsort(-size, kind="stable")[:count]
    return [
        {
            "series": series_ids[int(changes.rows[k])],
            "column": int(changes.columns[k]),
            "before": _json_number(changes.before[k]),
            "after": _json_number(changes.after[k]),
        }
        for k in largest
    ]


def _json_number(value: float) -> float | str | None:
    """A finite number, None for no value, or the word for an infinite one (JSON has none)."""
    if np.isnan(value):
        return None
    return float(value) if np.isfinite(value) else str(value)
