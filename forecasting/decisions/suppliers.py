"""Which supplier is cheapest once everything a unit costs until it can be sold is counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from forecasting.decisions.freight import FreightModel, FreightQuote, Lane, StatedCost
from forecasting.decisions.lead_times import LeadTime
from forecasting.decisions.order_quantity import Quantity, order_lattice
from forecasting.decisions.reorder_inputs import SupplyTerms
from forecasting.decisions.safety_stock import normal_safety_stock

DAYS_PER_YEAR = 365


class OfferObstacle(StrEnum):
    """Why an offer cannot be compared."""

    NO_PRICE = "no_price"
    NO_LEAD_TIME = "no_lead_time"
    CURRENCY_MIXED = "currency_mixed"
    NO_DEMAND = "no_demand"


@dataclass(frozen=True)
class OfferFreight:
    """How an offer comes, what is stated about its transport, and what own deliveries teach."""

    model: FreightModel
    lane: Lane
    stated: StatedCost

    def quote(self, quantity: float, unit_price: float) -> FreightQuote:
        """Return what moving a unit costs in an order line of that quantity."""
        return self.model.quote(self.lane, quantity, unit_price, self.stated)


@dataclass(frozen=True)
class SupplierOffer:
    """One supplier's terms for an item; reject_share: units that arrive unfit for sale."""

    supplier: str
    terms: SupplyTerms
    lead_time: LeadTime
    reject_share: float = 0.0
    freight: OfferFreight | None = None
    """Left out: what the terms state per unit counts."""


@dataclass(frozen=True)
class ItemNeed:
    """What an item is needed for: quantity to order now, daily demand, and what holding costs."""

    quantity: float
    mean_daily: float
    daily_deviation: float
    review_period_days: int = 7
    service_level: float = 0.95
    holding_rate_per_year: float = 0.25
    whole_units: bool = True
    currency: str = ""


@dataclass(frozen=True)
class LandedCost:
    """What a unit of one offer costs, part by part, in money per unit sold.

    The parts add up to `total`; `obstacle` says why there is no total.
    """

    supplier: str
    order_quantity: Quantity = 0
    price: float = 0.0
    transport: float = 0.0
    ordering: float = 0.0
    rejects: float = 0.0
    in_transit: float = 0.0
    cycle_stock: float = 0.0
    safety_stock: float = 0.0
    lead_time_days: float = 0.0
    obstacle: OfferObstacle | None = None
    freight: FreightQuote | None = None

    @property
    def total(self) -> float | None:
        """Money per unit sold; None where the offer cannot be compared."""
        if self.obstacle is not None:
            return None
        return (
            self.price + self.transport + self.ordering + self.rejects
            + self.in_transit + self.cycle_stock + self.safety_stock
        )  # fmt: skip


def compare_offers(offers: Sequence[SupplierOffer], need: ItemNeed) -> tuple[LandedCost, ...]:
    """Return the landed cost of every offer, cheapest first; those that cannot be compared last."""
    costs = [landed_cost(one, need) for one in offers]
    return tuple(sorted(costs, key=lambda one: (one.total is None, one.total or 0.0, one.supplier)))


def choose_offer(costs: Sequence[LandedCost]) -> LandedCost | None:
    """Return the cheapest offer that can be compared, or None; risk is part of its cost."""
    return next((one for one in costs if one.total is not None), None)


def landed_cost(offer: SupplierOffer, need: ItemNeed) -> LandedCost:
    """Return what a unit of an offer costs until it is sold.

    With landed value v = price + transport, rate r per day, demand d per day, order quantity Q:
    ordering K / Q, rejects v s / (1 - s), in transit r v L (owned from the order on), cycle stock
    r v Q / 2d, safety stock r v SS / d with SS for the offer's own lead-time spread.
    """
    obstacle = _obstacle(offer, need)
    terms = offer.terms
    if obstacle is not None or terms.unit_price is None:
        return LandedCost(offer.supplier, obstacle=obstacle or OfferObstacle.NO_PRICE)
    lattice = order_lattice(terms, whole_units=need.whole_units)
    sold = lattice.up(need.quantity)
    quantity = float(sold)
    price = terms.unit_price_at(quantity) or 0.0
    freight = None if offer.freight is None else offer.freight.quote(quantity, price)
    transport = float(terms.transport_cost_per_unit) if freight is None else freight.per_unit
    lead_time_days = offer.lead_time.mean_days
    daily_cost = (price + transport) * need.holding_rate_per_year / DAYS_PER_YEAR
    safety = normal_safety_stock(
        need.daily_deviation,
        need.mean_daily,
        lead_time_days + need.review_period_days,
        offer.lead_time.deviation_days,
        need.service_level,
    )
    share = min(max(offer.reject_share, 0.0), 0.99)
    return LandedCost(
        supplier=offer.supplier,
        order_quantity=lattice.exact(sold),
        price=price,
        transport=transport,
        ordering=float(terms.fixed_order_cost) / quantity,
        rejects=(price + transport) * share / (1 - share),
        in_transit=daily_cost * lead_time_days,
        cycle_stock=daily_cost * quantity / (2 * need.mean_daily),
        safety_stock=daily_cost * max(safety, 0.0) / need.mean_daily,
        lead_time_days=lead_time_days,
        freight=freight,
    )


def _obstacle(offer: SupplierOffer, need: ItemNeed) -> OfferObstacle | None:
    terms = offer.terms
    if terms.unit_price is None:
        return OfferObstacle.NO_PRICE
    if not terms.lead_time_known:
        return OfferObstacle.NO_LEAD_TIME
    if terms.currency and need.currency and terms.currency != need.currency:
        return OfferObstacle.CURRENCY_MIXED
    if need.mean_daily <= 0:
        return OfferObstacle.NO_DEMAND
    return None
