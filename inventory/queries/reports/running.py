"""Running a report: one statement for a page of it, one for its length, one for all its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from inventory.queries.reports.asking import Question
from inventory.queries.reports.declaring import Report, Row

ROWS_AT_A_TIME = 2000


@dataclass(frozen=True)
class ReportPage:
    """Some rows in order, and what belongs to all of them: totals, and points of the picture."""

    rows: list[dict[str, Any]]
    totals: dict[str, Any]
    points: list[dict[str, Any]]
    total: int
    offset: int

    @property
    def next_offset(self) -> int | None:
        """Return where the next page begins; None on the last one."""
        end = self.offset + len(self.rows)
        return end if self.rows and end < self.total else None


PAGE = """
    WITH RECURSIVE {body}, listed AS (
        SELECT * FROM report WHERE {where}
    ), page AS (
        SELECT row_number() OVER (ORDER BY {order}) AS place, listed.* FROM listed
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT (SELECT to_jsonb(t) FROM (SELECT count(*) AS listed_rows, {totals} FROM listed) t),
        (SELECT jsonb_agg(to_jsonb(p)) FROM ({picture}) p), page.place, {select}
    FROM (VALUES (1)) AS one (n) LEFT JOIN page ON true {joins}
    ORDER BY page.place
"""
COUNT = """
    WITH RECURSIVE {body}
    SELECT count(*) FROM (SELECT 1 FROM report WHERE {where} LIMIT %(limit)s) AS listed
"""
ALL = """
    WITH RECURSIVE {body}, page AS (
        SELECT row_number() OVER (ORDER BY {order}) AS place, report.* FROM report WHERE {where}
    )
    SELECT page.place, {select} FROM page {joins} ORDER BY page.place
"""


def report_page(
    report: Report, question: Question, *, offset: int = 0, size: int = 50, sort: str = ""
) -> ReportPage:
    """Return a page of the report with its totals and the points of its picture: one statement."""
    totals = ", ".join(f"{sql} AS {name}" for name, sql in report.totals.items())
    sql = PAGE.format(
        **_parts(report), order=report.sorted_by(sort), totals=totals, picture=report.picture
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, _arguments(report, question) | {"limit": size, "offset": offset})
        names = [column.name for column in cursor.description]
        found = cursor.fetchall()
    sums, points = (_exact(text) for text in found[0][:2])
    rows = [dict(zip(names[3:], row[3:], strict=True)) for row in found if row[2] is not None]
    return ReportPage(rows, sums, points or [], sums["listed_rows"], offset)


def count_rows(report: Report, question: Question, *, most: int) -> int:
    """Return how many rows the report has, counting no further than one above ``most``."""
    with connection.cursor() as cursor:
        sql = COUNT.format(**_parts(report))
        cursor.execute(sql, _arguments(report, question) | {"limit": most + 1})
        return int(cursor.fetchone()[0])


def all_rows(report: Report, question: Question, *, sort: str = "") -> Iterator[Row]:
    """Yield every row in order, through a cursor of the server: memory does not grow with them."""
    sql = ALL.format(**_parts(report), order=report.sorted_by(sort))
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, _arguments(report, question))
        while found := cursor.fetchmany(ROWS_AT_A_TIME):
            names = [column.name for column in cursor.description]
            for row in found:
                yield dict(zip(names, row, strict=True))


def _parts(report: Report) -> dict[str, str]:
    return {
        "body": ",".join([*report.needs, report.body]),
        "where": report.where,
        "select": report.select,
        "joins": report.joins,
    }


def _arguments(report: Report, question: Question) -> dict[str, Any]:
    return question.arguments() | dict(report.constants)


def _exact(text: Any) -> Any:
    """Read what PostgreSQL wrote as JSON without ever passing through a float."""
    return None if text is None else json.loads(text, parse_float=Decimal)


Totals = Mapping[str, Any]
