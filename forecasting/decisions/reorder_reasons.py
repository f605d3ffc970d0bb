"""The reasons of a reorder decision: codes, the numbers behind them, and their sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why a decision is as it is; stable codes, shown through SENTENCES."""

    # what the quantity is made of
    EXPECTED_DEMAND = "expected_demand"
    SAFETY_STOCK = "safety_stock"
    ORDER_CYCLE = "order_cycle"
    POSITION = "position"
    MINIMUM_STOCK = "minimum_stock"
    MAXIMUM_STOCK = "maximum_stock"
    SHELF_LIFE = "shelf_life"
    MINIMUM_ORDER_QUANTITY = "minimum_order_quantity"
    ORDER_MULTIPLE = "order_multiple"
    PRICE_BREAK = "price_break"
    WHOLE_UNIT = "whole_unit"
    YEAR_LIMIT = "year_limit"
    BUDGET = "budget"
    SEASON_END = "season_end"
    MINIMUM_ORDER_VALUE = "minimum_order_value"
    # why nothing is ordered
    ENOUGH_STOCK = "enough_stock"
    DO_NOT_STOCK = "do_not_stock"
    NO_DEMAND = "no_demand"
    SEASON_OVER = "season_over"
    # why nothing can be ordered before someone acts
    NO_SUPPLIER = "no_supplier"
    NO_PRICE = "no_price"
    NO_LEAD_TIME = "no_lead_time"
    NO_FORECAST = "no_forecast"
    STALE_FORECAST = "stale_forecast"
    INVALID_TERMS = "invalid_terms"
    CURRENCY_MIXED = "currency_mixed"
    MINIMUM_ABOVE_YEAR = "minimum_above_year"
    MINIMUM_ABOVE_SHELF_LIFE = "minimum_above_shelf_life"
    MINIMUM_ABOVE_MAXIMUM = "minimum_above_maximum"
    MINIMUM_ABOVE_SEASON = "minimum_above_season"
    # what to know besides
    BASELINE_FORECAST = "baseline_forecast"
    BEYOND_HORIZON = "beyond_horizon"
    COSTS_UNUSABLE = "costs_unusable"
    EXPEDITE = "expedite"
    BELOW_ORDER_VALUE = "below_order_value"


SENTENCES: Mapping[Reason, str] = {
    Reason.EXPECTED_DEMAND: "Expected demand over the next {protection_days} days "
    "({lead_time_days} days lead time and {review_period_days} days until the next order): "
    "{change}.",
    Reason.SAFETY_STOCK: "Safety stock so that demand is covered with a probability of "
    "{quantile}: {change}.",
    Reason.ORDER_CYCLE: "Ordering {cycle_quantity} at a time balances the cost of an order "
    "with holding stock: {change} more.",
    Reason.POSITION: "Minus what is there or coming: {on_hand} on hand, {on_order} on order, "
    "{in_transit} in transit, less {allocated} allocated and {backordered} backordered: {change}.",
    Reason.MINIMUM_STOCK: "Raised to the minimum stock of {minimum_stock}: {change}.",
    Reason.MAXIMUM_STOCK: "Limited by the maximum stock of {maximum_stock}: {change}.",
    Reason.SHELF_LIFE: "Limited to what sells within the shelf life of {shelf_life_days} days: "
    "{change}.",
    Reason.MINIMUM_ORDER_QUANTITY: "Raised to the supplier's minimum of "
    "{minimum_order_quantity}: {change}.",
    Reason.ORDER_MULTIPLE: "Rounded to a multiple of {order_multiple}: {change}.",
    Reason.PRICE_BREAK: "From {from_quantity} the unit price is {unit_price} instead of "
    "{regular_price}, which saves {saving} after holding cost: {change}.",
    Reason.WHOLE_UNIT: "Rounded to whole units: {change}.",
    Reason.YEAR_LIMIT: "Limited to one year of demand ({year_demand}): {change}.",
    Reason.BUDGET: "Limited by the budget of {budget}: {change}.",
    Reason.SEASON_END: "Limited to what sells until the season ends in {season_days} days "
    "({sells}): {change}.",
    Reason.MINIMUM_ORDER_VALUE: "The order to this supplier comes to {value}, the least is "
    "{minimum}: this line takes its part of the difference, as it is sold soonest: {change}.",
    Reason.SEASON_OVER: "The season ends in {season_days} days, an order takes {lead_time_days}: "
    "it would come too late to be sold.",
    Reason.MINIMUM_ABOVE_SEASON: "The supplier's minimum of {minimum_order_quantity} is more than "
    "sells until the season ends in {season_days} days ({limit}).",
    Reason.BELOW_ORDER_VALUE: "The order to this supplier comes to {value}, below its least of "
    "{minimum}, and more cannot be sold in time: ask for an exception, or wait.",
    Reason.ENOUGH_STOCK: "The position of {position} is above the reorder point of "
    "{reorder_point}: nothing to order now.",
    Reason.DO_NOT_STOCK: "The policy says not to stock this product.",
    Reason.NO_DEMAND: "No demand is expected.",
    Reason.NO_SUPPLIER: "No supplier is set: add one with price and lead time.",
    Reason.NO_PRICE: "The supplier's price is missing: the value of the order is unknown until "
    "it is added.",
    Reason.NO_LEAD_TIME: "The lead time is unknown or above a year: state it, or receive an "
    "order first.",
    Reason.NO_FORECAST: "There is no forecast for this product: run a forecast first.",
    Reason.STALE_FORECAST: "The forecast is out of date: confirm to order anyway, or forecast "
    "again.",
    Reason.INVALID_TERMS: "{field} is {value}: correct it at the supplier or the policy.",
    Reason.CURRENCY_MIXED: "The price is in {price_currency}, the policy in {policy_currency}: "
    "give both in one currency.",
    Reason.MINIMUM_ABOVE_YEAR: "The supplier's minimum of {minimum_order_quantity} is above the "
    "demand of a year ({year_demand}).",
    Reason.MINIMUM_ABOVE_SHELF_LIFE: "The supplier's minimum of {minimum_order_quantity} is more "
    "than sells within the shelf life of {shelf_life_days} days ({limit}).",
    Reason.MINIMUM_ABOVE_MAXIMUM: "The supplier's minimum of {minimum_order_quantity} does not "
    "fit under the maximum stock of {maximum_stock} ({limit} free).",
    Reason.BASELINE_FORECAST: "The forecast comes from a simple method, not from a network.",
    Reason.BEYOND_HORIZON: "The {protection_days} days to cover reach beyond the forecast; its "
    "last weeks were repeated.",
    Reason.COSTS_UNUSABLE: "The costs of too much and too little cannot decide ({too_little} and "
    "{too_much} per unit): a service level of {service_level} was used.",
    Reason.EXPEDITE: "An order placed now comes too late for {short} of the {lead_time_demand} "
    "expected until it arrives: ask for a faster delivery or move stock.",
}
"""English sentence of every reason, to be translated; the names in braces are in the data."""

UNSAID: Mapping[Reason, Mapping[str, Any]] = {Reason.POSITION: {"allocated": 0}}
"""What records do not say that were written before orders held stock."""


@dataclass(frozen=True)
class ReasonPart:
    """One step of a decision: what changed the quantity, by how much, to what.

    change and quantity are None where a part only informs.
    """

    code: Reason
    change: float | None = None
    quantity: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """A sentence template and its values, ready to be translated and filled in."""

    code: Reason
    template: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return self.template.format(**self.values)


def explain_parts(parts: Sequence[ReasonPart]) -> tuple[Explanation, ...]:
    """Return the sentences of the reasons, in order."""
    return tuple(
        Explanation(
            one.code,
            SENTENCES[one.code],
            {**UNSAID.get(one.code, {}), **one.data, "change": _signed(one.change)},
        )
        for one in parts
    )


def _signed(change: float | None) -> str:
    if change is None:
        return ""
    return f"{change:+.6g}"
