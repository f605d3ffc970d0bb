"""Posting movements: balances, shortages, promises; a refusal leaves nothing, what is posted stays."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from inventory.models import MovementReason, StockBalance, StockMovement
from inventory.queries.integrity import check_book
from inventory.services.ledger import (
    AllocationLine,
    InsufficientStock,
    NotAllocated,
    allocate,
    post_movements,
    release,
)
from tenancy.errors import Invalid
from tests.inventory.book import Site, make_product, on_hand


def test_a_movement_takes_from_one_place_and_gives_to_the_other(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    [movement_id] = post_movements(lines=[site.line(apple, 4, "storage", "packing")])
    movement = StockMovement.objects.get(pk=movement_id)
    assert (movement.quantity, movement.reason) == (4, MovementReason.MOVE)
    assert on_hand(apple, site.at("storage")) == 6  # 10 - 4
    assert on_hand(apple, site.at("packing")) == 4
    assert check_book() == []


def test_outside_places_get_no_balance(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 5)
    site.ship(apple, 2)
    assert set(StockBalance.objects.values_list("location_id", flat=True)) == {site.at("storage")}


def test_ids_come_back_in_the_order_of_the_lines(site: Site) -> None:
    products = [make_product(f"P{n}") for n in range(5)]
    lines = [site.line(p, n + 1, "supplier", "storage") for n, p in enumerate(reversed(products))]
    ids = post_movements(lines=lines)
    rows = StockMovement.objects.in_bulk(ids)
    assert [rows[i].product_id for i in ids] == [line.product_id for line in lines]


def test_lines_of_one_balance_are_netted_so_their_order_does_not_matter(site: Site) -> None:
    apple = make_product()
    lines = [
        site.line(apple, 7, "storage", "customer"),
        site.line(apple, 3, "storage", "packing"),
        site.line(apple, 12, "supplier", "storage"),
    ]
    post_movements(lines=lines)
    assert on_hand(apple, site.at("storage")) == 2  # 12 - 7 - 3
    assert on_hand(apple, site.at("packing")) == 3
    assert check_book() == []


def test_passing_through_a_place_in_one_posting_leaves_nothing_there(site: Site) -> None:
    apple = make_product()
    lines = [
        site.line(apple, 8, "receiving", "storage"),
        site.line(apple, 8, "supplier", "receiving"),
    ]
    post_movements(lines=lines)
    assert on_hand(apple, site.at("receiving")) == 0
    assert on_hand(apple, site.at("storage")) == 8
    assert check_book() == []


def test_a_shortage_names_every_short_line_with_its_numbers_and_posts_nothing(site: Site) -> None:
    apple, pear, plum = (make_product(sku) for sku in ("APPLE", "PEAR", "PLUM"))
    site.receive(apple, 5)
    site.receive(pear, 5)
    before = StockMovement.objects.count()
    with pytest.raises(InsufficientStock) as refusal:
        post_movements(
            lines=[
                site.line(apple, 3, "storage", "customer"),
                site.line(apple, 4, "storage", "customer"),
                site.line(pear, 5, "storage", "customer"),
                site.line(plum, 1, "storage", "customer"),
            ]
        )
    # apple: 3 + 4 = 7 of 5, so 2 short; plum: 1 of 0
    found = [(s.sku, s.on_hand, s.required, s.short) for s in refusal.value.lines]
    assert found == [("APPLE", 5, 7, 2), ("PLUM", 0, 1, 1)]
    assert refusal.value.data["lines"][0] == {
        "product_id": apple.pk,
        "sku": "APPLE",
        "location_id": site.at("storage"),
        "location": "STORAGE",
        "lot_id": None,
        "on_hand": "5",
        "allocated": "0",
        "required": "7",
        "short": "2",
    }
    assert "APPLE at STORAGE, 7 asked, 5 free" in str(refusal.value)
    assert StockMovement.objects.count() == before
    assert on_hand(pear) == 5
    assert check_book() == []


def test_promised_stock_cannot_leave_unless_its_promise_is_released_with_it(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    allocate(lines=[AllocationLine(apple.pk, site.at("storage"), Decimal(8))])
    with pytest.raises(InsufficientStock) as refusal:
        site.ship(apple, 3)
    assert refusal.value.lines[0].short == 1  # 3 asked, 10 - 8 = 2 free
    post_movements(
        lines=[site.line(apple, 3, "storage", "customer")],
        releases=[AllocationLine(apple.pk, site.at("storage"), Decimal(3))],
    )
    balance = StockBalance.objects.get(product=apple)
    assert (balance.on_hand, balance.allocated) == (7, 5)


def test_allocation_never_exceeds_what_lies_there(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    storage = site.at("storage")
    allocate(lines=[AllocationLine(apple.pk, storage, Decimal(6))])
    with pytest.raises(InsufficientStock) as refusal:
        allocate(lines=[AllocationLine(apple.pk, storage, Decimal(5))])
    assert refusal.value.lines[0].short == 1  # 6 + 5 = 11 of 10
    with pytest.raises(NotAllocated):
        release(lines=[AllocationLine(apple.pk, storage, Decimal(7))])
    release(lines=[AllocationLine(apple.pk, storage, Decimal(6))])
    assert StockBalance.objects.get(product=apple).allocated == 0


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity", "sNaN"])
def test_an_allocation_needs_a_positive_quantity(site: Site, quantity: str) -> None:
    apple = make_product()
    site.receive(apple, 10)
    with pytest.raises(Invalid):
        allocate(lines=[AllocationLine(apple.pk, site.at("storage"), Decimal(quantity))])


def test_allocating_a_foreign_product_answers_like_a_missing_one(site: Site) -> None:
    with pytest.raises(InsufficientStock) as refusal:
        allocate(lines=[AllocationLine(987654321, site.at("storage"), Decimal(1))])
    assert refusal.value.lines[0].on_hand == 0


def test_the_number_of_statements_does_not_grow_with_the_lines(site: Site) -> None:
    products = [make_product(f"P{n:03}") for n in range(600)]

    def statements(count: int, start: str, end: str) -> int:
        lines = [site.line(p, 2, start, end) for p in products[:count]]
        with CaptureQueriesContext(connection) as captured:
            post_movements(lines=lines)
        return len(captured)

    first = statements(1, "supplier", "storage")
    assert first == statements(600, "supplier", "storage") == 12  # two of them to take values on
    again = statements(1, "supplier", "storage")
    assert again == statements(600, "supplier", "storage") == 10
    # inside a warehouse no value changes: two statements less
    assert statements(1, "storage", "packing") == statements(600, "storage", "packing") == 8
    assert statements(1, "packing", "customer") == statements(600, "packing", "customer") == 9
    assert on_hand(products[599], site.at("packing")) == 0


@pytest.mark.parametrize("change", ["UPDATE {} SET quantity = 1", "DELETE FROM {}"])
def test_the_application_cannot_change_a_posted_movement(site: Site, change: str) -> None:
    site.receive(make_product(), 1)
    refused = pytest.raises(DatabaseError, match="permission denied")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format("inventory_stockmovement"))


@pytest.mark.parametrize(
    "change",
    ["on_hand = -1", "allocated = on_hand + 1", "allocated = -1"],
)
def test_the_database_refuses_a_balance_that_cannot_be(site: Site, change: str) -> None:
    site.receive(make_product(), 1)
    refused = pytest.raises(DatabaseError, match="violates check")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE inventory_stockbalance SET {change}")
