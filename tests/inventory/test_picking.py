"""Picking: a scan moves goods once, a wrong one is named, and the last one can be taken back."""

from __future__ import annotations

import pytest

from inventory.models import (
    Allocation,
    LotTracking,
    MovementReason,
    PickTask,
    StockMovement,
    WorkClaim,
    WorkKind,
)
from inventory.queries.integrity import check_book
from inventory.services.picking import pick, undo_pick
from inventory.services.picking_errors import (
    AllocationEnded,
    AlreadyPacked,
    NothingPicked,
    TaskNotOpen,
    WaveNotOpen,
    WrongPick,
)
from inventory.services.waves import cancel_wave
from inventory.services.worklists import ClaimedByOther, claim_work
from tenancy.errors import Invalid, NotFound
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import make_lot
from tests.inventory.outbound_world import (
    D,
    Floor,
    balance,
    make_floor,
    make_product,
    promises_add_up,
    quantities,
    scan,
    statements,
    tasks_of,
)


def nothing_changed(floor: Floor, task: PickTask) -> bool:
    task.refresh_from_db()
    moved = StockMovement.objects.filter(reason__in=[MovementReason.PICK, MovementReason.UNPICK])
    return task.state == "open" and not moved.exists() and promises_add_up()


# -- a pick ----------------------------------------------------------------------------------------
def test_a_pick_moves_the_goods_and_their_promise_to_the_packing_place(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 3)
    floor.stock(apple, 4, "A-1")
    wave = floor.wave(order)
    [task] = tasks_of(wave)
    pick(wave_id=wave.pk, picks=[scan(task)])
    assert balance(apple, floor.bin("A-1").pk) == (4, 0)
    assert balance(apple, floor.site.at("packing")) == (3, 3)
    assert quantities(order) == (0, 3, 0)
    allocation = Allocation.objects.get()
    assert (allocation.state, allocation.picked_into_id) == ("picked", floor.site.at("packing"))
    assert allocation.ended_at is not None
    task.refresh_from_db()
    assert (task.state, task.quantity_picked) == ("picked", 3)
    assert task.picked_by_label == "owner@north.example"
    movement = StockMovement.objects.get(reason=MovementReason.PICK)
    assert (movement.document_kind, movement.document_id) == ("Wave", wave.pk)
    assert promises_add_up()
    assert check_book() == []


def test_the_last_pick_completes_the_wave_and_gives_it_back(floor: Floor) -> None:
    wave = floor.wave(floor.ready(make_product("A"), 1), floor.ready(make_product("B"), 2, "A-2"))
    first, second = tasks_of(wave)
    pick(wave_id=wave.pk, picks=[scan(first)])
    wave.refresh_from_db()
    assert (wave.state, wave.completed_at) == ("released", None)
    assert WorkClaim.objects.filter(kind=WorkKind.PICK, subject_id=wave.pk).exists()
    done = pick(wave_id=wave.pk, picks=[scan(second)])
    assert done.state == "completed"
    assert done.completed_at is not None
    assert not WorkClaim.objects.exists()


def test_one_scan_confirms_the_same_goods_for_several_orders(floor: Floor) -> None:
    apple = make_product()
    floor.stock(apple, 9, "A-1")
    orders = [floor.order((apple, n)) for n in (2, 3, 4)]
    for order, n in zip(orders, (2, 3, 4)):
        floor.promise(order, apple, n, "A-1")
    wave = floor.wave(*orders)
    pick(wave_id=wave.pk, picks=[scan(task) for task in tasks_of(wave)])
    assert [quantities(order) for order in orders] == [(0, 2, 0), (0, 3, 0), (0, 4, 0)]
    assert balance(apple, floor.site.at("packing")) == (9, 9)
    assert promises_add_up()


def test_the_number_of_statements_does_not_grow_with_the_tasks(floor: Floor) -> None:
    def pick_many(lines: int) -> int:
        wave = floor.wave(floor.many(lines))
        picks = [scan(task) for task in tasks_of(wave)]
        return statements(lambda: pick(wave_id=wave.pk, picks=picks))

    assert pick_many(2) == pick_many(20)


# -- refused ---------------------------------------------------------------------------------------
def test_another_place_is_refused_by_name(floor: Floor) -> None:
    wave = floor.wave(floor.ready(make_product(), 3))
    [task] = tasks_of(wave)
    with pytest.raises(WrongPick, match=r"This is B-9\. Go to A-1\.") as refused:
        pick(wave_id=wave.pk, picks=[scan(task, location_id=floor.bin("B-9").pk)])
    assert refused.value.data["mismatches"] == [
        {"task_id": task.pk, "what": "location", "expected": "A-1", "scanned": "B-9"}
    ]
    assert nothing_changed(floor, task)


def test_another_product_is_refused_by_name(floor: Floor) -> None:
    wave = floor.wave(floor.ready(make_product("APPLE"), 3))
    [task] = tasks_of(wave)
    pear = make_product("PEAR")
    with pytest.raises(WrongPick, match=r"This is PEAR\. Pick APPLE\."):
        pick(wave_id=wave.pk, picks=[scan(task, product_id=pear.pk)])
    assert nothing_changed(floor, task)


@pytest.mark.parametrize(("given", "words"), [("L2", "lot L2"), (None, "lot none")])
def test_another_lot_or_none_is_refused_by_name(
    floor: Floor, given: str | None, words: str
) -> None:
    apple = make_product(lot_tracking=LotTracking.LOT)
    wave = floor.wave(floor.ready(apple, 3, lot=make_lot(apple, "L1")))
    [task] = tasks_of(wave)
    lot_id = make_lot(apple, given).pk if given else None
    with pytest.raises(WrongPick, match=rf"This is {words}\. Pick lot L1\."):
        pick(wave_id=wave.pk, picks=[scan(task, lot_id=lot_id)])
    assert nothing_changed(floor, task)


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        *(("2", "short"), ("0", "short"), ("4", "too_much"), ("-1", "not_positive")),
        *(("0.5", "not_whole"), ("NaN", "not_a_number"), ("1e400", "too_large")),
    ],
)
def test_a_quantity_that_is_not_all_of_it_is_refused(
    floor: Floor, quantity: str, code: str
) -> None:
    wave = floor.wave(floor.ready(make_product(), 3))
    [task] = tasks_of(wave)
    with pytest.raises(Invalid) as refused:
        pick(wave_id=wave.pk, picks=[scan(task, quantity)])
    assert [problem.code for problem in refused.value.problems] == [code]
    assert nothing_changed(floor, task)


def test_a_task_is_picked_once(floor: Floor) -> None:
    apple = make_product()
    wave = floor.wave(floor.ready(apple, 3), floor.ready(make_product("B"), 1, "A-2"))
    task = tasks_of(wave)[0]
    pick(wave_id=wave.pk, picks=[scan(task)])
    with pytest.raises(TaskNotOpen, match=r"picked already, by owner@north\.example"):
        pick(wave_id=wave.pk, picks=[scan(task)])
    assert balance(apple, floor.site.at("packing")) == (3, 3)


def test_one_wrong_scan_of_several_confirms_none(floor: Floor) -> None:
    wave = floor.wave(floor.ready(make_product("A"), 1), floor.ready(make_product("B"), 1, "A-2"))
    first, second = tasks_of(wave)
    with pytest.raises(WrongPick):
        pick(wave_id=wave.pk, picks=[scan(first), scan(second, product_id=first.product_id)])
    assert nothing_changed(floor, first)
    assert nothing_changed(floor, second)


def test_a_task_named_twice_or_of_another_wave_is_refused(floor: Floor) -> None:
    wave = floor.wave(floor.ready(make_product("A"), 1))
    other = floor.wave(floor.ready(make_product("B"), 1, "A-2"))
    [task], [foreign] = tasks_of(wave), tasks_of(other)
    with pytest.raises(Invalid):
        pick(wave_id=wave.pk, picks=[scan(task), scan(task)])
    with pytest.raises(NotFound):
        pick(wave_id=wave.pk, picks=[scan(foreign)])
    with pytest.raises(Invalid):
        pick(wave_id=wave.pk, picks=[])
    assert nothing_changed(floor, task)
    assert nothing_changed(floor, foreign)


def test_goods_no_longer_promised_are_left_where_they_are(floor: Floor) -> None:
    order = floor.ready(make_product(), 3)
    wave = floor.wave(order)
    [task] = tasks_of(wave)
    Allocation.objects.update(state="released")
    with pytest.raises(AllocationEnded, match=rf"APPLE is not promised to order {order.number}"):
        pick(wave_id=wave.pk, picks=[scan(task)])
    task.refresh_from_db()
    assert task.state == "open"
    assert quantities(order) == (3, 0, 0)


def test_a_wave_that_is_over_is_not_picked(floor: Floor) -> None:
    wave = floor.wave(floor.ready(make_product(), 3))
    [task] = tasks_of(wave)
    cancel_wave(wave_id=wave.pk)
    with pytest.raises(WaveNotOpen):
        pick(wave_id=wave.pk, picks=[scan(task)])
    with pytest.raises(NotFound):
        pick(wave_id=10**9, picks=[scan(task)])


def test_a_wave_is_picked_by_the_one_who_has_taken_it(north: House) -> None:
    with north.scope():
        floor = make_floor()
        wave = floor.wave(floor.ready(make_product(), 3))
        [task] = tasks_of(wave)
    with north.scope("operator"):
        claim_work(kind=WorkKind.PICK, subject_id=wave.pk)
    with north.scope("planner"):
        with pytest.raises(ClaimedByOther):
            pick(wave_id=wave.pk, picks=[scan(task)])
        assert nothing_changed(floor, task)
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        pick(wave_id=wave.pk, picks=[scan(task)])
    with north.scope("operator"):
        assert pick(wave_id=wave.pk, picks=[scan(task)]).state == "completed"


# -- taking back -----------------------------------------------------------------------------------
def test_a_pick_taken_back_leaves_everything_as_before(floor: Floor) -> None:
    apple = make_product()
    order = floor.ready(apple, 3)
    wave = floor.picked(order)
    [task] = tasks_of(wave)
    undone = undo_pick(wave_id=wave.pk, task_ids=[task.pk])
    assert undone.state == "released"
    assert balance(apple, floor.bin("A-1").pk) == (3, 3)
    assert balance(apple, floor.site.at("packing")) == (0, 0)
    assert quantities(order) == (3, 0, 0)
    allocation = Allocation.objects.get()
    assert (allocation.state, allocation.picked_into_id, allocation.ended_at) == (
        *("allocated", None),
        None,
    )
    task.refresh_from_db()
    assert (task.state, task.quantity_picked, task.picked_by_label) == ("open", 0, "")
    back = StockMovement.objects.get(reason=MovementReason.UNPICK)
    assert (back.from_location_id, back.quantity) == (floor.site.at("packing"), 3)
    assert promises_add_up()
    # and it is picked again
    assert pick(wave_id=wave.pk, picks=[scan(task)]).state == "completed"
    assert check_book() == []


def test_what_is_packed_or_was_never_picked_is_not_taken_back(floor: Floor) -> None:
    apple = make_product()
    wave = floor.picked(floor.ready(apple, 3))
    [task] = tasks_of(wave)
    Allocation.objects.update(quantity_packed=D(1))
    with pytest.raises(AlreadyPacked, match=r"APPLE is packed\. Unpack it first") as refused:
        undo_pick(wave_id=wave.pk, task_ids=[task.pk])
    assert refused.value.data["picks"] == [
        {"task_id": task.pk, "sku": "APPLE", "picked": "3", "packed": "1"}
    ]
    assert balance(apple, floor.site.at("packing")) == (3, 3)
    Allocation.objects.update(quantity_packed=0, state="released")
    with pytest.raises(AlreadyPacked, match="not the order's any more"):
        undo_pick(wave_id=wave.pk, task_ids=[task.pk])
    Allocation.objects.update(state="picked")
    undo_pick(wave_id=wave.pk, task_ids=[task.pk])
    for task_ids in ([task.pk], []):
        with pytest.raises(NothingPicked):
            undo_pick(wave_id=wave.pk, task_ids=task_ids)
    assert balance(apple, floor.bin("A-1").pk) == (3, 3)


def test_goods_of_a_cancelled_wave_go_back_without_a_task(floor: Floor) -> None:
    apple = make_product()
    first = floor.ready(apple, 3)
    wave = floor.wave(first, floor.ready(make_product("B"), 1, "A-2"))
    task = tasks_of(wave)[0]
    pick(wave_id=wave.pk, picks=[scan(task)])
    cancel_wave(wave_id=wave.pk)
    undo_pick(wave_id=wave.pk, task_ids=[task.pk])
    task.refresh_from_db()
    assert task.state == "cancelled"
    assert balance(apple, floor.bin("A-1").pk) == (3, 3)
    assert tasks_of(floor.wave(first))[0].state == "open"


def test_taking_back_many_asks_the_same_number_of_questions(floor: Floor) -> None:
    def undo(lines: int) -> int:
        wave = floor.picked(floor.many(lines))
        task_ids = [task.pk for task in tasks_of(wave)]
        return statements(lambda: undo_pick(wave_id=wave.pk, task_ids=task_ids))

    assert undo(2) == undo(20)
