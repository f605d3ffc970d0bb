"""Many sales, serial numbers and lots at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from unittest.mock import ANY

import pytest

from inventory.models import ChannelStock, Lot
from inventory.queries.integrity import check_book
from inventory.services import allocation_choice, ledger, stock
from inventory.services.ledger import InsufficientStock, SerialNotSingle, post_movements
from inventory.services.lots import LotLabel, ensure_lots
from inventory.services.stock import SaleLine, ship_sale
from tests.inventory.book import make_lot, make_product, make_site, on_hand
from tests.inventory.selling import make_channel
from tests.races.conftest import Arena
from tests.races.harness import race, won

WAREHOUSES = ("EAST", "WEST", "SOUTH", "NORTH", "HARBOUR")


def test_sales_share_what_is_there_and_all_demand_is_recorded(arena: Arena) -> None:
    product = arena.product("PEAR", stock=7)

    def sell() -> Decimal:
        lines = [SaleLine(product.pk, Decimal(2))]
        sale = ship_sale(warehouse_id=arena.site.warehouse.pk, lines=lines, allow_short=True)
        return sale.shipped[0]

    results = race(arena.house, [sell] * 12)
    refused = [r for r in results if isinstance(r, Exception)]
    # after choosing five times in vain a sale gives up, and its demand with it
    assert all(isinstance(r, InsufficientStock) for r in refused)
    assert sum(won(results)) + arena.stock(product) == 7
    with arena.house.scope():
        assert check_book() == []


def channel_sellers(arena: Arena) -> list[Callable[[], Decimal]]:
    """Return two counters that each want what only one may have: of ten, six are kept."""
    apple = arena.product("KEPT", stock=10)
    with arena.house.scope():
        channels = [make_channel(code).pk for code in ("WEB", "STORE")]
        market = make_channel("MARKET")
        ChannelStock.objects.create(
            warehouse=arena.site.warehouse, product=apple, channel=market, ring_fenced=6
        )

    def sell(channel: int) -> Decimal:
        lines = [SaleLine(apple.pk, Decimal(4), channel_id=channel)]
        sale = ship_sale(warehouse_id=arena.site.warehouse.pk, lines=lines, allow_short=True)
        return sale.shipped[0]

    return [lambda channel=channel: sell(channel) for channel in channels]


def test_two_counters_never_sell_what_is_kept_for_a_channel(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = stock.free_in_storage

    def look_slowly(*asked: Any) -> Any:
        found = look(*asked)
        time.sleep(0.3)  # the other one is at its counter by now
        return found

    monkeypatch.setattr(stock, "free_in_storage", look_slowly)
    assert sorted(race(arena.house, channel_sellers(arena))) == [0, 4]


def test_control_without_the_lock_on_the_rules_both_sell_it(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = channel_sellers(arena)
    meeting, look = threading.Barrier(2), stock.free_in_storage
    seen = threading.local()

    def look_then_meet(*asked: Any) -> Any:
        found = look(*asked)
        if not getattr(seen, "once", False):
            seen.once = True
            meeting.wait(20)
        return found

    unlocked = allocation_choice.LOCK_CHANNEL_RULES.replace("FOR UPDATE OF rule", "")
    monkeypatch.setattr(allocation_choice, "LOCK_CHANNEL_RULES", unlocked)
    monkeypatch.setattr(stock, "free_in_storage", look_then_meet)
    assert race(arena.house, workers) == [4, 4]


def serial_receipts(arena: Arena) -> list[Callable[[], Any]]:
    """Return workers that receive one serial number, each in a warehouse of its own.

    In one warehouse the product's value is locked first, and all would wait for each other there.
    """
    with arena.house.scope():
        laptop = make_product("LAPTOP", lot_tracking="serial")
        serial = make_lot(laptop, "SN-1").pk
        sites = [make_site(code) for code in WAREHOUSES]
    lines = [site.line(laptop, 1, "supplier", "storage", lot_id=serial) for site in sites]
    return [lambda line=line: post_movements(lines=[line]) for line in lines]


def test_a_serial_number_arrives_in_one_of_five_warehouses(arena: Arena) -> None:
    results = race(arena.house, serial_receipts(arena))
    assert len(won(results)) == 1
    assert all(isinstance(r, SerialNotSingle) for r in results if isinstance(r, Exception))
    with arena.house.scope():
        assert check_book() == []


def test_control_without_the_lock_a_serial_number_arrives_everywhere(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = serial_receipts(arena)
    meeting, refuse = threading.Barrier(len(workers)), ledger._refuse_doubled

    def meet_then_look(serials: list[int]) -> None:
        meeting.wait(20)  # everybody has posted, nobody has committed
        refuse(serials)
        meeting.wait(20)

    monkeypatch.setattr(ledger, "LOCK_LOTS", "SELECT %s::bigint, %s::bigint[]")
    monkeypatch.setattr(ledger, "_refuse_doubled", meet_then_look)
    assert won(race(arena.house, workers)) == [[ANY]] * len(workers)
    with arena.house.scope():
        assert "serials_are_single" in {difference.check for difference in check_book()}


def test_lots_of_one_label_become_one(arena: Arena) -> None:
    with arena.house.scope():
        milk = make_product("MILK", lot_tracking="lot")
    labels = [LotLabel(milk.pk, code) for code in "ABC"]
    workers = [lambda: ensure_lots(labels=labels), lambda: ensure_lots(labels=labels[::-1])]
    results = race(arena.house, workers * 10)
    assert {tuple(sorted(ids)) for ids in results} == {tuple(sorted(results[0]))}
    with arena.house.scope():
        assert Lot.objects.count() == 3
        assert on_hand(milk) == 0
