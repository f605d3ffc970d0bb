"""Cells to exact values: numbers with point or comma, dates in the order of their country."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

DateOrder = Literal["dmy", "mdy"]
DecimalMark = Literal[".", ","]

MOST = Decimal(10**9)  # a quantity or price beyond this is a slip of the keyboard
EARLIEST = date(1990, 1, 1)
MILLIONTH = Decimal("0.000001")

_PLAIN = re.compile(r"[+-]?\d{1,12}(\.\d{1,6})?")
_NOISE = re.compile(r"[\s\u00a0\u202f'\u2019£$€¥]")
_SPLIT_DATE = re.compile(
    r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})"
    r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp][Mm])?)?"
)
_WRITTEN_MONTH = ("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y")


class BadValue(ValueError):
    """A cell that cannot be what its column says; ``problem`` is a stable code."""

    def __init__(self, problem: str, field: str, value: str) -> None:
        self.problem = problem
        self.field = field
        self.value = value
        super().__init__(f"{field}: {problem}: {value!r}")


@dataclass(frozen=True)
class Conventions:
    """How a file writes numbers and dates. ``date_format`` (strptime) beats ``date_order``."""

    decimal_mark: DecimalMark = "."
    date_order: DateOrder = "dmy"
    date_format: str = ""

    def dates_of(self, cells: Iterable[str]) -> str:
        """Name how these dates are read: the pattern, ymd where the year leads, else the order.

        Empty where no cell holds one.
        """
        written = [text.strip() for text in cells if text.strip()]
        if not written:
            return ""
        is_year_first = all(re.match(r"\d{4}", text) for text in written)
        return self.date_format or ("ymd" if is_year_first else self.date_order)


def parse_number(text: str, field: str, mark: DecimalMark = ".") -> Decimal:
    """Return the exact number in a cell, to a millionth; raise ``BadValue`` when there is none.

    Knows thousands separators, currency signs, a trailing minus and accountants' brackets.
    """
    raw = text.strip()
    if mark == "." and _PLAIN.fullmatch(raw):
        return _within(Decimal(raw), field, text)
    cleaned = _NOISE.sub("", raw)
    negative = cleaned.startswith("(") and cleaned.endswith(")")
    if negative:
        cleaned = cleaned[1:-1]
    if cleaned.endswith("-"):
        cleaned = f"-{cleaned[:-1]}"
    other = "," if mark == "." else "."
    whole, found, fraction = (
        cleaned.rpartition(mark) if cleaned.count(mark) == 1 else (cleaned, "", "")
    )
    if other in fraction or (other in whole and not _grouped(whole, other)):
        raise BadValue("not_a_number", field, text)
    plain = f"{whole.replace(other, '')}{'.' if found else ''}{fraction}"
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise BadValue("not_a_number", field, text) from None
    if not number.is_finite():
        raise BadValue("not_a_number", field, text)
    return _within(-number if negative else number, field, text)


def _grouped(whole: str, separator: str) -> bool:
    return all(len(group) == 3 for group in whole.lstrip("+-").split(separator)[1:])


def _within(number: Decimal, field: str, text: str) -> Decimal:
    if abs(number) > MOST:
        raise BadValue("number_absurd", field, text)
    return number.quantize(MILLIONTH)


def plain(number: Decimal) -> str:
    """Return a number in its shortest plain spelling, the same for 6, 6.0 and 6.000000."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def guess_decimal_mark(cells: Iterable[str], delimiter: str = ",") -> DecimalMark:
    """Tell whether a file writes 1.5 or 1,5. Only spellings that can mean one thing count.

    When every number could be either (``1,234``), a file separated by semicolons is taken to be
    from a country that writes commas.
    """
    commas = points = 0
    for text in cells:
        cell = _NOISE.sub("", text).strip("()+-")
        if "," in cell and "." in cell:
            commas, points = (
                (commas + 1, points) if cell.rfind(",") > cell.rfind(".") else (commas, points + 1)
            )
        elif cell.count(",") == 1 and not re.fullmatch(r"[1-9]\d{0,2},\d{3}", cell):
            commas += 1
        elif cell.count(".") == 1 and not re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", cell):
            points += 1
    if commas == points:
        return "," if delimiter == ";" else "."
    return "," if commas > points else "."


def guess_date_order(cells: Iterable[str], fallback: DateOrder) -> DateOrder:
    """Tell day-month from month-day: a first part above 12 is a day, a second part above 12 too."""
    days_first = months_first = 0
    for text in cells:
        match = _SPLIT_DATE.match(text.strip())
        if match is None or len(match[1]) > 2:
            continue
        days_first += int(match[1]) > 12
        months_first += int(match[2]) > 12
    if days_first == months_first:
        return fallback
    return "dmy" if days_first > months_first else "mdy"


def parse_moment(text: str, field: str, conventions: Conventions) -> datetime:
    """Return the moment in a cell (naive without offset); raise ``BadValue`` if there is none."""
    raw = text.strip()
    try:
        if conventions.date_format:
            return datetime.strptime(raw, conventions.date_format)  # noqa: DTZ007  local to the warehouse
        return _parse_moment(raw, conventions.date_order)
    except ValueError:
        raise BadValue("not_a_date", field, text) from None


def _parse_moment(raw: str, order: DateOrder) -> datetime:
    match = _SPLIT_DATE.fullmatch(raw)
    if match is None:
        if re.match(r"\d{4}-?\d{2}-?\d{2}", raw):
            return datetime.fromisoformat(raw)
        return _written_month(raw)
    first, second, third = match[1], match[2], match[3]
    if len(first) > 2:
        year, month, day = int(first), int(second), int(third)
    else:
        year = int(third) + (0 if len(third) > 2 else 2000 if int(third) < 70 else 1900)
        day, month = (int(first), int(second)) if order == "dmy" else (int(second), int(first))
    hour, minute, seconds = (int(match[i] or 0) for i in (4, 5, 6))
    if match[7]:
        if not 1 <= hour <= 12:
            raise ValueError(raw)
        hour = hour % 12 + (12 if match[7].lower() == "pm" else 0)
    return datetime(year, month, day, hour, minute, seconds)  # noqa: DTZ001  local to the warehouse


def _written_month(raw: str) -> datetime:
    for pattern in _WRITTEN_MONTH:
        try:
            return datetime.strptime(raw, pattern)  # noqa: DTZ007  local to the warehouse
        except ValueError:
            continue
    raise ValueError(raw)


def parse_day(text: str, field: str, conventions: Conventions) -> date:
    """Return the day in a cell; raise ``BadValue`` when there is none."""
    return parse_moment(text, field, conventions).date()


ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy")
MARKS: tuple[DecimalMark, ...] = (".", ",")


def looks_like_date(text: str) -> bool:
    """Tell whether a cell reads as a date in any order."""
    for order in ORDERS:
        try:
            _parse_moment(text.strip(), order)
        except ValueError:
            continue
        return True
    return False


def looks_like_number(text: str) -> bool:
    """Tell whether a cell reads as a number of moderate size."""
    for mark in MARKS:
        try:
            return abs(parse_number(text, "", mark)) < 10**6
        except BadValue:
            continue
    return False


def neutralised(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
