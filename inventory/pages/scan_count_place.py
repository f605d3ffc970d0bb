"""Counting on a handheld begins with a place: its count is gone on with, or asked for."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import CountState, CycleCount
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Outcome,
    ScanFlow,
    Step,
    run_flow,
    working_warehouse,
)
from inventory.queries.counting import in_states, next_count, search_counts
from inventory.queries.places import get_location
from inventory.queries.scanning import PLACE
from inventory.services.counting import request_count, start_count
from tenancy.pages.web import address

MOST_SHOWN = 12


class PlaceFlow(ScanFlow):
    """Scan a place: its count begins, or one is asked for."""

    title = gettext_lazy("Count")
    keys = ("place",)

    def step(self) -> Step:
        place_id = self.row_id("place")
        if place_id is None:
            return Step(
                name="place",
                prompt=_("Scan the place to count"),
                body="inventory/_scan_counts.html",
                facts=self._waiting(),
            )
        place = get_location(place_id)
        return Step(
            name="ask",
            prompt=_("Count %(place)s?") % {"place": place.code},
            hint=_("Scan it again to begin, or another place."),
            buttons=[Button("count", _("Count this place"), "check", "primary")],
            undo=_("Back one scan"),
        )

    def take(self, scan: str) -> Outcome:
        found = self.resolve(scan, PLACE)
        location_id = found.location_id or 0
        known = next_count(location_id)
        if known is not None:
            return self._go(known)
        if self.row_id("place") == location_id:
            return self._go(request_count(location_id=location_id))
        return Outcome({"place": str(location_id)}, message=found.label)

    def press(self, action: str) -> Outcome:
        place_id = self.row_id("place")
        if action == "undo":
            return Outcome({})
        if action != "count" or place_id is None:
            raise ActionUnknown
        return self._go(next_count(place_id) or request_count(location_id=place_id))

    def _waiting(self) -> dict[str, Any]:
        """Return the counts that wait where the member works, the most urgent first."""
        rows = search_counts(warehouse_id=working_warehouse(self.request))
        found = list(
            in_states(rows, CountState.to_count()).order_by(F("due_on").asc(nulls_last=True), "id")[
                : MOST_SHOWN + 1
            ]
        )
        return {"counts": found[:MOST_SHOWN], "has_more": len(found) > MOST_SHOWN}

    def _go(self, count: CycleCount) -> Outcome:
        """Begin the count: the place was scanned, so nobody has to scan it again."""
        start_count(cycle_count_id=count.pk)
        target = address(self.request, "inventory:scan_count", cycle_count_id=count.pk)
        return Outcome({}, target=target)


def scan_count_place(request: HttpRequest, tenant: str) -> HttpResponse:
    """Begin counting by scanning a place."""
    return run_flow(request, PlaceFlow)
