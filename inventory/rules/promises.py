"""Which promises of a line are used up when goods of it leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Promise:
    """A quantity promised to a line where it lies, in base units."""

    promise_id: int
    line_id: int
    location_id: int
    lot_id: int | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Leaving:
    """A quantity of a line that leaves from a place."""

    line_id: int
    location_id: int
    lot_id: int | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Use:
    """What becomes of a promise: ``shipped`` of it left from its place, ``freed`` is not needed."""

    promise: Promise
    shipped: Decimal
    freed: Decimal

    @property
    def left(self) -> Decimal:
        """Return what stays promised."""
        return self.promise.quantity - self.shipped - self.freed


def use_promises(
    promises: Iterable[Promise], leaving: Iterable[Leaving], open_after: Mapping[int, Decimal]
) -> list[Use]:
    """Return the promises that change.

    Goods that leave from a promised place use that promise. Goods from elsewhere use none, but a
    line is not promised more than is still to go (``open_after``): the last promises are freed.
    """
    known = list(promises)
    goes: dict[tuple[int, int, int | None], Decimal] = {}
    for part in leaving:
        key = (part.line_id, part.location_id, part.lot_id)
        goes[key] = goes.get(key, NOTHING) + part.quantity
    shipped: dict[int, Decimal] = {}
    promised: dict[int, Decimal] = {}
    for promise in known:
        key = (promise.line_id, promise.location_id, promise.lot_id)
        used = min(promise.quantity, goes.get(key, NOTHING))
        if used:
            goes[key] -= used
        shipped[promise.promise_id] = used
        kept = promise.quantity - used
        promised[promise.line_id] = promised.get(promise.line_id, NOTHING) + kept
    excess = {
        line_id: max(quantity - open_after.get(line_id, NOTHING), NOTHING)
        for line_id, quantity in promised.items()
    }
    freed: dict[int, Decimal] = {}
    for promise in reversed(known):
        spare = min(promise.quantity - shipped[promise.promise_id], excess[promise.line_id])
        excess[promise.line_id] -= spare
        freed[promise.promise_id] = spare
    uses = [Use(p, shipped[p.promise_id], freed[p.promise_id]) for p in known]
    return [use for use in uses if use.shipped or use.freed]
