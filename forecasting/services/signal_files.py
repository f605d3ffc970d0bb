"""Signals from a CSV file: all of it or nothing, each wrong row with its number."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from forecasting.models import ExternalSignal, SignalKind
from forecasting.services.signals import DayValue, SignalFields, create_signal, write_values
from inventory.models import Category, Product, Warehouse
from inventory.queries.access import require_warehouse
from tenancy.errors import Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit

COLUMNS = ("name", "kind", "day", "value", "known_ahead", "sku", "category", "warehouse")
NEEDED = ("name", "day", "value")
MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 20_000
MOST_PROBLEMS = 20
YES = {"1", "yes", "true", "y"}
NO = {"", "0", "no", "false", "n"}


@dataclass(frozen=True)
class SignalImport:
    """What a file brought."""

    signals_created: int
    values_set: int


@dataclass(frozen=True)
class _Row:
    fields: SignalFields
    value: DayValue


def import_signals(*, data: bytes) -> SignalImport:
    """Read signals and their values from a CSV file; a wrong row refuses the whole file.

    Columns: name, day, value; optional kind, known_ahead, sku, category, warehouse (its code). An
    empty value takes the day's value away. Raises ``PermissionRefused`` and ``Invalid``.
    """
    require(Permission.PLAN)
    rows = _read(data)
    known = {
        (one.name, one.product_id, one.category_id, one.warehouse_id): one.pk
        for one in ExternalSignal.objects.all()
    }
    created = 0
    values: list[tuple[int, DayValue]] = []
    for row in rows:
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
    return SignalImport(created, len(values))


def _read(data: bytes) -> list[_Row]:
    if len(data) > MOST_BYTES:
        raise _refused("too_large", _("The file is larger than 2 MB. Split it."))
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
    return _rows(reader)


def _refused(code: str, text: str) -> Invalid:
    return Invalid.field("file", code, text)


def _rows(reader: csv.DictReader[str]) -> list[_Row]:
    scopes = _Scopes()
    found: list[_Row] = []
    problems: list[Problem] = []
    for number, cells in enumerate(reader, start=2):
        if number > MOST_ROWS + 1:
            raise _refused("too_many", _("The file has more than 20,000 rows. Split it."))
        row = {name: (cells.get(name) or "").strip() for name in COLUMNS}
        try:
            found.append(_row(row, scopes))
        except ValueError as error:
            text = _("Row %(number)d: %(problem)s") % {"number": number, "problem": error}
            problems.append(Problem("file", "row", text, line=number))
            if len(problems) >= MOST_PROBLEMS:
                break
    if problems:
        raise Invalid(problems)
    if not found:
        raise _refused("empty", _("The file has no rows."))
    return found


class _Scopes:
    """Products, categories and warehouses by the names a file knows them by."""

    def __init__(self) -> None:
        self.products = dict(Product.objects.order_by().values_list("sku", "id"))
        self.categories = dict(Category.objects.order_by("id").values_list("name", "id"))
        self.warehouses = dict(Warehouse.objects.order_by().values_list("code", "id"))

    @staticmethod
    def find(known: dict[str, int], name: str, what: str) -> int | None:
        """Return the id; None for an empty cell. Raises ``ValueError`` in words."""
        if not name:
            return None
        if name not in known:
            raise ValueError(_("%(what)s “%(name)s” is unknown") % {"what": what, "name": name})
        return known[name]


def _row(row: dict[str, str], scopes: _Scopes) -> _Row:
    kind = row["kind"].lower() or SignalKind.OTHER
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
    warehouse = scopes.find(scopes.warehouses, row["warehouse"], _("warehouse"))
    if warehouse is not None:
        require_warehouse(warehouse)
    fields = SignalFields(
        name=row["name"],
        kind=str(kind),
        is_known_ahead=ahead in YES,
        product_id=scopes.find(scopes.products, row["sku"], _("product")),
        category_id=scopes.find(scopes.categories, row["category"], _("category")),
        warehouse_id=warehouse,
    )
    return _Row(fields, DayValue(_day(row["day"]), _value(row["value"])))


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
