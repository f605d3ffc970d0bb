"""What the ledger refuses, with the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from inventory.models import StockMovement
from tenancy.errors import Conflict


@dataclass(frozen=True, slots=True)
class ShortLine:
    """One balance that cannot give what was asked. ``required`` is the net of all lines."""

    product_id: int
    sku: str
    location_id: int
    location: str
    lot_id: int | None
    on_hand: Decimal
    allocated: Decimal
    required: Decimal

    @property
    def free(self) -> Decimal:
        """Return what may be taken: on hand and not promised."""
        return self.on_hand - self.allocated

    @property
    def short(self) -> Decimal:
        """Return how much is missing."""
        return self.required - self.free

    def as_data(self) -> dict[str, Any]:
        """Return the line for a problem body: exact numbers as strings."""
        numbers = {
            name: format(getattr(self, name).normalize(), "f")
            for name in ("on_hand", "allocated", "required", "short")
        }
        return {
            "product_id": self.product_id,
            "sku": self.sku,
            "location_id": self.location_id,
            "location": self.location,
            "lot_id": self.lot_id,
            **numbers,
        }


class InsufficientStock(Conflict):
    """There is less than asked for; ``lines`` has every short balance with its numbers."""

    code = "insufficient_stock"

    def __init__(self, lines: Sequence[ShortLine]) -> None:
        self.lines = tuple(lines)
        message = ngettext(
            "Not enough stock: %(first)s.",
            "Not enough stock in %(count)d places; the first: %(first)s.",
            len(self.lines),
        ) % {"count": len(self.lines), "first": _shortage(self.lines[0])}
        super().__init__(message, lines=[line.as_data() for line in self.lines])


class NotAllocated(Conflict):
    """More was to be freed than is promised."""

    code = "not_allocated"

    def __init__(self, lines: Sequence[ShortLine]) -> None:
        self.lines = tuple(lines)
        message = _("More is to be released than is allocated: %(sku)s at %(location)s.") % {
            "sku": self.lines[0].sku,
            "location": self.lines[0].location,
        }
        super().__init__(message, lines=[line.as_data() for line in self.lines])


class AlreadyReversed(Conflict):
    """A movement is reversed once."""

    code = "already_reversed"

    def __init__(self, movement_id: int) -> None:
        super().__init__(_("This movement has been reversed already."), movement_id=movement_id)


class CorrectTheDocument(Conflict):
    """The movement belongs to a document that counts it: the correction starts there."""

    code = "correct_the_document"

    def __init__(self, movement: StockMovement) -> None:
        if movement.document_kind == "Shipment":
            message = str(_("These goods were shipped: expect them back as a return."))
        else:
            words = _("This movement belongs to a document (%(kind)s): take the line back there.")
            message = words % {"kind": movement.document_kind}
        super().__init__(
            message,
            movement_id=movement.pk,
            document_kind=movement.document_kind,
            document_id=movement.document_id,
        )


class SerialNotSingle(Conflict):
    """A serial number that is in stock came in again."""

    code = "serial_not_single"

    def __init__(self, serials: Sequence[str]) -> None:
        message = _("In stock already: serial number %(serials)s.") % {
            "serials": ", ".join(serials)
        }
        super().__init__(message, serials=list(serials))


class PeriodClosed(Conflict):
    """The day is closed: nothing is posted to it any more."""

    code = "period_closed"

    def __init__(self, business_day: date, closed_through: date) -> None:
        message = _(
            "The books are closed through %(closed)s, so nothing can be recorded for %(day)s. "
            "Date it later, or ask a manager to open the period again."
        ) % {"closed": closed_through, "day": business_day}
        super().__init__(
            message, business_day=str(business_day), closed_through=str(closed_through)
        )


class ValueOutOfStep(Conflict):
    """The balances have what is to leave, but the value of the stock knows of less."""

    code = "value_out_of_step"

    def __init__(self, product_id: int, warehouse_id: int, *, missing: Decimal) -> None:
        message = _(
            "The value of this stock is out of step with its quantity. "
            "Ask the administrator to run check_ledger --rebuild."
        )
        super().__init__(
            message,
            product_id=product_id,
            warehouse_id=warehouse_id,
            missing=format(missing.normalize(), "f"),
        )


def _shortage(line: ShortLine) -> str:
    return str(
        _("%(sku)s at %(location)s, %(required)s asked, %(free)s free")
        % {
            "sku": line.sku,
            "location": line.location,
            "required": format(line.required.normalize(), "f"),
            "free": format(line.free.normalize(), "f"),
        }
    )
