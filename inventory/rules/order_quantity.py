"""What a supplier accepts as a quantity: at least so much, and only multiples."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal


@dataclass(frozen=True, slots=True)
class QuantityHint:
    """Why a supplier may not deliver ``quantity``, and the nearest quantity above that it would."""

    quantity: Decimal
    minimum: Decimal
    multiple: Decimal
    suggested: Decimal

    @property
    def is_below_minimum(self) -> bool:
        """Tell whether less than the minimum order quantity is asked for."""
        return self.quantity < self.minimum

    @property
    def is_off_multiple(self) -> bool:
        """Tell whether the quantity is no multiple of what the supplier sells by."""
        return self.quantity % self.multiple != 0


def quantity_hint(quantity: Decimal, minimum: Decimal, multiple: Decimal) -> QuantityHint | None:
    """Return the hint for a positive quantity, or None when the supplier delivers it as it is.

    The suggested quantity is the smallest multiple that reaches both the quantity and the minimum.
    """
    wanted = max(quantity, minimum)
    times = (wanted / multiple).to_integral_value(rounding=ROUND_CEILING)
    if times * multiple < wanted:  # the division was rounded down
        times += 1
    hint = QuantityHint(quantity, minimum, multiple, times * multiple)
    return hint if hint.is_below_minimum or hint.is_off_multiple else None
