"""Which stock to take: first expired first out, and without expiry first in first out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class FreeStock:
    """What may be taken of one balance, in base units. A lower ``lot_id`` came in earlier."""

    location_id: int
    lot_id: int | None
    expires_on: date | None
    walking_order: int
    free: Decimal


@dataclass(frozen=True, slots=True)
class Take:
    location_id: int
    lot_id: int | None
    quantity: Decimal


def first_expired_first_out(stock: Iterable[FreeStock], quantity: Decimal) -> list[Take]:
    """Return what to take where; less than ``quantity`` in total when there is less.

    Order: expiry (none last), age of the lot, walking order.
    """
    takes: list[Take] = []
    missing = quantity
    for place in sorted(stock, key=_urgency):
        if missing <= 0:
            break
        taken = min(place.free, missing)
        if taken > 0:
            takes.append(Take(place.location_id, place.lot_id, taken))
            missing -= taken
    return takes


def _urgency(place: FreeStock) -> tuple[date, int, int, int]:
    return (
        place.expires_on or date.max,
        place.lot_id or 0,
        place.walking_order,
        place.location_id,
    )
