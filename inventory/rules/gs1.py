"""GS1 element strings, read and written: the application identifiers that trade goods carry.

Splitting is biip's; what a warehouse makes of it, and the faults, are here. Identifiers that GS1
knows and stock does not need (weights, prices, addresses) are read over.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import cycle

from biip import ParseConfig, ParseError
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from biip.gs1_element_strings import GS1ElementString

SEPARATOR = "\x1d"
"""FNC1 inside a symbol, as scanners deliver it: the end of a value of variable length."""

GTIN_LENGTHS = frozenset({8, 12, 13, 14})
DATE_IDENTIFIERS = frozenset({"11", "12", "13", "15", "16", "17"})
BRACKETED = re.compile(r"\((\d{2,4})\)")
YEARS_PAST, YEARS_AHEAD = 49, 50
"""GS1 General Specifications 7.12: two digits mean a year within these of now."""
# the dates are read below: biip's century comes from a clock
CONFIG = ParseConfig(separator_chars=(SEPARATOR,), gs1_element_strings_verify_date=False)


class ScanFault(StrEnum):
    """Why a code cannot be read."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CHECK_DIGIT = "check_digit"
    IMPOSSIBLE_DATE = "impossible_date"
    UNKNOWN_IDENTIFIER = "unknown_identifier"
    BAD_VALUE = "bad_value"
    GIVEN_TWICE = "given_twice"
    BROKEN_LABEL = "broken_label"


class UnreadableCode(ValueError):
    """The code says of itself what it is, and is not: ``fault`` names why, ``detail`` where."""

    def __init__(self, fault: ScanFault, detail: str) -> None:
        self.fault = fault
        self.detail = detail
        super().__init__(f"{fault}: {detail}")


@dataclass(frozen=True, slots=True)
class Elements:
    """What stock needs of a GS1 message. ``gtin`` has 14 digits; absent is empty or None.

    ``is_content``: the GTIN is that of what a logistic unit holds (02), not of the unit.
    """

    gtin: str = ""
    lot: str = ""
    expires_on: date | None = None
    produced_on: date | None = None
    serial: str = ""
    count: int | None = None
    sscc: str = ""
    is_content: bool = False


def has_check_digit(digits: str) -> bool:
    """Tell whether the last digit is the GS1 check digit of those before it."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    weighted = sum(
        int(digit) * weight for digit, weight in zip(digits[-2::-1], cycle((3, 1)), strict=False)
    )
    return (weighted + int(digits[-1])) % 10 == 0


def as_gtin(digits: str) -> str:
    """Return a GTIN-8, -12, -13 or -14 in 14 digits; empty when it is none."""
    if len(digits) not in GTIN_LENGTHS or not has_check_digit(digits) or not digits.strip("0"):
        return ""
    return digits.rjust(14, "0")


def gtin_forms(gtin: str) -> list[str]:
    """Return every way the GTIN is written down: with 14 digits, and with fewer leading zeros."""
    return [gtin[14 - n :] for n in (14, 13, 12, 8) if not gtin[: 14 - n].strip("0")]


def read_elements(message: str, *, today: date) -> Elements:
    """Read an element string whose variable values end with ``SEPARATOR``; ``today`` dates years.

    Raises ``UnreadableCode``.
    """
    return _collected(_split(message), today)


def read_bracketed(text: str, *, today: date) -> Elements:
    """Read the form people type: ``(01)04006381333931(10)A7``. Raises ``UnreadableCode``."""
    marks = list(BRACKETED.finditer(text))
    if not marks or marks[0].start() != 0:
        raise UnreadableCode(ScanFault.BAD_VALUE, text)
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    parts = [
        (mark.group(1), text[mark.end() : end].strip())
        for mark, end in zip(marks, ends, strict=True)
    ]
    return _collected((_element(name, value) for name, value in parts), today)


def write_elements(elements: Elements) -> str:
    """Write the element string that ``read_elements`` reads: fixed lengths first, as GS1 asks.

    Raises ``UnreadableCode`` for a value that no GS1 symbol can carry.
    """
    fixed = [
        ("00", elements.sscc),
        ("02" if elements.is_content else "01", elements.gtin),
        ("11", _written(elements.produced_on)),
        ("17", _written(elements.expires_on)),
    ]
    variable = [
        ("37", "" if elements.count is None else str(elements.count)),
        ("10", elements.lot),
        ("21", elements.serial),
    ]
    parts = [_element(name, value) for name, value in (*fixed, *variable) if value]
    whole = "".join(
        f"{name}{value}{SEPARATOR if name in dict(variable) else ''}" for name, value in parts
    )
    return whole.removesuffix(SEPARATOR)


def bracketed(message: str) -> str:
    """Return the readable form of an element string, as it is printed below the symbol."""
    return "".join(f"({name}){value}" for name, value in _split(message))


def _split(message: str) -> Iterator[tuple[str, str]]:
    rest = message.strip(SEPARATOR)
    if not rest:
        raise UnreadableCode(ScanFault.EMPTY, "")
    while rest:
        element = _extract(rest)
        yield element.ai.ai, element.value
        rest = rest[len(element) :]
        if element.ai.separator_required and rest and not rest.startswith(SEPARATOR):
            raise UnreadableCode(ScanFault.BAD_VALUE, f"({element.ai.ai}){element.value}{rest}")
        rest = rest.lstrip(SEPARATOR)


def _extract(rest: str) -> GS1ElementString:
    value = rest.partition(SEPARATOR)[0]
    if not value.isascii():
        raise UnreadableCode(ScanFault.BAD_VALUE, value)
    try:
        identifier = GS1ApplicationIdentifier.extract(rest)
    except ParseError:
        raise UnreadableCode(ScanFault.UNKNOWN_IDENTIFIER, rest[:4]) from None
    try:
        return GS1ElementString.extract(rest, config=CONFIG)
    # biip asserts, and computes with what it has not checked
    except (ParseError, ValueError, ArithmeticError, AssertionError):
        raise _fault(identifier.ai, value[len(identifier.ai) :]) from None


def _element(name: str, value: str) -> tuple[str, str]:
    """Check one element on its own."""
    if not value.isascii():
        raise UnreadableCode(ScanFault.BAD_VALUE, f"({name}){value}")
    try:
        known = GS1ApplicationIdentifier.extract(name).ai
    except ParseError:
        known = ""
    if known != name:
        raise UnreadableCode(ScanFault.UNKNOWN_IDENTIFIER, name)
    try:
        GS1ElementString.parse(f"{name}{value}", config=CONFIG)
    except (ParseError, ValueError, ArithmeticError, AssertionError):
        raise _fault(name, value) from None
    return name, value


def _fault(name: str, value: str) -> UnreadableCode:
    if name in DATE_IDENTIFIERS and value[:6].isdigit() and len(value) >= 6:
        return UnreadableCode(ScanFault.IMPOSSIBLE_DATE, f"({name}){value[:6]}")
    return UnreadableCode(ScanFault.BAD_VALUE, f"({name}){value}")


def _collected(elements: Iterator[tuple[str, str]], today: date) -> Elements:
    found: dict[str, str] = {}
    for name, value in elements:
        if found.setdefault(name, value) != value:
            raise UnreadableCode(ScanFault.GIVEN_TWICE, f"({name}){value}")
    return Elements(
        gtin=_gtin(found),
        lot=found.get("10", ""),
        # best before serves where no expiry is given
        expires_on=_day(found, "17", today) or _day(found, "15", today),
        produced_on=_day(found, "11", today),
        serial=found.get("21", ""),
        count=_count(found),
        sscc=_sscc(found),
        is_content="01" not in found and "02" in found,
    )


def _gtin(found: Mapping[str, str]) -> str:
    for name in ("01", "02"):
        if name in found:
            gtin = as_gtin(found[name])
            if not gtin:
                raise UnreadableCode(ScanFault.CHECK_DIGIT, f"({name}){found[name]}")
            return gtin
    return ""


def _sscc(found: Mapping[str, str]) -> str:
    sscc = found.get("00", "")
    if sscc and not has_check_digit(sscc):
        raise UnreadableCode(ScanFault.CHECK_DIGIT, f"(00){sscc}")
    return sscc


def _count(found: Mapping[str, str]) -> int | None:
    for name in ("37", "30"):
        if found.get(name):
            return int(found[name])
    return None


def _day(found: Mapping[str, str], name: str, today: date) -> date | None:
    if name not in found:
        return None
    text = found[name]
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    year = _full_year(year, today.year)
    try:
        # day 00 is the end of the month
        return date(year, month, day or calendar.monthrange(year, month)[1])
    except ValueError:
        raise UnreadableCode(ScanFault.IMPOSSIBLE_DATE, f"({name}){text}") from None


def _full_year(two_digits: int, this_year: int) -> int:
    century = this_year - this_year % 100
    ahead = two_digits - this_year % 100
    if ahead > YEARS_AHEAD:
        return century - 100 + two_digits
    if ahead < -YEARS_PAST:
        return century + 100 + two_digits
    return century + two_digits


def _written(day: date | None) -> str:
    return "" if day is None else f"{day:%y%m%d}"
