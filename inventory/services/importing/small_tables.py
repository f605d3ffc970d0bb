"""Tables that fit in memory (products, suppliers, stock): rows typed, faults collected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from inventory.rules.importing.values import (
    BadValue,
    Conventions,
    guess_date_order,
    guess_decimal_mark,
    parse_day,
    parse_number,
)
from inventory.services.importing.errors import ImportRefused
from inventory.services.importing.options import ImportOptions, resolve_columns
from inventory.services.importing.reading import Table, open_table
from inventory.services.importing.reports import ImportReport, Progress, RowError
from tenancy.scope import active_scope

T = TypeVar("T")

MOST_ROWS = 200_000
MOST_DAYS = 36_500
YES = frozenset({"1", "yes", "y", "true", "x", "ja", "oui", "si"})


@dataclass(frozen=True)
class Cells:
    """One row, read by field name. Every reader raises ``BadValue``."""

    number: int
    texts: dict[str, str]
    conventions: Conventions

    def has(self, field: str) -> bool:
        """Tell whether the row says something about the field."""
        return bool(self.texts.get(field))

    def text(self, field: str, *, most: int, required: bool = False) -> str:
        """Return the text, at most so many characters long."""
        value = self.texts.get(field, "")
        if required and not value:
            raise BadValue("missing", field, "")
        if len(value) > most:
            raise BadValue("too_long", field, value)
        return value

    def number_of(self, field: str) -> Decimal | None:
        """Return a number from zero up, or None when the cell is empty."""
        if not self.has(field):
            return None
        number = parse_number(self.texts[field], field, self.conventions.decimal_mark)
        if number < 0:
            raise BadValue("negative", field, self.texts[field])
        return number

    def positive(self, field: str) -> Decimal | None:
        """Return a number above zero, or None when the cell is empty."""
        number = self.number_of(field)
        if number == 0:
            raise BadValue("not_positive", field, self.texts[field])
        return number

    def days(self, field: str, *, most: int = MOST_DAYS) -> int | None:
        """Return whole days from zero up, or None when the cell is empty."""
        number = self.number_of(field)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise BadValue("not_whole", field, self.texts[field])
        if number > most:
            fault = "too_many_days" if most == MOST_DAYS else "above_a_year"
            raise BadValue(fault, field, self.texts[field])
        return int(number)

    def day(self, field: str) -> date | None:
        """Return a day, or None when the cell is empty."""
        if not self.has(field):
            return None
        found = parse_day(self.texts[field], field, self.conventions)
        if found.year < 1990:
            raise BadValue("before_1990", field, self.texts[field])
        return found

    def yes(self, field: str) -> bool:
        """Tell whether the cell says yes."""
        return self.texts.get(field, "").casefold() in YES


def read_small_table(
    kind: str, path: Path, options: ImportOptions, report: ImportReport, progress: Progress
) -> list[Cells]:
    """Return every row of a file with at most 200,000 rows; raise ``ImportRefused``."""
    options.check_date_format()
    table = open_table(path)
    columns = resolve_columns(kind, table, options)
    rows = [(number, cells) for number, cells in _at_most(table)]
    if not rows:
        raise ImportRefused("header_only")
    cells = [row for _, row in rows]
    days = _column_cells(cells, columns, _DAYS)
    conventions = options.conventions(
        guess_decimal_mark(_column_cells(cells, columns, _NUMBERS), table.delimiter),
        guess_date_order(days, "mdy" if active_scope().tenant.country == "US" else "dmy"),
    )
    report.form = {
        "form": table.form,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "decimal_mark": conventions.decimal_mark,
        "date_order": conventions.dates_of(days),
        "columns": ", ".join(f"{name} = {table.header[i]}" for name, i in columns.items()),
    }
    progress(0, len(rows), "")
    return [
        Cells(number, {name: row[i].strip() for name, i in columns.items()}, conventions)
        for number, row in rows
    ]


_NUMBERS = ("quantity", "unit_cost", "unit_price", "price", "weight_kg", "volume_l")
_DAYS = ("expires_on", "introduced_on", "discontinued_on")


def _column_cells(
    rows: list[list[str]], columns: dict[str, int], names: tuple[str, ...]
) -> list[str]:
    return [row[columns[name]] for name in names if name in columns for row in rows]


def _at_most(table: Table) -> list[tuple[int, list[str]]]:
    found = []
    for number, cells in table.rows():
        found.append((number, cells))
        if len(found) > MOST_ROWS:
            raise ImportRefused("too_many_rows", most=MOST_ROWS)
    return found


def accepted(
    rows: list[Cells], read: Callable[[Cells], T], report: ImportReport
) -> list[tuple[int, T]]:
    """Return (row number, value) of the rows that can be read; the others become errors."""
    found = []
    for cells in rows:
        report.rows_read += 1
        try:
            found.append((cells.number, read(cells)))
        except BadValue as bad:
            report.reject(RowError.of(cells.number, bad))
    return found
