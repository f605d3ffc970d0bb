"""Possible futures: daily quantile forecasts joined into sample paths of demand.

Daily quantiles alone say nothing about sums: days of one product err together, because they share
an uncertain level. Paths follow the forecast's daily distributions (inverse transform on the
quantiles, with an exponential tail beyond the last) and are tied by a one-factor Gaussian copula:
z_t = sqrt(r) level + sqrt(1 - r) e_t, with r learned from how past sums erred.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.series import QUANTILES, BoolArray, FloatArray

CORRELATIONS: FloatArray = np.array([0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.7])
"""Level correlations that paths are drawn for; a series uses the nearest."""
DEFAULT_CORRELATION = 0.05
PATHS = 512
MEAN_CORRECTION = (0.8, 1.25)
_TAIL: FloatArray = np.array([0.975, 0.99, 0.9975, 0.9995])
_KNOTS: FloatArray = np.concatenate([[0.0], QUANTILES, _TAIL, [1.0]])
_CHUNK_VALUES = 8_000_000


class ForecastShapeError(ValueError):
    """Arrays of a forecast do not fit together, or hold what is no demand."""


@dataclass(frozen=True)
class DemandForecast:
    """Daily forecasts of many series, first column = the day after the origin.

    mean: [S, H]; quantiles: [S, H, 19] at 0.05 ... 0.95; correlation: [S], how much the days of a
    series err together (0 none, 1 fully), from `level_correlation`.
    """

    mean: FloatArray
    quantiles: FloatArray
    correlation: FloatArray

    def __post_init__(self) -> None:
        n_series, horizon = self.mean.shape
        if self.quantiles.shape != (n_series, horizon, len(QUANTILES)):
            raise ForecastShapeError(f"quantiles {self.quantiles.shape}, mean {self.mean.shape}")
        if self.correlation.shape != (n_series,):
            raise ForecastShapeError(f"correlation {self.correlation.shape} for {n_series} series")
        if horizon == 0:
            raise ForecastShapeError("a forecast of no day")
        for values in (self.mean, self.quantiles, self.correlation):
            if not np.isfinite(values).all() or (values < 0).any():
                raise ForecastShapeError("a forecast holds NaN, infinite or negative values")

    @property
    def n_series(self) -> int:
        return int(self.mean.shape[0])

    @property
    def horizon_days(self) -> int:
        return int(self.mean.shape[1])

    def select(self, rows: NDArray[np.intp]) -> "DemandForecast":
        """Return the forecast of some series, by row number."""
        return DemandForecast(self.mean[rows], self.quantiles[rows], self.correlation[rows])

    def columns(self, days: int) -> NDArray[np.intp]:
        """Return which forecast day stands for each of the next days: [days].

        Days past the horizon repeat the last whole weeks of the forecast (or its last day when it
        is shorter than a week).
        """
        horizon = self.horizon_days
        period = min(horizon - horizon % 7, 28) if horizon >= 7 else 1
        columns = np.arange(days)
        beyond = columns >= horizon
        columns[beyond] = horizon - period + (columns[beyond] - horizon) % period
        return columns

    def expected_demand(self, days: FloatArray) -> FloatArray:
        """Return the expected demand of the next days, fractions of a day included: [S] -> [S]."""
        longest = max(int(np.ceil(np.max(days, initial=0))), 1)
        total = np.concatenate(
            [np.zeros((self.n_series, 1)), np.cumsum(self.mean[:, self.columns(longest)], axis=1)],
            axis=1,
        )
        whole = np.clip(np.floor(days).astype(int), 0, longest)
        rows = np.arange(self.n_series)
        after = total[rows, np.minimum(whole + 1, longest)]
        expected: FloatArray = total[rows, whole] + (days - whole) * (after - total[rows, whole])
        return expected


def demand_forecast(
    mean: FloatArray, quantiles: FloatArray, correlation: FloatArray | None = None
) -> DemandForecast:
    """Return a forecast of plain arrays; without correlations a cautious default is used."""
    mean = np.asarray(mean, dtype=float)
    if correlation is None:
        correlation = np.full(mean.shape[0], DEFAULT_CORRELATION)
    return DemandForecast(
        mean, np.asarray(quantiles, dtype=float), np.asarray(correlation, dtype=float)
    )


def path_chunks(
    forecast: DemandForecast, days: NDArray[np.intp], seed: int = 0, n_paths: int = PATHS
) -> Iterator[tuple[NDArray[np.intp], FloatArray]]:
    """Yield (rows, cumulative demand [rows, N, D + 1]) until every series was served once.

    days: [S], how far each series must reach; D is the farthest of the chunk and column d the
    demand of the first d days. The same seed gives the same paths, whatever the other series are.
    """
    nearest = np.abs(forecast.correlation[:, None] - CORRELATIONS).argmin(axis=1)
    order = np.lexsort((days, nearest))
    start = 0
    while start < len(order):
        reach = max(int(days[order[start]]), 1)
        bucket = int(nearest[order[start]])
        stop = start
        while stop < len(order) and nearest[order[stop]] == bucket:
            reach = max(reach, int(days[order[stop]]), 1)
            if stop > start and (stop - start + 1) * n_paths * reach > _CHUNK_VALUES:
                break
            stop += 1
        rows = order[start:stop]
        reach = max(int(days[rows].max()), 1)
        part = forecast.select(rows)
        knots = knot_values(part.mean, part.quantiles)
        knots = knots[:, part.columns(reach)].astype(np.float32)  # [S, D, K]
        yield rows, _cumulative(knots, _weights(bucket, reach, seed, n_paths))
        start = stop


def _cumulative(knots: NDArray[np.float32], weights: NDArray[np.float32]) -> FloatArray:
    """Return cumulative demand of the sample paths: [S, N, D + 1], first column zero."""
    n_series, days, n_paths = knots.shape[0], knots.shape[1], weights.shape[2]
    daily = np.matmul(knots.transpose(1, 0, 2), weights)  # [D, S, N]
    paths = np.zeros((n_series, n_paths, days + 1), dtype=np.float32)
    np.cumsum(daily.transpose(1, 2, 0), axis=2, out=paths[:, :, 1:])
    return paths


def knot_values(mean: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Demand at _KNOTS: the quantiles, a lower end, and an exponential tail: [S, H, K].

    The tail's mean excess comes from the slope between 0.75 and 0.95. Where that is flat (slow
    movers: every quantile zero) it is what the mean says must lie beyond the last quantile. A
    factor per series then brings the knots to the forecast's mean, within MEAN_CORRECTION.
    """
    q = np.maximum.accumulate(quantiles, axis=2)
    last = q[..., -1]
    lowest = np.maximum(2 * q[..., 0] - q[..., 1], 0.0)
    slope = (last - q[..., 14]) / np.log(0.25 / 0.05)
    body = (lowest + q[..., 0]) / 2 * 0.05 + ((q[..., 1:] + q[..., :-1]) / 2).sum(axis=2) * 0.05
    beyond = np.clip((mean - body) / 0.05 - last, 0.0, 3 * last + 20 * mean)
    excess = np.where(slope > 0, slope, beyond)
    # the last knot closes the interval above the last tail knot at its conditional mean
    reach = np.log(0.05 / (1 - np.append(_TAIL, 0.9999)))
    tail = last[..., None] + excess[..., None] * reach
    knots = np.concatenate([lowest[..., None], q, tail], axis=2)
    drawn = ((knots[..., 1:] + knots[..., :-1]) / 2 @ np.diff(_KNOTS)).sum(axis=1)
    wanted = mean.sum(axis=1)
    ratio = np.where((drawn > 0) & (wanted > 0), wanted / np.maximum(drawn, 1e-12), 1.0)
    corrected: FloatArray = knots * np.clip(ratio, *MEAN_CORRECTION)[:, None, None]
    return corrected


def _weights(bucket: int, days: int, seed: int, n_paths: int) -> NDArray[np.float32]:
    """The weights of so many days, from a table for whole four weeks that serves many callers."""
    padded = -(-days // 28) * 28
    return _interpolation_weights(bucket, padded, seed, n_paths)[:days]


@lru_cache(maxsize=24)
def _interpolation_weights(
    correlation_index: int, days: int, seed: int, n_paths: int
) -> NDArray[np.float32]:
    """Weights that turn knot values into samples by one matrix product: [D, K, N].

    Every day uses each of N equal strata once (Latin hypercube), in the order of its normals, so
    that its marginal is met closely even with a few hundred paths.
    """
    r = float(CORRELATIONS[correlation_index])
    generator = np.random.default_rng(seed)
    strata = _normal_strata(n_paths)
    level = strata[generator.permutation(n_paths)]
    noise = np.stack([strata[generator.permutation(n_paths)] for _ in range(days)])
    normals = np.sqrt(r) * level + np.sqrt(1 - r) * noise
    ranks = normals.argsort(axis=1).argsort(axis=1)
    uniforms = (ranks + 0.5) / n_paths
    upper = np.clip(np.searchsorted(_KNOTS, uniforms, side="right"), 1, len(_KNOTS) - 1)
    share = (uniforms - _KNOTS[upper - 1]) / (_KNOTS[upper] - _KNOTS[upper - 1])
    weights = np.zeros((days, len(_KNOTS), n_paths), dtype=np.float32)
    day, path = np.indices(uniforms.shape)
    weights[day, upper, path] = share
    weights[day, upper - 1, path] = 1 - share
    return weights


@lru_cache(maxsize=4)
def stratum_weights(count: int) -> NDArray[np.float32]:
    """Weights that turn knot values into the means of equally likely strata: [K, count].

    Means, not middle values: in the tail the middle of a stratum lies well below its mean.
    """
    edges = np.union1d(_KNOTS, np.arange(count + 1) / count)
    middles, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    upper = np.clip(np.searchsorted(_KNOTS, middles, side="right"), 1, len(_KNOTS) - 1)
    share = (middles - _KNOTS[upper - 1]) / (_KNOTS[upper] - _KNOTS[upper - 1])
    stratum = np.minimum((middles * count).astype(np.intp), count - 1)
    weights = np.zeros((len(_KNOTS), count))
    np.add.at(weights, (upper, stratum), share * widths * count)
    np.add.at(weights, (upper - 1, stratum), (1 - share) * widths * count)
    return weights.astype(np.float32)


@lru_cache(maxsize=8)
def _normal_strata(count: int) -> FloatArray:
    normal = NormalDist()
    return np.array([normal.inv_cdf((i + 0.5) / count) for i in range(count)])


def level_correlation(demand: FloatArray, observed: BoolArray, days: int = 28) -> FloatArray:
    """Return how much the days of each series err together, learned from its past: [S].

    At past origins the next `days` days are compared with the mean of the 91 before. The variance
    of the summed error against that of single days gives r = (ratio - 1) / (days - 1); a series'
    own estimate is shrunk to the median of all by the number of its origins.
    """
    known = observed & np.isfinite(demand)
    values = np.where(known, demand, 0.0).astype(float)
    n_series, n_days = values.shape
    context = 91
    starts = np.arange(context, n_days - days + 1, max(days // 2, 1))
    if not len(starts):
        return np.full(n_series, DEFAULT_CORRELATION)
    sums, counts = _prefix(values), _prefix(known.astype(float))
    squares = _prefix(values**2)
    past = sums[:, starts] - sums[:, starts - context]
    past_days = counts[:, starts] - counts[:, starts - context]
    level = past / np.maximum(past_days, 1)
    total = sums[:, starts + days] - sums[:, starts]
    seen = counts[:, starts + days] - counts[:, starts]
    spread = squares[:, starts + days] - squares[:, starts]
    usable = (past_days >= context / 2) & (seen >= days / 2)
    error = total - seen * level
    daily = spread - 2 * level * total + seen * level**2
    origins = usable.sum(axis=1)
    variance = np.where(usable, daily, 0).sum(axis=1) / np.maximum(
        np.where(usable, seen, 0).sum(axis=1), 1
    )
    summed = np.where(usable, error**2 / np.maximum(seen, 1), 0).sum(axis=1) / np.maximum(
        origins, 1
    )
    informed = (origins > 0) & (variance > 0)
    ratio = np.where(informed, summed / np.maximum(variance, 1e-12), 1.0)
    own = np.clip((ratio - 1) / (days - 1), 0.0, float(CORRELATIONS[-1]))
    common = float(np.median(own[informed])) if informed.any() else DEFAULT_CORRELATION
    weight = origins / (origins + 8.0)
    return np.where(informed, weight * own + (1 - weight) * common, common)


def _prefix(values: FloatArray) -> FloatArray:
    return np.concatenate([np.zeros((values.shape[0], 1)), np.cumsum(values, axis=1)], axis=1)
