"""Buy or transfer: for every order that is due, each way to get the goods and what it costs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from forecasting.decisions.freight import FreightModel, FreightQuote
from forecasting.decisions.reorder import ReorderDecision, ReorderStatus
from forecasting.decisions.sourcing import (
    MoveCost,
    Need,
    SourceKind,
    SourceOption,
    Surplus,
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
        first = self.sources[0] if self.sources else None
        return first if first and first.kind is SourceKind.TRANSFER and not first.obstacle else None


def choose_sources(world: PlanningWorld, decided: list[Decided]) -> list[Decided]:
    """Compare, for every order due, buying at each offer with moving what others have too much of.

    The dearest need chooses first, and what it takes is gone for the next. A warehouse that orders
    a product itself gives none of it away, so that nothing moves in a circle.
    """
    surpluses = _surpluses(decided)
    orders = [one for one in decided if one.decision.status is ReorderStatus.ORDER]
    orders.sort(key=lambda one: (-(one.decision.order_value or 0.0), one.row))
    chosen: dict[int, tuple[SourceOption, ...]] = {}
    for one in orders:
        others = surpluses.get(one.product.pk, {})
        options = _options(world, one, others.values())
        chosen[one.row] = options
        taken = replace(one, sources=options).transfer
        if taken is not None:
            left = others[taken.key]
            others[taken.key] = replace(
                left, units=left.units - taken.quantity, position=left.position - taken.quantity
            )
    return [replace(one, sources=chosen.get(one.row, ())) for one in decided]


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
    world: PlanningWorld, one: Decided, surpluses: Iterable[Surplus]
) -> tuple[SourceOption, ...]:
    decision, policy = one.decision, world.policies[one.row]
    demand = decision.inputs.demand
    needed = decision.needed_quantity
    need = Need(
        units=math.ceil(needed - 1e-9) if one.product.whole_units else needed,
        unit_cost=float(unit_cost(one.product, one.supply) or 0),
        unit_margin=float(lost_sale_cost(one.product, one.supply, policy)),
        mean_daily=demand.mean_daily if demand else 0.0,
        position=decision.inputs.position.inventory_position,
        holding_rate_per_year=float(policy.holding_cost_per_year),
    )
    own = one.supply.item.pk if one.supply else 0
    offers = [
        buy_option(need, int(cost.supplier), cost)
        for cost in landed_costs(world, one.row, float(decision.quantity))
    ]
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
    return _taken_first(compare_sources([*offers, *moves]), own)


def _taken_first(options: tuple[SourceOption, ...], own: int) -> tuple[SourceOption, ...]:
    """Put what is done first: a transfer that is cheapest of all, else the supplier chosen."""
    ours = next((o for o in options if o.kind is SourceKind.BUY and o.key == own), None)
    first = options[0] if options else None
    cheaper = first is not None and first.kind is SourceKind.TRANSFER and not first.obstacle
    bought_at = None if ours is None or ours.obstacle else ours.total
    if cheaper and first is not None and (bought_at is None or first.total < bought_at):
        return options
    if ours is None:
        return options
    return (ours, *(option for option in options if option is not ours))


def sources_to_json(options: Iterable[SourceOption], model: FreightModel) -> list[dict[str, Any]]:
    """Return the table of ways as it is kept with the suggestion, and where freight is from."""
    return [
        {
            "kind": str(one.kind),
            "key": one.key,
            "quantity": one.quantity,
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
