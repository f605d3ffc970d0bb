"""What if: the same decisions with other assumptions, side by side, nothing written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
from django.utils.translation import gettext_lazy as _

from forecasting.decisions.budget import spend_budget
from forecasting.decisions.demand_paths import DemandForecast
from forecasting.decisions.lead_time_demand import IntervalDemand, interval_demand
from forecasting.decisions.lead_times import LeadTimes
from forecasting.decisions.reorder import ReorderDecision, ReorderStatus, decide_reorder
from forecasting.decisions.reorder_inputs import PriceBreak, ReorderInputs, SupplyTerms
from forecasting.pipeline.series import FloatArray
from forecasting.queries.forecasts import latest_run
from forecasting.queries.planning import PlanningWorld, read_world
from forecasting.queries.positions import read_arrivals
from forecasting.queries.supply import Supply
from forecasting.services.replenishment import reorder_inputs
from inventory.models import Product
from tenancy.errors import Conflict, Invalid
from tenancy.permissions import Permission, require

MOST_ROWS = 3000
SHOWN_DAYS = 28
SHOWN_LINES = 20


class NothingToCompare(Conflict):
    """There is no forecast, or nothing that sells."""

    code = "nothing_to_compare"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is assumed. Shares are of one: 0.2 = a fifth more; left out: as it is."""

    service_level: float | None = None
    lead_time_days: int = 0
    uplift: float = 0.0
    price_change: float = 0.0
    break_from: Decimal | None = None
    break_discount: float = 0.0
    budget: Decimal | None = None
    supplier_id: int | None = None
    warehouse_id: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What the decisions come to. Money; `path`: expected stock value on each of the next days.

    blocked: needs that nothing can be ordered for; under a budget also what has no price or margin.
    unpriced: orders whose price is not known, and which no value counts.
    """

    orders: int
    unpriced: int
    blocked: int
    order_value: float
    target_stock: float
    holding_per_year: float
    lost_margin: float
    path: tuple[float, ...]


@dataclass(frozen=True)
class ChangedLine:
    """A product and warehouse whose order changes; value_change: None where no price is known."""

    product: Product
    warehouse_id: int
    before: float
    after: float
    value_change: float | None


@dataclass(frozen=True)
class Comparison:
    """Before and after; `rows`: how many pairs were decided, the dearest of `all_rows`.

    is_stale: the forecast behind both is too old to order from without a second look.
    """

    first_day: date
    is_stale: bool
    before: Outcome
    after: Outcome
    lines: tuple[ChangedLine, ...]
    rows: int
    all_rows: int


def compare_scenario(scenario: Scenario) -> Comparison:
    """Decide everything as it is and as assumed; nothing is written.

    Raises ``PermissionRefused``, ``Invalid`` naming the field, ``NothingToCompare``.
    """
    require(Permission.READ)
    _check(scenario)
    run = latest_run()
    world = None if run is None else read_world(run)
    if world is None:
        raise NothingToCompare(_("There is no forecast yet. Forecast first, then compare."))
    rows, all_rows = _rows(world, scenario)
    arrivals = _arrivals(world)
    before = _decide(world, rows, Scenario())
    after = _decide(world, rows, scenario)
    return Comparison(
        first_day=world.today,
        is_stale=world.is_stale,
        before=_outcome(world, rows, before, arrivals, world.forecast),
        after=_outcome(world, rows, after, arrivals, _uplifted(world, scenario)),
        lines=_changed(world, rows, before, after),
        rows=len(rows),
        all_rows=all_rows,
    )


@dataclass(frozen=True)
class _Decisions:
    """Decisions of the rows, the quantities ordered (within the budget), and the demand behind."""

    decisions: tuple[ReorderDecision, ...]
    ordered: FloatArray
    demand: IntervalDemand
    blocked: int


def _check(scenario: Scenario) -> None:
    for name, wrong, message in (
        ("service_level", not 0 < (scenario.service_level or 0.5) < 1,
         _("A service level lies between 0 % and 100 %, without either.")),
        ("lead_time_days", abs(scenario.lead_time_days) > 180,
         _("Change the lead time by at most 180 days.")),
        ("uplift", not -1 <= scenario.uplift <= 10, _("Change demand by -100 % to +1000 %.")),
        ("price_change", not -1 < scenario.price_change <= 10,
         _("Change the price by more than -100 % and at most +1000 %.")),
        ("break_discount", not 0 <= scenario.break_discount < 1,
         _("A discount is at least 0 % and below 100 %.")),
        ("budget", scenario.budget is not None and scenario.budget < 0,
         _("A budget is zero or more.")),
    ):  # fmt: skip
        if wrong:
            raise Invalid.field(name, "out_of_range", message)


def _rows(world: PlanningWorld, scenario: Scenario) -> tuple[list[int], int]:
    """Return the rows to decide, the dearest first where there are too many, and how many fit."""
    place = scenario.warehouse_id
    fitting = [k for k, key in enumerate(world.keys) if place in (None, key.warehouse_id)]
    value = world.unit_costs() * world.demand.mean_daily
    dearest = sorted(fitting, key=lambda k: -value[k])[:MOST_ROWS]
    return sorted(dearest), len(fitting)


def _decide(world: PlanningWorld, rows: list[int], scenario: Scenario) -> _Decisions:
    supplies = [_supply(world, row, scenario) for row in rows]
    unknown = len(world.lead_time_rows)
    lead_rows = [unknown if s is None else world.lead_time_rows[s.item.pk] for s in supplies]
    lead = shifted(world.lead_times.select(np.array(lead_rows, dtype=int)), scenario.lead_time_days)
    review = np.array([world.policies[row].review_period_days for row in rows], dtype=int)
    part = _uplifted(world, scenario).select(np.array(rows, dtype=int))
    demand = interval_demand(part, lead, review)
    decisions = tuple(
        decide_reorder(_assumed(reorder_inputs(world, row, supply), scenario, demand, k))
        for k, (row, supply) in enumerate(zip(rows, supplies, strict=True))
    )
    ordered = np.array(
        [float(d.quantity) if d.status is ReorderStatus.ORDER else 0.0 for d in decisions]
    )
    blocked = sum(d.status is ReorderStatus.BLOCKED for d in decisions)
    if scenario.budget is not None:
        plan = spend_budget(decisions, float(scenario.budget))
        granted = {one.key: float(one.granted) for one in plan.lines}
        ordered = np.array([granted.get(d.key, 0.0) for d in decisions])
        blocked += len(plan.excluded)
    return _Decisions(decisions, ordered, demand, blocked)


def _supply(world: PlanningWorld, row: int, scenario: Scenario) -> Supply | None:
    for offer in world.offers[row]:
        if offer.item.supplier_id == scenario.supplier_id:
            return offer
    return world.supplies[row]


def _assumed(
    inputs: ReorderInputs, scenario: Scenario, demand: IntervalDemand, row: int
) -> ReorderInputs:
    policy = inputs.policy
    if scenario.service_level is not None:
        policy = replace(policy, service_level=scenario.service_level, fill_rate=None)
    terms = None if inputs.terms is None else _priced(inputs.terms, scenario)
    return replace(inputs, policy=policy, terms=terms, demand=demand.item(row))


def _priced(terms: SupplyTerms, scenario: Scenario) -> SupplyTerms:
    if terms.unit_price is None:
        return terms
    factor = 1 + scenario.price_change
    price = float(terms.unit_price) * factor
    breaks = [
        PriceBreak(one.from_quantity, float(one.unit_price) * factor) for one in terms.price_breaks
    ]
    if scenario.break_from is not None:
        breaks.append(PriceBreak(scenario.break_from, price * (1 - scenario.break_discount)))
    return replace(terms, unit_price=price, price_breaks=tuple(breaks))


def _uplifted(world: PlanningWorld, scenario: Scenario) -> DemandForecast:
    factor = 1 + scenario.uplift
    forecast = world.forecast
    return DemandForecast(forecast.mean * factor, forecast.quantiles * factor, forecast.correlation)


def shifted(lead_times: LeadTimes, days: int) -> LeadTimes:
    """Return lead times that many days longer (or shorter, never below none)."""
    table = lead_times.probabilities
    if days >= 0:
        return LeadTimes(np.pad(table, ((0, 0), (days, 0))))
    cut = min(-days, table.shape[1] - 1)
    shorter = table[:, cut:].copy()
    shorter[:, 0] += table[:, :cut].sum(axis=1)
    return LeadTimes(shorter)


def _outcome(
    world: PlanningWorld,
    rows: list[int],
    made: _Decisions,
    arrivals: FloatArray,
    forecast: DemandForecast,
) -> Outcome:
    chosen = np.array(rows, dtype=int)
    cost, margin = world.unit_costs()[chosen], world.unit_margins()[chosen]
    prices = np.array([d.unit_price or 0.0 for d in made.decisions])
    rate = np.array([d.inputs.policy.holding_rate_per_year for d in made.decisions])
    review = np.array([d.inputs.policy.review_period_days for d in made.decisions])
    safety = np.array([max(d.safety_stock or 0.0, 0.0) for d in made.decisions])
    target = cost * (safety + made.demand.mean_daily * review / 2)
    position = np.array([d.inputs.position.inventory_position for d in made.decisions])
    short = made.demand.expected_shortage(position + made.ordered)
    free = np.array([max(float(world.positions[row].free), 0.0) for row in rows])
    days = np.rint(made.demand.lead_time_days).astype(int)
    daily = forecast.mean[chosen][:, forecast.columns(SHOWN_DAYS)]
    path = []
    for day in range(SHOWN_DAYS):
        free = free + arrivals[chosen, day] + np.where(days == day, made.ordered, 0.0)
        free = np.maximum(free - daily[:, day], 0.0)
        path.append(float(free @ cost))
    return Outcome(
        orders=int((made.ordered > 0).sum()),
        unpriced=sum(
            d.unit_price is None and units > 0
            for d, units in zip(made.decisions, made.ordered, strict=True)
        ),
        blocked=made.blocked,
        order_value=float(made.ordered @ prices),
        target_stock=float(target.sum()),
        holding_per_year=float(target @ rate),
        lost_margin=float(short @ margin),
        path=tuple(path),
    )


def _arrivals(world: PlanningWorld) -> FloatArray:
    found = read_arrivals(world.today, SHOWN_DAYS)
    arrivals = np.zeros((len(world.keys), SHOWN_DAYS))
    for row, key in enumerate(world.keys):
        for day, units in found.get((key.product_id, key.warehouse_id), ()):
            arrivals[row, day] += float(units)
    return arrivals


def _changed(
    world: PlanningWorld, rows: list[int], before: _Decisions, after: _Decisions
) -> tuple[ChangedLine, ...]:
    lines = []
    for k, row in enumerate(rows):
        old, new = float(before.ordered[k]), float(after.ordered[k])
        if old == new:
            continue
        worth = [_worth(old, before.decisions[k]), _worth(new, after.decisions[k])]
        change = None if worth[0] is None or worth[1] is None else worth[1] - worth[0]
        lines.append(
            ChangedLine(world.products[row], world.keys[row].warehouse_id, old, new, change)
        )
    lines.sort(key=lambda one: -abs(one.value_change or 0.0))
    return tuple(lines[:SHOWN_LINES])


def _worth(units: float, decision: ReorderDecision) -> float | None:
    """Return the value of so many units; None where they have no price."""
    if units == 0:
        return 0.0
    return None if decision.unit_price is None else units * decision.unit_price
