"""Shipping on a handheld: scan every package of an order, then the carrier's label."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import Package, PackageState, SalesOrder, WorkKind
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Outcome,
    ScanFlow,
    Stage,
    Step,
    run_flow,
)
from inventory.queries.packing import get_order, get_package, packages_of, packing_lines
from inventory.queries.scanning import DOCUMENT, Scanned
from inventory.queries.shipping import get_shipment, known_carriers
from inventory.services.shipping import ShipmentFields, ship_order
from inventory.services.worklists import take_work
from tenancy.errors import Conflict
from tenancy.pages.web import address

LONGEST_TRACKING = 80
MOST_CARRIERS = 3
CARRIER = "carrier:"


class NotForShipping(Conflict):
    """What was scanned is no closed package of the order, or its order has none."""

    code = "not_for_shipping"

    def __init__(self, label: str, *, order: str = "") -> None:
        other = _("%(label)s is no closed package of order %(order)s.")
        nothing = _("%(label)s: no closed package of it waits to leave.")
        message = (other if order else nothing) % {"label": label, "order": order}
        super().__init__(message, label=label, order=order)


class NotTheCarriersLabel(Conflict):
    """The package was scanned once more: its number is no tracking number."""

    code = "not_the_carriers_label"

    def __init__(self, number: str) -> None:
        message = _("%(number)s is the package. Scan the label of the carrier.")
        super().__init__(message % {"number": number}, number=number)


class ShipFlow(ScanFlow):
    """One order: its closed packages are scanned one by one, so that none stays behind unseen."""

    title = gettext_lazy("Ship")
    keys = ("order", "scanned", "carrier", "done")

    @cached_property
    def order(self) -> SalesOrder | None:
        order_id = self.row_id("order")
        return None if order_id is None else get_order(order_id)

    @cached_property
    def boxes(self) -> list[Package]:
        return list(packages_of(self.order.pk)) if self.order else []

    @property
    def closed(self) -> list[Package]:
        return [package for package in self.boxes if package.state == PackageState.CLOSED]

    @property
    def scanned(self) -> set[int]:
        """Return the closed packages scanned so far, by id."""
        given = {text for text in self.context.get("scanned", "").split("-") if text}
        return {package.pk for package in self.closed if str(package.pk) in given}

    def back_url(self) -> str:
        return address(self.request, "inventory:ship_list")

    def step(self) -> Step:
        name = self._name()
        prompts = {
            "package": _("Scan a package or an order"),
            "packages": _("Scan the next package"),
            "tracking": _("Scan the carrier's label"),
        }
        hints = {
            "package": _("Every package of the order is scanned before it leaves."),
            "packages": _("%(done)d of %(all)d scanned.")
            % {"done": len(self.scanned), "all": len(self.closed)},
            "tracking": _("Its tracking number is kept with the shipment."),
        }
        order = self.order
        return Step(
            name=name,
            prompt=prompts[name],
            hint=hints[name],
            stages=[
                Stage(_("Order"), order.number if order else "", name == "package"),
                Stage(_("Packages"), self._counted(), name == "packages"),
                Stage(_("Carrier"), self.context.get("carrier", ""), name == "tracking"),
            ],
            body="inventory/_scan_ship.html",
            facts=self._facts(),
            buttons=self._buttons(name),
            undo="" if order is None else _("Another order"),
        )

    def take(self, scan: str) -> Outcome:
        name = self._name()
        if name == "package":
            return self._choose(self.resolve(scan, DOCUMENT))
        if name == "packages":
            return self._tick(self.resolve(scan, DOCUMENT))
        return self._track(scan)

    def press(self, action: str) -> Outcome:
        name = self._name()
        if action == "undo":
            return Outcome({})
        if action == "part" and name == "packages" and self.scanned:
            return self._send("", sorted(self.scanned))
        if action == "untracked" and name == "tracking":
            return self._send("", None)
        chosen = action.removeprefix(CARRIER)
        if action.startswith(CARRIER) and name == "tracking" and chosen in self._carriers():
            return Outcome(self.with_context(carrier=chosen))
        raise ActionUnknown

    # -- where we are ------------------------------------------------------------------------------
    def _name(self) -> str:
        if self.order is None or not self.closed:
            return "package"
        return "packages" if len(self.scanned) < len(self.closed) else "tracking"

    def _counted(self) -> str:
        return f"{len(self.scanned)} / {len(self.closed)}" if self.order else ""

    def _carriers(self) -> list[str]:
        order = self.order
        return known_carriers(order.warehouse_id)[:MOST_CARRIERS] if order else []

    def _facts(self) -> dict[str, Any]:
        done, order = self.row_id("done"), self.order
        scanned = self.scanned
        return {
            "ship_order": order,
            "boxes": [(package, package.pk in scanned) for package in self.closed],
            "opened": [p for p in self.boxes if p.state == PackageState.OPEN],
            "loose": [line for line in packing_lines(order.pk) if line.left > 0] if order else [],
            "sent": get_shipment(done) if done is not None else None,
        }

    def _buttons(self, name: str) -> list[Button]:
        if name == "packages" and self.scanned:
            part = _("Ship these %(count)d only") % {"count": len(self.scanned)}
            confirm = _("The other packages stay here and leave later. Ship these now?")
            return [Button("part", part, "truck", confirm=confirm)]
        if name != "tracking":
            return []
        carriers = [
            Button(f"{CARRIER}{carrier}", carrier)
            for carrier in self._carriers()
            if carrier != self.context.get("carrier")
        ]
        return [*carriers, Button("untracked", _("Ship without tracking"), "truck", "primary")]

    # -- what is scanned ---------------------------------------------------------------------------
    def _choose(self, found: Scanned) -> Outcome:
        scanned: list[int] = []
        if found.document_kind == "Package":
            package = get_package(found.id)
            order_id, is_closed = package.sales_order_id, package.state == PackageState.CLOSED
            scanned = [package.pk] if is_closed else []
        elif found.document_kind == "SalesOrder":
            order_id, is_closed = found.id, True
        else:
            raise NotForShipping(found.label)
        closed = [p for p in packages_of(order_id) if p.state == PackageState.CLOSED]
        if not closed or not is_closed:
            raise NotForShipping(found.label)
        take_work(kind=WorkKind.SHIP, subject_id=order_id)
        context = {"order": str(order_id), "scanned": "-".join(map(str, scanned))}
        return Outcome(context, message=found.label)

    def _tick(self, found: Scanned) -> Outcome:
        order = self.order
        is_package = found.document_kind == "Package"
        if not is_package or found.id not in {package.pk for package in self.closed}:
            raise NotForShipping(found.label, order=order.number if order else "")
        scanned = sorted(self.scanned | {found.id})
        return Outcome(self.with_context(scanned="-".join(map(str, scanned))), message=found.label)

    def _track(self, scan: str) -> Outcome:
        tracking = scan.strip()[:LONGEST_TRACKING]
        numbers = {package.number.casefold() for package in self.closed}
        if tracking.casefold() in numbers:
            raise NotTheCarriersLabel(tracking)
        return self._send(tracking, None)

    def _send(self, tracking: str, package_ids: list[int] | None) -> Outcome:
        if self.order is None:
            raise ActionUnknown
        every = [package.pk for package in self.closed]
        shipment = ship_order(
            sales_order_id=self.order.pk,
            shipment=ShipmentFields(
                carrier=self.context.get("carrier", ""), tracking_number=tracking
            ),
            package_ids=every if package_ids is None else package_ids,
        )
        message = _("%(number)s has left.") % {"number": shipment.number}
        return Outcome({"done": str(shipment.pk)}, message=message)


def scan_ship(request: HttpRequest, tenant: str) -> HttpResponse:
    """Ship orders by scanning."""
    return run_flow(request, ShipFlow)
