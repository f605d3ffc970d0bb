"""The state of a sales order that was confirmed, from what became of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class OrderProgress(StrEnum):
    """The states that follow from the lines; the others are somebody's decision."""

    CONFIRMED = "confirmed"
    BACKORDERED = "backordered"
    PARTIALLY_ALLOCATED = "partially_allocated"
    ALLOCATED = "allocated"
    PICKING = "picking"
    PACKED = "packed"
    SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class LineSums:
    """One line in base units: promised where it lies, waiting to leave, gone."""

    quantity: Decimal
    allocated: Decimal = Decimal(0)
    picked: Decimal = Decimal(0)
    shipped: Decimal = Decimal(0)

    @property
    def open(self) -> Decimal:
        """Return what nothing was promised for yet."""
        return self.quantity - self.allocated - self.picked - self.shipped


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """``all_packed``: what was picked and has not left lies in closed packages.

    ``was_tried``: stock was looked for at least once.
    """

    open_picks: bool = False
    all_packed: bool = False
    was_tried: bool = False


def order_progress(lines: Sequence[LineSums], facts: OrderFacts) -> OrderProgress:
    """Return how far an order is; after a partial shipment what remains decides."""
    if not lines:
        raise ValueError("an order without lines is nowhere")
    is_allocated = any(line.allocated for line in lines)
    is_picked = any(line.picked for line in lines)
    if all(line.shipped == line.quantity for line in lines):
        return OrderProgress.SHIPPED
    if is_picked and facts.all_packed and not (is_allocated or facts.open_picks):
        return OrderProgress.PACKED
    if is_picked or facts.open_picks:
        return OrderProgress.PICKING
    if not any(line.open for line in lines):
        return OrderProgress.ALLOCATED
    if is_allocated:
        return OrderProgress.PARTIALLY_ALLOCATED
    return OrderProgress.BACKORDERED if facts.was_tried else OrderProgress.CONFIRMED
