"""Reports as files, read back: all rows, exact, no formulas, in the tenant's own scope."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import LotTracking, Product, Warehouse
from inventory.queries.reports import REPORTS
from inventory.queries.reports.asking import ask, business_today
from inventory.queries.reports.running import count_rows
from inventory.services import reports as service
from inventory.services.report_files import plain_number
from tenancy.models import AuditEvent
from tenancy.scope import NoTenantScope, active_scope
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site
from tests.inventory.test_report_pages import fill, get

VIEWS = [(name, by) for name, report in REPORTS.items() for by, _ in report.by or (("", ""),)]


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def read_csv(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body(answer).decode("utf-8-sig"))))


def read_xlsx(answer: Any) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(body(answer)))
    return list(book.active.iter_rows(values_only=True))


def column(rows: Any, label: str) -> list[Any]:
    at = list(rows[0]).index(label)
    return [row[at] for row in rows[1:]]


@pytest.fixture
def stocked(north: House) -> Site:
    """Three products, each with one awkward thing."""
    with north.scope():
        site = make_site()
        Warehouse.objects.update(name="=Main")
        flour = make_product(
            "FLOUR", unit_cost=Decimal("0.000123"), whole_units=False, base_unit="kg"
        )
        site.receive(flour, Decimal("12345678.123456"))
        formula = make_product("=1+1", unit_cost=Decimal(2))
        Product.objects.filter(pk=formula.pk).update(name='@SUM(A1)\x0b, "quoted"\nbroken')
        site.receive(formula, 3)
        milk = make_product("MILK", unit_cost=Decimal(1), lot_tracking=LotTracking.LOT)
        lot = make_lot(milk, "+49", expires_on=dt.date(2031, 5, 6))
        site.receive(milk, 1000, lot_id=lot.pk)
    return site


def test_a_file_has_every_row_and_the_columns_of_the_view(north: House) -> None:
    fill(north)
    for name, by in VIEWS:
        compare_files(north, name, by)


def compare_files(north: House, name: str, by: str) -> None:
    query = {"by": by} if by else {}
    report = REPORTS[name]
    with north.scope():
        question = ask(query, default_days=report.default_days)
        rows = count_rows(report, question, most=1000)
        labels = [str(column.label) for column in report.shown(question)]
    assert rows > 0 or by == "person", name  # nobody has picked
    plain = read_csv(get(north, f"reports/{name}.csv", **query))
    book = read_xlsx(get(north, f"reports/{name}.xlsx", **query))
    assert len(plain) == len(book) == rows + 1, name
    assert plain[0] == list(book[0]), name
    assert [head.split(" (")[0] for head in plain[0]] == labels, name


def test_a_file_has_the_whole_result_not_the_page(north: House, monkeypatch: Any) -> None:
    with north.scope():
        site = make_site()
        for number in range(60):
            site.receive(make_product(f"P{number:02}", unit_cost=Decimal(1)), 1)
    rows = read_csv(get(north, "reports/valuation.csv", cursor="50", sort="sku"))
    assert column(rows, "SKU") == [f"P{number:02}" for number in range(60)]
    assert len(read_csv(get(north, "reports/valuation.csv", q="P0"))) == 11


def test_csv_has_exact_plain_numbers_and_iso_days(north: House, stocked: Site) -> None:
    rows = read_csv(get(north, "reports/stock-on-hand.csv", by="lot", sort="sku"))
    assert column(rows, "On hand") == ["3", "12345678.123456", "1000"]
    # 12,345,678.123456 at 0.000123: 1,518.518409, as the ledger keeps it
    assert column(rows, "Value (EUR)") == ["6", "1518.518409", "1000"]
    assert column(rows, "Expires") == ["", "", "2031-05-06"]
    assert column(rows, "Unit") == ["pcs", "kg", "pcs"]


def test_xlsx_has_numbers_and_days_as_such(north: House, stocked: Site) -> None:
    rows = read_xlsx(get(north, "reports/stock-on-hand.xlsx", by="lot", sort="sku"))
    assert column(rows, "On hand") == [3, 12345678.123456, 1000]
    assert column(rows, "Value (EUR)") == [6, 1518.518409, 1000]
    assert column(rows, "Expires") == [None, None, dt.datetime(2031, 5, 6)]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_no_text_becomes_a_formula(north: House, stocked: Site, file_format: str) -> None:
    answer = get(north, f"reports/stock-on-hand.{file_format}", by="lot", sort="sku")
    rows = read_csv(answer) if file_format == "csv" else read_xlsx(answer)
    assert column(rows, "SKU")[0] == "'=1+1"
    assert column(rows, "Product")[0].startswith("'@SUM(A1)")
    assert column(rows, "Lot")[2] == "'+49"
    assert set(column(rows, "Warehouse")) == {"'=Main"}
    cells = [cell for row in rows for cell in row if isinstance(cell, str)]
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}]


def test_a_workbook_holds_no_formula_cell(north: House, stocked: Site) -> None:
    answer = get(north, "reports/stock-on-hand.xlsx", by="lot")
    book = openpyxl.load_workbook(io.BytesIO(body(answer)))
    kinds = {cell.data_type for row in book.active.iter_rows() for cell in row}
    assert kinds == {"s", "inlineStr", "n", "d"}  # and no "f"


def test_moments_are_told_in_the_time_of_the_company(north: House) -> None:
    with north.scope():
        site = make_site()
        noon = dt.datetime(2026, 7, 1, 10, 30, tzinfo=dt.UTC)
        site.receive(make_product(), 1, effective_at=noon)
    query = {"from": "2026-07-01", "to": "2026-07-01"}
    plain = read_csv(get(north, "reports/movements.csv", **query))
    assert column(plain, "When") == ["2026-07-01T12:30:00+02:00"]
    assert column(plain, "Reason") == ["Receipt"]
    book = read_xlsx(get(north, "reports/movements.xlsx", **query))
    assert column(book, "When") == [dt.datetime(2026, 7, 1, 12, 30)]


@pytest.mark.parametrize(
    ("file_format", "content_type"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_the_file_names_report_tenant_and_day(
    north: House, file_format: str, content_type: str
) -> None:
    answer = get(north, f"reports/abc-xyz.{file_format}")
    with north.scope():
        day = business_today().isoformat()
    name = f"abc-xyz-north-{day}.{file_format}"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer["Content-Type"] == content_type
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    body(answer)


def test_an_empty_report_is_a_file_with_its_header(north: House) -> None:
    rows = read_csv(get(north, "reports/valuation.csv"))
    assert rows[0][0] == "SKU"
    assert len(rows) == 1
    assert len(read_xlsx(get(north, "reports/valuation.xlsx"))) == 1


def test_more_rows_than_a_file_takes_are_refused_in_words_and_not_cut(
    north: House, stocked: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_ROWS", 2)
    for file_format in ("csv", "xlsx"):
        answer = get(north, f"reports/valuation.{file_format}")
        assert answer.status_code == 422
        assert "more than 2 rows" in answer.content.decode()
    assert len(read_csv(get(north, "reports/valuation.csv", q="FLOUR"))) == 2
    with north.scope():
        assert AuditEvent.objects.filter(action="report.exported").count() == 1


def test_taking_a_report_along_is_recorded(north: House, stocked: Site) -> None:
    body(get(north, "reports/valuation.csv", role="operator"))
    with north.scope():
        event = AuditEvent.objects.get(action="report.exported")
    assert event.actor_label == "operator@north.example"
    assert event.data == {"report": "valuation", "format": "csv", "rows": 3}


@pytest.mark.django_db(transaction=True)
def test_the_rows_are_read_after_the_request_in_a_scope_of_their_own(
    north: House, south: House
) -> None:
    """The request's transaction is over when the first block is asked for."""
    fill(north)
    fill(south)
    answer = get(north, "reports/valuation.csv")
    assert not connection.in_atomic_block
    with pytest.raises(NoTenantScope):
        active_scope()
    with CaptureQueriesContext(connection) as asked:
        rows = list(csv.reader(io.StringIO(body(answer).decode("utf-8-sig"))))
    assert len(rows) == 2
    assert "set_config" in asked.captured_queries[1]["sql"]
    assert not connection.in_atomic_block
    with pytest.raises(NoTenantScope):
        active_scope()


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_leaves_in_the_middle_leaves_no_transaction_open(north: House) -> None:
    fill(north)
    answer = get(north, "reports/movements.csv")
    blocks = iter(answer.streaming_content)
    assert b"SKU" in next(blocks)
    assert connection.in_atomic_block
    answer.close()
    assert not connection.in_atomic_block
    with pytest.raises(NoTenantScope):
        active_scope()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("0", "0"),
        ("0.000000", "0"),
        ("-0.000", "0"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("1.500000", "1.5"),
        ("-2.50", "-2.5"),
        ("0.000001", "0.000001"),
    ],
)
def test_numbers_are_written_in_full(value: str, written: str) -> None:
    assert plain_number(Decimal(value)) == written
