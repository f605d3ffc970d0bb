"""Exact quantities: what may be posted."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

SMALLEST_UNIT = Decimal("0.000001")
LARGEST_QUANTITY = Decimal("999999999999.999999")


class QuantityFault(StrEnum):
    """Why a quantity cannot be posted."""

    NOT_A_NUMBER = "not_a_number"
    NOT_POSITIVE = "not_positive"
    TOO_LARGE = "too_large"
    TOO_FINE = "too_fine"
    NOT_WHOLE = "not_whole"


def quantity_fault(quantity: Decimal, *, whole_units: bool) -> QuantityFault | None:
    """Return why ``quantity`` (base units) cannot be posted, or None when it can."""
    if not quantity.is_finite():
        return QuantityFault.NOT_A_NUMBER
    if quantity <= 0:
        return QuantityFault.NOT_POSITIVE
    if quantity > LARGEST_QUANTITY:
        return QuantityFault.TOO_LARGE
    # a tiny quantity rounds to zero here, so it is caught as too fine as well
    if quantity != quantity.quantize(SMALLEST_UNIT):
        return QuantityFault.TOO_FINE
    if whole_units and quantity != quantity.to_integral_value():
        return QuantityFault.NOT_WHOLE
    return None
