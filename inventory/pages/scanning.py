"""The scan page: scan anything, see what it is and what can be done with it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.pages.scan_links import document_address, flow_links
from inventory.pages.scan_steps import (
    ActionUnknown,
    Outcome,
    ScanFlow,
    Step,
    choose_warehouse,
    run_flow,
    working_warehouse,
)
from inventory.queries.catalog import get_product
from inventory.queries.places import get_location, get_warehouse, warehouses
from inventory.queries.scanning import Scanned, ScannedKind
from inventory.queries.stock import lying
from tenancy.errors import Conflict
from tenancy.permissions import Permission

MOST_LINES = 20
CHOOSE = "warehouse:"


class AnythingFlow(ScanFlow):
    """Shows what a code stands for. It changes nothing."""

    title = gettext_lazy("Scan")
    keys = ("code",)
    permission = Permission.READ

    def step(self) -> Step:
        found = self._found()
        facts: dict[str, Any] = {
            "found": found,
            "flows": flow_links(self.request, found),
            **_place_facts(self.request),
            **(_facts(self.request, found) if found else {}),
        }
        return Step(
            name="anything",
            prompt=_("Scan anything"),
            hint="" if found else _("A location, a product, a lot or a document."),
            body="inventory/_scan_found.html",
            facts=facts,
        )

    def take(self, scan: str) -> Outcome:
        found = self.resolve(scan)
        return Outcome({"code": scan.strip()}, message=found.label)

    def press(self, action: str) -> Outcome:
        chosen = action.removeprefix(CHOOSE)
        if not action.startswith(CHOOSE) or not (chosen.isascii() and chosen.isdigit()):
            raise ActionUnknown
        warehouse = get_warehouse(int(chosen[:18]))
        choose_warehouse(self.request, warehouse.pk)
        return Outcome({}, message=_("You work in %(place)s.") % {"place": warehouse.name})

    def _found(self) -> Scanned | None:
        code = self.context.get("code", "")
        try:
            return self.resolve(code) if code else None
        except Conflict:  # an address of yesterday, or the warehouse is another one now
            return None


def scan(request: HttpRequest, tenant: str) -> HttpResponse:
    """Scan anything."""
    return run_flow(request, AnythingFlow)


def _place_facts(request: HttpRequest) -> dict[str, Any]:
    known = list(warehouses())
    chosen = working_warehouse(request)
    current = next((warehouse for warehouse in known if warehouse.pk == chosen), None)
    return {"choices": known if len(known) > 1 else [], "working_in": current}


def _facts(request: HttpRequest, found: Scanned) -> dict[str, Any]:
    """Return what is shown about the thing, with the start of the list of where it lies."""
    if found.kind == ScannedKind.DOCUMENT:
        return {"document_href": document_address(request, found.document_kind, found.id)}
    if found.kind == ScannedKind.LOCATION:
        rows = lying(location_id=found.id)
        return {"place": get_location(found.id), **_start(rows)}
    if found.lot_id is not None:
        rows = lying(product_id=found.product_id, lot_id=found.lot_id)
    else:
        rows = lying(product_id=found.product_id)
    return {"product": get_product(found.product_id or 0), **_start(rows)}


def _start(rows: Any) -> dict[str, Any]:
    shown = list(rows[: MOST_LINES + 1])
    return {"lines": shown[:MOST_LINES], "has_more": len(shown) > MOST_LINES}
