"""What sells until a season ends: last year's same days at this year's level."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.series import BoolArray, FloatArray

YEAR_DAYS = 364
"""Whole weeks, so that weekdays meet their own kind."""
LEVEL_WEEKS = 13
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True)
class SeasonSales:
    """Units that sell until the season ends: all [S].

    low, high: at the level of a weak and a strong week of the last quarter. from_last_year: where
    last year is known; elsewhere the forecast's daily mean goes on, without a range (NaN).
    """

    expected: FloatArray
    low: FloatArray
    high: FloatArray
    from_last_year: BoolArray


def season_sales(
    demand: FloatArray,
    mean_daily: FloatArray,
    days_left: NDArray[np.intp],
    groups: NDArray[np.intp],
) -> SeasonSales:
    """Return what every item sells in the days left of its season, at most a year.

    demand: [S, T] up to yesterday, NaN where not known; groups: [S], whose items share this year's
    level, which is the last quarter's sales over those of the same weeks last year.
    """
    days = np.clip(days_left, 0, YEAR_DAYS)
    going_on = mean_daily * days
    nothing = np.full(len(demand), np.nan)
    n_days, level_days = demand.shape[1], 7 * LEVEL_WEEKS
    if n_days < YEAR_DAYS + level_days:
        return SeasonSales(going_on, nothing, nothing, np.zeros(len(demand), dtype=bool))
    known = np.nan_to_num(demand)
    same = np.cumsum(known[:, n_days - YEAR_DAYS :], axis=1)
    rows = np.arange(len(demand))
    last_year = np.where(days > 0, same[rows, np.maximum(days - 1, 0)], 0.0)
    now = _weeks(known[:, n_days - level_days :])
    then = _weeks(known[:, n_days - YEAR_DAYS - level_days : n_days - YEAR_DAYS])
    level, low, high = (np.zeros(len(demand)) for _ in range(3))
    informed = np.zeros(len(demand), dtype=bool)
    for group in np.unique(groups):
        own = groups == group
        sold, before = now[own].sum(axis=0), then[own].sum(axis=0)
        if before.sum() <= 0 or not (before > 0).any():
            continue
        informed[own] = True
        weekly = sold[before > 0] / before[before > 0]
        level[own] = sold.sum() / before.sum()
        low[own] = min(float(np.quantile(weekly, LOW)), level[own][0])
        high[own] = max(float(np.quantile(weekly, HIGH)), level[own][0])
    return SeasonSales(
        np.where(informed, last_year * level, going_on),
        np.where(informed, last_year * low, np.nan),
        np.where(informed, last_year * high, np.nan),
        informed,
    )


def _weeks(daily: FloatArray) -> FloatArray:
    weekly: FloatArray = daily.reshape(len(daily), LEVEL_WEEKS, 7).sum(axis=2)
    return weekly
