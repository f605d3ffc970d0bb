"""Scales: what a series is divided by before a network sees it, always told what was observed."""

from enum import StrEnum

import numpy as np

from forecasting.pipeline.series import BoolArray, FloatArray

LEVEL_WINDOWS = ((28, 0.5), (91, 0.3), (182, 0.2))
"""Days looked back and the weight of their mean in the level."""
LEVEL_PRIOR_DAYS = 7.0
LEVEL_FLOOR = 0.02


class ScaleKind(StrEnum):
    """Scalings a tenant can choose for the networks that are trained on a fixed scale."""

    MIN_MAX = "min_max"
    STANDARD = "standard"
    MEAN = "mean"
    LOG1P = "log1p"


def rolling_sums(values: FloatArray, window: int) -> FloatArray:
    """Return the sum of the last `window` columns at each column: [..., D], float64."""
    total = np.cumsum(values, axis=-1, dtype=np.float64)
    total[..., window:] = total[..., window:] - total[..., :-window].copy()
    return total


def recent_level(demand: FloatArray, observed: BoolArray) -> FloatArray:
    """Return the demand per day of the recent past, known at the end of each day: [..., D].

    A weighted mean of the means of LEVEL_WINDOWS over observed days, each drawn towards the longest
    one as if LEVEL_PRIOR_DAYS had been observed at it; never below LEVEL_FLOOR.
    """
    seen = observed.astype(np.float64)
    sold = np.where(observed, demand, 0.0)
    longest = LEVEL_WINDOWS[-1][0]
    days = rolling_sums(seen, longest)
    anchor = rolling_sums(sold, longest) / np.maximum(days, 1.0)
    level = np.zeros(demand.shape, dtype=np.float64)
    for window, weight in LEVEL_WINDOWS:
        total = rolling_sums(sold, window) + LEVEL_PRIOR_DAYS * anchor
        level += weight * total / (rolling_sums(seen, window) + LEVEL_PRIOR_DAYS)
    return np.maximum(level, LEVEL_FLOOR).astype(np.float32)


def step_scale(demand: FloatArray, observed: BoolArray) -> FloatArray:
    """Return each series' mean absolute change from day to day since its first sale: [S].

    The denominator of SPL (M5 guide, uncertainty track). Series without one get the mean of the
    others, or 1.
    """
    sold = observed & (demand > 0)
    begun = np.maximum.accumulate(sold, axis=1)
    both = begun[:, 1:] & begun[:, :-1] & observed[:, 1:] & observed[:, :-1]
    filled = np.where(observed, demand, 0.0)
    steps = np.abs(np.diff(filled, axis=1))
    count = both.sum(axis=1)
    scale = np.where(both, steps, 0.0).sum(axis=1) / np.maximum(count, 1)
    usable = scale > 0
    fallback = float(scale[usable].mean()) if usable.any() else 1.0
    return np.where(usable, scale, fallback).astype(np.float32)
