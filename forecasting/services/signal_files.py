"""Signals from a CSV file, imported by a job: all of it, or all but its wrong rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from forecasting.models import ExternalSignal
from forecasting.services.artefacts import tenant_folder
from forecasting.services.signal_rows import (
    Scopes,
    SignalRows,
    open_signal_file,
    read_signal_rows,
)
from forecasting.services.signals import DayValue, create_signal, write_values
from inventory.queries.access import allowed_warehouses
from tenancy.errors import Invalid
from tenancy.models import Job
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope
from tenancy.services import audit
from tenancy.services.jobs import JobCancelled, JobFailed, JobRun, enqueue_job

KIND = "import_signals"
WATCHED_ROWS = 500


@dataclass(frozen=True)
class SignalImport:
    """What a file brought; bad_rows were left out, the first of them told in problems."""

    signals_created: int
    values_set: int
    bad_rows: int = 0
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"problems": list(self.problems)}


def request_signal_import(*, data: bytes, skip_bad_rows: bool = False) -> Job:
    """Keep a CSV file and queue its import; its columns are looked at now, its rows by the job.

    Columns: name, day, value; optional kind, known_ahead, sku, category, warehouse (its code). An
    empty value takes the day's value away; empty kind and known_ahead are those of the name.
    Without `skip_bad_rows` one wrong row refuses the whole file. Raises ``PermissionRefused`` and
    ``Invalid``.
    """
    require(Permission.PLAN)
    open_signal_file(data)
    tenant = active_scope().tenant
    folder = f"{tenant_folder(tenant)}/signals"
    path = default_storage.save(f"{folder}/{uuid4().hex}.csv", ContentFile(data))
    allowed = allowed_warehouses()
    job = enqueue_job(
        kind=KIND,
        payload={
            "path": path,
            "skip_bad_rows": skip_bad_rows,
            "warehouses": None if allowed is None else sorted(allowed),
        },
    )
    audit.record("signals.import_requested", job, bytes=len(data))
    return job


def run_signal_import(run: JobRun) -> dict[str, Any]:
    """Import the file of a job: all of it, or all but its wrong rows; cancelled, none of it.

    Raises ``JobFailed`` with the numbers of the first wrong rows.
    """
    path = str(run.payload["path"])
    if not path.startswith(f"{tenant_folder(run.tenant)}/signals/"):
        raise JobFailed(_("The uploaded file is gone. Upload it again."))
    try:
        with default_storage.open(path) as stored:
            data = stored.read()
    except FileNotFoundError as error:
        raise JobFailed(_("The uploaded file is gone. Upload it again.")) from error
    allowed = run.payload["warehouses"]
    total = max(data.count(b"\n"), 1)

    def watch(number: int) -> None:
        if number % WATCHED_ROWS == 0:
            run.progress(min(number, total - 1), total, _("Row %(number)d") % {"number": number})

    try:
        with run.scope():
            scopes = Scopes(None if allowed is None else frozenset(allowed))
        read = read_signal_rows(
            open_signal_file(data), scopes, watch, skip_bad_rows=bool(run.payload["skip_bad_rows"])
        )
    except JobCancelled:
        default_storage.delete(path)
        raise
    except Invalid as refusal:
        default_storage.delete(path)
        raise JobFailed(_told(refusal)) from refusal
    run.progress(total - 1, total, _("Writing values"))
    with run.publishing():
        result = _save_or_fail(read).to_json()
        run.finish(result)
    default_storage.delete(path)
    return result


def _save_or_fail(read: SignalRows) -> SignalImport:
    try:
        return _save(read)
    except Invalid as refusal:  # somebody made a signal since the rows were read
        raise JobFailed(_told(refusal)) from refusal


def _told(refusal: Invalid) -> str:
    shown = "\n".join(str(problem.message) for problem in refusal.problems)
    return _("%(shown)s\nNothing was imported.") % {"shown": shown}


def _save(read: SignalRows) -> SignalImport:
    known = {
        (one.name, one.product_id, one.category_id, one.warehouse_id): one.pk
        for one in ExternalSignal.objects.all()
    }
    created = 0
    values: list[tuple[int, DayValue]] = []
    for row in read.rows:
        fields = row.fields
        key = (fields.name, fields.product_id, fields.category_id, fields.warehouse_id)
        if key not in known:
            known[key] = create_signal(fields=fields).pk
            created += 1
        values.append((known[key], row.value))
    write_values(values)
    days = Counter(signal for signal, _value in values)
    touched = ExternalSignal.objects.in_bulk(days)
    audit.record_each(
        "signal.imported", [(touched[pk], {"days": count}) for pk, count in sorted(days.items())]
    )
    problems = tuple(str(problem.message) for problem in read.problems)
    return SignalImport(created, len(values), read.bad, problems)
