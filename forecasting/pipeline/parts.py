"""Forecasts of the parts of a series (channels, segments) that add up to its own forecast.

Each part is forecast by itself; then its mean is scaled so that the parts' means add up to the mean
of the whole, day by day. Where no part expects anything, the whole is split by recent shares. The
quantiles keep the shape that the part's own demand gave them.
"""

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.series import FloatArray

RECENT_DAYS = 182
SMALLEST, LARGEST = 0.2, 5.0
"""Quantiles are never scaled by more: a forecast so far off says nothing of the spread."""


def recent_shares(demand: FloatArray, owner: NDArray[np.intp]) -> FloatArray:
    """Return each part's share in the last half year's demand of its series: [P], adding up to 1.

    demand: [P, T], NaN where there is no day; owner: [P], -1 for a part of no series. Alike where
    nothing was asked for.
    """
    units = np.nansum(demand[:, -RECENT_DAYS:], axis=1, dtype=np.float64)
    n = int(owner.max(initial=-1)) + 2
    totals = np.bincount(owner + 1, weights=units, minlength=n)[owner + 1]
    counts = np.bincount(owner + 1, minlength=n)[owner + 1]
    return np.where(totals > 0, units / np.where(totals > 0, totals, 1), 1 / np.maximum(counts, 1))


def reconcile(
    mean: FloatArray,
    quantiles: FloatArray,
    owner: NDArray[np.intp],
    total: FloatArray,
    shares: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return mean [P, H] and quantiles [P, H, Q] of parts that add up to `total` [S, H]."""
    own = owner >= 0
    sums = np.zeros(total.shape)
    np.add.at(sums, owner[own], mean[own])
    wanted = np.where(own[:, None], total[owner], mean)
    found = np.where(own[:, None], sums[owner], mean)
    share = np.where(found > 0, mean / np.where(found > 0, found, 1), shares[:, None])
    scaled = share * wanted
    factor = np.divide(scaled, mean, out=np.ones_like(mean), where=mean > 0)
    return scaled, quantiles * np.clip(factor, SMALLEST, LARGEST)[..., None]
