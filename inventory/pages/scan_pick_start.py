"""Picking on a handheld begins here: a wave or an order is scanned, or the next one is taken."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import Wave, WorkKind
from inventory.pages.scan_order import begin_picking
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Outcome,
    ScanFlow,
    Step,
    run_flow,
    working_warehouse,
)
from inventory.queries.scanning import DOCUMENT
from inventory.queries.scanning_work import has_promises_to_pick, work_of
from inventory.queries.waves import released_waves, wave_progress
from inventory.queries.worklists import FREE, MINE
from inventory.services.worklists import take_work
from tenancy.errors import Conflict
from tenancy.pages.web import address

MOST_SHOWN = 12


class NotToPick(Conflict):
    """What was scanned has nothing to be picked."""

    code = "not_to_pick"

    def __init__(self, label: str) -> None:
        words = _("%(label)s: nothing of it waits to be picked. Scan a wave or an order.")
        super().__init__(words % {"label": label}, label=label)


class PickStartFlow(ScanFlow):
    title = gettext_lazy("Pick")

    def step(self) -> Step:
        mine, free = self._waves(MINE), self._waves(FREE)
        progress = wave_progress([wave.pk for wave in [*mine, *free]])
        facts: dict[str, Any] = {
            "groups": [
                (title, [(wave, progress[wave.pk]) for wave in waves])
                for title, waves in ((_("Yours"), mine), (_("Waiting"), free))
                if waves
            ]
        }
        waits = bool(mine or free)
        return Step(
            name="wave",
            prompt=_("Scan a wave or an order"),
            hint="" if waits else _("No wave waits: an order that has its stock makes its own."),
            body="inventory/_scan_waves.html",
            facts=facts,
            buttons=[Button("next", _("Take the next"), "arrow-right", "primary")] if waits else [],
        )

    def take(self, scan: str) -> Outcome:
        found = self.resolve(scan, DOCUMENT)
        if found.document_kind == "Wave" and "pick" in work_of(found):
            return self._go(found.id)
        if found.document_kind == "SalesOrder" and has_promises_to_pick(found.id):
            return Outcome({}, target=begin_picking(self.request, found.id))
        raise NotToPick(found.label)

    def press(self, action: str) -> Outcome:
        waves = [*self._waves(MINE), *self._waves(FREE)]
        if action != "next" or not waves:
            raise ActionUnknown
        return self._go(waves[0].pk)

    def _waves(self, assignee: str) -> list[Wave]:
        rows = released_waves(warehouse_id=working_warehouse(self.request), assignee=assignee)
        return list(rows[:MOST_SHOWN])

    def _go(self, wave_id: int) -> Outcome:
        take_work(kind=WorkKind.PICK, subject_id=wave_id)
        return Outcome({}, target=address(self.request, "inventory:scan_pick", wave_id=wave_id))


def scan_pick_start(request: HttpRequest, tenant: str) -> HttpResponse:
    """Begin picking by scanning."""
    return run_flow(request, PickStartFlow)
