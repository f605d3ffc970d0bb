"""What is in hand while receiving on a handheld, and what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from inventory.models import LotTracking, Product
from inventory.pages.fields import plain
from inventory.pages.scan_steps import typed_quantity
from inventory.queries.receiving import OpenLine

NOTHING = Decimal(0)
LONGEST_TYPED = 7


@dataclass(frozen=True)
class Goods:
    """What is in hand: the context, read."""

    product: Product
    units: Decimal
    counted: Decimal
    lot_code: str
    expires: str
    damaged: Decimal

    @property
    def is_serial(self) -> bool:
        return self.product.lot_tracking == LotTracking.SERIAL

    @property
    def needs_lot(self) -> bool:
        return self.product.lot_tracking != LotTracking.NONE and not self.lot_code


def difference_of(row: OpenLine) -> str:
    """Return in words how much of an order line was counted."""
    words = _("%(name)s: %(counted)s of %(open)s")
    product = row.line.product
    numbers = {"counted": plain(row.on_receipts), "open": plain(row.open) or "0"}
    return words % {"name": product.name, **numbers}


def line_of(expected: list[OpenLine], product_id: int) -> OpenLine | None:
    """Return what is expected of the product, None when it is not on the order."""
    return next((row for row in expected if row.line.product_id == product_id), None)


def is_number(text: str) -> bool:
    """Tell a typed quantity from a code: what is longer is a barcode."""
    if len(text.replace(".", "").replace(",", "")) > LONGEST_TYPED:
        return False
    return text.replace(".", "", 1).replace(",", "", 1).isdecimal()


def damaged_of(text: str) -> Decimal:
    """Return the damaged quantity the context carries."""
    return typed_quantity(text) if text else NOTHING
