"""Returns on a handheld: received by the order they belong to, inspected with one big button."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    CustomerReturnState,
    LotTracking,
    MovementReason,
    ReturnOutcome,
    SalesOrder,
    WorkKind,
)
from inventory.pages.fields import plain
from inventory.pages.scan_steps import ActionUnknown, Button, Outcome, Stage, Step, run_flow
from inventory.pages.scan_waiting import NotWaiting, Waiting, WaitingFlow
from inventory.queries.movements import movements_of
from inventory.queries.packing import get_order, get_package
from inventory.queries.returns import get_return, open_return_of, returnable_lines
from inventory.queries.scanning import DOCUMENT
from inventory.queries.shipping import get_shipment
from inventory.services.returns import (
    ExpectedLine,
    InspectedGoods,
    ReturnedGoods,
    add_shipped_lines,
    expect_return,
    inspect_return,
    receive_return,
    reverse_return_movement,
)
from inventory.services.worklists import take_work
from tenancy.pages.web import address

SHIPPED = "shipped-"
OPEN = (CustomerReturnState.EXPECTED, CustomerReturnState.RECEIVED)
OUTCOMES = {
    ReturnOutcome.RESTOCK: ("check", "primary"),
    ReturnOutcome.QUARANTINE: ("layers", ""),
    ReturnOutcome.TO_SUPPLIER: ("truck", ""),
    ReturnOutcome.SCRAP: ("trash", "danger"),
}


class ReceiveReturnFlow(WaitingFlow):
    """A return, or the shipment, order or package it came from; then its goods one by one."""

    title = gettext_lazy("Receive a return")
    keys = ("back", "order", "row", "lot", "done")
    prompt = gettext_lazy("Scan what came back")
    over = gettext_lazy("Nothing else is expected back")

    @cached_property
    def back(self) -> CustomerReturn | None:
        back_id = self.row_id("back")
        return None if back_id is None else get_return(back_id)

    @cached_property
    def order(self) -> SalesOrder | None:
        order_id = self.back.sales_order_id if self.back else self.row_id("order")
        return None if order_id is None else get_order(order_id)

    def back_url(self) -> str:
        return address(self.request, "inventory:customer_return_list")

    def waiting(self) -> list[Waiting]:
        rows: list[Waiting] = []
        if self.back is not None and self.back.state in OPEN:
            rows = [
                Waiting(
                    key=str(line.pk),
                    product=line.product,
                    lot=line.lot,
                    left=line.quantity - line.quantity_received,
                    asks_lot=line.lot is None and line.product.lot_tracking != LotTracking.NONE,
                )
                for line in self.back.lines.all()
                if line.quantity_received < line.quantity
            ]
        if self.order is not None and (self.back is None or self.back.state in OPEN):
            rows += [
                Waiting(
                    f"{SHIPPED}{line.pk}",
                    line.product,
                    line.lot,
                    line.quantity - line.quantity_returned,
                )
                for line in returnable_lines(self.order.pk)
            ]
        return rows

    def name(self) -> str:
        return "document" if self.back is None and self.order is None else super().name()

    def step(self) -> Step:
        if self.name() == "document":
            return Step(
                name="document",
                prompt=_("Scan the return, shipment, package or order"),
                hint=_("Without any, take the return up at the desk."),
                stages=self.stages("document", None),
            )
        shown = super().step()
        if self.row is None and self.context.get("done"):
            return replace(shown, undo=_("Take the last one back"))
        return shown

    def take(self, scan: str) -> Outcome:
        if self.name() != "document":
            return super().take(scan)
        found = self.resolve(scan, DOCUMENT)
        if found.document_kind == "CustomerReturn":
            return Outcome({"back": str(get_return(found.id).pk)}, found.label)
        ids = {
            "SalesOrder": lambda: found.id,
            "Shipment": lambda: get_shipment(found.id).sales_order_id,
            "Package": lambda: get_package(found.id).sales_order_id,
        }
        if found.document_kind not in ids:
            raise NotWaiting(found.label)
        order_id = ids[found.document_kind]()
        known = open_return_of(order_id)
        context = {"order": str(order_id)} if known is None else {"back": str(known.pk)}
        return Outcome(context, found.label)

    def press(self, action: str) -> Outcome:
        movement_id = self.row_id("done")
        if action == "undo" and self.row is None and movement_id and self.back is not None:
            reverse_return_movement(
                customer_return_id=self.back.pk,
                movement_id=movement_id,
                reason=_("Taken back while receiving"),
            )
            return Outcome(self.with_context(done=None), _("It is not back any more."))
        return super().press(action)

    def settle(self, row: Waiting, quantity: Decimal) -> Outcome:
        back, line = self._expected(row, quantity)
        lot = self.context.get("lot", "") if row.asks_lot else ""
        part = ReturnedGoods(line.pk, quantity, lot)
        receive_return(customer_return_id=back.pk, goods=[part])
        came = movements_of(back).filter(reason=MovementReason.CUSTOMER_RETURN, reverses=None)
        words = _("%(quantity)s %(unit)s %(name)s are in quarantine") % _said(row, quantity)
        return Outcome({"back": str(back.pk), "done": str(came[0].pk)}, words)

    def _expected(
        self, row: Waiting, quantity: Decimal
    ) -> tuple[CustomerReturn, CustomerReturnLine]:
        """Return the line that the goods belong to, expected now if nobody did before."""
        back, order = self.back, self.order
        if back is not None and not row.key.startswith(SHIPPED):
            return back, next(line for line in back.lines.all() if str(line.pk) == row.key)
        shipped = [ExpectedLine(int(row.key.removeprefix(SHIPPED)), quantity)]
        if back is not None:
            add_shipped_lines(customer_return_id=back.pk, lines=shipped)
        elif order is not None:
            back = expect_return(sales_order_id=order.pk, lines=shipped)
        else:
            raise ActionUnknown
        fresh = get_return(back.pk)
        return fresh, max(fresh.lines.all(), key=lambda line: line.pk)

    def stages(self, name: str, row: Waiting | None) -> list[Stage]:
        number = self.back.number if self.back else self.order.number if self.order else ""
        return [Stage(_("From"), number, name == "document"), *super().stages(name, row)]


class InspectFlow(WaitingFlow):
    """What came back: the goods, how many, and what becomes of them."""

    title = gettext_lazy("Inspect a return")
    keys = ("row", "lot", "quantity")
    prompt = gettext_lazy("Scan what you inspect")
    over = gettext_lazy("All that came back is inspected")

    @cached_property
    def back(self) -> CustomerReturn:
        return get_return(self.ids["customer_return_id"])

    def back_url(self) -> str:
        return address(self.request, "inventory:return_inspect_list")

    def waiting(self) -> list[Waiting]:
        if self.back.state != CustomerReturnState.RECEIVED:
            return []
        return [
            Waiting(str(line.pk), line.product, line.lot, line.to_inspect)
            for line in self.back.lines.all()
            if line.to_inspect > 0
        ]

    def name(self) -> str:
        name = super().name()
        return "outcome" if name == "quantity" and self.context.get("quantity") else name

    def step(self) -> Step:
        shown = super().step() if self.name() != "outcome" else None
        if shown is not None:
            return shown
        row = self.row
        return Step(
            name="outcome",
            prompt=_("What becomes of it?"),
            hint=row.product.name if row else "",
            stages=self.stages("outcome", row),
            buttons=[
                Button(outcome.value, outcome.label, icon, tone)
                for outcome, (icon, tone) in OUTCOMES.items()
            ],
            undo=_("Back one scan"),
        )

    def take(self, scan: str) -> Outcome:
        if self.name() == "outcome":
            raise NotWaiting(scan)
        outcome = super().take(scan)
        take_work(kind=WorkKind.INSPECT, subject_id=self.back.pk)
        return outcome

    def press(self, action: str) -> Outcome:
        row = self.row
        if self.name() != "outcome" or row is None:
            return super().press(action)
        if action == "undo":
            return Outcome(self.with_context(quantity=None))
        if action not in ReturnOutcome.values:
            raise ActionUnknown
        quantity = self.amount("quantity")
        part = InspectedGoods(int(row.key), ReturnOutcome(action), quantity)
        inspect_return(customer_return_id=self.back.pk, goods=[part])
        words = _("%(quantity)s %(unit)s %(name)s: %(outcome)s") % {
            **_said(row, quantity),
            "outcome": ReturnOutcome(action).label,
        }
        return Outcome({}, words)

    def settle(self, row: Waiting, quantity: Decimal) -> Outcome:
        return Outcome(self.with_context(quantity=plain(quantity)))

    def stages(self, name: str, row: Waiting | None) -> list[Stage]:
        what, _quantity = super().stages(name, row)
        amount = self.context.get("quantity", "")
        return [
            what,
            Stage(_("Quantity"), amount, name == "quantity"),
            Stage(_("Outcome"), "", name == "outcome"),
        ]


def _said(row: Waiting, quantity: Decimal) -> dict[str, str]:
    return {
        "quantity": plain(quantity),
        "unit": row.product.base_unit,
        "name": row.product.name,
    }


def scan_receive_return(request: HttpRequest, tenant: str) -> HttpResponse:
    """Receive a return by scanning."""
    return run_flow(request, ReceiveReturnFlow)


def scan_inspect_return(request: HttpRequest, tenant: str, customer_return_id: int) -> HttpResponse:
    """Inspect a return by scanning."""
    return run_flow(request, InspectFlow, customer_return_id=customer_return_id)
