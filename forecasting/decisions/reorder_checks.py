"""What must hold before an order can be decided; every failure is a reason, none an exception."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from forecasting.decisions.reorder_inputs import ForecastState, ReorderInputs
from forecasting.decisions.reorder_reasons import Reason, ReasonPart


@dataclass(frozen=True)
class InputCheck:
    """Reasons found in the inputs; `ends`: no quantity is computed; `blocked`: someone must act."""

    parts: tuple[ReasonPart, ...]
    ends: bool = False
    blocked: bool = False
    confirm: bool = False


def check_inputs(inputs: ReorderInputs) -> InputCheck:
    """Return what is wrong with the inputs of a decision, and whether it can be made at all."""
    if inputs.policy.do_not_stock:
        return InputCheck((ReasonPart(Reason.DO_NOT_STOCK),), ends=True)
    blockers = tuple(_blockers(inputs))
    if blockers:
        return InputCheck(blockers, ends=True, blocked=True)
    if _sells_nothing(inputs):
        return InputCheck((ReasonPart(Reason.NO_DEMAND),), ends=True)
    cautions = tuple(_cautions(inputs))
    notes = tuple(_notes(inputs))
    return InputCheck((*cautions, *notes), confirm=bool(cautions))


def _blockers(inputs: ReorderInputs) -> Iterator[ReasonPart]:
    if inputs.terms is None:
        yield ReasonPart(Reason.NO_SUPPLIER)
    elif not inputs.terms.lead_time_known:
        yield ReasonPart(Reason.NO_LEAD_TIME)
    if inputs.demand is None or inputs.forecast_state is ForecastState.MISSING:
        yield ReasonPart(Reason.NO_FORECAST)
    for name, value, allowed in _numbers(inputs):
        if not allowed:
            yield ReasonPart(Reason.INVALID_TERMS, data={"field": name, "value": value})
    mine, theirs = inputs.policy.currency, inputs.terms.currency if inputs.terms else ""
    if mine and theirs and mine != theirs:
        data = {"price_currency": theirs, "policy_currency": mine}
        yield ReasonPart(Reason.CURRENCY_MIXED, data=data)


def _numbers(inputs: ReorderInputs) -> Iterator[tuple[str, float, bool]]:
    """Name, value and validity of every number that could be nonsense."""
    position, policy, terms = inputs.position, inputs.policy, inputs.terms
    for name in ("on_hand", "on_order", "in_transit", "backordered", "allocated"):
        value = float(getattr(position, name))
        yield name, value, math.isfinite(value) and (value >= 0 or name == "on_hand")
    for name in ("service_level", "fill_rate"):
        share = getattr(policy, name)
        if share is not None:
            yield name, share, 0 < share < 1
    optional = ("lost_margin_per_unit", "minimum_stock", "maximum_stock", "shelf_life_days")
    for name in (*optional, "holding_rate_per_year", "review_period_days"):
        if getattr(policy, name) is not None:
            value = float(getattr(policy, name))
            yield name, value, math.isfinite(value) and value >= 0
    if terms is None:
        return
    for name in ("unit_price", "minimum_order_quantity", "fixed_order_cost",
                 "transport_cost_per_unit"):  # fmt: skip
        if getattr(terms, name) is not None:
            value = float(getattr(terms, name))
            yield name, value, math.isfinite(value) and value >= 0
    for one in terms.price_breaks:
        value = float(one.unit_price)
        yield "price break", value, math.isfinite(value) and value >= 0
    multiple = float(terms.order_multiple)
    whole = not policy.whole_units or multiple.is_integer()
    yield "order_multiple", multiple, math.isfinite(multiple) and multiple > 0 and whole


def _sells_nothing(inputs: ReorderInputs) -> bool:
    demand = inputs.demand
    return (
        demand is not None
        and demand.values[-1] <= 0
        and not float(inputs.policy.minimum_stock or 0) > 0
        and float(inputs.position.backordered) <= 0
    )


def _cautions(inputs: ReorderInputs) -> Iterator[ReasonPart]:
    """What somebody should confirm before the order is placed."""
    if inputs.forecast_state is ForecastState.STALE and not inputs.policy.confirmed:
        yield ReasonPart(Reason.STALE_FORECAST)
    if inputs.terms and inputs.terms.unit_price is None:
        yield ReasonPart(Reason.NO_PRICE)
    elif inputs.terms and float(inputs.terms.unit_price or 0) == 0:
        yield ReasonPart(Reason.INVALID_TERMS, data={"field": "unit_price", "value": 0})


def _notes(inputs: ReorderInputs) -> Iterator[ReasonPart]:
    if inputs.forecast_state is ForecastState.BASELINE:
        yield ReasonPart(Reason.BASELINE_FORECAST)
    if inputs.demand and inputs.demand.beyond_horizon:
        data = {"protection_days": round(inputs.demand.protection_days, 1)}
        yield ReasonPart(Reason.BEYOND_HORIZON, data=data)
