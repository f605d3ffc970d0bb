"""Many receipts of one order line: never more than was ordered."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Product, PurchaseOrder
from inventory.queries.integrity import check_book
from inventory.services import receiving
from inventory.services.purchasing import (
    OrderLine,
    WrongOrderState,
    create_draft_order,
    place_order,
)
from inventory.services.receiving import OverReceipt, ReceiptLine, receive_order
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


def test_control_without_lock_guard_and_check_goods_come_in_many_times(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = arena.product("PEAR")
    order, line_id = placed(arena, product)
    meeting = threading.Barrier(5)
    load, check = receiving.load, receiving._check
    unguarded = receiving.ADD_RECEIVED.split("AND line.quantity_received")[0]

    def check_then_meet(*args: Any) -> None:
        check(*args)
        meeting.wait(60)

    monkeypatch.setattr(receiving, "load", lambda model, pk, lock: load(model, pk))
    monkeypatch.setattr(receiving, "_check", check_then_meet)
    monkeypatch.setattr(receiving, "ADD_RECEIVED", unguarded)
    line = ReceiptLine(line_id, Decimal(10))
    table = "inventory_purchaseorderline"
    with without_constraint(table, "purchase_line_not_over_received"):
        results = race(arena.house, [lambda: receive_order(order_id=order.pk, lines=[line])] * 5)
        assert len(won(results)) == 5
        with arena.house.scope():
            assert on_hand(product) == 50
            assert check_book() != []
