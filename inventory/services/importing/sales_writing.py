"""Write sales lines and bring demand up to date with them, set by set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from inventory.rules.importing.sales import Candidate, SaleLine, match_cancellations
from inventory.rules.importing.values import BadValue
from inventory.services.importing import sales_sql
from inventory.services.importing.options import ImportOptions
from inventory.services.importing.registers import CHANNELS, CUSTOMERS, PRODUCTS, SEGMENTS, Register
from inventory.services.importing.reports import ImportReport, RowError, Tally
from tenancy.database import joining_by_hashing
from tenancy.scope import active_tenant_id

NumberedLine = tuple[int, SaleLine]


class SalesWriter:
    """Takes lines by the chunk; ``settle`` matches cancellations and adds up the days."""

    def __init__(
        self, file_id: int, options: ImportOptions, warehouses: dict[str, int], report: ImportReport
    ) -> None:
        self._names = {"tenant": active_tenant_id(), "file": file_id}
        self._options = options
        self._warehouses = warehouses
        self._report = report
        self._products = Register(PRODUCTS)
        self._customers = Register(CUSTOMERS)
        self._channels = Register(CHANNELS)
        self._segments = Register(SEGMENTS)
        self._first_id: int | None = None
        self._returns_new = 0
        self._fractional: set[int] = set()
        _run(sales_sql.LOCK_IMPORTS, [self._names["tenant"]])
        _run(sales_sql.CHECK_AT_ONCE)

    def write(self, numbered: Sequence[NumberedLine]) -> None:
        """Insert the lines that no import has brought yet."""
        lines = [line for _, line in self._with_known_codes(numbered)]
        if not lines:
            return
        sku_ids = [self._products.id_of(line.sku) for line in lines]
        params = self._names | {
            "keys": _array(f'"\\\\x{line.line_key.hex()}"' for line in lines),
            "documents": [line.document for line in lines],
            "products": _array(sku_ids),
            "warehouses": _array(self._warehouses[line.warehouse] for line in lines),
            "channels": _array(self._channels.id_of(line.channel) for line in lines),
            "segments": _array(self._segments.id_of(line.segment) for line in lines),
            "customers": _array(self._customers.id_of(line.customer) for line in lines),
            "moments": _array(line.sold_at for line in lines),
            "days": _array(line.business_day for line in lines),
            "quantities": _array(line.quantity for line in lines),
            "prices": _array(line.unit_price for line in lines),
        }
        self._note_fractions(lines, sku_ids)
        stored, sales, units, money, first_id, first_day, last_day = _row(
            sales_sql.INSERT_LINES, params
        )
        self._report.imported.add(units, money, rows=sales)
        self._returns_new += stored - sales
        if stored < len(lines):
            self._report.left_out.setdefault("already_imported", Tally()).add(
                rows=len(lines) - stored
            )
        if stored:
            self._first_id = first_id if self._first_id is None else min(self._first_id, first_id)
            self._note_days(first_day.isoformat(), last_day.isoformat())

    def settle(self) -> None:
        """Match cancellations with sales, add the new days and prices, if any lines are new."""
        if self._first_id is not None:
            with joining_by_hashing():
                candidates = _rows(sales_sql.CANCELLATION_CANDIDATES, self._names)
            pairs = match_cancellations(
                (Candidate(*row) for row in candidates),
                same_price=self._options.cancel_same_price_only,
            )
            self._take_back(pairs, self._first_id)
            self._count_returns(self._first_id)
            _run(sales_sql.ADD_DEMAND, self._names | {"first": self._first_id})
            with joining_by_hashing():
                _run(sales_sql.LEARN_PRICES, self._names | {"first": self._first_id})
        if self._fractional:
            _run(sales_sql.COUNT_BY_FRACTIONS, self._names | {"ids": sorted(self._fractional)})
        self._report.created = {
            name: register.created
            for name, register in (
                ("products", self._products),
                ("customers", self._customers),
                ("channels", self._channels),
                ("segments", self._segments),
            )
            if register.created
        }

    def _take_back(self, pairs: list[tuple[int, int]], first_id: int) -> None:
        if not pairs:
            return
        ids = [row_id for pair in pairs for row_id in pair]
        rows, units, money = _row(sales_sql.MARK_CANCELLED, self._names | {"ids": ids})
        self._report.taken_back.add(units, money, rows=rows)
        counted = [sale_id for _, sale_id in pairs if sale_id < first_id]
        if counted:
            earlier = self._names | {"ids": counted}
            _run(sales_sql.SUBTRACT_DEMAND, earlier)
            _run(sales_sql.FORGET_EMPTY_DAYS, earlier)

    def _count_returns(self, first_id: int) -> None:
        rows, units, money = _row(sales_sql.OPEN_RETURNS_OF_FILE, self._names | {"first": first_id})
        if rows:
            self._report.left_out.setdefault("unmatched_return", Tally()).add(units, money, rows)
        if self._returns_new > rows:
            self._report.left_out.setdefault("cancellation", Tally()).add(
                rows=self._returns_new - rows
            )

    def _with_known_codes(self, numbered: Sequence[NumberedLine]) -> Sequence[NumberedLine]:
        """Create what may be created; drop, as errors, the lines that name something else."""
        lines = [line for _, line in numbered]
        self._learn_customers(lines)
        names: dict[str, str] = {}
        for line in lines:
            names[line.sku] = names.get(line.sku) or line.product_name
        may_create = self._options
        channels = {line.channel: "" for line in lines}
        segments = {line.segment: "" for line in lines}
        refused = {
            "sku": self._learn(self._products, names, create=may_create.create_products),
            "channel": self._learn(self._channels, channels, create=may_create.create_places),
            "segment": self._learn(self._segments, segments, create=may_create.create_places),
        }
        if not any(refused.values()):
            return numbered
        kept = []
        for number, line in numbered:
            bad = next(
                (name for name, codes in refused.items() if getattr(line, name) in codes), None
            )
            if bad is None:
                kept.append((number, line))
            else:
                value = BadValue(f"unknown_{bad}", bad, getattr(line, bad))
                self._report.reject(RowError.of(number, value))
        return kept

    def _learn(self, register: Register, names: dict[str, str], *, create: bool) -> set[str]:
        missing = register.learn(names)
        if missing and create:
            # in the order of the file: of two spellings the first one stays
            register.create({code: names[code] for code in names if code in missing})
            return set()
        return missing

    def _learn_customers(self, lines: Sequence[SaleLine]) -> None:
        countries = {line.customer: line.country for line in lines if line.customer}
        missing = self._customers.learn(countries)
        if missing:
            self._customers.create({code: code for code in missing}, {"country": countries})

    def _note_fractions(self, lines: Sequence[SaleLine], sku_ids: Sequence[int | None]) -> None:
        self._fractional |= {
            sku_id
            for line, sku_id in zip(lines, sku_ids, strict=True)
            if sku_id is not None and "." in line.quantity
        }

    def _note_days(self, first: str, last: str) -> None:
        report = self._report
        report.first_day = min(report.first_day or first, first)
        report.last_day = max(report.last_day, last)


def _array(values: Iterable[object]) -> str:
    """Spell an array of numbers, days or bytes as PostgreSQL reads it: much faster than by cell.

    Not for texts: nothing is escaped.
    """
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"


def _run(sql: str, params: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def _rows(sql: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _row(sql: str, params: Any) -> tuple[Any, ...]:
    return _rows(sql, params)[0]
