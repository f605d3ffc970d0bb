"""Releasing waves: what is promised becomes tasks, once; a wave may be called off."""

from __future__ import annotations

import pytest

from inventory.models import Allocation, Location, PickTask, Wave, WorkKind, Zone
from inventory.queries.waves import (
    WaveProgress,
    WaveRequest,
    planned_waves,
    released_waves,
    search_waves,
    wave_progress,
)
from inventory.rules.wave_plan import Limits, PlanKind
from inventory.services.picking import pick
from inventory.services.picking_errors import NothingToRelease, WaveNotOpen
from inventory.services.waves import cancel_wave, release_waves
from inventory.services.worklists import ClaimedByOther, claim_work
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.outbound_world import (
    D,
    Floor,
    balance,
    make_floor,
    make_product,
    promises_add_up,
    quantities,
    scan,
    someday,
    statements,
    tasks_of,
)


def asked(floor: Floor, **more: object) -> WaveRequest:
    return WaveRequest(floor.site.warehouse.pk, **more)


def test_promised_goods_become_tasks_in_walking_order(floor: Floor) -> None:
    apple, pear = make_product("APPLE"), make_product("PEAR")
    floor.stock(apple, 5, "B-1")
    floor.stock(pear, 5, "A-1")
    order = floor.order((apple, 3), (pear, 2))
    floor.promise(order, apple, 3, "B-1")
    floor.promise(order, pear, 2, "A-1")
    [wave] = release_waves(request=asked(floor))
    assert wave.number == "WV-000001"
    assert [(t.location.code, t.product.sku, t.quantity) for t in tasks_of(wave)] == [
        ("A-1", "PEAR", 2),
        ("B-1", "APPLE", 3),
    ]
    order.refresh_from_db()
    assert order.state == "picking"
    # a task moves nothing and promises nothing more
    assert balance(apple, floor.bin("B-1").pk) == (5, 3)


def test_what_is_in_a_wave_is_not_released_again(floor: Floor) -> None:
    order = floor.ready(make_product(), 3)
    floor.wave(order)
    with pytest.raises(NothingToRelease):
        release_waves(request=asked(floor))
    assert PickTask.objects.count() == 1
    assert Wave.objects.count() == 1


@pytest.mark.parametrize(
    ("narrow", "left"),
    [
        ({}, {"A", "B", "C"}),
        ({"priority_up_to": 2}, {"A"}),
        ({"promised_by": someday(3)}, {"B"}),
        ({"kind": PlanKind.ZONE}, {"A", "B", "C"}),
    ],
)
def test_a_release_is_narrowed_by_priority_and_promised_day(
    floor: Floor, narrow: dict, left: set[str]
) -> None:
    floor.ready(make_product("A"), 1, priority=1, promised_on=someday(9))
    floor.ready(make_product("B"), 1, promised_on=someday(3))
    floor.ready(make_product("C"), 1)
    release_waves(request=asked(floor, **narrow))
    assert set(PickTask.objects.values_list("product__sku", flat=True)) == left


def test_a_release_is_narrowed_by_zone_and_by_orders(floor: Floor) -> None:
    cold = Zone.objects.create(warehouse=floor.site.warehouse, code="COLD")
    floor.bin("C-1", zone=cold)
    first = floor.ready(make_product("A"), 1, "C-1")
    second = floor.ready(make_product("B"), 1, "D-1")
    [wave] = release_waves(request=asked(floor, kind=PlanKind.ZONE, zone_id=cold.pk))
    assert (wave.zone_id, tasks_of(wave)[0].sales_order_id) == (cold.pk, first.pk)
    [other] = release_waves(request=asked(floor, order_ids=(second.pk,)))
    assert tasks_of(other)[0].sales_order_id == second.pk


def test_limits_make_more_waves_and_the_preview_says_so(floor: Floor) -> None:
    for sku in "ABC":
        floor.ready(make_product(sku, volume_l=D("2.5")), 2, f"{sku}-1")
    request = asked(floor, limits=Limits(volume_l=D(10)))
    preview = planned_waves(request)
    assert [(w.order_count, w.stop_count, w.volume_l) for w in preview] == [
        (2, 2, D(10)),
        (1, 1, D(5)),
    ]
    assert PickTask.objects.count() == 0  # a preview writes nothing
    waves = release_waves(request=request)
    assert [len(tasks_of(wave)) for wave in waves] == [2, 1]


def test_goods_of_another_warehouse_or_a_cancelled_order_stay(floor: Floor) -> None:
    order = floor.ready(make_product(), 3)
    order.state = "cancelled"
    order.save()
    with pytest.raises(NothingToRelease):
        release_waves(request=asked(floor))


@pytest.mark.parametrize("limits", [Limits(orders=0), Limits(lines=0), Limits(volume_l=D(0))])
def test_limits_without_room_are_refused(floor: Floor, limits: Limits) -> None:
    floor.ready(make_product(), 3)
    with pytest.raises(Invalid):
        release_waves(request=asked(floor, limits=limits))
    assert Wave.objects.count() == 0


def test_picks_are_brought_to_a_packing_or_shipping_place_only(floor: Floor) -> None:
    floor.ready(make_product(), 3)
    with pytest.raises(Invalid, match="not a packing or shipping place"):
        release_waves(request=asked(floor), to_location_id=floor.site.at("storage"))
    with pytest.raises(NotFound):
        release_waves(request=asked(floor), to_location_id=987654)
    [wave] = release_waves(request=asked(floor), to_location_id=floor.site.at("shipping"))
    assert wave.to_location_id == floor.site.at("shipping")


def test_without_a_packing_place_nothing_is_released(floor: Floor) -> None:
    floor.ready(make_product(), 3)
    Location.objects.filter(kind="packing").update(is_active=False)
    with pytest.raises(Invalid, match="no packing place"):
        release_waves(request=asked(floor))
    assert Wave.objects.count() == 0


def test_a_viewer_releases_and_cancels_nothing(north: House) -> None:
    with north.scope():
        floor = make_floor()
        order = floor.ready(make_product(), 3)
        wave = floor.wave(order)
    with north.scope("viewer"):
        with pytest.raises(PermissionRefused):
            release_waves(request=asked(floor))
        with pytest.raises(PermissionRefused):
            cancel_wave(wave_id=wave.pk)


def test_the_number_of_statements_does_not_grow_with_the_lines(floor: Floor) -> None:
    def release(lines: int) -> int:
        floor.many(lines)
        return statements(lambda: release_waves(request=asked(floor)))

    assert release(2) == release(20)


# -- calling off -----------------------------------------------------------------------------------
def test_a_cancelled_wave_frees_its_tasks_and_keeps_the_promises(floor: Floor) -> None:
    apple, pear = make_product("APPLE"), make_product("PEAR")
    first, second = floor.ready(apple, 3, "A-1"), floor.ready(pear, 2, "A-2")
    wave = floor.wave(first, second)
    picked, waiting = tasks_of(wave)
    pick(wave_id=wave.pk, picks=[scan(picked)])
    cancel_wave(wave_id=wave.pk)
    wave.refresh_from_db()
    assert wave.state == "cancelled"
    assert [task.state for task in tasks_of(wave)] == ["picked", "cancelled"]
    assert quantities(second) == (2, 0, 0)
    assert Allocation.objects.get(pk=waiting.allocation_id).state == "allocated"
    second.refresh_from_db()
    assert second.state == "allocated"
    assert promises_add_up()
    # and can be released again
    assert tasks_of(floor.wave(second))[0].allocation_id == waiting.allocation_id


def test_a_wave_is_cancelled_once_and_not_after_it_is_done(floor: Floor) -> None:
    done = floor.picked(floor.ready(make_product("A"), 1))
    with pytest.raises(WaveNotOpen):
        cancel_wave(wave_id=done.pk)
    wave = floor.wave(floor.ready(make_product("B"), 1, "A-2"))
    cancel_wave(wave_id=wave.pk)
    with pytest.raises(WaveNotOpen):
        cancel_wave(wave_id=wave.pk)


def test_a_stale_page_cancels_nothing(floor: Floor) -> None:
    wave = floor.wave(floor.ready(make_product(), 1))
    with pytest.raises(StaleVersion):
        cancel_wave(wave_id=wave.pk, version=wave.version + 1)
    assert tasks_of(wave)[0].state == "open"


def test_what_somebody_else_picks_is_called_off_by_a_manager_only(north: House) -> None:
    with north.scope():
        floor = make_floor()
        wave = floor.wave(floor.ready(make_product(), 1))
    with north.scope("operator"):
        claim_work(kind=WorkKind.PICK, subject_id=wave.pk)
    with north.scope("planner"), pytest.raises(ClaimedByOther):
        cancel_wave(wave_id=wave.pk)
    with north.scope("manager"):
        cancel_wave(wave_id=wave.pk)
        assert tasks_of(wave)[0].state == "cancelled"


# -- looking ---------------------------------------------------------------------------------------
def test_progress_counts_the_tasks_of_each_wave_in_one_statement(
    floor: Floor, django_assert_num_queries
) -> None:
    wave = floor.wave(floor.ready(make_product("A"), 1), floor.ready(make_product("B"), 1, "A-2"))
    other = floor.wave(floor.ready(make_product("C"), 1, "A-3"))
    pick(wave_id=wave.pk, picks=[scan(tasks_of(wave)[0])])
    with django_assert_num_queries(1):
        progress = wave_progress([wave.pk, other.pk, 10**9])
    assert progress[wave.pk] == WaveProgress(tasks=2, open=1, picked=1, orders=2, stops=2)
    assert (progress[wave.pk].done, progress[other.pk].open) == (1, 1)
    assert progress[10**9] == WaveProgress()


def test_released_waves_come_by_the_most_urgent_order_in_them(floor: Floor) -> None:
    calm = floor.wave(floor.ready(make_product("A"), 1, priority=7))
    mixed = floor.wave(
        floor.ready(make_product("B"), 1, "A-2", priority=9),
        floor.ready(make_product("C"), 1, "A-3", priority=2, promised_on=someday(4)),
    )
    found = list(released_waves(warehouse_id=floor.site.warehouse.pk))
    assert [wave.pk for wave in found] == [mixed.pk, calm.pk]
    assert (found[0].urgency, found[0].promised_on) == (2, someday(4))
    assert not released_waves(warehouse_id=10**9).exists()


def test_waves_are_found_by_their_number_and_by_an_order_in_them(floor: Floor) -> None:
    order = floor.ready(make_product("A"), 1)
    wave = floor.wave(order)
    floor.wave(floor.ready(make_product("B"), 1, "A-2"))
    assert list(search_waves(text=order.number)) == [wave]
    assert list(search_waves(text=wave.number)) == [wave]
    assert search_waves(text="WV-").count() == 2
    assert search_waves(state="completed").count() == 0
