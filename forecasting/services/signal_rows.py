"""What a CSV file of signals says: its columns and rows, each wrong one named by its number."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from forecasting.models import ExternalSignal, SignalKind
from forecasting.services.signals import EARLIEST, LARGEST, LATEST, DayValue, SignalFields
from forecasting.services.wrong_rows import MOST_TOLD, more_wrong
from inventory.models import Category, Product, Warehouse
from tenancy.errors import Invalid, Problem

COLUMNS = ("name", "kind", "day", "value", "known_ahead", "sku", "category", "warehouse")
NEEDED = ("name", "day", "value")
MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 500_000
YES = {"1", "yes", "true", "y"}
NO = {"", "0", "no", "false", "n"}


@dataclass(frozen=True)
class SignalRow:
    """One row: a signal and what it says of a day."""

    fields: SignalFields
    value: DayValue


@dataclass(frozen=True)
class SignalRows:
    """The usable rows of a file, the first problems in words, and how many rows were wrong."""

    rows: list[SignalRow]
    problems: list[Problem]
    bad: int


def open_signal_file(data: bytes) -> csv.DictReader[str]:
    """Return a reader of the rows of a CSV file with known columns. Raises ``Invalid``."""
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


def read_signal_rows(
    reader: csv.DictReader[str],
    scopes: Scopes,
    watch: Callable[[int], None],
    *,
    skip_bad_rows: bool,
) -> SignalRows:
    """Return the rows of a file, and tell `watch` the number of each before it is read.

    Raises ``Invalid`` for wrong rows, unless they are to be left out, and for a file without any.
    """
    found: list[SignalRow] = []
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
            if len(problems) < MOST_TOLD:
                problems.append(Problem("file", "row", text, line=number))
    if bad and not (skip_bad_rows and found):
        more = bad - len(problems)
        rest = [Problem("file", "more", more_wrong(more))] if more else []
        raise Invalid([*problems, *rest])
    if not found:
        raise _refused("empty", _("The file has no rows."))
    return SignalRows(found, problems, bad)


class Scopes:
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


def _row(row: dict[str, str], scopes: Scopes) -> SignalRow:
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
    found = SignalRow(fields, DayValue(_day(row["day"]), _value(row["value"])))
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
    if not EARLIEST <= found <= LATEST:
        raise ValueError(
            _("“%(text)s” is out of range; write a day from %(first)d to %(last)d")
            % {"text": text, "first": EARLIEST.year, "last": LATEST.year}
        )
    return found


def _value(text: str) -> float | None:
    if not text:
        return None
    try:
        found = float(text)
    except ValueError as error:
        raise ValueError(_("“%(text)s” is not a number; write 12.5") % {"text": text}) from error
    if not abs(found) <= LARGEST:
        raise ValueError(
            _("“%(text)s” cannot be used; write a number from -%(most)s to %(most)s")
            % {"text": text, "most": f"{LARGEST:,.0f}"}
        )
    return found
