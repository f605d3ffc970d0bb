"""Stock and value of a past moment: the same by every way, and read by index only."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import connection

from inventory.models import Location, LocationKind, MovementReason, StockMovement, ValueEntry
from inventory.queries.as_of import (
    STOCK_AS_OF,
    VALUE_AS_OF,
    StockThen,
    ValueThen,
    statement,
    stock_as_of,
    value_as_of,
)
from inventory.queries.integrity import check_book
from inventory.services.ledger import InsufficientStock, MovementLine, post_movements
from inventory.services.periods import close_period
from tests import engines
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site

NOW = datetime.now(UTC)
NOON = NOW.replace(hour=12, minute=0, second=0, microsecond=0)
OUTSIDE = {"supplier", "customer", "loss"}


def replayed(at: datetime) -> tuple[list[StockThen], list[ValueThen]]:
    """Return both by reading everything there is, one after the other."""
    kinds = dict(Location.objects.values_list("id", "kind"))
    stock: dict[tuple[int, int, int | None], Decimal] = {}
    for m in StockMovement.objects.filter(effective_at__lte=at):
        for place, change in ((m.from_location_id, -m.quantity), (m.to_location_id, m.quantity)):
            if kinds[place] not in OUTSIDE:
                key = m.product_id, place, m.lot_id
                stock[key] = stock.get(key, Decimal(0)) + change
    worth: dict[tuple[int, int], tuple[Decimal, Decimal]] = {}
    for e in ValueEntry.objects.filter(effective_at__lte=at):
        quantity, value = worth.get((e.product_id, e.warehouse_id), (Decimal(0), Decimal(0)))
        key = e.product_id, e.warehouse_id
        worth[key] = quantity + e.quantity_change, value + e.value_change
    rows = [StockThen(*key, quantity) for key, quantity in stock.items() if quantity]
    values = [ValueThen(*key, q, v) for key, (q, v) in worth.items() if q or v]
    return (
        sorted(rows, key=lambda r: (r.product_id, r.location_id, r.lot_id or 0)),
        sorted(values, key=lambda r: (r.product_id, r.warehouse_id)),
    )


def busy_year(seed: int) -> None:
    """Post at random over a year, in two warehouses of different time zones, not in order."""
    chance = random.Random(seed)
    sites = [make_site("BERLIN"), make_site("APIA", time_zone="Pacific/Apia")]
    products = [make_product("A"), make_product("B", lot_tracking="lot")]
    lots = [None, make_lot(products[1]).pk]
    for _ in range(120):
        n, site = chance.randrange(2), chance.choice(sites)
        when = NOW - timedelta(minutes=chance.randrange(400 * 24 * 60))
        start, end = chance.choice(
            [("supplier", "storage"), ("storage", "customer"), ("storage", "packing")]
        )
        line = site.line(
            products[n],
            chance.randint(1, 9),
            start,
            end,
            lot_id=lots[n],
            unit_cost=Decimal(chance.randint(1, 9)),
        )
        try:
            post_movements(lines=[line], effective_at=when)
        except InsufficientStock:
            continue
    [row] = [r for r in stock_as_of(NOW) if r.location_id == sites[0].at("storage")][:1]
    journey = [row.location_id, sites[1].at("in_transit"), sites[1].at("storage")]
    for start, end, reason in (
        (journey[0], journey[1], MovementReason.TRANSFER_OUT),
        (journey[1], journey[2], MovementReason.TRANSFER_IN),
    ):
        line = MovementLine(row.product_id, start, end, Decimal(1), reason, row.lot_id)
        post_movements(lines=[line])


def moments() -> list[datetime]:
    """Return moments all over the year, some at the very edge of a day somewhere."""
    edges = [timedelta(hours=h) for h in (0, 10, 11, 12, 13, 22, 23)]
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    days = (0, 1, 2, 29, 30, 31, 99, 100, 101, 102, 200, 398)
    return [midnight - timedelta(days=d) + edge for d in days for edge in edges] + [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, tzinfo=UTC),
    ]


@pytest.mark.parametrize("closed", [(), (100,), (300, 100, 30)])
def test_every_way_to_a_moment_ends_where_reading_everything_does(
    in_north: House, closed: tuple[int, ...]
) -> None:
    busy_year(seed=len(closed))
    for days in closed:
        close_period(through=(NOW - timedelta(days=days)).date())
    for at in moments():
        stock, worth = replayed(at)
        assert stock_as_of(at) == stock, at
        assert value_as_of(at) == worth, at
    assert check_book() == []


def test_a_moment_of_one_product_in_one_warehouse(site: Site) -> None:
    other = make_site("OTHER")
    apple, pear = make_product(), make_product("PEAR")
    for place in (site, other):
        for product in (apple, pear):
            place.receive(product, 10, effective_at=NOON - timedelta(days=9), unit_cost=Decimal(2))
    site.ship(apple, 4, effective_at=NOON - timedelta(days=3))
    then = NOON - timedelta(days=5)
    asked: dict[str, Any] = {"product_ids": [apple.pk], "warehouse_id": site.warehouse.pk}
    assert stock_as_of(then, **asked) == [
        StockThen(apple.pk, site.at("storage"), None, Decimal(10))
    ]
    [now] = value_as_of(NOW, **asked)
    assert (now.quantity, now.value) == (6, 12)
    assert len(value_as_of(then, product_ids=[apple.pk])) == 2
    assert stock_as_of(then, product_ids=[]) == []


def test_it_is_one_statement(site: Site, django_assert_num_queries: Any) -> None:
    site.receive(make_product(), 1)
    with django_assert_num_queries(1):
        stock_as_of(NOW)
    with django_assert_num_queries(1):
        value_as_of(NOW)


def test_stock_before_values_were_kept_has_no_value_then(site: Site) -> None:
    assert value_as_of(NOW) == []


# -- the plan ----------------------------------------------------------------------------------------
MOVEMENTS, DAYS = 40_000, 400
FILL = """
    WITH posted AS (
        INSERT INTO inventory_stockmovement (tenant_id, product_id, from_location_id,
            to_location_id, quantity, reason, note, document_kind, actor_label, effective_at,
            business_day)
        SELECT %(tenant)s, (%(products)s::bigint[])[1 + n / %(days)s %% 50], %(supplier)s, %(storage)s, 1, 20,
            '', '', '', at, at::date
        FROM generate_series(0, %(count)s - 1) AS n,
            LATERAL (SELECT now() - (n %% %(days)s) * interval '1 day' AS at) AS moment
        RETURNING *
    )
    INSERT INTO inventory_valueentry (tenant_id, kind, movement_id, product_id, warehouse_id,
        quantity_change, value_change, effective_at, business_day)
    SELECT tenant_id, 'movement', id, product_id, %(warehouse)s, quantity, 2, effective_at,
        business_day
    FROM posted
"""


@pytest.fixture
def large_book(transactional_db: None, north: House) -> tuple[House, int]:
    """Forty thousand movements of fifty products in four hundred days, closed a month ago."""
    with north.scope():
        site = make_site()
        products = [make_product(f"P{n}").pk for n in range(50)]
        arguments = {
            "tenant": north.tenant.pk,
            "products": products,
            "supplier": site.at(LocationKind.SUPPLIER),
            "storage": site.at(LocationKind.STORAGE),
            "warehouse": site.warehouse.pk,
            "count": MOVEMENTS,
            "days": DAYS,
        }
    with psycopg.connect(engines.superuser_url(engines.database_name()), autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(FILL, arguments)
        with north.scope():
            close_period(through=(NOW - timedelta(days=30)).date())
        admin.execute("ANALYZE inventory_stockmovement, inventory_valueentry")
        admin.execute("ANALYZE inventory_stocksnapshot, inventory_valuesnapshot")
    return north, products[0]


def scans(sql: str, at: datetime, product_ids: list[int] | None) -> list[tuple[str, str, int]]:
    """Return what was read and how: node, table, rows."""
    text, arguments = statement(sql, at, product_ids, None)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + text, arguments)
        [[[plan]]] = cursor.fetchall()
    found = []

    def walk(node: dict[str, Any]) -> None:
        if "Relation Name" in node and node["Actual Loops"]:
            rows = round(node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
            found.append((node["Node Type"], node["Relation Name"], rows * node["Actual Loops"]))
        for child in node.get("Plans", []):
            walk(child)

    walk(plan["Plan"])
    return found


def test_only_the_movements_between_are_read_and_by_index(large_book: tuple[House, int]) -> None:
    house, product_id = large_book
    books = ((STOCK_AS_OF, "inventory_stockmovement"), (VALUE_AS_OF, "inventory_valueentry"))
    with house.scope():
        for days, only, (sql, table) in itertools.product((3, 20, 28), (None, [product_id]), books):
            read = scans(sql, NOW - timedelta(days=days), only)
            ledger = [(node, rows) for node, name, rows in read if name == table]
            assert ledger
            assert all("Seq Scan" not in node for node, _rows in ledger), (days, only, ledger)
            # a hundred a day, two of each product; from the nearer end, and three for the zones
            between = min(days, 30 - days) + 3
            most = between * (MOVEMENTS // DAYS) // (50 if only else 1)
            assert sum(rows for _node, rows in ledger) <= most, (days, only, ledger)


def test_control_without_a_closing_the_whole_past_is_read(large_book: tuple[House, int]) -> None:
    house, _product_id = large_book
    with house.scope():
        at = NOW - timedelta(days=300)
        text = STOCK_AS_OF.replace("WHERE NOT (SELECT is_forward FROM way)", "WHERE true")
        read = scans(text, at, None)
    assert sum(rows for _n, name, rows in read if name == "inventory_stockmovement") > MOVEMENTS / 2
