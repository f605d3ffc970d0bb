"""The filters of a report as a form: the fields that its declaration names, in its order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import MovementReason
from inventory.pages.fields import number_field
from inventory.queries.catalog import categories
from inventory.queries.places import warehouses
from inventory.queries.reports.asking import Question, ask
from inventory.queries.reports.declaring import Report
from inventory.queries.suppliers import suppliers
from inventory.rules.abc_xyz import ABC_CLASSES, DEFAULT_CUTS, XYZ_CLASSES
from tenancy.errors import Invalid
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import put_refusal

DAY_WIDGET = {"type": "date"}
WITHIN = (-1, 7, 30, 91, 182, 365)
PERIODS = (7, 28, 91, 365)
CUT_LABELS = {
    "a_to": gettext_lazy("A up to %"),
    "b_to": gettext_lazy("B up to %"),
    "x_to": gettext_lazy("X up to"),
    "y_to": gettext_lazy("Y up to"),
}


class ReportFilters(forms.Form):
    """Only the fields the report asks for; ``question`` after ``is_valid``."""

    question: Question | None = None

    def __init__(self, data: QueryDict, *, report: Report) -> None:
        usual = _usual_period(report)
        unsaid = not data.get("from") and not data.get("to")
        super().__init__({**data.dict(), **usual} if unsaid else data, initial=usual)
        self.report = report
        self.given = data
        for name in report.filters:
            for field_name, field in _fields(name, report).items():
                self.fields[field_name] = field
        if "warehouse" in self.fields:
            known = [(str(w.pk), w.name) for w in warehouses()]
            offer(self, "warehouse", _("All warehouses"), known)
        if "category" in self.fields:
            known = [(str(c.pk), c.name) for c in categories()]
            offer(self, "category", _("All categories"), known)
        if "supplier" in self.fields:
            sellers = [(str(s.pk), s.name) for s in suppliers()]
            offer(self, "supplier", _("All suppliers"), sellers)

    def clean(self) -> dict[str, Any]:
        """Put the question; what it refuses stands at its field."""
        chosen: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                self.question = ask(chosen, default_days=self.report.default_days)
            except Invalid as refusal:
                put_refusal(self, refusal)
        return chosen

    @property
    def is_filtered(self) -> bool:
        """Tell whether anything beside the view was chosen."""
        return any(self.given.get(name) for name in self.fields if name != "by")


def _usual_period(report: Report) -> dict[str, date]:
    """Return the usual period, for the page to say which days it is about."""
    if "period" not in report.filters:
        return {}
    question = ask({}, default_days=report.default_days)
    return {"from": question.first, "to": question.last}


def _fields(name: str, report: Report) -> dict[str, forms.Field]:
    """Return the form fields of a filter; a period has two."""
    if name == "period":
        return {"from": _day(gettext_lazy("From")), "to": _day(gettext_lazy("To"))}
    if name == "by":
        return {"by": _choice(gettext_lazy("Rows"), report.by)}
    if name in CUT_LABELS:
        return {name: _cut(name)}
    return {name: MAKERS[name]()}


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=choices)


def _number(label: Any, choices: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, required=False, choices=choices, coerce=int, empty_value=None
    )


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs=DAY_WIDGET)
    )


def _cut(name: str) -> forms.DecimalField:
    usual = DEFAULT_CUTS.as_arguments()[name]
    attrs = {"inputmode": "decimal", "placeholder": f"{usual.normalize():f}", "size": 4}
    return number_field(
        CUT_LABELS[name],
        required=False,
        max_digits=8,
        decimal_places=4,
        widget=forms.TextInput(attrs=attrs),
    )


def _within() -> forms.TypedChoiceField:
    words = {-1: gettext_lazy("Expired")}
    named = [
        (days, words.get(days, _("Up to %(days)d days left") % {"days": days})) for days in WITHIN
    ]
    return _number(gettext_lazy("Days left"), [("", gettext_lazy("Any days left")), *named])


def _actor() -> forms.CharField:
    widget = forms.TextInput(attrs={"placeholder": gettext_lazy("Name or address")})
    return forms.CharField(label=gettext_lazy("By"), required=False, max_length=100, widget=widget)


def _classes(name: str, nothing: Any, classes: tuple[str, ...]) -> forms.ChoiceField:
    return _choice(name, [("", nothing), *((letter, letter) for letter in classes)])


MAKERS: dict[str, Callable[[], forms.Field]] = {
    "q": lambda: search_field(gettext_lazy("SKU or name")),
    "warehouse": lambda: row_field(gettext_lazy("Warehouse")),
    "category": lambda: row_field(gettext_lazy("Category")),
    "supplier": lambda: row_field(gettext_lazy("Supplier")),
    "on": lambda: _day(gettext_lazy("At the end of")),
    "reason": lambda: _number(
        gettext_lazy("Reason"), [("", gettext_lazy("All reasons")), *MovementReason.choices]
    ),
    "within": _within,
    "actor": _actor,
    "abc": lambda: _classes("ABC", gettext_lazy("A, B and C"), ABC_CLASSES),
    "xyz": lambda: _classes("XYZ", gettext_lazy("X, Y and Z"), XYZ_CLASSES),
}


def usual_periods(question: Question) -> list[dict[str, Any]]:
    """Return the periods one click away: they end today."""
    labels = {7: _("7 days"), 28: _("4 weeks"), 91: _("13 weeks"), 365: _("1 year")}
    starts: dict[int, date] = {n: question.today - timedelta(days=n - 1) for n in PERIODS}
    return [
        {
            "label": labels[days],
            "first": first.isoformat(),
            "last": question.today.isoformat(),
            "is_current": (question.first, question.last) == (first, question.today),
        }
        for days, first in starts.items()
    ]
