"""What counting refuses, with the numbers and the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from inventory.models import CountState, CycleCount
from tenancy.errors import Conflict


@dataclass(frozen=True, slots=True)
class LineFault:
    """One product and lot of a count that stands in the way."""

    product_id: int
    sku: str
    lot_id: int | None
    lot: str

    @property
    def name(self) -> str:
        """Return the SKU, with its lot if there is one."""
        return f"{self.sku} ({self.lot})" if self.lot else self.sku

    def as_data(self) -> dict[str, Any]:
        """Return the line for a problem body: exact numbers as strings."""
        return {
            name: plain(value) if isinstance(value, Decimal) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class StaleLine(LineFault):
    """``expected`` lay there when it was counted, ``on_hand`` lies there now."""

    expected: Decimal
    on_hand: Decimal
    counted: Decimal


@dataclass(frozen=True, slots=True)
class PromisedLine(LineFault):
    """``left`` would remain after posting, ``allocated`` of it is promised."""

    left: Decimal
    allocated: Decimal


@dataclass(frozen=True, slots=True)
class VarianceLine(LineFault):
    """A difference above the tolerance."""

    expected: Decimal
    counted: Decimal


class WrongCountState(Conflict):
    """The count is not in a state in which this can be done."""

    code = "wrong_count_state"

    def __init__(self, count: CycleCount, *allowed: CountState) -> None:
        message = _("Count %(number)s is %(state)s; this is possible only when %(allowed)s.") % {
            "number": count.number,
            "state": CountState(count.state).label,
            "allowed": " / ".join(str(state.label) for state in allowed),
        }
        names = [str(state) for state in allowed]
        super().__init__(message, number=count.number, state=count.state, allowed=names)


class NotAllCounted(Conflict):
    """The book has goods here that nobody counted; ``lines`` names them, not how many."""

    code = "not_all_counted"

    def __init__(self, lines: Sequence[LineFault]) -> None:
        self.lines = tuple(lines)
        message = ngettext(
            "Not counted yet: %(names)s. Count it, or confirm that none of it is here.",
            "%(count)d are not counted yet: %(names)s. Count them, or confirm that none of them"
            " is here.",
            len(self.lines),
        ) % {"count": len(self.lines), "names": _names(self.lines)}
        super().__init__(message, lines=[line.as_data() for line in self.lines])


class StaleCount(Conflict):
    """Stock moved since it was counted."""

    code = "stale_count"

    def __init__(self, lines: Sequence[StaleLine]) -> None:
        self.lines = tuple(lines)
        first = self.lines[0]
        message = _(
            "Stock moved since it was counted: %(names)s. %(first)s: %(expected)s on hand then,"
            " %(on_hand)s now. Count these lines again, or keep the count and add what moved."
        ) % {
            "names": _names(self.lines),
            "first": first.name,
            "expected": plain(first.expected),
            "on_hand": plain(first.on_hand),
        }
        super().__init__(message, lines=[line.as_data() for line in self.lines])


class NothingStale(Conflict):
    """No line of the count is stale."""

    code = "nothing_stale"

    def __init__(self, count: CycleCount) -> None:
        message = _("Nothing moved since %(number)s was counted: it can be posted as it is.")
        super().__init__(message % {"number": count.number}, number=count.number)


class CannotRebase(Conflict):
    """What moved since cannot be added to what was counted."""

    code = "cannot_rebase"

    def __init__(self, lines: Sequence[LineFault]) -> None:
        self.lines = tuple(lines)
        message = _(
            "What moved since cannot be added to the count of %(names)s: less than nothing would"
            " be left, or the book itself was corrected. Count these lines again."
        ) % {"names": _names(self.lines)}
        super().__init__(message, lines=[line.as_data() for line in self.lines])


class CountBelowAllocated(Conflict):
    """Less was counted than is promised to orders there."""

    code = "count_below_allocated"

    def __init__(self, lines: Sequence[PromisedLine]) -> None:
        self.lines = tuple(lines)
        first = self.lines[0]
        message = _(
            "%(sku)s: %(left)s would be left, but %(allocated)s is promised there. Release or"
            " re-allocate the orders that wait for it, then post the count."
        ) % {
            "sku": first.name,
            "left": plain(first.left),
            "allocated": plain(first.allocated),
        }
        super().__init__(message, lines=[line.as_data() for line in self.lines])


class OwnVariance(Conflict):
    """Who counted does not approve a difference above the tolerance."""

    code = "own_variance"

    def __init__(self, lines: Sequence[VarianceLine]) -> None:
        self.lines = tuple(lines)
        message = _(
            "You counted this yourself, and the difference of %(names)s is above the tolerance."
            " Somebody else has to approve it."
        ) % {"names": _names(self.lines)}
        super().__init__(message, lines=[line.as_data() for line in self.lines])


class NothingToUndo(Conflict):
    """Nothing was entered in this round, or not by this person."""

    code = "nothing_to_undo"

    def __init__(self) -> None:
        super().__init__(_("You have entered nothing in this round that could be taken back."))


def plain(number: Decimal) -> str:
    """Write a number for people: without trailing zeros or exponent."""
    return format(number.normalize(), "f")


def _names(lines: Sequence[LineFault], most: int = 5) -> str:
    names = ", ".join(line.name for line in lines[:most])
    return names if len(lines) <= most else f"{names} ..."
