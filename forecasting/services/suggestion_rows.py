"""From a decision to the row on the work list, and to the row of what is blocked."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from forecasting.decisions.reorder import ReorderDecision
from forecasting.decisions.reorder_reasons import Reason
from forecasting.models import BlockedNeed, ForecastRun, ReorderSuggestion, SuggestionSource
from forecasting.queries.planning import PlanningWorld
from forecasting.services.reorder_record import decision_to_json
from forecasting.services.sources import Decided, sources_to_json
from inventory.models import Product

MILLIONTH = Decimal("0.000001")


def suggestion_row(forecast: ForecastRun, world: PlanningWorld, one: Decided) -> ReorderSuggestion:
    """Return the unsaved suggestion of a decision, with everything it came from."""
    decision = one.decision
    demand = decision.inputs.demand
    assert demand is not None  # noqa: S101  an order is never decided without demand
    position = decision.inputs.position.inventory_position
    safety = decision.safety_stock or 0.0
    quantity, price, value = _bought_or_moved(world, one)
    margin = float(decision.inputs.policy.lost_margin_per_unit or 0)
    short = demand.expected_shortage
    gain = margin * (short(position) - short(position + float(quantity)))
    both = one.both
    transfer = one.transfer or both
    return ReorderSuggestion(
        run_id=forecast.pk,
        product_id=one.product.pk,
        warehouse_id=one.warehouse_id,
        source=SuggestionSource(str(transfer.kind)) if transfer else SuggestionSource.BUY,
        from_warehouse_id=transfer.key if transfer else None,
        transfer_quantity=_exact(both.moved) if both else None,
        supplier_item_id=one.supply.item.pk if one.supply and (both or not transfer) else None,
        quantity=quantity,
        unit_price=price,
        order_value=value,
        order_by_on=_order_by(world.today, position, safety, demand),
        stockout_probability=decision.stockout_probability_before,
        reorder_point=decision.reorder_point or 0.0,
        order_up_to=decision.order_up_to or 0.0,
        safety_stock=safety,
        inventory_position=Decimal(str(round(position, 6))),
        binding_constraint=str(decision.binding_constraint or ""),
        reason_code=_reason_code(decision),
        inputs=decision_to_json(decision)
        | {
            "drafted": str(one.position.drafted),
            "origin": forecast.origin.isoformat(),
            "method": world.method[one.row],
            "method_reason": world.reason[one.row],
            "gain": round(gain, 2),
            "classes": "".join(world.classes[one.row]),
            "sources": sources_to_json(one.sources, world.book.freight.model),
        },
        priority=round(gain, 4),
    )


def blocked_row(
    forecast: ForecastRun, product: Product, warehouse_id: int, decision: ReorderDecision
) -> BlockedNeed:
    """Return the unsaved row that says why nothing can be ordered."""
    record = decision_to_json(decision)
    return BlockedNeed(
        run=forecast,
        product_id=product.pk,
        warehouse_id=warehouse_id,
        reason=str(decision.binding_constraint or ""),
        steps=[step for step in record["steps"] if step["change"] is None],
    )


def _exact(units: float) -> Decimal:
    return Decimal(str(units)).quantize(MILLIONTH)


def _bought_or_moved(
    world: PlanningWorld, one: Decided
) -> tuple[Decimal, Decimal | None, Decimal | None]:
    """Return quantity, unit price and value; what is moved has no price, its value is the move."""
    transfer, both, decision = one.transfer, one.both, one.decision
    if both is not None and decision.inputs.terms is not None:
        moved, bought = _exact(both.moved), _exact(both.quantity - both.moved)
        asked = decision.inputs.terms.unit_price_at(bought) or 0.0
        settings, unit_price = world.settings, _exact(asked)
        move = settings.transfer_cost + settings.transfer_cost_per_unit * moved
        return moved + bought, unit_price, (unit_price * bought + move).quantize(MILLIONTH)
    if transfer is not None:
        quantity = Decimal(str(transfer.quantity)).quantize(MILLIONTH)
        return quantity, None, (Decimal(str(transfer.moving)) * quantity).quantize(MILLIONTH)
    quantity = Decimal(str(decision.quantity))
    price = None if decision.unit_price is None else Decimal(str(decision.unit_price))
    return quantity, price, None if price is None else (price * quantity).quantize(MILLIONTH)


def _reason_code(decision: ReorderDecision) -> str:
    """Return what a list says in one word: urgent, waiting for a look, or simply due."""
    if decision.needs_confirmation:
        return "confirm"
    return "expedite" if decision.has_reason(Reason.EXPEDITE) else "below_reorder_point"


def _order_by(today: date, position: float, safety: float, demand: Any) -> date:
    """Return the last day on which an order still comes in time, at the pace of the forecast."""
    spare = position - demand.lead_time_demand - max(safety, 0.0)
    if demand.mean_daily <= 0 or spare <= 0:
        return today
    return today + timedelta(days=min(math.floor(spare / demand.mean_daily), 365))
