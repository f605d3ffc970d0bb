"""Exact quantities: what may be posted, and packagings turned into base units."""

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


class InexactConversion(ArithmeticError):
    """So many packagings are no quantity of the product that could be posted; ``fault`` says why.

    ``exact`` is what they would make in base units.
    """

    def __init__(
        self, quantity: Decimal, packaging_units: Decimal, exact: Decimal, fault: QuantityFault
    ) -> None:
        self.quantity, self.packaging_units = quantity, packaging_units
        self.exact, self.fault = exact, fault
        super().__init__(f"{quantity} x {packaging_units} = {exact}: {fault}")


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


def to_base_units(quantity: Decimal, packaging_units: Decimal, *, whole_units: bool) -> Decimal:
    """Return ``quantity`` packagings of ``packaging_units`` each as an exact number of base units.

    Half a case of 12 is 6; a third of it, written 0.333333, is none and is refused rather than
    rounded. Raises ``InexactConversion``, also for what is not a positive number.
    """
    fault = quantity_fault(quantity, whole_units=False)
    if fault:
        raise InexactConversion(quantity, packaging_units, Decimal("NaN"), fault)
    # at most 12 digits before the point and 12 after: within range nothing is rounded here
    exact = quantity * packaging_units
    fault = quantity_fault(exact, whole_units=whole_units)
    if fault:
        raise InexactConversion(quantity, packaging_units, exact, fault)
    return exact.quantize(SMALLEST_UNIT)


def plain(quantity: Decimal) -> str:
    """Write a quantity for people and problem bodies: without trailing zeros or exponent."""
    return format(quantity.normalize(), "f")
