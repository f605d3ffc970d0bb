"""Replaying history day by day under a policy: what would have been sold, lost and held.

Order of a day: goods due arrive in the morning, demand takes what is there (the rest is lost),
in the evening of a review day orders are placed from the position. An order placed on day t with
lead time L serves demand from day t + L + 1 on, so that a position has to last for review period
plus lead time, as in `lead_time_demand`.

Benchmarks replay here what tenants are told; no page does.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forecasting.decisions.projected_need import OpenOrder
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


@dataclass(frozen=True)
class StockState:
    """What a planner sees in the evening of a review day: on_hand [S], orders not arrived."""

    on_hand: FloatArray
    open_orders: tuple[OpenOrder, ...]

    @property
    def position(self) -> FloatArray:
        """On hand plus on order: [S]."""
        total = self.on_hand.copy()
        for one in self.open_orders:
            total += one.quantity
        return total


class Policy(Protocol):
    """Decides in the evening of a review day, from demand up to and including that day."""

    def need(self, world: World, day: int, state: StockState) -> FloatArray:
        """Return the units to order before minimum and multiple, 0 or more: [S]."""
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
    short: NDArray[np.bool_]
    """Whether sales were lost, on every day of the replay, warm-up included: [S, days]."""

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
    placed: dict[int, FloatArray] = {}
    tally = _Tally(world)
    for day in range(start, stop):
        on_hand += arrivals[:, day]
        sold = np.minimum(on_hand, world.demand[:, day])
        on_hand -= sold
        tally.short[:, day - start] = sold < world.demand[:, day]
        counted = day >= start + world.warm_up_days
        if counted:
            tally.count_day(day, sold, on_hand)
        if (day - start) % world.review_period_days == 0:
            state = StockState(on_hand.copy(), _open_orders(world, placed, day))
            quantity = _sold_quantity(world, policy.need(world, day, state))
            arrivals[rows, day + 1 + world.lead_times[:, day]] += quantity
            placed[day] = quantity
            tally.orders += counted * (quantity > 0)
    return tally.result()


def _open_orders(world: World, placed: dict[int, FloatArray], day: int) -> tuple[OpenOrder, ...]:
    """Orders placed before that have not arrived by the evening of the day."""
    found = []
    for placed_on in list(placed):
        waiting = placed_on + 1 + world.lead_times[:, placed_on] > day
        quantity = np.where(waiting, placed[placed_on], 0.0)
        if quantity.any():
            found.append(OpenOrder(day - placed_on, quantity))
        else:
            del placed[placed_on]
    return tuple(found)


def order_up_to_need(
    reorder_point: FloatArray, order_up_to: FloatArray, position: FloatArray
) -> FloatArray:
    """Return what restores a position at or under the reorder point to the level: all [S]."""
    due = position <= reorder_point
    need: FloatArray = np.where(due, np.maximum(order_up_to - position, 0.0), 0.0)
    return need


def _sold_quantity(world: World, need: FloatArray) -> FloatArray:
    """Raise a need to the minimum and to whole multiples."""
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
        self.short = np.zeros((world.n_series, world.n_days - world.first_day), dtype=bool)

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
            short=self.short,
        )


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
