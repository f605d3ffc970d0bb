"""The report room: an index, one page that draws every report, one export."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from inventory.pages.report_filters import ReportFilters, usual_periods
from inventory.queries.reports import REPORTS
from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Kind, Report, Row
from inventory.queries.reports.running import ReportPage, report_page
from inventory.services.reports import ReportTooLong, export_report
from tenancy.errors import Invalid
from tenancy.pages.web import UNPROCESSABLE, address, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import PAGE_SIZE
from tenancy.scope import active_scope

NAV = "reports"
TEMPLATE = "inventory/report_detail.html"
CURSOR_DIGITS = 8
SHOWN_PLACES = 2
"""Of a quantity on the page; files and the API have all of them."""
GROUPS = (
    (gettext_lazy("Stock"), ("stock-on-hand", "valuation", "ageing", "expiry")),
    (gettext_lazy("Flow"), ("movements", "turnover", "abc-xyz", "shrinkage")),
    (gettext_lazy("Performance"), ("inbound", "outbound")),
)

HEADS_WITH_UNIT = {
    Kind.DAYS: gettext_lazy("%(label)s, days"),
    Kind.HOURS: gettext_lazy("%(label)s, hours"),
}
LINKS = {
    "name": ("inventory:product_detail", "product_id"),
    "supplier": ("inventory:supplier_detail", "supplier_id"),
}


@dataclass(frozen=True)
class Cell:
    """A value of a row with what it takes to write it."""

    column: Column
    value: Any
    unit: str = ""
    sub: str = ""
    href: str = ""

    @property
    def label(self) -> str:
        """Return the head of its column."""
        return _head(self.column)


def report_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show every report with what it answers."""
    require(Permission.READ)
    groups = [(title, [REPORTS[name] for name in names]) for title, names in GROUPS]
    return show(request, "inventory/report_list.html", NAV, groups=groups)


@require_safe
def report_detail(request: HttpRequest, tenant: str, name: str) -> HttpResponse:
    """Show a report: headlines, picture, and its rows page by page."""
    require(Permission.READ)
    report = REPORTS[name]
    filters = ReportFilters(request.GET, report=report)
    if not filters.is_valid() or filters.question is None:
        return _refused(request, report, filters)
    page = report_page(
        report,
        filters.question,
        offset=_offset(request.GET.get("cursor", "")),
        size=PAGE_SIZE,
        sort=request.GET.get("sort", ""),
    )
    drawn = _drawn(request, report, filters.question, page)
    return show(request, TEMPLATE, NAV, report=report, filters=filters, **drawn)


@require_safe
def report_export(
    request: HttpRequest, tenant: str, name: str, file_format: str
) -> HttpResponseBase:
    """Send every row of a report, whatever page is looked at, as CSV or XLSX."""
    require(Permission.READ)
    report = REPORTS[name]
    filters = ReportFilters(request.GET, report=report)
    if not filters.is_valid() or filters.question is None:
        return _refused(request, report, filters)
    try:
        file = export_report(
            report=report,
            question=filters.question,
            file_format=file_format,
            sort=request.GET.get("sort", ""),
        )
    except ReportTooLong as refusal:
        return _refused(request, report, filters, str(refusal))
    response = StreamingHttpResponse(file.blocks, content_type=file.content_type)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _refused(
    request: HttpRequest, report: Report, filters: ReportFilters, refusal: str = ""
) -> HttpResponse:
    """Show the filters with what is wrong with them, and no figures: they would be others."""
    context = {"report": report, "filters": filters, "refusal": refusal}
    return show(request, TEMPLATE, NAV, status=UNPROCESSABLE, **context)


def _drawn(
    request: HttpRequest, report: Report, question: Question, page: ReportPage
) -> dict[str, Any]:
    """Return what the page shows of the rows found."""
    currency = active_scope().tenant.currency
    columns = _page_columns(report, question)
    return {
        "question": question,
        "page": page,
        "heads": [(column, _head(column)) for column in columns],
        "rows": [_cells(request, columns, row, currency) for row in page.rows],
        "sums": _sums(columns, page.totals, currency),
        "figures": [
            {
                "label": figure.label,
                "kind": figure.kind,
                "value": figure.value(page.totals),
                "hint": figure.hint(page.totals, question) if figure.hint else "",
            }
            for figure in report.figures
        ],
        "picture": report.draw(page.points, page.totals, question),
        "matrix": report.matrix(page.points) if report.matrix else None,
        "notices": report.notices(page.totals, question),
        "periods": usual_periods(question) if "period" in report.filters else [],
        "export_csv": _export_address(request, report, "csv"),
        "export_xlsx": _export_address(request, report, "xlsx"),
        "next_cursor": "" if page.next_offset is None else str(page.next_offset),
    }


def _page_columns(report: Report, question: Question) -> list[Column]:
    """Return the columns of the table: SKU stands below the name, units behind the numbers."""
    shown = report.shown(question)
    names = {column.name for column in shown}
    merged = {"base_unit"} | ({"sku"} if "name" in names else set())
    return [column for column in shown if column.is_on_page and column.name not in merged]


def _head(column: Column) -> str:
    """Return the column's label, with the unit where it is not behind each number."""
    with_unit = HEADS_WITH_UNIT.get(column.kind)
    return str(with_unit % {"label": column.label} if with_unit else column.label)


def _cells(request: HttpRequest, columns: list[Column], row: Row, currency: str) -> list[Cell]:
    return [_cell(request, column, row, currency) for column in columns]


def _cell(request: HttpRequest, column: Column, row: Row, currency: str) -> Cell:
    value = row[column.name]
    if column.kind == Kind.CHOICE:
        return Cell(column, column.label_of(value))
    if column.kind in {Kind.QUANTITY, Kind.RATE}:
        rounded = None if value is None else round(Decimal(value), SHOWN_PLACES)
        return Cell(column, rounded, unit=row.get("base_unit") or "")
    if column.kind == Kind.MONEY:
        return Cell(column, value, unit=currency)
    if column.name in LINKS and value:
        view, key = LINKS[column.name]
        sub = row.get("sku") or "" if column.name == "name" else ""
        return Cell(column, value, sub=sub, href=address(request, view, **{key: row[key]}))
    return Cell(column, value)


def _sums(columns: list[Column], totals: Row, currency: str) -> list[Cell]:
    """Return the last row of the table: money adds up, quantities of different products do not."""
    if not any(column.kind == Kind.MONEY and column.name in totals for column in columns):
        return []
    return [
        Cell(column, totals[column.name], unit=currency)
        if column.kind == Kind.MONEY and column.name in totals
        else Cell(column, None)
        for column in columns
    ]


def _export_address(request: HttpRequest, report: Report, file_format: str) -> str:
    query = request.GET.copy()
    query.pop("cursor", None)
    path = address(request, "inventory:report_export", name=report.name, file_format=file_format)
    return f"{path}?{query.urlencode()}" if query else path


def _offset(cursor: str) -> int:
    """Return where the page begins; raise ``Invalid`` for what no page link says."""
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= CURSOR_DIGITS):
        message = gettext_lazy("This page link is not valid here. Start from the first page.")
        raise Invalid.field("cursor", "invalid", message)
    return int(cursor)
