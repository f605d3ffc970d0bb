"""Adjusting stock on a handheld: place, goods, how many, and why."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import Location, LotTracking, Product, StockBalance
from inventory.pages.adjustments import REASONS, SIGNS
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
from inventory.queries.scanning import GOODS, PLACE, Scanned, ScannedKind
from inventory.queries.stock import lying
from inventory.services.adjustments import (
    ADJUSTMENT_REASONS,
    Adjustment,
    adjust_stock,
    take_back_movement,
)

LOT = frozenset({ScannedKind.LOT})
MOST_LINES = 12
REASON = "reason:"
ORDER = (("quantity",), ("product", "lot"), ("place",))


class AdjustFlow(ScanFlow):
    title = gettext_lazy("Adjust")
    keys = ("place", "product", "lot", "quantity", "done")

    @cached_property
    def place(self) -> Location | None:
        place_id = self.row_id("place")
        return get_location(place_id) if place_id else None

    @cached_property
    def product(self) -> Product | None:
        product_id = self.row_id("product")
        return get_product(product_id) if self.place and product_id else None

    def step(self) -> Step:
        name = self._name()
        lines = self._lying()
        return Step(
            name=name,
            prompt=str(PROMPTS[name]),
            hint=_("Scan the number of the reason, or press it.") if name == "reason" else "",
            stages=self._stages(name, lines),
            body="inventory/_scan_lying.html" if self.place else "",
            facts={"lines": lines[:MOST_LINES], "has_more": len(lines) > MOST_LINES},
            buttons=self._buttons(name),
            undo=self._undo_label(name),
            is_number=name == "quantity",
        )

    def take(self, scan: str) -> Outcome:
        name = self._name()
        if name == "place":
            found = self.resolve(scan, PLACE)
            return Outcome({"place": str(found.location_id)}, message=found.label)
        if name == "goods":
            return self._goods(self.resolve(scan, GOODS))
        if name == "lot":
            found = self.resolve(scan, LOT, self.row_id("product"))
            return self._goods(found)
        if name == "quantity":
            quantity = typed_quantity(scan)
            return Outcome(self.with_context(quantity=plain(quantity)), message=plain(quantity))
        return self._adjust(_reason_of(scan))

    def press(self, action: str) -> Outcome:
        if action == "undo":
            return self._undo()
        if action.startswith(REASON) and self._name() == "reason":
            return self._adjust(action.removeprefix(REASON))
        raise ActionUnknown

    # -- what is scanned ---------------------------------------------------------------------------
    def _goods(self, found: Scanned) -> Outcome:
        product = get_product(found.product_id or 0)
        quantity = None
        if product.lot_tracking == LotTracking.SERIAL and found.lot_id:
            quantity = "1"
        elif found.quantity != 1:
            quantity = plain(found.quantity)
        changes = {"product": product.pk, "lot": found.lot_id, "quantity": quantity, "done": None}
        return Outcome(self.with_context(**changes), message=found.label)

    def _adjust(self, reason: str) -> Outcome:
        place, product = self.place, self.product
        if place is None or product is None or reason not in REASONS:
            raise ActionUnknown
        quantity = typed_quantity(self.context.get("quantity", ""))
        kind = REASONS[reason]
        adjustment = Adjustment(
            product_id=product.pk,
            location_id=place.pk,
            change=quantity * SIGNS[kind],
            reason=kind,
            lot_id=self.row_id("lot"),
        )
        [movement_id] = adjust_stock(warehouse_id=place.warehouse_id, adjustments=[adjustment])
        words = _("%(quantity)s %(unit)s %(name)s: %(reason)s") % {
            "quantity": plain(quantity),
            "unit": product.base_unit,
            "name": product.name,
            "reason": kind.label,
        }
        return Outcome({"place": str(place.pk), "done": str(movement_id)}, message=words)

    def _undo(self) -> Outcome:
        if movement_id := self.row_id("done"):
            if get_movement(movement_id).reason not in ADJUSTMENT_REASONS:
                raise ActionUnknown
            take_back_movement(movement_id=movement_id)
            return Outcome(self.with_context(done=None), _("The adjustment was taken back."))
        for keys in ORDER:
            if any(key in self.context for key in keys):
                return Outcome(_without(self.context, keys), _("The last scan was taken back."))
        raise ActionUnknown

    # -- what is shown -----------------------------------------------------------------------------
    def _name(self) -> str:
        if self.place is None:
            return "place"
        if self.product is None:
            return "goods"
        if self.product.lot_tracking != LotTracking.NONE and not self.context.get("lot"):
            return "lot"
        return "reason" if self.context.get("quantity") else "quantity"

    def _lying(self) -> list[StockBalance]:
        if self.place is None:
            return []
        product_id = self.product.pk if self.product else None
        rows = lying(location_id=self.place.pk, product_id=product_id, lot_id=self.row_id("lot"))
        return list(rows[: MOST_LINES + 1])

    def _stages(self, name: str, lines: list[StockBalance]) -> list[Stage]:
        lot_id = self.row_id("lot")
        lot = next((row.lot for row in lines if lot_id and row.lot_id == lot_id), None)
        goods = self.product.name if self.product else ""
        unit = self.product.base_unit if self.product else ""
        quantity = self.context.get("quantity", "")
        return [
            Stage(_("Place"), self.place.code if self.place else "", name == "place"),
            Stage(_("What"), f"{goods} · {lot.code}" if lot else goods, name in {"goods", "lot"}),
            Stage(_("Quantity"), f"{quantity} {unit}" if quantity else "", name == "quantity"),
            Stage(_("Why"), "", name == "reason"),
        ]

    def _buttons(self, name: str) -> list[Button]:
        if name != "reason":
            return []
        return [
            Button(f"{REASON}{key}", f"{number} {reason.label}")
            for number, (key, reason) in enumerate(REASONS.items(), 1)
        ]

    def _undo_label(self, name: str) -> str:
        if self.context.get("done"):
            return _("Take it back")
        return "" if name == "place" else _("Back one scan")


PROMPTS = {
    "place": gettext_lazy("Scan the place"),
    "goods": gettext_lazy("Scan the goods"),
    "lot": gettext_lazy("Scan the lot"),
    "quantity": gettext_lazy("How many?"),
    "reason": gettext_lazy("Why?"),
}


def scan_adjust(request: HttpRequest, tenant: str) -> HttpResponse:
    """Adjust stock by scanning."""
    return run_flow(request, AdjustFlow)


def _reason_of(scan: str) -> str:
    """Return the reason of that number on the buttons, or what was scanned."""
    text = scan.strip().lower()
    keys = list(REASONS)
    is_number = len(text) == 1 and text in "123456789"
    return keys[int(text) - 1] if is_number and int(text) <= len(keys) else text


def _without(context: Context, keys: tuple[str, ...]) -> Context:
    return {key: value for key, value in context.items() if key not in keys}
