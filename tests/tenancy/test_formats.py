"""How quantities, money, shares, days and lengths of time read on a page."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tenancy.templatetags import formats

DASH = "\u2013"
MINUS = "\u2212"
NO_BREAK = "\u00a0"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("12480.5000"), "12,480.5"),
        (Decimal("1E+3"), "1,000"),
        (Decimal("0.000"), "0"),
        (Decimal("-3.10"), f"{MINUS}3.1"),
        (Decimal("0.000001"), "0.000001"),
        (7, "7"),
        (2.3456, "2.35"),
        (1284.56, "1,285"),
        ("12.50", "12.5"),
        (
            Decimal("123456789012345678901234567890.125"),
            "123,456,789,012,345,678,901,234,567,890.125",
        ),
    ],
)
def test_a_quantity_reads_without_trailing_zeros(value: object, shown: str) -> None:
    assert formats.quantity(value) == shown


@pytest.mark.parametrize(
    "nothing", [None, "", "twelve", float("nan"), float("inf"), Decimal("NaN")]
)
def test_what_is_no_number_reads_as_a_dash(nothing: object) -> None:
    assert formats.quantity(nothing) == DASH
    assert formats.money(nothing, "EUR") == DASH
    assert formats.percent(nothing) == DASH
    assert formats.signed(nothing) == DASH
    assert formats.compact(nothing) == DASH


def test_a_value_that_rounds_to_nothing_has_no_sign() -> None:
    assert formats.quantity(Decimal("-0.001"), 2) == "0"
    assert formats.money(Decimal("-0.001"), "EUR") == "€0.00"
    assert formats.signed(Decimal("0.001"), 2) == "0"


def test_an_absurd_quantity_is_still_written() -> None:
    assert formats.quantity(Decimal("1E+70"), 2).startswith("10,000,000")


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        (Decimal("1234.5"), "EUR", "€1,234.50"),
        (Decimal("-1234.5"), "USD", f"{MINUS}$1,234.50"),
        (Decimal("1234.5"), "CHF", f"1,234.50{NO_BREAK}CHF"),
        (Decimal("2.345"), "", "2.34"),  # half to even
    ],
)
def test_money_has_two_places_and_a_currency(value: Decimal, currency: str, shown: str) -> None:
    assert formats.money(value, currency) == shown


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        (Decimal("0.385"), "EUR", "€0.385"),
        (Decimal("0.38500"), "CHF", "0.385\u00a0CHF"),
        (Decimal("-0.12345"), "EUR", f"{MINUS}€0.1234"),
        (Decimal("2.5"), "EUR", "€2.50"),
        (Decimal("0.00001"), "EUR", "€0.00"),
        (Decimal("1234.5678"), "EUR", "€1,234.57"),
        (None, "EUR", DASH),
    ],
)
def test_the_price_of_a_unit_has_up_to_four_places(
    value: Decimal | None, currency: str, shown: str
) -> None:
    assert formats.unit_money(value, currency) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(128450, "128k"), (12480, "12.5k"), (1_250_000, "1.25M"), (9_999, "9,999"), (3.24, "3.2")],
)
def test_a_large_number_reads_in_three_figures(value: float, shown: str) -> None:
    assert formats.compact(value) == shown


def test_a_share_reads_as_a_percentage() -> None:
    assert formats.percent(0.968) == "96.8%"
    assert formats.percent(Decimal("0.95")) == "95%"


def test_numbers_of_a_column_keep_their_zeros() -> None:
    assert formats.percent_column(0.34) == "34.0%"
    assert formats.percent_column(None) == DASH
    assert formats.percent_column(-0.0001) == "0.0%"
    assert formats.percent_column(9.999) == "999.9%"
    assert formats.percent_column(335.067) == formats.signed_percent(335.067) == ">999%"
    assert formats.percent_column(-10) == formats.signed_percent(-10) == f"<{MINUS}999%"
    assert formats.signed_percent(0.04) == "+4.0%"
    assert formats.signed_percent(0.0001) == "0.0%"
    assert formats.signed_percent(-0.013) == f"{MINUS}1.3%"
    assert formats.signed_percent(None) == DASH
    assert formats.number_column(31) == "31.0"
    assert formats.number_column(1234.56, 0) == "1,235"
    assert formats.number_column(-0.02) == "0.0"


def test_an_estimate_reads_in_three_figures() -> None:
    assert [formats.estimate(n) for n in (11674.8, 490.89, 43.21, 4.087, 0, None)] == [
        "11,675", "491", "43.2", "4.09", "0", DASH,
    ]  # fmt: skip


def test_a_difference_carries_its_sign() -> None:
    assert formats.signed(12) == "+12"
    assert formats.signed(-12) == f"{MINUS}12"
    assert formats.signed(0) == "0"


def test_a_quantity_never_parts_from_its_unit() -> None:
    shown = formats.with_unit(Decimal("3.50"), "kg")

    assert shown == f'<span class="number">3.5{NO_BREAK}<span class="unit">kg</span></span>'


def test_a_unit_cannot_smuggle_markup() -> None:
    assert "<b>" not in formats.with_unit(1, "<b>kg")


def test_a_day_is_readable_by_people_and_machines() -> None:
    assert formats.day(date(2026, 11, 23)) == (
        '<time datetime="2026-11-23" class="nowrap">23 Nov 2026</time>'
    )
    assert formats.day(None) == DASH


def test_an_instant_is_shown_in_the_active_time_zone(settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"

    assert "23 Nov 2026, 15:05" in formats.moment(datetime(2026, 11, 23, 14, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("seconds", "shown"), [(42.7, "42 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (-1, "0 s")]
)
def test_a_length_of_time_reads_in_its_two_largest_units(seconds: float, shown: str) -> None:
    assert formats.duration(seconds) == shown
