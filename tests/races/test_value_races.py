"""Many at once for the value of the same stock: exact to a millionth, and nobody waits for ever.

Each guarantee has its control: the same with the protection off goes wrong.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection

from inventory.models import (
    InventorySettings,
    MovementReason,
    Product,
    StockValue,
    ValuationMethod,
    ValueEntry,
)
from inventory.queries.integrity import check_book
from inventory.services import ledger, ledger_values
from inventory.services.ledger import post_movements
from inventory.services.valuation import Revaluation, change_valuation_method, revalue_stock
from tests.races.conftest import Arena
from tests.races.harness import ROUNDS, race, won

WRITERS = 16


def worth(arena: Arena, product: Product) -> tuple[Decimal, Decimal]:
    with arena.house.scope():
        row = StockValue.objects.get(product=product)
        return row.quantity, row.value


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        [count] = cursor.fetchone()
    return int(count)


@pytest.mark.parametrize("method", ["moving_average", "fifo"])
def test_sixteen_writers_keep_quantity_and_value_exact(arena: Arena, method: str) -> None:
    with arena.house.scope():
        InventorySettings.objects.create(valuation_method=method)
    product = arena.product("HOT", stock=1000)
    before = deadlocks()

    def writer(number: int) -> Callable[[], None]:
        def work() -> None:
            for turn in range(4):
                cost = Decimal(number * 7 + turn) / 3
                arena.site.receive(product, 2, unit_cost=cost.quantize(Decimal("0.000001")))
                arena.site.ship(product, 3)

        return work

    assert len(won(race(arena.house, [writer(n) for n in range(WRITERS)]))) == WRITERS
    assert arena.stock(product) == 1000 - WRITERS * 4  # each turn: 2 in, 3 out
    with arena.house.scope():
        assert check_book() == []
        arena.site.ship(product, int(arena.stock(product)))
        assert ValueEntry.objects.filter(product=product).count() == WRITERS * 8 + 2
    assert worth(arena, product) == (0, 0)
    assert deadlocks() == before


def test_sixteen_first_receipts_make_one_value(arena: Arena) -> None:
    for number in range(max(1, ROUNDS // 5)):
        product = arena.product(f"NEW-{number}")
        workers = [
            lambda: arena.site.receive(product, 1, unit_cost=Decimal("2.50"))  # noqa: B023
        ] * WRITERS
        results = race(arena.house, workers)
        assert len(won(results)) == WRITERS, results
        assert worth(arena, product) == (WRITERS, Decimal("2.50") * WRITERS)
    with arena.house.scope():
        assert check_book() == []


def thirds(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let three take one of three units worth 10, all having seen the value before any writes."""
    product = arena.product("THREE")
    with arena.house.scope():
        cost = Decimal("3.333333")
        arena.site.receive(product, 3, unit_cost=cost)
        revalue_stock(
            revaluation=Revaluation(product.pk, arena.site.warehouse.pk, Decimal(10), "by hand")
        )
    seen = threading.Barrier(3)

    def look_and_wait(*asked: Any) -> Any:
        found = ledger_values.lock_values(*asked)
        seen.wait(60)
        return found

    monkeypatch.setattr(ledger, "lock_values", look_and_wait)
    return race(arena.house, [arena.shipper(product)] * 3)


def test_control_without_the_lock_a_millionth_is_left_of_nothing(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlocked = ledger_values.LOCK_VALUES.replace("FOR UPDATE OF v", "")
    assert unlocked != ledger_values.LOCK_VALUES
    monkeypatch.setattr(ledger_values, "LOCK_VALUES", unlocked)
    # each takes 3.333333 of 10; the constraint stops the third
    results = thirds(arena, monkeypatch)
    [loser] = [r for r in results if isinstance(r, Exception)]
    assert isinstance(loser, IntegrityError)
    assert "stock_value_zero_is_worth_zero" in str(loser)


# -- the order of locks ------------------------------------------------------------------------------
def receive_and_put_away(
    arena: Arena, product: Product, meeting: threading.Barrier
) -> Callable[[], None]:
    """Return a worker that posts twice in one transaction, and lets others in between."""

    def work() -> None:
        post_movements(lines=[arena.site.line(product, 5, "supplier", "receiving")])
        meeting.wait(60)
        put_away = arena.site.line(
            product, 5, "receiving", "storage", reason=MovementReason.PUT_AWAY
        )
        post_movements(lines=[put_away])

    return work


def ship_meanwhile(
    arena: Arena, product: Product, meeting: threading.Barrier
) -> Callable[[], None]:
    def work() -> None:
        meeting.wait(60)
        arena.site.ship(product, 1)

    return work


def test_a_receipt_that_is_put_away_and_a_shipment_never_deadlock(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenancy.scope.MOST_ATTEMPTS", 1)
    before = deadlocks()
    for number in range(max(2, ROUNDS // 5)):
        arena_product = arena.product(f"BOTH-{number}", stock=10)
        meeting = threading.Barrier(2)
        workers = [
            receive_and_put_away(arena, arena_product, meeting),
            ship_meanwhile(arena, arena_product, meeting),
        ]
        results = race(arena.house, workers)
        assert len(won(results)) == 2, results
    assert deadlocks() == before
    with arena.house.scope():
        assert check_book() == []


def test_control_values_locked_after_balances_deadlock(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = threading.Event()

    def late(crossed: Any, _locked: Any, facts: Any, posted: Any) -> None:
        shipped.set()  # the balance is changed, the value is not locked yet
        ledger_values.write_values(
            crossed, ledger_values.lock_values(crossed, facts), facts, posted
        )

    monkeypatch.setattr(ledger, "lock_values", lambda *_asked: {})
    monkeypatch.setattr(ledger, "write_values", late)
    monkeypatch.setattr("tenancy.scope.MOST_ATTEMPTS", 1)
    product = arena.product("BOTH", stock=10)
    meeting = threading.Barrier(2)

    def put_away_after_the_shipment_has_the_balance() -> None:
        post_movements(lines=[arena.site.line(product, 5, "supplier", "receiving")])
        shipped.clear()
        meeting.wait(60)
        shipped.wait(60)
        post_movements(lines=[arena.site.line(product, 5, "receiving", "storage")])

    results = race(
        arena.house,
        [put_away_after_the_shipment_has_the_balance, ship_meanwhile(arena, product, meeting)],
    )
    [loser] = [r for r in results if isinstance(r, Exception)]
    assert isinstance(loser, OperationalError)
    assert loser.__cause__.sqlstate == "40P01"


def test_the_method_changes_between_postings_never_within_one(arena: Arena) -> None:
    products = [arena.product(f"P{n}", stock=20) for n in range(4)]
    new = [arena.product(f"NEW-{n}") for n in range(8)]

    def worker(product: Product) -> Callable[[], None]:
        def work() -> None:
            for _ in range(3):
                arena.site.receive(product, 2, unit_cost=Decimal(3))
                arena.site.ship(product, 1)

        return work

    for method in (ValuationMethod.FIFO, ValuationMethod.MOVING_AVERAGE):
        workers = [worker(product) for product in (*products, *new)]
        switch = [lambda: change_valuation_method(method=method)]  # noqa: B023
        results = race(arena.house, workers + switch)
        assert len(won(results)) == len(workers) + 1, results
        with arena.house.scope():
            assert check_book() == []
            assert set(StockValue.objects.values_list("method", flat=True)) == {method}
