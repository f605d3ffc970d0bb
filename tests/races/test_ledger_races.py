"""Many at once for the same stock: exactly what is there leaves, whoever comes first.

Each race has its control: the same race with the protection off goes wrong.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection

from inventory.models import Product, StockBalance, StockMovement
from inventory.queries.integrity import balances_equal_the_ledger, check_book
from inventory.services import ledger_balances
from inventory.services.ledger import (
    AllocationLine,
    AlreadyReversed,
    InsufficientStock,
    allocate,
    post_movements,
    reverse_movement,
)
from tenancy.scope import Actor, tenant_scope
from tests.races.conftest import Arena
from tests.races.harness import ROUNDS, race, without_constraint, won

THREADS = 50


def read_then_save(arena: Arena, product: Product, meeting: threading.Barrier) -> Callable[[], int]:
    """Return a worker of the kind the ledger replaces: read, compute, save."""

    def work() -> int:
        row = StockBalance.objects.get(product=product, location=arena.site.at("storage"))
        meeting.wait(60)  # everybody has read before anybody saves
        if row.on_hand < 1:
            raise InsufficientStock([])
        row.on_hand -= 1
        row.save()
        line = arena.site.line(product, 1, "storage", "customer")
        return StockMovement.objects.create(
            product_id=line.product_id,
            from_location_id=line.from_location_id,
            to_location_id=line.to_location_id,
            quantity=line.quantity,
            reason=line.reason,
            effective_at="2026-01-01T12:00:00Z",
            business_day="2026-01-01",
        ).pk

    return work


def test_the_last_unit_goes_to_one_of_fifty(arena: Arena) -> None:
    for number in range(ROUNDS):
        product = arena.product(f"LAST-{number}", stock=1)
        results = race(arena.house, [arena.shipper(product)] * THREADS)
        assert len(won(results)) == 1
        losers = [r for r in results if isinstance(r, Exception)]
        assert all(isinstance(r, InsufficientStock) for r in losers), losers
        assert arena.stock(product) == 0
        assert arena.moved(product, "storage", "customer") == 1
    with arena.house.scope():
        assert check_book() == []


def test_control_reading_then_saving_sells_the_last_unit_to_many(arena: Arena) -> None:
    product = arena.product("LAST", stock=1)
    worker = read_then_save(arena, product, threading.Barrier(10))
    assert len(won(race(arena.house, [worker] * 10))) > 1
    with arena.house.scope():
        assert balances_equal_the_ledger() != []


def test_control_without_the_guard_the_check_constraint_still_stops_it(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded = ledger_balances.CHANGE_BALANCES.split("AND b.on_hand + change.on_hand >= 0")[0]
    monkeypatch.setattr(ledger_balances, "CHANGE_BALANCES", unguarded)
    product = arena.product("LAST", stock=1)
    results = race(arena.house, [arena.shipper(product)] * 10)
    assert len(won(results)) == 1
    assert all(isinstance(r, IntegrityError) for r in results if isinstance(r, Exception))


def test_control_without_guard_and_constraint_the_stock_goes_below_zero(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded = ledger_balances.CHANGE_BALANCES.split("AND b.on_hand + change.on_hand >= 0")[0]
    monkeypatch.setattr(ledger_balances, "CHANGE_BALANCES", unguarded)
    product = arena.product("LAST", stock=1)
    table = "inventory_stockbalance"
    # the value of the stock would notice, too
    monkeypatch.setattr("inventory.services.ledger.write_values", lambda *_written: None)
    with (
        without_constraint(table, "balance_on_hand_not_negative"),
        without_constraint(table, "balance_allocated_within_on_hand"),
    ):
        assert len(won(race(arena.house, [arena.shipper(product)] * 10))) == 10
        assert arena.stock(product) == -9


def test_fifty_first_receipts_make_one_balance(arena: Arena) -> None:
    for number in range(max(1, ROUNDS // 5)):
        product = arena.product(f"NEW-{number}")
        results = race(arena.house, [arena.receiver(product)] * THREADS)
        assert len(won(results)) == THREADS, results
        with arena.house.scope():
            assert StockBalance.objects.filter(product=product).count() == 1
        assert arena.stock(product) == THREADS


def test_control_without_the_unique_key_first_receipts_make_many_balances(arena: Arena) -> None:
    product = arena.product("NEW")
    with without_constraint("inventory_stockbalance", "balance_unique"):
        race(arena.house, [arena.receiver(product)] * THREADS)
        with arena.house.scope():
            assert StockBalance.objects.filter(product=product).count() > 1


def test_a_hot_row_ends_exactly_where_the_ledger_says(arena: Arena) -> None:
    product = arena.product("HOT", stock=1000)

    def work() -> None:
        for _ in range(5):
            arena.site.ship(product, 3)
            arena.site.receive(product, 1)

    for _ in range(max(1, ROUNDS // 5)):
        before = arena.stock(product)
        assert len(won(race(arena.house, [work] * 16))) == 16
        assert arena.stock(product) == before - 16 * 5 * 2  # each turn: 3 out, 1 in
    with arena.house.scope():
        assert check_book() == []


def test_control_reading_then_saving_loses_updates_on_a_hot_row(arena: Arena) -> None:
    product = arena.product("HOT", stock=1000)
    worker = read_then_save(arena, product, threading.Barrier(16))
    assert len(won(race(arena.house, [worker] * 16))) == 16
    assert arena.stock(product) == 999  # 16 issues, one survived


def test_one_unit_is_promised_once(arena: Arena) -> None:
    product = arena.product("PROMISE", stock=5)
    line = AllocationLine(product.pk, arena.site.at("storage"), Decimal(2))
    results = race(arena.house, [lambda: allocate(lines=[line])] * 20)
    assert len(won(results)) == 2  # 2 + 2 of 5; a third would need 6
    with arena.house.scope():
        assert StockBalance.objects.get(product=product).allocated == 4


def many_lines(arena: Arena, products: list[Product]) -> Callable[[], Any]:
    lines = [arena.site.line(p, 1, "storage", "customer") for p in products]
    return lambda: post_movements(lines=lines)


def test_opposite_orders_of_the_same_products_never_deadlock(arena: Arena) -> None:
    products = [arena.product(f"P{n}", stock=100) for n in range(30)]
    forward, backward = many_lines(arena, products), many_lines(arena, products[::-1])
    for _ in range(max(2, ROUNDS // 5)):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            )
            [before] = cursor.fetchone()
        results = race(arena.house, [forward, backward] * 4)
        assert len(won(results)) == 8, results
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            )
            assert cursor.fetchone() == (before,)
    with arena.house.scope():
        assert check_book() == []


def test_control_unsorted_locks_deadlock(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = arena.product("A", stock=9), arena.product("B", stock=9)
    meeting = threading.Barrier(2)

    def one_after_the_other(products: list[Product]) -> Callable[[], None]:
        def work() -> None:
            with tenant_scope(arena.house.tenant, actor=Actor.system("control")):
                arena.site.ship(products[0], 1)
                meeting.wait(60)  # each holds one and wants the other
                arena.site.ship(products[1], 1)

        return work

    monkeypatch.setattr("tenancy.scope.MOST_ATTEMPTS", 1)
    workers = [one_after_the_other([first, second]), one_after_the_other([second, first])]
    results = race(arena.house, workers)
    [loser] = [r for r in results if isinstance(r, Exception)]
    assert isinstance(loser, OperationalError)
    assert loser.__cause__.sqlstate == "40P01"


def test_a_movement_is_reversed_by_one_of_twenty(arena: Arena) -> None:
    product = arena.product("BACK", stock=100)
    with arena.house.scope():
        [shipment] = arena.site.ship(product, 1)
    results = race(arena.house, [lambda: reverse_movement(movement_id=shipment)] * 20)
    assert len(won(results)) == 1
    assert all(isinstance(r, AlreadyReversed) for r in results if isinstance(r, Exception))
    assert arena.stock(product) == 100


def test_control_without_the_unique_key_a_movement_is_reversed_many_times(arena: Arena) -> None:
    product = arena.product("BACK", stock=100)
    with arena.house.scope():
        [shipment] = arena.site.ship(product, 1)
    with without_constraint("inventory_stockmovement", "movement_reversed_once"):
        results = race(arena.house, [lambda: reverse_movement(movement_id=shipment)] * 20)
        assert len(won(results)) > 1
        assert arena.stock(product) > 100
