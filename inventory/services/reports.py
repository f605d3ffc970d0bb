"""Taking a report along: all its rows as one file, and a line in the audit trail that says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Column, Kind, Report
from inventory.queries.reports.running import all_rows, count_rows
from inventory.services.report_files import WRITERS, Writer
from tenancy.errors import Conflict
from tenancy.permissions import Permission, require
from tenancy.scope import Scope, active_scope, tenant_scope
from tenancy.services import audit

MOST_ROWS = 200_000


class ReportTooLong(Conflict):
    """More rows than one file takes; nothing is cut off silently."""

    code = "report_too_long"

    def __init__(self, most: int) -> None:
        message = _(
            "This report has more than %(most)s rows, the most that go into one file. Narrow it by "
            "warehouse, category or period, and export it in parts."
        )
        super().__init__(message % {"most": f"{most:,}"}, most=most)


@dataclass(frozen=True)
class ReportFile:
    """A file to be sent. ``blocks`` opens the tenant's scope itself: it runs after the request."""

    name: str
    content_type: str
    blocks: Iterator[bytes]


def export_report(
    *, report: Report, question: Question, file_format: str, sort: str = ""
) -> ReportFile:
    """Return the whole report as CSV or XLSX; raise ``ReportTooLong`` above ``MOST_ROWS``."""
    require(Permission.READ)
    content_type, writer = WRITERS[file_format]
    rows = count_rows(report, question, most=MOST_ROWS)
    if rows > MOST_ROWS:
        raise ReportTooLong(MOST_ROWS)
    tenant = active_scope().tenant
    audit.record("report.exported", tenant, report=report.name, format=file_format, rows=rows)
    columns = report.shown(question)
    heads = _heads(columns, tenant.currency)
    plan = _Plan(report, question, sort, columns, heads, translation.get_language())
    zone = ZoneInfo(tenant.time_zone)
    return ReportFile(
        name=f"{report.name}-{tenant.slug}-{question.today.isoformat()}.{file_format}",
        content_type=content_type,
        blocks=_blocks(plan, writer, active_scope(), zone),
    )


@dataclass(frozen=True)
class _Plan:
    report: Report
    question: Question
    sort: str
    columns: list[Column]
    heads: list[str]
    language: str


def _blocks(plan: _Plan, writer: Writer, scope: Scope, zone: tzinfo) -> Iterator[bytes]:
    with tenant_scope(scope.tenant, actor=scope.actor), translation.override(plan.language):
        rows = all_rows(plan.report, plan.question, sort=plan.sort)
        yield from writer(plan.columns, rows, plan.heads, zone)


def _heads(columns: list[Column], currency: str) -> list[str]:
    units = {Kind.MONEY: currency, Kind.DAYS: str(_("days")), Kind.HOURS: str(_("hours"))}
    return [
        f"{column.label} ({units[column.kind]})" if column.kind in units else str(column.label)
        for column in columns
    ]
