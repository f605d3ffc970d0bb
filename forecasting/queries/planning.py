"""Everything decisions are made from, read once and laid out in one order: the planning world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from forecasting.decisions.classes import abc_classes, xyz_classes
from forecasting.decisions.demand_paths import DemandForecast, demand_forecast, level_correlation
from forecasting.decisions.freight import FreightModel, Lane, StatedCost
from forecasting.decisions.lead_time_demand import IntervalDemand, interval_demand
from forecasting.decisions.lead_times import (
    LeadTimeHistory,
    LeadTimes,
    lead_times_from_levels,
)
from forecasting.decisions.suppliers import (
    ItemNeed,
    LandedCost,
    OfferFreight,
    SupplierOffer,
    choose_offer,
    compare_offers,
)
from forecasting.models import ForecastRun, PlanningSettings
from forecasting.pipeline.series import FloatArray, SeriesPanel
from forecasting.queries.forecasts import RunArrays, is_stale, read_arrays
from forecasting.queries.freight import lane_of, read_freight
from forecasting.queries.overrides import with_overrides
from forecasting.queries.positions import Position, read_positions
from forecasting.queries.series import SeriesKey, business_today, load_panel
from forecasting.queries.supply import Supply, SupplyBook, read_supplies
from inventory.models import Product, StockPolicy, Warehouse
from inventory.queries.policies import read_policies
from tenancy.scope import active_scope

UNKNOWN_LEAD_TIME_DAYS = 7.0
"""Stands in while no lead time is known; such an item is blocked, never ordered from it."""
MARGIN_WITHOUT_PRICES = Decimal("0.3")
YEAR_DAYS = 364


@dataclass(frozen=True)
class Freight:
    """What transport costs, and the countries of the warehouses."""

    model: FreightModel
    countries: dict[int, str]

    def of(self, offer: Supply, product: Product, warehouse_id: int) -> OfferFreight:
        """Return how an offer comes to a warehouse and what that costs.

        Where the offer does not say by which mode, it is the one of most of the supplier's orders.
        """
        item, supplier = offer.item, offer.item.supplier
        lane = Lane(
            supplier=str(supplier.pk),
            mode=item.transport_mode or self.model.usual_mode.get(str(supplier.pk), ""),
            lane=lane_of(supplier.country, self.countries.get(warehouse_id, "")),
            unit_weight=None if product.weight_kg is None else float(product.weight_kg),
        )
        stated = StatedCost(float(item.transport_cost_per_unit), float(supplier.transport_cost))
        return OfferFreight(self.model, lane, stated)


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
    """Who would be ordered from: the preferred, else the cheapest once all is counted."""
    offers: tuple[tuple[Supply, ...], ...]
    lead_times: LeadTimes
    lead_time_rows: dict[int, int]
    """Row of `lead_times` by supplier item."""
    freight: Freight
    classes: tuple[tuple[str, str], ...]
    settings: PlanningSettings
    policies: tuple[StockPolicy, ...]

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
    offers = tuple(supplies.offers.get(key.product_id, ()) for key in arrays.keys)
    policies = read_policies()
    positions = read_positions(business_today())
    own_products = tuple(products[key.product_id] for key in arrays.keys)
    classes = _classes(panel, own_products, offers)
    own_policies = tuple(
        policies.of(key.product_id, key.warehouse_id, own)
        for key, own in zip(arrays.keys, classes, strict=True)
    )
    correlation = level_correlation(panel.demand, panel.observed)
    forecast = demand_forecast(arrays.mean, arrays.quantiles, correlation)
    settings = PlanningSettings.objects.first() or PlanningSettings()
    lead_times, lead_time_rows = _lead_times(supplies)
    freight = Freight(read_freight(business_today()), _countries())
    chooser = _Chooser(forecast, lead_times, lead_time_rows, settings, freight)
    own_supplies = tuple(
        chooser.choose(row, key.warehouse_id, offers[row], own_products[row], own_policies[row])
        for row, key in enumerate(arrays.keys)
    )
    return PlanningWorld(
        run=run,
        is_stale=is_stale(run),
        currency=active_scope().tenant.currency,
        keys=arrays.keys,
        method=arrays.method,
        reason=arrays.reason,
        panel=panel,
        forecast=forecast,
        demand=_interval_demand(forecast, own_supplies, own_policies, chooser),
        today=business_today(),
        products=own_products,
        positions=tuple(positions[(key.product_id, key.warehouse_id)] for key in arrays.keys),
        supplies=own_supplies,
        offers=offers,
        lead_times=lead_times,
        lead_time_rows=lead_time_rows,
        freight=freight,
        classes=classes,
        settings=settings,
        policies=own_policies,
    )


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


def _countries() -> dict[int, str]:
    return dict(Warehouse.objects.values_list("id", "country"))


@dataclass(frozen=True)
class _Chooser:
    """Chooses among the offers for an item by landed cost."""

    forecast: DemandForecast
    lead_times: LeadTimes
    rows: dict[int, int]
    settings: PlanningSettings
    freight: Freight

    def choose(
        self,
        row: int,
        warehouse_id: int,
        offers: Sequence[Supply],
        product: Product,
        policy: StockPolicy,
    ) -> Supply | None:
        if len(offers) < 2 or offers[0].item.is_preferred:
            return offers[0] if offers else None
        currency = active_scope().tenant.currency
        mean = float(self.forecast.mean[row].mean())
        quantity = mean * (policy.review_period_days + (offers[0].promised_days or 0))
        need = item_need(self.forecast, row, quantity, product, policy, currency)
        costs = compare_offers(self.as_offers(offers, product, warehouse_id, currency), need)
        chosen = choose_offer(costs)
        by_key = {str(one.item.pk): one for one in offers}
        return offers[0] if chosen is None else by_key[chosen.supplier]

    def as_offers(
        self, offers: Sequence[Supply], product: Product, warehouse_id: int, currency: str
    ) -> list[SupplierOffer]:
        return [
            SupplierOffer(
                str(one.item.pk),
                one.terms(currency, float(self.settings.order_line_cost)),
                self.lead_times.select(np.array([self.rows[one.item.pk]])),
                one.reject_share,
                self.freight.of(one, product, warehouse_id),
            )
            for one in offers
        ]


def landed_costs(world: PlanningWorld, row: int, quantity: float) -> tuple[LandedCost, ...]:
    """Return what a unit of every offer for a row costs, cheapest first; named by supplier item."""
    chooser = _Chooser(
        world.forecast, world.lead_times, world.lead_time_rows, world.settings, world.freight
    )
    need = item_need(
        world.forecast, row, quantity, world.products[row], world.policies[row], world.currency
    )
    product, place = world.products[row], world.keys[row].warehouse_id
    offers = chooser.as_offers(world.offers[row], product, place, world.currency)
    return compare_offers(offers, need)


def item_need(
    forecast: DemandForecast,
    row: int,
    quantity: float,
    product: Product,
    policy: StockPolicy,
    currency: str,
) -> ItemNeed:
    """Return what an item is needed for, as offers are compared by it.

    The daily deviation is that of the forecast: half the distance between its 15 % and 85 %.
    """
    low, high = forecast.quantiles[row, :, 2].mean(), forecast.quantiles[row, :, 16].mean()
    return ItemNeed(
        quantity=quantity,
        mean_daily=float(forecast.mean[row].mean()),
        daily_deviation=float(high - low) / 2,
        review_period_days=policy.review_period_days,
        service_level=float(policy.cycle_service_level),
        holding_rate_per_year=float(policy.holding_cost_per_year),
        whole_units=product.whole_units,
        currency=currency,
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
    chooser: _Chooser,
) -> IntervalDemand:
    unknown = len(chooser.rows)
    rows = [unknown if one is None else chooser.rows[one.item.pk] for one in supplies]
    review = np.array([policy.review_period_days for policy in policies], dtype=int)
    return interval_demand(forecast, chooser.lead_times.select(np.array(rows)), review)


def unit_cost(product: Product, supply: Supply | None) -> Decimal | None:
    """Return what a unit costs, else what its supplier asks; None when neither is known."""
    known: Decimal | None = product.unit_cost
    if known is None and supply is not None:
        known = supply.item.price
    return known


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
