"""Days on which demand could not be seen, from the ledger alone. March 2026, Berlin."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from inventory.models import MovementReason
from inventory.queries.demand_history import out_of_stock_days
from inventory.services.ledger import post_movements, reverse_movement
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 15)


def on(day: int, hour: int = 12) -> datetime:
    return datetime.fromisoformat(f"2026-03-{day:02}T{hour:02}:00:00+01:00")


def dark_days(first: date = FIRST, last: date = LAST) -> list[int]:
    """Return the days of March out of stock, of the only product there is."""
    found = out_of_stock_days(first, last)
    return [day.day for _product, _warehouse, days in found for day in days]


def test_stock_that_never_runs_out_hides_nothing(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=on(2))
    site.ship(apple, 9, effective_at=on(5))
    assert out_of_stock_days(FIRST, LAST) == []


def test_dark_from_the_day_it_ran_out_to_the_day_new_stock_came(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=on(2))
    site.ship(apple, 10, effective_at=on(5))
    site.receive(apple, 10, effective_at=on(9))
    # ran out on the 5th, nothing as the 6th to 9th began; before the 2nd nothing is known
    assert dark_days() == [5, 6, 7, 8, 9]
    assert dark_days(date(2026, 3, 7), date(2026, 3, 8)) == [7, 8]
    assert dark_days(date(2026, 3, 10), LAST) == []
    assert dark_days(FIRST, date(2026, 3, 4)) == []


def test_still_out_of_stock_is_dark_to_the_end(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=on(2))
    site.ship(apple, 10, effective_at=on(12))
    assert dark_days() == [12, 13, 14, 15]


def test_running_out_for_some_hours_darkens_that_day_only(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=on(2))
    site.ship(apple, 10, effective_at=on(5, 9))
    site.receive(apple, 10, effective_at=on(5, 17))
    site.ship(apple, 1, effective_at=on(6))
    assert dark_days() == [5]


def test_in_and_out_in_one_posting_is_no_stock_out(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=on(2))
    lines = [
        site.line(apple, 10, "storage", "customer"),
        site.line(apple, 3, "supplier", "storage"),
    ]
    post_movements(lines=lines, effective_at=on(5))
    assert dark_days() == []


def test_stock_on_the_dock_or_in_quarantine_cannot_be_sold(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=on(2))
    out = site.line(apple, 10, "storage", "quarantine")
    post_movements(lines=[out], effective_at=on(4))
    back = site.line(apple, 10, "quarantine", "storage")
    post_movements(lines=[back], effective_at=on(6))
    assert dark_days() == [4, 5, 6]


def test_moving_between_shelves_is_no_stock_out(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=on(2))
    move = site.line(apple, 10, "storage", "packing", reason=MovementReason.PICK)
    post_movements(lines=[move], effective_at=on(4))
    assert dark_days() == []


def test_a_lot_is_gone_the_day_after_it_expires(site: Site) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    old = make_lot(milk, "old", expires_on=date(2026, 3, 5))
    new = make_lot(milk, "new", expires_on=date(2026, 3, 30))
    site.receive(milk, 10, effective_at=on(2), lot_id=old.pk)
    site.ship(milk, 4, effective_at=on(3), lot_id=old.pk)
    # 6 expired units are thrown away late; that changes nothing
    scrap = site.line(milk, 6, "storage", "loss", lot_id=old.pk)
    post_movements(lines=[scrap], effective_at=on(7))
    site.receive(milk, 10, effective_at=on(8), lot_id=new.pk)
    assert dark_days() == [6, 7, 8]


def test_a_reversed_shipment_never_emptied_the_shelf_after_its_reversal(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=on(2))
    [shipment] = site.ship(apple, 10, effective_at=on(5))
    reverse_movement(movement_id=shipment, effective_at=on(5))
    assert dark_days() == []


def test_each_warehouse_is_seen_apart_and_on_its_own_day(in_north: House) -> None:
    berlin, tokyo = make_site("BERLIN"), make_site("TOKYO", time_zone="Asia/Tokyo")
    apple = make_product()
    for site in (berlin, tokyo):
        site.receive(apple, 10, effective_at=on(2))
    evening = datetime.fromisoformat("2026-03-05T18:00:00+01:00")  # the 6th in Tokyo
    tokyo.ship(apple, 10, effective_at=evening)
    tokyo.receive(apple, 1, effective_at=evening + timedelta(hours=1))
    assert out_of_stock_days(FIRST, LAST) == [(apple.pk, tokyo.warehouse.pk, [date(2026, 3, 6)])]


def test_products_can_be_chosen_and_it_is_one_query(
    site: Site, django_assert_num_queries: Any
) -> None:
    products = [make_product(f"P{number}") for number in range(3)]
    for product in products:
        site.receive(product, 1, effective_at=on(2))
        site.ship(product, 1, effective_at=on(3))
    with django_assert_num_queries(1):
        found = out_of_stock_days(FIRST, LAST, product_ids=[products[1].pk])
    assert [row[0] for row in found] == [products[1].pk]
    assert len(out_of_stock_days(FIRST, LAST)) == 3


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_a_day_by_day_replay(site: Site, seed: int) -> None:
    """The window query against the plainest loop over the same random month."""
    chance = random.Random(seed)
    apple = make_product()
    stock, events = 0, []
    for day in range(1, 29):
        for hour in sorted(chance.sample(range(24), chance.randint(0, 3))):
            change = chance.randint(-6, 6) if stock else chance.randint(0, 6)
            change = max(change, -stock)
            if change:
                stock += change
                events.append((day, hour, change))
    for day, hour, change in events:
        post = site.receive if change > 0 else site.ship
        post(apple, abs(change), effective_at=on(day, hour))

    expected, level, known = [], 0, False
    for day in range(1, 32):
        levels = [level] if known else []
        for _day, _hour, change in (event for event in events if event[0] == day):
            level += change
            levels.append(level)
            known = True
        if levels and min(levels) <= 0:
            expected.append(day)
    assert dark_days(FIRST, date(2026, 3, 31)) == expected
