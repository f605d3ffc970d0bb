"""The stock cycle by category: how fast stock turns, what it should be, and who is worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.models import ForecastRun
from forecasting.pipeline.series import FloatArray
from forecasting.queries.planning import PlanningWorld, read_world
from inventory.models import Category, Product

YEAR_DAYS = 364
WEEKS_SHOWN = 4
OLD_DAYS = 90
MOST_OFFENDERS = 15


@dataclass(frozen=True)
class CategoryCycle:
    """Figures of a category. Money at cost; turnover is per year.

    target: the mean stock that policies aim at (safety stock and half a review period's demand);
    idle: stock of products not sold for 90 days; season: expected demand of the next four weeks
    over that of the same weeks last year, None where last year is not known.
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
class StockCycle:
    categories: tuple[CategoryCycle, ...]
    offenders: tuple[Offender, ...]


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


def stock_cycle(run: ForecastRun) -> StockCycle | None:
    """Return the stock cycle of a forecast run's products; None when nothing sells."""
    world = read_world(run)
    if world is None:
        return None
    figures = _figures(world)
    names = dict(Category.objects.values_list("id", "name"))
    groups: dict[str, list[int]] = {}
    for row, product in enumerate(world.products):
        groups.setdefault(names.get(product.category_id or 0, ""), []).append(row)
    categories = [_category(name, np.array(rows), figures) for name, rows in groups.items()]
    categories.sort(key=lambda one: (-one.stock, one.name))
    return StockCycle(tuple(categories), _offenders(world, figures))


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
    ahead = world.forecast.mean[:, : 7 * WEEKS_SHOWN].sum(axis=1)
    begin = world.panel.n_days - YEAR_DAYS
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
    )


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
    )


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
