"""Moving stock on a handheld: place, goods, quantity, place. The example of a scanned flow."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import Location, LotTracking, MovementReason, Product, StockBalance
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
from inventory.queries.catalog import get_product
from inventory.queries.movements import get_movement
from inventory.queries.places import get_location
from inventory.queries.scanning import GOODS, PLACE, LotUnknown, Scanned, ScannedKind
from inventory.queries.stock import lying
from inventory.services.ledger import MovementLine, reverse_movement
from inventory.services.stock import move_stock
from tenancy.errors import Conflict

NOTHING = Decimal(0)
MOST_LINES = 12
LOT = frozenset({ScannedKind.LOT})


class NotHere(Conflict):
    """What was scanned does not lie where it is to be taken from, or not so much of it."""

    code = "not_here"

    def __init__(self, *, label: str, place: str, free: Decimal, unit: str) -> None:
        words = _("%(label)s: %(free)s %(unit)s can be taken from %(place)s.") % {
            "label": label,
            "free": plain(free) or "0",
            "unit": unit,
            "place": place,
        }
        super().__init__(words, free=str(free))


class HandsFull(Conflict):
    """Other goods were scanned while the first are still in hand."""

    code = "hands_full"

    def __init__(self, held: str) -> None:
        super().__init__(
            _("You hold %(goods)s. Scan where to put it, or take the last scan back.")
            % {"goods": held}
        )


@dataclass(frozen=True)
class _Held:
    """What the context says: from where, and what is in hand."""

    place: Location | None
    product: Product | None
    lot_id: int | None
    quantity: Decimal

    @property
    def needs_lot(self) -> bool:
        tracked = self.product is not None and self.product.lot_tracking != LotTracking.NONE
        return tracked and self.lot_id is None

    @property
    def is_serial(self) -> bool:
        return self.product is not None and self.product.lot_tracking == LotTracking.SERIAL


class MoveFlow(ScanFlow):
    title = gettext_lazy("Move stock")
    keys = ("place", "product", "lot", "quantity", "ask", "done")

    def step(self) -> Step:
        held = self._held()
        name = self._step_name(held)
        lines = self._lying(held)
        return Step(
            name=name,
            prompt=PROMPTS[name],
            hint=self._hint(held, name, lines),
            stages=self._stages(held, name, lines),
            body="inventory/_scan_lying.html" if name in {"goods", "lot"} else "",
            facts={"lines": lines[:MOST_LINES], "has_more": len(lines) > MOST_LINES},
            buttons=self._buttons(held, name),
            undo=self._undo_label(name),
            is_number=name == "quantity",
        )

    def take(self, scan: str) -> Outcome:
        held = self._held()
        name = self._step_name(held)
        if name == "place":
            return self._from(self.resolve(scan, PLACE))
        if name == "goods":
            found = self.resolve(scan, GOODS | PLACE)
            return self._from(found) if found.location_id else self._goods(held, found)
        if name == "lot":
            product_id = held.product.pk if held.product else None
            return self._goods(held, self.resolve(scan, LOT, product_id), held.quantity)
        if name == "quantity":
            return self._quantity(held, typed_quantity(scan))
        found = self.resolve(scan, PLACE | GOODS)
        return self._to(held, found) if found.location_id else self._more(held, found)

    def press(self, action: str) -> Outcome:
        held = self._held()
        if action == "undo":
            return self._undo()
        if action == "quantity" and held.product is not None:
            return Outcome(self.with_context(ask="quantity"))
        if action == "all" and held.product is not None:
            return self._quantity(held, self._free(held))
        raise ActionUnknown

    # -- what a scan means -----------------------------------------------------------------------
    def _from(self, found: Scanned) -> Outcome:
        return Outcome({"place": str(found.location_id)}, _("From %(place)s") % _place(found))

    def _goods(self, held: _Held, found: Scanned, so_far: Decimal | None = None) -> Outcome:
        """Take goods in hand; the only lot that lies here need not be scanned."""
        is_counted = found.code.count is not None
        quantity = found.quantity if so_far is None or is_counted else so_far
        product = get_product(found.product_id or 0)
        if found.lot_code and found.lot_id is None:
            raise LotUnknown(found)
        lot_id = found.lot_id
        if lot_id is None and product.lot_tracking != LotTracking.NONE:
            place_id = held.place.pk if held.place else None
            lots = {row.lot_id for row in lying(location_id=place_id, product_id=product.pk)}
            lot_id = lots.pop() if len(lots) == 1 else None
        taken = _Held(held.place, product, lot_id, quantity)
        self._check(taken, found.label)
        context = self.with_context(
            product=product.pk, lot=lot_id, quantity=plain(quantity), done=None
        )
        return Outcome(context, found.label)

    def _more(self, held: _Held, found: Scanned) -> Outcome:
        """The same goods again: more of them."""
        product = held.product
        is_same = product is not None and found.product_id == product.pk
        if not is_same or found.lot_id not in {None, held.lot_id}:
            raise HandsFull(product.name if product else "")
        return self._quantity(held, held.quantity + found.quantity)

    def _quantity(self, held: _Held, quantity: Decimal) -> Outcome:
        product = held.product
        if product is None:
            raise ActionUnknown
        self._check(_Held(held.place, product, held.lot_id, quantity), product.name)
        context = self.with_context(quantity=plain(quantity), ask=None)
        return Outcome(context, f"{plain(quantity)} {product.base_unit} {product.name}")

    def _to(self, held: _Held, found: Scanned) -> Outcome:
        place, product = held.place, held.product
        if place is None or product is None:
            raise ActionUnknown
        line = MovementLine(
            product_id=product.pk,
            from_location_id=place.pk,
            to_location_id=found.id,
            quantity=held.quantity,
            reason=MovementReason.MOVE,
            lot_id=held.lot_id,
        )
        [movement_id] = move_stock(lines=[line])
        words = _("%(quantity)s %(unit)s %(name)s moved to %(place)s") % {
            "quantity": plain(held.quantity),
            "unit": product.base_unit,
            "name": product.name,
            **_place(found),
        }
        return Outcome({"place": str(place.pk), "done": str(movement_id)}, words)

    def _undo(self) -> Outcome:
        """Take the last scan back: a posted move by its reversal, else one step of the context."""
        if movement_id := self.row_id("done"):
            if get_movement(movement_id).reason != MovementReason.MOVE:
                raise ActionUnknown
            reverse_movement(movement_id=movement_id)
            return Outcome(self.with_context(done=None), _("The last move was taken back."))
        for keys in (("ask",), ("product", "lot", "quantity"), ("place",)):
            if any(key in self.context for key in keys):
                return Outcome(_without(self.context, keys), _("The last scan was taken back."))
        raise ActionUnknown

    # -- what is shown ---------------------------------------------------------------------------
    def _held(self) -> _Held:
        place_id, product_id = self.row_id("place"), self.row_id("product")
        return _Held(
            place=get_location(place_id) if place_id else None,
            product=get_product(product_id) if place_id and product_id else None,
            lot_id=self.row_id("lot"),
            quantity=typed_quantity(self.context.get("quantity", "1")),
        )

    def _step_name(self, held: _Held) -> str:
        if held.place is None:
            return "place"
        if held.product is None:
            return "goods"
        if held.needs_lot:
            return "lot"
        return "quantity" if self.context.get("ask") == "quantity" else "to"

    def _lying(self, held: _Held) -> list[StockBalance]:
        if held.place is None:
            return []
        product_id = held.product.pk if held.product else None
        rows = lying(location_id=held.place.pk, product_id=product_id, lot_id=held.lot_id)
        return list(rows[: MOST_LINES + 1])

    def _free(self, held: _Held) -> Decimal:
        place_id = held.place.pk if held.place else None
        product_id = held.product.pk if held.product else None
        rows = lying(location_id=place_id, product_id=product_id, lot_id=held.lot_id)
        return sum((row.on_hand - row.allocated for row in rows), NOTHING)

    def _check(self, held: _Held, label: str) -> None:
        free = self._free(held)
        if free < held.quantity and held.place is not None and held.product is not None:
            raise NotHere(
                label=label, place=held.place.code, free=free, unit=held.product.base_unit
            )

    def _hint(self, held: _Held, name: str, lines: list[StockBalance]) -> str:
        if name != "quantity" or held.product is None:
            return ""
        free = sum((row.on_hand - row.allocated for row in lines), NOTHING)
        return _("%(free)s %(unit)s can be taken.") % {
            "free": plain(free),
            "unit": held.product.base_unit,
        }

    def _stages(self, held: _Held, name: str, lines: list[StockBalance]) -> list[Stage]:
        lot = next((row.lot for row in lines if held.lot_id and row.lot_id == held.lot_id), None)
        goods = held.product.name if held.product else ""
        unit = held.product.base_unit if held.product else ""
        amount = f"{plain(held.quantity)} {unit}" if held.product and name != "lot" else ""
        return [
            Stage(_("From"), held.place.code if held.place else "", name == "place"),
            Stage(_("What"), f"{goods} · {lot.code}" if lot else goods, name in {"goods", "lot"}),
            Stage(_("Quantity"), amount, name == "quantity"),
            Stage(_("To"), "", name == "to"),
        ]

    def _buttons(self, held: _Held, name: str) -> list[Button]:
        if name not in {"to", "quantity"} or held.is_serial:
            return []
        take_all = Button("all", _("All of it"), "layers")
        return [take_all] if name == "quantity" else [Button("quantity", _("Quantity"), "edit")]

    def _undo_label(self, name: str) -> str:
        if self.context.get("done"):
            return _("Take the move back")
        return "" if name == "place" else _("Back one scan")


PROMPTS = {
    "place": gettext_lazy("Scan the place to take from"),
    "goods": gettext_lazy("Scan what you take"),
    "lot": gettext_lazy("Scan the lot"),
    "quantity": gettext_lazy("How many?"),
    "to": gettext_lazy("Scan where you put it"),
}


def scan_move(request: HttpRequest, tenant: str) -> HttpResponse:
    """Move stock within a warehouse by scanning."""
    return run_flow(request, MoveFlow)


def _place(found: Scanned) -> dict[str, str]:
    return {"place": found.label}


def _without(context: Context, keys: tuple[str, ...]) -> Context:
    return {key: value for key, value in context.items() if key not in keys}
