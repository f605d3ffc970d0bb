"""What receiving refuses, with the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from inventory.models import Receipt, ReceiptLine, ReceiptState
from tenancy.errors import Conflict


class WrongReceiptState(Conflict):
    """The receipt is not in a state in which this can be done."""

    code = "wrong_receipt_state"

    def __init__(self, receipt: Receipt, *allowed: ReceiptState) -> None:
        message = _("Receipt %(number)s is %(state)s; this is possible only when %(allowed)s.") % {
            "number": receipt.number,
            "state": ReceiptState(receipt.state).label,
            "allowed": " / ".join(str(state.label) for state in allowed),
        }
        names = [str(state) for state in allowed]
        super().__init__(message, number=receipt.number, state=receipt.state, allowed=names)


@dataclass(frozen=True, slots=True)
class OverLine:
    """An order line of which too much would have come."""

    line_id: int
    sku: str
    ordered: Decimal
    tolerance: Decimal
    received: Decimal
    arriving: Decimal


class OverReceipt(Conflict):
    """More would have come than was ordered plus the tolerance; ``lines`` has the numbers."""

    code = "over_receipt"

    def __init__(self, lines: Sequence[OverLine]) -> None:
        self.lines = tuple(lines)
        first = self.lines[0]
        message = _(
            "%(sku)s: %(arriving)s arriving, but %(received)s of %(ordered)s have come already. "
            "Receive less, or amend the order line."
        ) % {
            "sku": first.sku,
            "arriving": plain(first.arriving),
            "received": plain(first.received),
            "ordered": plain(first.ordered),
        }
        super().__init__(message, lines=[_as_data(line) for line in self.lines])


@dataclass(frozen=True, slots=True)
class DifferentLine:
    """An order line of which more or less arrived than was open. ``is_over``: more."""

    line_id: int
    sku: str
    open: Decimal
    arriving: Decimal

    @property
    def is_over(self) -> bool:
        """Tell whether more arrived than was open."""
        return self.arriving > self.open


class DifferenceUnexplained(Conflict):
    """What arrived differs from what is open and no reason is given; ``lines`` has the numbers."""

    code = "difference_unexplained"

    def __init__(self, lines: Sequence[DifferentLine]) -> None:
        self.lines = tuple(lines)
        first = self.lines[0]
        if first.is_over:
            message = _(
                "%(sku)s: %(arriving)s arrived, only %(open)s were open. Correct the quantity, or "
                "state that it was over-delivered."
            )
        else:
            message = _(
                "%(sku)s: %(arriving)s arrived of %(open)s open. Correct the quantity, or state "
                "why the rest did not come."
            )
        named = {"sku": first.sku, "arriving": plain(first.arriving), "open": plain(first.open)}
        super().__init__(message % named, lines=[_as_data(line) for line in self.lines])


class LineAlreadyReversed(Conflict):
    """A receipt line is taken back once."""

    code = "already_reversed"

    def __init__(self, line: ReceiptLine) -> None:
        message = _("This line has been taken back already.")
        super().__init__(message, receipt_line_id=line.pk)


def plain(quantity: Decimal) -> str:
    """Write a quantity without trailing zeros or exponent."""
    return format(quantity.normalize(), "f")


def _as_data(line: OverLine | DifferentLine) -> dict[str, Any]:
    values = ((name, getattr(line, name)) for name in line.__dataclass_fields__)
    return {name: plain(v) if isinstance(v, Decimal) else v for name, v in values}
