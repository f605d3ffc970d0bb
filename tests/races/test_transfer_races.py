"""Many hands on one transfer: nothing is sent twice, nothing arrives twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Product, TransferOrder, TransferState
from inventory.queries.integrity import check_book
from inventory.services import transfer_receiving, transfer_sending
from inventory.services.rows import load
from inventory.services.transfers import (
    LostGoods,
    MoreThanAsked,
    MoreThanSent,
    NothingToSend,
    ShortTransfer,
    WrongTransferState,
    cancel_transfer,
    release_transfer,
    send_transfer,
    state_transfer_loss,
)
from tests.inventory.book import make_site, on_hand
from tests.inventory.shifting import Pair, allocated, fresh, piece_of
from tests.races.conftest import Arena
from tests.races.harness import race, refusals, without_constraint, won

TEN = Decimal(10)


def unlocked(order_id: int, *_allowed: TransferState, version: int | None = None) -> TransferOrder:
    """Load a transfer without holding it, for the controls."""
    return load(TransferOrder, order_id)


@pytest.fixture
def pair(arena: Arena) -> Pair:
    with arena.house.scope():
        return Pair(arena.site, make_site("THERE"))


def released(arena: Arena, pair: Pair, stock: int = 100) -> tuple[Product, TransferOrder]:
    apple = arena.product("APPLE", stock)
    with arena.house.scope():
        return apple, pair.released((apple, 10))


def sent(arena: Arena, pair: Pair) -> tuple[Product, TransferOrder]:
    apple = arena.product("APPLE", 100)
    with arena.house.scope():
        return apple, pair.sent((apple, 10))


def test_twenty_sendings_of_one_line_never_exceed_it(arena: Arena, pair: Pair) -> None:
    apple, order = released(arena, pair)
    results = race(arena.house, [lambda: pair.send(order, 3)] * 20)
    assert len(won(results)) == 3  # 3 + 3 + 3 = 9 of 10; a fourth would make 12
    assert refusals(results) == {MoreThanAsked}
    with arena.house.scope():
        assert (on_hand(apple, pair.there.at("in_transit")), allocated(apple)) == (9, 1)
        assert check_book() == []


def test_all_of_it_is_sent_by_one_of_twenty(arena: Arena, pair: Pair) -> None:
    apple, order = released(arena, pair)
    results = race(arena.house, [lambda: send_transfer(transfer_order_id=order.pk)] * 20)
    assert len(won(results)) == 1
    assert refusals(results) == {NothingToSend}
    with arena.house.scope():
        assert on_hand(apple, pair.there.at("in_transit")) == 10
        assert check_book() == []


def test_control_without_lock_guard_and_check_it_leaves_many_times(
    arena: Arena, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    apple, order = released(arena, pair)
    meeting = threading.Barrier(5)
    fetch, sql = transfer_sending.fetch, transfer_sending.sql

    def meet_then_fetch(statement: str, arguments: Any) -> Any:
        if statement == sql.LOCK_PROMISES:
            meeting.wait(60)  # everybody has read the line, nobody has changed it
        return fetch(statement, arguments)

    monkeypatch.setattr(transfer_sending, "lock_transfer", unlocked)
    monkeypatch.setattr(transfer_sending, "fetch", meet_then_fetch)
    monkeypatch.setattr(sql, "ADD_SENT", sql.ADD_SENT.split("AND line.quantity_sent +")[0])
    with without_constraint("inventory_transferline", "transfer_line_numbers_sane"):
        results = race(arena.house, [lambda: pair.send(order, 10)] * 5)
        assert len(won(results)) == 5
        with arena.house.scope():
            assert on_hand(apple, pair.there.at("in_transit")) == 50


def test_twenty_receipts_of_one_piece_never_exceed_what_was_sent(arena: Arena, pair: Pair) -> None:
    apple, order = sent(arena, pair)
    results = race(arena.house, [lambda: pair.receive(order, 3)] * 20)
    assert len(won(results)) == 3
    assert refusals(results) == {MoreThanSent}
    with arena.house.scope():
        assert on_hand(apple, pair.there.at("receiving")) == 9
        assert check_book() == []


def test_the_last_of_it_arrives_or_is_lost_but_not_both(arena: Arena, pair: Pair) -> None:
    _apple, order = sent(arena, pair)

    def lose() -> TransferOrder:
        goods = [LostGoods(piece_of(order).pk, TEN)]
        return state_transfer_loss(transfer_order_id=order.pk, goods=goods, note="stolen")

    results = race(arena.house, [lambda: pair.receive(order, 10), lose] * 5)
    assert len(won(results)) == 1
    assert refusals(results) == {WrongTransferState}
    with arena.house.scope():
        piece = piece_of(order)
        assert piece.quantity_received + piece.quantity_lost == 10
        assert fresh(order).state == TransferState.RECEIVED
        assert check_book() == []


def test_control_without_lock_guard_and_checks_it_arrives_many_times(
    arena: Arena, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stock of another transfer, on the same road, lets the ledger's own guard pass."""
    apple, order = sent(arena, pair)
    with arena.house.scope():
        pair.sent((apple, 40))
    meeting = threading.Barrier(5)
    check, sql = transfer_receiving._check, transfer_receiving.sql

    def check_then_meet(*arguments: Any) -> None:
        check(*arguments)
        meeting.wait(60)

    unguarded = sql.ADD_ARRIVED.split("AND piece.quantity_received")[0]
    monkeypatch.setattr(transfer_receiving, "lock_transfer", unlocked)
    monkeypatch.setattr(transfer_receiving, "_check", check_then_meet)
    monkeypatch.setattr(sql, "ADD_ARRIVED", unguarded)
    piece_table, line_table = "inventory_transferpiece", "inventory_transferline"
    with (
        without_constraint(piece_table, "transfer_piece_numbers_sane"),
        without_constraint(line_table, "transfer_line_numbers_sane"),
    ):
        results = race(arena.house, [lambda: pair.receive(order, 10)] * 5)
        assert len(won(results)) == 5
        with arena.house.scope():
            assert on_hand(apple, pair.there.at("receiving")) == 50


def many_drafts(arena: Arena, pair: Pair, stock: int) -> tuple[Product, list[Callable[[], Any]]]:
    apple = arena.product("APPLE", stock)
    with arena.house.scope():
        orders = [pair.draft((apple, 10)) for _ in range(8)]
    return apple, [lambda pk=order.pk: release_transfer(transfer_order_id=pk) for order in orders]


def test_stock_for_two_is_promised_to_two_of_eight(arena: Arena, pair: Pair) -> None:
    apple, workers = many_drafts(arena, pair, stock=29)
    results = race(arena.house, workers)
    assert len(won(results)) == 2
    assert refusals(results) == {ShortTransfer}
    with arena.house.scope():
        assert allocated(apple) == 20
        assert check_book() == []


def test_a_transfer_is_sent_or_cancelled_but_not_both(arena: Arena, pair: Pair) -> None:
    apple, order = released(arena, pair)
    results = race(
        arena.house,
        [
            lambda: send_transfer(transfer_order_id=order.pk),
            lambda: cancel_transfer(transfer_order_id=order.pk),
        ],
    )
    assert len(won(results)) == 1
    with arena.house.scope():
        assert allocated(apple) == 0
        is_sent = fresh(order).state == TransferState.IN_TRANSIT
        assert on_hand(apple, pair.there.at("in_transit")) == (10 if is_sent else 0)
        assert check_book() == []
