"""Many receipts of one order line: never more than was ordered."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Product, PurchaseOrder, Receipt
from inventory.queries.integrity import check_book
from inventory.services import receipt_posting, receiving
from inventory.services.purchasing import (
    OrderLine,
    WrongOrderState,
    create_draft_order,
    place_order,
)
from inventory.services.receiving import (
    Arrival,
    LineAlreadyReversed,
    OverReceipt,
    ReceiptLine,
    WrongReceiptState,
    add_receipt_line,
    complete_receipt,
    open_receipt,
    receive_order,
    reverse_receipt_line,
)
from inventory.services.suppliers import SupplierFields, create_supplier
from tests.inventory.book import on_hand
from tests.races.conftest import Arena
from tests.races.harness import race, without_constraint, won


def placed(arena: Arena, product: Product) -> tuple[PurchaseOrder, int]:
    with arena.house.scope():
        supplier = create_supplier(fields=SupplierFields(code="S", name="Sam"))
        order = create_draft_order(
            supplier_id=supplier.pk,
            warehouse_id=arena.site.warehouse.pk,
            lines=[OrderLine(product.pk, Decimal(10), Decimal(1))],
        )
        place_order(order_id=order.pk)
        return order, order.lines.get().pk


def draft(arena: Arena, order: PurchaseOrder, product: Product, quantity: int) -> int:
    """Return an open receipt of the order with one line."""
    with arena.house.scope():
        receipt = open_receipt(order_id=order.pk)
        arrival = Arrival(product.pk, Decimal(quantity))
        add_receipt_line(receipt_id=receipt.pk, arrival=arrival)
        return receipt.pk


def complete(receipt_id: int) -> Receipt:
    return complete_receipt(receipt_id=receipt_id, accept_differences=True)


def test_twenty_receipts_of_one_line_never_exceed_the_order(arena: Arena) -> None:
    product = arena.product("PEAR")
    order, line_id = placed(arena, product)
    line = ReceiptLine(line_id, Decimal(3))
    results = race(arena.house, [lambda: receive_order(order_id=order.pk, lines=[line])] * 20)
    assert len(won(results)) == 3  # 3 + 3 + 3 = 9 of 10; a fourth would make 12
    assert all(isinstance(r, OverReceipt) for r in results if isinstance(r, Exception))
    with arena.house.scope():
        assert on_hand(product) == 9
        assert check_book() == []


def test_the_whole_order_is_received_by_one_of_twenty(arena: Arena) -> None:
    product = arena.product("PEAR")
    order, line_id = placed(arena, product)
    line = ReceiptLine(line_id, Decimal(10))
    results = race(arena.house, [lambda: receive_order(order_id=order.pk, lines=[line])] * 20)
    assert len(won(results)) == 1
    refused = [r for r in results if isinstance(r, Exception)]
    assert all(isinstance(r, WrongOrderState | OverReceipt) for r in refused)
    with arena.house.scope():
        assert on_hand(product) == 10


def test_two_open_receipts_of_one_line_are_not_both_completed(arena: Arena) -> None:
    product = arena.product("PEAR")
    order, _line_id = placed(arena, product)
    drafts = [draft(arena, order, product, 6) for _ in range(5)]
    workers = [lambda pk=pk: complete(pk) for pk in drafts]
    results = race(arena.house, workers)
    assert len(won(results)) == 1  # 6 + 6 = 12 > 10
    assert all(isinstance(r, OverReceipt) for r in results if isinstance(r, Exception))
    with arena.house.scope():
        assert on_hand(product) == 6
        assert order.lines.get().quantity_received == 6
        assert check_book() == []


def test_one_receipt_is_completed_by_one_of_twenty(arena: Arena) -> None:
    product = arena.product("PEAR")
    order, _line_id = placed(arena, product)
    receipt_id = draft(arena, order, product, 4)
    results = race(arena.house, [lambda: complete(receipt_id)] * 20)
    assert len(won(results)) == 1
    refused = [r for r in results if isinstance(r, Exception)]
    assert all(isinstance(r, WrongReceiptState) for r in refused)
    with arena.house.scope():
        assert on_hand(product) == 4


def test_a_receipt_line_is_taken_back_by_one_of_ten(arena: Arena) -> None:
    product = arena.product("PEAR")
    order, _line_id = placed(arena, product)
    receipt_id = draft(arena, order, product, 4)
    with arena.house.scope():
        line_id = complete(receipt_id).lines.get().pk

    def take_back() -> Any:
        return reverse_receipt_line(
            receipt_id=receipt_id, receipt_line_id=line_id, reason="miscounted"
        )

    results = race(arena.house, [take_back] * 10)
    assert len(won(results)) == 1
    refused = [r for r in results if isinstance(r, Exception)]
    assert all(isinstance(r, LineAlreadyReversed) for r in refused)
    with arena.house.scope():
        assert on_hand(product) == 0
        assert order.lines.get().quantity_received == 0
        assert check_book() == []


def unguard(monkeypatch: pytest.MonkeyPatch, meeting: threading.Barrier) -> None:
    """Take away the lock on the order and the guard of the update; all check before one posts."""
    load, check = receiving.load, receiving._check

    def load_without_lock(model: Any, pk: int, *, lock: bool = False) -> Any:
        return load(model, pk)

    def check_then_meet(*args: Any) -> None:
        check(*args)
        meeting.wait(60)

    unguarded = receipt_posting.ADD_RECEIVED.split("AND line.quantity_received")[0]
    monkeypatch.setattr(receiving, "load", load_without_lock)
    monkeypatch.setattr(receiving, "_check", check_then_meet)
    monkeypatch.setattr(receipt_posting, "ADD_RECEIVED", unguarded)


def test_control_without_lock_guard_and_check_goods_come_in_many_times(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = arena.product("PEAR")
    order, line_id = placed(arena, product)
    unguard(monkeypatch, threading.Barrier(5))
    line = ReceiptLine(line_id, Decimal(10))
    table = "inventory_purchaseorderline"
    with without_constraint(table, "purchase_line_not_over_received"):
        results = race(arena.house, [lambda: receive_order(order_id=order.pk, lines=[line])] * 5)
        assert len(won(results)) == 5
        with arena.house.scope():
            assert on_hand(product) == 50
            assert check_book() != []


def test_control_without_the_guard_two_drafts_of_one_line_are_both_completed(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = arena.product("PEAR")
    order, _line_id = placed(arena, product)
    drafts = [draft(arena, order, product, 6) for _ in range(2)]
    unguard(monkeypatch, threading.Barrier(2))
    table = "inventory_purchaseorderline"
    with without_constraint(table, "purchase_line_not_over_received"):
        results = race(arena.house, [lambda pk=pk: complete(pk) for pk in drafts])
        assert len(won(results)) == 2
        with arena.house.scope():
            assert on_hand(product) == 12
            found = {difference.check for difference in check_book()}
            assert "receipts_are_on_their_order" in found
