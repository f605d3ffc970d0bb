"""What an order placed now is needed for: shortages after it arrives and before the next one can.

A position (on hand plus on order) forgets when goods arrive and counts demand that will be lost
as if it waited. Here stock is projected along sample paths of demand, with every open order
arriving at a lead time that fits its age, and sales lost when there is nothing; what is still
short in the window that only this order can serve is the need. Ordering the need's quantile at the
newsvendor's ratio follows the projected inventory level policy of van Jaarsveld and Arts (2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.decisions.demand_paths import DemandForecast, path_chunks
from forecasting.decisions.lead_times import LeadTimes
from forecasting.pipeline.series import FloatArray

NEED_PATHS = 128


@dataclass(frozen=True)
class OpenOrder:
    """Units of each item [S] ordered `age_days` ago that have not arrived; 0 where none."""

    age_days: int
    quantity: FloatArray


@dataclass(frozen=True)
class ProjectedNeed:
    """Sorted samples of the need of each item: [S, N]."""

    samples: FloatArray

    def quantile(self, probability: FloatArray | float) -> FloatArray:
        """Return the order that covers the need with a probability (one, or one per item): [S]."""
        count = self.samples.shape[1]
        wanted = np.broadcast_to(np.asarray(probability, dtype=float), self.samples.shape[:1])
        place = np.clip(wanted * count - 0.5, 0.0, count - 1.0)
        lower = np.floor(place).astype(int)
        rows = np.arange(len(place))
        below = self.samples[rows, lower]
        above = self.samples[rows, np.minimum(lower + 1, count - 1)]
        need: FloatArray = below + (place - lower) * (above - below)
        return need

    def expected_shortage(self, quantity: FloatArray) -> FloatArray:
        """Return the expected sales still lost in the window after ordering a quantity: [S]."""
        lost: FloatArray = np.maximum(self.samples - quantity[:, None], 0.0).mean(axis=1)
        return lost


@dataclass(frozen=True)
class Supply:
    """What is there and on its way: on_hand [S], open orders, and how long orders take."""

    on_hand: FloatArray
    open_orders: Sequence[OpenOrder]
    lead_times: LeadTimes


def projected_need(
    forecast: DemandForecast, supply: Supply, review_period_days: int, seed: int = 0
) -> ProjectedNeed:
    """Return the need of every item that an order placed now would serve.

    Each path draws the lead time L of the new order; its window is the `review_period_days` after
    L, when the next review's order is not there yet.
    """
    days = int(supply.lead_times.longest_days.max()) + review_period_days + 1
    new_order = _lead_time_draws(supply.lead_times, np.zeros(forecast.n_series), seed, 0)
    samples = _projected_shortage(forecast, supply, days, (new_order, review_period_days), seed)
    samples.sort(axis=1)
    return ProjectedNeed(samples)


def stock_out_probability(
    forecast: DemandForecast, supply: Supply, days: int, seed: int = 0
) -> FloatArray:
    """Return the chance of losing sales within the next days, with what is on order now: [S].

    For replays of the stock-out warning; a tenant's warning is `decisions/risk.py`.
    """
    now = np.zeros((forecast.n_series, NEED_PATHS), dtype=int)
    lost = _projected_shortage(forecast, supply, days, (now, days), seed)
    chance: FloatArray = (lost >= 0.5).mean(axis=1)
    return chance


def _projected_shortage(
    forecast: DemandForecast,
    supply: Supply,
    days: int,
    window: tuple[NDArray[np.intp], int],
    seed: int,
) -> FloatArray:
    """Sales lost within the window of each path, open orders arriving as their age says: [S, N]."""
    arrivals = [
        (np.clip(_remaining_days(supply.lead_times, one.age_days, seed), 0, days), one.quantity)
        for one in supply.open_orders
        if one.quantity.any()
    ]
    samples = np.empty((forecast.n_series, NEED_PATHS))
    reach = np.full(forecast.n_series, days)
    start, length = window
    for rows, paths in path_chunks(forecast, reach, seed, NEED_PATHS):
        incoming = np.zeros((len(rows), NEED_PATHS, days + 1), dtype=np.float32)
        at = np.ix_(np.arange(len(rows)), np.arange(NEED_PATHS))
        for remaining, quantity in arrivals:
            incoming[(*at, remaining[rows])] += quantity[rows, None].astype(np.float32)
        samples[rows] = _window_shortage(
            np.diff(paths, axis=2), incoming, supply.on_hand[rows], (start[rows], length)
        )
    return samples


def _window_shortage(
    demand: FloatArray,
    incoming: FloatArray,
    on_hand: FloatArray,
    window: tuple[NDArray[np.intp], int],
) -> FloatArray:
    """Sales lost within [start, start + length) of each path: demand [S, N, D] -> [S, N]."""
    start, length = window
    stock = np.repeat(on_hand.astype(np.float32)[:, None], demand.shape[1], axis=1)
    short = np.zeros(stock.shape, dtype=np.float32)
    for day in range(demand.shape[2]):
        stock += incoming[:, :, day]
        stock -= demand[:, :, day]
        inside = (day >= start) & (day < start + length)
        short -= np.where(inside, np.minimum(stock, 0.0), 0.0)
        np.maximum(stock, 0.0, out=stock)
    return short


def _remaining_days(lead_times: LeadTimes, age_days: int, seed: int) -> NDArray[np.intp]:
    """Days until an order of that age arrives, given that it has not: [S, N]."""
    table = lead_times.probabilities
    passed = table[:, : min(age_days, table.shape[1])].sum(axis=1)
    drawn = _lead_time_draws(lead_times, passed, seed, age_days + 1)
    return np.maximum(drawn - age_days, 0)


def _lead_time_draws(
    lead_times: LeadTimes, passed: FloatArray, seed: int, stream: int
) -> NDArray[np.intp]:
    """Lead times drawn from the part of each distribution above a probability: [S, N].

    Items that share supplier terms share rows, so distinct rows are drawn once.
    """
    generator = np.random.default_rng([seed, 2, stream])
    uniforms = (generator.permutation(NEED_PATHS) + 0.5) / NEED_PATHS
    rows, inverse = np.unique(
        np.concatenate([lead_times.probabilities, passed[:, None]], axis=1),
        axis=0,
        return_inverse=True,
    )
    cumulative = np.cumsum(rows[:, :-1], axis=1)
    last = cumulative.shape[1] - 1
    low = np.minimum(rows[:, -1], 1.0)
    drawn = np.stack(
        [
            np.minimum(np.searchsorted(line, start + (1 - start) * uniforms - 1e-12), last)
            for line, start in zip(cumulative, low, strict=True)
        ]
    )
    return drawn[inverse.reshape(-1)]
