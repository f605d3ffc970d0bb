"""Transfers on a handheld: sent place by place, and received piece by piece."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import Allocation, MovementReason, TransferOrder, TransferState, WorkKind
from inventory.pages.fields import plain
from inventory.pages.scan_steps import Button, Outcome, Stage, Step, run_flow
from inventory.pages.scan_waiting import MOST_SHOWN, NotWaiting, Waiting, WaitingFlow
from inventory.pages.transfer_work import on_the_way
from inventory.queries.movements import movements_of
from inventory.queries.scanning import PLACE, resolve_scan
from inventory.queries.transfers import get_transfer, pieces_on_the_way, promises_of
from inventory.services.transfers import (
    ReceivedGoods,
    SentGoods,
    receive_transfer,
    reverse_transfer_movement,
    send_transfer,
)
from inventory.services.worklists import take_work
from tenancy.pages.web import address


class SendFlow(WaitingFlow):
    """What is promised, along the walking path: the place, the goods, how many."""

    title = gettext_lazy("Send a transfer")
    keys = ("place", "row", "lot", "done")
    prompt = gettext_lazy("Scan what you take")
    over = gettext_lazy("Everything promised has left")

    @cached_property
    def order(self) -> TransferOrder:
        return get_transfer(self.ids["transfer_order_id"])

    @cached_property
    def promises(self) -> dict[int, Allocation]:
        return {promise.pk: promise for promise in promises_of(self.order.pk)}

    def back_url(self) -> str:
        return address(self.request, "inventory:transfer_send_list")

    def waiting(self) -> list[Waiting]:
        place_id = self.row_id("place")
        return [
            Waiting(str(row.pk), row.product, row.lot, row.quantity, row.location.code)
            for row in self.promises.values()
            if place_id is None or row.location_id == place_id
        ]

    def name(self) -> str:
        if not self.promises:
            return "over"
        if self.row_id("place") is None or not self.rows:
            return "place"
        return super().name()

    def step(self) -> Step:
        name = self.name()
        if name != "place":
            return super().step()
        first = next(iter(self.promises.values()))
        words = _("Next: %(place)s, %(quantity)s %(unit)s %(name)s.") % {
            "place": first.location.code,
            "quantity": plain(first.quantity),
            "unit": first.product.base_unit,
            "name": first.product.name,
        }
        everything = [
            Waiting(str(row.pk), row.product, row.lot, row.quantity, row.location.code)
            for row in self.promises.values()
        ]
        return Step(
            name=name,
            prompt=_("Scan the place"),
            hint=words,
            stages=self.stages(name, None),
            body="inventory/_scan_waiting.html",
            facts={"waiting": everything[:MOST_SHOWN], "has_more": len(everything) > MOST_SHOWN},
            undo=_("Take the last one back") if self.context.get("done") else "",
        )

    def take(self, scan: str) -> Outcome:
        if self.name() != "place":
            return super().take(scan)
        found = resolve_scan(scan, warehouse_id=self.order.from_warehouse_id, expects=PLACE)
        if not any(row.location_id == found.location_id for row in self.promises.values()):
            raise NotWaiting(found.label)
        take_work(kind=WorkKind.SEND_TRANSFER, subject_id=self.order.pk)
        return Outcome({"place": str(found.location_id)}, found.label)

    def press(self, action: str) -> Outcome:
        movement_id = self.row_id("done")
        if action == "undo" and self.row is None and movement_id is not None:
            reverse_transfer_movement(
                transfer_order_id=self.order.pk,
                movement_id=movement_id,
                reason=_("Taken back while sending"),
            )
            return Outcome({}, _("It lies at its place again, and is not promised any more."))
        return super().press(action)

    def settle(self, row: Waiting, quantity: Decimal) -> Outcome:
        promise = self.promises[int(row.key)]
        part = SentGoods(
            promise.transfer_line_id or 0, promise.location_id, quantity, promise.lot_id
        )
        send_transfer(transfer_order_id=self.order.pk, goods=[part])
        sent = movements_of(self.order).filter(reason=MovementReason.TRANSFER_OUT, reverses=None)
        words = _("%(quantity)s %(unit)s %(name)s sent") % {
            "quantity": plain(quantity),
            "unit": row.product.base_unit,
            "name": row.product.name,
        }
        return Outcome({"done": str(sent[0].pk)}, words)

    def stages(self, name: str, row: Waiting | None) -> list[Stage]:
        place_id = self.row_id("place")
        code = next(
            (p.location.code for p in self.promises.values() if p.location_id == place_id), ""
        )
        return [Stage(_("Place"), code, name == "place"), *super().stages(name, row)]


class ReceiveFlow(WaitingFlow):
    """What is on the way, onto the dock; damaged goods go to their own place."""

    title = gettext_lazy("Receive a transfer")
    keys = ("row", "lot", "damaged", "done")
    prompt = gettext_lazy("Scan what arrived")
    over = gettext_lazy("Everything sent has arrived")

    @cached_property
    def order(self) -> TransferOrder:
        return get_transfer(self.ids["transfer_order_id"])

    def back_url(self) -> str:
        return address(self.request, "inventory:transfer_receive_list")

    def waiting(self) -> list[Waiting]:
        if self.order.state != TransferState.IN_TRANSIT:
            return []
        return [
            Waiting(str(piece.pk), piece.line.product, piece.lot, on_the_way(piece))
            for piece in pieces_on_the_way(self.order.pk)
        ]

    def press(self, action: str) -> Outcome:
        if action == "damaged" and self.row is not None:
            is_damaged = bool(self.context.get("damaged"))
            return Outcome(self.with_context(damaged=None if is_damaged else "1"))
        movement_id = self.row_id("done")
        if action == "undo" and self.row is None and movement_id is not None:
            reverse_transfer_movement(
                transfer_order_id=self.order.pk,
                movement_id=movement_id,
                reason=_("Taken back while receiving"),
            )
            return Outcome({}, _("It is on the way again."))
        return super().press(action)

    def settle(self, row: Waiting, quantity: Decimal) -> Outcome:
        is_damaged = bool(self.context.get("damaged"))
        part = ReceivedGoods(int(row.key), quantity, quantity if is_damaged else Decimal(0))
        receive_transfer(transfer_order_id=self.order.pk, goods=[part])
        arrived = movements_of(self.order).filter(reason=MovementReason.TRANSFER_IN, reverses=None)
        words = _("%(quantity)s %(unit)s %(name)s received") % {
            "quantity": plain(quantity),
            "unit": row.product.base_unit,
            "name": row.product.name,
        }
        return Outcome({"done": str(arrived[0].pk)}, words)

    def step(self) -> Step:
        shown = super().step()
        if self.row is None and self.context.get("done"):
            return replace(shown, undo=_("Take the last one back"))
        return shown

    def buttons(self, name: str, row: Waiting | None) -> list[Button]:
        known = super().buttons(name, row)
        if name != "quantity":
            return known
        is_damaged = bool(self.context.get("damaged"))
        words = _("Not damaged") if is_damaged else _("Damaged")
        return [*known, Button("damaged", words, "alert")]

    def hint(self, name: str, row: Waiting | None) -> str:
        words = super().hint(name, row)
        if name == "quantity" and self.context.get("damaged"):
            words += " " + _("They go to the place for damaged goods.")
        return words


def scan_send_transfer(request: HttpRequest, tenant: str, transfer_order_id: int) -> HttpResponse:
    """Send a transfer by scanning."""
    return run_flow(request, SendFlow, transfer_order_id=transfer_order_id)


def scan_receive_transfer(
    request: HttpRequest, tenant: str, transfer_order_id: int
) -> HttpResponse:
    """Receive a transfer by scanning."""
    return run_flow(request, ReceiveFlow, transfer_order_id=transfer_order_id)
