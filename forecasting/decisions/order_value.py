"""Reaching a supplier's least order value with what is sold soonest, never beyond a limit."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import replace

from forecasting.decisions.order_quantity import order_lattice
from forecasting.decisions.reorder import ReorderDecision, decide_reorder, most_that_fits
from forecasting.decisions.reorder_inputs import OrderValue

ATTEMPTS = 20
"""What is added can reach a price break, and all of the line is cheaper: then more is missing."""
SLACK = 1e-6


def reach_order_value(
    decisions: Sequence[ReorderDecision], minimum: float, besides: float = 0.0
) -> tuple[ReorderDecision, ...]:
    """Return the lines of one order, raised until it comes to the supplier's least value.

    besides: the value of lines of the same order that are not to be raised.

    Step by step (a review period's demand, in multiples) the line with the shortest cover is
    raised, up to what its own limits allow. Where even that does not reach the least, all lines
    stay as they are and say so. Lines without a price do not count and are not raised.
    """
    value = _value(decisions) + besides
    if value >= minimum or minimum <= 0:
        return tuple(decisions)
    missing = minimum - value
    for _attempt in range(ATTEMPTS):
        added = _added_units(decisions, missing)
        if added is None:
            break
        raised = tuple(
            decide_reorder(replace(one.inputs, order_value=OrderValue(minimum, value, units)))
            if (units := added.get(one.key, 0))
            else one
            for one in decisions
        )
        short = minimum - _value(raised) - besides
        if short <= SLACK:
            return raised
        missing += short
    asked = OrderValue(minimum, value)
    return tuple(decide_reorder(replace(one.inputs, order_value=asked)) for one in decisions)


def _value(decisions: Iterable[ReorderDecision]) -> float:
    return sum(one.order_value or 0.0 for one in decisions)


def _added_units(decisions: Sequence[ReorderDecision], missing: float) -> dict[str, float] | None:
    """Units to add by key; None where the limits do not allow as much value as is missing."""
    room = {one.key: _room(one) for one in decisions}
    added: dict[str, float] = {}
    heap = [(_cover_days(one, 0.0), index) for index, one in enumerate(decisions) if one.unit_price]
    heapq.heapify(heap)
    while missing > 1e-9 and heap:
        _, index = heapq.heappop(heap)
        one = decisions[index]
        price = one.unit_price or 0.0
        step = min(_step(one), _steps_for(one, missing / price))
        so_far = added.get(one.key, 0.0)
        if so_far + step > room[one.key] + 1e-9:
            continue
        added[one.key] = so_far + step
        missing -= step * price
        heapq.heappush(heap, (_cover_days(one, so_far + step), index))
    return None if missing > 1e-9 else added


def _cover_days(one: ReorderDecision, added: float) -> float:
    demand = one.inputs.demand
    rate = demand.mean_daily if demand else 0.0
    there = one.inputs.position.inventory_position + float(one.quantity) + added
    return there / rate if rate > 0 else float("inf")


def _room(one: ReorderDecision) -> float:
    """What the limits leave above the quantity decided on."""
    demand = one.inputs.demand
    if demand is None or one.reorder_point is None:
        return 0.0
    return most_that_fits(one.inputs, demand, one.reorder_point) - float(one.quantity)


def _step(one: ReorderDecision) -> float:
    demand = one.inputs.demand
    return _steps_for(one, (demand.mean_daily if demand else 0.0) * 7)


def _steps_for(one: ReorderDecision, units: float) -> float:
    """Round units up to whole multiples of what the supplier sells."""
    if one.inputs.terms is None:
        return 0.0
    lattice = order_lattice(one.inputs.terms, whole_units=one.inputs.policy.whole_units)
    multiple = float(lattice.multiple)
    if lattice.whole:
        multiple = max(multiple, 1.0)
    return max(-(-units // multiple), 1.0) * multiple
