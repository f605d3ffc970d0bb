"""Signals from a CSV file, read by a job: all of it, or all but wrong rows named by number."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from forecasting.models import ExternalSignal, SignalKind
from forecasting.services.artefacts import tenant_folder
from forecasting.services.signals import DayValue, SignalFields, create_signal, write_values
from inventory.models import Category, Product, Warehouse
from inventory.queries.access import allowed_warehouses
from tenancy.errors import Invalid, Problem
from tenancy.models import Job
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope
from tenancy.services import audit
from tenancy.services.jobs import JobCancelled, JobFailed, JobRun, enqueue_job

COLUMNS = ("name", "kind", "day", "value", "known_ahead", "sku", "category", "warehouse")
NEEDED = ("name", "day", "value")
KIND = "import_signals"
MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 500_000
MOST_PROBLEMS = 20
MOST_TOLD = 5
WATCHED_ROWS = 500
YES = {"1", "yes", "true", "y"}
NO = {"", "0", "no", "false", "n"}


@dataclass(frozen=True)
class SignalImport:
    """What a file brought; bad_rows were left out, the first of them told in problems."""

    signals_created: int
    values_set: int
    bad_rows: int = 0
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"problems": list(self.problems)}


@dataclass(frozen=True)
class _Row:
    fields: SignalFields
    value: DayValue


@dataclass(frozen=True)
class _Read:
    rows: list[_Row]
    problems: list[Problem]
    bad: int


def request_signal_import(*, data: bytes, skip_bad_rows: bool = False) -> Job:
    """Keep a CSV file and queue its import; its columns are looked at now, its rows by the job.

    Columns: name, day, value; optional kind, known_ahead, sku, category, warehouse (its code). An
    empty value takes the day's value away; empty kind and known_ahead are those of the name.
    Without `skip_bad_rows` one wrong row refuses the whole file. Raises ``PermissionRefused`` and
    ``Invalid``.
    """
    require(Permission.PLAN)
    _open(data)
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
            scopes = _Scopes(None if allowed is None else frozenset(allowed))
        read = _rows(_open(data), scopes, watch, skip_bad_rows=bool(run.payload["skip_bad_rows"]))
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


def _save_or_fail(read: _Read) -> SignalImport:
    try:
        return _save(read)
    except Invalid as refusal:  # somebody made a signal since the rows were read
        raise JobFailed(_told(refusal)) from refusal


def _told(refusal: Invalid) -> str:
    texts = [str(problem.message) for problem in refusal.problems]
    shown = "\n".join(texts[:MOST_TOLD])
    if len(texts) > MOST_TOLD:
        return _("%(shown)s\nand more. Nothing was imported.") % {"shown": shown}
    return _("%(shown)s\nNothing was imported.") % {"shown": shown}


def import_signals(*, data: bytes, skip_bad_rows: bool = False) -> SignalImport:
    """Read signals and their values from a CSV file at once, without a job.

    Raises ``PermissionRefused`` and ``Invalid``.
    """
    require(Permission.PLAN)
    scopes = _Scopes(allowed_warehouses())
    return _save(_rows(_open(data), scopes, lambda _number: None, skip_bad_rows=skip_bad_rows))


def _save(read: _Read) -> SignalImport:
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


def _open(data: bytes) -> csv.DictReader[str]:
    if len(data) > MOST_BYTES:
        raise _refused("too_large", _("The file is larger than 20 MB. Split it."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = _("The file is not written in UTF-8. Save it as CSV in UTF-8.")
        raise _refused("encoding", text) from error
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ","
    )
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    missing = [name for name in NEEDED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown:
        raise _refused(
            "columns",
            _("The columns are %(columns)s; missing: %(missing)s; unknown: %(unknown)s.")
            % {
                "columns": ", ".join(COLUMNS),
                "missing": ", ".join(missing) or "-",
                "unknown": ", ".join(unknown) or "-",
            },
        )
    reader.fieldnames = names
    return reader


def _refused(code: str, text: str) -> Invalid:
    return Invalid.field("file", code, text)


def _rows(
    reader: csv.DictReader[str],
    scopes: _Scopes,
    watch: Callable[[int], None],
    *,
    skip_bad_rows: bool,
) -> _Read:
    """Return the rows of a file; refuse it for wrong ones, unless they are to be left out."""
    found: list[_Row] = []
    problems: list[Problem] = []
    bad = 0
    for number, cells in enumerate(reader, start=2):
        watch(number)
        if number > MOST_ROWS + 1:
            raise _refused("too_many", _("The file has more than 500,000 rows. Split it."))
        row = {name: (cells.get(name) or "").strip() for name in COLUMNS}
        try:
            found.append(_row(row, scopes))
        except ValueError as error:
            bad += 1
            text = _("Row %(number)d: %(problem)s") % {"number": number, "problem": error}
            if len(problems) < MOST_PROBLEMS:
                problems.append(Problem("file", "row", text, line=number))
            elif not skip_bad_rows:
                break
    if problems and not skip_bad_rows:
        raise Invalid(problems)
    if not found:
        raise Invalid(problems) if problems else _refused("empty", _("The file has no rows."))
    return _Read(found, problems, bad)


class _Scopes:
    """Products, categories, warehouses and signals by the names a file knows them by."""

    def __init__(self, allowed: frozenset[int] | None) -> None:
        self.allowed = allowed
        self.products = dict(Product.objects.order_by().values_list("sku", "id"))
        self.categories = dict(Category.objects.order_by("id").values_list("name", "id"))
        self.warehouses = dict(Warehouse.objects.order_by().values_list("code", "id"))
        signals = ExternalSignal.objects.order_by("-id")  # the first of a name counts
        self.signals = {one.name: (one.kind, one.is_known_ahead) for one in signals}

    @staticmethod
    def find(known: dict[str, int], name: str, what: str) -> int | None:
        """Return the id; None for an empty cell. Raises ``ValueError`` in words."""
        if not name:
            return None
        if name not in known:
            raise ValueError(_("%(what)s “%(name)s” is unknown") % {"what": what, "name": name})
        return known[name]


def _row(row: dict[str, str], scopes: _Scopes) -> _Row:
    known = scopes.signals.get(row["name"])
    kind = row["kind"].lower() or (known[0] if known else SignalKind.OTHER)
    if not row["name"] or len(row["name"]) > 80:
        raise ValueError(_("the name is missing or longer than 80 characters"))
    if kind not in SignalKind.values:
        raise ValueError(
            _("kind “%(kind)s” is none of %(kinds)s")
            % {"kind": kind, "kinds": ", ".join(SignalKind.values)}
        )
    ahead = row["known_ahead"].lower()
    if ahead not in YES | NO:
        raise ValueError(_("known_ahead is neither yes nor no"))
    is_known_ahead = known[1] if known and not ahead else ahead in YES
    _check_like_others(row["name"], (str(kind), is_known_ahead), known)
    warehouse = scopes.find(scopes.warehouses, row["warehouse"], _("warehouse"))
    if warehouse is not None and scopes.allowed is not None and warehouse not in scopes.allowed:
        text = _("%(what)s “%(name)s” is unknown")  # as if it were not there
        raise ValueError(text % {"what": _("warehouse"), "name": row["warehouse"]})
    fields = SignalFields(
        name=row["name"],
        kind=str(kind),
        is_known_ahead=is_known_ahead,
        product_id=scopes.find(scopes.products, row["sku"], _("product")),
        category_id=scopes.find(scopes.categories, row["category"], _("category")),
        warehouse_id=warehouse,
    )
    found = _Row(fields, DayValue(_day(row["day"]), _value(row["value"])))
    scopes.signals.setdefault(fields.name, (fields.kind, fields.is_known_ahead))
    return found


def _check_like_others(name: str, said: tuple[str, bool], known: tuple[str, bool] | None) -> None:
    """Refuse a row that says otherwise than the signals of its name, or the rows before it."""
    if known is None or said == known:
        return
    if said[0] != known[0]:
        text = _("“%(name)s” is of kind %(kind)s; write that, leave kind empty, or rename it")
        raise ValueError(text % {"name": name, "kind": known[0]})
    text = _("“%(name)s” has known_ahead %(ahead)s; write that, leave it empty, or rename it")
    raise ValueError(text % {"name": name, "ahead": _("yes") if known[1] else _("no")})


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_("“%(text)s” is not a day; write 2026-05-03") % {"text": text}) from error
    if not 2000 <= found.year < 2100:
        raise ValueError(_("“%(text)s” is out of range") % {"text": text})
    return found


def _value(text: str) -> float | None:
    if not text:
        return None
    try:
        found = float(text)
    except ValueError as error:
        raise ValueError(_("“%(text)s” is not a number; write 12.5") % {"text": text}) from error
    if not abs(found) <= 1e12:
        raise ValueError(_("“%(text)s” is not a number that can be used") % {"text": text})
    return found
