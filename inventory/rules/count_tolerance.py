"""When a difference is too large to be taken from one count."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """``percent`` of what was expected, ``value`` in the tenant's currency. Zero: none."""

    percent: Decimal
    value: Decimal


def is_outside(
    *, expected: Decimal, counted: Decimal, unit_cost: Decimal | None, tolerance: Tolerance
) -> bool:
    """Tell whether the variance exceeds either limit.

    Goods the book does not expect exceed any percentage; without a unit cost only the percentage
    counts.
    """
    variance = abs(counted - expected)
    if variance * HUNDRED > expected * tolerance.percent:
        return True
    return unit_cost is not None and variance * unit_cost > tolerance.value
