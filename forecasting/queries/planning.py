"""Everything decisions are made from, read once and laid out in one order: the planning world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from forecasting.decisions.classes import abc_classes, xyz_classes
from forecasting.decisions.demand_paths import DemandForecast, demand_forecast, level_correlation
from forecasting.decisions.lead_time_demand import IntervalDemand, interval_demand
from forecasting.decisions.lead_times import (
    LeadTimeHistory,
    LeadTimes,
    lead_times_from_levels,
)
from forecasting.decisions.suppliers import LandedCost
from forecasting.models import ForecastRun, PlanningSettings
from forecasting.pipeline.closures import find_closures, without_closed_days
from forecasting.pipeline.series import FloatArray, SeriesPanel
from forecasting.queries.forecasts import RunArrays, is_stale, passed_days, read_arrays
from forecasting.queries.freight import read_freight
from forecasting.queries.offers import Freight, OfferBook, paces_and_spreads
from forecasting.queries.overrides import with_overrides
from forecasting.queries.positions import Position, read_positions
from forecasting.queries.series import SeriesKey, business_today, load_panel
from forecasting.queries.supply import Supply, SupplyBook, read_supplies
from inventory.models import Product, StockPolicy, Warehouse
from inventory.queries.access import allowed_warehouses
from inventory.queries.policies import Policies, read_policies
from tenancy.scope import active_scope

UNKNOWN_LEAD_TIME_DAYS = 7.0
"""Stands in while no lead time is known; such an item is blocked, never ordered from it."""
MARGIN_WITHOUT_PRICES = Decimal("0.3")
YEAR_DAYS = 364


@dataclass(frozen=True)
class Unforecast:
    """A product in a warehouse that the run knows nothing of: first sold or kept there since."""

    product: Product
    warehouse_id: int
    policy: StockPolicy
    supply: Supply | None


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
    """The past, days out of stock and closed days unseen."""
    forecast: DemandForecast
    override_factors: FloatArray
    """By how much planners changed each day ahead: [S, H], one where nobody did."""
    demand: IntervalDemand
    today: date
    passed_days: int
    """Days of the run that have passed: `forecast` begins after them, with today."""
    products: tuple[Product, ...]
    positions: tuple[Position, ...]
    supplies: tuple[Supply | None, ...]
    """Who would be ordered from: the preferred, else the cheapest once all is counted."""
    offers: tuple[tuple[Supply, ...], ...]
    lead_times: LeadTimes
    lead_time_rows: dict[int, int]
    """Row of `lead_times` by supplier item."""
    book: OfferBook
    classes: tuple[tuple[str, str], ...]
    settings: PlanningSettings
    policies: tuple[StockPolicy, ...]
    unforecast: tuple[Unforecast, ...]

    def unit_margins(self) -> FloatArray:
        """Return the money lost per unit that could not be sold: [S]."""
        rows = zip(self.products, self.supplies, self.policies, strict=True)
        return np.array([float(lost_sale_cost(*row)) for row in rows])

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

    Series whose product was taken out of use since the run are left out; what came since is named.
    """
    demand = load_panel()
    if demand is None:
        return None
    place = {key: row for row, key in enumerate(demand.keys)}
    arrays = read_arrays(run)
    kept = np.array([row for row, key in enumerate(arrays.keys) if key in place], dtype=int)
    if not len(kept):
        return None
    arrays, override_factors = _overridden(_select(arrays, kept))
    # a shut warehouse is no drop of every product's sales
    seen = without_closed_days(demand.panel, find_closures(demand.panel))
    panel = seen.select(np.array([place[key] for key in arrays.keys]))
    came_since = _in_reach(set(demand.keys) - set(arrays.keys))
    products = Product.objects.in_bulk({key.product_id for key in (*arrays.keys, *came_since)})
    supplies = read_supplies(products)
    offers = tuple(supplies.offers.get(key.product_id, ()) for key in arrays.keys)
    policies, positions = read_policies(), read_positions(business_today())
    own_products = tuple(products[key.product_id] for key in arrays.keys)
    classes = _classes(panel, own_products, offers)
    own_policies = tuple(
        policies.of(key.product_id, key.warehouse_id, own)
        for key, own in zip(arrays.keys, classes, strict=True)
    )
    forecast = _ahead(arrays, panel)
    settings = PlanningSettings.objects.first() or PlanningSettings()
    book = _offer_book(forecast, supplies, settings)
    own_supplies = tuple(
        book.choose(row, key.warehouse_id, offers[row], own_products[row], own_policies[row])
        for row, key in enumerate(arrays.keys)
    )
    return PlanningWorld(
        run=run,
        is_stale=is_stale(run),
        currency=book.currency,
        keys=arrays.keys,
        method=arrays.method,
        reason=arrays.reason,
        panel=panel,
        forecast=forecast,
        override_factors=override_factors,
        demand=_interval_demand(forecast, own_supplies, own_policies, book),
        today=business_today(),
        passed_days=passed_days(run),
        products=own_products,
        positions=tuple(positions[(key.product_id, key.warehouse_id)] for key in arrays.keys),
        supplies=own_supplies,
        offers=offers,
        lead_times=book.lead_times,
        lead_time_rows=book.rows,
        book=book,
        classes=classes,
        settings=settings,
        policies=own_policies,
        unforecast=_unforecast(came_since, products, policies, supplies),
    )


def _ahead(arrays: RunArrays, panel: SeriesPanel) -> DemandForecast:
    """Return the forecast from today on."""
    passed = passed_days(arrays.run)
    correlation = level_correlation(panel.demand, panel.observed)
    return demand_forecast(arrays.mean[:, passed:], arrays.quantiles[:, passed:], correlation)


def _unforecast(
    keys: Sequence[SeriesKey],
    products: Mapping[int, Product],
    policies: Policies,
    supplies: SupplyBook,
) -> tuple[Unforecast, ...]:
    return tuple(
        Unforecast(
            products[key.product_id],
            key.warehouse_id,
            policies.of(key.product_id, key.warehouse_id),
            next(iter(supplies.offers.get(key.product_id, ())), None),
        )
        for key in keys
    )


def _in_reach(keys: set[SeriesKey]) -> list[SeriesKey]:
    """Return the keys of the reader's warehouses, in order."""
    allowed = allowed_warehouses()
    return sorted(key for key in keys if allowed is None or key.warehouse_id in allowed)


def _classes(
    panel: SeriesPanel, products: Sequence[Product], offers: Sequence[tuple[Supply, ...]]
) -> tuple[tuple[str, str], ...]:
    """Return the ABC and XYZ class of every row, by its own demand and value."""
    yearly = np.nansum(panel.demand[:, -YEAR_DAYS:], axis=1)
    cost = np.array(
        [
            float(unit_cost(p, own[0] if own else None) or 0)
            for p, own in zip(products, offers, strict=True)
        ]
    )
    abc, xyz = abc_classes(yearly * cost), xyz_classes(panel.demand, panel.observed)
    return tuple((str(a), str(x)) for a, x in zip(abc, xyz, strict=True))


def _lead_times(supplies: SupplyBook) -> tuple[LeadTimes, dict[int, int]]:
    """Return the lead times of every supplier item, and the row of one that stands for unknown."""
    offered = [one for own in supplies.offers.values() for one in own]
    unknown = LeadTimeHistory(UNKNOWN_LEAD_TIME_DAYS)
    known = [one.history if one.lead_time_known else unknown for one in offered]
    table = lead_times_from_levels([*known, unknown], supplies.ratios)
    return table, {one.item.pk: row for row, one in enumerate(offered)}


def _offer_book(
    forecast: DemandForecast, supplies: SupplyBook, settings: PlanningSettings
) -> OfferBook:
    """Return what compares the offers: demand, lead times, freight."""
    return OfferBook(
        *paces_and_spreads(forecast),
        *_lead_times(supplies),
        float(settings.order_line_cost),
        Freight(read_freight(business_today()), _countries()),
        active_scope().tenant.currency,
    )


def _countries() -> dict[int, str]:
    return dict(Warehouse.objects.values_list("id", "country"))


def landed_costs(world: PlanningWorld, row: int, quantity: float) -> tuple[LandedCost, ...]:
    """Return what a unit of every offer for a row costs, cheapest first; named by supplier item."""
    product, place = world.products[row], world.keys[row].warehouse_id
    return world.book.costs(row, place, quantity, world.offers[row], product, world.policies[row])


def _overridden(arrays: RunArrays) -> tuple[RunArrays, FloatArray]:
    """Return the arrays as planners changed them, and by how much."""
    changed = with_overrides(arrays)
    factors = np.ones_like(arrays.mean)
    np.divide(changed.mean, arrays.mean, out=factors, where=arrays.mean > 0)
    return changed, factors


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
    book: OfferBook,
) -> IntervalDemand:
    unknown = len(book.rows)
    rows = [unknown if one is None else book.rows[one.item.pk] for one in supplies]
    review = np.array([policy.review_period_days for policy in policies], dtype=int)
    return interval_demand(forecast, book.lead_times.select(np.array(rows)), review)


def unit_cost(product: Product, supply: Supply | None) -> Decimal | None:
    """Return what a unit costs, else what its supplier asks; None when neither is known.

    A price in another currency or of zero is none.
    """
    known: Decimal | None = product.unit_cost
    return supply.own_price if known is None and supply is not None else known


def lost_sale_cost(product: Product, supply: Supply | None, policy: StockPolicy) -> Decimal:
    """Return what a unit that could not be sold costs: what the policy says, else its margin."""
    if policy.lost_sale_cost is not None:
        return Decimal(policy.lost_sale_cost)
    return unit_margin(product, supply)


def unit_margin(product: Product, supply: Supply | None) -> Decimal:
    """Return the money lost per unit that could not be sold; without both prices a usual share."""
    cost = unit_cost(product, supply)
    price: Decimal | None = product.unit_price
    if price is not None and cost is not None:
        return max(price - cost, Decimal(0))
    return (price or cost or Decimal(0)) * MARGIN_WITHOUT_PRICES
