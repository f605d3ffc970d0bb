"""Reports answer: every view of every report runs, and agrees with the books and with plain loops."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import (
    Category,
    LotTracking,
    MovementReason,
    Product,
    StockBalance,
    StockMovement,
    StockValue,
)
from inventory.queries.as_of import stock_as_of
from inventory.queries.reports import REPORTS
from inventory.queries.reports.asking import ask, business_today
from inventory.queries.reports.running import ReportPage, all_rows, count_rows, report_page
from inventory.rules.ageing import AGE_BANDS, BAND_NAMES
from inventory.services.ledger import MovementLine, post_movements, reverse_movement
from inventory.services.purchasing import OrderLine, create_draft_order, place_order
from inventory.services.suppliers import SupplierFields, create_supplier
from tenancy.errors import Invalid
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site
from tests.inventory.outbound_world import Floor

VIEWS = [(name, by) for name, report in REPORTS.items() for by, _ in report.by or (("", ""),)]


def asked(name: str, **values: Any) -> Any:
    return ask(values, default_days=REPORTS[name].default_days)


def page(name: str, **values: Any) -> ReportPage:
    return report_page(REPORTS[name], asked(name, **values), size=1000)


def skus(name: str, **values: Any) -> set[str]:
    return {row["sku"] for row in page(name, **values).rows}


def noon(days_ago: int) -> dt.datetime:
    day = business_today() - dt.timedelta(days=days_ago)
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


def deal(site: Site, product: Product) -> None:
    """Let a supplier be late with the product, and pick another one for a customer."""
    supplier = create_supplier(fields=SupplierFields(code="SAM", name="Sam"))
    line = OrderLine(product.pk, Decimal(5), Decimal(2), promised_on=noon(1).date())
    order = create_draft_order(
        supplier_id=supplier.pk, warehouse_id=site.warehouse.pk, lines=[line]
    )
    place_order(order_id=order.pk, placed_at=noon(9))
    floor, pear = Floor(site), make_product("PEAR", unit_cost=Decimal(1))
    sold = floor.ready(pear, 2, confirmed_at=noon(3), promised_on=noon(1).date())
    floor.picked(sold)


# -- every view -----------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "by"), VIEWS)
def test_every_view_answers_in_one_statement_and_its_rows_are_those_of_the_file(
    name: str, by: str, site: Site, django_assert_num_queries: Any
) -> None:
    report, question = REPORTS[name], asked(name, by=by)
    with django_assert_num_queries(1):
        empty = report_page(report, question)
    assert (empty.rows, empty.total, empty.next_offset) == ([], 0, None)
    apple = make_product(unit_cost=Decimal("2.5"), lot_tracking=LotTracking.LOT)
    lot = make_lot(apple, expires_on=business_today() + dt.timedelta(days=9))
    site.receive(apple, 10, lot_id=lot.pk, effective_at=noon(2))
    site.ship(apple, 3, lot_id=lot.pk)
    post_movements(lines=[site.line(apple, 1, "storage", "loss", lot_id=lot.pk)])
    deal(site, apple)
    with django_assert_num_queries(1):
        found = report_page(report, question)
    rows = list(all_rows(report, question))
    assert rows, "this world has something for every report"
    assert len(rows) == found.total == count_rows(report, question, most=100)
    assert rows == found.rows
    assert {column.name for column in report.columns} <= rows[0].keys()
    report.draw(found.points, found.totals, question)
    for figure in report.figures:
        figure.value(found.totals)


@pytest.mark.parametrize("name", REPORTS)
def test_every_column_can_be_sorted_by_and_nothing_else(name: str, site: Site) -> None:
    report = REPORTS[name]
    for column in report.columns:
        for sort in (column.name, f"-{column.name}"):
            report_page(report, asked(name), sort=sort)
    usual = report.sorted_by("")
    assert report.sorted_by("tenant_id; DROP TABLE x") == usual
    assert report.sorted_by("--value") == usual


def test_another_tenant_sees_none_of_it(north: House, south: House) -> None:
    with north.scope():
        make_site().receive(make_product(unit_cost=Decimal(2)), 10)
        assert page("stock-on-hand").total == 1
    with south.scope():
        make_site()
        assert {name: page(name).total for name in REPORTS} == dict.fromkeys(REPORTS, 0)


def test_pages_follow_each_other_without_gap_or_repeat(site: Site) -> None:
    for number in range(7):
        site.receive(make_product(f"P{number}", unit_cost=Decimal(1)), 5)
    report, question = REPORTS["valuation"], asked("valuation")
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        found = report_page(report, question, offset=offset, size=3)
        seen += [row["sku"] for row in found.rows]
        offset = found.next_offset
    assert sorted(seen) == [f"P{number}" for number in range(7)]
    behind = report_page(report, question, offset=50, size=3)
    assert (behind.rows, behind.total, behind.totals["value"]) == ([], 7, 35)


# -- filters --------------------------------------------------------------------------------------
def test_a_category_counts_with_all_below_it(site: Site) -> None:
    food = Category.objects.create(name="Food")
    fruit = Category.objects.create(name="Fruit", parent=food)
    for sku, category in (("APPLE", fruit), ("BREAD", food), ("SOAP", None)):
        site.receive(make_product(sku, category=category), 1)
    assert skus("stock-on-hand", category=food.pk) == {"APPLE", "BREAD"}
    assert skus("stock-on-hand", category=fruit.pk) == {"APPLE"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("50%", {"50%-OFF"}), ("5", {"50%-OFF", "50X"}), ("x_", {"X_1"}), ("\\", set())],
)
def test_the_search_takes_signs_for_what_they_are(
    site: Site, text: str, expected: set[str]
) -> None:
    for sku in ("50%-OFF", "50X", "X_1", "XA1"):
        site.receive(make_product(sku), 1)
    assert skus("stock-on-hand", q=text) == expected


def test_a_warehouse_is_counted_alone(site: Site) -> None:
    other = make_site("OTHER")
    apple = make_product(unit_cost=Decimal(2))
    site.receive(apple, 10)
    other.receive(apple, 4)
    here = page("valuation", warehouse=other.warehouse.pk)
    assert [(row["warehouse"], row["value"]) for row in here.rows] == [("Other", 8)]
    assert page("valuation").totals["value"] == 28


def test_goods_that_change_the_warehouse_come_into_one_and_leave_the_other(site: Site) -> None:
    other = make_site("OTHER")
    apple = make_product(unit_cost=Decimal(2))
    site.receive(apple, 10)
    out, into = MovementReason.TRANSFER_OUT, MovementReason.TRANSFER_IN
    post_movements(lines=[site.line(apple, 4, "storage", "in_transit", reason=out)])
    start, end = site.at("in_transit"), other.at("storage")
    post_movements(lines=[MovementLine(apple.pk, start, end, Decimal(4), into)])
    there = page("movements", warehouse=other.warehouse.pk)
    assert (there.totals["value_in"], there.totals["value_out"], there.total) == (8, 0, 1)
    here = page("movements", warehouse=site.warehouse.pk)
    assert (here.totals["value_in"], here.totals["value_out"], here.total) == (20, 8, 3)
    both = page("movements")
    assert (both.totals["value_in"], both.totals["value_out"], both.total) == (20, 0, 3)


def test_movements_are_found_by_reason_and_by_whom(site: Site, in_north: House) -> None:
    apple = make_product()
    site.receive(apple, 10)
    with in_north.scope("operator"):
        site.ship(apple, 3)
    assert page("movements", reason=int(MovementReason.SHIPMENT)).total == 1
    assert page("movements", actor="OPERATOR@").total == 1
    assert page("movements", actor="nobody").total == 0


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"from": dt.date(2026, 2, 2), "to": dt.date(2026, 2, 1)}, "before_from"),
        ({"from": dt.date(2015, 1, 1), "to": dt.date(2026, 1, 1)}, "too_long"),
        ({"from": dt.date(1989, 12, 31), "to": dt.date(1990, 1, 5)}, "too_early"),
        ({"to": dt.date(1, 1, 1)}, "too_early"),
        ({"on": dt.date(9999, 12, 31)}, "future"),
        ({"on": dt.date(1, 1, 1)}, "too_early"),
    ],
)
def test_days_that_make_no_sense_are_refused_by_name(
    in_north: House, values: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        asked("movements", **values)
    assert [problem.code for problem in refused.value.problems] == [code]


# -- against the books ----------------------------------------------------------------------------
def trade(site: Site, seed: int) -> list[Product]:
    """Receive, ship, lose, find and move six products by chance over 500 days."""
    chance = random.Random(seed)
    products = [make_product(f"P{n}", unit_cost=Decimal(chance.randint(1, 9))) for n in range(6)]
    for days_ago in sorted(chance.sample(range(501), 60), reverse=True):
        product = chance.choice(products)
        stock = StockBalance.objects.filter(product=product, location_id=site.at("storage")).first()
        most = int(stock.on_hand) if stock else 0
        ways = [("supplier", "storage", chance.randint(5, 30)), ("loss", "storage", 2)]
        if most:
            ways += [("storage", "customer", chance.randint(1, most))] * 3
            ways += [("storage", "loss", 1), ("storage", "damaged", 1)]
        start, end, quantity = chance.choice(ways)
        line = site.line(product, quantity, start, end)
        post_movements(lines=[line], effective_at=noon(days_ago))
    return products


@pytest.mark.parametrize("days_ago", [0, 90, 333])
def test_stock_of_a_past_day_is_what_the_ledger_replays(site: Site, days_ago: int) -> None:
    trade(site, seed=1)
    day = business_today() - dt.timedelta(days=days_ago)
    evening = dt.datetime.combine(day, dt.time(20), dt.UTC)
    replayed: dict[int, Decimal] = defaultdict(Decimal)
    for then in stock_as_of(min(evening, dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))):
        replayed[then.product_id] += then.quantity
    rows = page("stock-on-hand", on=day).rows
    assert {row["product_id"]: row["on_hand"] for row in rows} == {
        product_id: quantity for product_id, quantity in replayed.items() if quantity
    }
    worth = page("valuation", on=day)
    assert sum(row["value"] for row in rows) == worth.totals["value"]
    assert page("ageing", on=day).totals["value"] == worth.totals["value"]


def test_the_value_now_is_that_of_the_ledger(site: Site) -> None:
    trade(site, seed=2)
    ledger = sum(row.value for row in StockValue.objects.all())
    assert page("valuation").totals["value"] == ledger > 0
    assert page("stock-on-hand").totals["value"] == ledger


def plain_ages(site: Site, product: Product, on_hand: Decimal) -> dict[str, Decimal]:
    """Age stock by a loop: take arrivals newest first until they make up what lies there."""
    inside = {site.at("storage"), site.at("damaged")}
    outside = {site.at("supplier"), site.at("customer")}
    arrivals = [
        (m.business_day, m.quantity)
        for m in StockMovement.objects.filter(product=product)
        if m.from_location_id in outside and m.to_location_id in inside
    ]
    bands = dict.fromkeys(BAND_NAMES, Decimal(0))
    left = on_hand
    for day, quantity in sorted(arrivals, reverse=True):
        age = (business_today() - day).days
        name = [name for name, start in AGE_BANDS if start <= age][-1]
        bands[name] += min(quantity, left)
        left -= min(quantity, left)
    bands[BAND_NAMES[-1]] += left
    return bands


@pytest.mark.parametrize("seed", range(4))
def test_ages_are_those_of_a_plain_loop(site: Site, seed: int) -> None:
    products = {product.pk: product for product in trade(site, seed)}
    rows = page("ageing").rows
    assert len(rows) >= 3
    for row in rows:
        expected = plain_ages(site, products[row["product_id"]], row["on_hand"])
        assert {name: row[name] for name in BAND_NAMES} == expected


@pytest.mark.parametrize("seed", range(3))
def test_mean_stock_and_mean_value_are_those_of_a_walk_through_the_days(
    site: Site, seed: int
) -> None:
    trade(site, seed)
    today = business_today()
    first, last = today - dt.timedelta(days=60), today - dt.timedelta(days=31)
    days = [first + dt.timedelta(days=n) for n in range(30)]
    walked: dict[int, Decimal] = defaultdict(Decimal)
    worth = Decimal(0)
    for day in days:
        for row in page("valuation", on=day).rows:
            walked[row["product_id"]] += row["on_hand"] / 30
            worth += row["value"] / 30
    found = page("turnover", **{"from": first, "to": last})
    for row in found.rows:
        assert abs(row["mean_on_hand"] - walked.get(row["product_id"], 0)) < Decimal("1e-9")
    assert abs(found.totals["mean_value"] - worth) < Decimal("1e-6")


def test_what_was_reversed_never_came_and_never_went(site: Site) -> None:
    apple = make_product(unit_cost=Decimal(2))
    site.receive(apple, 10, effective_at=noon(100))
    [wrong] = site.receive(apple, 7, effective_at=noon(5))
    reverse_movement(movement_id=wrong)
    [sent] = site.ship(apple, 4, effective_at=noon(3))
    reverse_movement(movement_id=sent)
    [row] = page("ageing").rows
    assert (row["on_hand"], row["d91_180"], row["d0_30"]) == (10, 10, 0)


def test_stock_without_an_arrival_is_of_the_oldest_and_said_to_be_so(site: Site) -> None:
    apple = make_product(unit_cost=Decimal(2))
    found = site.line(apple, 5, "loss", "storage", reason=MovementReason.FOUND)
    post_movements(lines=[found])
    aged = page("ageing")
    [row] = aged.rows
    assert (row["d366"], row["mean_age_days"], row["oldest_days"]) == (5, None, None)
    assert "10 EUR" in str(REPORTS["ageing"].notices(aged.totals, asked("ageing"))[0])


def test_stock_from_before_values_counts_at_the_cost_of_its_product(site: Site) -> None:
    """Balances without a value, as an upgrade finds them."""
    apple = make_product(unit_cost=Decimal(3))
    StockBalance.objects.create(product=apple, location_id=site.at("storage"), on_hand=Decimal(4))
    assert page("valuation").totals["value"] == 12
    assert page("stock-on-hand").totals["value"] == 12


def test_a_product_nobody_knows_the_cost_of_is_named_and_worth_nothing(site: Site) -> None:
    site.receive(make_product(), 5)
    found = page("valuation")
    assert found.totals["value"] == 0
    [notice] = REPORTS["valuation"].notices(found.totals, asked("valuation"))
    assert "1 product counts as worth nothing" in str(notice)


def test_unusable_stock_is_shown_apart_and_lots_one_by_one(site: Site) -> None:
    today = business_today()
    milk = make_product("MILK", unit_cost=Decimal(1), lot_tracking=LotTracking.LOT)
    old = make_lot(milk, "OLD", expires_on=today - dt.timedelta(days=1))
    new = make_lot(milk, "NEW", expires_on=today + dt.timedelta(days=9))
    for lot, quantity in ((old, 3), (new, 20)):
        site.receive(milk, quantity, lot_id=lot.pk)
    post_movements(lines=[site.line(milk, 2, "storage", "quarantine", lot_id=new.pk)])
    [row] = page("stock-on-hand").rows
    assert (row["on_hand"], row["available"], row["unusable"]) == (23, 18, 5)
    lots = {row["lot"]: row for row in page("stock-on-hand", by="lot").rows}
    assert lots.keys() == {"OLD", "NEW"}
    assert (lots["OLD"]["available"], lots["OLD"]["unusable"]) == (0, 3)
    assert (lots["NEW"]["available"], lots["NEW"]["unusable"]) == (18, 2)
