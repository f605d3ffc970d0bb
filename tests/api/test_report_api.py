"""Reports in the API: typed rows, filters from the declaration, pages, refusals."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from inventory.queries.reports import REPORTS
from tests.api.calls import by_key, by_session
from tests.cast import House
from tests.inventory.book import make_product, make_site
from tests.inventory.test_report_pages import fill


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_gives_rows_with_every_column_it_declares(north: House, name: str) -> None:
    fill(north)
    answer = by_key(north, "viewer", ["read"]).get(f"reports/{name}")
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert found["total"] == len(found["items"]) >= 1
    assert found["next"] is None
    assert set(found["items"][0]) == {column.name for column in REPORTS[name].columns}


def test_numbers_are_text_ids_are_numbers_and_reasons_have_names(north: House) -> None:
    fill(north)
    [row] = by_session(north).get("reports/shrinkage").json()["items"]
    assert (row["lost"], row["shrinkage_value"], row["share"]) == ("3", "6", "0.15")
    assert row["reason"] == "count"
    assert isinstance(row["product_id"], int)
    [grouped] = by_session(north).get("reports/shrinkage", by="reason").json()["items"]
    assert (grouped["product_id"], grouped["sku"]) == (None, None)


def test_a_large_sum_is_exact(north: House) -> None:
    with north.scope():
        product = make_product(unit_cost=Decimal("999999.999999"))
        make_site().receive(product, 999_999_999_999)
    [row] = by_session(north).get("reports/valuation").json()["items"]
    assert row["on_hand"] == "999999999999"
    assert Decimal(row["value"]) == Decimal("999999.999999") * 999_999_999_999


def test_pages_follow_the_next_address(north: House) -> None:
    with north.scope():
        site = make_site()
        for number in range(5):
            site.receive(make_product(f"P{number}", unit_cost=Decimal(5 - number)), 1)
    caller = by_session(north)
    address: str | None = "reports/valuation?limit=2"
    seen: list[str] = []
    while address:
        found = caller.get(address).json()
        assert found["total"] == 5
        seen += [row["sku"] for row in found["items"]]
        address = found["next"] and found["next"].partition("/api/v1/north/")[2]
    assert seen == ["P0", "P1", "P2", "P3", "P4"]


def test_filters_narrow_and_foreign_ids_find_nothing(north: House, south: House) -> None:
    site = fill(north)
    theirs = fill(south)
    caller = by_session(north)
    assert caller.get("reports/valuation", warehouse_id=site.warehouse.pk).json()["total"] == 1
    assert caller.get("reports/valuation", q="mil").json()["total"] == 1
    assert caller.get("reports/valuation", q="zzz").json()["items"] == []
    assert caller.get("reports/inbound", supplier_id=987_654_321).json()["items"] == []
    for name in REPORTS:
        found = caller.get(f"reports/{name}", warehouse_id=theirs.warehouse.pk).json()
        assert found == {"items": [], "next": None, "total": 0}, name


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({"from": "2026-02-02", "to": "2026-02-01"}, "to", "before_from"),
        ({"to": "0001-01-01"}, "to", "too_early"),
        ({"from": "1995-01-01"}, "from", "too_long"),
        ({"reason": "theft"}, "reason", "invalid"),
        ({"by": "moon"}, "by", "invalid"),
        ({"limit": "201"}, "limit", "invalid"),
        ({"cursor": "-1"}, "cursor", "invalid"),
        ({"on": "2026-01-01"}, "on", "unknown_parameter"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_by_name(
    north: House, query: dict[str, str], field: str, code: str
) -> None:
    answer = by_session(north).get("reports/shrinkage", **query)
    assert answer.status_code == 400
    assert [(p["field"], p["code"]) for p in answer.json()["problems"]] == [(field, code)]


def test_the_stock_of_a_past_day_tells_no_allocations(north: House) -> None:
    fill(north)
    day = (dt.datetime.now(dt.UTC) - dt.timedelta(days=20)).date().isoformat()
    [row] = by_session(north).get("reports/stock-on-hand", on=day).json()["items"]
    assert (row["on_hand"], row["allocated"], row["available"]) == ("1500", None, None)


def test_a_key_without_the_right_to_read_is_refused(north: House) -> None:
    caller: Any = by_key(north, "owner", ["buy"])
    assert caller.get("reports/valuation").status_code == 403
