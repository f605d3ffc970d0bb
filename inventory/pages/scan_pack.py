"""Packing on a handheld: scan the order, scan what goes in, weigh, and print the label."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import LotTracking, Package, PackageState, SalesOrder, WorkKind
from inventory.pages.fields import plain
from inventory.pages.scan_links import printed_label
from inventory.pages.scan_ship import ShipFlow
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Outcome,
    ScanFlow,
    Stage,
    Step,
    run_flow,
    started,
    typed_quantity,
)
from inventory.queries.packing import (
    PackingLine,
    get_order,
    get_package,
    packages_of,
    packing_lines,
    packing_totals,
)
from inventory.queries.picking import wave_order_ids
from inventory.queries.scanning import DOCUMENT, GOODS, Scanned, ScannedKind, resolve_scan
from inventory.services.packing import (
    PackageMeasures,
    PackItem,
    close_package,
    open_package,
    pack,
    pack_rest,
    unpack,
)
from inventory.services.packing_errors import NothingToPack
from inventory.services.worklists import take_work
from tenancy.errors import Conflict
from tenancy.pages.web import address

LOT = frozenset({ScannedKind.LOT})


class NotForPacking(Conflict):
    """The document scanned is none that is packed, or nothing of it waits to be packed."""

    code = "not_for_packing"

    def __init__(self, label: str) -> None:
        message = _("%(label)s: nothing of it waits to be packed. Scan an order, wave or package.")
        super().__init__(message % {"label": label}, label=label)


class PackFlow(ScanFlow):
    """One order, package by package. ``last`` is what was put in last, to take it out again."""

    title = gettext_lazy("Pack")
    keys = ("order", "package", "last", "lot_of", "weigh", "done")

    @cached_property
    def order(self) -> SalesOrder | None:
        order_id = self.row_id("order")
        return None if order_id is None else get_order(order_id)

    @cached_property
    def lines(self) -> list[PackingLine]:
        return packing_lines(self.order.pk) if self.order else []

    @cached_property
    def boxes(self) -> list[Package]:
        return list(packages_of(self.order.pk)) if self.order else []

    @property
    def package(self) -> Package | None:
        """Return the package that is being filled: the one named, or the last open one."""
        opened = [package for package in self.boxes if package.state == PackageState.OPEN]
        named = self.row_id("package")
        return next((p for p in opened if p.pk == named), opened[-1] if opened else None)

    @property
    def left(self) -> list[PackingLine]:
        return [line for line in self.lines if line.left > 0]

    def back_url(self) -> str:
        return address(self.request, "inventory:pack_list")

    def step(self) -> Step:
        name = self._name()
        package = self.package
        number = package.number if package else _("a new package")
        prompts = {
            "order": _("Scan the order to pack"),
            "goods": _("Scan what goes into %(package)s"),
            "lot": _("Scan the lot"),
            "weight": _("Weight of %(package)s in kg"),
        }
        hints = {
            "order": _("Its number, or a wave or package of it."),
            "goods": _("Each scan puts one in; a case counts as what is in it."),
            "lot": "",
            "weight": _("Put it on the scales and enter what they say."),
        }
        return Step(
            name=name,
            prompt=prompts[name] % {"package": number} if name != "order" else prompts[name],
            hint=hints[name],
            stages=self._stages(name),
            body="inventory/_scan_pack.html",
            facts=self._facts(),
            buttons=self._buttons(name),
            undo=self._undo_label(name),
            is_number=name == "weight",
        )

    def take(self, scan: str) -> Outcome:
        name = self._name()
        if name == "order":
            return self._choose(scan)
        if name == "weight":
            return self._close(PackageMeasures(weight_kg=typed_quantity(scan)))
        return self._put_in(self._scanned(scan, name))

    def press(self, action: str) -> Outcome:
        name = self._name()
        if action == "undo":
            return self._undo(name)
        if name == "goods" and action == "everything":
            package = self._package()
            pack_rest(package_id=package.pk)
            return Outcome(
                self.with_context(package=package.pk, last=""), message=_("All of it is packed.")
            )
        if name == "goods" and action == "rest" and (line := self._last_line()) is not None:
            return self._pack(line, line.left)
        if name == "goods" and action == "close" and self._is_filled():
            return Outcome(self.with_context(weigh=1))
        if name == "weight" and action == "unweighed":
            return self._close(PackageMeasures())
        if name == "order" and self.row_id("done") and action in {"label", "ship"}:
            return self._label() if action == "label" else self._leave()
        raise ActionUnknown

    # -- where we are ------------------------------------------------------------------------------
    def _name(self) -> str:
        if self.order is None or not (self.left or self.package):
            return "order"
        if self._is_filled() and (self.context.get("weigh") or not self.left):
            return "weight"
        return "lot" if self.context.get("lot_of") else "goods"

    def _is_filled(self) -> bool:
        package = self.package
        return package is not None and bool(package.lines.all())

    def _stages(self, name: str) -> list[Stage]:
        order, package = self.order, self.package
        return [
            Stage(_("Order"), order.number if order else "", name == "order"),
            Stage(_("Package"), package.number if package else "", name in {"goods", "lot"}),
            Stage(_("Weight"), "", name == "weight"),
        ]

    def _facts(self) -> dict[str, Any]:
        done = self.row_id("done")
        finished = get_package(done) if done is not None else None
        return {
            "pack_order": self.order,
            "lines": self.lines if self.left or self.package else [],
            "package": self.package,
            "finished": finished,
        }

    def _buttons(self, name: str) -> list[Button]:
        if name == "weight":
            return [Button("unweighed", _("Close unweighed"), "check")]
        if name == "order" and self.row_id("done"):
            label = Button("label", _("Print label"), "tag")
            return [label, Button("ship", _("Ship"), "truck", "primary")]
        if name != "goods":
            return []
        buttons = []
        line = self._last_line()
        if line is not None and line.left > 0:
            rest = _("%(rest)s more") % {"rest": plain(line.left)}
            buttons.append(Button("rest", rest, "plus"))
        if self._is_filled():
            buttons.append(Button("close", _("Close"), "check"))
        everything = Button(
            "everything",
            _("All of it"),
            "layers",
            confirm=_("Put all that is left into this package, without scanning it?"),
        )
        return [*buttons, everything]

    def _undo_label(self, name: str) -> str:
        if name == "order":
            return ""
        if name == "lot" or self.context.get("weigh"):
            return _("Back one scan")
        return _("Take the last one out") if self.context.get("last") else _("Another order")

    def _last_line(self) -> PackingLine | None:
        """Return the goods that were put in last, while some of them are left."""
        product, lot, _quantity = _last(self.context.get("last", ""))
        return next(
            (
                line
                for line in self.left
                if line.product.pk == product and (line.lot.pk if line.lot else 0) == lot
            ),
            None,
        )

    # -- what is scanned ---------------------------------------------------------------------------
    def _choose(self, scan: str) -> Outcome:
        found = self.resolve(scan, DOCUMENT)
        order = self._order_of(found)
        if order is None:
            raise NotForPacking(found.label)
        take_work(kind=WorkKind.PACK, subject_id=order.pk)
        named = found.id if found.document_kind == "Package" else ""
        return Outcome({"order": str(order.pk), "package": str(named)}, message=order.number)

    def _order_of(self, found: Scanned) -> SalesOrder | None:
        if found.document_kind == "SalesOrder":
            ids = [found.id]
        elif found.document_kind == "Package":
            ids = [get_package(found.id).sales_order_id]
        elif found.document_kind == "Wave":
            ids = list(wave_order_ids(found.id))
        else:
            return None
        totals = packing_totals(ids)
        chosen = next((pk for pk in ids if totals[pk].goods_left or totals[pk].open), None)
        return None if chosen is None else get_order(chosen)

    def _scanned(self, scan: str, name: str) -> Scanned:
        warehouse_id = self.order.warehouse_id if self.order else None
        if name == "lot":
            product_id, _lot, _quantity = _last(self.context.get("lot_of", ""))
            return resolve_scan(scan, warehouse_id=warehouse_id, expects=LOT, product_id=product_id)
        return resolve_scan(scan, warehouse_id=warehouse_id, expects=GOODS)

    def _put_in(self, found: Scanned) -> Outcome:
        product_id = found.product_id or 0
        # of goods whose lot was asked for, the first scan said how many
        quantity = _last(self.context.get("lot_of", ""))[2] or found.quantity
        line = next((one for one in self.lines if one.product.pk == product_id), None)
        tracked = line is not None and line.product.lot_tracking != LotTracking.NONE
        if tracked and found.lot_id is None:
            asked = f"{product_id}-0-{plain(found.quantity)}"
            return Outcome(self.with_context(lot_of=asked), message=found.label)
        item = PackItem(product_id, quantity, found.lot_id if tracked else None)
        return self._pack_item(item, found.label)

    # -- what is done ------------------------------------------------------------------------------
    def _package(self) -> Package:
        if self.order is None:
            raise ActionUnknown
        return self.package or open_package(sales_order_id=self.order.pk)

    def _pack(self, line: PackingLine, quantity: Decimal) -> Outcome:
        item = PackItem(line.product.pk, quantity, line.lot.pk if line.lot else None)
        return self._pack_item(item, line.product.name)

    def _pack_item(self, item: PackItem, label: str) -> Outcome:
        package = self._package()
        pack(package_id=package.pk, items=[item])
        last = f"{item.product_id}-{item.lot_id or 0}-{plain(item.quantity)}"
        message = _("%(quantity)s of %(label)s packed.") % {
            "quantity": plain(item.quantity),
            "label": label,
        }
        return Outcome(self.with_context(package=package.pk, last=last, lot_of=""), message=message)

    def _close(self, measures: PackageMeasures) -> Outcome:
        package = self.package
        if package is None or self.order is None:
            raise NothingToPack(self.order) if self.order else ActionUnknown()
        close_package(package_id=package.pk, measures=measures)
        message = _("%(number)s is closed.") % {"number": package.number}
        return Outcome({"order": str(self.order.pk), "done": str(package.pk)}, message=message)

    def _label(self) -> Outcome:
        """Give the label of the package just closed, to be printed."""
        package = get_package(self.row_id("done") or 0)
        file = printed_label(self.request, "package_labels", "100x150", package_id=package.pk)
        words = _("The label of %(number)s is on its way.") % {"number": package.number}
        return Outcome(self.context, words, file=file)

    def _leave(self) -> Outcome:
        """Go on to shipping with the package just closed in hand."""
        package = get_package(self.row_id("done") or 0)
        begun = ShipFlow(self.request, {}).take(package.number)
        target = f"{address(self.request, 'inventory:scan_ship')}?{started(begun.context)}"
        return Outcome({}, begun.message, target=target)

    def _undo(self, name: str) -> Outcome:
        if name == "lot":
            return Outcome(self.with_context(lot_of=""))
        if self.context.get("weigh"):
            return Outcome(self.with_context(weigh=""))
        package, (product, lot, quantity) = self.package, _last(self.context.get("last", ""))
        if not product or package is None:
            return Outcome({})
        unpack(package_id=package.pk, items=[PackItem(product, quantity, lot or None)])
        return Outcome(self.with_context(last=""), message=_("Taken out."))


def scan_pack(request: HttpRequest, tenant: str) -> HttpResponse:
    """Pack orders by scanning."""
    return run_flow(request, PackFlow)


def _last(text: str) -> tuple[int, int, Decimal]:
    """Read ``product-lot-quantity`` of the context; zeros for what is none."""
    parts = text.split("-")
    known = [part for part in parts if part.replace(".", "", 1).isdigit() and len(part) < 19]
    if (
        not text.isascii()
        or len(parts) != len(known)
        or len(parts) != 3
        or "." in parts[0] + parts[1]
    ):
        return 0, 0, Decimal(0)
    return int(parts[0]), int(parts[1]), Decimal(parts[2])
