"""What packing refuses, with the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import Package, PackageState, SalesOrder
from tenancy.errors import Conflict


class NothingToPack(Conflict):
    """Everything that was picked for the order is packed already, or nothing was picked."""

    code = "nothing_to_pack"

    def __init__(self, order: SalesOrder) -> None:
        message = _("Nothing picked for order %(number)s waits to be packed.")
        super().__init__(message % {"number": order.number}, number=order.number)


class PackageNotOpen(Conflict):
    """A closed package is not filled or emptied before it is opened again, a shipped one never."""

    code = "package_not_open"

    def __init__(self, package: Package) -> None:
        closed = _("Package %(number)s is closed. Open it again to change it.")
        gone = _("Package %(number)s has left already.")
        message = gone if package.state == PackageState.SHIPPED else closed
        super().__init__(
            message % {"number": package.number}, number=package.number, state=package.state
        )


class PackageNotClosed(Conflict):
    """Only a closed package can be opened again or shipped."""

    code = "package_not_closed"

    def __init__(self, package: Package) -> None:
        is_open = _("Package %(number)s is open. Close it first.")
        gone = _("Package %(number)s has left already.")
        message = gone if package.state == PackageState.SHIPPED else is_open
        super().__init__(
            message % {"number": package.number}, number=package.number, state=package.state
        )


class PackageEmpty(Conflict):
    """An empty package is not closed."""

    code = "package_empty"

    def __init__(self, package: Package) -> None:
        message = _("Package %(number)s is empty. Put something in, or discard it.")
        super().__init__(message % {"number": package.number}, number=package.number)


@dataclass(frozen=True, slots=True)
class ShortItem:
    """Goods of which less can be packed, or unpacked, than asked for."""

    sku: str
    lot: str
    asked: Decimal
    possible: Decimal

    def as_data(self) -> dict[str, str]:
        """Return the item for a problem body: exact numbers as strings."""
        return {
            "sku": self.sku,
            "lot": self.lot,
            "asked": plain(self.asked),
            "possible": plain(self.possible),
        }


class NotPicked(Conflict):
    """More was to be packed than was picked for the order and is not packed yet."""

    code = "not_picked"

    def __init__(self, items: Sequence[ShortItem]) -> None:
        self.items = tuple(items)
        first = self.items[0]
        message = _("%(sku)s: %(asked)s to pack, but %(possible)s picked and not packed.") % {
            "sku": first.sku,
            "asked": plain(first.asked),
            "possible": plain(first.possible),
        }
        super().__init__(message, items=[item.as_data() for item in self.items])


class NotInPackage(Conflict):
    """More was to be taken out than is in the package."""

    code = "not_in_package"

    def __init__(self, items: Sequence[ShortItem]) -> None:
        self.items = tuple(items)
        first = self.items[0]
        message = _("%(sku)s: %(asked)s to take out, but %(possible)s in the package.") % {
            "sku": first.sku,
            "asked": plain(first.asked),
            "possible": plain(first.possible),
        }
        super().__init__(message, items=[item.as_data() for item in self.items])


def plain(quantity: Decimal) -> str:
    """Write a quantity without trailing zeros or exponent."""
    return format(quantity.normalize(), "f")
