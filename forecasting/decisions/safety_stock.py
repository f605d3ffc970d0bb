"""How much stock is enough, by service level, fill rate or cost; and the textbook formula."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeVar

from forecasting.decisions.lead_time_demand import ItemDemand
from forecasting.decisions.reorder_inputs import ReorderPolicy, SupplyTerms
from forecasting.decisions.reorder_reasons import Reason, ReasonPart
from forecasting.pipeline.series import FloatArray

DAYS_PER_YEAR = 365
FALLBACK_SERVICE_LEVEL = 0.95


class CostError(ValueError):
    """Costs cannot decide: both zero, or one negative."""

    def __init__(self, too_little: float, too_much: float) -> None:
        self.too_little, self.too_much = too_little, too_much
        super().__init__(
            f"cost of too little {too_little} and of too much {too_much}: "
            "neither may be negative, and not both zero"
        )


@dataclass(frozen=True)
class StockLevels:
    """The levels of an item, in base units, and where they come from.

    quantile: probability that demand over the protection interval stays at or under the reorder
    point; cost_of_too_much and cost_of_too_little: money per unit, None where unknown.
    """

    reorder_point: float
    order_up_to: float
    safety_stock: float
    quantile: float
    cost_of_too_much: float | None
    cost_of_too_little: float | None
    parts: tuple[ReasonPart, ...]


def critical_ratio(too_little: float, too_much: float) -> float:
    """Return the probability of enough stock at which one unit more no longer pays.

    Newsvendor: too_little / (too_little + too_much), costs per unit. Raises CostError.
    """
    if not (too_little >= 0 and too_much >= 0 and 0 < too_little + too_much < float("inf")):
        raise CostError(too_little, too_much)
    return too_little / (too_little + too_much)


def probability_for_fill_rate(
    demand: ItemDemand, fill_rate: float, cycle_demand: float | None = None
) -> float:
    """Return the least probability of no stock-out whose stock meets a fill rate.

    The expected shortage of a cycle may be (1 - fill_rate) of the cycle's demand (by default the
    demand between two orders). Silver, Pyke and Thomas, "Inventory and Production Management in
    Supply Chains" (2017), P2 service.
    """
    between_orders = demand.mean - demand.lead_time_demand
    allowed = (1 - fill_rate) * (between_orders if cycle_demand is None else cycle_demand)
    low, high = 0.0, 1.0
    if demand.expected_shortage(demand.at(low)) <= allowed:
        return low
    for _ in range(40):
        middle = (low + high) / 2
        if demand.expected_shortage(demand.at(middle)) <= allowed:
            high = middle
        else:
            low = middle
    return high


def stock_levels(demand: ItemDemand, policy: ReorderPolicy, terms: SupplyTerms) -> StockLevels:
    """Return reorder point, order-up-to level and safety stock of an item.

    The reorder point is the demand over the protection interval at the target's quantile; the
    order-up-to level adds what the economic order quantity exceeds one review period's demand by
    (sqrt(2 K d / h), Harris 1913). Minimum stock raises both, maximum stock cuts both.
    """
    too_little, too_much = unit_costs(policy, terms)
    quantile, notes = _target_quantile(demand, policy, too_little, too_much)
    level = demand.at(quantile)
    reorder_point = _whole_up(level, policy)
    safety_stock = reorder_point - demand.mean
    parts = [
        ReasonPart(
            Reason.EXPECTED_DEMAND,
            demand.mean,
            demand.mean,
            {
                "protection_days": _short(demand.protection_days),
                "lead_time_days": _short(demand.lead_time_days),
                "review_period_days": _short(demand.protection_days - demand.lead_time_days),
            },
        ),
        ReasonPart(
            Reason.SAFETY_STOCK, safety_stock, reorder_point, {"quantile": _short(quantile)}
        ),
    ]
    cycle = economic_order_quantity(demand.mean_daily, policy, terms)
    extra = _whole_up(max(cycle - demand.mean_daily * policy.review_period_days, 0.0), policy)
    if extra > 0:
        parts.append(
            ReasonPart(
                Reason.ORDER_CYCLE, extra, reorder_point + extra, {"cycle_quantity": _short(cycle)}
            )
        )
    reorder_point, order_up_to, bound = _within_bounds(reorder_point, reorder_point + extra, policy)
    return StockLevels(
        reorder_point=reorder_point,
        order_up_to=order_up_to,
        safety_stock=safety_stock,
        quantile=quantile,
        cost_of_too_much=too_much,
        cost_of_too_little=too_little,
        parts=(*parts, *bound, *notes),
    )


def economic_order_quantity(mean_daily: float, policy: ReorderPolicy, terms: SupplyTerms) -> float:
    """Return sqrt(2 K d / h) with yearly demand d and holding cost h per unit and year.

    Zero where no order cost, price or holding rate says that one order at a time is too many;
    never above a year of demand.
    """
    cost = float(terms.fixed_order_cost)
    holding = policy.holding_rate_per_year * (terms.unit_price_at(1) or 0.0)
    yearly = mean_daily * DAYS_PER_YEAR
    if cost <= 0 or holding <= 0:
        return 0.0
    return min(math.sqrt(2 * cost * yearly / holding), yearly)


def unit_costs(policy: ReorderPolicy, terms: SupplyTerms) -> tuple[float | None, float | None]:
    """Return the cost per unit of too little (lost margin) and too much (holding for a review)."""
    too_little = policy.lost_margin_per_unit
    price = terms.unit_price_at(terms.minimum_order_quantity)
    too_much = None
    if price is not None:
        landed = price + float(terms.transport_cost_per_unit)
        days = max(policy.review_period_days, 1)
        too_much = landed * policy.holding_rate_per_year * days / DAYS_PER_YEAR
    return (None if too_little is None else float(too_little)), too_much


def _target_quantile(
    demand: ItemDemand, policy: ReorderPolicy, too_little: float | None, too_much: float | None
) -> tuple[float, tuple[ReasonPart, ...]]:
    if policy.fill_rate is not None:
        return probability_for_fill_rate(demand, policy.fill_rate), ()
    if policy.service_level is not None:
        return policy.service_level, ()
    try:
        return critical_ratio(too_little or 0.0, too_much or 0.0), ()
    except CostError:
        note = ReasonPart(
            Reason.COSTS_UNUSABLE,
            data={
                "too_little": too_little,
                "too_much": too_much,
                "service_level": FALLBACK_SERVICE_LEVEL,
            },
        )
        return FALLBACK_SERVICE_LEVEL, (note,)


def _within_bounds(
    reorder_point: float, order_up_to: float, policy: ReorderPolicy
) -> tuple[float, float, tuple[ReasonPart, ...]]:
    parts: list[ReasonPart] = []
    if policy.minimum_stock is not None and float(policy.minimum_stock) > reorder_point:
        least = float(policy.minimum_stock)
        raised = max(order_up_to, least)
        data = {"minimum_stock": _short(least)}
        parts.append(ReasonPart(Reason.MINIMUM_STOCK, raised - order_up_to, raised, data))
        reorder_point, order_up_to = least, raised
    if policy.maximum_stock is not None and float(policy.maximum_stock) < order_up_to:
        most = float(policy.maximum_stock)
        data = {"maximum_stock": _short(most)}
        parts.append(ReasonPart(Reason.MAXIMUM_STOCK, most - order_up_to, most, data))
        reorder_point, order_up_to = min(reorder_point, most), most
    return reorder_point, order_up_to, tuple(parts)


def _whole_up(quantity: float, policy: ReorderPolicy) -> float:
    return float(math.ceil(quantity - 1e-9)) if policy.whole_units else quantity


Units = TypeVar("Units", float, FloatArray)


def normal_safety_stock(
    daily_deviation: Units,
    daily_mean: Units,
    protection_days: Units,
    lead_time_deviation_days: Units,
    service_level: float,
) -> Units:
    """Return the textbook safety stock: z sqrt(days sd^2 + mean^2 sd_lead^2), of one item or [S].

    Silver, Pyke and Thomas (2017), eq. for variable demand and lead time. Kept to compare with:
    demand of slow movers is not normal.
    """
    variance = protection_days * daily_deviation**2 + (daily_mean * lead_time_deviation_days) ** 2
    stock: Units = NormalDist().inv_cdf(service_level) * variance**0.5
    return stock


def _short(value: float) -> float:
    """Round for a sentence; the exact value is in the decision."""
    return round(value, 3)
