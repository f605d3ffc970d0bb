"""What an import says at its end: read, imported, left out and why; the wrong rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _

from inventory.rules.importing.values import BadValue, neutralised, plain

Progress = Callable[[int, int, str], None]

REASONS: dict[str, Promise] = {
    "not_goods": _("Not goods: postage, fees, adjustments"),
    "cancellation": _("Cancellations that took back an earlier sale"),
    "unmatched_return": _("Returns without an earlier sale to take back"),
    "write_off": _("Write-offs: negative quantity at price zero"),
    "zero_price": _("Given away: price zero"),
    "negative_price": _("Negative price"),
    "zero_quantity": _("Quantity zero"),
    "already_imported": _("Already imported earlier"),
    "unchanged": _("Already as the file says"),
    "bad": _("Wrong rows, left out"),
}
PROBLEMS: dict[str, Promise] = {
    "missing": _("is empty."),
    "too_long": _("is too long."),
    "not_a_number": _("is not a number."),
    "number_absurd": _("is beyond 1,000,000,000: a slip of the keyboard?"),
    "negative": _("must not be negative."),
    "not_positive": _("must be greater than zero."),
    "not_whole": _("must be a whole number."),
    "too_many_days": _("is more than a hundred years."),
    "above_a_year": _("is more than a year."),
    "not_a_date": _("is not a date in the order the file uses; choose the date format."),
    "before_1990": _("is before 1990."),
    "in_the_future": _("lies in the future."),
    "unknown_warehouse": _("is not an active warehouse."),
    "unknown_location": _("is not a location of the warehouse."),
    "unknown_sku": _("is not a known SKU; create the product, or allow new products."),
    "unknown_channel": _("is not a known channel."),
    "unknown_segment": _("is not a known segment."),
    "too_many_cells": _("has more cells than the header: is a separator inside a text not quoted?"),
    "not_a_choice": _("is not one of the choices."),
    "not_an_email": _("is not an e-mail address."),
    "repeated": _("comes twice in the file."),
    "taken": _("belongs to another product."),
    "in_use": _("cannot be changed: stock of the product has moved."),
    "preferred_twice": _("already has a preferred supplier."),
    "lot_required": _("is empty, and the product is tracked by lot."),
    "lot_forbidden": _("names a lot, and the product is not tracked by lot."),
    "not_a_mode": _("is none of air, ocean, truck and charter."),
    "break_unreadable": _("is not a list like 100:2.50; 500:2.20."),
}
SHOWN_ERRORS = 20
SHOWN_CODES = 50
MOST_ERRORS_IN_FILE = 100_000


@dataclass
class Tally:
    """Rows, their units and their money."""

    rows: int = 0
    units: Decimal = Decimal(0)
    money: Decimal = Decimal(0)

    def add(self, units: Decimal = Decimal(0), money: Decimal = Decimal(0), rows: int = 1) -> None:
        """Count rows in."""
        self.rows += rows
        self.units += units
        self.money += money

    def as_json(self) -> dict[str, Any]:
        """Return the sums, numbers as text."""
        return {
            "rows": self.rows,
            "units": plain(self.units),
            "money": plain(self.money.quantize(Decimal("0.01"))),
        }


@dataclass(frozen=True)
class RowError:
    """A wrong row: its number as in a spreadsheet, the field, what stood there, the problem."""

    row: int
    field: str
    value: str
    problem: str

    @classmethod
    def of(cls, row: int, bad: BadValue) -> RowError:
        """Take a bad value as the error of a row."""
        return cls(row, bad.field, bad.value[:200], bad.problem)

    @property
    def message(self) -> str:
        """Return the error in words, e.g. *quantity 'x' is not a number.*"""
        shown = f"{self.field} '{self.value}'" if self.value else self.field
        return f"{shown} {PROBLEMS[self.problem]}"


@dataclass
class ImportReport:
    """Filled while an import runs."""

    kind: str
    file_name: str
    rows_read: int = 0
    imported: Tally = field(default_factory=Tally)
    taken_back: Tally = field(default_factory=Tally)
    left_out: dict[str, Tally] = field(default_factory=dict)
    codes: dict[str, Tally] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)
    form: dict[str, str] = field(default_factory=dict)
    first_day: str = ""
    last_day: str = ""
    seconds: float = 0.0
    earlier: dict[str, str] = field(default_factory=dict)
    bad_rows: int = 0

    def leave_out(
        self, reason: str, units: Decimal = Decimal(0), money: Decimal = Decimal(0)
    ) -> None:
        """Count a row that is understood and does not count."""
        self.left_out.setdefault(reason, Tally()).add(units, money)

    def leave_out_code(self, code: str, units: Decimal, money: Decimal) -> None:
        """Count a row of a code that is not goods."""
        self.leave_out("not_goods", units, money)
        self.codes.setdefault(code.upper(), Tally()).add(units, money)

    def reject(self, error: RowError) -> None:
        """Count a wrong row."""
        self.bad_rows += 1
        if len(self.errors) < MOST_ERRORS_IN_FILE:
            self.errors.append(error)

    def as_json(self) -> dict[str, Any]:
        """Return the report as stored with the file and as the job's result."""
        codes = sorted(self.codes.items(), key=lambda item: -item[1].rows)
        return {
            "kind": self.kind,
            "file_name": self.file_name,
            "rows_read": self.rows_read,
            "imported": self.imported.as_json(),
            "taken_back": self.taken_back.as_json(),
            "left_out": {reason: tally.as_json() for reason, tally in self.left_out.items()},
            "codes": {code: tally.as_json() for code, tally in codes[:SHOWN_CODES]},
            "created": self.created,
            "updated": self.updated,
            "bad_rows": self.bad_rows,
            "errors": [
                {"row": e.row, "field": e.field, "value": e.value, "problem": e.problem}
                for e in self.errors[:SHOWN_ERRORS]
            ],
            "form": self.form,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "seconds": round(self.seconds, 1),
            "earlier": self.earlier,
        }

    def errors_as_csv(self) -> bytes:
        """Return the wrong rows as CSV that no spreadsheet takes for formulas."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["row", "field", "value", "problem"])
        for error in self.errors:
            writer.writerow(
                [error.row, error.field, neutralised(error.value), str(PROBLEMS[error.problem])]
            )
        return out.getvalue().encode("utf-8-sig")


def reason_label(reason: str) -> str:
    """Return a reason in words."""
    return str(REASONS.get(reason, reason))


def problem_label(problem: str) -> str:
    """Return a problem of a row in words."""
    return str(PROBLEMS.get(problem, problem))


def earlier_message(report: Mapping[str, Any]) -> str:
    """Return the sentence for a file that was imported before, or an empty text."""
    earlier: Mapping[str, str] | None = report.get("earlier")
    if not earlier:
        return ""
    message = gettext("This file was already imported on %(on)s by %(by)s; nothing changed.")
    return message % earlier
