"""Short picks: what was found is picked, the rest comes from elsewhere, and the place is counted."""

from __future__ import annotations

import pytest

from inventory.models import (
    Allocation,
    CycleCount,
    LotTracking,
    PickTask,
    ShortReason,
    StockMovement,
)
from inventory.queries.integrity import check_book
from inventory.services.picking import pick, undo_pick
from inventory.services.picking_errors import NothingPicked, TaskNotOpen
from inventory.services.short_picks import pick_short
from tenancy.errors import Invalid
from tests.inventory.book import make_lot
from tests.inventory.outbound_world import (
    D,
    Floor,
    balance,
    make_product,
    promises_add_up,
    quantities,
    scan,
    someday,
    statements,
    tasks_of,
)

GONE = ShortReason.NOT_FOUND


def shown(wave) -> list[tuple[str, int, int, str]]:
    """Location, asked, picked and state of each task along the way."""
    return [
        (t.location.code, int(t.quantity), int(t.quantity_picked), t.state) for t in tasks_of(wave)
    ]


def test_what_is_missing_is_promised_and_fetched_elsewhere(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 10)
    floor.stock(apple, 2, "A-5")
    wave = floor.wave(order)
    [task] = tasks_of(wave)
    result = pick_short(wave_id=wave.pk, picks=[scan(task, 7)], reason=GONE)
    assert (result.missing, result.reallocated) == (3, 2)
    assert shown(wave) == [("A-1", 10, 7, "short"), ("A-5", 2, 0, "open")]
    assert balance(apple, floor.bin("A-1").pk) == (3, 0)  # so says the book until it is counted
    assert balance(apple, floor.site.at("packing")) == (7, 7)
    assert balance(apple, floor.bin("A-5").pk) == (2, 2)
    assert quantities(order) == (2, 7, 0)  # of ten one is backordered
    assert sorted(Allocation.objects.values_list("state", "quantity")) == [
        ("allocated", 2),
        ("picked", 7),
        ("released", 3),
    ]
    assert promises_add_up()
    assert check_book() == []


def test_the_place_is_to_be_counted_once(floor: Floor) -> None:
    apple = make_product()
    orders = [floor.ready(apple, 5), floor.ready(apple, 4)]
    for order in orders:
        wave = floor.wave(order)
        [task] = tasks_of(wave)
        result = pick_short(wave_id=wave.pk, picks=[scan(task, 1)], reason=GONE)
    count = CycleCount.objects.get()
    assert count.pk == result.count_id
    assert (count.location, count.product, count.reason, count.state) == (
        *(floor.bin("A-1"), apple),
        *("short_pick", "requested"),
    )


def test_nothing_found_and_nothing_elsewhere_is_backordered(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 5)
    wave = floor.wave(order)
    [task] = tasks_of(wave)
    result = pick_short(wave_id=wave.pk, picks=[scan(task, 0)], reason=ShortReason.DAMAGED)
    assert (result.missing, result.reallocated) == (5, 0)
    assert result.wave.state == "completed"
    assert quantities(order) == (0, 0, 0)
    order.refresh_from_db()
    assert order.state == "backordered"
    assert [a.state for a in Allocation.objects.all()] == ["released"]
    assert balance(apple, floor.bin("A-1").pk) == (5, 0)
    assert promises_add_up()
    task.refresh_from_db()
    assert (task.short_reason, task.quantity_picked) == ("damaged", 0)


def test_the_same_place_is_not_asked_again_though_the_book_has_more_there(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 5)
    floor.stock(apple, 50, "A-1")
    wave = floor.wave(order)
    result = pick_short(wave_id=wave.pk, picks=[scan(tasks_of(wave)[0], 4)], reason=GONE)
    assert result.reallocated == 0
    assert balance(apple, floor.bin("A-1").pk) == (51, 0)


def test_of_several_orders_the_first_get_what_was_found(floor: Floor) -> None:
    apple = make_product()
    floor.stock(apple, 9, "A-1")
    orders = [floor.order((apple, n)) for n in (4, 3, 2)]
    for order, n in zip(orders, (4, 3, 2)):
        floor.promise(order, apple, n, "A-1")
    floor.stock(apple, 3, "B-1")
    floor.stock(apple, 1, "C-1")
    wave = floor.wave(*orders)
    first, second, third = tasks_of(wave)
    picks = [scan(first, 4), scan(second, 1), scan(third, 0)]  # five of nine were there
    result = pick_short(wave_id=wave.pk, picks=picks, reason=GONE)
    assert (result.missing, result.reallocated) == (4, 4)
    assert [quantities(order) for order in orders] == [(0, 4, 0), (2, 1, 0), (2, 0, 0)]
    later = [
        (t.location.code, t.sales_order_id, int(t.quantity))
        for t in tasks_of(wave)
        if t.state == "open"
    ]
    second_id, third_id = orders[1].pk, orders[2].pk
    assert later == [("B-1", second_id, 2), ("B-1", third_id, 1), ("C-1", third_id, 1)]
    assert promises_add_up()


def test_the_new_task_comes_where_the_way_goes_on(floor: Floor) -> None:
    apple = make_product("APPLE")
    orders = [
        floor.ready(make_product("B"), 1, "A-1"),
        floor.ready(apple, 2, "A-3"),
        floor.ready(make_product("C"), 1, "A-9"),
    ]
    floor.stock(apple, 1, "A-2")
    floor.stock(apple, 1, "A-5")
    wave = floor.wave(*orders)
    pick_short(wave_id=wave.pk, picks=[scan(tasks_of(wave)[1], 0)], reason=GONE)
    way = [t.location.code for t in tasks_of(wave) if t.state == "open"]
    # from A-3 on, and what lies behind (A-1 was passed by, A-2 is new) at the end
    assert way == ["A-5", "A-9", "A-1", "A-2"]


def test_an_expired_lot_is_not_taken_elsewhere_either(floor: Floor) -> None:
    apple = make_product(lot_tracking=LotTracking.LOT)
    bad, good = make_lot(apple, "BAD"), make_lot(apple, "GOOD", expires_on=someday(30))
    order = floor.ready(apple, 3, lot=bad)
    floor.stock(apple, 3, "A-2", bad)
    floor.stock(apple, 3, "A-3", good)
    wave = floor.wave(order)
    [task] = tasks_of(wave)
    pick_short(wave_id=wave.pk, picks=[scan(task, 0)], reason=ShortReason.EXPIRED)
    assert [(t.location.code, t.lot.code) for t in tasks_of(wave) if t.state == "open"] == [
        ("A-3", "GOOD")
    ]


def test_goods_promised_to_others_or_on_hold_are_no_replacement(floor: Floor) -> None:
    apple = make_product(lot_tracking=LotTracking.LOT)
    lot, held = make_lot(apple, "L1"), make_lot(apple, "HELD", status="on_hold")
    order = floor.ready(apple, 3, lot=lot)
    floor.ready(apple, 3, "A-2", lot=lot)
    floor.stock(apple, 3, "A-3", held)
    wave = floor.wave(order)
    picks = [scan(tasks_of(wave)[0], 0)]
    assert pick_short(wave_id=wave.pk, picks=picks, reason=GONE).reallocated == 0


# -- refused ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("reason", ["", "lost interest"])
def test_a_short_pick_needs_a_reason(floor: Floor, reason: str) -> None:
    wave = floor.wave(floor.ready(make_product(), 3))
    [task] = tasks_of(wave)
    with pytest.raises(Invalid, match="Say why less was found"):
        pick_short(wave_id=wave.pk, picks=[scan(task, 1)], reason=reason)
    task.refresh_from_db()
    assert task.state == "open"
    assert not CycleCount.objects.exists()


@pytest.mark.parametrize("quantity", [3, 4, -1, D("0.5")])
def test_a_short_pick_is_short_and_possible(floor: Floor, quantity: object) -> None:
    wave = floor.wave(floor.ready(make_product(), 3))
    [task] = tasks_of(wave)
    with pytest.raises(Invalid):
        pick_short(wave_id=wave.pk, picks=[scan(task, quantity)], reason=GONE)
    task.refresh_from_db()
    assert task.state == "open"
    assert not CycleCount.objects.exists()
    assert StockMovement.objects.count() == 1  # the goods came in, nothing else


def test_short_picks_are_reported_place_by_place(floor: Floor) -> None:
    wave = floor.wave(floor.ready(make_product("A"), 2), floor.ready(make_product("B"), 2, "A-2"))
    picks = [scan(task, 1) for task in tasks_of(wave)]
    with pytest.raises(Invalid, match="place by place"):
        pick_short(wave_id=wave.pk, picks=picks, reason=GONE)
    assert PickTask.objects.filter(state="open").count() == 2


def test_a_short_pick_counts_once(floor: Floor) -> None:
    apple = make_product()
    floor.stock(apple, 9, "A-2")
    wave = floor.wave(floor.ready(apple, 3))
    task = tasks_of(wave)[0]
    pick_short(wave_id=wave.pk, picks=[scan(task, 1)], reason=GONE)
    with pytest.raises(TaskNotOpen):
        pick_short(wave_id=wave.pk, picks=[scan(task, 1)], reason=GONE)
    assert balance(apple, floor.site.at("packing")) == (1, 1)


# -- taking back -----------------------------------------------------------------------------------
def test_of_a_short_pick_taken_back_the_shortage_stays_on_record(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 10)
    wave = floor.wave(order)
    [task] = tasks_of(wave)
    pick_short(wave_id=wave.pk, picks=[scan(task, 7)], reason=GONE)
    undo_pick(wave_id=wave.pk, task_ids=[task.pk])
    assert shown(wave) == [("A-1", 3, 0, "short"), ("A-1", 7, 0, "open")]
    assert balance(apple, floor.bin("A-1").pk) == (10, 7)
    assert quantities(order) == (7, 0, 0)
    assert promises_add_up()
    again = tasks_of(wave)[1]
    assert pick(wave_id=wave.pk, picks=[scan(again)]).state == "completed"
    with pytest.raises(NothingPicked):
        undo_pick(wave_id=wave.pk, task_ids=[task.pk])
    assert check_book() == []


def test_the_number_of_statements_does_not_grow_with_the_orders_at_the_place(floor: Floor) -> None:
    def short(count: int) -> int:
        apple = make_product(f"P{count}")
        floor.stock(apple, count * 2, "A-1")
        floor.stock(apple, count, f"Z-{count}")
        orders = [floor.order((apple, 2)) for _ in range(count)]
        for order in orders:
            floor.promise(order, apple, 2, "A-1")
        wave = floor.wave(*orders)
        picks = [scan(task, 1) for task in tasks_of(wave)]
        return statements(lambda: pick_short(wave_id=wave.pk, picks=picks, reason=GONE))

    assert short(2) == short(9)
