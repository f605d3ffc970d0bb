"""Reorder suggestions: made from forecasts for every product and warehouse, decided by planners."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from forecasting.decisions.reorder import ReorderDecision, ReorderStatus, decide_reorder
from forecasting.decisions.reorder_inputs import (
    ForecastState,
    ReorderInputs,
    ReorderPolicy,
    StockPosition,
    SupplyTerms,
)
from forecasting.decisions.reorder_reasons import Reason
from forecasting.models import ForecastRun, ReorderSuggestion, SuggestionState
from forecasting.queries.forecasts import latest_run
from forecasting.queries.planning import PlanningWorld, read_world, unit_margin
from forecasting.queries.positions import Position
from forecasting.queries.supply import Supply
from forecasting.services.reorder_record import decision_to_json
from forecasting.services.work_lists import one_at_a_time
from inventory.models import Product
from tenancy.services.jobs import JobFailed, JobRun

KIND = "make_suggestions"
DISMISSED_FOR_DAYS = 7
DISMISSED_GROWTH = Decimal("1.5")
"""A dismissed need comes back after a week, or at once when it has grown by half."""
SERVED_BY_CONTEST = "contest"


@dataclass(frozen=True)
class _Decided:
    """A decision and what it was about."""

    row: int
    product: Product
    warehouse_id: int
    supply: Supply | None
    position: Position
    decision: ReorderDecision


def make_suggestions(run: JobRun) -> dict[str, Any]:
    """Decide for every product and warehouse what to order now, and put it on the work list.

    Open suggestions whose need is gone or changed are superseded; snoozed and recently dismissed
    ones are respected; what is in draft orders counts as ordered. Returns counts.
    Raises ``JobFailed`` without a forecast.
    """
    run.progress(0, 3, _("Reading stock, orders and suppliers"))
    with run.scope():
        forecast = latest_run()
        if forecast is None:
            raise JobFailed(_("There is no forecast yet. Forecast first, then suggest orders."))
        world = read_world(forecast)
    if world is None:
        raise JobFailed(_("No product in use has demand: there is nothing to order."))
    run.progress(1, 3, _("Deciding %(count)d orders") % {"count": len(world.keys)})
    decided = decide_all(world)
    run.progress(2, 3, _("Updating the work list"))
    with run.publishing():
        return _publish(forecast, world, decided)


def decide_all(world: PlanningWorld) -> list[_Decided]:
    """Decide every product and warehouse of the world."""
    decided = []
    for row, key in enumerate(world.keys):
        product, supply, position = world.products[row], world.supplies[row], world.positions[row]
        inputs = ReorderInputs(
            key=key.series_id,
            position=StockPosition(
                on_hand=position.on_hand,
                allocated=position.allocated,
                on_order=position.on_order + position.drafted,
                in_transit=position.in_transit,
                backordered=position.backordered,
            ),
            policy=_policy(world, row),
            terms=_terms(supply, world.currency),
            demand=world.demand.item(row),
            forecast_state=_forecast_state(world.reason[row], stale=world.is_stale),
        )
        decision = decide_reorder(inputs)
        decided.append(_Decided(row, product, key.warehouse_id, supply, position, decision))
    return decided


def _forecast_state(reason: str, *, stale: bool) -> ForecastState:
    if stale:
        return ForecastState.STALE
    return ForecastState.FRESH if reason == SERVED_BY_CONTEST else ForecastState.BASELINE


def _policy(world: PlanningWorld, row: int) -> ReorderPolicy:
    product, policy = world.products[row], world.policies[row]
    return ReorderPolicy(
        service_level=float(policy.cycle_service_level),
        lost_margin_per_unit=unit_margin(product, world.supplies[row]),
        holding_rate_per_year=float(policy.holding_cost_per_year),
        review_period_days=policy.review_period_days,
        minimum_stock=policy.minimum_stock,
        maximum_stock=policy.maximum_stock,
        shelf_life_days=product.shelf_life_days,
        do_not_stock=policy.do_not_stock,
        whole_units=product.whole_units,
        currency=world.currency,
    )


def _terms(supply: Supply | None, currency: str) -> SupplyTerms | None:
    if supply is None:
        return None
    item = supply.item
    return SupplyTerms(
        unit_price=item.price,
        minimum_order_quantity=item.minimum_order_quantity,
        order_multiple=item.order_multiple,
        price_breaks=supply.price_steps,
        transport_cost_per_unit=item.transport_cost_per_unit,
        currency=item.supplier.currency or currency,
        lead_time_known=supply.lead_time_known,
    )


# -- the work list --------------------------------------------------------------------------------
def _publish(
    forecast: ForecastRun, world: PlanningWorld, decided: list[_Decided]
) -> dict[str, Any]:
    """Bring the open suggestions in line with the decisions; return counts."""
    one_at_a_time("suggestions")
    open_rows = {
        (row.product_id, row.warehouse_id): row
        for row in ReorderSuggestion.objects.select_for_update()
        .filter(state__in=SuggestionState.open())
        .order_by("id")
    }
    dismissed = _recently_dismissed(world.today)
    fresh: list[ReorderSuggestion] = []
    superseded: list[int] = []
    kept: set[tuple[int, int]] = set()
    for one in decided:
        if one.decision.status is not ReorderStatus.ORDER:
            continue
        pair = (one.product.pk, one.warehouse_id)
        new = _suggestion(forecast, world, one)
        old = open_rows.get(pair)
        if old is not None and (_is_asleep(old, world.today) or _same_need(old, new)):
            kept.add(pair)
        elif old is not None or not _still_dismissed(dismissed.get(pair), new):
            fresh.append(new)
    superseded = [row.pk for pair, row in open_rows.items() if pair not in kept]
    ReorderSuggestion.objects.filter(pk__in=superseded).update(state=SuggestionState.SUPERSEDED)
    ReorderSuggestion.objects.bulk_create(fresh, batch_size=500)
    return _counts(decided, fresh, kept, superseded)


def _counts(
    decided: list[_Decided],
    fresh: list[ReorderSuggestion],
    kept: set[tuple[int, int]],
    superseded: list[int],
) -> dict[str, Any]:
    blocked = Counter(
        str(one.decision.binding_constraint)
        for one in decided
        if one.decision.status is ReorderStatus.BLOCKED
    )
    return {
        "suggestions_new": len(fresh),
        "suggestions_kept": len(kept),
        "suggestions_superseded": len(superseded),
        "blocked": dict(blocked),
    }


def _is_asleep(row: ReorderSuggestion, today: date) -> bool:
    return (
        row.state == SuggestionState.SNOOZED
        and row.snoozed_until is not None
        and row.snoozed_until > today
    )


def _same_need(old: ReorderSuggestion, new: ReorderSuggestion) -> bool:
    """Tell whether the open suggestion says the same already; a slept-out one is said anew."""
    return (
        old.state == SuggestionState.NEW
        and old.run_id == new.run_id
        and old.quantity == new.quantity
        and old.supplier_item_id == new.supplier_item_id
        and old.inventory_position == new.inventory_position
    )


def _recently_dismissed(today: date) -> dict[tuple[int, int], Decimal]:
    since = today - timedelta(days=DISMISSED_FOR_DAYS)
    rows = ReorderSuggestion.objects.filter(
        state=SuggestionState.DISMISSED, decided_at__date__gt=since
    ).order_by("id")
    return {(p, w): q for p, w, q in rows.values_list("product_id", "warehouse_id", "quantity")}


def _still_dismissed(dismissed: Decimal | None, new: ReorderSuggestion) -> bool:
    return dismissed is not None and new.quantity < dismissed * DISMISSED_GROWTH


def _suggestion(forecast: ForecastRun, world: PlanningWorld, one: _Decided) -> ReorderSuggestion:
    decision, row = one.decision, one.row
    item_demand = decision.inputs.demand
    assert item_demand is not None  # noqa: S101  an order is never decided without demand
    position = decision.inputs.position.inventory_position
    quantity = Decimal(str(decision.quantity))
    safety = decision.safety_stock or 0.0
    margin = float(decision.inputs.policy.lost_margin_per_unit or 0)
    gain = margin * (
        item_demand.expected_shortage(position)
        - item_demand.expected_shortage(position + float(quantity))
    )
    price = None if decision.unit_price is None else Decimal(str(decision.unit_price))
    return ReorderSuggestion(
        run=forecast,
        product_id=one.product.pk,
        warehouse_id=one.warehouse_id,
        supplier_item=one.supply.item if one.supply else None,
        quantity=quantity,
        unit_price=price,
        order_value=None if price is None else (price * quantity).quantize(Decimal("0.000001")),
        order_by_on=_order_by(world.today, position, safety, item_demand),
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
            "method": world.method[row],
            "method_reason": world.reason[row],
            "gain": round(gain, 2),
        },
        priority=round(gain, 4),
    )


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
