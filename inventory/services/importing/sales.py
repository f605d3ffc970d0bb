"""Import sales history: every line once, cancellations taken back, demand kept true.

The whole file is one transaction: whatever stops it leaves nothing behind. Imports of one tenant
follow each other (an advisory lock), so two of them cannot both count a line or a cancellation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from django.utils import timezone

from inventory.models import ImportedFile, Product
from inventory.rules.importing.sales import LeftOut, LineReader, SaleLine, SalesRules
from inventory.rules.importing.values import BadValue, guess_date_order, guess_decimal_mark
from inventory.services.importing.errors import ImportRefused
from inventory.services.importing.options import ImportOptions, resolve_columns
from inventory.services.importing.places import find_places
from inventory.services.importing.reading import Table, open_table
from inventory.services.importing.reports import ImportReport, Progress, RowError
from inventory.services.importing.sales_writing import NumberedLine, SalesWriter
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope

CHUNK_ROWS = 10_000
MOST_REMEMBERED = 50_000
"""Distinct cells of a column that are looked at to find out how a file writes dates and numbers."""


@dataclass
class Scan:
    """What a first pass over the file tells: how many rows, and how it writes dates and numbers."""

    rows: int = 0
    dates: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    prefixed: int = 0


def import_sales(
    *, path: Path, record: ImportedFile, options: ImportOptions, progress: Progress
) -> ImportReport:
    """Import the sales lines of a file into the active tenant, in the caller's transaction.

    Raises ``ImportRefused`` for a file that is not imported at all; wrong rows are in the report,
    and it is the caller who commits or not. ``progress`` may raise to stop the import.
    """
    require(Permission.IMPORT)
    options.check_date_format()
    goods = replace(options.goods_rule(), products=_known_skus())
    table = open_table(path)
    columns = resolve_columns("sales", table, options)
    places = find_places(options.warehouse, by_column="warehouse" in columns)
    report = ImportReport(kind="sales", file_name=record.file_name)
    scan = scan_table(table, columns, options, progress)
    conventions = options.conventions(
        guess_decimal_mark(scan.numbers, table.delimiter),
        guess_date_order(scan.dates, "mdy" if active_scope().tenant.country == "US" else "dmy"),
    )
    report.form = _form(table, columns) | {
        "decimal_mark": conventions.decimal_mark,
        "date_order": conventions.dates_of(scan.dates),
    }
    rules = SalesRules(
        columns=columns,
        conventions=conventions,
        goods=goods,
        # where most documents start like a cancellation, that is just how this shop numbers them
        cancellation_prefix=options.cancellation_prefix if scan.prefixed * 2 < scan.rows else "",
        latest=_latest_day(),
        channel=options.channel,
        segment=options.segment,
    )
    reader = LineReader(rules, places.zones, places.home)
    writer = SalesWriter(record.pk, options, places.ids, report)
    _read_and_write(table, reader, writer, report, _Steps(progress, scan.rows, options))
    _refuse_without_goods(report)
    writer.settle()
    return report


def scan_table(
    table: Table, columns: dict[str, int], options: ImportOptions, progress: Progress
) -> Scan:
    """Read the whole file once, before anything is written; raise ``ImportRefused``."""
    scan = Scan()
    date_at = columns.get("sold_at", -1)
    number_at = [
        columns[n] for n in ("quantity", "unit_price", "unit_cost", "price") if n in columns
    ]
    document_at, prefix = columns.get("document", -1), options.cancellation_prefix
    for _, cells in table.rows():
        scan.rows += 1
        if date_at >= 0 and len(scan.dates) < MOST_REMEMBERED:
            scan.dates.add(cells[date_at][:10])
        if len(scan.numbers) < MOST_REMEMBERED:
            scan.numbers.update([cells[i] for i in number_at])
        if document_at >= 0 and prefix and cells[document_at].startswith(prefix):
            scan.prefixed += 1
        if scan.rows % CHUNK_ROWS == 0:
            progress(0, 0, "")
    if scan.rows == 0:
        raise ImportRefused("header_only")
    return scan


@dataclass
class _Steps:
    progress: Progress
    total: int
    options: ImportOptions


def _read_and_write(
    table: Table, reader: LineReader, writer: SalesWriter, report: ImportReport, steps: _Steps
) -> None:
    chunk: list[NumberedLine] = []
    for number, line in _lines(table, reader, report):
        chunk.append((number, line))
        if len(chunk) >= CHUNK_ROWS:
            _write_unless_doomed(writer, chunk, report, steps)
            chunk = []
    _write_unless_doomed(writer, chunk, report, steps)


def _write_unless_doomed(
    writer: SalesWriter, chunk: list[NumberedLine], report: ImportReport, steps: _Steps
) -> None:
    # once a row is wrong an all-or-nothing import will not be kept: the rest is only checked
    if steps.options.skip_bad_rows or not report.bad_rows:
        writer.write(chunk)
    steps.progress(report.rows_read, steps.total, "")


def _lines(
    table: Table, reader: LineReader, report: ImportReport
) -> Iterator[tuple[int, SaleLine]]:
    width = len(table.header)
    for number, cells in table.rows():
        report.rows_read += 1
        try:
            if len(cells) > width and any(cells[width:]):
                raise BadValue("too_many_cells", "row", "")  # noqa: TRY301  counted like any other
            line = reader.read(cells)
        except BadValue as bad:
            report.reject(RowError.of(number, bad))
            continue
        if isinstance(line, LeftOut):
            if line.reason == "not_goods":
                report.leave_out_code(line.sku, line.quantity, line.money)
            else:
                report.leave_out(line.reason, line.quantity, line.money)
        else:
            yield number, line


def _known_skus() -> frozenset[str]:
    return frozenset(sku.upper() for sku in Product.objects.values_list("sku", flat=True))


def _refuse_without_goods(report: ImportReport) -> None:
    """Refuse a file of which no row is goods: the rule that tells them is not made for it."""
    not_goods = report.left_out.get("not_goods")
    if not_goods is not None and not_goods.rows == report.rows_read - report.bad_rows:
        codes = ", ".join(list(report.codes)[:5])
        raise ImportRefused("no_goods", rows=not_goods.rows, codes=codes)


def _latest_day() -> date:
    # a day of grace: somewhere it is tomorrow already
    return (timezone.now() + timedelta(days=1)).date()


def _form(table: Table, columns: dict[str, int]) -> dict[str, str]:
    used = {name: table.header[i] for name, i in columns.items()}
    return {
        "form": table.form,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "columns": ", ".join(f"{name} = {column}" for name, column in used.items()),
    }
