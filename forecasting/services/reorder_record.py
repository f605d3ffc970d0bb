"""A reorder decision as JSON and back: what a suggestion keeps to make its number again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext

from forecasting.decisions.lead_time_demand import ItemDemand
from forecasting.decisions.reorder import ReorderDecision, decide_reorder
from forecasting.decisions.reorder_inputs import (
    ForecastState,
    OrderValue,
    PriceBreak,
    ReorderInputs,
    ReorderPolicy,
    StockPosition,
    SupplyTerms,
)
from forecasting.decisions.reorder_reasons import SENTENCES, Reason
from forecasting.models import ReorderSuggestion, SuggestionSource

_SUPPLY_NUMBERS = (
    "unit_price",
    "minimum_order_quantity",
    "order_multiple",
    "fixed_order_cost",
    "transport_cost_per_unit",
)

_AS_IT_IS = frozenset({float, int, bool, str})


def decision_to_json(decision: ReorderDecision) -> dict[str, Any]:
    """Return the inputs and the steps of a decision as JSON; exact numbers as text."""
    inputs = _plain(decision.inputs)
    steps = [
        {
            "code": str(part.code),
            "change": part.change,
            "quantity": part.quantity,
            "data": _plain(dict(part.data)),
        }
        for part in decision.reasons
    ]
    return {
        "inputs": inputs,
        "steps": steps,
        "quantile": decision.quantile,
        "expected_demand": decision.expected_demand,
        "needed_quantity": decision.needed_quantity,
        "cost_of_too_much": decision.cost_of_too_much,
        "cost_of_too_little": decision.cost_of_too_little,
        "stockout_probability_after": decision.stockout_probability_after,
    }


def inputs_from_json(data: dict[str, Any]) -> ReorderInputs:
    """Return the inputs a decision was made from."""
    terms, demand = data["terms"], data["demand"]
    return ReorderInputs(
        key=data["key"],
        position=StockPosition(**{k: _number(v) for k, v in data["position"].items()}),
        policy=ReorderPolicy(**{k: _policy_value(k, v) for k, v in data["policy"].items()}),
        terms=None if terms is None else _terms(terms),
        demand=None
        if demand is None
        else ItemDemand(**{**demand, "values": tuple(demand["values"])}),
        forecast_state=ForecastState(data["forecast_state"]),
        order_value=_order_value(data.get("order_value")),
    )


def decide_again(record: dict[str, Any]) -> ReorderDecision:
    """Make the decision again from what its suggestion kept."""
    return decide_reorder(inputs_from_json(record["inputs"]))


UNREADABLE = (KeyError, TypeError, ValueError, StopIteration)
"""What reading a record raises that an older version kept in another form."""


@dataclass(frozen=True)
class Replay:
    """A quantity decided again from what its suggestion kept, beside the one that was decided.

    again: None where the record is of an older form that the rules cannot read.
    """

    kept: Decimal
    again: Decimal | None

    @property
    def is_same(self) -> bool:
        return self.kept == self.again


def replay(suggestion: ReorderSuggestion) -> Replay:
    """Decide again what a suggestion orders; where it moves something, what buying would need.

    A difference says that the rules, or the record, have changed since.
    """
    kept = suggestion.quantity
    try:
        if suggestion.source != SuggestionSource.BUY:
            told = [step["quantity"] for step in suggestion.inputs["steps"]]
            kept = Decimal(str(next(one for one in reversed(told) if one is not None)))
        return Replay(kept, Decimal(str(decide_again(suggestion.inputs).quantity)))
    except UNREADABLE:
        return Replay(kept, None)


def sentences(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a decision for people: sentence, change and running quantity."""
    return [
        {
            "code": step["code"],
            "text": _sentence(step),
            "change": step["change"],
            "quantity": step["quantity"],
        }
        for step in record["steps"]
    ]


def _sentence(step: dict[str, Any]) -> str:
    template = gettext(SENTENCES[Reason(step["code"])])
    change = step["change"]
    written = {key: _written(key, value) for key, value in step["data"].items()}
    sentence = template.format(**written, change="" if change is None else f"{change:+,.4g}")
    # the change has a column of its own beside the sentence
    return sentence.split(f": {change:+,.4g}")[0] + "." if change is not None else sentence


def _written(key: str, value: Any) -> str:
    if key in {"quantile", "probability", "service_level"} and isinstance(value, float):
        return f"{value:.1%}"
    if not isinstance(value, float):
        return str(value)
    return f"{round(value, 1) if key.endswith('_days') else value:,.6g}"


def _terms(data: dict[str, Any]) -> SupplyTerms:
    numbers = {name: _number(data[name]) for name in _SUPPLY_NUMBERS}
    steps = tuple(
        PriceBreak(_number(step["from_quantity"]), _number(step["unit_price"]))
        for step in data["price_breaks"]
    )
    return SupplyTerms(
        **numbers,
        price_breaks=steps,
        currency=data["currency"],
        lead_time_known=data["lead_time_known"],
    )


def _order_value(data: dict[str, Any] | None) -> OrderValue | None:
    return None if data is None else OrderValue(**{k: _number(v) for k, v in data.items()})


def _policy_value(name: str, value: Any) -> Any:
    return value if name == "currency" else _number(value)


def _number(value: Any) -> Any:
    """Texts are exact decimals; everything else is what it was."""
    return Decimal(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """Return dataclasses, mappings and sequences as JSON holds them; exact numbers as text.

    The common kinds come first: a large tenant's suggestions pass millions of values here.
    """
    kind: Any = type(value)
    if value is None or kind in _AS_IT_IS:
        return value
    if kind is Decimal or kind is ForecastState:
        return str(value)
    if kind is dict:
        return {key: _plain(item) for key, item in value.items()}
    if kind is tuple or kind is list:
        if value and all(type(item) is float for item in value):
            return list(value)
        return [_plain(item) for item in value]
    if is_dataclass(value):
        names, read = _reader(kind)
        return {
            name: item if item is None or type(item) in _AS_IT_IS else _plain(item)
            for name, item in zip(names, read(value), strict=True)
        }
    return value


@cache
def _reader(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """Return the names of a dataclass's fields and what reads them all at once."""
    names = tuple(one.name for one in fields(kind))
    return names, attrgetter(*names)
