"""Pages of the report room: every report empty, filled, filtered, refused; by whom it is allowed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from inventory.models import Category, LotTracking
from inventory.pages import reports as pages
from inventory.queries.reports import REPORTS
from inventory.queries.reports.asking import business_today
from inventory.services.access import set_warehouse_access
from inventory.services.demand import DemandLine, record_demand
from inventory.services.ledger import post_movements
from inventory.services.purchasing import OrderLine, create_draft_order, place_order
from inventory.services.suppliers import SupplierFields, create_supplier
from tenancy.models import Membership, User
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site
from tests.inventory.outbound_world import Floor

NAMES = list(REPORTS)
SEARCHED = [name for name, report in REPORTS.items() if "q" in report.filters]
PATHS = ["reports/", *(f"reports/{name}/" for name in NAMES)]
FILES = [f"reports/{name}.{file_format}" for name in NAMES for file_format in ("csv", "xlsx")]


def fill(house: House) -> Site:
    """Give the house milk in a lot, sold, some of it lost; an order each way is late."""
    with house.scope():
        site = make_site()
        fresh = Category.objects.create(name="Fresh")
        today = business_today()
        milk = make_product(
            "MILK", unit_cost=Decimal(2), lot_tracking=LotTracking.LOT, category=fresh
        )
        lot = make_lot(milk, "L-7", expires_on=today + dt.timedelta(days=5))
        long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=40)
        site.receive(milk, 1500, lot_id=lot.pk, effective_at=long_ago)
        site.ship(milk, 20, lot_id=lot.pk)
        post_movements(lines=[site.line(milk, 3, "storage", "loss", lot_id=lot.pk)])
        yesterday = today - dt.timedelta(days=1)
        record_demand(lines=[DemandLine(milk.pk, site.warehouse.pk, yesterday, Decimal(20))])
        supplier = create_supplier(fields=SupplierFields(code="DAI", name="Dairy"))
        line = OrderLine(milk.pk, Decimal(50), Decimal(2), promised_on=yesterday)
        bought = create_draft_order(
            supplier_id=supplier.pk, warehouse_id=site.warehouse.pk, lines=[line]
        )
        place_order(order_id=bought.pk, placed_at=long_ago)
        sold = Floor(site).order((milk, 5), promised_on=yesterday, confirmed_at=long_ago)
        assert sold.pk
    return site


def shown_by(name: str) -> str:
    """Return what the report's rows name of this world."""
    return {"inbound": "Dairy", "outbound": "Main"}.get(name, "MILK")


def get(house: House, path: str, role: str = "viewer", **query: Any) -> Any:
    return house.client(role).get(house.path(path), query)


# -- who ------------------------------------------------------------------------------------------
def test_a_viewer_may_read_every_report_and_file(north: House) -> None:
    client = north.client("viewer")
    answers = {path: client.get(north.path(path)).status_code for path in [*PATHS, *FILES]}
    assert answers == dict.fromkeys([*PATHS, *FILES], 200)


def test_a_stranger_finds_none_of_them(north: House, stranger: User) -> None:
    client = Client()
    client.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    answers = {path: client.get(north.path(path)).status_code for path in [*PATHS, *FILES]}
    assert answers == dict.fromkeys([*PATHS, *FILES], 404)


def test_reports_are_only_read(north: House) -> None:
    client = north.client("owner")
    reports = [*PATHS[1:], *FILES]
    answers = {path: client.post(north.path(path)).status_code for path in reports}
    assert answers == dict.fromkeys(reports, 405)


# -- what -----------------------------------------------------------------------------------------
def test_the_room_shows_every_report_and_the_menu_leads_there(north: House) -> None:
    html = get(north, "reports/").content.decode()
    for report in REPORTS.values():
        assert f'href="{north.path(f"reports/{report.name}/")}"' in html
        assert str(report.title) in html
        assert str(report.purpose) in html
    assert 'aria-current="page"' in html


@pytest.mark.parametrize("name", NAMES)
def test_a_tenant_without_data_is_told_what_the_report_needs(north: House, name: str) -> None:
    html = get(north, f"reports/{name}/").content.decode()
    assert "Nothing to report yet" in html
    assert "<table" not in html
    assert "export" not in html.lower()
    assert f"reports/{name}.csv" not in html


@pytest.mark.parametrize("name", NAMES)
def test_every_report_draws_figures_a_picture_and_rows(north: House, name: str) -> None:
    fill(north)
    answer = get(north, f"reports/{name}/")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert shown_by(name) in html
    assert "data-chart=" in html
    assert answer.context["page"].total == (2 if name == "movements" else 1)
    assert north.path(f"reports/{name}.xlsx") in html
    assert "How this is counted" in html


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("reports/stock-on-hand/", ["1,477", "€2,954.00", "Main"]),
        ("reports/stock-on-hand/?by=lot", ["L-7"]),
        ("reports/valuation/", ["€2.00", "Moving average", "100%"]),
        ("reports/ageing/", ["31\u201360 days", "Mean age, days"]),
        ("reports/ageing/?by=quantity", ["1,477"]),
        # 20 in 91 days: 1.1 sell in five, of 1,477
        ("reports/expiry/", ["L-7", "1,476", "€2,952.00", "0.22"]),
        ("reports/movements/", ["Shipment", "Count variance", "STORAGE", "CUSTOMER"]),
        ("reports/turnover/?by=category", ["Fresh"]),
        ("reports/turnover/?by=warehouse", ["Main"]),
        ("reports/abc-xyz/", ["X steady", "1 product", "€40.00"]),
        # three lost of twenty shipped, at the same cost
        ("reports/shrinkage/", ["Count variance", "€6.00", "15%"]),
        ("reports/shrinkage/?by=reason", ["Count variance"]),
        ("reports/inbound/", ["Dairy", "0%", "100%", "€100.00", "promised: 39.0"]),
        ("reports/inbound/?by=product", ["MILK"]),
        ("reports/outbound/", ["Main", "Cycle, hours", "0 of 1 promised orders"]),
        ("reports/outbound/?by=channel", ["Web shop"]),
    ],
)
def test_a_report_says_what_the_books_say(north: House, path: str, words: list[str]) -> None:
    fill(north)
    html = north.client("viewer").get(north.path(path)).content.decode()
    for word in words:
        assert word in html, word


def test_sku_and_unit_stand_at_the_name_and_the_number(north: House) -> None:
    fill(north)
    html = get(north, "reports/valuation/").content.decode()
    assert '<span class="sub mono">MILK</span>' in html
    assert '<span class="unit">pcs</span>' in html


def test_a_class_of_the_matrix_leads_to_its_products(north: House) -> None:
    fill(north)
    html = get(north, "reports/abc-xyz/").content.decode()
    assert "?abc=A&amp;xyz=Z" in html
    nothing = get(north, "reports/abc-xyz/", abc="B", xyz="X").content.decode()
    assert "Nothing matches these filters" in nothing
    assert "X steady" in nothing  # the matrix stays, to choose another


def test_a_member_restricted_to_a_warehouse_sees_no_other_on_page_file_or_api(
    north: House,
) -> None:
    site = fill(north)
    with north.scope():
        other = make_site("OTHER")
        other.receive(make_product("SECRET", unit_cost=Decimal(1)), 5)
        membership = Membership.objects.get(user=north.members["viewer"])
        set_warehouse_access(membership_id=membership.pk, warehouse_ids=[site.warehouse.pk])
    assert "SECRET" in get(north, "reports/valuation/", "operator").content.decode()
    client = north.client("viewer")
    for name in NAMES:
        if name == "abc-xyz":  # lists products, wherever they lie
            continue
        assert "SECRET" not in client.get(north.path(f"reports/{name}/")).content.decode()
        file = client.get(north.path(f"reports/{name}.csv"))
        assert b"SECRET" not in b"".join(file.streaming_content)
        api = client.get(f"/api/v1/north/reports/{name}")
        assert b"SECRET" not in api.content
    beyond = client.get(north.path("reports/valuation/"), {"warehouse": other.warehouse.pk})
    assert beyond.status_code == 422
    api = client.get("/api/v1/north/reports/valuation", {"warehouse_id": other.warehouse.pk})
    assert api.json()["items"] == []


# -- filters --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_that_finds_nothing_says_so_and_can_be_cleared(north: House, name: str) -> None:
    fill(north)
    found = get(north, f"reports/{name}/", q="mil").content.decode()
    assert shown_by(name) in found
    nothing = get(north, f"reports/{name}/", q="zzz").content.decode()
    assert "Nothing matches these filters" in nothing
    assert "Clear filters" in nothing


@pytest.mark.parametrize("field", ["warehouse", "category"])
def test_the_id_of_another_tenant_is_refused_like_one_that_nobody_has(
    north: House, south: House, field: str
) -> None:
    fill(north)
    theirs = fill(south)
    with south.scope():
        row_id = theirs.warehouse.pk if field == "warehouse" else Category.objects.get().pk
    client = north.client("viewer")
    asking = [name for name, report in REPORTS.items() if field in report.filters]
    for path in [f"reports/{name}{rest}" for name in asking for rest in ("/", ".csv")]:
        for number in (row_id, 987_654_321):
            answer = client.get(north.path(path), {field: number})
            assert answer.status_code == 422
            html = answer.content.decode()
            assert "These filters cannot be answered" in html
            assert "MILK" not in html


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-02-02", "to": "2026-02-01"},
        {"from": "yesterday"},
        {"from": "1980-01-01", "to": "1980-02-01"},
        {"reason": "7"},
        {"by": "moon"},
    ],
)
def test_filters_that_make_no_sense_are_refused_in_words_not_ignored(
    north: House, query: dict[str, str]
) -> None:
    fill(north)
    for rest in ("/", ".csv", ".xlsx"):
        answer = get(north, f"reports/shrinkage{rest}", **query)
        assert answer.status_code == 422
        assert "These filters cannot be answered" in answer.content.decode()


def test_the_limits_of_the_classes_must_grow(north: House) -> None:
    fill(north)
    answer = get(north, "reports/abc-xyz/", a_to="96")
    assert answer.status_code == 422
    assert "The limits must grow" in answer.content.decode()
    assert get(north, "reports/abc-xyz/", a_to="50", x_to="0.1").status_code == 200


def test_the_usual_period_is_shown_and_others_are_one_click_away(north: House) -> None:
    fill(north)
    with north.scope():
        today = business_today()
    html = get(north, "reports/shrinkage/").content.decode()
    assert f'value="{today - dt.timedelta(days=90)}"' in html
    week = f"?from={today - dt.timedelta(days=6)}&amp;to={today}"
    assert week in html
    assert "Clear" not in html  # nothing was chosen


def test_a_page_follows_a_page_and_keeps_filters_and_order(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with north.scope():
        site = make_site()
        for number in range(5):
            site.receive(make_product(f"P{number}", unit_cost=Decimal(number + 1)), 10)
    monkeypatch.setattr(pages, "PAGE_SIZE", 2)
    seen: list[str] = []
    cursor = ""
    while True:
        answer = get(north, "reports/valuation/", sort="value", q="P", cursor=cursor)
        seen += [row[0].sub for row in answer.context["rows"]]
        cursor = answer.context["next_cursor"]
        if not cursor:
            break
        assert f"cursor={cursor}" in answer.content.decode()
    assert seen == ["P0", "P1", "P2", "P3", "P4"]


@pytest.mark.parametrize("cursor", ["-1", "x", "1e3", "9" * 30, "٣"])
def test_a_tampered_page_link_is_refused(north: House, cursor: str) -> None:
    assert get(north, "reports/valuation/", cursor=cursor).status_code == 400


def test_a_report_asks_the_same_number_of_questions_however_many_rows(
    north: House, django_assert_num_queries: Any
) -> None:
    site = fill(north)
    client = north.client("viewer")

    def ask_every_report() -> None:
        for name in NAMES:
            queries = PAGE_QUERIES + QUERIES_MORE.get(name, 0)
            with django_assert_num_queries(queries, info=name):
                client.get(north.path(f"reports/{name}/"))

    ask_every_report()
    with north.scope():
        for number in range(6):
            product = make_product(f"P{number}", unit_cost=Decimal(1))
            site.receive(product, 10)
            site.ship(product, 1)
            post_movements(lines=[site.line(product, 1, "storage", "loss")])
            Floor(site).order((product, 1), promised_on=dt.date(2026, 1, 1))
    ask_every_report()


# session, user, tenant, savepoint, scope, membership, access, warehouses, categories, report,
# scope left, release
PAGE_QUERIES = 12
# inbound offers suppliers as well; outbound asks for no category
QUERIES_MORE = {"inbound": 1, "outbound": -1}
