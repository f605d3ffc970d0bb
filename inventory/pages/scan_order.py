"""A sales order on a handheld: what it stands at, and the next thing to do with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import SalesOrder, SalesOrderState, WorkKind
from inventory.pages.scan_pack import PackFlow
from inventory.pages.scan_receive import ReceiveFlow
from inventory.pages.scan_return import ReceiveReturnFlow
from inventory.pages.scan_ship import ShipFlow
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Outcome,
    ScanFlow,
    Step,
    run_flow,
    started,
)
from inventory.queries.sales import get_sales_order
from inventory.queries.scanning_work import has_promises_to_pick, open_wave_of, order_work
from inventory.queries.waves import WaveRequest
from inventory.rules.wave_plan import PlanKind
from inventory.services.allocation import allocate_orders
from inventory.services.sales import confirm_sales_order
from inventory.services.waves import release_waves
from inventory.services.worklists import take_work
from tenancy.pages.web import address
from tenancy.permissions import Permission, allows
from tenancy.scope import active_scope

TAKING: dict[str, tuple[type[ScanFlow], str]] = {
    "receive": (ReceiveFlow, "inventory:scan_receive"),
    "pack": (PackFlow, "inventory:scan_pack"),
    "ship": (ShipFlow, "inventory:scan_ship"),
    "return": (ReceiveReturnFlow, "inventory:scan_receive_return"),
}
"""Flows that take a document as their first scan."""
LOOKING = (
    SalesOrderState.CONFIRMED,
    SalesOrderState.BACKORDERED,
    SalesOrderState.PARTIALLY_ALLOCATED,
)


class OrderFlow(ScanFlow):
    """One order. It offers what may be done with it now; anything else scanned is looked up."""

    title = gettext_lazy("Order")

    @cached_property
    def order(self) -> SalesOrder:
        return get_sales_order(self.ids["sales_order_id"])

    def step(self) -> Step:
        buttons = self._buttons()
        return Step(
            name="order",
            prompt=self.order.number,
            hint=_("Scan the command of a button, or anything else to look it up.")
            if buttons
            else _("Nothing is to be done with it now."),
            body="inventory/_scan_order.html",
            facts=self._facts(),
            buttons=buttons,
        )

    def take(self, scan: str) -> Outcome:
        found = self.resolve(scan)
        if (found.document_kind, found.id) == ("SalesOrder", self.order.pk):
            return Outcome({}, found.label)
        target = f"{address(self.request, 'inventory:scan')}?{started({'code': scan.strip()})}"
        return Outcome({}, found.label, target=target)

    def press(self, action: str) -> Outcome:
        if action not in {button.action for button in self._buttons()}:
            raise ActionUnknown
        if action == "confirm":
            confirm_sales_order(sales_order_id=self.order.pk)
            return Outcome({}, self._told())
        if action == "allocate":
            allocate_orders(order_ids=[self.order.pk])
            return Outcome({}, self._told())
        if action == "pick":
            return Outcome({}, target=begin_picking(self.request, self.order.pk))
        return begin(self.request, action, self.order.number)

    def _buttons(self) -> list[Button]:
        """Return what may be done now, the next step last: in reach of the thumb."""
        actor, order = active_scope().actor, self.order
        work = order_work(order.pk)
        offered = [
            Button("return", _("Return"), "return") if "return" in work else None,
            Button("allocate", _("Promise stock"), "layers") if order.state in LOOKING else None,
            Button("ship", _("Ship"), "truck") if "ship" in work else None,
            Button("pack", _("Pack"), "box") if "pack" in work else None,
            Button("pick", _("Pick"), "clipboard") if has_promises_to_pick(order.pk) else None,
            Button("confirm", _("Confirm"), "check")
            if order.state == SalesOrderState.DRAFT and allows(actor, Permission.SELL)
            else None,
        ]
        found = [button for button in offered if button is not None]
        return [*found[:-1], replace(found[-1], tone="primary")] if found else []

    def _facts(self) -> dict[str, Any]:
        return {"order": self.order, "lines": list(self.order.lines.all())}

    def _told(self) -> str:
        order = get_sales_order(self.order.pk)
        words = {"number": order.number, "state": order.get_state_display()}
        return _("%(number)s: %(state)s") % words


def begin(request: HttpRequest, command: str, code: str) -> Outcome:
    """Let the flow of the command take the document as its first scan, and go on there."""
    kind, view = TAKING[command]
    begun = kind(request, {}).take(code)
    return Outcome({}, begun.message, target=f"{address(request, view)}?{started(begun.context)}")


def begin_picking(request: HttpRequest, sales_order_id: int) -> str:
    """Take the order's wave, or release its promised goods as one; return the page that picks."""
    wave = open_wave_of(sales_order_id)
    if wave is None:
        order = get_sales_order(sales_order_id)
        wanted = WaveRequest(order.warehouse_id, kind=PlanKind.SINGLE, order_ids=(order.pk,))
        wave = release_waves(request=wanted)[0]
    take_work(kind=WorkKind.PICK, subject_id=wave.pk)
    return address(request, "inventory:scan_pick", wave_id=wave.pk)


def scan_order(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Go on with an order by scanning."""
    return run_flow(request, OrderFlow, sales_order_id=sales_order_id)
