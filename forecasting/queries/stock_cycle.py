"""The stock cycle by category: how fast stock turns, what it should be, and who is worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from forecasting.decisions.season import season_sales
from forecasting.models import ForecastRun
from forecasting.pipeline.series import FloatArray
from forecasting.queries.planning import PlanningWorld, read_world
from forecasting.queries.stock_ages import arrived_since, by_age
from inventory.models import Category, Product

YEAR_DAYS = 364
WEEKS_SHOWN = 4
OLD_DAYS = 90
MOST_OFFENDERS = 15
MOST_LEFT = 10


@dataclass(frozen=True)
class CategoryCycle:
    """Figures of a category. Money at cost; turnover is per year.

    target: the mean stock that policies aim at (safety stock and half a review period's demand);
    idle: stock of products not sold for 90 days; season: expected demand of the next four weeks
    over that of the same weeks last year, None where last year is not known; age_units,
    age_values: stock that arrived 0-30, 31-60, 61-90 and more than 90 days ago.
    """

    name: str
    stock: float
    target: float
    turnover: float | None
    target_turnover: float | None
    cover_days: float | None
    idle: float
    season: float | None
    products: int
    age_units: tuple[float, ...]
    age_values: tuple[float, ...]

    @property
    def ages(self) -> list[tuple[float, float]]:
        """Return units and value of every age class, the youngest first."""
        return list(zip(self.age_units, self.age_values, strict=True))


@dataclass(frozen=True)
class Offender:
    """A product and warehouse with much more stock than its policy aims at."""

    product: Product
    warehouse_id: int
    stock: float
    target: float
    cover_days: float | None

    @property
    def too_much(self) -> float:
        return self.stock - self.target


@dataclass(frozen=True)
class SeasonPlan:
    """What a category still sells until its season ends, and what it takes for that.

    Units: sells with low and high (None where last year is not known), position (free stock and
    what is on its way). Money at cost: order_up_to covers what sells, to_buy is missing, left will
    not sell, left_even_so not even in a strong season.
    """

    name: str
    ends_on: date
    days: int
    products: int
    sells: float
    low: float | None
    high: float | None
    position: float
    order_up_to: float
    to_buy: float
    left: float
    left_even_so: float | None


@dataclass(frozen=True)
class Leftover:
    """A product and warehouse with more than sells until its season ends."""

    product: Product
    warehouse_id: int
    ends_on: date
    position: float
    sells: float
    left: float
    value: float


@dataclass(frozen=True)
class StockCycle:
    categories: tuple[CategoryCycle, ...]
    offenders: tuple[Offender, ...]
    seasons: tuple[SeasonPlan, ...]
    leftovers: tuple[Leftover, ...]


@dataclass(frozen=True)
class _Figures:
    """Per row of the world: money at cost, units a day, days since the last sale."""

    stock: FloatArray
    target: FloatArray
    sold: FloatArray
    daily: FloatArray
    idle: FloatArray
    ahead: FloatArray
    last_year: FloatArray
    cost: FloatArray
    age_units: FloatArray
    """[S, 4], by age class."""


def stock_cycle(run: ForecastRun) -> StockCycle | None:
    """Return the stock cycle of a forecast run's products; None when nothing sells."""
    world = read_world(run)
    if world is None:
        return None
    figures = _figures(world)
    names = dict(Category.objects.values_list("id", "name"))
    of_row = [names.get(product.category_id or 0, "") for product in world.products]
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(of_row):
        groups.setdefault(name, []).append(row)
    categories = [_category(name, np.array(rows), figures) for name, rows in groups.items()]
    categories.sort(key=lambda one: (-one.stock, one.name))
    seasons, leftovers = _seasons(world, of_row, figures.cost)
    return StockCycle(tuple(categories), _offenders(world, figures), seasons, leftovers)


def _figures(world: PlanningWorld) -> _Figures:
    cost = world.unit_costs()
    units = np.array([max(float(one.on_hand), 0.0) for one in world.positions])
    review = np.array([policy.review_period_days for policy in world.policies])
    service = np.array([float(policy.cycle_service_level) for policy in world.policies])
    safety = np.maximum(world.demand.quantile(service) - world.demand.mean, 0.0)
    demand = np.nan_to_num(world.panel.demand)
    days = min(world.panel.n_days, YEAR_DAYS)
    yearly = demand[:, -days:].sum(axis=1) * YEAR_DAYS / days
    sold = demand > 0
    last = world.panel.n_days - 1 - sold[:, ::-1].argmax(axis=1)
    idle = np.where(sold.any(axis=1), world.panel.n_days - 1 - last, world.panel.n_days)
    ahead = world.forecast.mean[:, world.forecast.columns(7 * WEEKS_SHOWN)].sum(axis=1)
    first = world.run.origin + timedelta(days=1 + world.passed_days)
    begin = (first - world.panel.first_day).days - YEAR_DAYS
    last_year = (
        demand[:, begin : begin + 7 * WEEKS_SHOWN].sum(axis=1) if begin >= 0 else ahead * np.nan
    )
    return _Figures(
        stock=units * cost,
        target=(safety + world.demand.mean_daily * review / 2) * cost,
        sold=yearly * cost,
        daily=world.demand.mean_daily * cost,
        idle=idle.astype(float),
        ahead=ahead * cost,
        last_year=last_year * cost,
        cost=cost,
        age_units=_ages(world),
    )


def _ages(world: PlanningWorld) -> FloatArray:
    arrived = arrived_since(world.today)
    return np.array(
        [
            [float(part) for part in by_age(position.on_hand, arrived.get(pair, ()))]
            for position, pair in zip(world.positions, _pairs(world), strict=True)
        ]
    )


def _pairs(world: PlanningWorld) -> list[tuple[int, int]]:
    return [(key.product_id, key.warehouse_id) for key in world.keys]


def _category(name: str, rows: np.ndarray, figures: _Figures) -> CategoryCycle:
    stock, target = float(figures.stock[rows].sum()), float(figures.target[rows].sum())
    sold, daily = float(figures.sold[rows].sum()), float(figures.daily[rows].sum())
    last_year = float(figures.last_year[rows].sum())
    old = figures.idle[rows] >= OLD_DAYS
    return CategoryCycle(
        name=name,
        stock=stock,
        target=target,
        turnover=sold / stock if stock > 0 else None,
        target_turnover=sold / target if target > 0 else None,
        cover_days=stock / daily if daily > 0 else None,
        idle=float(figures.stock[rows][old].sum()),
        season=float(figures.ahead[rows].sum()) / last_year if last_year > 0 else None,
        products=len(rows),
        age_units=tuple(figures.age_units[rows].sum(axis=0).tolist()),
        age_values=tuple((figures.age_units[rows] * figures.cost[rows, None]).sum(axis=0).tolist()),
    )


def _seasons(
    world: PlanningWorld, names: Sequence[str], cost: FloatArray
) -> tuple[tuple[SeasonPlan, ...], tuple[Leftover, ...]]:
    """Return the plan of every category and season end that policies name, and what is too much."""
    ends = [policy.season_ends_on for policy in world.policies]
    rows = np.array([r for r, end in enumerate(ends) if end and end >= world.today], dtype=int)
    if not len(rows):
        return (), ()
    keys = [(names[row], ends[row]) for row in rows]
    order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    groups = np.array([order[key] for key in keys])
    days = np.array([(ends[row] - world.today).days + 1 for row in rows])
    sales = season_sales(world.panel.demand[rows], world.demand.mean_daily[rows], days, groups)
    free = [world.positions[row] for row in rows]
    position = np.array([float(max(p.free, 0) + p.on_order + p.in_transit) for p in free])
    left = np.maximum(position - sales.expected, 0.0)
    plans = []
    for (name, end), number in order.items():
        own = groups == number
        money = cost[rows][own]
        known = bool(sales.from_last_year[own].all())
        over = np.maximum(position[own] - sales.high[own], 0.0)
        plans.append(
            SeasonPlan(
                name=name,
                ends_on=end,
                days=int(days[own][0]),
                products=int(own.sum()),
                sells=float(sales.expected[own].sum()),
                low=float(sales.low[own].sum()) if known else None,
                high=float(sales.high[own].sum()) if known else None,
                position=float(position[own].sum()),
                order_up_to=float((sales.expected[own] * money).sum()),
                to_buy=float((np.maximum(sales.expected - position, 0.0)[own] * money).sum()),
                left=float((left[own] * money).sum()),
                left_even_so=float((over * money).sum()) if known else None,
            )
        )
    value = left * cost[rows]
    worst = [int(k) for k in np.argsort(-value, kind="stable")[:MOST_LEFT] if value[k] > 0]
    leftovers = tuple(
        Leftover(
            world.products[rows[k]],
            world.keys[rows[k]].warehouse_id,
            ends[rows[k]],
            float(position[k]),
            float(sales.expected[k]),
            float(left[k]),
            float(value[k]),
        )
        for k in worst
    )
    return tuple(sorted(plans, key=lambda one: (one.ends_on, -one.left, one.name))), leftovers


def _offenders(world: PlanningWorld, figures: _Figures) -> tuple[Offender, ...]:
    excess = figures.stock - figures.target
    worst = [int(row) for row in np.argsort(-excess)[:MOST_OFFENDERS] if excess[row] > 0]
    return tuple(
        Offender(
            world.products[row],
            world.keys[row].warehouse_id,
            float(figures.stock[row]),
            float(figures.target[row]),
            float(figures.stock[row] / figures.daily[row]) if figures.daily[row] > 0 else None,
        )
        for row in worst
    )
