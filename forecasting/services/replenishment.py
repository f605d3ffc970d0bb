"""Reorder suggestions: made from forecasts for every product and warehouse, decided by planners."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from forecasting.decisions.order_value import reach_order_value
from forecasting.decisions.reorder import ReorderDecision, ReorderStatus, decide_reorder
from forecasting.decisions.reorder_inputs import (
    ForecastState,
    ReorderInputs,
    ReorderPolicy,
    StockPosition,
)
from forecasting.models import BlockedNeed, ForecastRun, ReorderSuggestion, SuggestionState
from forecasting.queries.buffers import PLANNING_JOB, read_buffer_cases
from forecasting.queries.forecasts import latest_run
from forecasting.queries.planning import (
    PlanningWorld,
    Unforecast,
    lost_sale_cost,
    read_world,
)
from forecasting.queries.supply import Supply
from forecasting.services.buffers import decide_buffers, publish_buffers
from forecasting.services.collector import cycles_left_alone
from forecasting.services.row_documents import insert_rows
from forecasting.services.sources import Decided, bought_as, bought_value, choose_sources
from forecasting.services.suggestion_rows import blocked_row, suggestion_row
from forecasting.services.work_lists import one_at_a_time
from inventory.models import PolicyTarget
from tenancy.services.jobs import JobFailed, JobRun

KIND = PLANNING_JOB
DISMISSED_FOR_DAYS = 7
DISMISSED_GROWTH = Decimal("1.5")
"""A dismissed need comes back after a week, or at once when it has grown by half."""
SERVED_BY_CONTEST = "contest"


@cycles_left_alone()
def make_suggestions(run: JobRun) -> dict[str, Any]:
    """Decide for every product and warehouse what to order now, and put it on the work list.

    Open suggestions whose need is gone or changed are superseded; snoozed and recently dismissed
    ones are respected; what is in draft orders counts as ordered. Buffers of channels are suggested
    beside them. Returns counts.
    Raises ``JobFailed`` without a forecast.
    """
    run.progress(0, 4, _("Reading stock, orders and suppliers"))
    with run.scope():
        forecast = latest_run()
        if forecast is None:
            raise JobFailed(_("There is no forecast yet. Forecast first, then suggest orders."))
        world = read_world(forecast)
        cases = None if world is None else read_buffer_cases(world)
    if world is None or cases is None:
        raise JobFailed(_("No product in use has demand: there is nothing to order."))
    run.progress(1, 4, _("Deciding %(count)d orders") % {"count": len(world.keys)})
    decided, buffers = decide_all(world), decide_buffers(cases)
    run.progress(2, 4, _("Writing down why"))
    # before the transaction: it keeps the job's row and the work list from everybody else
    rows, blocked = _rows(forecast, world, decided), _blocked(forecast, world, decided)
    run.progress(3, 4, _("Updating the work list"))
    with run.publishing():
        counts = _publish(world.today, rows, blocked)
        found = publish_buffers(forecast, buffers, world.today)
        return counts | {"buffers": found, "buffers_refused": dict(cases.refused)}


def decide_all(world: PlanningWorld) -> list[Decided]:
    """Decide every product and warehouse of the world, and reach the suppliers' least values.

    What another warehouse gives is no part of a supplier's order: ways are chosen before values.
    """
    decided = []
    for row, key in enumerate(world.keys):
        supply, position = world.supplies[row], world.positions[row]
        decision = decide_reorder(reorder_inputs(world, row, supply))
        decided.append(
            Decided(row, world.products[row], key.warehouse_id, supply, position, decision)
        )
    return _with_order_values(world, choose_sources(world, decided))


def refuse_unforecast(world: PlanningWorld) -> list[tuple[Unforecast, ReorderDecision]]:
    """Return why nothing is ordered of what the forecast does not know yet, where it is stocked."""
    found = []
    for one in world.unforecast:
        policy = one.policy
        decision = decide_reorder(
            ReorderInputs(
                key=f"{one.product.pk}:{one.warehouse_id}",
                position=StockPosition(on_hand=0),
                policy=ReorderPolicy(do_not_stock=policy.do_not_stock, currency=world.currency),
                terms=None if one.supply is None else world.book.terms(one.supply),
                demand=None,
                forecast_state=ForecastState.MISSING,
            )
        )
        if decision.status is ReorderStatus.BLOCKED:
            found.append((one, decision))
    return found


def reorder_inputs(world: PlanningWorld, row: int, supply: Supply | None) -> ReorderInputs:
    """Return what the decision about a row is made from."""
    position = world.positions[row]
    return ReorderInputs(
        key=world.keys[row].series_id,
        position=StockPosition(
            on_hand=position.on_hand,
            allocated=position.allocated,
            on_order=position.on_order + position.drafted,
            in_transit=position.in_transit,
            backordered=position.backordered,
        ),
        policy=_policy(world, row),
        terms=None if supply is None else world.book.terms(supply),
        demand=world.demand.item(row),
        forecast_state=_forecast_state(world.reason[row], stale=world.is_stale),
    )


def _with_order_values(world: PlanningWorld, decided: list[Decided]) -> list[Decided]:
    """Raise the lines of orders that are below their supplier's least value."""
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, one in enumerate(decided):
        if one.supply and one.decision.status is ReorderStatus.ORDER and one.transfer is None:
            groups[one.supply.item.supplier_id, one.warehouse_id].append(number)
    for numbers in groups.values():
        first = decided[numbers[0]].supply
        minimum = float(first.item.supplier.minimum_order_value) if first else 0.0
        whole = [n for n in numbers if decided[n].both is None]
        parts = sum(bought_value(decided[n]) for n in numbers if decided[n].both)
        lines = reach_order_value([decided[n].decision for n in whole], minimum, parts)
        for number, decision in zip(whole, lines, strict=True):
            if decision is not decided[number].decision:
                decided[number] = bought_as(world, decided[number], decision)
    return decided


def _forecast_state(reason: str, *, stale: bool) -> ForecastState:
    if stale:
        return ForecastState.STALE
    return ForecastState.FRESH if reason == SERVED_BY_CONTEST else ForecastState.BASELINE


def _policy(world: PlanningWorld, row: int) -> ReorderPolicy:
    product, policy = world.products[row], world.policies[row]
    by_cost = policy.target == PolicyTarget.COST
    season = policy.season_ends_on
    return ReorderPolicy(
        service_level=None if by_cost else float(policy.cycle_service_level),
        lost_margin_per_unit=lost_sale_cost(product, world.supplies[row], policy),
        holding_rate_per_year=float(policy.holding_cost_per_year),
        review_period_days=policy.review_period_days,
        minimum_stock=policy.minimum_stock,
        maximum_stock=policy.maximum_stock,
        shelf_life_days=product.shelf_life_days,
        season_days=None if season is None else (season - world.today).days,
        do_not_stock=policy.do_not_stock,
        whole_units=product.whole_units,
        currency=world.currency,
    )


# -- the work list --------------------------------------------------------------------------------
def _rows(
    forecast: ForecastRun, world: PlanningWorld, decided: list[Decided]
) -> list[ReorderSuggestion]:
    """Return the unsaved suggestions of the orders that are due."""
    due = [one for one in decided if one.decision.status is ReorderStatus.ORDER]
    return [suggestion_row(forecast, world, one) for one in due]


def _blocked(
    forecast: ForecastRun, world: PlanningWorld, decided: list[Decided]
) -> list[BlockedNeed]:
    """Return the unsaved rows of what nothing can be ordered of, and why."""
    rows = [
        blocked_row(forecast, one.product, one.warehouse_id, one.decision)
        for one in decided
        if one.decision.status is ReorderStatus.BLOCKED
    ]
    return rows + [
        blocked_row(forecast, one.product, one.warehouse_id, decision)
        for one, decision in refuse_unforecast(world)
    ]


def _publish(
    today: date, rows: list[ReorderSuggestion], blocked: list[BlockedNeed]
) -> dict[str, Any]:
    """Bring the open suggestions in line with the decisions; return counts."""
    one_at_a_time("suggestions")
    open_rows = {
        (row.product_id, row.warehouse_id): row
        for row in ReorderSuggestion.objects.select_for_update()
        .filter(state__in=SuggestionState.open())
        .order_by("id")
    }
    dismissed = _recently_dismissed(today)
    fresh: list[ReorderSuggestion] = []
    superseded: list[int] = []
    kept: set[tuple[int, int]] = set()
    for new in rows:
        pair = (new.product_id, new.warehouse_id)
        old = open_rows.get(pair)
        if old is not None and (_is_asleep(old, today) or _same_need(old, new)):
            kept.add(pair)
        elif old is not None or not _still_dismissed(dismissed.get(pair), new):
            fresh.append(new)
    superseded = [row.pk for pair, row in open_rows.items() if pair not in kept]
    ReorderSuggestion.objects.filter(pk__in=superseded).update(state=SuggestionState.SUPERSEDED)
    insert_rows(fresh)
    BlockedNeed.objects.all().delete()
    BlockedNeed.objects.bulk_create(blocked, batch_size=500)
    return {
        "suggestions_new": len(fresh),
        "suggestions_kept": len(kept),
        "suggestions_superseded": len(superseded),
        "blocked": dict(Counter(one.reason for one in blocked)),
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
        and old.order_value == new.order_value
        and old.reason_code == new.reason_code
        and old.supplier_item_id == new.supplier_item_id
        and old.from_warehouse_id == new.from_warehouse_id
        and old.transfer_quantity == new.transfer_quantity
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
