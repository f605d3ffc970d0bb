"""Many hands on one order: released, picked, packed and shipped once.

The controls take away the claim, the locks, the conditions of the updates and the database's own
check, and have another order's goods lie at the same place: those would be taken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from inventory.models import (
    Allocation,
    Package,
    PickTask,
    SalesOrder,
    Shipment,
    StockMovement,
    Wave,
    WorkKind,
)
from inventory.queries.waves import WaveRequest
from inventory.services import pick_work, picking, shipping, waves
from inventory.services.order_states import WrongSalesOrderState
from inventory.services.packing import PackItem, close_package, open_package, pack, pack_rest
from inventory.services.packing_errors import NothingToPack, NotPicked
from inventory.services.picking import pick, undo_pick
from inventory.services.picking_errors import (
    AlreadyPacked,
    NothingPicked,
    NothingToRelease,
    TaskNotOpen,
    WaveNotOpen,
)
from inventory.services.shipping import ship_order
from inventory.services.shipping_errors import EmptyShipment
from inventory.services.worklists import release_work
from tests.cast import House
from tests.inventory.outbound_world import (
    D,
    Floor,
    make_floor,
    make_product,
    promises_add_up,
    quantities,
    scan,
    tasks_of,
)
from tests.races.harness import race, refusals, without_constraint, without_index, won

HANDS = 8
FEW = 3


@pytest.fixture
def house(transactional_db: None, north: House) -> House:
    return north


def ready(house: House, *counts: int) -> tuple[Floor, list[SalesOrder]]:
    """Return committed orders of that many apples each, promised in one bin."""
    with house.scope():
        floor, apple = make_floor(), make_product()
        return floor, [floor.ready(apple, count) for count in counts]


def opened(order: SalesOrder) -> Package:
    """Open a package and give the order back, for others to pack."""
    package = open_package(sales_order_id=order.pk)
    release_work(kind=WorkKind.PACK, subject_id=order.pk)
    return package


def moved(house: House, reason: int) -> int:
    with house.scope():
        return StockMovement.objects.filter(reason=reason).count()


@contextmanager
def unprotected(monkeypatch: pytest.MonkeyPatch, *patches: tuple[Any, str, Any]) -> Iterator[None]:
    """Put these in the place of what protects, and take the check of the order line away."""
    with ExitStack() as stack, monkeypatch.context() as patch:
        for module, name, value in patches:
            patch.setattr(module, name, value)
        table, name = "inventory_salesorderline", "sales_line_within_quantity"
        stack.enter_context(without_constraint(table, name))
        yield


def not_locked(order_ids: Any) -> dict[int, SalesOrder]:
    return {order.pk: order for order in SalesOrder.objects.filter(pk__in=list(order_ids))}


def meeting(count: int, then: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, behind a point that all of them have to reach."""
    barrier = threading.Barrier(count)

    def met(*args: Any, **kwargs: Any) -> Any:
        result = then(*args, **kwargs)
        barrier.wait(60)
        return result

    return met


# -- release ---------------------------------------------------------------------------------------
def test_goods_are_released_to_one_wave_by_many_planners(house: House) -> None:
    floor, _orders = ready(house, 3, 4)
    request = WaveRequest(floor.site.warehouse.pk)
    results = race(house, [lambda: waves.release_waves(request=request)] * HANDS)
    assert len(won(results)) == 1
    assert refusals(results) <= {NothingToRelease}
    with house.scope():
        assert (Wave.objects.count(), PickTask.objects.count()) == (1, 2)


def test_control_without_locks_and_index_goods_are_released_many_times(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor, _orders = ready(house, 3)
    request = WaveRequest(floor.site.warehouse.pk)
    monkeypatch.setattr(waves, "lock_orders", not_locked)
    monkeypatch.setattr(waves, "planned_waves", meeting(FEW, waves.planned_waves))
    with without_index("pick_task_one_open"):
        results = race(house, [lambda: waves.release_waves(request=request)] * FEW)
        assert len(won(results)) == FEW
        with house.scope():
            assert PickTask.objects.count() == FEW


# -- pick ------------------------------------------------------------------------------------------
def test_two_pickers_on_one_task_move_the_goods_once(house: House) -> None:
    floor, [order, _other] = ready(house, 3, 30)
    with house.scope():
        wave = floor.wave(order)
        [task] = tasks_of(wave)
    results = race(house, [lambda: pick(wave_id=wave.pk, picks=[scan(task)])] * HANDS)
    assert len(won(results)) == 1
    assert refusals(results) <= {TaskNotOpen, WaveNotOpen}
    assert moved(house, 50) == 1
    with house.scope():
        assert quantities(order) == (0, 3, 0)
        assert promises_add_up()


def test_control_without_claim_locks_and_conditions_others_goods_are_picked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor, [order, _other] = ready(house, 3, 30)
    with house.scope():
        wave = floor.wave(order)
        [task] = tasks_of(wave)

    def tasks_unlocked(wave: Wave, task_ids: Any) -> list[PickTask]:
        related = ("product", "location", "lot", "sales_order", "allocation")
        return list(PickTask.objects.filter(pk__in=task_ids).select_related(*related))

    with unprotected(
        monkeypatch,
        (picking, "take_wave", lambda wave_id: Wave.objects.get(pk=wave_id)),
        (picking, "lock_tasks", tasks_unlocked),
        (picking, "found_of", meeting(FEW, picking.found_of)),
        (pick_work, "CLOSE_TASKS", pick_work.CLOSE_TASKS.split("AND task.state")[0]),
        (pick_work, "END_ALLOCATIONS", pick_work.END_ALLOCATIONS.split("AND a.state")[0]),
        (pick_work, "PICK_LINES", pick_work.PICK_LINES.split("AND line.quantity_allocated")[0]),
    ):
        results = race(house, [lambda: pick(wave_id=wave.pk, picks=[scan(task)])] * FEW)
        assert len(won(results)) == FEW
        assert moved(house, 50) == FEW
        with house.scope():
            assert not promises_add_up()


def test_a_pick_is_taken_back_or_packed_never_both(house: House) -> None:
    floor, [order] = ready(house, 3)
    with house.scope():
        wave = floor.picked(order)
        [task] = tasks_of(wave)
        package = opened(order)
    results = race(
        house,
        [
            lambda: undo_pick(wave_id=wave.pk, task_ids=[task.pk]),
            lambda: pack_rest(package_id=package.pk),
        ]
        * 3,
    )
    assert len(won(results)) == 1
    assert refusals(results) <= {AlreadyPacked, NothingToPack, NothingPicked}
    with house.scope():
        allocation = Allocation.objects.get()
        assert (allocation.state, int(allocation.quantity_packed)) in {
            ("allocated", 0),
            ("picked", 3),
        }
        assert promises_add_up()


# -- pack ------------------------------------------------------------------------------------------
def picked_apples(house: House, count: int) -> tuple[SalesOrder, Package, int]:
    floor, [order] = ready(house, count)
    with house.scope():
        floor.picked(order)
        package = opened(order)
        return order, package, Allocation.objects.get().product_id


def test_many_packers_never_pack_more_than_was_picked(house: House) -> None:
    _order, package, product_id = picked_apples(house, 10)
    item = PackItem(product_id, D(3))
    results = race(house, [lambda: pack(package_id=package.pk, items=[item])] * HANDS)
    assert len(won(results)) == 3  # 3 + 3 + 3 = 9 of 10
    assert refusals(results) == {NotPicked}
    with house.scope():
        assert Allocation.objects.get().quantity_packed == 9
        assert package.lines.get().quantity == 9


def test_control_without_locks_and_condition_more_is_packed_than_was_picked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inventory.services import packing

    order, package, product_id = picked_apples(house, 10)
    with house.scope():
        allocation_id = Allocation.objects.get().pk
    unguarded = packing.PACK_ALLOCATIONS.split("AND a.quantity_packed")[0]
    monkeypatch.setattr(packing, "PACK_ALLOCATIONS", unguarded)
    monkeypatch.setattr(packing, "_take", meeting(FEW, lambda _id: (order, package)))
    monkeypatch.setattr(packing, "from_picked", lambda *_args: {allocation_id: D(4)})
    with without_constraint("inventory_allocation", "allocation_numbers_sane"):
        item = PackItem(product_id, D(4))
        results = race(house, [lambda: pack(package_id=package.pk, items=[item])] * FEW)
        assert len(won(results)) == FEW
        with house.scope():
            assert Allocation.objects.get().quantity_packed == 12  # of ten picked


# -- ship ------------------------------------------------------------------------------------------
def boxed_order(house: House) -> SalesOrder:
    """Return an order of three packed apples; thirty of another order lie picked beside them."""
    floor, [order, other] = ready(house, 3, 30)
    with house.scope():
        floor.picked(order, other)
        package = open_package(sales_order_id=order.pk)
        pack_rest(package_id=package.pk)
        close_package(package_id=package.pk)
    return order


@pytest.mark.parametrize("pack_all", [False, True])
def test_an_order_is_shipped_once_by_many(house: House, pack_all: bool) -> None:
    order = boxed_order(house)
    work = lambda: ship_order(sales_order_id=order.pk, pack_all=pack_all)  # noqa: E731
    results = race(house, [work] * HANDS)
    assert len(won(results)) == 1
    assert refusals(results) <= {EmptyShipment, WrongSalesOrderState}
    assert moved(house, 60) == 1
    with house.scope():
        assert quantities(order) == (0, 0, 3)
        assert Shipment.objects.count() == 1
        assert promises_add_up()


def test_control_without_claim_locks_and_conditions_an_order_is_shipped_many_times(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = boxed_order(house)

    def closed(order: SalesOrder, package_ids: Any, *, pack_all: bool) -> list[Package]:
        return list(Package.objects.filter(sales_order=order))

    with unprotected(
        monkeypatch,
        (shipping, "claim_work", lambda **_kind: None),
        (shipping, "lock_orders", not_locked),
        (shipping, "packages_leaving", meeting(FEW, closed)),
        (shipping, "SHIP_PACKAGES", shipping.SHIP_PACKAGES.split("AND state")[0]),
        (shipping, "SHIP_ALLOCATIONS", shipping.SHIP_ALLOCATIONS.split("AND a.state")[0]),
        (shipping, "SHIP_LINES", shipping.SHIP_LINES.split("AND line.quantity_picked")[0]),
    ):
        results = race(house, [lambda: ship_order(sales_order_id=order.pk)] * FEW)
        assert len(won(results)) == FEW
        assert moved(house, 60) == FEW  # nine apples left, six of them another order's
        with house.scope():
            assert Shipment.objects.count() == FEW
            assert not promises_add_up()
