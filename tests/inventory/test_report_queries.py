"""Reports answer: every grouping of every report runs, and says what the books say."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.queries.reports import REPORTS
from inventory.queries.reports.asking import ask
from inventory.queries.reports.running import all_rows, count_rows, report_page
from tests.inventory.book import Site, make_product

VIEWS = [(name, by) for name, report in REPORTS.items() for by, _ in report.by or (("", ""),)]


def asked(name: str, **values: Any) -> Any:
    return ask(values, default_days=REPORTS[name].default_days)


@pytest.mark.parametrize(("name", "by"), VIEWS)
def test_every_view_runs_with_and_without_stock(
    name: str, by: str, site: Site, django_assert_num_queries: Any
) -> None:
    report, question = REPORTS[name], asked(name, by=by)
    with django_assert_num_queries(1):
        empty = report_page(report, question)
    assert (empty.rows, empty.total) == ([], 0)
    apple = make_product(unit_cost="2.5")
    site.receive(apple, 10)
    site.ship(apple, 3)
    with django_assert_num_queries(1):
        page = report_page(report, question)
    rows = list(all_rows(report, question))
    assert len(rows) == page.total == count_rows(report, question, most=100)
    assert rows == page.rows
    for column in report.columns:
        if rows:
            assert column.name in rows[0]
            report_page(report, question, sort=f"-{column.name}")
    report.draw(page.points, page.totals, question)
    for figure in report.figures:
        figure.value(page.totals)
