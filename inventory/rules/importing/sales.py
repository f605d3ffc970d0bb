"""Rules for sales history: what is a sale, a cancellation, a write-off, no goods at all.

A *line* is one row of a file. Its ``line_key`` makes it count once in whatever file it comes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

from inventory.rules.importing.values import (
    EARLIEST,
    BadValue,
    Conventions,
    parse_moment,
    parse_number,
    plain,
)

NOTHING = Decimal(0)
MOST_REMEMBERED = 200_000  # distinct cells kept parsed, per column

# charges, postage, fees and manual entries that tills and shops book as if they were articles
CHARGE_CODES = frozenset(
    {
        "ADJUST",
        "AMAZONFEE",
        "BANK CHARGES",
        "CARRIAGE",
        "CRUK",
        "D",
        "DELIVERY",
        "DISCOUNT",
        "DOT",
        "FEE",
        "FREIGHT",
        "M",
        "MANUAL",
        "POST",
        "POSTAGE",
        "S",
        "SAMPLES",
        "SHIPPING",
    }
)
HAS_A_DIGIT = r".*\d"
ANYTHING = r"."


@dataclass(frozen=True)
class GoodsRule:
    """Which codes are goods: not a known charge, and matching ``pattern`` from their start.

    Codes of ``products`` (in capitals) are goods in any case: somebody entered them as such.
    """

    pattern: str = HAS_A_DIGIT
    charge_codes: frozenset[str] = CHARGE_CODES
    products: frozenset[str] = frozenset()

    def is_goods(self, sku: str) -> bool:
        """Tell whether the code is a product and not postage, a fee or an adjustment."""
        code = sku.upper()
        if code in self.products:
            return True
        return code not in self.charge_codes and bool(re.match(self.pattern, sku))


def usual_goods_pattern(codes: Iterable[str]) -> str:
    """Return the pattern that fits a sample: codes without digits are goods where most are such."""
    sample = {code.strip() for code in codes if code.strip()} - CHARGE_CODES
    with_digit = sum(bool(re.match(HAS_A_DIGIT, code)) for code in sample)
    return HAS_A_DIGIT if with_digit * 2 >= len(sample) else ANYTHING


@dataclass(frozen=True)
class SalesRules:
    """Everything a line is judged by, settled before the first line is read."""

    columns: dict[str, int]
    conventions: Conventions = field(default_factory=Conventions)
    goods: GoodsRule = field(default_factory=GoodsRule)
    cancellation_prefix: str = "C"
    latest: date = date.max
    channel: str = ""
    segment: str = ""


class SaleLine(NamedTuple):
    """A line that is a sale (``quantity`` above zero) or takes one back (below zero)."""

    line_key: bytes
    document: str
    sku: str
    quantity: str
    unit_price: str | None
    sold_at: str
    business_day: str
    customer: str
    country: str
    product_name: str
    channel: str
    segment: str
    warehouse: str


class LeftOut(NamedTuple):
    """A line that is understood and does not count; ``reason`` is a stable code."""

    reason: str
    sku: str
    quantity: Decimal
    money: Decimal


class LineReader:
    """Turns rows into lines. Remembers parsed cells, and which lines it has seen."""

    def __init__(self, rules: SalesRules, zones: dict[str, ZoneInfo], home: str) -> None:
        """Take the warehouses' zones by code; ``home`` is the warehouse of rows naming none."""
        self.rules = rules
        self._zones = zones
        self._home = home
        self._numbers: dict[tuple[str, str], Decimal] = {}
        self._moments: dict[tuple[str, str], tuple[str, str, str]] = {}
        self._goods: dict[str, bool] = {}
        self._seen: set[int] = set()
        self._repeated: dict[bytes, int] = {}
        at = rules.columns
        self._optional = [
            at.get(name, -1)
            for name in ("document", "customer", "country", "product_name", "channel", "segment")
        ]

    def read(self, cells: Sequence[str]) -> SaleLine | LeftOut:
        """Return the row as a line, or why it does not count; raise ``BadValue`` if wrong."""
        at = self.rules.columns
        sku = cells[at["sku"]].strip()
        if not sku:
            raise BadValue("missing", "sku", "")
        if len(sku) > 64:
            raise BadValue("too_long", "sku", sku)
        quantity = self._number(cells[at["quantity"]], "quantity")
        price_at = at.get("unit_price", -1)
        price = (
            self._number(cells[price_at], "unit_price")
            if price_at >= 0 and cells[price_at].strip()
            else None
        )
        document, customer, country, name, channel, segment = (
            cells[i].strip() if i >= 0 else "" for i in self._optional
        )
        quantity = self._with_sign(quantity, document)
        reason = self._reason_to_leave_out(sku, quantity, price)
        if reason:
            return LeftOut(reason, sku, quantity, quantity * (price or NOTHING))
        channel, segment = channel or self.rules.channel, segment or self.rules.segment
        warehouse_at = at.get("warehouse", -1)
        warehouse = (cells[warehouse_at].strip() if warehouse_at >= 0 else "") or self._home
        sold_at, written, day = self._moment(cells[at["sold_at"]], warehouse)
        quantity_text, price_text = plain(quantity), None if price is None else plain(price)
        identity = "\x1f".join(
            (
                document,
                sku.upper(),
                written,
                quantity_text,
                price_text or "",
                customer,
                warehouse,
                channel,
            )
        )
        return SaleLine(
            self._key(identity), document[:64], sku, quantity_text, price_text, sold_at, day,
            customer[:64], country[:80], name[:200], channel, segment, warehouse,
        )  # fmt: skip

    def _number(self, text: str, field_name: str) -> Decimal:
        found = self._numbers.get((field_name, text))
        if found is None:
            if not text.strip():
                raise BadValue("missing", field_name, "")
            found = parse_number(text, field_name, self.rules.conventions.decimal_mark)
            if len(self._numbers) > MOST_REMEMBERED:
                self._numbers.clear()
            self._numbers[field_name, text] = found
        return found

    def _with_sign(self, quantity: Decimal, document: str) -> Decimal:
        """Some exports write the quantity of a cancellation invoice (C536379) without its minus."""
        prefix = self.rules.cancellation_prefix
        if (
            prefix
            and quantity > 0
            and document.startswith(prefix)
            and document[len(prefix) :].isdigit()
        ):
            return -quantity
        return quantity

    def _reason_to_leave_out(self, sku: str, quantity: Decimal, price: Decimal | None) -> str:
        goods = self._goods.get(sku)
        if goods is None:
            goods = self._goods[sku] = self.rules.goods.is_goods(sku)
        if not goods:
            return "not_goods"
        if quantity == 0:
            return "zero_quantity"
        if price is None or price > 0:
            return ""
        if price < 0:
            return "negative_price"
        return "write_off" if quantity < 0 else "zero_price"

    def _moment(self, text: str, warehouse: str) -> tuple[str, str, str]:
        found = self._moments.get((warehouse, text))
        if found is None:
            found = self._parse_moment(text, warehouse)
            if len(self._moments) > MOST_REMEMBERED:
                self._moments.clear()
            self._moments[warehouse, text] = found
        return found

    def _parse_moment(self, text: str, warehouse: str) -> tuple[str, str, str]:
        zone = self._zones.get(warehouse)
        if zone is None:
            raise BadValue("unknown_warehouse", "warehouse", warehouse)
        if not text.strip():
            raise BadValue("missing", "sold_at", "")
        moment = parse_moment(text, "sold_at", self.rules.conventions)
        local = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
        if local.date() < EARLIEST:
            raise BadValue("before_1990", "sold_at", text)
        if local.date() > self.rules.latest:
            raise BadValue("in_the_future", "sold_at", text)
        return local.isoformat(), moment.isoformat(), local.date().isoformat()

    def _key(self, identity: str) -> bytes:
        """Return a digest of the line; identical lines of a file are told apart by their number."""
        digest = blake2b(identity.encode(), digest_size=16).digest()
        short = int.from_bytes(digest[:8])
        if short not in self._seen:
            self._seen.add(short)
            return digest
        again = self._repeated[digest] = self._repeated.get(digest, 0) + 1
        return blake2b(f"{identity}\x1f{again}".encode(), digest_size=16).digest()


class Candidate(NamedTuple):
    """A stored line of a known customer, in the order it was sold. ``quantity`` keeps its sign."""

    id: int
    product_id: int
    customer_id: int
    quantity: Decimal
    unit_price: Decimal | None


def match_cancellations(
    lines: Iterable[Candidate], *, same_price: bool = False
) -> list[tuple[int, int]]:
    """Return (cancellation id, id of the sale it takes back) for lines ordered by time.

    A cancellation takes back the latest earlier sale of the same customer, product and quantity
    (and price, if asked) that nothing has taken back yet. One without such a sale is a return.
    """
    open_sales: dict[tuple[object, ...], list[int]] = defaultdict(list)
    pairs: list[tuple[int, int]] = []
    for line in lines:
        price = line.unit_price if same_price else None
        alike = open_sales[line.product_id, line.customer_id, abs(line.quantity), price]
        if line.quantity > 0:
            alike.append(line.id)
        elif alike:
            pairs.append((line.id, alike.pop()))
    return pairs
