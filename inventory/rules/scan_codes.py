"""What a keyboard-wedge scanner or a camera delivers, read into its parts.

A code that says of itself what it is (a symbology prefix, brackets, a separator, one of our own
labels) must be sound. One that only looks like GS1 is taken as a plain code when it is not: numbers
are codes, too. ``doubt`` then says what did not fit, for the answer that nothing has this code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from urllib.parse import quote, unquote

from inventory.rules.gs1 import (
    GTIN_LENGTHS,
    SEPARATOR,
    Elements,
    ScanFault,
    UnreadableCode,
    as_gtin,
    read_bracketed,
    read_elements,
)

LONGEST_CODE = 200
SEPARATOR_NAMES = ("<GS>", "[GS]", "{GS}", "<FNC1>", "[FNC1]", "{FNC1}", "\\x1d", "^]", "␝")
"""What scanners are set to send for FNC1. None of it can be part of a GS1 value but ``<GS>``."""
SEPARATOR_CHARACTERS = "|~"
"""The same, but only inside a GS1 message: a plain code may have them."""
GS1_PREFIXES = frozenset({"]C1", "]d2", "]e0", "]Q3", "]J1"})
TRADE_PREFIXES = frozenset({"]E0", "]E3", "]E4", "]I1"})
SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
LOOKS_LIKE_GS1 = re.compile(r"01[0-9]{14}")


class LabelKind(StrEnum):
    """Our own labels: the prefix before the colon."""

    LOCATION = "LOC"
    PRODUCT = "SKU"
    PACKAGING = "PCK"
    LOT = "LOT"


LABEL_PARTS = {
    LabelKind.LOCATION: 2,
    LabelKind.PRODUCT: 1,
    LabelKind.PACKAGING: 2,
    LabelKind.LOT: 2,
}
OWN_LABEL = re.compile(rf"({'|'.join(LabelKind)}):(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class ScannedCode:
    """A code read. ``text`` is what a plain code is looked up by; absent parts are empty or None.

    ``gtin`` has 14 digits. ``label`` and ``parts`` are set for our own labels: warehouse and
    location, SKU, SKU and packaging, or SKU and lot.
    """

    raw: str
    text: str
    gtin: str = ""
    lot: str = ""
    expires_on: date | None = None
    produced_on: date | None = None
    serial: str = ""
    count: int | None = None
    sscc: str = ""
    label: LabelKind | None = None
    parts: tuple[str, ...] = ()
    is_gs1: bool = False
    doubt: ScanFault | None = None


def read_code(raw: str, *, today: date) -> ScannedCode:
    """Read what was scanned or typed; ``today`` decides the century of two-digit years.

    Raises ``UnreadableCode``, and nothing else.
    """
    if len(raw) > LONGEST_CODE:
        raise UnreadableCode(ScanFault.TOO_LONG, raw[:20])
    # PostgreSQL's text holds no NUL; STX, ETX and EOT frame what some scanners send
    text = raw.replace("\0", "").strip(" \t\r\n\x02\x03\x04")
    prefix = found.group() if (found := SYMBOLOGY.match(text)) else ""
    body = text.removeprefix(prefix)
    if not body.strip(f" {SEPARATOR}"):
        raise UnreadableCode(ScanFault.EMPTY, "")
    if prefix in GS1_PREFIXES:
        return _gs1(raw, _separated(body), read_elements(_separated(body), today=today))
    if prefix in TRADE_PREFIXES:
        return _trade_number(raw, body)
    return _without_prefix(raw, body, today)


def location_code(warehouse: str, location: str) -> str:
    """Return what our location label carries."""
    return _own(LabelKind.LOCATION, warehouse, location)


def product_code(sku: str) -> str:
    """Return what our product label carries when the product has no barcode."""
    return _own(LabelKind.PRODUCT, sku)


def packaging_code(sku: str, packaging: str) -> str:
    """Return what our label for a packaging carries when it has no barcode."""
    return _own(LabelKind.PACKAGING, sku, packaging)


def lot_code(sku: str, lot: str) -> str:
    """Return what our lot label carries when the product has no GTIN."""
    return _own(LabelKind.LOT, sku, lot)


def _own(kind: LabelKind, *parts: str) -> str:
    # every part in ASCII without "/", so that a one-dimensional symbol can carry it
    return f"{kind}:{'/'.join(quote(part, safe=' !*+,-._') for part in parts)}"


def _without_prefix(raw: str, body: str, today: date) -> ScannedCode:
    if found := OWN_LABEL.fullmatch(body):
        return _label(raw, body, LabelKind(found.group(1).upper()), found.group(2))
    if re.match(r"\([0-9]{2,4}\)", body):
        return _gs1(raw, body, read_bracketed(body, today=today))
    named = _named_separators(body)
    if SEPARATOR in named:
        return _gs1(raw, _separated(body), read_elements(_separated(body), today=today))
    if LOOKS_LIKE_GS1.match(body):
        return _perhaps_gs1(raw, body, today)
    gtin = as_gtin(body)
    is_doubtful = not gtin and body.isascii() and body.isdigit() and len(body) in GTIN_LENGTHS
    return ScannedCode(raw, body, gtin=gtin, doubt=ScanFault.CHECK_DIGIT if is_doubtful else None)


def _perhaps_gs1(raw: str, body: str, today: date) -> ScannedCode:
    message = _separated(body)
    try:
        return _gs1(raw, message, read_elements(message, today=today))
    except UnreadableCode as refusal:
        return ScannedCode(raw, body, doubt=refusal.fault)


def _gs1(raw: str, text: str, elements: Elements) -> ScannedCode:
    return ScannedCode(
        raw,
        text,
        gtin=elements.gtin,
        lot=elements.lot,
        expires_on=elements.expires_on,
        produced_on=elements.produced_on,
        serial=elements.serial,
        count=elements.count,
        sscc=elements.sscc,
        is_gs1=True,
    )


def _trade_number(raw: str, body: str) -> ScannedCode:
    # an add-on of two or five digits (price, issue) follows the thirteen
    digits = body[:13] if len(body) in {15, 18} else body
    gtin = as_gtin(digits)
    if not gtin:
        raise UnreadableCode(ScanFault.CHECK_DIGIT, body)
    return ScannedCode(raw, digits, gtin=gtin)


def _label(raw: str, body: str, kind: LabelKind, content: str) -> ScannedCode:
    try:
        parts = tuple(unquote(part, errors="strict") for part in content.split("/"))
    except UnicodeDecodeError:
        raise UnreadableCode(ScanFault.BROKEN_LABEL, body) from None
    if len(parts) != LABEL_PARTS[kind] or not all(parts) or "\0" in "".join(parts):
        raise UnreadableCode(ScanFault.BROKEN_LABEL, body)
    code = ScannedCode(raw, body, label=kind, parts=parts)
    return replace(code, lot=parts[1]) if kind == LabelKind.LOT else code


def _named_separators(body: str) -> str:
    for name in SEPARATOR_NAMES:
        body = body.replace(name, SEPARATOR)
    return body


def _separated(body: str) -> str:
    body = _named_separators(body)
    for character in SEPARATOR_CHARACTERS:
        body = body.replace(character, SEPARATOR)
    return body
