"""How much to order now, and why: one item's position, policy and supply terms against its demand.

`decide_reorder` is a pure function of `ReorderInputs`; the decision keeps them, so that `replay`
gives the same quantity for the same reasons years later.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from forecasting.decisions.lead_time_demand import ItemDemand
from forecasting.decisions.order_quantity import (
    FittedQuantity,
    HoldingCost,
    Limit,
    Quantity,
    fit_quantity,
)
from forecasting.decisions.reorder_checks import check_inputs
from forecasting.decisions.reorder_inputs import ReorderInputs, SupplyTerms
from forecasting.decisions.reorder_reasons import Explanation, Reason, ReasonPart, explain_parts
from forecasting.decisions.safety_stock import DAYS_PER_YEAR, StockLevels, stock_levels


class ReorderStatus(StrEnum):
    """What comes out of a decision."""

    ORDER = "order"
    ENOUGH = "enough"
    """Nothing to order now."""
    BLOCKED = "blocked"
    """An order may be needed, but someone must act first; the reasons say who and what."""


@dataclass(frozen=True)
class ReorderDecision:
    """A suggested order (or why there is none), with everything needed to explain and replay it.

    quantity: int for whole units, else Decimal; needed_quantity: before the supplier's terms.
    Levels and probabilities are None where they could not be computed.
    """

    key: str
    status: ReorderStatus
    quantity: Quantity
    needed_quantity: float
    needs_confirmation: bool
    reasons: tuple[ReasonPart, ...]
    inputs: ReorderInputs
    unit_price: float | None = None
    order_value: float | None = None
    reorder_point: float | None = None
    order_up_to: float | None = None
    safety_stock: float | None = None
    quantile: float | None = None
    expected_demand: float | None = None
    binding_constraint: Reason | None = None
    cost_of_too_much: float | None = None
    cost_of_too_little: float | None = None
    stockout_probability_before: float | None = None
    stockout_probability_after: float | None = None

    def explain(self) -> tuple[Explanation, ...]:
        """Return why the quantity is what it is, as sentence templates with values, in order."""
        return explain_parts(self.reasons)

    def has_reason(self, code: Reason) -> bool:
        """Say whether a reason is among those of the decision."""
        return any(one.code == code for one in self.reasons)


def replay(decision: ReorderDecision) -> ReorderDecision:
    """Return the decision made again from the inputs it keeps; equal to it, or the code changed."""
    return decide_reorder(decision.inputs)


def decide_reorder(inputs: ReorderInputs) -> ReorderDecision:
    """Return what to order of one item now, with status and reasons; never raises for bad terms."""
    check = check_inputs(inputs)
    demand, terms = inputs.demand, inputs.terms
    if check.ends or demand is None or terms is None:
        status = ReorderStatus.BLOCKED if check.blocked else ReorderStatus.ENOUGH
        return _without_order(inputs, status, check.parts)
    levels = stock_levels(demand, inputs.policy, terms)
    position = inputs.position.inventory_position
    if not _is_due(position, levels):
        enough = ReasonPart(
            Reason.ENOUGH_STOCK,
            data={"position": _short(position), "reorder_point": _short(levels.reorder_point)},
        )
        return _without_order(inputs, ReorderStatus.ENOUGH, (*check.parts, enough), levels=levels)
    season = _season_part(inputs, demand, levels, position)
    if season is not None and season.change is None:
        parts = (*check.parts, season)
        return _without_order(inputs, ReorderStatus.ENOUGH, parts, levels=levels)
    need = levels.order_up_to - position
    fitted = fit_quantity(
        need,
        terms,
        order_limits(inputs, demand, levels.reorder_point),
        HoldingCost(
            inputs.policy.holding_rate_per_year, demand.mean_daily, float(terms.fixed_order_cost)
        ),
        whole_units=inputs.policy.whole_units,
    )
    fitted = _raised_to_order_value(inputs, fitted)
    parts = (*levels.parts, _position_part(inputs, need), *fitted.parts, *check.parts)
    if fitted.blocked:
        parts = (*parts, fitted.blocked)
        return _without_order(inputs, ReorderStatus.BLOCKED, parts, levels=levels, need=need)
    idle = _without_order(inputs, ReorderStatus.ORDER, parts, levels=levels, need=need)
    below = any(part.code is Reason.BELOW_ORDER_VALUE for part in parts)
    return _with_order(idle, terms, fitted, confirm=check.confirm or below)


def _is_due(position: float, levels: StockLevels) -> bool:
    return position <= levels.reorder_point and position < levels.order_up_to


def sells_in_season(inputs: ReorderInputs, demand: ItemDemand, reorder_point: float) -> float:
    """Return what sells until the season ends, as cautiously as the reorder point is set.

    Expected demand until then, times the ratio of reorder point to expected demand.
    """
    days = float(inputs.policy.season_days or 0)
    expected = demand.lead_time_demand + demand.mean_daily * (days - demand.lead_time_days)
    caution = reorder_point / demand.mean if demand.mean > 0 else 1.0
    return max(expected, 0.0) * max(caution, 1.0)


def _season_part(
    inputs: ReorderInputs, demand: ItemDemand, levels: StockLevels, position: float
) -> ReasonPart | None:
    """Say that the season is over for an order, or covered; None where an order still pays."""
    days = inputs.policy.season_days
    if days is None:
        return None
    if days <= demand.lead_time_days:
        data = {"season_days": days, "lead_time_days": _short(demand.lead_time_days)}
        return ReasonPart(Reason.SEASON_OVER, data=data)
    sells = sells_in_season(inputs, demand, levels.reorder_point)
    if sells > position:
        return None
    data = {"position": _short(position), "reorder_point": _short(sells)}
    return ReasonPart(Reason.ENOUGH_STOCK, data=data)


def _raised_to_order_value(inputs: ReorderInputs, fitted: FittedQuantity) -> FittedQuantity:
    """Add the units that this line takes over so that the order reaches the supplier's least."""
    asked = inputs.order_value
    if asked is None or fitted.blocked:
        return fitted
    data = {"value": round(asked.value, 2), "minimum": round(asked.minimum, 2)}
    if not asked.added_units:
        return replace(
            fitted, parts=(*fitted.parts, ReasonPart(Reason.BELOW_ORDER_VALUE, data=data))
        )
    quantity = fitted.quantity + type(fitted.quantity)(asked.added_units)
    part = ReasonPart(Reason.MINIMUM_ORDER_VALUE, float(asked.added_units), float(quantity), data)
    return FittedQuantity(quantity, (*fitted.parts, part))


def order_limits(
    inputs: ReorderInputs, demand: ItemDemand, reorder_point: float
) -> tuple[Limit, ...]:
    """Return what an order may not exceed: a year, shelf life, room, the end of the season.

    A year's demand comes on top of what is owed already, and gives way to a minimum stock that
    somebody wants of what hardly sells.
    """
    policy, position = inputs.policy, inputs.position.inventory_position
    year = demand.mean_daily * DAYS_PER_YEAR
    limits = [
        Limit(
            Reason.YEAR_LIMIT,
            Reason.MINIMUM_ABOVE_YEAR,
            max(year, float(policy.minimum_stock or 0), 1.0) + max(-position, 0.0),
            {"year_demand": _short(year)},
        )
    ]
    if policy.shelf_life_days is not None:
        sells = demand.lead_time_demand + demand.mean_daily * policy.shelf_life_days
        limits.append(
            Limit(
                Reason.SHELF_LIFE,
                Reason.MINIMUM_ABOVE_SHELF_LIFE,
                sells - position,
                {"shelf_life_days": policy.shelf_life_days},
            )
        )
    if policy.maximum_stock is not None:
        limits.append(
            Limit(
                Reason.MAXIMUM_STOCK,
                Reason.MINIMUM_ABOVE_MAXIMUM,
                float(policy.maximum_stock) - position,
                {"maximum_stock": _short(float(policy.maximum_stock))},
            )
        )
    if policy.season_days is not None:
        sells = sells_in_season(inputs, demand, reorder_point)
        limits.append(
            Limit(
                Reason.SEASON_END,
                Reason.MINIMUM_ABOVE_SEASON,
                sells - position,
                {"season_days": policy.season_days, "sells": _short(sells)},
            )
        )
    return tuple(limits)


def most_that_fits(inputs: ReorderInputs, demand: ItemDemand, reorder_point: float) -> float:
    """Return the units that no limit of an order forbids, however they come."""
    return min(limit.quantity for limit in order_limits(inputs, demand, reorder_point))


def _position_part(inputs: ReorderInputs, need: float) -> ReasonPart:
    position = inputs.position
    return ReasonPart(
        Reason.POSITION,
        -position.inventory_position,
        need,
        {
            "on_hand": _short(float(position.on_hand)),
            "on_order": _short(float(position.on_order)),
            "in_transit": _short(float(position.in_transit)),
            "backordered": _short(float(position.backordered)),
            "allocated": _short(float(position.allocated)),
        },
    )


def _expedite(demand: ItemDemand, position: float) -> tuple[ReasonPart, ...]:
    short = demand.lead_time_demand - position
    if short <= 0:
        return ()
    data = {"short": _short(short), "lead_time_demand": _short(demand.lead_time_demand)}
    return (ReasonPart(Reason.EXPEDITE, data=data),)


def _with_order(
    idle: ReorderDecision, terms: SupplyTerms, fitted: FittedQuantity, *, confirm: bool
) -> ReorderDecision:
    demand = idle.inputs.demand
    assert demand is not None  # noqa: S101  an order is never decided without demand
    position = idle.inputs.position.inventory_position
    price = terms.unit_price_at(fitted.quantity)
    return replace(
        idle,
        quantity=fitted.quantity,
        needs_confirmation=confirm,
        reasons=(*idle.reasons, *_expedite(demand, position)),
        unit_price=price,
        order_value=None if price is None else price * float(fitted.quantity),
        binding_constraint=_binding(fitted),
        stockout_probability_after=demand.stockout_probability(position + float(fitted.quantity)),
    )


def _binding(fitted: FittedQuantity) -> Reason | None:
    changing = [part.code for part in fitted.parts if part.change is not None]
    return changing[-1] if changing else None


def _without_order(
    inputs: ReorderInputs,
    status: ReorderStatus,
    parts: tuple[ReasonPart, ...],
    *,
    levels: StockLevels | None = None,
    need: float = 0.0,
) -> ReorderDecision:
    before = (
        inputs.demand.stockout_probability(inputs.position.inventory_position)
        if inputs.demand and levels
        else None
    )
    return ReorderDecision(
        key=inputs.key,
        status=status,
        quantity=0,
        needed_quantity=need,
        needs_confirmation=False,
        reasons=parts,
        inputs=inputs,
        reorder_point=levels.reorder_point if levels else None,
        order_up_to=levels.order_up_to if levels else None,
        safety_stock=levels.safety_stock if levels else None,
        quantile=levels.quantile if levels else None,
        expected_demand=inputs.demand.mean if inputs.demand else None,
        binding_constraint=parts[-1].code if status is ReorderStatus.BLOCKED and parts else None,
        cost_of_too_much=levels.cost_of_too_much if levels else None,
        cost_of_too_little=levels.cost_of_too_little if levels else None,
        stockout_probability_before=before,
        stockout_probability_after=before,
    )


def _short(value: float) -> float:
    """Round for a sentence; the exact value is in the decision."""
    return round(value, 3)
