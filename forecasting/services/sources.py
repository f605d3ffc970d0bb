"""Buy or transfer: for every order that is due, each way to get the goods and what it costs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from forecasting.decisions.freight import FreightModel, FreightQuote
from forecasting.decisions.reorder import ReorderDecision, ReorderStatus, most_that_fits
from forecasting.decisions.sourcing import (
    MoveCost,
    Need,
    SourceKind,
    SourceObstacle,
    SourceOption,
    Surplus,
    both_option,
    buy_option,
    compare_sources,
    transfer_option,
)
from forecasting.queries.planning import PlanningWorld, landed_costs, lost_sale_cost, unit_cost
from forecasting.queries.positions import Position
from forecasting.queries.supply import Supply
from inventory.models import Product


@dataclass(frozen=True)
class Decided:
    """A decision, what it was about, and the ways to get the goods, the one taken first."""

    row: int
    product: Product
    warehouse_id: int
    supply: Supply | None
    position: Position
    decision: ReorderDecision
    sources: tuple[SourceOption, ...] = ()

    @property
    def transfer(self) -> SourceOption | None:
        """Return the transfer that is cheaper than buying, or None."""
        return self._first(SourceKind.TRANSFER)

    @property
    def both(self) -> SourceOption | None:
        """Return the transfer of a part that is cheaper with the rest bought, or None."""
        return self._first(SourceKind.BOTH)

    def _first(self, kind: SourceKind) -> SourceOption | None:
        first = self.sources[0] if self.sources else None
        return first if first and first.kind is kind and not first.obstacle else None


def choose_sources(world: PlanningWorld, decided: list[Decided]) -> list[Decided]:
    """Compare, for every order due, buying at each offer with moving what others have too much of.

    The dearest need chooses first, and what it takes is gone for the next. A warehouse that orders
    a product itself gives none of it away, so that nothing moves in a circle.
    """
    surpluses = _surpluses(decided)
    orders = [one for one in decided if one.decision.status is ReorderStatus.ORDER]
    orders.sort(key=lambda one: (-(one.decision.order_value or 0.0), one.row))
    chosen: dict[int, tuple[SourceOption, ...]] = {}
    spare = _spare_values(orders)
    for one in orders:
        others = surpluses.get(one.product.pk, {})
        options = _options(world, one, others.values(), spare.get(_order_of(one), 0.0))
        chosen[one.row] = options
        made = replace(one, sources=options)
        taken = made.transfer or made.both
        if taken is not None:
            left = others[taken.key]
            others[taken.key] = replace(
                left, units=left.units - taken.moved, position=left.position - taken.moved
            )
            spare[_order_of(one)] = spare.get(_order_of(one), 0.0) - _value_off(one, taken)
    return [replace(one, sources=chosen.get(one.row, ())) for one in decided]


def bought_as(world: PlanningWorld, one: Decided, decision: ReorderDecision) -> Decided:
    """Return a line that stays bought by another decision, its offers compared at that quantity."""
    made = replace(one, decision=decision)
    moves = [way for way in one.sources if way.kind is not SourceKind.BUY]
    ways = compare_sources([*_offers(world, made, _need(world, made)), *moves])
    return replace(made, sources=_first(ways, _own_offer(made)))


def bought_value(one: Decided) -> float:
    """Return the value of what is bought of an order, at the supplier's prices."""
    taken = one.transfer or one.both
    return (one.decision.order_value or 0.0) - (_value_off(one, taken) if taken else 0.0)


def _order_of(one: Decided) -> tuple[int, int]:
    """Return which order a line would be part of: its supplier's, to its warehouse."""
    return (one.supply.item.supplier_id if one.supply else 0, one.warehouse_id)


def _spare_values(orders: Iterable[Decided]) -> dict[tuple[int, int], float]:
    """Return by how much each order is above its supplier's least value; no least: endlessly."""
    found: dict[tuple[int, int], float] = {}
    for one in orders:
        if one.supply is None:
            continue
        least = float(one.supply.item.supplier.minimum_order_value)
        before = found.get(_order_of(one), -least if least > 0 else math.inf)
        found[_order_of(one)] = before + (one.decision.order_value or 0.0)
    return found


def _value_off(one: Decided, taken: SourceOption) -> float:
    """Return the value that the supplier's order loses by what is moved instead."""
    value = one.decision.order_value or 0.0
    terms = one.decision.inputs.terms
    bought = taken.quantity - taken.moved
    if bought <= 0 or terms is None:
        return value
    return value - bought * (terms.unit_price_at(bought) or 0.0)


def _surpluses(decided: Iterable[Decided]) -> dict[int, dict[int, Surplus]]:
    """Return, by product and warehouse, what is free beyond the warehouse's own target."""
    found: dict[int, dict[int, Surplus]] = defaultdict(dict)
    for one in decided:
        decision, position = one.decision, one.position
        demand = decision.inputs.demand
        if decision.status is ReorderStatus.ORDER or demand is None or not position.is_kept:
            continue
        target = decision.order_up_to
        if target is None:
            target = demand.at(float(decision.inputs.policy.service_level or 0.95))
        there = decision.inputs.position.inventory_position - float(position.outgoing)
        units = min(there - target, float(position.free - position.outgoing))
        if one.product.whole_units:
            units = math.floor(units + 1e-9)
        if units > 0:
            found[one.product.pk][one.warehouse_id] = Surplus(
                one.warehouse_id, float(units), there, demand.mean_daily
            )
    return found


def _options(
    world: PlanningWorld, one: Decided, surpluses: Iterable[Surplus], spare: float
) -> tuple[SourceOption, ...]:
    need = _need(world, one)
    settings = world.settings
    move = MoveCost(
        float(settings.transfer_cost),
        float(settings.transfer_cost_per_unit),
        float(settings.transfer_days),
    )
    moves = [
        transfer_option(need, surplus, move)
        for surplus in surpluses
        if surplus.units > 0 and surplus.warehouse_id != one.warehouse_id
    ]
    both = _part_and_rest(world, one, need, moves, spare)
    ways = compare_sources([*_offers(world, one, need), *moves, *both])
    return _taken_first(ways, _own_offer(one))


def _own_offer(one: Decided) -> int:
    return one.supply.item.pk if one.supply else 0


def _need(world: PlanningWorld, one: Decided) -> Need:
    """Return what is needed; not what could not be sold in time or kept, however it came."""
    decision, policy = one.decision, world.policies[one.row]
    demand = decision.inputs.demand
    units, fits = decision.needed_quantity, math.inf
    if demand is not None and decision.reorder_point is not None:
        fits = most_that_fits(decision.inputs, demand, decision.reorder_point)
    if one.product.whole_units:
        units, fits = math.ceil(units - 1e-9), math.floor(fits + 1e-9)
    return Need(
        units=min(units, fits),
        unit_cost=float(unit_cost(one.product, one.supply) or 0),
        unit_margin=float(lost_sale_cost(one.product, one.supply, policy)),
        mean_daily=demand.mean_daily if demand else 0.0,
        position=decision.inputs.position.inventory_position,
        holding_rate_per_year=float(policy.holding_cost_per_year),
    )


def _offers(world: PlanningWorld, one: Decided, need: Need) -> list[SourceOption]:
    costs = landed_costs(world, one.row, float(one.decision.quantity))
    return [buy_option(need, int(cost.supplier), cost) for cost in costs]


def _part_and_rest(
    world: PlanningWorld,
    one: Decided,
    need: Need,
    moves: Iterable[SourceOption],
    spare: float,
) -> list[SourceOption]:
    """Return the move of the largest part with the rest bought at the own supplier, if any.

    It is no way where the rest and the part come to more than buying everything, or where the
    order falls below the supplier's least value.
    """
    parts = [move for move in moves if move.obstacle == SourceObstacle.COVERS_PART]
    if one.supply is None or not parts:
        return []
    largest = max(parts, key=lambda move: (move.moved, -move.key))
    costs = landed_costs(world, one.row, need.units - largest.moved)
    own = next(cost for cost in costs if int(cost.supplier) == one.supply.item.pk)
    rest = buy_option(need, one.supply.item.pk, own)
    if rest.quantity <= 0:
        return []
    option = both_option(need, largest, rest)
    if option.obstacle:
        return []
    if option.quantity > float(one.decision.quantity) + 1e-9:
        option = replace(option, obstacle=SourceObstacle.REST_TOO_SMALL)
    elif _value_off(one, option) > spare:
        option = replace(option, obstacle=SourceObstacle.BELOW_ORDER_VALUE)
    return [option]


def _taken_first(options: tuple[SourceOption, ...], own: int) -> tuple[SourceOption, ...]:
    """Put what is done first: a way with a transfer that is cheapest, else the supplier chosen."""
    ours = next((o for o in options if o.kind is SourceKind.BUY and o.key == own), None)
    first = options[0] if options else None
    cheaper = first is not None and first.kind is not SourceKind.BUY and not first.obstacle
    bought_at = None if ours is None or ours.obstacle else ours.total
    if cheaper and first is not None and (bought_at is None or first.total < bought_at):
        return options
    return _first(options, own)


def _first(options: tuple[SourceOption, ...], own: int) -> tuple[SourceOption, ...]:
    """Put the offer that is bought at first, where it is among the options."""
    ours = [o for o in options if o.kind is SourceKind.BUY and o.key == own]
    return (*ours, *(option for option in options if option not in ours))


def sources_to_json(options: Iterable[SourceOption], model: FreightModel) -> list[dict[str, Any]]:
    """Return the table of ways as it is kept with the suggestion, and where freight is from."""
    return [
        {
            "kind": str(one.kind),
            "key": one.key,
            "quantity": one.quantity,
            "moved": one.moved,
            "bought_from": one.bought_from,
            "days": round(one.days, 2),
            "goods": round(one.goods, 6),
            "moving": round(one.moving, 6),
            "keeping": round(one.keeping, 6),
            "waiting": round(one.waiting, 6),
            "total": round(one.total, 6),
            "obstacle": str(one.obstacle),
            "freight": _freight_to_json(one.freight, model),
        }
        for one in options
    ]


def _freight_to_json(quote: FreightQuote | None, model: FreightModel) -> dict[str, Any] | None:
    if quote is None:
        return None
    return {
        "basis": str(quote.basis),
        "mode": quote.mode,
        "per_unit": round(quote.per_unit, 6),
        "delivery_weight": quote.delivery_weight and round(quote.delivery_weight, 3),
        "delivery_cost": quote.delivery_cost and round(quote.delivery_cost, 2),
        "deliveries": model.deliveries,
        "error": model.error and round(model.error, 4),
    }
