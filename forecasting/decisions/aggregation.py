"""Forecasts of groups of series: means add up, quantiles come from paths that err together.

The sum of quantiles would be the quantile of a sum only if all series erred in step; independent
errors would cancel almost entirely. Both are wrong. Paths are drawn with a factor that all series
share, as strong as the past says, and a level of their own:

z = sqrt(p) G_day + sqrt(1 - p) (sqrt(r) L_series + sqrt(1 - r) e)

and turned into demand by each day's own distribution. Groups are sums over the same paths, so that
parts and wholes agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from forecasting.decisions.demand_paths import (
    DEFAULT_CORRELATION,
    DemandForecast,
    knot_values,
    level_correlation,
    stratum_weights,
)
from forecasting.pipeline.series import QUANTILES, BoolArray, FloatArray

PATHS = 384
STRATA = 64
RECENT_DAYS = 182
WEEKS_COMPARED = 8
MOST_COMMON = 0.9
_CHUNK = 128


@dataclass(frozen=True)
class GroupTotals:
    """mean [G, H] is the sum of the members' means; quantiles [G, H, Q] of each day; totals [G, Q]
    of the sum over all days."""

    mean: FloatArray
    quantiles: FloatArray
    totals: FloatArray


@dataclass(frozen=True)
class Togetherness:
    """How errors hang together: `common` between series on a day, `lasting` of the common part
    from day to day, `own` [S] of each series' own part from day to day."""

    common: float
    lasting: float
    own: FloatArray


def togetherness(demand: FloatArray, observed: BoolArray) -> Togetherness:
    """Learn how errors hang together from the past: [S, T], [S, T].

    Each day is compared with the mean of its weekday in the eight weeks before. The variance of
    the summed deviations against the sum of variances gives the correlation between series.
    """
    own = level_correlation(demand, observed)
    seen = observed & np.isfinite(demand)
    values = np.where(seen, demand, 0.0).astype(np.float64)
    return Togetherness(_common(values, seen), _lasting(values.sum(axis=0)), own)


def _lasting(total: FloatArray) -> float:
    """Return how much the days of the total err together: [T].

    At past origins the next four weeks are compared with the weekday means of the eight before:
    the variance of their summed error against that of single days, as in `level_correlation`. Days
    without sales every week are no error.
    """
    days, before = 28, 7 * WEEKS_COMPARED
    origins = range(before, len(total) - days + 1, 7)
    if not origins:
        return DEFAULT_CORRELATION
    usual = [total[at - before : at].reshape(WEEKS_COMPARED, 7).mean(axis=0) for at in origins]
    error = np.array([total[at : at + days] for at in origins]) - np.tile(usual, days // 7)
    daily = float((error**2).mean())
    if daily <= 0:
        return DEFAULT_CORRELATION
    ratio = float((error.sum(axis=1) ** 2).mean()) / days / daily
    return float(np.clip((ratio - 1) / (days - 1), 0.0, MOST_COMMON))


def _common(values: FloatArray, seen: BoolArray) -> float:
    days = min(values.shape[1] - 7 * WEEKS_COMPARED, RECENT_DAYS)
    if days < 28 or len(values) < 2:
        return DEFAULT_CORRELATION
    total, count = np.zeros((len(values), days)), np.zeros((len(values), days))
    end = values.shape[1]
    for week in range(1, WEEKS_COMPARED + 1):
        window = slice(end - 7 * week - days, end - 7 * week)
        total += values[:, window]
        count += seen[:, window]
    recent = slice(end - days, end)
    both = seen[:, recent] & (count >= WEEKS_COMPARED / 2)
    error = np.where(both, values[:, recent] - total / np.maximum(count, 1), 0.0)
    variance = (error**2).mean(axis=1)
    apart = float(variance.sum())
    in_step = float(np.sqrt(variance).sum() ** 2)
    if in_step - apart <= 1e-9:
        return DEFAULT_CORRELATION
    found = (float((error.sum(axis=0) ** 2).mean()) - apart) / (in_step - apart)
    return float(np.clip(found, 0.0, MOST_COMMON))


def add_up(
    forecast: DemandForecast,
    groups: Sequence[NDArray[np.intp]],
    together: Togetherness,
    seed: int = 0,
) -> GroupTotals:
    """Return the forecasts of groups, each given by the rows of its members.

    A group of one keeps the quantiles of its member. The same seed gives the same paths.
    """
    horizon = forecast.horizon_days
    mean = np.array([forecast.mean[rows].sum(axis=0) for rows in groups]).reshape(-1, horizon)
    paths = np.zeros((len(groups), horizon, PATHS))
    member = _membership(groups, forecast.n_series)
    rng = np.random.default_rng(seed)
    shared = np.sqrt(together.lasting) * rng.standard_normal(PATHS)
    shared = shared + np.sqrt(1 - together.lasting) * rng.standard_normal((horizon, PATHS))
    common = (np.sqrt(together.common) * shared).astype(np.float32)
    for first in range(0, forecast.n_series, _CHUNK):
        rows = np.arange(first, min(first + _CHUNK, forecast.n_series))
        drawn = _draw(forecast.select(rows), together.own[rows], together.common, common, rng)
        for place in np.flatnonzero(member[:, rows].any(axis=1)):
            paths[place] += drawn[member[place, rows]].sum(axis=0, dtype=np.float64)
    quantiles = np.moveaxis(_quantiles(paths), 0, -1)
    totals = np.moveaxis(_quantiles(paths.sum(axis=1)), 0, -1)
    for group, rows in enumerate(groups):
        if len(rows) == 1:
            quantiles[group] = forecast.quantiles[rows[0]]
    return GroupTotals(mean, quantiles, totals)


def _membership(groups: Sequence[NDArray[np.intp]], n_series: int) -> BoolArray:
    member = np.zeros((len(groups), n_series), dtype=bool)
    for group, rows in enumerate(groups):
        member[group, rows] = True
    return member


def _draw(
    part: DemandForecast,
    own: FloatArray,
    share: float,
    common: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return demand of sample paths: [s, H, N]."""
    shape = (part.n_series, part.horizon_days, PATHS)
    level = np.sqrt((1 - share) * own)[:, None, None].astype(np.float32)
    noise = np.sqrt((1 - share) * (1 - own))[:, None, None].astype(np.float32)
    normals = noise * rng.standard_normal(shape, dtype=np.float32)
    normals += level * rng.standard_normal((len(own), 1, PATHS), dtype=np.float32)
    normals += common
    stratum = _strata(normals)
    values = _values(part.mean, part.quantiles)
    return np.asarray(np.take_along_axis(values, stratum, axis=2))


def _values(mean: FloatArray, quantiles: FloatArray) -> NDArray[np.float32]:
    """Return the demand of each stratum, in the mean over all days that of the forecast: [s, H, K].

    Slow and lumpy demand has much of its mean beyond the last quantile. What the tail does not
    bring, a factor per series does: a total's range lies around its mean.
    """
    knots = knot_values(mean, quantiles).astype(np.float32)
    values = knots @ stratum_weights(STRATA)
    wanted, drawn = mean.sum(axis=1), values.mean(axis=2, dtype=np.float64).sum(axis=1)
    factor = np.where(drawn > 0, wanted / np.maximum(drawn, 1e-12), 1.0)
    return np.asarray(values * factor[:, None, None].astype(np.float32))


_EDGES = np.array([NormalDist().inv_cdf(k / STRATA) for k in range(1, STRATA)], dtype=np.float32)
_CELLS_OF_ONE = 2048
_REACH = 4
_STRATUM_OF_CELL = np.searchsorted(
    _EDGES, (np.arange(2 * _REACH * _CELLS_OF_ONE) + 0.5) / _CELLS_OF_ONE - _REACH
)


def _strata(normals: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the equally likely stratum of each normal: read off a table, ten times as fast as a
    search among the edges and exact to a two thousandth of a deviation."""
    cells = ((normals + _REACH) * _CELLS_OF_ONE).astype(np.int32)
    return _STRATUM_OF_CELL[np.clip(cells, 0, len(_STRATUM_OF_CELL) - 1, out=cells)]


def _quantiles(paths: FloatArray) -> FloatArray:
    """Quantiles over the last axis as order statistics: whole demand stays whole."""
    found: FloatArray = np.quantile(paths, QUANTILES, axis=-1, method="inverted_cdf")
    return found
