"""Reports as files: CSV line by line, XLSX row by row into a temporary file; memory stays flat.

Numbers stay exact in CSV and are numeric cells in XLSX, days are days, and no text becomes a
formula.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Protocol

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from inventory.queries.reports.declaring import Column, Kind, Row
from inventory.rules.importing.values import neutralised

BLOCK = 64 * 1024
LINES_AT_A_TIME = 500
CELL_FORMATS = {
    Kind.MONEY: "#,##0.00",
    Kind.RATIO: "0.0%",
    Kind.DAY: "yyyy-mm-dd",
    Kind.MOMENT: "yyyy-mm-dd hh:mm",
}
WIDTHS = {Kind.TEXT: 28, Kind.MOMENT: 18}


class Writer(Protocol):
    """Turns rows into the blocks of a file."""

    def __call__(
        self, columns: Sequence[Column], rows: Iterable[Row], heads: Sequence[str], zone: tzinfo
    ) -> Iterator[bytes]: ...


def csv_blocks(
    columns: Sequence[Column], rows: Iterable[Row], heads: Sequence[str], zone: tzinfo
) -> Iterator[bytes]:
    """Yield the rows as CSV, with the mark by which spreadsheets know UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    readers = [_plain_reader(column, zone) for column in columns]
    writer.writerow([neutralised(head) for head in heads])
    yield out.getvalue().encode("utf-8-sig")
    out.seek(0)
    out.truncate()
    for number, row in enumerate(rows, 1):
        writer.writerow([read(row) for read in readers])
        if number % LINES_AT_A_TIME == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def xlsx_blocks(
    columns: Sequence[Column], rows: Iterable[Row], heads: Sequence[str], zone: tzinfo
) -> Iterator[bytes]:
    """Yield the rows as a workbook of one sheet with a fixed header row."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    for number, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(number)].width = WIDTHS.get(column.kind, 14)
    top = [WriteOnlyCell(sheet, neutralised(head)) for head in heads]
    for cell in top:
        cell.font = Font(bold=True)
    sheet.append(top)
    readers = [_cell_reader(column, zone) for column in columns]
    styles = [CELL_FORMATS.get(column.kind) for column in columns]
    for row in rows:
        sheet.append(
            [_styled(sheet, read(row), style) for read, style in zip(readers, styles, strict=True)]
        )
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


WRITERS: dict[str, tuple[str, Writer]] = {
    "csv": ("text/csv; charset=utf-8", csv_blocks),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_blocks),
}


def plain_number(value: Decimal) -> str:
    """Write a number in full: no exponent, no zeros that say nothing."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"", "-0"} else text


def _plain_reader(column: Column, zone: tzinfo) -> Callable[[Row], str]:
    def read(row: Row) -> str:
        value = row[column.name]
        if value is None:
            return ""
        if column.kind == Kind.CHOICE:
            return neutralised(column.label_of(value))
        if column.kind.is_number:
            return plain_number(Decimal(value))
        if isinstance(value, datetime):
            return value.astimezone(zone).isoformat(timespec="seconds")
        if column.kind == Kind.DAY:
            return str(value.isoformat())
        return neutralised(str(value))

    return read


def _cell_reader(column: Column, zone: tzinfo) -> Callable[[Row], Any]:
    def read(row: Row) -> Any:
        value = row[column.name]
        if value is None or column.kind.is_number or column.kind == Kind.DAY:
            return value
        if column.kind == Kind.CHOICE:
            return neutralised(column.label_of(value))
        if isinstance(value, datetime):
            # a workbook knows no time zones: the reader's wall clock
            return value.astimezone(zone).replace(tzinfo=None, microsecond=0)
        return neutralised(ILLEGAL_CHARACTERS_RE.sub("", str(value)))

    return read


def _styled(sheet: Any, value: Any, number_format: str | None) -> Any:
    if number_format is None or value is None:
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = number_format
    return cell
