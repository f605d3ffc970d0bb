"""July in a small warehouse: two products, every report checked by hand.

apples at 2.00                          pears at 5.00
 1 Jul  opening     100                  1 Jul  opening      40
11 Jul  shipped     -40                 10 Jul  scrapped     -3
16 Jul  received    +50                 20 Jul  found        +1
21 Jul  shipped     -30                 25 Jul  shipped     -18
31 Jul  counted      -2
        on hand      78                         on hand      20
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from inventory.models import Category, MovementReason, Product
from inventory.queries.reports import REPORTS
from inventory.queries.reports.asking import ask
from inventory.queries.reports.running import ReportPage, report_page
from inventory.services.demand import DemandLine, record_demand
from inventory.services.ledger import post_movements
from inventory.services.opening_stock import OpeningLine, post_opening_stock
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site

JULY = {"from": dt.date(2026, 7, 1), "to": dt.date(2026, 7, 31)}
END_OF_JULY = dt.date(2026, 7, 31)
END_OF_AUGUST = dt.date(2026, 8, 31)


@dataclass(frozen=True)
class Month:
    site: Site
    apple: Product
    pear: Product


def noon(day: int) -> dt.datetime:
    """Return noon of a day of July 2026."""
    return dt.datetime(2026, 7, day, 12, tzinfo=dt.UTC)


@pytest.fixture
def month(in_north: House) -> Month:
    site = make_site()
    fruit = Category.objects.create(name="Fruit")
    apple = make_product("APPLE", unit_cost=Decimal(2), category=fruit)
    pear = make_product("PEAR", unit_cost=Decimal(5), category=fruit)
    post_opening_stock(
        warehouse_id=site.warehouse.pk,
        lines=[
            OpeningLine(apple.pk, Decimal(100), unit_cost=Decimal(2)),
            OpeningLine(pear.pk, Decimal(40), unit_cost=Decimal(5)),
        ],
        effective_at=noon(1),
    )
    scrap, found = MovementReason.SCRAP, MovementReason.FOUND
    happened = [
        (10, site.line(pear, 3, "storage", "loss", reason=scrap)),
        (11, site.line(apple, 40, "storage", "customer")),
        (16, site.line(apple, 50, "supplier", "storage", unit_cost=Decimal(2))),
        (20, site.line(pear, 1, "loss", "storage", reason=found)),
        (21, site.line(apple, 30, "storage", "customer")),
        (25, site.line(pear, 18, "storage", "customer")),
        (31, site.line(apple, 2, "storage", "loss")),
    ]
    for day, line in happened:
        post_movements(lines=[line], effective_at=noon(day))
    asked = [(apple, 11, 40), (apple, 21, 30), (pear, 25, 18)]
    record_demand(
        lines=[
            DemandLine(product.pk, site.warehouse.pk, noon(day).date(), Decimal(quantity))
            for product, day, quantity in asked
        ]
    )
    return Month(site, apple, pear)


def page(name: str, **values: Any) -> ReportPage:
    report = REPORTS[name]
    return report_page(report, ask(values, default_days=report.default_days))


def by_sku(found: ReportPage) -> dict[str, dict[str, Any]]:
    return {row["sku"]: row for row in found.rows}


def close(value: Decimal, exact: Fraction) -> bool:
    return abs(Fraction(value) - exact) < Fraction(1, 10**9)


def test_on_hand_and_its_value_at_the_end_of_july(month: Month) -> None:
    found = page("stock-on-hand", on=END_OF_JULY)
    rows = by_sku(found)
    assert (rows["APPLE"]["on_hand"], rows["PEAR"]["on_hand"]) == (78, 20)
    assert rows["APPLE"]["allocated"] is None  # what was promised then is not recorded
    assert found.totals["value"] == 78 * 2 + 20 * 5 == 256


def test_on_hand_in_the_middle_of_july(month: Month) -> None:
    rows = by_sku(page("stock-on-hand", on=dt.date(2026, 7, 16)))
    assert rows["APPLE"]["on_hand"] == 100 - 40 + 50
    assert rows["PEAR"]["on_hand"] == 40 - 3
    assert rows["APPLE"]["value"] == 220


def test_the_value_of_the_stock_and_who_holds_it(month: Month) -> None:
    rows = by_sku(page("valuation"))
    assert rows["APPLE"]["value"] == 156
    assert rows["PEAR"]["value"] == 100
    assert close(rows["APPLE"]["share"], Fraction(156, 256))
    before = page("valuation", on=dt.date(2026, 7, 10))
    assert before.totals["value"] == 100 * 2 + 37 * 5 == 385


def test_what_came_in_and_went_out(month: Month) -> None:
    found = page("movements", **JULY)
    assert found.total == 9
    # in: both openings, the receipt, the pear found; out: shipments, scrap, count
    assert found.totals["value_in"] == 100 * 2 + 40 * 5 + 50 * 2 + 1 * 5 == 505
    assert found.totals["value_out"] == 70 * 2 + 18 * 5 + 3 * 5 + 2 * 2 == 249
    assert found.totals["value_in"] - found.totals["value_out"] == 256
    by_day = {point["day"]: point for point in found.points}
    assert len(by_day) == 31
    assert by_day["2026-07-01"]["quantity_in"] == 140
    assert by_day["2026-07-11"]["quantity_out"] == -40
    assert by_day["2026-07-12"]["quantity_in"] == 0


def test_turnover_is_a_years_demand_over_the_mean_stock(month: Month) -> None:
    rows = by_sku(page("turnover", **JULY))
    apple = rows["APPLE"]
    # 100 for ten days, 60 for five, 110 for five, 80 for ten, 78 on the last
    assert 100 * 10 + 60 * 5 + 110 * 5 + 80 * 10 + 78 == 88 * 31
    assert (apple["demand"], apple["mean_on_hand"], apple["mean_value"]) == (70, 88, 176)
    assert apple["demand_cost"] == 140
    assert close(apple["turnover_per_year"], Fraction(140 * 365, 31 * 176))  # 9.37 times
    assert close(apple["cover_days"], Fraction(156 * 31, 140))  # 34.5 days
    # pears: 40 for nine days, 37 for ten, 38 for five, 20 for seven
    assert close(rows["PEAR"]["mean_on_hand"], Fraction(40 * 9 + 37 * 10 + 38 * 5 + 20 * 7, 31))


def test_turnover_of_the_warehouse_adds_up_its_products(month: Month) -> None:
    [row] = page("turnover", by="warehouse", **JULY).rows
    pears = Fraction(5 * (40 * 9 + 37 * 10 + 38 * 5 + 20 * 7), 31)
    assert row["demand_cost"] == 140 + 90
    assert close(row["mean_value"], 176 + pears)
    [category] = page("turnover", by="category", **JULY).rows
    assert (category["category"], category["demand_cost"]) == ("Fruit", 230)


def test_shrinkage_is_lost_less_found_and_its_share_of_what_shipped(month: Month) -> None:
    found = page("shrinkage", by="reason", **JULY)
    values = {row["reason"]: row["shrinkage_value"] for row in found.rows}
    scrap, variance, back = MovementReason.SCRAP, MovementReason.COUNT, MovementReason.FOUND
    assert values == {scrap: 15, variance: 4, back: -5}
    assert (found.totals["lost_value"], found.totals["found_value"]) == (19, 5)
    assert found.totals["shrinkage_value"] == 14
    assert found.totals["throughput"] == 70 * 2 + 18 * 5 == 230
    [row] = page("shrinkage", by="warehouse", **JULY).rows
    assert close(row["share"], Fraction(14, 230))  # 6.1%


def test_shrinkage_of_a_product_is_measured_against_what_shipped_of_it(month: Month) -> None:
    rows = {(row["sku"], row["reason"]): row for row in page("shrinkage", **JULY).rows}
    apple = rows["APPLE", MovementReason.COUNT]
    assert (apple["lost"], apple["found"], apple["lost_value"]) == (2, 0, 4)
    assert close(apple["share"], Fraction(4, 140))
    only = page("shrinkage", reason=int(MovementReason.SCRAP), **JULY)
    assert [(row["sku"], row["shrinkage"]) for row in only.rows] == [("PEAR", 3)]


def test_age_at_the_end_of_august_counts_the_newest_arrivals(month: Month) -> None:
    found = page("ageing", on=END_OF_AUGUST)
    apple = by_sku(found)["APPLE"]
    # 78 on hand: the 50 of 16 July (46 days), then 28 of the opening on 1 July (61 days)
    assert (apple["d31_60"], apple["d61_90"], apple["d0_30"]) == (50, 28, 0)
    assert (apple["v_d31_60"], apple["v_d61_90"], apple["value"]) == (100, 56, 156)
    assert apple["oldest_days"] == 61
    assert close(apple["mean_age_days"], Fraction(50 * 46 + 28 * 61, 78))
    # a pear found again was no arrival: all 20 are of the opening
    pear = by_sku(found)["PEAR"]
    assert (pear["d61_90"], pear["value"]) == (20, 100)
