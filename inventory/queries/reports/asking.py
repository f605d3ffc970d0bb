"""What is asked of a report: places, products, days. The one place where a member's view narrows.

Every report's statement takes its arguments from here, so a restriction to some warehouses holds
for the page, the files and the API alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models.places import OUTSIDE_KINDS, PROMISABLE_KINDS
from inventory.queries.access import allowed_warehouses
from inventory.rules.abc_xyz import DEFAULT_CUTS, Cuts
from tenancy.errors import Invalid, Problem
from tenancy.scope import active_scope, active_tenant_id

MOST_DAYS = 1827
"""Five years: longer periods say nothing and cost much."""
FIRST_DAY = date(1990, 1, 1)
TOO_EARLY = _("Reports do not go back before 1990.")
STEPS = ((45, 1), (400, 7), (MOST_DAYS, 28))
"""Up to so many days, one bar of a picture stands for so many."""


@dataclass(frozen=True)
class Question:
    """``warehouse_ids`` are those to be counted; None: all. ``on``: stock at the end of that day.

    ``first`` and ``last`` both belong to the period.
    """

    today: date
    first: date
    last: date
    on: date | None = None
    warehouse_ids: tuple[int, ...] | None = None
    category_id: int | None = None
    text: str = ""
    by: str = ""
    cuts: Cuts = DEFAULT_CUTS
    more: Mapping[str, Any] = field(default_factory=dict)
    """What only some reports ask: a reason, an actor, a supplier, days ahead, a class."""

    @property
    def days(self) -> int:
        """Return the length of the period."""
        return (self.last - self.first).days + 1

    @property
    def step(self) -> int:
        """Return how many days one bar of a picture over the period stands for."""
        return next(step for most, step in STEPS if self.days <= most)

    @property
    def is_past(self) -> bool:
        """Tell whether the stock of a past day is asked for."""
        return self.on is not None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of every report's statement."""
        pattern = _escaped(self.text)
        return {
            "tenant": active_tenant_id(),
            "today": self.today,
            "first": self.first,
            "last": self.last,
            "days": self.days,
            "step": self.step,
            "on": self.on,
            "warehouses": None if self.warehouse_ids is None else list(self.warehouse_ids),
            "category": self.category_id,
            "text": self.text,
            "begins": f"{pattern}%",
            "contains": f"%{pattern}%",
            "by": self.by,
            "outside": sorted(str(kind) for kind in OUTSIDE_KINDS),
            "promisable": sorted(str(kind) for kind in PROMISABLE_KINDS),
            **self.cuts.as_arguments(),
            **MORE,
            **self.more,
            "actor_contains": f"%{_escaped(str(self.more.get('actor', '')))}%",
        }


MORE: dict[str, Any] = {
    "reason": None,
    "actor": "",
    "supplier": None,
    "within": None,
    "abc": "",
    "xyz": "",
}
CUTS = {"a_to": "a", "b_to": "b", "x_to": "x", "y_to": "y"}


def ask(values: Mapping[str, Any], *, default_days: int) -> Question:
    """Return the question behind a page's or the API's filters; raise ``Invalid``.

    What is not given takes its usual value: a period that ends today, stock as of now.
    """
    given = {name: value for name, value in values.items() if value not in (None, "")}
    today = business_today()
    first, last, problems = _period(given, today, default_days)
    on = given.get("on")
    problems += _day_problems("on", on, today)
    cuts = DEFAULT_CUTS.changed({CUTS[name]: given[name] for name in CUTS if name in given})
    problems += [
        Problem(field, "out_of_order", _("The limits must grow: 0 < A < B < 100, 0 < X < Y."))
        for field in cuts.out_of_order()
    ]
    if problems:
        raise Invalid(problems)
    return Question(
        today=today,
        first=first,
        last=last,
        # stock at the end of today is the stock of now
        on=None if on == today else on,
        warehouse_ids=_readable(given.get("warehouse")),
        category_id=given.get("category"),
        text=str(given.get("q", "")).strip(),
        by=given.get("by", ""),
        cuts=cuts,
        more={name: given[name] for name in MORE if name in given},
    )


def _readable(warehouse_id: int | None) -> tuple[int, ...] | None:
    """Return the warehouses that are to be counted: those chosen, and none out of reach."""
    allowed = allowed_warehouses()
    if warehouse_id is None:
        return None if allowed is None else tuple(sorted(allowed))
    return (warehouse_id,) if allowed is None or warehouse_id in allowed else ()


def business_today() -> date:
    """Return the day it is where the tenant is."""
    return timezone.now().astimezone(ZoneInfo(active_scope().tenant.time_zone)).date()


def _escaped(text: str) -> str:
    """Return the text as a pattern that matches only itself."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def _period(
    given: Mapping[str, Any], today: date, default_days: int
) -> tuple[date, date, list[Problem]]:
    """Return first and last day, and what is wrong with them."""
    last = given.get("to", today)
    if last < FIRST_DAY:
        return FIRST_DAY, last, [Problem("to", "too_early", TOO_EARLY)]
    first = given.get("from", last - timedelta(days=default_days - 1))
    if first > last:
        message = _("The period ends before it begins.")
        return first, last, [Problem("to", "before_from", message)]
    if first < FIRST_DAY:
        return first, last, [Problem("from", "too_early", TOO_EARLY)]
    if (last - first).days >= MOST_DAYS:
        too_long = _("A period has at most %(most)d days.") % {"most": MOST_DAYS}
        return first, last, [Problem("from", "too_long", too_long)]
    return first, last, []


def _day_problems(name: str, day: date | None, today: date) -> list[Problem]:
    if day is None:
        return []
    if day > today:
        return [Problem(name, "future", _("This day has not come yet."))]
    if day < FIRST_DAY:
        return [Problem(name, "too_early", TOO_EARLY)]
    return []
