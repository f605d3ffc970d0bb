"""Many hands on one return: nothing is expected, received, inspected or sent twice."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import (
    CustomerReturn,
    CustomerReturnState,
    Shipment,
    SupplierReturn,
    SupplierReturnState,
)
from inventory.queries.integrity import check_book
from inventory.services import (
    return_inspection,
    return_lines,
    return_receiving,
    return_sql,
    supplier_returns,
)
from inventory.services.ledger import post_movements
from inventory.services.returns import (
    MoreThanExpected,
    MoreThanReceived,
    MoreThanShipped,
    WrongReturnState,
)
from inventory.services.rows import load
from inventory.services.supplier_returns import (
    ReturningLine,
    WrongSupplierReturnState,
    create_supplier_return,
    send_supplier_return,
)
from tests.inventory.book import make_product, on_hand
from tests.inventory.outbound_world import Floor
from tests.inventory.returns_world import Counter, line_of, returned, supplied_by
from tests.races.conftest import Arena
from tests.races.harness import race, refusals, without_constraint, won


@pytest.fixture
def counter(arena: Arena) -> Counter:
    return Counter(Floor(arena.site))


def shipped(arena: Arena, counter: Counter) -> Shipment:
    with arena.house.scope():
        return counter.shipped(make_product(), 10)


def unlocked(
    row_id: int, *_allowed: CustomerReturnState, version: int | None = None
) -> CustomerReturn:
    """Load a return without holding it, for the controls."""
    return load(CustomerReturn, row_id)


def unguarded(statement: str, guard: str) -> str:
    assert guard in statement
    return statement.split(guard)[0]


# -- expected -------------------------------------------------------------------------------------
def test_twenty_returns_of_one_line_never_exceed_what_was_shipped(
    arena: Arena, counter: Counter
) -> None:
    shipment = shipped(arena, counter)
    results = race(arena.house, [lambda: counter.expected(shipment, 3)] * 20)
    assert len(won(results)) == 3
    assert refusals(results) == {MoreThanShipped}
    with arena.house.scope():
        assert returned(shipment) == 9
        assert check_book() == []


def test_control_without_guard_and_check_more_is_expected_than_was_shipped(
    arena: Arena, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipment = shipped(arena, counter)
    loose = unguarded(return_lines.ADD_RETURNED, "AND line.quantity_returned + back")
    monkeypatch.setattr(return_lines, "ADD_RETURNED", loose)
    with without_constraint("inventory_shipmentline", "shipment_line_numbers_sane"):
        results = race(arena.house, [lambda: counter.expected(shipment, 3)] * 5)
        assert len(won(results)) == 5
        with arena.house.scope():
            assert returned(shipment) == 15


# -- received -------------------------------------------------------------------------------------
def test_twenty_receipts_of_one_line_never_exceed_what_is_expected(
    arena: Arena, counter: Counter
) -> None:
    shipment = shipped(arena, counter)
    with arena.house.scope():
        back = counter.expected(shipment, 10)
    results = race(arena.house, [lambda: counter.take(back, 3)] * 20)
    assert len(won(results)) == 3
    assert refusals(results) == {MoreThanExpected}
    with arena.house.scope():
        assert line_of(back).quantity_received == 9
        assert check_book() == []


def test_control_without_lock_guard_and_check_it_comes_back_many_times(
    arena: Arena, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipment = shipped(arena, counter)
    with arena.house.scope():
        back = counter.expected(shipment, 10)
    meeting = threading.Barrier(5)
    check = return_receiving._check

    def check_then_meet(*arguments: Any) -> None:
        check(*arguments)
        meeting.wait(60)

    loose = unguarded(return_receiving.ADD_RECEIVED, "AND line.quantity_received + came")
    monkeypatch.setattr(return_receiving, "lock_return", unlocked)
    monkeypatch.setattr(return_receiving, "_check", check_then_meet)
    monkeypatch.setattr(return_receiving, "ADD_RECEIVED", loose)
    table = "inventory_customerreturnline"
    with without_constraint(table, "customer_return_line_numbers_sane"):
        results = race(arena.house, [lambda: counter.take(back, 10)] * 5)
        assert len(won(results)) == 5
        with arena.house.scope():
            assert on_hand(line_of(back).product) == 50


# -- inspected ------------------------------------------------------------------------------------
def test_what_came_is_inspected_by_one_of_twenty(arena: Arena, counter: Counter) -> None:
    shipment = shipped(arena, counter)
    with arena.house.scope():
        back = counter.received(shipment, 10)
    both = [
        lambda: counter.inspect(back, ("restock", 10)),
        lambda: counter.inspect(back, ("scrap", 10)),
    ]
    results = race(arena.house, both * 10)
    assert len(won(results)) == 1
    assert refusals(results) <= {WrongReturnState, MoreThanReceived}
    with arena.house.scope():
        assert line_of(back).to_inspect == 0
        assert check_book() == []


def test_control_without_lock_guard_and_check_it_is_inspected_many_times(
    arena: Arena, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other goods in quarantine let the ledger's own guard pass."""
    shipment = shipped(arena, counter)
    with arena.house.scope():
        back = counter.received(shipment, 10)
        product = line_of(back).product
        counter.floor.site.receive(product, 40)
        post_movements(lines=[counter.floor.site.line(product, 40, "storage", "quarantine")])
    meeting = threading.Barrier(5)
    check = return_inspection._check

    def check_then_meet(*arguments: Any) -> None:
        check(*arguments)
        meeting.wait(60)

    loose = unguarded(return_sql.ADD_INSPECTED, "AND line.quantity_restocked +")
    monkeypatch.setattr(return_inspection, "lock_return", unlocked)
    monkeypatch.setattr(return_inspection, "_check", check_then_meet)
    monkeypatch.setattr(return_inspection, "ADD_INSPECTED", loose)
    table = "inventory_customerreturnline"
    with without_constraint(table, "customer_return_line_numbers_sane"):
        results = race(arena.house, [lambda: counter.inspect(back, ("restock", 10))] * 5)
        assert len(won(results)) == 5
        with arena.house.scope():
            assert on_hand(product, counter.at("receiving")) == 50


# -- to the supplier ------------------------------------------------------------------------------
def drafted(arena: Arena) -> tuple[Any, SupplierReturn]:
    apple = arena.product("APPLE", 50)
    with arena.house.scope():
        line = ReturningLine(apple.pk, arena.site.at("storage"), Decimal(10))
        return apple, create_supplier_return(
            supplier_id=supplied_by("SAM", apple).pk,
            warehouse_id=arena.site.warehouse.pk,
            lines=[line],
        )


def test_a_return_is_sent_by_one_of_twenty(arena: Arena) -> None:
    apple, back = drafted(arena)
    send = lambda: send_supplier_return(supplier_return_id=back.pk)  # noqa: E731 - a worker
    results = race(arena.house, [send] * 20)
    assert len(won(results)) == 1
    assert refusals(results) == {WrongSupplierReturnState}
    assert arena.stock(apple) == 40
    with arena.house.scope():
        assert check_book() == []


def test_control_without_the_lock_it_is_sent_many_times(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    apple, back = drafted(arena)
    meeting = threading.Barrier(5)

    def load_then_meet(
        row_id: int, _allowed: SupplierReturnState, *, version: int | None
    ) -> SupplierReturn:
        found = load(SupplierReturn, row_id)
        meeting.wait(60)  # everybody has seen a draft
        return found

    monkeypatch.setattr(supplier_returns, "_lock", load_then_meet)
    results = race(arena.house, [lambda: send_supplier_return(supplier_return_id=back.pk)] * 5)
    assert len(won(results)) == 5
    assert arena.stock(apple) == 0
    with arena.house.scope():
        assert "supplier_returns_equal_their_movements" in {d.check for d in check_book()}
