"""Packagings into base units: exact, or refused by name."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.rules.units import (
    LARGEST_QUANTITY,
    InexactConversion,
    QuantityFault,
    to_base_units,
)


@pytest.mark.parametrize(
    ("quantity", "units", "whole", "base"),
    [
        ("3", "12", True, "36"),
        ("0.5", "12", True, "6"),  # half a case is six bottles
        ("2", "0.25", False, "0.5"),  # two quarters of a kilogram
        ("1.5", "0.25", False, "0.375"),
        ("0.000001", "1", False, "0.000001"),
        ("999999999999.999999", "1", False, "999999999999.999999"),
    ],
)
def test_packagings_make_an_exact_quantity(
    quantity: str, units: str, whole: bool, base: str
) -> None:
    assert to_base_units(Decimal(quantity), Decimal(units), whole_units=whole) == Decimal(base)


@pytest.mark.parametrize(
    ("quantity", "units", "whole", "fault"),
    [
        ("0.3", "12", True, QuantityFault.NOT_WHOLE),  # 3.6 bottles
        ("0.333333", "12", True, QuantityFault.NOT_WHOLE),  # 3.999996, which is not 4
        ("0.5", "0.000001", False, QuantityFault.TOO_FINE),
        ("1.0000001", "12", False, QuantityFault.TOO_FINE),
        ("0", "12", True, QuantityFault.NOT_POSITIVE),
        ("-1", "12", True, QuantityFault.NOT_POSITIVE),
        ("1e400", "12", True, QuantityFault.TOO_LARGE),
        (str(LARGEST_QUANTITY), "2", False, QuantityFault.TOO_LARGE),
        ("NaN", "12", True, QuantityFault.NOT_A_NUMBER),
        ("sNaN", "12", True, QuantityFault.NOT_A_NUMBER),
        ("Infinity", "12", True, QuantityFault.NOT_A_NUMBER),
    ],
)
def test_what_is_not_exact_is_refused_never_rounded(
    quantity: str, units: str, whole: bool, fault: QuantityFault
) -> None:
    with pytest.raises(InexactConversion) as refusal:
        to_base_units(Decimal(quantity), Decimal(units), whole_units=whole)
    assert refusal.value.fault == fault


def test_the_longest_numbers_are_multiplied_without_rounding() -> None:
    quantity, units = Decimal("999999999999.999999"), Decimal("0.999999")
    with pytest.raises(InexactConversion) as refusal:
        to_base_units(quantity, units, whole_units=False)
    assert refusal.value.exact == Decimal("999998999999.999999000001")
    assert refusal.value.fault == QuantityFault.TOO_FINE
