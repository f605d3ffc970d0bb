"""The simulated companies: deterministic, told to the real services, resumable."""

from __future__ import annotations

import dataclasses
import datetime as dt
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from django.db.models import Max

from forecasting.demo.floor import open_floor
from forecasting.demo.grocer import GROCER
from forecasting.demo.loading import ACTOR, batch_ends, load_trade
from forecasting.demo.parts_dealer import PARTS
from forecasting.demo.specs import Trade
from forecasting.demo.trades import TRADES
from forecasting.demo.trading import trade
from forecasting.demo.world import draw_world
from inventory.models import (
    CustomerReturn,
    CycleCount,
    DailyDemand,
    PurchaseOrder,
    Receipt,
    SalesOrder,
    StockBalance,
    StockMovement,
    SupplierReturn,
    TransferOrder,
    WorkClaim,
)
from inventory.queries.integrity import check_book
from tests.cast import House

LAST_DAY = dt.date(2026, 11, 1)


class Killed(Exception):
    """Ends a load in the middle."""


def small(company: Trade) -> Trade:
    """The company with its first two ranges only, three products each."""
    ranges = tuple(dataclasses.replace(r, names=r.names[:3]) for r in company.ranges[:2])
    return dataclasses.replace(company, ranges=ranges)


def draw(company: Trade, seed: int = 1, days: int = 200) -> Any:
    return draw_world(
        company, first_day=dt.date(2026, 1, 1), days=days, ahead=56, holidays=set(), seed=seed
    )


@pytest.mark.parametrize("company", TRADES, ids=lambda c: c.slug)
def test_the_same_seed_draws_the_same_world_and_another_seed_another(company: Trade) -> None:
    first, same, other = draw(company), draw(company), draw(company, seed=2)
    assert np.array_equal(first.demand, same.demand)
    assert not np.array_equal(first.demand, other.demand)
    assert trade(first, seed=3) == trade(same, seed=3)


def test_the_two_trades_have_about_two_hundred_products_and_differ_in_kind() -> None:
    grocer, dealer = draw(GROCER), draw(PARTS)
    assert 180 <= len(grocer.products) + len(dealer.products) <= 220
    selling = [float((world.demand.sum(axis=2) > 0).mean()) for world in (grocer, dealer)]
    assert selling[0] > 0.6 > 0.3 > selling[1]


def test_nobody_sells_what_is_not_there() -> None:
    world = draw(GROCER)
    stock: dict[tuple[int, int], int] = {}
    for day in trade(world, seed=3):
        arrived = [*day.opening, *[line for order in day.received for line in order.lines]]
        for parcel in arrived:
            key = parcel.product, parcel.warehouse
            stock[key] = stock.get(key, 0) + parcel.units
        for parcel in [*day.shipped, *day.expired, *day.lost]:
            stock[parcel.product, parcel.warehouse] -= parcel.units
        assert all(units >= 0 for units in stock.values())


@pytest.mark.django_db
def test_the_services_hold_what_the_simulation_says(north: House) -> None:
    company = small(GROCER)
    added = load_trade(
        company, north.tenant, through=LAST_DAY, progress=lambda *_: None, history_days=28
    )
    with north.scope():
        assert added == 28
        assert check_book() == []
        assert StockMovement.objects.exists()
        assert PurchaseOrder.objects.filter(state="received").exists()
        last = DailyDemand.objects.order_by("-business_day")[0]
        assert last.business_day == LAST_DAY


@pytest.mark.django_db
def test_evenings_of_the_last_weeks_know_nothing_of_the_days_after(north: House) -> None:
    company = small(PARTS)
    seen: list[tuple[int, dt.date]] = []

    def look(days_left: int) -> None:
        with north.scope():
            seen.append((days_left, _last_known_day()))
        if len(seen) == 2:
            raise Killed

    def load() -> int:
        return load_trade(
            company, north.tenant, through=LAST_DAY, progress=lambda *_: None,
            history_days=28, on_evening=look,
        )  # fmt: skip

    with pytest.raises(Killed):
        load()
    assert load() == 14
    assert [left for left, _last in seen] == [21, 14, 14, 7]
    for left, last in seen:
        assert LAST_DAY - dt.timedelta(days=left + 3) < last <= LAST_DAY - dt.timedelta(days=left)
    with north.scope():
        assert check_book() == []
        assert _last_known_day() > LAST_DAY - dt.timedelta(days=3)


def test_no_two_transactions_end_within_a_few_days() -> None:
    for history in (28, 42, 100, 730):
        ends = batch_ends(history)
        assert ends[-1] == history
        assert {history - left for left in (21, 14, 7)} <= set(ends)
        assert min(b - a for a, b in pairwise([0, *ends])) >= 7
        assert max(b - a for a, b in pairwise([0, *ends])) <= 20


@pytest.mark.django_db
def test_the_floor_opens_once_with_orders_in_every_state(north: House) -> None:
    company = small(GROCER)
    ranges = tuple(
        dataclasses.replace(r, names=g.names[:8])
        for r, g in zip(company.ranges, GROCER.ranges, strict=False)
    )
    two = (("BER", "Berlin", 0.6), ("POT", "Potsdam", 0.4))
    company = dataclasses.replace(company, ranges=ranges, warehouses=two)
    load_trade(company, north.tenant, through=LAST_DAY, progress=lambda *_: None, history_days=28)
    now = dt.datetime.now(dt.UTC)
    assert open_floor(north.tenant, ACTOR, now)
    with north.scope():
        states = set(SalesOrder.objects.values_list("state", flat=True))
        orders = SalesOrder.objects.count()
        assert check_book() == []
        began = {
            "receipts": set(Receipt.objects.values_list("state", flat=True)),
            "counts": set(CycleCount.objects.values_list("state", flat=True)),
            "transfers": set(TransferOrder.objects.values_list("state", flat=True)),
            "returns": set(CustomerReturn.objects.values_list("state", flat=True)),
            "to suppliers": set(SupplierReturn.objects.values_list("state", flat=True)),
        }
        assert StockBalance.objects.filter(location__kind="receiving", on_hand__gt=0).exists()
        assert not WorkClaim.objects.exists()
    assert {"draft", "allocated", "picking", "packed", "shipped"} <= states
    assert began == {
        "receipts": {"open", "completed"},
        "counts": {"requested", "counted", "posted"},
        "transfers": {"draft", "released", "in_transit"},
        "returns": {"expected", "received", "inspected"},
        "to suppliers": {"draft"},
    }
    assert not open_floor(north.tenant, ACTOR, now)
    with north.scope():
        assert SalesOrder.objects.count() == orders


@pytest.mark.django_db
def test_a_load_that_was_killed_is_finished_and_a_finished_one_is_left_alone(
    north: House, south: House
) -> None:
    company = small(PARTS)

    def kill(done: int, total: int, day: str) -> None:
        raise Killed

    def quiet(done: int, total: int, day: str) -> None:
        """Show nothing."""

    with pytest.raises(Killed):
        load_trade(company, north.tenant, through=LAST_DAY, progress=kill, history_days=42)
    finished = load_trade(company, north.tenant, through=LAST_DAY, progress=quiet, history_days=42)
    whole = load_trade(company, south.tenant, through=LAST_DAY, progress=quiet, history_days=42)
    assert (finished, whole) == (28, 42)
    with north.scope():
        in_two_goes = _ledger()
        assert check_book() == []
    with south.scope():
        assert _ledger() == in_two_goes
    again = load_trade(company, south.tenant, through=LAST_DAY, progress=quiet, history_days=42)
    assert again == 0


def _last_known_day() -> dt.date:
    found: dt.date = DailyDemand.objects.aggregate(last=Max("business_day"))["last"]
    return found


def _ledger() -> list[tuple[Any, ...]]:
    columns = ("business_day", "product__sku", "reason", "quantity", "to_location__code")
    return sorted(StockMovement.objects.values_list(*columns))
