"""Reorder suggestions: made from forecasts for every product and warehouse, decided by planners."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import connection
from django.utils.translation import gettext as _

from forecasting.decisions.demand_paths import demand_forecast, level_correlation
from forecasting.decisions.lead_time_demand import IntervalDemand, interval_demand
from forecasting.decisions.lead_times import lead_times_from_observations
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
from forecasting.pipeline.series import FloatArray
from forecasting.queries.forecasts import RunArrays, is_stale, latest_run, read_arrays
from forecasting.queries.positions import Position, read_positions
from forecasting.queries.series import business_today, load_panel
from forecasting.queries.supply import Supply, read_policies, read_supplies
from forecasting.services.reorder_record import decision_to_json
from inventory.models import Product, StockPolicy
from tenancy.scope import active_scope, active_tenant_id
from tenancy.services.jobs import JobFailed, JobRun

KIND = "make_suggestions"
UNKNOWN_LEAD_TIME_DAYS = 7.0
"""Stands in while no lead time is known; such an item is blocked, never ordered from it."""
MARGIN_WITHOUT_PRICES = 0.3
DISMISSED_FOR_DAYS = 7
DISMISSED_GROWTH = Decimal("1.5")
"""A dismissed need comes back after a week, or at once when it has grown by half."""
PROGRESS_EVERY = 500


@dataclass(frozen=True)
class PlanningWorld:
    """Everything suggestions are made from, read once, in the order of the run's series."""

    arrays: RunArrays
    today: date
    positions: dict[tuple[int, int], Position]
    supplies: dict[int, Supply]
    policies: list[StockPolicy]
    products: dict[int, Product]
    demand: IntervalDemand


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
    run.progress(1, 3, _("Deciding %(count)d orders") % {"count": len(world.arrays.keys)})
    decided = []
    for decision in decide_all(world):
        decided.append(decision)
        if len(decided) % PROGRESS_EVERY == 0 and run.should_stop():
            return {}
    run.progress(2, 3, _("Updating the work list"))
    with run.publishing():
        return _publish(forecast, world, decided)


def read_world(forecast: ForecastRun) -> PlanningWorld:
    """Read positions, supply, policies and the demand over each protection interval."""
    arrays = read_arrays(forecast)
    products = Product.objects.in_bulk({key.product_id for key in arrays.keys})
    supplies = read_supplies(products)
    policies = read_policies()
    own_policies = [policies.of(key.product_id, key.warehouse_id) for key in arrays.keys]
    return PlanningWorld(
        arrays=arrays,
        today=business_today(),
        positions=read_positions(business_today()),
        supplies=supplies,
        policies=own_policies,
        products=products,
        demand=_interval_demand(arrays, supplies, own_policies),
    )


def _interval_demand(
    arrays: RunArrays, supplies: dict[int, Supply], policies: list[StockPolicy]
) -> IntervalDemand:
    seen: list[Sequence[float]] = []
    promised: list[float | None] = []
    for key in arrays.keys:
        supply = supplies.get(key.product_id)
        seen.append(supply.lead_times_seen_days if supply else ())
        known = supply is not None and supply.lead_time_known
        promised.append(supply.promised_days if supply and known else UNKNOWN_LEAD_TIME_DAYS)
    review = np.array([policy.review_period_days for policy in policies], dtype=int)
    forecast = demand_forecast(arrays.mean, arrays.quantiles, _correlation(arrays))
    return interval_demand(forecast, lead_times_from_observations(seen, promised), review)


def _correlation(arrays: RunArrays) -> FloatArray | None:
    """Learn from the past how much the days of each series err together."""
    demand = load_panel()
    if demand is None:
        return None
    place = {key: row for row, key in enumerate(demand.keys)}
    rows = np.array([place.get(key, -1) for key in arrays.keys])
    learned = level_correlation(demand.panel.demand, demand.panel.observed)
    return np.where(rows >= 0, learned[rows], float(np.median(learned)))


def decide_all(world: PlanningWorld) -> list[_Decided]:
    """Decide every product and warehouse of the run."""
    state = ForecastState.STALE if is_stale(world.arrays.run) else ForecastState.FRESH
    decided = []
    for row, key in enumerate(world.arrays.keys):
        product = world.products.get(key.product_id)
        if product is None:
            continue
        supply = world.supplies.get(key.product_id)
        position = world.positions[(key.product_id, key.warehouse_id)]
        fresh = ForecastState.BASELINE if world.arrays.reason[row] != "contest" else state
        inputs = ReorderInputs(
            key=key.series_id,
            position=StockPosition(
                on_hand=position.on_hand,
                on_order=position.on_order + position.drafted,
                in_transit=position.in_transit,
            ),
            policy=_policy(product, world.policies[row], supply),
            terms=_terms(supply),
            demand=world.demand.item(row),
            forecast_state=state if state is ForecastState.STALE else fresh,
        )
        decision = decide_reorder(inputs)
        decided.append(_Decided(row, product, key.warehouse_id, supply, position, decision))
    return decided


def _policy(product: Product, policy: StockPolicy, supply: Supply | None) -> ReorderPolicy:
    return ReorderPolicy(
        service_level=float(policy.cycle_service_level),
        lost_margin_per_unit=_margin(product, supply),
        holding_rate_per_year=float(policy.holding_cost_per_year),
        review_period_days=policy.review_period_days,
        minimum_stock=policy.minimum_stock,
        maximum_stock=policy.maximum_stock,
        shelf_life_days=product.shelf_life_days,
        do_not_stock=policy.do_not_stock,
        whole_units=product.whole_units,
        currency=active_scope().tenant.currency,
    )


def _margin(product: Product, supply: Supply | None) -> Decimal:
    """Return what a unit that could not be sold loses."""
    cost = product.unit_cost if product.unit_cost is not None else None
    if cost is None and supply is not None:
        cost = supply.item.price
    if product.unit_price is not None and cost is not None:
        return max(product.unit_price - cost, Decimal(0))
    known = product.unit_price if product.unit_price is not None else cost
    return (known or Decimal(0)) * Decimal(str(MARGIN_WITHOUT_PRICES))


def _terms(supply: Supply | None) -> SupplyTerms | None:
    if supply is None:
        return None
    item = supply.item
    return SupplyTerms(
        unit_price=item.price,
        minimum_order_quantity=item.minimum_order_quantity,
        order_multiple=item.order_multiple,
        price_breaks=supply.price_steps,
        transport_cost_per_unit=item.transport_cost_per_unit,
        currency=item.supplier.currency or active_scope().tenant.currency,
        lead_time_known=supply.lead_time_known,
    )


# -- the work list ------------------------------------------------------------------------------------
def _publish(
    forecast: ForecastRun, world: PlanningWorld, decided: list[_Decided]
) -> dict[str, Any]:
    """Bring the open suggestions in line with the decisions; return counts."""
    _one_at_a_time()
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


def _one_at_a_time() -> None:
    """Let one writer of the tenant's work list pass at a time, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('forecasting.suggestions'), %s::int)",
            [active_tenant_id() % 2**31],
        )


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
            "method": world.arrays.method[row],
            "method_reason": world.arrays.reason[row],
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
