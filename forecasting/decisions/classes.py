"""ABC and XYZ classes of items from their own demand: who gets which policy by default."""

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.series import BoolArray, FloatArray

YEAR_DAYS = 364
WEEK = 7
SHARES = (0.80, 0.95)
"""A covers this share of the yearly value, A and B the second."""
VARIATIONS = (0.5, 1.0)
"""Deviation of weekly demand over its mean: X up to the first, Y up to the second."""


def abc_classes(yearly_value: FloatArray) -> NDArray[np.str_]:
    """Return A, B or C per item; the one that crosses a line is still above it: [S]."""
    value = np.maximum(np.nan_to_num(yearly_value), 0.0)
    order = np.argsort(-value, kind="stable")
    total = value.sum()
    before = np.cumsum(value[order]) - value[order]
    share = before / total if total > 0 else np.ones(len(value))
    classes = np.full(len(value), "C")
    classes[order] = np.where(share < SHARES[0], "A", np.where(share < SHARES[1], "B", "C"))
    return np.where(value > 0, classes, "C")


def xyz_classes(demand: FloatArray, observed: BoolArray) -> NDArray[np.str_]:
    """Return X, Y or Z per item from the weeks of the last year; Z where too little is known."""
    n_series, n_days = demand.shape
    weeks = min(n_days, YEAR_DAYS) // WEEK
    if weeks < 4:
        return np.full(n_series, "Z")
    shape = (n_series, weeks, WEEK)
    values = demand[:, n_days - weeks * WEEK :].reshape(shape)
    seen = (observed[:, n_days - weeks * WEEK :].reshape(shape)) & np.isfinite(values)
    days = seen.sum(axis=2)
    known = days >= 4
    level = np.where(seen, values, 0.0).sum(axis=2) / np.maximum(days, 1) * WEEK
    count = known.sum(axis=1)
    mean = np.where(known, level, 0.0).sum(axis=1) / np.maximum(count, 1)
    spread = np.where(known, (level - mean[:, None]) ** 2, 0.0).sum(axis=1)
    deviation = np.sqrt(spread / np.maximum(count, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        variation = np.where((count >= 4) & (mean > 0), deviation / mean, np.inf)
    return np.where(variation <= VARIATIONS[0], "X", np.where(variation <= VARIATIONS[1], "Y", "Z"))
