"""Counting on a handheld: scan the place, what lies there, how many, and say that is all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import CountState, CycleCount, LotTracking, Product, WorkKind
from inventory.pages.fields import plain
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Context,
    Outcome,
    ScanFlow,
    Stage,
    Step,
    run_flow,
    typed_quantity,
)
from inventory.queries.catalog import find_product_by_code, get_product
from inventory.queries.counting import CountItem, count_items, get_count
from inventory.queries.scanning import GOODS, PLACE, Scanned, ScannedKind, resolve_scan
from inventory.queries.scanning_words import CodeUnknown
from inventory.queries.worklists import live_claims
from inventory.services.count_entry import CountEntry, enter_count, submit_count, undo_entry
from inventory.services.counting import start_count
from tenancy.errors import Invalid
from tenancy.pages.web import address

LOT = frozenset({ScannedKind.LOT})
LONGEST_NUMBER = 7
"""Digits of a typed quantity; what is longer is a code."""
SHORTEST_CODE = 4
"""Digits from which on a number that some product bears is that code, not a quantity."""
ONE = Decimal(1)


class CountFlow(ScanFlow):
    """One count. The database says what is counted; the context, what was scanned last.

    ``lot`` is a lot's id, ``label`` the code of one the book does not know, ``many`` how many were
    scanned so far, ``all`` that somebody said so.
    """

    title = gettext_lazy("Count")
    keys = ("product", "lot", "label", "label_ok", "expires", "many", "all")

    @cached_property
    def count(self) -> CycleCount:
        return get_count(self.ids["cycle_count_id"])

    @cached_property
    def items(self) -> list[CountItem]:
        return count_items(self.count)

    @cached_property
    def product(self) -> Product | None:
        product_id = self.row_id("product")
        return get_product(product_id) if product_id else None

    def back_url(self) -> str:
        return address(self.request, "inventory:count_list")

    def step(self) -> Step:
        name = self._name()
        return Step(
            name=name,
            prompt=self._prompt(name),
            hint=self._hint(name),
            stages=self._stages(name),
            body="inventory/_scan_count.html",
            facts=self._facts(name),
            buttons=self._buttons(name),
            undo=self._undo_label(name),
            is_number=name == "quantity",
        )

    def take(self, scan: str) -> Outcome:
        name = self._name()
        if name == "over":
            raise ActionUnknown
        if name == "place":
            return self._begin(scan)
        if name == "lot":
            return self._lot(scan)
        if name == "quantity":
            return self._quantity(scan)
        return self._goods(self._scanned(scan))

    def press(self, action: str) -> Outcome:
        name = self._name()
        if action == "undo":
            return self._undo(name)
        if action == "all" and name == "goods":
            return self._all()
        if action == "none" and name == "missing":
            return self._hand_in(uncounted_are_zero=True)
        if action == "enter" and name == "quantity" and self.context.get("many"):
            return self._enter(typed_quantity(self.context["many"]))
        raise ActionUnknown

    # -- where we are ------------------------------------------------------------------------------
    def _name(self) -> str:
        if self.count.state not in CountState.to_count():
            return "over"
        if self.count.state != CountState.COUNTING or not self._is_mine():
            return "place"
        if self.product is not None:
            return "lot" if self._needs_lot() else "quantity"
        return "missing" if self.context.get("all") and self._open() else "goods"

    def _is_mine(self) -> bool:
        claim = live_claims(WorkKind.COUNT, [self.count.pk]).get(self.count.pk)
        return claim is not None and (claim.actor_kind, claim.actor_id) == (
            "user",
            self.request.user.pk,
        )

    def _needs_lot(self) -> bool:
        if self.product is None or self.product.lot_tracking == LotTracking.NONE:
            return False
        return not (self.context.get("lot") or self.context.get("label_ok"))

    def _open(self) -> list[CountItem]:
        return [item for item in self.items if item.is_open]

    # -- what is shown -----------------------------------------------------------------------------
    def _prompt(self, name: str) -> str:
        place = self.count.location.code
        prompts = {
            "place": _("Go to %(place)s and scan it") % {"place": place},
            "goods": _("Scan what lies here"),
            "lot": _("Scan the lot"),
            "quantity": _("How many?"),
            "missing": _("Is none of this here?"),
            "over": _("%(place)s is counted.") % {"place": place},
        }
        return prompts[name]

    def _hint(self, name: str) -> str:
        if name == "quantity" and self.product is not None:
            known = next((i for i in self.items if self._is_current(i) and not i.is_open), None)
            if known is not None and known.counted is not None:
                return _("%(counted)s %(unit)s are entered already: type the total.") % {
                    "counted": plain(known.counted) or "0",
                    "unit": self.product.base_unit,
                }
            return _("In %(unit)s. Or scan it again for each one.") % {
                "unit": self.product.base_unit
            }
        if name == "lot" and self.context.get("label"):
            return _("%(lot)s is not known here. Scan it again to enter it as new.") % {
                "lot": self.context["label"]
            }
        if name == "goods" and self.count.state == CountState.COUNTING:
            return _("Everything, also what should not be here.")
        return ""

    def _is_current(self, item: CountItem) -> bool:
        lot_id = item.lot.pk if item.lot else None
        return item.product == self.product and lot_id == self.row_id("lot")

    def _stages(self, name: str) -> list[Stage]:
        if name not in {"goods", "lot", "quantity"}:
            return []
        lot = self.context.get("label") or self._lot_code()
        goods = self.product.name if self.product else ""
        return [
            Stage(_("Place"), self.count.location.code),
            Stage(_("What"), f"{goods} · {lot}" if lot else goods, name in {"goods", "lot"}),
            Stage(_("Quantity"), self.context.get("many", ""), name == "quantity"),
        ]

    def _lot_code(self) -> str:
        lot_id = self.row_id("lot")
        lots = {item.lot.pk: item.lot.code for item in self.items if item.lot}
        return lots.get(lot_id, "") if lot_id else ""

    def _facts(self, name: str) -> dict[str, Any]:
        done = [item for item in self.items if not item.is_open and item.counted is not None]
        claim = live_claims(WorkKind.COUNT, [self.count.pk]).get(self.count.pk)
        return {
            "count": self.count,
            "done": [] if name == "over" else done,
            "missing": self._open() if name == "missing" else [],
            "taken_by": claim if name == "place" and claim and not self._is_mine() else None,
        }

    def _buttons(self, name: str) -> list[Button]:
        if name == "goods":
            return [Button("all", _("That is all"), "check", "primary")]
        if name == "missing":
            return [Button("none", _("None of it is here"), "check", "primary")]
        if name == "quantity" and self.context.get("many"):
            words = _("Enter %(many)s") % {"many": self.context["many"]}
            return [Button("enter", words, "check", "primary")]
        return []

    def _undo_label(self, name: str) -> str:
        if name in {"lot", "quantity", "missing"}:
            return _("Back one scan")
        entered = [item for item in self.items if not item.is_open and item.line_id]
        return _("Take the last back") if name == "goods" and entered else ""

    # -- what is scanned ---------------------------------------------------------------------------
    def _begin(self, scan: str) -> Outcome:
        found = resolve_scan(scan, warehouse_id=self.count.warehouse_id, expects=PLACE)
        if found.location_id != self.count.location_id:
            message = _("This is %(here)s. Go to %(place)s.") % {
                "here": found.label,
                "place": self.count.location.code,
            }
            raise Invalid.field("scan", "other_place", message)
        start_count(cycle_count_id=self.count.pk)
        return Outcome({}, message=self.count.location.code)

    def _scanned(self, scan: str) -> Scanned:
        return resolve_scan(scan, warehouse_id=self.count.warehouse_id, expects=GOODS)

    def _goods(self, found: Scanned) -> Outcome:
        context: dict[str, object] = {"product": found.product_id, "lot": found.lot_id}
        if found.lot_id is None and found.lot_code:
            context |= {"label": found.lot_code, "label_ok": 1, "expires": found.expires_on}
        if found.quantity != ONE:
            context["many"] = plain(found.quantity)
        product = get_product(found.product_id or 0)
        named = bool(found.lot_id or found.lot_code)
        if product.lot_tracking == LotTracking.SERIAL and named:
            return self._entered(product, ONE, found.lot_id, found.lot_code, found.expires_on)
        return Outcome(_context(context), message=found.label)

    def _lot(self, scan: str) -> Outcome:
        product = self.product
        if product is None:
            raise ActionUnknown
        try:
            found = resolve_scan(
                scan,
                warehouse_id=self.count.warehouse_id,
                expects=LOT,
                product_id=product.pk,
            )
        except CodeUnknown:
            return self._new_lot(product, scan.strip())
        if product.lot_tracking == LotTracking.SERIAL:
            return self._entered(product, ONE, found.lot_id, "")
        return Outcome(self.with_context(lot=found.lot_id, label=None), message=found.label)

    def _new_lot(self, product: Product, code: str) -> Outcome:
        """Take a lot the book does not know once it was scanned twice: a typing error was not."""
        if self.context.get("label") != code:
            return Outcome(self.with_context(label=code))
        if product.lot_tracking == LotTracking.SERIAL:
            return self._entered(product, ONE, None, code)
        return Outcome(self.with_context(label=code, label_ok=1))

    def _quantity(self, scan: str) -> Outcome:
        typed = _number(scan)
        if typed is not None:
            return self._enter(typed)
        found = self._scanned(scan)
        product = self.product
        same_lot = found.lot_id is None or found.lot_id == self.row_id("lot")
        if product is None or found.product_id != product.pk or not same_lot:
            message = _("Enter first how many of %(name)s are here.")
            name = product.name if product else ""
            raise Invalid.field("scan", "quantity_first", message % {"name": name})
        many = typed_quantity(self.context.get("many", "1")) + found.quantity
        return Outcome(self.with_context(many=plain(many)), message=plain(many))

    # -- what is done ------------------------------------------------------------------------------
    def _enter(self, counted: Decimal) -> Outcome:
        if self.product is None:
            raise ActionUnknown
        return self._entered(
            self.product,
            counted,
            self.row_id("lot"),
            self.context.get("label", ""),
            _day(self.context.get("expires", "")),
        )

    def _entered(
        self,
        product: Product,
        counted: Decimal,
        lot_id: int | None,
        lot_code: str,
        expires_on: date | None = None,
    ) -> Outcome:
        entry = CountEntry(product.pk, counted, lot_id)
        if not lot_id and lot_code:
            entry = replace(entry, lot_code=lot_code, expires_on=expires_on)
        enter_count(cycle_count_id=self.count.pk, entries=[entry])
        words = f"{product.name} {lot_code}".strip()
        return Outcome({}, message=f"{plain(counted) or '0'} {product.base_unit} {words}")

    def _all(self) -> Outcome:
        if self._open():
            return Outcome({"all": "1"})
        return self._hand_in(uncounted_are_zero=False)

    def _hand_in(self, *, uncounted_are_zero: bool) -> Outcome:
        count = submit_count(cycle_count_id=self.count.pk, uncounted_are_zero=uncounted_are_zero)
        if count.state == CountState.RECOUNT:
            return Outcome({}, message=_("Something differs: count that again, in a second round."))
        done = _("%(place)s is counted and handed in.") % {"place": self.count.location.code}
        return Outcome({}, message=done, target=address(self.request, "inventory:scan_count_place"))

    def _undo(self, name: str) -> Outcome:
        if name in {"lot", "quantity", "missing"}:
            return Outcome({}, message=_("The last scan was taken back."))
        if name != "goods":
            raise ActionUnknown
        line = undo_entry(cycle_count_id=self.count.pk)
        words = {"counted": plain(line.counted) or "0", "name": line.product.name}
        return Outcome({}, message=_("Taken back: %(counted)s %(name)s.") % words)


def scan_count(request: HttpRequest, tenant: str, cycle_count_id: int) -> HttpResponse:
    """Count one place by scanning."""
    return run_flow(request, CountFlow, cycle_count_id=cycle_count_id)


def _context(known: dict[str, object]) -> Context:
    return {key: str(value) for key, value in known.items() if value not in (None, "")}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:  # an address somebody changed
        return None


def _number(text: str) -> Decimal | None:
    """Return what was typed as a quantity, or None for what is a code or nothing."""
    typed = text.strip()
    if not typed or len(typed) > LONGEST_NUMBER or not typed.isascii():
        return None
    try:
        number = Decimal(typed)
    except InvalidOperation:
        return None
    if len(typed) >= SHORTEST_CODE and find_product_by_code(typed) is not None:
        return None
    return number if number.is_finite() and typed[0] in "0123456789." else None
