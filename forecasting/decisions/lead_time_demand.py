"""Demand over the protection interval: the distribution that every order quantity comes from.

It is joint over days (sample paths), convolved with the distribution of the lead time, and never
a normal curve.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.decisions.demand_paths import PATHS, DemandForecast, path_chunks
from forecasting.decisions.lead_times import LeadTimes
from forecasting.pipeline.series import FloatArray

LEVELS: FloatArray = np.concatenate(
    [
        [0.0, 0.01, 0.025],
        np.arange(1, 20) / 20,
        [0.96, 0.97, 0.975, 0.98, 0.985, 0.99, 0.995, 1.0],
    ]
)
"""Probabilities at which the distribution of demand over an interval is kept."""
_PLAIN_LEVELS: list[float] = LEVELS.tolist()


@dataclass(frozen=True)
class ItemDemand:
    """Demand of one item over its protection interval, small enough to be stored and replayed.

    values: demand at LEVELS (linear between them); lead_time_demand: expected demand until an
    order placed now arrives; mean_daily: expected demand per day over the forecast horizon.
    """

    values: tuple[float, ...]
    mean: float
    lead_time_demand: float
    mean_daily: float
    lead_time_days: float
    protection_days: float
    beyond_horizon: bool

    def at(self, probability: float) -> float:
        """Return the demand that is not exceeded with that probability."""
        return float(np.interp(probability, LEVELS, self.values))

    def stockout_probability(self, stock: float) -> float:
        """Return the probability that demand exceeds a stock."""
        values = self.values
        if stock >= values[-1]:
            return 0.0
        if stock < values[0]:
            return 1.0
        upper = bisect_right(values, stock)
        low, high = values[upper - 1], values[upper]
        below, above = _PLAIN_LEVELS[upper - 1], _PLAIN_LEVELS[upper]
        return 1 - (below + (above - below) * (stock - low) / (high - low))

    def expected_shortage(self, stock: float) -> float:
        """Return the expected demand that a stock cannot meet."""
        # as _expected_excess, but only the segments above the stock: asked once per suggestion
        values = self.values
        first = max(bisect_right(values, stock) - 1, 0)
        expected, low = 0.0, values[first] - stock
        for at in range(first + 1, len(values)):
            high = values[at] - stock
            if high > 0:
                mean = (low + high) / 2 if low >= 0 else high**2 / (2 * (high - low))
                expected += mean * (_PLAIN_LEVELS[at] - _PLAIN_LEVELS[at - 1])
            low = high
        return expected


@dataclass(frozen=True)
class IntervalDemand:
    """Demand of many items over their protection intervals.

    values: [S, len(LEVELS)]; mean, lead_time_demand, mean_daily, lead_time_days, protection_days:
    [S]; beyond_horizon: [S], where the interval may outlast the forecast.
    """

    values: FloatArray
    mean: FloatArray
    lead_time_demand: FloatArray
    mean_daily: FloatArray
    lead_time_days: FloatArray
    protection_days: FloatArray
    beyond_horizon: NDArray[np.bool_]

    def item(self, row: int) -> ItemDemand:
        """Return the demand of one item."""
        return ItemDemand(
            values=tuple(self.values[row].tolist()),
            mean=float(self.mean[row]),
            lead_time_demand=float(self.lead_time_demand[row]),
            mean_daily=float(self.mean_daily[row]),
            lead_time_days=float(self.lead_time_days[row]),
            protection_days=float(self.protection_days[row]),
            beyond_horizon=bool(self.beyond_horizon[row]),
        )

    def quantile(self, probability: FloatArray | float) -> FloatArray:
        """Return the demand not exceeded with a probability (one, or one per item): [S]."""
        wanted = np.broadcast_to(np.asarray(probability, dtype=float), self.mean.shape)
        upper = np.clip(np.searchsorted(LEVELS, wanted, side="right"), 1, len(LEVELS) - 1)
        low, high = LEVELS[upper - 1], LEVELS[upper]
        rows = np.arange(len(wanted))
        share = np.clip((wanted - low) / (high - low), 0.0, 1.0)
        below, above = self.values[rows, upper - 1], self.values[rows, upper]
        return below + share * (above - below)

    def expected_shortage(self, stock: FloatArray) -> FloatArray:
        """Return the expected demand that a stock per item cannot meet: [S] -> [S]."""
        return _expected_excess(self.values - np.asarray(stock, dtype=float)[:, None])


def _expected_excess(values: FloatArray) -> FloatArray:
    """Expected positive part of a distribution given at LEVELS, linear between: [..., P] -> [...].

    A segment that crosses zero counts with its triangle above zero.
    """
    low, high = values[..., :-1], values[..., 1:]
    whole = (np.maximum(low, 0.0) + np.maximum(high, 0.0)) / 2
    crossing = (low < 0) & (high > 0)
    triangle = high**2 / (2 * np.where(crossing, high - low, 1.0))
    expected: FloatArray = np.where(crossing, triangle, whole) @ np.diff(LEVELS)
    return expected


def interval_demand(
    forecast: DemandForecast,
    lead_times: LeadTimes,
    review_period_days: NDArray[np.intp],
    seed: int = 0,
    n_paths: int = PATHS,
) -> IntervalDemand:
    """Return the demand over lead time plus review period, for every item.

    An order placed now arrives after the lead time and must last until the order of the next
    review has arrived: review period plus lead time. Each path draws its own lead time.
    """
    review = np.asarray(review_period_days, dtype=int)
    farthest = lead_times.longest_days + review
    uniforms = _stratified_uniforms(seed, n_paths)
    values = np.empty((forecast.n_series, len(LEVELS)))
    mean = np.empty(forecast.n_series)
    during_lead = np.empty(forecast.n_series)
    for rows, paths in path_chunks(forecast, farthest, seed, n_paths):
        lead = lead_times.select(rows).draw(uniforms)  # [rows, N]
        total = _at_days(paths, lead + review[rows, None])
        values[rows] = np.quantile(total, LEVELS, axis=1).T
        mean[rows] = total.mean(axis=1)
        during_lead[rows] = _at_days(paths, lead).mean(axis=1)
    lead_mean = lead_times.mean_days
    return IntervalDemand(
        values=values,
        mean=mean,
        lead_time_demand=during_lead,
        mean_daily=forecast.mean.mean(axis=1),
        lead_time_days=lead_mean,
        protection_days=lead_mean + review,
        beyond_horizon=farthest > forecast.horizon_days,
    )


def _at_days(paths: FloatArray, days: NDArray[np.intp]) -> FloatArray:
    return np.take_along_axis(paths, days[:, :, None], axis=2)[:, :, 0]


def _stratified_uniforms(seed: int, count: int) -> FloatArray:
    generator = np.random.default_rng([seed, 1])
    return (generator.permutation(count) + 0.5) / count
