"""What the four import commands share: arguments, the run, and the report in words."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from inventory.rules.importing.sales import HAS_A_DIGIT
from inventory.services.importing import ImportOptions, ImportRefused, ImportRun, run_import
from inventory.services.importing.files import note_file
from inventory.services.importing.places import ensure_warehouse
from inventory.services.importing.reports import (
    ImportReport,
    earlier_message,
    reason_label,
)
from inventory.services.importing.running import TooManyBadRows
from tenancy.models import Tenant
from tenancy.queries.tenants import find_tenant
from tenancy.scope import Actor, tenant_scope


class ImportCommand(BaseCommand):
    """One command per kind of file."""

    kind: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments of every import; sales have more."""
        parser.add_argument("file", type=Path, help="CSV (also .gz) or XLSX")
        parser.add_argument("--tenant", required=True, help="the tenant's slug")
        parser.add_argument("--warehouse", default="", help="code of the warehouse of the rows")
        parser.add_argument(
            "--mapping", nargs="+", action="extend", default=[], metavar="COLUMN=FIELD",
            help="which column is which field, where the header does not say it",
        )  # fmt: skip
        parser.add_argument(
            "--skip-bad-rows", action="store_true", help="import without the wrong rows"
        )
        parser.add_argument(
            "--date-format", default="", help="dmy, mdy or a pattern like %%d.%%m.%%Y"
        )
        parser.add_argument("--decimal-mark", default="", choices=["", ".", ","])
        parser.add_argument(
            "--refuse-unknown-skus", action="store_true", help="do not create products"
        )
        parser.add_argument("--errors", type=Path, help="write the wrong rows to this CSV file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file and print what was read, imported, left out and why."""
        tenant = find_tenant(options["tenant"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']}.")
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        try:
            report = self._import(tenant, path, options)
        except TooManyBadRows as refusal:
            self._write_errors(refusal.report, options["errors"])
            self._say(error_lines(refusal.report))
            raise CommandError(str(refusal)) from refusal
        except ImportRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self._write_errors(report, options["errors"])
        self._say(report_lines(report.as_json(), tenant.currency))
        self._say(error_lines(report))

    def _import(self, tenant: Tenant, path: Path, options: dict[str, Any]) -> ImportReport:
        actor = Actor.system(f"manage.py import_{self.kind}")
        chosen = self.options(options)
        with tenant_scope(tenant, actor=actor):
            first = ensure_warehouse(self.kind, chosen)
            if first is not None:
                self.stdout.write(f"The tenant had no warehouse: created {first.code}.")
            file_id = note_file(kind=self.kind, path=path).pk
        return run_import(
            ImportRun(
                scope=lambda: tenant_scope(tenant, actor=actor),
                file_id=file_id,
                path=path,
                options=chosen,
                progress=self._progress,
            )
        )

    def options(self, given: dict[str, Any]) -> ImportOptions:
        """Return the import's options from the command line's."""
        mapping: dict[str, str] = {}
        for pair in given["mapping"]:
            column, equals, field = pair.rpartition("=")
            if not equals:
                raise CommandError(f"--mapping {pair}: write COLUMN=FIELD.")
            mapping[field] = column
        return ImportOptions(
            mapping=mapping,
            skip_bad_rows=given["skip_bad_rows"],
            date_format=given["date_format"],
            decimal_mark=given["decimal_mark"],
            warehouse=given["warehouse"],
            create_products=not given["refuse_unknown_skus"],
            channel=given.get("channel", ""),
            segment=given.get("segment", ""),
            goods_pattern=given.get("goods_pattern", HAS_A_DIGIT),
            more_charge_codes=tuple(given.get("charge_code", ())),
            cancellation_prefix=given.get("cancellation_prefix", "C"),
            cancel_same_price_only=given.get("cancel_same_price_only", False),
        )

    def _progress(self, done: int, total: int, message: str) -> None:
        if total and sys.stderr.isatty():
            self.stderr.write(f"\r{done:,} of {total:,} rows", ending="")

    def _say(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.stdout.write(line)

    def _write_errors(self, report: ImportReport, path: Path | None) -> None:
        if path is not None and report.errors:
            path.write_bytes(report.errors_as_csv())
            self.stdout.write(f"Wrong rows written to {path}.")


def report_lines(report: dict[str, Any], currency: str) -> Iterator[str]:
    """Yield a report as lines for a terminal."""
    if report["earlier"]:
        yield earlier_message(report)
        return
    yield from _head_lines(report)
    yield _line("rows read", report["rows_read"])
    yield _line("imported", **_of(report["imported"], currency))
    if report["taken_back"]["rows"]:
        yield _line("  of these taken back later", **_of(report["taken_back"], currency))
    for what in ("created", "updated"):
        for name, count in report[what].items():
            yield _line(f"{what} {name}", count)
    yield from _left_out_lines(report, currency)
    if not (report["imported"]["rows"] or report["created"] or report["updated"]):
        yield "Nothing changed."
    yield f"  {report['seconds']} seconds"


def _head_lines(report: dict[str, Any]) -> Iterator[str]:
    form = report["form"]
    spelled = [f"{n} {form[n]!r}" for n in ("encoding", "delimiter", "decimal_mark") if form.get(n)]
    if form.get("date_order"):
        spelled.append(f"dates {form['date_order']}")
    yield f"{report['file_name']}: {', '.join(spelled)}"
    yield f"  columns: {form.get('columns', '')}"
    if report["first_day"]:
        yield f"  days: {report['first_day']} .. {report['last_day']}"


def _left_out_lines(report: dict[str, Any], currency: str) -> Iterator[str]:
    if report["left_out"]:
        yield "left out:"
    for reason, tally in report["left_out"].items():
        yield _line(reason_label(reason), **_of(tally, currency))
        if reason == "not_goods":
            for code, of_code in list(report["codes"].items())[:15]:
                yield _line(f"    {code}", **_of(of_code, currency))


def error_lines(report: ImportReport) -> Iterator[str]:
    """Yield the first wrong rows as lines for a terminal."""
    for error in report.errors[:20]:
        yield f"  row {error.row}: {error.message}"
    if report.bad_rows > 20:
        yield f"  ... and {report.bad_rows - 20:,} more"


def _of(tally: dict[str, Any], currency: str) -> dict[str, Any]:
    return {"rows": tally["rows"], "units": tally["units"], "money": f"{tally['money']} {currency}"}


def _line(label: str, rows: int, units: str = "", money: str = "") -> str:
    tail = f"{units:>14} units  {money:>20}" if units else ""
    return f"  {label:<46}{rows:>10,}{tail}".rstrip()
