"""Everything decisions are made from, read once and laid out in one order: the planning world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from forecasting.decisions.demand_paths import DemandForecast, demand_forecast, level_correlation
from forecasting.decisions.lead_time_demand import IntervalDemand, interval_demand
from forecasting.decisions.lead_times import lead_times_from_observations
from forecasting.models import ForecastRun
from forecasting.pipeline.series import FloatArray, SeriesPanel
from forecasting.queries.forecasts import RunArrays, is_stale, read_arrays
from forecasting.queries.overrides import with_overrides
from forecasting.queries.positions import Position, read_positions
from forecasting.queries.series import SeriesKey, business_today, load_panel
from forecasting.queries.supply import Supply, read_policies, read_supplies
from inventory.models import Product, StockPolicy
from tenancy.scope import active_scope

UNKNOWN_LEAD_TIME_DAYS = 7.0
"""Stands in while no lead time is known; such an item is blocked, never ordered from it."""
MARGIN_WITHOUT_PRICES = Decimal("0.3")


@dataclass(frozen=True)
class PlanningWorld:
    """Everything in the order of `keys`: one row per product and warehouse that is forecast."""

    run: ForecastRun
    is_stale: bool
    currency: str
    keys: tuple[SeriesKey, ...]
    method: tuple[str, ...]
    reason: tuple[str, ...]
    panel: SeriesPanel
    forecast: DemandForecast
    demand: IntervalDemand
    today: date
    products: tuple[Product, ...]
    positions: tuple[Position, ...]
    supplies: tuple[Supply | None, ...]
    policies: tuple[StockPolicy, ...]

    def unit_margins(self) -> FloatArray:
        """Return the money lost per unit that could not be sold: [S]."""
        pairs = zip(self.products, self.supplies, strict=True)
        return np.array([float(unit_margin(product, supply)) for product, supply in pairs])

    def unit_costs(self) -> FloatArray:
        """Return what a unit costs: [S]."""
        pairs = zip(self.products, self.supplies, strict=True)
        return np.array([float(unit_cost(product, supply) or 0) for product, supply in pairs])

    def unit_prices(self) -> FloatArray:
        """Return what a unit sells for, its cost where no price is known: [S]."""
        pairs = zip(self.products, self.supplies, strict=True)
        return np.array([float(p.unit_price or unit_cost(p, s) or 0) for p, s in pairs])


def read_world(run: ForecastRun) -> PlanningWorld | None:
    """Read forecasts, past, stock, supply and policies of a run; None when nothing is sold.

    Series whose product was taken out of use since the run are left out.
    """
    demand = load_panel()
    if demand is None:
        return None
    place = {key: row for row, key in enumerate(demand.keys)}
    arrays = read_arrays(run)
    kept = np.array([row for row, key in enumerate(arrays.keys) if key in place], dtype=int)
    if not len(kept):
        return None
    arrays = with_overrides(_select(arrays, kept))
    panel = demand.panel.select(np.array([place[key] for key in arrays.keys]))
    products = Product.objects.in_bulk({key.product_id for key in arrays.keys})
    supplies = read_supplies(products)
    policies = read_policies()
    positions = read_positions(business_today())
    own_supplies = tuple(supplies.get(key.product_id) for key in arrays.keys)
    own_policies = tuple(policies.of(key.product_id, key.warehouse_id) for key in arrays.keys)
    correlation = level_correlation(panel.demand, panel.observed)
    forecast = demand_forecast(arrays.mean, arrays.quantiles, correlation)
    return PlanningWorld(
        run=run,
        is_stale=is_stale(run),
        currency=active_scope().tenant.currency,
        keys=arrays.keys,
        method=arrays.method,
        reason=arrays.reason,
        panel=panel,
        forecast=forecast,
        demand=_interval_demand(forecast, own_supplies, own_policies),
        today=business_today(),
        products=tuple(products[key.product_id] for key in arrays.keys),
        positions=tuple(positions[(key.product_id, key.warehouse_id)] for key in arrays.keys),
        supplies=own_supplies,
        policies=own_policies,
    )


def _select(arrays: RunArrays, rows: np.ndarray) -> RunArrays:
    return replace(
        arrays,
        keys=tuple(arrays.keys[row] for row in rows),
        mean=arrays.mean[rows],
        quantiles=arrays.quantiles[rows],
        method=tuple(arrays.method[row] for row in rows),
        reason=tuple(arrays.reason[row] for row in rows),
    )


def _interval_demand(
    forecast: DemandForecast,
    supplies: Sequence[Supply | None],
    policies: Sequence[StockPolicy],
) -> IntervalDemand:
    seen: list[Sequence[float]] = []
    promised: list[float | None] = []
    for supply in supplies:
        known = supply is not None and supply.lead_time_known
        seen.append(supply.lead_times_seen_days if supply else ())
        promised.append(supply.promised_days if supply and known else UNKNOWN_LEAD_TIME_DAYS)
    review = np.array([policy.review_period_days for policy in policies], dtype=int)
    return interval_demand(forecast, lead_times_from_observations(seen, promised), review)


def unit_cost(product: Product, supply: Supply | None) -> Decimal | None:
    """Return what a unit costs, else what its supplier asks; None when neither is known."""
    known: Decimal | None = product.unit_cost
    if known is None and supply is not None:
        known = supply.item.price
    return known


def unit_margin(product: Product, supply: Supply | None) -> Decimal:
    """Return the money lost per unit that could not be sold; without both prices a usual share."""
    cost = unit_cost(product, supply)
    price: Decimal | None = product.unit_price
    if price is not None and cost is not None:
        return max(price - cost, Decimal(0))
    return (price or cost or Decimal(0)) * MARGIN_WITHOUT_PRICES
