"""What to buy when money is short: every next step of every line competes by gain per money."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from forecasting.decisions.lead_time_demand import ItemDemand
from forecasting.decisions.order_quantity import Quantity, order_lattice
from forecasting.decisions.reorder import ReorderDecision, ReorderStatus

STEPS_PER_LINE = 20


class BudgetError(ValueError):
    """A budget cannot be used."""

    def __init__(self, budget: float) -> None:
        self.budget = budget
        super().__init__(f"A budget of {budget} cannot be spent: give zero or more.")


@dataclass(frozen=True)
class BudgetLine:
    """What of a suggested order the budget allows.

    gain: expected margin saved by the granted quantity, less its holding cost; gain_per_money:
    of its first step; cut: the budget took something away.
    """

    key: str
    wanted: Quantity
    granted: Quantity
    value: float
    gain: float
    gain_per_money: float
    cut: bool


@dataclass(frozen=True)
class BudgetPlan:
    """Lines in order of gain per money; spent never exceeds the budget.

    excluded: orders that could not compete because price or cost of a lost sale is unknown.
    """

    budget: float
    spent: float
    lines: tuple[BudgetLine, ...]
    excluded: tuple[str, ...]


@dataclass
class _Candidate:
    decision: ReorderDecision
    demand: ItemDemand
    position: float
    unit_price: float
    margin: float
    holding: float
    granted: float = 0.0
    value: float = 0.0
    gain: float = 0.0
    first_ratio: float = 0.0

    def gain_of(self, low: float, high: float) -> float:
        """Expected gain of raising the order from one quantity to another."""
        short = self.demand.expected_shortage
        saved = short(self.position + low) - short(self.position + high)
        return saved * (self.margin + self.holding) - (high - low) * self.holding


def spend_budget(decisions: Sequence[ReorderDecision], budget: float) -> BudgetPlan:
    """Return what to order of each suggestion so that the budget buys the most expected margin.

    The first step of a line is its minimum, further steps are multiples (about 20 per line). Steps
    are granted by gain per unit of money until none fits (greedy on the marginal gains, which fall
    within a line because expected shortage is convex). A line that no longer fits is passed over,
    not the end. Raises BudgetError for a negative budget.
    """
    if not budget >= 0:
        raise BudgetError(budget)
    orders = [one for one in decisions if one.status is ReorderStatus.ORDER]
    candidates, excluded = [], []
    for one in orders:
        candidate = _candidate(one)
        if candidate is None:
            excluded.append(one.key)
        else:
            candidates.append(candidate)
    spent = _grant(candidates, budget)
    lines = [_line(one) for one in candidates]
    lines.sort(key=lambda one: (-one.gain_per_money, one.key))
    return BudgetPlan(budget, spent, tuple(lines), tuple(excluded))


def _grant(candidates: Sequence[_Candidate], budget: float) -> float:
    heap: list[tuple[float, int, float, float, float]] = []
    for index, one in enumerate(candidates):
        _push(heap, index, one)
    spent = 0.0
    while heap:
        _, index, quantity, cost, gain = heapq.heappop(heap)
        one = candidates[index]
        if spent + cost > budget + 1e-9:
            continue
        spent += cost
        one.granted, one.value, one.gain = quantity, one.value + cost, one.gain + gain
        _push(heap, index, one)
    return spent


def _push(heap: list[tuple[float, int, float, float, float]], index: int, one: _Candidate) -> None:
    """Offer the next step of a line, unless it has all it wants or more would cost more."""
    wanted = float(one.decision.quantity)
    if one.granted >= wanted or one.decision.inputs.terms is None:
        return
    lattice = order_lattice(
        one.decision.inputs.terms, whole_units=one.decision.inputs.policy.whole_units
    )
    step = max(wanted / STEPS_PER_LINE, float(lattice.multiple))
    quantity = min(float(lattice.up(one.granted + step)), wanted)
    price = one.decision.inputs.terms.unit_price_at(quantity) or one.unit_price
    cost = price * quantity - one.value
    gain = one.gain_of(one.granted, quantity)
    if gain <= 0:
        return
    ratio = gain / cost if cost > 0 else float("inf")
    if one.granted == 0:
        one.first_ratio = ratio
    heapq.heappush(heap, (-ratio, index, quantity, cost, gain))


def _candidate(decision: ReorderDecision) -> _Candidate | None:
    demand = decision.inputs.demand
    margin, price = decision.cost_of_too_little, decision.unit_price
    if demand is None or margin is None or price is None or price <= 0 or margin <= 0:
        return None
    return _Candidate(
        decision=decision,
        demand=demand,
        position=decision.inputs.position.inventory_position,
        unit_price=price,
        margin=margin,
        holding=decision.cost_of_too_much or 0.0,
    )


def _line(one: _Candidate) -> BudgetLine:
    wanted = one.decision.quantity
    whole = isinstance(wanted, int)
    granted: Quantity = round(one.granted) if whole else Decimal(str(one.granted))
    return BudgetLine(
        key=one.decision.key,
        wanted=wanted,
        granted=granted,
        value=one.value,
        gain=one.gain,
        gain_per_money=one.first_ratio,
        cut=float(granted) < float(wanted),
    )
