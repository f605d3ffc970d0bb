"""Planners' changes laid over a forecast: by percent, or as units of a day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.pipeline.series import FloatArray


@dataclass(frozen=True)
class Change:
    """A change of the days [first, last] ahead (0 = the first day): times `factor`, or `units`."""

    row: int
    first: int
    last: int
    factor: float | None
    units: float | None


def apply_changes(
    mean: FloatArray, quantiles: FloatArray, changes: Sequence[Change]
) -> tuple[FloatArray, FloatArray]:
    """Return mean [S, H] and quantiles [S, H, Q] with the changes; on each day the last one counts.

    A change always starts from the forecast, never from another change. Units keep the shape of the
    day's distribution; a day on which nothing was expected becomes those units without doubt.
    """
    new_mean, new_quantiles = mean.copy(), quantiles.copy()
    horizon = mean.shape[1]
    for change in changes:
        days = slice(max(change.first, 0), min(change.last, horizon - 1) + 1)
        base, spread = mean[change.row, days], quantiles[change.row, days]
        if change.factor is not None:
            factor = np.full(base.shape, max(change.factor, 0.0))
            new_mean[change.row, days] = base * factor
            new_quantiles[change.row, days] = spread * factor[:, None]
            continue
        units = max(change.units or 0.0, 0.0)
        known = base > 0
        factor = np.where(known, units / np.where(known, base, 1.0), 0.0)
        new_mean[change.row, days] = units
        new_quantiles[change.row, days] = np.where(known[:, None], spread * factor[:, None], units)
    return new_mean, new_quantiles
