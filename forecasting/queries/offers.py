"""The offers for an item side by side: what a unit costs from each of them, and who is cheapest.

A large tenant compares tens of thousands of offers, twice: before an order is decided and at the
quantity that was decided. What does not depend on the quantity is therefore made once per offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from forecasting.decisions.demand_paths import DemandForecast
from forecasting.decisions.freight import FreightModel, Lane, StatedCost
from forecasting.decisions.lead_times import LeadTimes
from forecasting.decisions.reorder_inputs import SupplyTerms
from forecasting.decisions.suppliers import (
    ItemNeed,
    LandedCost,
    OfferFreight,
    SupplierOffer,
    choose_offer,
    compare_offers,
)
from forecasting.pipeline.series import FloatArray
from forecasting.queries.freight import lane_of
from forecasting.queries.supply import Supply
from inventory.models import Product, StockPolicy


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
        key = str(supplier.pk)
        lane = Lane(
            supplier=key,
            mode=item.transport_mode or self.model.usual_mode.get(key, ""),
            lane=lane_of(supplier.country, self.countries.get(warehouse_id, "")),
            unit_weight=None if product.weight_kg is None else float(product.weight_kg),
        )
        stated = StatedCost(float(item.transport_cost_per_unit), float(supplier.transport_cost))
        return OfferFreight(self.model, lane, stated)


@dataclass(frozen=True)
class OfferBook:
    """Compares the offers for an item by landed cost.

    paces, spreads: expected demand per day, and how far a day's demand lies from it: [S]; rows: of
    `lead_times`, by supplier item.
    """

    paces: FloatArray
    spreads: FloatArray
    lead_times: LeadTimes
    rows: dict[int, int]
    order_line_cost: float
    freight: Freight
    currency: str
    _terms: dict[int, SupplyTerms] = field(default_factory=dict)
    _offers: dict[tuple[int, int], SupplierOffer] = field(default_factory=dict)

    def terms(self, supply: Supply) -> SupplyTerms:
        """Return what a supplier asks for an item."""
        key = supply.item.pk
        if key not in self._terms:
            self._terms[key] = supply.terms(self.currency, self.order_line_cost)
        return self._terms[key]

    def costs(
        self,
        row: int,
        warehouse_id: int,
        quantity: float,
        offers: Sequence[Supply],
        product: Product,
        policy: StockPolicy,
    ) -> tuple[LandedCost, ...]:
        """Return what a unit of every offer costs, cheapest first; named by supplier item."""
        need = self._need(row, quantity, product, policy)
        return compare_offers([self._offer(one, product, warehouse_id) for one in offers], need)

    def choose(
        self,
        row: int,
        warehouse_id: int,
        offers: Sequence[Supply],
        product: Product,
        policy: StockPolicy,
    ) -> Supply | None:
        """Return the offer that a person preferred, else the cheapest once all is counted."""
        if len(offers) < 2 or offers[0].item.is_preferred:
            return offers[0] if offers else None
        days = policy.review_period_days + (offers[0].promised_days or 0)
        quantity = float(self.paces[row]) * days
        chosen = choose_offer(self.costs(row, warehouse_id, quantity, offers, product, policy))
        by_key = {str(one.item.pk): one for one in offers}
        return offers[0] if chosen is None else by_key[chosen.supplier]

    def _offer(self, one: Supply, product: Product, warehouse_id: int) -> SupplierOffer:
        key = (one.item.pk, warehouse_id)
        if key not in self._offers:
            self._offers[key] = SupplierOffer(
                str(one.item.pk),
                self.terms(one),
                self.lead_times.one(self.rows[one.item.pk]),
                one.reject_share,
                self.freight.of(one, product, warehouse_id),
            )
        return self._offers[key]

    def _need(self, row: int, quantity: float, product: Product, policy: StockPolicy) -> ItemNeed:
        return ItemNeed(
            quantity=quantity,
            mean_daily=float(self.paces[row]),
            daily_deviation=float(self.spreads[row]),
            review_period_days=policy.review_period_days,
            service_level=float(policy.cycle_service_level),
            holding_rate_per_year=float(policy.holding_cost_per_year),
            whole_units=product.whole_units,
            currency=self.currency,
        )


def paces_and_spreads(forecast: DemandForecast) -> tuple[FloatArray, FloatArray]:
    """Return demand per day over the horizon, and its deviation: half of 15 % to 85 %: [S] each."""
    low = forecast.quantiles[:, :, 2].mean(axis=1)
    high = forecast.quantiles[:, :, 16].mean(axis=1)
    return forecast.mean.mean(axis=1), (high - low) / 2
