"""What stands on each kind of label, as plain data, and how it becomes lines and one symbol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from inventory.rules.gs1 import Elements, UnreadableCode, as_gtin, bracketed, write_elements
from inventory.rules.scan_codes import location_code, lot_code, packaging_code, product_code


@dataclass(frozen=True, slots=True)
class LabelWords:
    """The words printed on labels, in the reader's language."""

    lot: str = "Lot"
    serial: str = "Serial no."
    expires: str = "Expires"
    order: str = "Order"
    weight: str = "Weight"
    carrier: str = "Carrier"
    tracking: str = "Tracking"
    package: str = "Package"
    location: str = "Location"
    product: str = "Product"
    quantity: str = "Quantity"
    page: str = "Page"


ENGLISH = LabelWords()


@dataclass(frozen=True, slots=True)
class Symbol:
    """A code to be scanned. ``data`` is what a scanner delivers, FNC1 inside as ``SEPARATOR``.

    ``is_gs1``: the symbol begins with FNC1. ``readable`` is printed below it.
    """

    data: str
    readable: str
    is_gs1: bool = False


@dataclass(frozen=True, slots=True)
class Face:
    """A label ready to be drawn: the big line, lines below, pairs of word and value, the symbol."""

    head: str
    lines: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class LocationLabel:
    warehouse_code: str
    warehouse_name: str
    location: str
    zone: str = ""

    def face(self, words: LabelWords) -> Face:
        data = location_code(self.warehouse_code, self.location)
        place = " · ".join(part for part in (self.warehouse_name, self.zone) if part)
        return Face(self.location, (place,), (), Symbol(data, self.location))


@dataclass(frozen=True, slots=True)
class ProductLabel:
    """``barcode`` is the stored one, of the unit or of the packaging; without one our own label.

    ``packaging`` is its name, ``contents`` what it holds, e.g. "12 pcs".
    """

    sku: str
    name: str
    barcode: str = ""
    packaging: str = ""
    contents: str = ""

    def face(self, words: LabelWords) -> Face:
        own = packaging_code(self.sku, self.packaging) if self.packaging else product_code(self.sku)
        data = self.barcode if _can_be_bars(self.barcode) else own
        packed = ", ".join(part for part in (self.packaging, self.contents) if part)
        lines = tuple(part for part in (self.sku, packed) if part)
        return Face(self.name, lines, (), Symbol(data, self.barcode or self.sku))


@dataclass(frozen=True, slots=True)
class LotLabel:
    """A GS1 symbol with 01, 17 and 10 (21 for a serial) when the product has a GTIN."""

    sku: str
    name: str
    lot: str
    expires_on: date | None = None
    gtin: str = ""
    is_serial: bool = False

    def face(self, words: LabelWords) -> Face:
        facts = [(words.serial if self.is_serial else words.lot, self.lot)]
        if self.expires_on:
            facts.append((words.expires, self.expires_on.isoformat()))
        return Face(self.name, (self.sku,), tuple(facts), self.symbol())

    def symbol(self) -> Symbol:
        """Return the GS1 message, or our own label where GS1 cannot carry it."""
        gtin = as_gtin(self.gtin)
        own = Symbol(lot_code(self.sku, self.lot), f"{self.sku} {self.lot}")
        if not gtin:
            return own
        elements = Elements(
            gtin=gtin,
            lot="" if self.is_serial else self.lot,
            serial=self.lot if self.is_serial else "",
            expires_on=self.expires_on,
        )
        try:
            message = write_elements(elements)
        except UnreadableCode:  # longer than 20 characters, or not of GS1's set
            return own
        return Symbol(message, bracketed(message), is_gs1=True)


@dataclass(frozen=True, slots=True)
class PackageLabel:
    """For the outside of a package. ``ship_to`` are the lines of the address, name first.

    ``weight`` is written as it is to be read, e.g. "3.2 kg"; ``part`` e.g. "1/2".
    """

    number: str
    order_number: str
    ship_to: tuple[str, ...]
    weight: str = ""
    carrier: str = ""
    tracking_number: str = ""
    part: str = ""

    def face(self, words: LabelWords) -> Face:
        given = (
            (words.order, self.order_number),
            (words.weight, self.weight),
            (words.carrier, self.carrier),
            (words.tracking, self.tracking_number),
            (words.package, self.part),
        )
        facts = tuple((word, value) for word, value in given if value)
        name, *rest = self.ship_to or ("",)
        symbol = Symbol(self.number, self.number)
        return Face(name, tuple(line for line in rest if line), facts, symbol)


@dataclass(frozen=True, slots=True)
class CommandLabel:
    """A code that presses a button of a handheld page: ``words`` say what it does, ``task`` where.

    ``code`` is scanned as it is.
    """

    code: str
    words: str
    task: str

    def face(self, words: LabelWords) -> Face:
        return Face(self.words, (self.task,), (), Symbol(self.code, self.code))


Label = LocationLabel | ProductLabel | LotLabel | PackageLabel | CommandLabel


@dataclass(frozen=True, slots=True)
class PickLine:
    """One pick, in walking order. ``quantity`` is written with its unit."""

    location: str
    sku: str
    name: str
    quantity: str
    lot: str = ""
    order_number: str = ""


@dataclass(frozen=True, slots=True)
class PickList:
    """A wave or order on paper; ``number`` is the document that is scanned to begin.

    ``facts`` are pairs of word and value for the head, e.g. ("Warehouse", "Main").
    """

    number: str
    title: str
    lines: tuple[PickLine, ...]
    facts: tuple[tuple[str, str], ...] = ()


def _can_be_bars(code: str) -> bool:
    return bool(code) and code.isascii() and code.isprintable()
