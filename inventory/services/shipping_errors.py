"""What shipping refuses, with the goods named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import Allocation, Lot, LotStatus, SalesOrder
from inventory.services.packing_errors import plain
from tenancy.errors import Conflict


class EmptyShipment(Conflict):
    """There is nothing of the order that could leave (any more)."""

    code = "empty_shipment"

    def __init__(self, order: SalesOrder) -> None:
        message = _("Nothing of order %(number)s is packed and waits to leave.")
        super().__init__(message % {"number": order.number}, number=order.number)


@dataclass(frozen=True, slots=True)
class UnpackedLine:
    sku: str
    lot: str
    quantity: Decimal


class UnpackedGoods(Conflict):
    """Picked goods of the order are in no closed package; ``lines`` names them."""

    code = "unpacked_goods"

    def __init__(self, order: SalesOrder, lines: Sequence[UnpackedLine]) -> None:
        self.lines = tuple(lines)
        first = self.lines[0]
        message = _(
            "Order %(number)s has goods outside closed packages: %(quantity)s of %(sku)s. Pack "
            "them, say that all of it is packed, or name the packages that leave."
        ) % {"number": order.number, "quantity": plain(first.quantity), "sku": first.sku}
        super().__init__(
            message,
            number=order.number,
            lines=[
                {"sku": line.sku, "lot": line.lot, "quantity": plain(line.quantity)}
                for line in self.lines
            ],
        )


class LotNotShippable(Conflict):
    """A lot is on hold, recalled or expired: it does not leave."""

    code = "lot_not_shippable"
    words = {
        LotStatus.ON_HOLD: _("%(sku)s lot %(lot)s is on hold. It must not leave."),
        LotStatus.RECALLED: _("%(sku)s lot %(lot)s is recalled. It must not leave."),
        LotStatus.AVAILABLE: _("%(sku)s lot %(lot)s expired on %(day)s. It must not leave."),
    }

    def __init__(self, allocations: Sequence[Allocation]) -> None:
        first = allocations[0]
        lot = _lot(first)
        message = self.words[LotStatus(lot.status)] % {
            "sku": first.product.sku,
            "lot": lot.code,
            "day": lot.expires_on,
        }
        super().__init__(
            message,
            lots=[
                {
                    "sku": row.product.sku,
                    "lot": _lot(row).code,
                    "status": _lot(row).status,
                    "expires_on": str(_lot(row).expires_on or ""),
                }
                for row in allocations
            ],
        )


class NothingToStage(Conflict):
    """Nothing of the order is completely packed and away from that place."""

    code = "nothing_to_stage"

    def __init__(self, order: SalesOrder) -> None:
        message = _("Order %(number)s has no packed goods to bring there.")
        super().__init__(message % {"number": order.number}, number=order.number)


def _lot(allocation: Allocation) -> Lot:
    assert allocation.lot is not None  # noqa: S101 - only lots are refused
    lot: Lot = allocation.lot
    return lot
