"""How good stock-out warnings were: judged by what happened since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Min

from forecasting.models import ReorderSuggestion, RiskKind, RiskWarning, SuggestionState
from forecasting.queries.series import business_today
from inventory.queries.access import in_allowed, may_work_in
from inventory.queries.demand_history import out_of_stock_days

PERIOD_DAYS = 91
AHEAD_DAYS = 28
Pair = tuple[int, int]


def f1_score(precision: float | None, recall: float | None) -> float | None:
    """Return the harmonic mean of both; None where either is unknown."""
    if precision is None or recall is None:
        return None
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


@dataclass(frozen=True)
class WarningFigures:
    """Warnings and stock-outs of the last 13 weeks, or of the time since risks are looked for.

    warnings, came_true: those whose four weeks are over; young: those that may still come true.
    acted: an order was accepted after the warning; what it prevented cannot be known, so these
    count neither for nor against.
    """

    since: date
    warnings: int
    came_true: int
    acted: int
    stockouts: int
    warned: int
    young: int = 0

    @property
    def precision(self) -> float | None:
        return self.came_true / self.warnings if self.warnings else None

    @property
    def recall(self) -> float | None:
        return self.warned / self.stockouts if self.stockouts else None

    @property
    def f1(self) -> float | None:
        return f1_score(self.precision, self.recall)


@dataclass(frozen=True)
class KindFigures:
    """Warnings of a kind and what became of them.

    happened: how often what is warned of came to pass, warned or not; None where nobody can know.
    simulated: events were put into real demand on purpose.
    """

    kind: str
    warnings: int
    came_true: int
    happened: int | None
    simulated: bool = False

    @property
    def precision(self) -> float | None:
        return self.came_true / self.warnings if self.warnings else None

    @property
    def recall(self) -> float | None:
        return self.came_true / self.happened if self.happened else None

    @property
    def f1(self) -> float | None:
        return f1_score(self.precision, self.recall)


def judged_since(today: date) -> date:
    """Return the day after which warnings are judged: 13 weeks ago, or before the first of all.

    Before the first warning nobody looked for risks: what happened then was not missed.
    """
    first = RiskWarning.objects.aggregate(first=Min("first_seen_at__date"))["first"]
    since = today - timedelta(days=PERIOD_DAYS)
    return max(since, first - timedelta(days=1)) if first else today


def warning_figures() -> WarningFigures:
    """Compare the stock-out warnings of the last 13 weeks with the days out of stock."""
    today = business_today()
    since = judged_since(today)
    warned = _warned(since)
    acted = _acted(since)
    empty = _first_empty_days(since, today)
    judged = {
        pair: day for pair, day in warned.items() if not (pair in acted and day <= acted[pair])
    }
    true = {
        pair
        for pair, day in judged.items()
        if pair in empty and day <= empty[pair] <= day + timedelta(days=AHEAD_DAYS)
    }
    settled = {pair for pair, day in judged.items() if day <= today - timedelta(days=AHEAD_DAYS)}
    return WarningFigures(
        since=since,
        warnings=len(settled),
        came_true=len(true & settled),
        acted=len(warned) - len(judged),
        stockouts=len(set(empty) - set(acted)),
        warned=len(true),
        young=len(judged) - len(settled),
    )


def _warned(since: date) -> dict[Pair, date]:
    """Return the day of the first warning of each product and warehouse."""
    rows = in_allowed(RiskWarning.objects.all(), "warehouse_id").filter(
        kind=RiskKind.STOCKOUT, first_seen_at__date__gt=since
    )
    found: dict[Pair, date] = {}
    for product, place, seen in rows.order_by("first_seen_at").values_list(
        "product_id", "warehouse_id", "first_seen_at__date"
    ):
        found.setdefault((product, place), seen)
    return found


def _acted(since: date) -> dict[Pair, date]:
    rows = (
        in_allowed(ReorderSuggestion.objects.all(), "warehouse_id")
        .filter(
            state__in=[SuggestionState.ACCEPTED, SuggestionState.EDITED], decided_at__date__gt=since
        )
        .order_by("decided_at")
    )
    values = rows.values_list("product_id", "warehouse_id", "decided_at__date")
    return {(product, place): day for product, place, day in values}


def _first_empty_days(since: date, today: date) -> dict[Pair, date]:
    """Return the first day out of stock of what was not so at the beginning."""
    found = {}
    for product, place, days in out_of_stock_days(since, today):
        if days and min(days) > since and may_work_in([place]):
            found[(product, place)] = min(days)
    return found
