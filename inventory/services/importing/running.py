"""Run an import from its start to its report. One transaction holds everything it changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils import timezone

from inventory.models import ImportedFile
from inventory.services.importing import files
from inventory.services.importing.errors import ImportRefused
from inventory.services.importing.options import ImportOptions, resolve_columns
from inventory.services.importing.places import ensure_warehouse
from inventory.services.importing.products import import_products
from inventory.services.importing.reading import open_table
from inventory.services.importing.reports import ImportReport, Progress, RowError, Tally
from inventory.services.importing.sales import import_sales
from inventory.services.importing.stock import import_stock
from inventory.services.importing.suppliers import import_suppliers
from tenancy.models import Job, JobState
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import enqueue_job

Importer = Callable[..., ImportReport]
IMPORTERS: dict[str, Importer] = {
    "sales": import_sales,
    "products": import_products,
    "suppliers": import_suppliers,
    "stock": import_stock,
}


class TooManyBadRows(ImportRefused):
    """An all-or-nothing import found wrong rows; ``report`` names them."""

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        first: RowError = report.errors[0]
        super().__init__(
            "bad_rows",
            bad=report.bad_rows,
            rows=report.rows_read,
            row=first.row,
            first=first.message,
        )


def start_import(*, file_id: int, options: ImportOptions) -> Job:
    """Queue the import of an uploaded file; asked twice, the job that is open is returned.

    Raises ``ImportRefused`` when the file or the choices cannot work.
    """
    require(Permission.IMPORT)
    record = ImportedFile.objects.select_for_update().get(pk=file_id)
    if record.job_id is not None:
        known: Job = Job.objects.get(pk=record.job_id)
        if known.state in JobState.open() or record.completed_at is not None:
            return known
    with files.stored_upload(record) as path:
        resolve_columns(record.kind, open_table(path), options)
    options.check_date_format()
    options.goods_rule()
    ensure_warehouse(record.kind, options)
    job = enqueue_job(kind=f"import_{record.kind}", payload={"file_id": record.pk})
    record.job = job
    record.options = options.as_json()
    record.report = {}
    record.save()
    audit.record("import.started", record, kind=record.kind, job=job.pk)
    return job


@dataclass(frozen=True)
class ImportRun:
    """An import about to run. ``scope`` opens a transaction of the tenant."""

    scope: Callable[[], AbstractContextManager[Any]]
    file_id: int
    path: Path
    options: ImportOptions
    progress: Progress
    before_commit: Callable[[ImportReport], None] | None = None


def run_import(run: ImportRun) -> ImportReport:
    """Import a recorded file and return what became of it; nothing is kept of an import that fails.

    Raises ``ImportRefused``, also stored with the file, and whatever ``progress`` raises.
    """
    began = time.monotonic()
    try:
        with run.scope():
            record = ImportedFile.objects.get(pk=run.file_id)
            report = _import(record, run)
            report.seconds = time.monotonic() - began
            _complete(record, run.options, report)
            if run.before_commit is not None:
                run.before_commit(report)
    except ImportRefused as refusal:
        with run.scope():
            _note_refusal(ImportedFile.objects.get(pk=run.file_id), run.options, refusal)
        raise
    return report


def _import(record: ImportedFile, run: ImportRun) -> ImportReport:
    earlier = files.find_earlier(record, run.options)
    if earlier is not None:
        facts = files.earlier_facts(earlier)
        return ImportReport(kind=record.kind, file_name=record.file_name, earlier=facts)
    report = IMPORTERS[record.kind](
        path=run.path, record=record, options=run.options, progress=run.progress
    )
    if report.bad_rows and not run.options.skip_bad_rows:
        raise TooManyBadRows(report)
    return report


def _complete(record: ImportedFile, options: ImportOptions, report: ImportReport) -> None:
    if report.bad_rows:
        report.left_out["bad"] = Tally(rows=report.bad_rows)
    files.save_errors(record, report)
    record.options = options.as_json()
    record.report = report.as_json()
    # a file that was there before is not counted as imported again
    record.completed_at = None if report.earlier else timezone.now()
    record.save()
    audit.record("import.completed", record, kind=record.kind, rows=report.imported.rows)


def _note_refusal(record: ImportedFile, options: ImportOptions, refusal: ImportRefused) -> None:
    record.options = options.as_json()
    record.report = {"refused": str(refusal), "code": refusal.code}
    if isinstance(refusal, TooManyBadRows):
        files.save_errors(record, refusal.report)
        record.report = refusal.report.as_json() | record.report
    record.save()
    audit.record("import.refused", record, kind=record.kind, code=refusal.code)
