"""Many orders ask for the same stock at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from inventory.models import (
    Allocation,
    ChannelStock,
    DailyDemand,
    Lot,
    LotStatus,
    SalesOrder,
    StockBalance,
)
from inventory.queries.integrity import check_book
from inventory.services import allocation, allocation_choice, ledger_balances, sales, sales_entry
from inventory.services.allocation import AllocationRun, allocate_orders, release_allocations
from inventory.services.ledger import InsufficientStock
from inventory.services.lots import set_lot_status
from inventory.services.order_states import WrongSalesOrderState
from inventory.services.sales import cancel_sales_order, confirm_sales_order
from inventory.services.sales_entry import (
    ReferenceTaken,
    SalesOrderFields,
    create_sales_order,
)
from inventory.services.stock import SaleLine, ship_sale
from tests.inventory.book import make_lot, make_product
from tests.inventory.selling import confirmed, draft, make_channel, owing, promised
from tests.races.conftest import Arena
from tests.races.harness import race, without_constraint, without_index, won


def orders_for(arena: Arena, product: Any, count: int, quantity: int = 1) -> list[SalesOrder]:
    with arena.house.scope():
        return [owing(arena.site.warehouse, (product, quantity)) for _ in range(count)]


def allocator(order: SalesOrder) -> Callable[[], AllocationRun]:
    return lambda: allocate_orders(order_ids=[order.pk])


def in_order(arena: Arena) -> bool:
    """Tell whether the book says the same everywhere; these orders recorded no demand."""
    with arena.house.scope():
        return check_book() == []


def all_promised(arena: Arena, product: Any) -> Decimal:
    with arena.house.scope():
        rows = StockBalance.objects.filter(product=product)
        return sum((row.allocated for row in rows), Decimal(0))


def test_the_last_unit_goes_to_one_of_two_orders(arena: Arena) -> None:
    product = arena.product("LAST", stock=1)
    first, second = orders_for(arena, product, 2)
    results = race(arena.house, [allocator(first), allocator(second)])
    assert len(won(results)) == 2  # who comes too late is backordered
    with arena.house.scope():
        assert sorted(promised(first) + promised(second)) == [0, 1]
        states = sorted(SalesOrder.objects.values_list("state", flat=True))
        assert states == ["allocated", "backordered"]
    assert in_order(arena)


def test_control_without_the_guard_the_last_unit_is_promised_twice(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = arena.product("LAST", stock=1)
    orders = orders_for(arena, product, 2)
    meeting, choose = threading.Barrier(2), allocation.choose_stock

    def choose_then_meet(lines: Any, *, locking: bool = False) -> Any:
        choices = choose(lines, locking=locking)
        meeting.wait(60)  # both have chosen, nobody has promised
        return choices

    broken = ledger_balances.CHANGE_BALANCES.split("AND b.on_hand + change.on_hand >= 0")[0]
    monkeypatch.setattr(ledger_balances, "CHANGE_BALANCES", broken)
    monkeypatch.setattr(allocation, "choose_stock", choose_then_meet)
    with without_constraint("inventory_stockbalance", "balance_allocated_within_on_hand"):
        results = race(arena.house, [allocator(order) for order in orders])
        assert len(won(results)) == 2
        assert all_promised(arena, product) == 2  # of one unit


def test_sixteen_who_allocate_a_hot_product_at_once_promise_exactly_what_there_is(
    arena: Arena,
) -> None:
    product = arena.product("HOT", stock=40)
    orders = orders_for(arena, product, 16, quantity=3)
    results = race(arena.house, [allocator(order) for order in orders])
    assert len(won(results)) == 16, results
    assert all_promised(arena, product) == 40
    with arena.house.scope():
        got = sorted(promised(order)[0] for order in orders)
        assert got == [0, 0, 1] + [3] * 13
    assert in_order(arena)


def test_control_choosing_once_without_holding_leaves_some_without_stock_there_is(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = arena.product("HOT", stock=40)
    orders = orders_for(arena, product, 8, quantity=3)
    meeting, choose = threading.Barrier(8), allocation.choose_stock

    def choose_then_meet(lines: Any, *, locking: bool = False) -> Any:
        choices = choose(lines)
        meeting.wait(60)
        return choices

    # everybody chose before anybody promised: only free units beyond all wishes save them
    monkeypatch.setattr(allocation, "CHOICES", 1)
    monkeypatch.setattr(allocation, "choose_stock", choose_then_meet)
    with arena.house.scope():
        StockBalance.objects.filter(product=product).update(allocated=36)
    results = race(arena.house, [allocator(order) for order in orders])
    assert 0 < len(won(results)) < 8
    assert any(isinstance(r, allocation.AllocationBusy) for r in results)


def test_an_order_is_confirmed_once_and_its_demand_counted_once(arena: Arena) -> None:
    product = arena.product("PEAR", stock=9)
    with arena.house.scope():
        order = draft(arena.site.warehouse, (product, 2))
    results = race(arena.house, [lambda: confirm_sales_order(sales_order_id=order.pk)] * 4)
    assert len(won(results)) == 1
    assert all(isinstance(r, WrongSalesOrderState) for r in results if isinstance(r, Exception))
    with arena.house.scope():
        assert DailyDemand.objects.get().quantity == 2
        assert promised(order) == [2]
    assert in_order(arena)


def test_control_without_lock_and_guard_its_demand_is_counted_again(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = arena.product("PEAR", stock=9)
    with arena.house.scope():
        order = draft(arena.site.warehouse, (product, 2))
    meeting = threading.Barrier(2)

    def read_then_meet(order_ids: Any) -> dict[int, SalesOrder]:
        found = {row.pk: row for row in SalesOrder.objects.filter(pk__in=order_ids)}
        if all(row.state == "draft" for row in found.values()):
            meeting.wait(60)  # both have seen a draft
        return found

    unguarded = sales.CONFIRM.replace("AND o.state = 'draft'", "")
    monkeypatch.setattr(sales, "CONFIRM", unguarded)
    monkeypatch.setattr(sales, "lock_orders", read_then_meet)
    monkeypatch.setattr(sales, "lock_order", lambda order_id, version: None)
    race(arena.house, [lambda: confirm_sales_order(sales_order_id=order.pk)] * 2)
    with arena.house.scope():
        assert DailyDemand.objects.get().quantity == 4


def test_a_shop_order_sent_twice_at_once_is_taken_once(arena: Arena) -> None:
    with arena.house.scope():
        channel = make_channel()
    fields = SalesOrderFields(
        warehouse_id=arena.site.warehouse.pk, channel_id=channel.pk, reference="4711"
    )
    results = race(arena.house, [lambda: create_sales_order(fields=fields)] * 6)
    assert len(won(results)) == 1
    assert all(isinstance(r, ReferenceTaken) for r in results if isinstance(r, Exception))


def test_control_without_the_constraint_it_is_taken_twice(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    with arena.house.scope():
        channel = make_channel()
    fields = SalesOrderFields(
        warehouse_id=arena.site.warehouse.pk, channel_id=channel.pk, reference="4711"
    )
    meeting, refusal = threading.Barrier(2), sales_entry._refusal

    def look_then_meet(order: Any, known: Any) -> Any:
        found = refusal(order, known)
        meeting.wait(60)
        return found

    monkeypatch.setattr(sales_entry, "_refusal", look_then_meet)
    with without_index("sales_order_reference_once"):
        results = race(arena.house, [lambda: create_sales_order(fields=fields)] * 2)
        assert len(won(results)) == 2


def test_orders_and_sales_over_the_counter_share_what_there_is(arena: Arena) -> None:
    product = arena.product("PLUM", stock=10)
    orders = orders_for(arena, product, 6, quantity=2)

    def sell() -> Decimal:
        lines = [SaleLine(product.pk, Decimal(2))]
        warehouse_id = arena.site.warehouse.pk
        return ship_sale(warehouse_id=warehouse_id, lines=lines, allow_short=True).shipped[0]

    workers = [allocator(order) for order in orders] + [sell] * 6
    results = race(arena.house, workers)
    refused = [r for r in results if isinstance(r, Exception)]
    assert all(isinstance(r, InsufficientStock) for r in refused)  # a sale that gave up
    sold = sum((r for r in won(results[6:])), Decimal(0))
    assert all_promised(arena, product) + sold <= 10
    assert arena.stock(product) == 10 - sold
    assert in_order(arena)


def test_two_channels_never_take_what_is_kept_for_a_third(arena: Arena) -> None:
    product = arena.product("KEPT", stock=10)
    with arena.house.scope():
        keep_for(arena, product, "MARKET", 6)
        orders = [
            owing(arena.site.warehouse, (product, 4), channel=code) for code in ("WEB", "STORE")
        ]
    race(arena.house, [allocator(order) for order in orders])
    assert all_promised(arena, product) == 4  # 10 - 6


def test_control_without_the_lock_on_the_rules_what_is_kept_is_taken(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = arena.product("KEPT", stock=10)
    with arena.house.scope():
        keep_for(arena, product, "MARKET", 6)
        orders = [
            owing(arena.site.warehouse, (product, 4), channel=code) for code in ("WEB", "STORE")
        ]
    meeting, granted = threading.Barrier(2), allocation_choice._granted

    def grant_then_meet(lines: Any, rules: Any) -> Any:
        found = granted(lines, rules)
        meeting.wait(60)
        return found

    unlocked = allocation_choice.LOCK_CHANNEL_RULES.replace("FOR UPDATE OF rule", "")
    monkeypatch.setattr(allocation_choice, "LOCK_CHANNEL_RULES", unlocked)
    monkeypatch.setattr(allocation_choice, "_granted", grant_then_meet)
    race(arena.house, [allocator(order) for order in orders])
    assert all_promised(arena, product) == 8


def keep_for(arena: Arena, product: Any, channel: str, quantity: int) -> None:
    ChannelStock.objects.create(
        warehouse=arena.site.warehouse,
        product=product,
        channel=make_channel(channel),
        ring_fenced=quantity,
    )


def a_lot_recalled_meanwhile(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Recall a lot after it was chosen and before it is promised."""
    with arena.house.scope():
        milk = make_product("MILK", lot_tracking="lot")
        lot = make_lot(milk)
        arena.site.receive(milk, 5, lot_id=lot.pk)
        order = owing(arena.site.warehouse, (milk, 2))
    chosen, recalled = threading.Event(), threading.Event()
    choose = allocation.choose_stock

    def choose_then_wait(lines: Any, *, locking: bool = False) -> Any:
        found = choose(lines, locking=locking)
        if not recalled.is_set():
            chosen.set()
            recalled.wait(60)
        return found

    def recall() -> Lot:
        chosen.wait(60)
        found = set_lot_status(lot_id=lot.pk, status=LotStatus.RECALLED)
        connection.on_commit(recalled.set)
        return found

    monkeypatch.setattr(allocation, "choose_stock", choose_then_wait)
    return race(arena.house, [allocator(order), recall])


def test_a_lot_recalled_in_the_meantime_is_not_promised(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(won(a_lot_recalled_meanwhile(arena, monkeypatch))) == 2
    with arena.house.scope():
        assert not Allocation.objects.exists()
        assert SalesOrder.objects.get().state == "backordered"


def test_control_without_holding_the_lots_it_is_promised(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocation, "hold_lots", lambda choices: True)
    a_lot_recalled_meanwhile(arena, monkeypatch)
    with arena.house.scope():
        assert Allocation.objects.get().lot.status == LotStatus.RECALLED


def test_an_allocation_released_and_cancelled_at_once_is_freed_once(arena: Arena) -> None:
    product = arena.product("FIG", stock=9)
    with arena.house.scope():
        orders = [confirmed(arena.site.warehouse, (product, 2)) for _ in range(3)]
        held = list(Allocation.objects.order_by("id").values_list("id", flat=True))
    workers: list[Callable[[], Any]] = []
    for order, allocation_id in zip(orders, held):
        workers.append(lambda pk=order.pk: cancel_sales_order(sales_order_id=pk))
        workers.append(lambda pk=allocation_id: release_allocations(allocation_ids=[pk]))
    race(arena.house, workers)
    assert all_promised(arena, product) == 0
    assert in_order(arena)
