"""Which differences are taken from one count, with the arithmetic."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.rules.count_tolerance import Tolerance, is_outside

TWO_PERCENT_OR_TEN = Tolerance(percent=Decimal(2), value=Decimal(10))

CASES = [
    # expected, counted, unit cost, outside
    ("100", "100", "5", False),  # no variance
    ("100", "98", "5", False),  # 2 of 100 = 2 %, 2 x 5 = 10: both limits are reached, not passed
    ("100", "97", "0.01", True),  # 3 % is above 2 %, although it is worth 0.03
    ("1000", "999", "10.01", True),  # 0.1 %, but 10.01 is above 10
    ("1000", "1001", "10.01", True),  # found goods count like lost ones
    ("0", "1", "0.01", True),  # the book expects none: beyond any percentage
    ("0", "0", None, False),
    ("1000", "981", None, False),  # without a cost only the percentage: 1.9 %
    ("1000", "979", None, True),  # 2.1 %
    ("3", "2.95", "1", False),  # 0.05 of 3 = 1.67 %
]


@pytest.mark.parametrize(("expected", "counted", "cost", "outside"), CASES)
def test_a_difference_beyond_either_limit_is_counted_again(
    expected: str, counted: str, cost: str | None, outside: bool
) -> None:
    assert (
        is_outside(
            expected=Decimal(expected),
            counted=Decimal(counted),
            unit_cost=None if cost is None else Decimal(cost),
            tolerance=TWO_PERCENT_OR_TEN,
        )
        is outside
    )


def test_zero_tolerance_takes_no_difference_at_all() -> None:
    none = Tolerance(percent=Decimal(0), value=Decimal(0))
    same = is_outside(expected=Decimal(5), counted=Decimal(5), unit_cost=Decimal(1), tolerance=none)
    less = is_outside(
        expected=Decimal(5), counted=Decimal("4.999999"), unit_cost=Decimal(1), tolerance=none
    )
    assert (same, less) == (False, True)
