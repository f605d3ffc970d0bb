"""Receiving on a handheld: the order, then goods with lot, expiry and quantity, then done.

Each piece of goods is written as a line of an open receipt when the next one is scanned, so that
nothing is lost when the battery dies. Nothing is booked before the receipt is completed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import (
    LotTracking,
    Product,
    PurchaseOrderState,
    Receipt,
    ReceiptState,
    WorkKind,
)
from inventory.pages.fields import plain
from inventory.pages.scan_receive_goods import (
    Goods,
    damaged_of,
    difference_of,
    is_number,
    line_of,
)
from inventory.pages.scan_receive_words import (
    DATE_FORMS,
    PROMPTS,
    TooMuch,
    WrongDocument,
    day_of,
    lot_of,
)
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Outcome,
    ScanFlow,
    Stage,
    Step,
    run_flow,
    typed_quantity,
)
from inventory.queries.catalog import find_lot, get_product
from inventory.queries.purchasing import get_purchase_order
from inventory.queries.receiving import OpenLine, get_receipt, my_open_receipt, open_lines
from inventory.queries.scanning import DOCUMENT, GOODS, Scanned
from inventory.services.receiving import (
    Arrival,
    DifferenceUnexplained,
    add_receipt_line,
    cancel_receipt,
    complete_receipt,
    open_receipt,
    remove_receipt_line,
)
from inventory.services.worklists import take_work
from tenancy.pages.web import address
from tenancy.permissions import Permission, require

NOTHING = Decimal(0)
GOODS_KEYS = ("product", "units", "counted", "lot", "expires", "damaged", "ask")


class ReceiveFlow(ScanFlow):
    title = gettext_lazy("Receive")
    keys = ("order", "receipt", *GOODS_KEYS)

    # -- what is shown ---------------------------------------------------------------------------
    def step(self) -> Step:
        receipt, goods = self._receipt(), self._goods()
        name = self._step_name(receipt, goods)
        expected = self._expected(receipt)
        return Step(
            name=name,
            prompt=PROMPTS[name],
            hint=self._hint(name, goods, expected),
            stages=self._stages(name, goods),
            body="inventory/_scan_receive.html" if name != "document" else "",
            facts={"receipt": receipt, "expected": expected, "goods": goods},
            buttons=self._buttons(name, receipt, goods),
            undo=self._undo_label(receipt, goods),
            is_number=name in {"quantity", "damaged"},
        )

    def _step_name(self, receipt: Receipt | None, goods: Goods | None) -> str:
        if receipt is None and self.row_id("order") is None:
            return "document"
        if goods is None:
            return "differences" if self.context.get("ask") == "differences" else "goods"
        if goods.needs_lot:
            return "lot"
        if not goods.expires and self._asks_expiry(goods):
            return "expiry"
        return "damaged" if self.context.get("ask") == "damaged" else "quantity"

    def _stages(self, name: str, goods: Goods | None) -> list[Stage]:
        document = self._document_number()
        label = goods.product.name if goods else ""
        lot = goods.lot_code if goods else ""
        if goods and goods.expires not in {"", "-"}:
            lot = f"{lot} · {goods.expires}"
        stages = [
            Stage(_("Order"), document, name == "document"),
            Stage(_("What"), label, name in {"goods", "differences"}),
        ]
        if goods and goods.product.lot_tracking != LotTracking.NONE:
            stages.append(Stage(_("Lot"), lot, name in {"lot", "expiry"}))
        amount = f"{plain(goods.counted)} {goods.product.base_unit}" if goods else ""
        stages.append(Stage(_("Quantity"), amount, name in {"quantity", "damaged"}))
        return stages

    def _hint(self, name: str, goods: Goods | None, expected: list[OpenLine]) -> str:
        if name == "expiry":
            return _("Scan it, or type it as %(forms)s.") % {"forms": DATE_FORMS}
        if name == "goods" and self.row_id("receipt"):
            return _("Scan the order again to complete.")
        if name == "differences":
            return "; ".join(difference_of(row) for row in expected if row.differs)
        if name != "quantity" or goods is None:
            return ""
        unit = goods.product.base_unit
        words = [_("Type the quantity, or scan each piece; the next product goes on.")]
        if goods.units != 1:
            per = {"units": plain(goods.units), "unit": unit}
            words.append(_("One of this packaging is %(units)s %(unit)s.") % per)
        if row := line_of(expected, goods.product.pk):
            still = {"open": plain(row.open - row.on_receipts) or "0", "unit": unit}
            words.append(_("%(open)s %(unit)s are open.") % still)
        return " ".join(words)

    def _buttons(self, name: str, receipt: Receipt | None, goods: Goods | None) -> list[Button]:
        if name == "expiry":
            return [Button("no_expiry", _("No expiry date"), "x-circle")]
        if name == "quantity" and goods is not None:
            return self._amounts(receipt, goods)
        if name == "differences":
            accept = Button("accept", _("Complete as it is"), "check", "primary")
            return [accept, Button("more", _("Go on receiving"), "scan")]
        if name == "goods" and receipt is not None and receipt.lines.all():
            return [Button("complete", _("Complete"), "check", "primary")]
        return []

    def _amounts(self, receipt: Receipt | None, goods: Goods) -> list[Button]:
        """Offer what was counted, and all that is open of the order line."""
        buttons = [Button("enter", _("Enter %(n)s") % {"n": plain(goods.counted)}, "check")]
        still = self._still_open(receipt, goods)
        if still > 0 and still != goods.counted and not goods.is_serial:
            buttons.append(Button("all", _("All open: %(n)s") % {"n": plain(still)}, "layers"))
        return [*buttons, Button("damaged", _("Damaged ones"), "alert")]

    def _still_open(self, receipt: Receipt | None, goods: Goods) -> Decimal:
        row = line_of(self._expected(receipt), goods.product.pk)
        return max(row.open - row.on_receipts, NOTHING) if row is not None else NOTHING

    def _undo_label(self, receipt: Receipt | None, goods: Goods | None) -> str:
        if goods is not None:
            return _("Back one scan")
        if receipt is not None:
            has_lines = bool(receipt.lines.all())
            return _("Take the last line off") if has_lines else _("Cancel the receipt")
        return _("Back one scan") if self.row_id("order") else ""

    # -- what a scan means -----------------------------------------------------------------------
    def take(self, scan: str) -> Outcome:
        receipt, goods = self._receipt(), self._goods()
        name = self._step_name(receipt, goods)
        if name == "document":
            return self._open(self.resolve(scan, DOCUMENT))
        if goods is None:
            found = self.resolve(scan, GOODS | DOCUMENT)
            return self._again(found, receipt) if found.document_kind else self.take_up(found)
        if name == "lot":
            return self._with_lot(goods, lot_of(scan))
        if name == "expiry":
            return Outcome(self.with_context(expires=day_of(scan).isoformat()))
        if name == "damaged":
            return self._with_damage(goods, typed_quantity(scan))
        return self._with_quantity(goods, scan)

    def press(self, action: str) -> Outcome:
        receipt, goods = self._receipt(), self._goods()
        name = self._step_name(receipt, goods)
        if action == "undo":
            return self._undo(receipt, goods)
        if action == "no_expiry" and name == "expiry":
            return Outcome(self.with_context(expires="-"))
        if goods is not None and name == "quantity" and action == "enter":
            return self._enter(goods)
        if goods is not None and name == "quantity" and action == "all":
            return self._enter(replace(goods, counted=self._still_open(receipt, goods)))
        if goods is not None and name == "quantity" and action == "damaged":
            return Outcome(self.with_context(ask="damaged"))
        if action == "more" and name == "differences":
            return Outcome(self.with_context(ask=None))
        if receipt is not None and action in {"complete", "accept"} and goods is None:
            return self._complete(receipt, accept=action == "accept")
        raise ActionUnknown

    def _open(self, found: Scanned) -> Outcome:
        """Take up an order, or go on with a receipt that is open."""
        if found.document_kind == "PurchaseOrder":
            order = get_purchase_order(found.id)
            if order.state not in PurchaseOrderState.on_order():
                raise WrongDocument(found.label)
            take_work(kind=WorkKind.RECEIVE, subject_id=order.pk)
            mine = my_open_receipt(order.pk)
            context = {"order": str(order.pk)} | ({"receipt": str(mine.pk)} if mine else {})
            return Outcome(context, f"{order.number} · {order.supplier.name}")
        if found.document_kind == "Receipt":
            receipt = get_receipt(found.id)
            if receipt.state == ReceiptState.OPEN:
                return Outcome({"receipt": str(receipt.pk)}, receipt.number)
        raise WrongDocument(found.label)

    def _again(self, found: Scanned, receipt: Receipt | None) -> Outcome:
        """The document scanned again completes it; another one is not begun before."""
        mine = {("PurchaseOrder", self._order_id()), ("Receipt", receipt.pk if receipt else None)}
        if receipt is None or not receipt.lines.all():
            return self._open(found)
        if (found.document_kind, found.id) not in mine:
            raise WrongDocument(found.label, unfinished=receipt.number)
        return self._complete(receipt, accept=False)

    def take_up(self, found: Scanned) -> Outcome:
        """Take goods in hand; what a label says of lot, expiry and count need not be asked."""
        product = get_product(found.product_id or 0)
        self._refuse_unexpected(product)
        is_tracked = product.lot_tracking != LotTracking.NONE
        lot_code = (found.lot_code or "") if is_tracked else ""
        expires = found.expires_on.isoformat() if found.expires_on and lot_code else ""
        held: dict[str, object] = {
            "product": product.pk,
            "units": plain(found.units),
            "counted": plain(found.quantity),
            "lot": lot_code,
            "expires": expires,
        }
        context = self.with_context(**(dict.fromkeys(GOODS_KEYS) | held))
        if lot_code and (product.lot_tracking == LotTracking.SERIAL or found.code.count):
            return self._enter_now(context)
        return Outcome(context, found.label)

    def _enter_now(self, context: dict[str, str]) -> Outcome:
        """Write a line whose label said everything, unless its expiry must be asked for."""
        flow = ReceiveFlow(self.request, context)
        goods = flow._goods()
        if goods is None or (not goods.expires and flow._asks_expiry(goods)):
            return Outcome(context)
        return flow._enter(goods)

    def _with_lot(self, goods: Goods, lot: tuple[str, date | None]) -> Outcome:
        code, expires_on = lot
        expires = expires_on.isoformat() if expires_on else None
        context = self.with_context(lot=code, expires=expires or goods.expires)
        return self._enter_now(context) if goods.is_serial else Outcome(context, code)

    def _with_quantity(self, goods: Goods, scan: str) -> Outcome:
        """A short number is the quantity; anything else is the next piece or the next goods."""
        text = scan.strip()
        if is_number(text):
            counted = typed_quantity(text) * goods.units
            return self._enter(replace(goods, counted=counted))
        found = self.resolve(scan, GOODS)
        is_same = found.product_id == goods.product.pk
        if is_same and (found.lot_code or goods.lot_code) == goods.lot_code:
            counted = goods.counted + found.quantity
            label = f"{plain(counted)} {goods.product.base_unit} {goods.product.name}"
            return Outcome(self.with_context(counted=plain(counted)), label)
        written = self._enter(goods)
        following = ReceiveFlow(self.request, written.context).take_up(found)
        return Outcome(following.context, f"{written.message} {following.message}".strip())

    def _with_damage(self, goods: Goods, damaged: Decimal) -> Outcome:
        context = self.with_context(damaged=plain(damaged), ask=None)
        words = _("%(damaged)s of them are damaged.") % {"damaged": plain(damaged)}
        return Outcome(context, words)

    def _enter(self, goods: Goods) -> Outcome:
        """Write what is in hand as a line, opening the receipt with the first."""
        self._refuse_too_much(goods)
        receipt = self._receipt() or open_receipt(order_id=self.row_id("order"))
        expires = date.fromisoformat(goods.expires) if goods.expires not in {"", "-"} else None
        arrival = Arrival(
            product_id=goods.product.pk,
            quantity=goods.counted,
            damaged=goods.damaged,
            lot_code=goods.lot_code,
            expires_on=expires,
        )
        add_receipt_line(receipt_id=receipt.pk, arrival=arrival)
        context = self.with_context(receipt=receipt.pk, **dict.fromkeys(GOODS_KEYS))
        amount = f"{plain(goods.counted)} {goods.product.base_unit} {goods.product.name}"
        return Outcome(context, f"{amount} · {goods.lot_code}" if goods.lot_code else amount)

    def _complete(self, receipt: Receipt, *, accept: bool) -> Outcome:
        try:
            done = complete_receipt(receipt_id=receipt.pk, accept_differences=accept)
        except DifferenceUnexplained:
            return Outcome(self.with_context(ask="differences"))
        words = _("%(number)s is booked: it waits to be put away.") % {"number": done.number}
        return Outcome({}, words)

    def _undo(self, receipt: Receipt | None, goods: Goods | None) -> Outcome:
        if goods is not None:
            context = self.with_context(**dict.fromkeys(GOODS_KEYS))
            return Outcome(context, _("The last scan was taken back."))
        if receipt is None:
            return Outcome({}, _("The last scan was taken back."))
        lines = list(receipt.lines.all())
        if lines:
            remove_receipt_line(receipt_id=receipt.pk, receipt_line_id=lines[-1].pk)
            label = f"{plain(lines[-1].quantity)} {lines[-1].product.name}"
            words = _("Taken off again: %(line)s.") % {"line": label}
            return Outcome(self.with_context(ask=None), words)
        cancel_receipt(receipt_id=receipt.pk)
        return Outcome({}, _("%(number)s was cancelled.") % {"number": receipt.number})

    # -- what is known ---------------------------------------------------------------------------
    def _receipt(self) -> Receipt | None:
        receipt_id = self.row_id("receipt")
        receipt = get_receipt(receipt_id) if receipt_id else None
        # somebody completed it meanwhile: the page begins anew
        return receipt if receipt is not None and receipt.state == ReceiptState.OPEN else None

    def _goods(self) -> Goods | None:
        product_id = self.row_id("product")
        if product_id is None:
            return None
        return Goods(
            product=get_product(product_id),
            units=typed_quantity(self.context.get("units", "1")),
            counted=typed_quantity(self.context.get("counted", "1")),
            lot_code=self.context.get("lot", ""),
            expires=self.context.get("expires", ""),
            damaged=damaged_of(self.context.get("damaged", "")),
        )

    def _order_id(self) -> int | None:
        receipt = self._receipt()
        return receipt.purchase_order_id if receipt is not None else self.row_id("order")

    def _expected(self, receipt: Receipt | None) -> list[OpenLine]:
        order_id = receipt.purchase_order_id if receipt is not None else self.row_id("order")
        return open_lines(order_id) if order_id is not None else []

    def _document_number(self) -> str:
        receipt = self._receipt()
        if receipt is not None and receipt.purchase_order is not None:
            return str(receipt.purchase_order.number)
        if receipt is not None:
            return str(receipt.number)
        order_id = self.row_id("order")
        return str(get_purchase_order(order_id).number) if order_id else ""

    def _asks_expiry(self, goods: Goods) -> bool:
        """A lot that is new here has an expiry date unless told otherwise; serials have none."""
        if goods.product.lot_tracking != LotTracking.LOT:
            return False
        return find_lot(goods.product.pk, goods.lot_code) is None

    def _refuse_unexpected(self, product: Product) -> None:
        order_id = self._order_id()
        if order_id is not None and line_of(open_lines(order_id), product.pk) is None:
            raise WrongDocument(product.name, is_product=True)

    def _refuse_too_much(self, goods: Goods) -> None:
        """Say at once what could never be completed."""
        row = line_of(self._expected(self._receipt()), goods.product.pk)
        if row is None:
            return
        most = row.open + row.line.over_receipt_tolerance - row.on_receipts
        if goods.counted > most:
            raise TooMuch(goods.product, goods.counted, max(most, NOTHING))


def scan_receive(request: HttpRequest, tenant: str) -> HttpResponse:
    """Receive goods by scanning: an order, or a receipt that is open."""
    return run_flow(request, ReceiveFlow)


def scan_receive_order(request: HttpRequest, tenant: str, order_id: int) -> HttpResponse:
    """Start receiving this order by scanning."""
    require(Permission.FLOOR_WORK)
    order = get_purchase_order(order_id)
    mine = my_open_receipt(order.pk)
    start = f"?order={order.pk}" + (f"&receipt={mine.pk}" if mine is not None else "")
    return redirect(address(request, "inventory:scan_receive") + start)
