"""Reviewing a count on a handheld: what differs, then approve, or have it counted again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import CountState, CycleCount
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Outcome,
    ScanFlow,
    Step,
    run_flow,
    started,
)
from inventory.queries.counting import CountItem, count_items, count_totals, get_count
from inventory.services.count_review import (
    approve_count,
    post_count,
    rebase_stale,
    recount_lines,
)
from tenancy.pages.web import address
from tenancy.permissions import Permission


class CountReviewFlow(ScanFlow):
    """One count that was handed in. Stock that moved since is said before anything is posted."""

    title = gettext_lazy("Review a count")
    permission = Permission.APPROVE

    @cached_property
    def count(self) -> CycleCount:
        return get_count(self.ids["cycle_count_id"])

    @cached_property
    def items(self) -> list[CountItem]:
        return count_items(self.count)

    @property
    def differing(self) -> list[CountItem]:
        return [item for item in self.items if item.variance]

    @property
    def is_open(self) -> bool:
        return self.count.state in (CountState.COUNTED, CountState.APPROVED)

    def back_url(self) -> str:
        return address(self.request, "inventory:count_review_list")

    def step(self) -> Step:
        words = {"number": self.count.number, "place": self.count.location.code}
        return Step(
            name="review" if self.is_open else "over",
            prompt=_("%(number)s · %(place)s") % words,
            hint=self.count.get_state_display(),
            body="inventory/_scan_count_review.html",
            facts=self._facts(),
            buttons=self._buttons(),
        )

    def take(self, scan: str) -> Outcome:
        found = self.resolve(scan)
        target = f"{address(self.request, 'inventory:scan')}?{started({'code': scan.strip()})}"
        return Outcome({}, found.label, target=target)

    def press(self, action: str) -> Outcome:
        if action not in {button.action for button in self._buttons()}:
            raise ActionUnknown
        does: dict[str, tuple[Callable[[], object], str]] = {
            "approve": (self._approve, _("%(number)s is approved and posted.")),
            "post": (self._post, _("%(number)s is posted.")),
            "rebase": (self._rebase, _("%(number)s: what moved since was added.")),
            "recount": (self._recount, _("%(number)s goes back to be counted again.")),
        }
        do, told = does[action]
        do()
        return Outcome({}, told % {"number": self.count.number})

    def _approve(self) -> None:
        approve_count(cycle_count_id=self.count.pk, then_post=True)

    def _post(self) -> None:
        post_count(cycle_count_id=self.count.pk)

    def _rebase(self) -> None:
        rebase_stale(cycle_count_id=self.count.pk)

    def _recount(self) -> None:
        lines = [item.line_id for item in self.differing if item.line_id is not None]
        recount_lines(cycle_count_id=self.count.pk, line_ids=lines)

    def _buttons(self) -> list[Button]:
        if not self.is_open:
            return []
        again = [Button("recount", _("Count again"), "refresh")] if self.differing else []
        if any(item.is_stale for item in self.differing):
            return [*again, Button("rebase", _("Add what moved"), "plus", "primary")]
        if self.count.state == CountState.COUNTED:
            return [*again, Button("approve", _("Approve and post"), "check", "primary")]
        return [*again, Button("post", _("Post"), "check", "primary")]

    def _facts(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "differing": self.differing,
            "totals": count_totals(self.items),
        }


def scan_count_review(request: HttpRequest, tenant: str, cycle_count_id: int) -> HttpResponse:
    """Review a count by scanning."""
    return run_flow(request, CountReviewFlow, cycle_count_id=cycle_count_id)
