"""How values read on a page: quantities, money, percentages, signs, days and moments."""

import math
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import SupportsFloat

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()

DASH = "\u2013"
MINUS = "\u2212"
NO_BREAK_SPACE = "\u00a0"
CURRENCY_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "INR": "₹"}
COMPACT_STEPS = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))

Number = Decimal | SupportsFloat | str | None


def to_decimal(value: Number) -> Decimal | None:
    """Return the exact decimal behind a value, or None for nothing, NaN and infinity."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() else None


def _grouped(number: Decimal, places: int | None = None, *, pad: bool = False) -> str:
    """Write a number in the reader's locale, rounded to `places`, zeros cut unless padded."""
    if places is not None:
        step = Decimal(1).scaleb(-places)
        digits = max(28, number.adjusted() + places + 2)
        if digits <= 60:  # beyond that nothing is left to round and the context would overflow
            number = number.quantize(step, rounding=ROUND_HALF_EVEN)
    text = f"{number:f}"
    if not pad and "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in {"-0", "-0.0"}:
        text = "0"
    written = number_format(text, use_l10n=True, force_grouping=True)
    return written.replace("-", MINUS)


@register.filter
def quantity(value: Number, places: int | None = None) -> str:
    """Write a quantity without trailing zeros; floats keep two places unless told otherwise."""
    number = to_decimal(value)
    if number is None:
        return DASH
    if places is None and isinstance(value, float):
        places = 2 if abs(value) < 100 else 0
    return _grouped(number, places)


@register.filter
def money(value: Number, currency: str = "") -> str:
    """Write an amount with two places and its currency: €1,234.50 or 1,234.50 CHF."""
    number = to_decimal(value)
    if number is None:
        return DASH
    amount = _grouped(abs(number), 2, pad=True)
    sign = MINUS if number < 0 and amount.strip("0.,") else ""
    if not currency:
        return f"{sign}{amount}"
    symbol = CURRENCY_SIGNS.get(currency)
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount}\u00a0{currency}"


@register.filter
def unit_money(value: Number, currency: str = "") -> str:
    """Write the price of one unit: as money, with up to four places where it has them: €0.385."""
    number = to_decimal(value)
    if number is None or abs(number) >= 1000:
        return money(value, currency)
    fine = round(number, 4)
    if fine == round(number, 2):
        return money(number, currency)
    amount = _grouped(abs(fine))
    sign = MINUS if number < 0 else ""
    symbol = CURRENCY_SIGNS.get(currency)
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount}\u00a0{currency}".rstrip()


@register.filter
def compact(value: Number) -> str:
    """Write a large number in three figures: 12.4k, 1.25M."""
    number = to_decimal(value)
    if number is None:
        return DASH
    for step, letter in COMPACT_STEPS:
        if abs(number) >= step * 10 or (step > 1000 and abs(number) >= step):
            scaled = number / step
            places = 0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2
            return f"{_grouped(scaled, places)}{letter}"
    return _grouped(number, 0 if abs(number) >= 100 else 1)


@register.filter
def percent(value: Number, places: int = 1) -> str:
    """Write a ratio as a percentage: 0.955 reads 95.5%."""
    number = to_decimal(value)
    return DASH if number is None else f"{_grouped(number * 100, places)}%"


@register.filter
def percent_column(value: Number, places: int = 1) -> str:
    """Write a percentage of a column, zeros kept so that points stand below each other: 34.0%.

    Ten times and more is a share of next to nothing, whose figures say nothing: >999%.
    """
    number = to_decimal(value)
    if number is None:
        return DASH
    if abs(number) >= 10:
        return ">999%" if number > 0 else f"<{MINUS}999%"
    return f"{_column(number * 100, places)}%"


@register.filter
def signed_percent(value: Number, places: int = 1) -> str:
    """Write a relative difference of a column with its sign: +4.0%, 0.0%."""
    written = percent_column(value, places)
    is_more = written[0] not in (DASH, MINUS, ">", "<") and written.strip("0.,%")
    return f"+{written}" if is_more else written


@register.filter
def number_column(value: Number, places: int = 1) -> str:
    """Write a number of a column, zeros kept so that points stand below each other: 31.0."""
    number = to_decimal(value)
    return DASH if number is None else _column(number, places)


def _column(number: Decimal, places: int) -> str:
    return _grouped(number if round(number, places) else Decimal(0), places, pad=True)


@register.filter
def estimate(value: Number) -> str:
    """Write units nobody knows exactly in three figures: 490, 43.2, 4.09."""
    number = to_decimal(value)
    if number is None:
        return DASH
    return _grouped(number, 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2)


@register.filter
def signed(value: Number, places: int | None = None) -> str:
    """Write a difference with its sign, a true minus for less than nothing: +12, 0."""
    number = to_decimal(value)
    if number is None:
        return DASH
    written = _grouped(number, places)
    return f"+{written}" if number > 0 and written.strip("0.,") else written


@register.filter
def with_unit(value: Number, unit: str = "") -> SafeString:
    """Write a quantity followed by its muted unit, never broken across lines."""
    written = quantity(value)
    if not unit or written == DASH:
        return format_html('<span class="number">{}</span>', written)
    return format_html(
        '<span class="number">{}{}<span class="unit">{}</span></span>',
        written,
        NO_BREAK_SPACE,
        unit,
    )


@register.filter
def day(value: date | datetime | None) -> SafeString | str:
    """Write a day: 23 Nov 2026, machine-readable in a time element."""
    if value is None or value == "":
        return DASH
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    shown = date_format(value, "j M Y")
    machine = value.date() if isinstance(value, datetime) else value
    return format_html('<time datetime="{}" class="nowrap">{}</time>', machine.isoformat(), shown)


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """Write an instant in the active time zone: 23 Nov 2026, 14:05."""
    if value is None:
        return DASH
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return format_html(
        '<time datetime="{}" class="nowrap">{}, {}</time>',
        value.isoformat(),
        date_format(local, "j M Y"),
        date_format(local, "H:i"),
    )


@register.filter
def duration(seconds: Number) -> str:
    """Write a length of time in its two largest units: 42 s, 3 min 20 s, 2 h 5 min."""
    number = to_decimal(seconds)
    if number is None:
        return DASH
    whole = math.floor(max(number, Decimal(0)))
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes_left}
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": whole}
