"""The scan page: scan anything, see what it is and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.pages.scan_links import (
    Link,
    document_address,
    flow_links,
    label_address,
    page_address,
)
from inventory.pages.scan_order import begin
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
from tenancy.pages.web import address
from tenancy.permissions import Permission

MOST_LINES = 20
CHOOSE = "warehouse:"
LOT_PAGE = "inventory:lot_detail"


class AnythingFlow(ScanFlow):
    """Shows what a code stands for, and begins what can be done with it."""

    title = gettext_lazy("Scan")
    keys = ("code",)
    permission = Permission.READ

    def step(self) -> Step:
        found = self._found()
        links = flow_links(self.request, found)
        facts: dict[str, Any] = {
            "found": found,
            "flows": links,
            **_place_facts(self.request),
            **(_facts(self.request, found) if found else {}),
        }
        return Step(
            name="anything",
            prompt=_("Scan anything"),
            hint=self._hint(found, links),
            body="inventory/_scan_found.html",
            facts=facts,
            commands=[*(link.command for link in links), *self._things(found)],
        )

    def take(self, scan: str) -> Outcome:
        found = self.resolve(scan)
        is_again = scan.strip() == self.context.get("code")
        # a document scanned again: what is next for it begins
        if is_again and found.kind == ScannedKind.DOCUMENT:
            links = flow_links(self.request, found)
            if links:
                return self._begin(found, links[0])
        return Outcome({"code": scan.strip()}, message=found.label)

    def press(self, action: str) -> Outcome:
        found = self._found()
        links = flow_links(self.request, found)
        link = next((link for link in links if link.command == action), None)
        if link is not None:
            return self._begin(found, link)
        if found is not None and action in self._things(found):
            return self._look_at(found, action)
        chosen = action.removeprefix(CHOOSE)
        if not action.startswith(CHOOSE) or not (chosen.isascii() and chosen.isdigit()):
            raise ActionUnknown
        warehouse = get_warehouse(int(chosen[:18]))
        choose_warehouse(self.request, warehouse.pk)
        return Outcome({}, message=_("You work in %(place)s.") % {"place": warehouse.name})

    def _hint(self, found: Scanned | None, links: Sequence[Link]) -> str:
        if found is None:
            return _("A location, a product, a lot or a document.")
        if found.kind == ScannedKind.DOCUMENT and links:
            return _("Scan it again: %(title)s") % {"title": links[0].title}
        return ""

    def _begin(self, found: Scanned | None, link: Link) -> Outcome:
        """Go to the flow; one that takes documents gets this one as its first scan."""
        # an order has a page that receives it, but only its first scan takes the work
        if found is not None and (not link.href or found.document_kind == "PurchaseOrder"):
            return begin(self.request, link.command, self.context["code"])
        return Outcome({}, target=link.href)

    def _things(self, found: Scanned | None) -> list[str]:
        """Return what may be had of the thing itself: its label, its trace, its page."""
        if found is None:
            return []
        if found.kind == ScannedKind.DOCUMENT:
            has_page = bool(document_address(self.request, found.document_kind, found.id))
            is_package = found.document_kind == "Package"
            return ["open"] * has_page + ["label"] * is_package
        traced = ["trace"] if found.lot_id is not None else []
        return ["open", "label", *traced]

    def _look_at(self, found: Scanned, action: str) -> Outcome:
        if action == "label":
            file = label_address(self.request, found)
            return Outcome(self.context, _("The label is on its way."), file=file)
        if action == "trace":
            return Outcome({}, target=address(self.request, LOT_PAGE, lot_id=found.lot_id))
        return Outcome({}, target=page_address(self.request, found))

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
