"""Every report as an endpoint, drawn from its declaration: its filters, and its rows with types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import IntegerChoices
from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import MovementReason
from inventory.queries.reports import REPORTS
from inventory.queries.reports.asking import ask
from inventory.queries.reports.declaring import Column, Kind, Report, Row
from inventory.queries.reports.running import report_page
from inventory.rules.abc_xyz import ABC_CLASSES, XYZ_CLASSES
from tenancy.api.endpoints import Endpoint, reading
from tenancy.api.fields import ExactField, ReasonField, Shown
from tenancy.api.parameters import Filter, date_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission
from tenancy.queries.keyset import LARGEST_PAGE, PAGE_SIZE

Field = serializers.Field[Any, Any, Any, Any]
LAST_OFFSET = 99_999_999
ASKED_AS = {"warehouse_id": "warehouse", "category_id": "category", "supplier_id": "supplier"}
"""Names of the API for what a question calls otherwise."""


@dataclass(frozen=True)
class ReportTable:
    """A page of a report; ``next`` is the address of the following one, ``total`` counts all."""

    items: list[dict[str, Any]]
    next: str | None
    total: int


class AmountField(ExactField):
    """A number that was summed or divided: as text, to a millionth."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=38, **options)


def _field(column: Column) -> Field:
    """Return how a column is shown and described."""
    options: dict[str, Any] = {"allow_null": column.is_optional, "help_text": str(column.label)}
    if column.kind == Kind.CHOICE and column.choices is not None:
        if issubclass(column.choices, IntegerChoices):
            return ReasonField(choices=list(column.choices), **options)
        return serializers.ChoiceField(choices=column.choices.choices, **options)  # type: ignore[attr-defined]
    makers: dict[Kind, type[Field]] = {
        Kind.ID: serializers.IntegerField,
        Kind.COUNT: serializers.IntegerField,
        Kind.DAY: serializers.DateField,
        Kind.MOMENT: serializers.DateTimeField,
    }
    maker = AmountField if column.kind.is_number else serializers.CharField
    return makers.get(column.kind, maker)(**options)


def _parameters(report: Report) -> dict[str, Filter]:
    """Return the report's filters as query parameters."""
    found: dict[str, Filter] = {}
    for name in report.filters:
        found |= _parameter(name, report)
    return found | {
        "limit": Filter(
            serializers.IntegerField(min_value=1, max_value=LARGEST_PAGE), help="Items a page."
        ),
        "cursor": Filter(
            serializers.IntegerField(min_value=0, max_value=LAST_OFFSET),
            help="From the last page's next.",
        ),
    }


def _parameter(name: str, report: Report) -> dict[str, Filter]:
    if name in ASKED_AS.values():
        return {f"{name}_id": id_filter()}
    if name == "period":
        return {
            "from": date_filter(help="First business day."),
            "to": date_filter(help="Last business day; today if not given."),
        }
    if name == "by":
        words = [word for word, _label in report.by if word]
        return {"by": Filter(serializers.ChoiceField(choices=words), help="What a row is.")}
    return {name: SIMPLE[name]}


def _cut(text: str) -> Filter:
    return Filter(serializers.DecimalField(max_digits=8, decimal_places=4), help=text)


SIMPLE = {
    "q": text_filter(help="Start of a SKU or part of a name."),
    "on": date_filter(help="Stock at the end of that day."),
    "reason": Filter(ReasonField(choices=list(MovementReason))),
    "actor": text_filter(help="Part of the name of who moved it."),
    "within": Filter(
        serializers.IntegerField(min_value=-36500, max_value=36500), help="At most so many days."
    ),
    "abc": Filter(serializers.ChoiceField(choices=ABC_CLASSES)),
    "xyz": Filter(serializers.ChoiceField(choices=XYZ_CLASSES)),
    "a_to": _cut("A up to so many percent of the value."),
    "b_to": _cut("B up to so many percent of the value."),
    "x_to": _cut("X up to this variation."),
    "y_to": _cut("Y up to this variation."),
}


def _table(report: Report, request: Request, asked: dict[str, Any]) -> ReportTable:
    values = {ASKED_AS.get(name, name): value for name, value in asked.items()}
    question = ask(values, default_days=report.default_days)
    page = report_page(
        report,
        question,
        offset=values.get("cursor", 0),
        size=values.get("limit", PAGE_SIZE),
    )
    return ReportTable(page.rows, _next_address(request, page.next_offset), page.total)


def _next_address(request: Request, offset: int | None) -> str | None:
    if offset is None or offset > LAST_OFFSET:
        return None
    query = request._request.GET.copy()  # noqa: SLF001 - the query as it was sent
    query["cursor"] = str(offset)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def report_view(report: Report) -> type[TenantView]:
    """Return the view of a report; its schema has the report's own row."""
    word = "".join(part.capitalize() for part in report.name.split("-"))
    fields: dict[str, Any] = {column.name: _field(column) for column in report.columns}
    row: type[Shown[Row]] = type(f"{word}Row", (Shown,), fields)
    table: type[Shown[ReportTable]] = type(
        f"{word}ReportTable",
        (Shown,),
        {
            "items": row(many=True),
            "next": serializers.CharField(allow_null=True, help_text="Address of the next page."),
            "total": serializers.IntegerField(help_text="How many rows there are."),
        },
    )
    name = f"get_{report.name.replace('-', '_')}_report"

    @reading(
        Endpoint(name, Permission.READ, f"Report: {report.title}"), table, **_parameters(report)
    )
    def get(_view: TenantView, request: Request, *, asked: dict[str, Any]) -> Any:
        return _table(report, request, asked)

    return type(f"{word}ReportView", (TenantView,), {"get": get, "__doc__": str(report.purpose)})


REPORT_VIEWS = {name: report_view(report) for name, report in REPORTS.items()}
