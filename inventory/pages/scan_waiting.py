"""The shape of flows over goods that wait: scan what you have in hand, say how many, and on.

A flow says what is ``waiting`` and how to ``settle`` a quantity of one of them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import Lot, LotTracking, Product
from inventory.pages.fields import plain
from inventory.pages.scan_steps import (
    ActionUnknown,
    Button,
    Outcome,
    ScanFlow,
    Stage,
    Step,
    typed_quantity,
)
from inventory.queries.scanning import GOODS, CodeUnknown, Scanned, ScannedKind
from tenancy.errors import Conflict, Text

MOST_SHOWN = 12
LONGEST_LOT = 64
LOT = frozenset({ScannedKind.LOT})


@dataclass(frozen=True)
class Waiting:
    """Goods that wait, ``left`` of them in base units; ``place`` where that matters.

    ``key`` is how the context names them. ``asks_lot``: the lot is not known yet, and is on the
    label of the goods.
    """

    key: str
    product: Product
    lot: Lot | None
    left: Decimal
    place: str = ""
    asks_lot: bool = False


class NotWaiting(Conflict):
    """What was scanned does not wait here."""

    code = "not_waiting"

    def __init__(self, label: str) -> None:
        super().__init__(_("%(label)s does not wait here.") % {"label": label}, label=label)


class WhichLot(Conflict):
    """Several lots of the product wait."""

    code = "which_lot"

    def __init__(self, lots: Sequence[str]) -> None:
        message = _("Several lots wait: %(lots)s. Scan the lot.") % {"lots": ", ".join(lots)}
        super().__init__(message, lots=list(lots))


class WaitingFlow(ScanFlow):
    """Goods, how many, done; subclasses add what comes before and after."""

    keys: ClassVar[tuple[str, ...]] = ("row", "lot")
    prompt: ClassVar[Text] = gettext_lazy("Scan the goods")
    over: ClassVar[Text] = gettext_lazy("Nothing is left to do here")

    @abstractmethod
    def waiting(self) -> list[Waiting]:
        """Return what waits."""

    @abstractmethod
    def settle(self, row: Waiting, quantity: Decimal) -> Outcome:
        """Book the quantity of the row; raise ``Refused``."""

    @cached_property
    def rows(self) -> list[Waiting]:
        return self.waiting()

    @property
    def row(self) -> Waiting | None:
        """Return the row in hand, if it still waits."""
        key = self.context.get("row")
        return next((row for row in self.rows if row.key == key), None)

    def name(self) -> str:
        """Return the step we are at."""
        row = self.row
        if row is not None:
            return "lot" if row.asks_lot and not self.context.get("lot") else "quantity"
        return "goods" if self.rows else "over"

    def step(self) -> Step:
        name, row = self.name(), self.row
        prompts: dict[str, Text] = {
            "goods": self.prompt,
            "lot": _("Scan or type the lot"),
            "quantity": _("How many?"),
            "over": self.over,
        }
        return Step(
            name=name,
            prompt=prompts[name],
            hint=self.hint(name, row),
            stages=self.stages(name, row),
            body="inventory/_scan_waiting.html",
            facts=self.facts(name),
            buttons=self.buttons(name, row),
            undo=_("Back one scan") if row is not None else "",
            is_number=name == "quantity",
        )

    def take(self, scan: str) -> Outcome:
        name, row = self.name(), self.row
        if name == "quantity" and row is not None:
            return self.settle(row, typed_quantity(scan))
        if name == "lot" and row is not None:
            return Outcome(self.with_context(lot=self.lot_of(scan, row.product.pk)))
        if name == "goods":
            return self.take_goods(self.resolve(scan, GOODS))
        raise NotWaiting(scan)

    def take_goods(self, found: Scanned) -> Outcome:
        """Take a row in hand; a serial number is settled at once."""
        row = self.find(found)
        code = "" if row.lot is not None else found.lot_code
        chosen = self.with_context(row=row.key, lot=code)
        if row.product.lot_tracking == LotTracking.SERIAL and not (row.asks_lot and not code):
            self.context = chosen
            return self.settle(row, Decimal(1))
        return Outcome(chosen, found.label)

    def lot_of(self, scan: str, product_id: int) -> str:
        """Return the code of a lot that is known, or what was typed: it may be new."""
        try:
            return self.resolve(scan, LOT, product_id).lot_code
        except CodeUnknown:
            return scan.strip()[:LONGEST_LOT]

    def find(self, found: Scanned) -> Waiting:
        """Return the row that was scanned; raise ``NotWaiting`` or ``WhichLot``."""
        fitting = [
            row
            for row in self.rows
            if row.product.pk == found.product_id
            and (not found.lot_code or row.lot is None or row.lot.code == found.lot_code)
        ]
        if not fitting:
            raise NotWaiting(found.label)
        lots = sorted({row.lot.code for row in fitting if row.lot is not None})
        if len(lots) > 1 and not found.lot_code:
            raise WhichLot(lots)
        return fitting[0]

    def press(self, action: str) -> Outcome:
        row = self.row
        if action == "undo" and row is not None:
            return Outcome(self.with_context(row=None, lot=None), _("Back one scan."))
        if action == "all" and row is not None and self.name() == "quantity":
            return self.settle(row, row.left)
        raise ActionUnknown

    def hint(self, name: str, row: Waiting | None) -> str:
        """Return what helps at this step."""
        if name != "quantity" or row is None:
            return ""
        words = _("%(left)s %(unit)s %(name)s wait.")
        return words % {
            "left": plain(row.left),
            "unit": row.product.base_unit,
            "name": row.product.name,
        }

    def stages(self, name: str, row: Waiting | None) -> list[Stage]:
        """Return the list of steps."""
        goods = ""
        if row is not None:
            lot = row.lot.code if row.lot else self.context.get("lot", "")
            goods = f"{row.product.name} · {lot}" if lot else row.product.name
        return [
            Stage(_("What"), goods, name in {"goods", "lot"}),
            Stage(_("Quantity"), "", name == "quantity"),
        ]

    def facts(self, name: str) -> dict[str, Any]:
        """Return what the list below the steps shows."""
        shown = self.rows if name == "goods" else []
        return {"waiting": shown[:MOST_SHOWN], "has_more": len(shown) > MOST_SHOWN}

    def buttons(self, name: str, row: Waiting | None) -> list[Button]:
        """Return the buttons of this step."""
        if name != "quantity" or row is None:
            return []
        words = _("All %(left)s") % {"left": plain(row.left)}
        return [Button("all", words, "layers", "primary")]
