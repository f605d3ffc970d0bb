"""Replaying history day by day under a policy: what would have been sold, lost and held.

Order of a day: goods due arrive in the morning, demand takes what is there (the rest is lost),
in the evening of a review day orders are placed from the position. An order placed on day t with
lead time L serves demand from day t + L + 1 on, so that a position has to last for review period
plus lead time, as in `lead_time_demand`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forecasting.decisions.demand_paths import DemandForecast
from forecasting.decisions.lead_time_demand import IntervalDemand, interval_demand
from forecasting.decisions.lead_times import LeadTimes
from forecasting.decisions.safety_stock import normal_safety_stock
from forecasting.pipeline.series import FloatArray


class SimulationError(ValueError):
    """A replay cannot be run; says which part does not fit."""


@dataclass(frozen=True)
class World:
    """What happens whatever the policy.

    demand: [S, T]; lead_times: [S, T] whole days of an order placed in the evening of day t;
    starting_stock, unit_cost, unit_margin, minimum_order_quantity, order_multiple: [S].
    Days before `first_day` are history that policies may read; the replay runs from there on.
    Results count from `first_day` + `warm_up_days` on, when the starting stock has worn off.
    """

    demand: FloatArray
    lead_times: NDArray[np.intp]
    starting_stock: FloatArray
    unit_cost: FloatArray
    unit_margin: FloatArray
    minimum_order_quantity: FloatArray
    order_multiple: FloatArray
    review_period_days: int
    first_day: int
    warm_up_days: int = 0

    def __post_init__(self) -> None:
        if self.lead_times.shape != self.demand.shape:
            raise SimulationError(f"lead times {self.lead_times.shape}, demand {self.demand.shape}")
        if not 0 <= self.first_day < self.n_days - self.warm_up_days:
            raise SimulationError(f"no day to replay from day {self.first_day} of {self.n_days}")
        if self.review_period_days < 1:
            raise SimulationError(f"a review every {self.review_period_days} days")
        if not np.isfinite(self.demand[:, self.first_day :]).all():
            raise SimulationError("demand of a day to replay is not known")
        if (self.order_multiple <= 0).any():
            raise SimulationError("an order multiple is zero or negative")

    @property
    def n_series(self) -> int:
        return int(self.demand.shape[0])

    @property
    def n_days(self) -> int:
        return int(self.demand.shape[1])


class Policy(Protocol):
    """Decides levels in the evening of a review day, from demand up to and including that day."""

    def levels(self, world: World, day: int) -> tuple[FloatArray, FloatArray]:
        """Return (reorder point, order-up-to level), each [S]."""
        ...


@dataclass(frozen=True)
class SimulationResult:
    """What a policy came to, per series [S] over the counted days.

    stock_value: mean value on hand in the evening; orders: lines placed.
    """

    demanded: FloatArray
    sold: FloatArray
    mean_stock: FloatArray
    stock_value: FloatArray
    lost_margin: FloatArray
    orders: NDArray[np.intp]
    stockout_days: NDArray[np.intp]
    days: int

    @property
    def fill_rate(self) -> float:
        """Share of all units asked for that were sold."""
        asked = float(self.demanded.sum())
        return float(self.sold.sum()) / asked if asked > 0 else 1.0

    @property
    def lost_units(self) -> float:
        return float((self.demanded - self.sold).sum())

    @property
    def total_stock_value(self) -> float:
        return float(self.stock_value.sum())


def simulate(world: World, policy: Policy) -> SimulationResult:
    """Replay the world under a policy, for all series at once."""
    start, stop = world.first_day, world.n_days
    rows = np.arange(world.n_series)
    arrivals = np.zeros((world.n_series, stop + int(world.lead_times.max()) + 2))
    on_hand = world.starting_stock.astype(float)
    on_order = np.zeros(world.n_series)
    tally = _Tally(world)
    for day in range(start, stop):
        arriving = arrivals[:, day]
        on_hand += arriving
        on_order -= arriving
        sold = np.minimum(on_hand, world.demand[:, day])
        on_hand -= sold
        counted = day >= start + world.warm_up_days
        if counted:
            tally.count_day(day, sold, on_hand)
        if (day - start) % world.review_period_days == 0:
            quantity = _order_quantities(world, policy.levels(world, day), on_hand + on_order)
            arrivals[rows, day + 1 + world.lead_times[:, day]] += quantity
            on_order += quantity
            tally.orders += counted * (quantity > 0)
    return tally.result()


def _order_quantities(
    world: World, levels: tuple[FloatArray, FloatArray], position: FloatArray
) -> FloatArray:
    reorder_point, order_up_to = levels
    need = np.where(position <= reorder_point, np.maximum(order_up_to - position, 0.0), 0.0)
    wanted = np.where(need > 1e-9, np.maximum(need, world.minimum_order_quantity), 0.0)
    steps = np.ceil(wanted / world.order_multiple - 1e-9)
    quantity: FloatArray = steps * world.order_multiple
    return quantity


class _Tally:
    """Sums over the counted days."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._demanded = np.zeros(world.n_series)
        self._sold = np.zeros(world.n_series)
        self._stock = np.zeros(world.n_series)
        self._stockout_days = np.zeros(world.n_series, dtype=np.intp)
        self._days = 0
        self.orders = np.zeros(world.n_series, dtype=np.intp)

    def count_day(self, day: int, sold: FloatArray, on_hand: FloatArray) -> None:
        demanded = self._world.demand[:, day]
        self._demanded += demanded
        self._sold += sold
        self._stock += on_hand
        self._stockout_days += sold < demanded
        self._days += 1

    def result(self) -> SimulationResult:
        mean_stock = self._stock / max(self._days, 1)
        return SimulationResult(
            demanded=self._demanded,
            sold=self._sold,
            mean_stock=mean_stock,
            stock_value=mean_stock * self._world.unit_cost,
            lost_margin=(self._demanded - self._sold) * self._world.unit_margin,
            orders=self.orders,
            stockout_days=self._stockout_days,
            days=self._days,
        )


class ForecastLevels:
    """Ours: the quantile of demand over the protection interval, from a forecast per review day.

    forecast_at: day -> forecast made in its evening. Distributions are kept, so that many service
    levels can be tried on one set of forecasts.
    """

    def __init__(
        self,
        forecast_at: Callable[[int], DemandForecast],
        lead_times: LeadTimes,
        service_level: FloatArray | float,
        known: dict[int, IntervalDemand] | None = None,
    ) -> None:
        self._forecast_at = forecast_at
        self._lead_times = lead_times
        self._service_level = service_level
        self._known: dict[int, IntervalDemand] = {} if known is None else known

    def levels(self, world: World, day: int) -> tuple[FloatArray, FloatArray]:
        """Return the demand quantile as both levels, in whole units."""
        if day not in self._known:
            review = np.full(world.n_series, world.review_period_days)
            self._known[day] = interval_demand(self._forecast_at(day), self._lead_times, review)
        level = np.ceil(self._known[day].quantile(self._service_level) - 1e-9)
        return level, level


@dataclass(frozen=True)
class TextbookLevels:
    """Reorder point with a normal safety stock, mean and deviation of the last days of demand."""

    lead_times: LeadTimes
    service_level: float
    window_days: int = 91

    def levels(self, world: World, day: int) -> tuple[FloatArray, FloatArray]:
        """Return mean demand of the protection interval plus safety stock as both levels."""
        recent = _window(world, day, self.window_days)
        mean, deviation = np.nan_to_num(np.nanmean(recent, axis=1)), np.nanstd(recent, axis=1)
        protection = self.lead_times.mean_days + world.review_period_days
        safety = normal_safety_stock(
            np.nan_to_num(deviation),
            mean,
            protection,
            self.lead_times.deviation_days,
            self.service_level,
        )
        level = np.ceil(np.maximum(mean * protection + safety, 0.0) - 1e-9)
        return level, level


@dataclass(frozen=True)
class MinMaxLevels:
    """Cover in days of mean demand: order when below the least, up to the most."""

    minimum_days: float
    maximum_days: float
    window_days: int = 91

    def levels(self, world: World, day: int) -> tuple[FloatArray, FloatArray]:
        """Return mean demand times the days of cover."""
        mean = np.nan_to_num(np.nanmean(_window(world, day, self.window_days), axis=1))
        return np.ceil(mean * self.minimum_days), np.ceil(mean * self.maximum_days)


@dataclass(frozen=True)
class PerfectForesight:
    """Knows all demand and lead times: orders exactly what is asked for until the next order."""

    def levels(self, world: World, day: int) -> tuple[FloatArray, FloatArray]:
        """Return the true demand until the next review's order can be used, as both levels."""
        following = min(day + world.review_period_days, world.n_days - 1)
        covered = world.review_period_days + world.lead_times[:, following]
        total = np.concatenate(
            [np.zeros((world.n_series, 1)), np.cumsum(world.demand[:, day + 1 :], axis=1)], axis=1
        )
        level = total[np.arange(world.n_series), np.minimum(covered, total.shape[1] - 1)]
        return level, level


def _window(world: World, day: int, days: int) -> FloatArray:
    return world.demand[:, max(day + 1 - days, 0) : day + 1]


def stock_at_fill_rate(
    fill_rates: FloatArray, stock_values: FloatArray, wanted: float
) -> float | None:
    """Return the stock value a policy needs for a fill rate, between its runs; None outside them.

    Linear between runs on the scale of the normal quantile, where such curves are nearly straight.
    """
    normal = NormalDist()
    order = np.argsort(fill_rates)
    x = np.array([normal.inv_cdf(float(np.clip(f, 1e-6, 1 - 1e-6))) for f in fill_rates[order]])
    target = normal.inv_cdf(min(max(wanted, 1e-6), 1 - 1e-6))
    if not x[0] <= target <= x[-1]:
        return None
    return float(np.interp(target, x, stock_values[order]))
