"""Scales: what a series is divided by before a network sees it, always told what was observed.

Networks read the logarithm of 1 + demand / scale and answer in multiples of the scale.
"""

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.arrays import by_rows
from forecasting.pipeline.series import BoolArray, FloatArray

LEVEL_PRIOR_DAYS = 7.0
LEVEL_FLOOR = 0.02
STEP_PRIOR_DAYS = 14.0
LARGEST = 1e30
"""A scale stays within what single precision can carry."""


class ScaleKind(StrEnum):
    """What a network's demand is divided by; none of them knows a later day."""

    LEVEL = "level"
    """The recent level, see `recent_level`: the usual one, see decision 0053."""
    MEAN = "mean"
    """The mean of all days looked back on."""
    STANDARD = "standard"
    """Their standard deviation. Nothing is subtracted: no demand stays 0."""
    MIN_MAX = "min_max"
    """The largest of them; the smallest counts as 0."""
    LOG1P = "log1p"
    """Nothing: only the logarithm is left."""


Windows = tuple[tuple[int, float], ...]


def scale_of(
    kind: ScaleKind, demand: FloatArray, observed: BoolArray, windows: Windows
) -> FloatArray:
    """Return what each day's demand is divided by, known at the end of the day: [..., D].

    windows: of `recent_level`. Days before the first column do not count. Never below LEVEL_FLOOR.
    """
    if kind is ScaleKind.LEVEL:
        return recent_level(demand, observed, windows)
    sold = np.where(observed, demand, 0.0).astype(np.float64)
    if kind is ScaleKind.LOG1P:
        scale = np.ones_like(sold)
    elif kind is ScaleKind.MIN_MAX:
        scale = np.maximum.accumulate(sold, axis=-1)
    else:
        days = np.maximum(np.cumsum(observed, axis=-1), 1)
        mean = np.cumsum(sold, axis=-1) / days
        spread = np.cumsum(sold**2, axis=-1) / days - mean**2
        scale = mean if kind is ScaleKind.MEAN else np.sqrt(np.maximum(spread, 0))
    return np.maximum(scale, LEVEL_FLOOR).astype(np.float32)


def rolling_sums(values: NDArray[Any], window: int) -> FloatArray:
    """Return the sum of the last `window` columns at each column: [..., D], float64."""
    total: FloatArray = np.cumsum(values, axis=-1, dtype=np.float64)
    total[..., window:] = total[..., window:] - total[..., :-window].copy()
    return total


def recent_level(demand: FloatArray, observed: BoolArray, windows: Windows) -> FloatArray:
    """Return the demand per day of the recent past, known at the end of each day: [..., D].

    A weighted mean of the means of some (days, weight) windows over observed days, each drawn
    towards the longest one as if LEVEL_PRIOR_DAYS had been observed at it; never below LEVEL_FLOOR.
    """
    seen = observed.astype(np.float64)
    sold = np.where(observed, demand, 0.0)
    longest = windows[-1][0]
    days = rolling_sums(seen, longest)
    anchor = rolling_sums(sold, longest) / np.maximum(days, 1.0)
    level = np.zeros(demand.shape, dtype=np.float64)
    for window, weight in windows:
        total = rolling_sums(sold, window) + LEVEL_PRIOR_DAYS * anchor
        level += weight * total / (rolling_sums(seen, window) + LEVEL_PRIOR_DAYS)
    return np.maximum(level, LEVEL_FLOOR).astype(np.float32)


def step_scale(demand: FloatArray, observed: BoolArray) -> FloatArray:
    """Return the mean absolute change from day to day since the first sale, day by day: [S, D].

    At the last day this is the denominator of SPL (M5 guide, uncertainty track). The value of a day
    knows that day and earlier ones only: a loss weighted by a scale that has seen the target would
    count series less because they are about to rise, and so teach forecasts that are too low.
    STEP_PRIOR_DAYS changes of one and a half times the mean demand are added to steady the start.
    """
    return by_rows(_step_scale, np.float32, demand, observed)


def _step_scale(demand: FloatArray, observed: BoolArray) -> FloatArray:
    known = observed & np.isfinite(demand)
    seen = known & np.logical_or.accumulate(known & (demand > 0), axis=1)
    filled = np.where(seen, demand, 0.0).astype(np.float64)
    both = seen[:, 1:] & seen[:, :-1]
    steps = np.where(both, np.abs(np.diff(filled, axis=1)), 0.0)
    total = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
    count = np.pad(np.cumsum(both, axis=1), ((0, 0), (1, 0)))
    mean = np.cumsum(filled, axis=1) / np.maximum(np.cumsum(seen, axis=1), 1)
    steadied = (total + STEP_PRIOR_DAYS * 1.5 * mean) / (count + STEP_PRIOR_DAYS)
    return np.clip(steadied, LEVEL_FLOOR, LARGEST)
