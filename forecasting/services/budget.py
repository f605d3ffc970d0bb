"""What to buy of the open suggestions when money is short."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from forecasting.decisions.budget import BudgetLine, spend_budget
from forecasting.decisions.reorder import ReorderDecision, decide_reorder
from forecasting.models import ReorderSuggestion, SuggestionSource, SuggestionState
from forecasting.queries.suggestions import SuggestionFilter, suggestions
from forecasting.services.reorder_record import inputs_from_json
from tenancy.errors import Invalid
from tenancy.permissions import Permission, require

MOST_LINES = 2000


@dataclass(frozen=True)
class BudgetRow:
    """A suggestion and what the budget grants of it."""

    suggestion: ReorderSuggestion
    line: BudgetLine

    @property
    def gain_per_money(self) -> float:
        return self.line.gain_per_money

    @property
    def moved(self) -> Decimal:
        """What another warehouse gives; only the rest is bought and competes."""
        return self.suggestion.transfer_quantity or Decimal(0)

    @property
    def accepted(self) -> Decimal:
        """The quantity of the suggestion that the budget allows: moved and bought together."""
        return self.moved + Decimal(self.line.granted)


@dataclass(frozen=True)
class BudgetTable:
    """Rows by gain per money; `excluded` could not compete: price or margin is not known."""

    budget: Decimal
    spent: Decimal
    wanted: Decimal
    rows: tuple[BudgetRow, ...]
    excluded: tuple[ReorderSuggestion, ...]

    @property
    def takes_any(self) -> bool:
        """Tell whether there is something to accept: bought, or moved, which no budget limits."""
        return any(row.accepted for row in self.rows)


def budget_table(budget: Decimal, wanted: SuggestionFilter) -> BudgetTable:
    """Return what the budget buys of the open suggestions, most gain per money first.

    Raises ``Invalid`` for a budget below zero.
    """
    require(Permission.READ)
    if budget < 0:
        raise Invalid.field("budget", "negative", _("A budget is zero or more."))
    rows = suggestions(wanted).filter(
        state=SuggestionState.NEW, source__in=[SuggestionSource.BUY, SuggestionSource.BOTH]
    )
    found = {str(row.pk): row for row in rows[:MOST_LINES]}
    decisions = []
    for key, row in found.items():
        inputs = inputs_from_json(row.inputs["inputs"])
        decisions.append(_bought(row, decide_reorder(replace(inputs, key=key))))
    plan = spend_budget(decisions, float(budget))
    return BudgetTable(
        budget=budget,
        spent=Decimal(str(round(plan.spent, 2))),
        wanted=sum((_asked(row) for row in found.values()), Decimal(0)),
        rows=tuple(BudgetRow(found[line.key], line) for line in plan.lines),
        excluded=tuple(found[key] for key in plan.excluded),
    )


def _bought(row: ReorderSuggestion, decision: ReorderDecision) -> ReorderDecision:
    """Return what is bought of a suggestion: what is moved is there already when it competes."""
    if not row.transfer_quantity:
        return decision
    inputs = decision.inputs
    coming = float(inputs.position.in_transit) + float(row.transfer_quantity)
    rest = row.quantity - row.transfer_quantity
    return replace(
        decision,
        quantity=int(rest) if isinstance(decision.quantity, int) else rest,
        unit_price=None if row.unit_price is None else float(row.unit_price),
        inputs=replace(inputs, position=replace(inputs.position, in_transit=coming)),
    )


def _asked(row: ReorderSuggestion) -> Decimal:
    """Return the money that is asked for goods."""
    if row.transfer_quantity and row.unit_price is not None:
        return Decimal(row.unit_price * (row.quantity - row.transfer_quantity))
    return row.order_value or Decimal(0)
