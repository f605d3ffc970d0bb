"""Stock is promised to order lines by urgency, first expired first out, and given back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from inventory.models import (
    Allocation,
    AllocationState,
    ChannelStock,
    Location,
    LotStatus,
    PickTask,
    SalesOrderState,
    StockBalance,
    WaveState,
    WorkKind,
)
from inventory.queries.worklists import live_claims
from inventory.rules.business_day import business_day
from inventory.services.allocation import (
    AllocationsEnded,
    MoreThanOpen,
    allocate_orders,
    allocate_warehouse,
    expire_allocations,
    release_allocations,
)
from inventory.services.allocation_manual import KeptFromChannel, LotNotPromisable, allocate_line
from inventory.services.ledger import InsufficientStock, MovementLine, post_movements
from inventory.services.order_states import WrongSalesOrderState
from inventory.services.worklists import claim_work
from tenancy.errors import Invalid, NotFound
from tenancy.models import AuditEvent, JobState
from tenancy.permissions import PermissionRefused
from tenancy.services.jobs import enqueue_job, run_job
from tenancy.services.schedules import known_schedules
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site
from tests.inventory.selling import (
    allocated_at,
    make_channel,
    owing,
    promised,
    release_wave,
    state_of,
)


def shelf(site: Site, code: str, walking_order: int, **fields: Any) -> Location:
    kind = fields.pop("kind", "storage")
    return Location.objects.create(
        warehouse=site.warehouse, code=code, kind=kind, walking_order=walking_order, **fields
    )


def put(site: Site, product: Any, place: Location, quantity: int, lot: Any = None) -> None:
    line = site.line(product, quantity, "supplier", "storage", lot_id=lot and lot.pk)
    post_movements(
        lines=[
            MovementLine(
                line.product_id,
                line.from_location_id,
                place.pk,
                line.quantity,
                line.reason,
                line.lot_id,
            )
        ]
    )


def test_an_order_is_promised_what_lies_free(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    order = owing(site.warehouse, (apple, 4))
    run = allocate_orders(order_ids=[order.pk])
    [allocation] = Allocation.objects.all()
    assert run.allocation_ids == [allocation.pk]
    assert run.states == {order.pk: SalesOrderState.ALLOCATED}
    assert (allocation.quantity, allocation.location_id) == (4, site.at("storage"))
    assert (promised(order), state_of(order)) == ([4], "allocated")
    assert allocated_at(apple, site.at("storage")) == 4
    assert AuditEvent.objects.filter(action="sales_order.allocated", subject_id=order.pk).exists()


def test_the_more_urgent_order_is_served_first_and_the_rest_is_backordered(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    site.receive(apple, 10)
    soon, later = date(2026, 12, 1), date(2026, 12, 9)
    usual = owing(site.warehouse, (apple, 4), (pear, 1))
    promised_later = owing(site.warehouse, (apple, 4), promised_on=later)
    promised_soon = owing(site.warehouse, (apple, 4), promised_on=soon)
    rushed = owing(site.warehouse, (apple, 4), priority=1)
    allocate_warehouse(warehouse_id=site.warehouse.pk)
    assert [promised(o) for o in (rushed, promised_soon, promised_later, usual)] == [
        [4],
        [4],
        [2],  # 10 - 4 - 4
        [0, 0],
    ]
    states = [state_of(o) for o in (rushed, promised_soon, promised_later, usual)]
    assert states == ["allocated", "allocated", "partially_allocated", "backordered"]


def test_what_came_later_goes_to_what_is_backordered(site: Site) -> None:
    apple = make_product()
    order = owing(site.warehouse, (apple, 4))
    assert allocate_orders(order_ids=[order.pk]).allocation_ids == []
    assert state_of(order) == "backordered"
    site.receive(apple, 3)
    allocate_warehouse(warehouse_id=site.warehouse.pk)
    site.receive(apple, 3)
    allocate_warehouse(warehouse_id=site.warehouse.pk)
    assert (promised(order), state_of(order)) == ([4], "allocated")
    assert allocated_at(apple, site.at("storage")) == 4


def test_the_first_to_expire_goes_first_then_the_older_lot_then_the_shorter_way(site: Site) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    today = business_day(timezone.now(), site.warehouse.time_zone)
    near, far = shelf(site, "A-1", 1), shelf(site, "A-2", 2)
    old_endless, young_endless = make_lot(milk, "OLD"), make_lot(milk, "YOUNG")
    expiring = make_lot(milk, "SOON", expires_on=today)
    put(site, milk, near, 2, young_endless)
    put(site, milk, far, 2, old_endless)
    put(site, milk, near, 2, old_endless)
    put(site, milk, far, 2, expiring)
    order = owing(site.warehouse, (milk, 7))
    allocate_orders(order_ids=[order.pk])
    found = Allocation.objects.order_by("id").values_list("lot__code", "location__code", "quantity")
    assert list(found) == [
        ("SOON", "A-2", 2),
        ("OLD", "A-1", 2),
        ("OLD", "A-2", 2),
        ("YOUNG", "A-1", 1),
    ]


def test_expired_held_and_recalled_lots_and_other_places_are_never_promised(site: Site) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    yesterday = business_day(timezone.now(), site.warehouse.time_zone) - timedelta(days=1)
    storage = site.places["storage"]
    put(site, milk, storage, 5, make_lot(milk, "EXPIRED", expires_on=yesterday))
    put(site, milk, storage, 5, make_lot(milk, "HELD", status=LotStatus.ON_HOLD))
    put(site, milk, storage, 5, make_lot(milk, "RECALLED", status=LotStatus.RECALLED))
    good = make_lot(milk, "GOOD")
    for kind in ("receiving", "packing", "shipping", "quarantine", "damaged"):
        put(site, milk, site.places[kind], 5, good)
    closed = shelf(site, "CLOSED", 1)
    put(site, milk, closed, 5, good)
    Location.objects.filter(pk=closed.pk).update(is_active=False)
    order = owing(site.warehouse, (milk, 1))
    allocate_orders(order_ids=[order.pk])
    assert (promised(order), state_of(order)) == ([0], "backordered")
    assert not StockBalance.objects.filter(allocated__gt=0).exists()


def test_other_warehouses_do_not_serve_an_order(site: Site) -> None:
    apple, other = make_product(), make_site("OTHER")
    other.receive(apple, 10)
    order, there = owing(site.warehouse, (apple, 1)), owing(other.warehouse, (apple, 2))
    allocate_orders(order_ids=[order.pk, there.pk])
    assert (promised(order), promised(there)) == ([0], [2])


@pytest.mark.parametrize("state", ["draft", "shipped", "closed", "cancelled"])
def test_only_what_is_owed_is_allocated(site: Site, state: str) -> None:
    apple = make_product()
    site.receive(apple, 10)
    order, good = owing(site.warehouse, (apple, 1), state=state), owing(site.warehouse, (apple, 1))
    with pytest.raises(WrongSalesOrderState) as refused:
        allocate_orders(order_ids=[good.pk, order.pk])
    assert refused.value.data["state"] == state
    with pytest.raises(NotFound):
        allocate_orders(order_ids=[good.pk, 2**62])
    assert not Allocation.objects.exists()
    assert allocated_at(apple, site.at("storage")) == 0
    allocate_warehouse(warehouse_id=site.warehouse.pk)
    assert (promised(order), promised(good)) == ([0], [1])


def test_a_viewer_may_not_allocate(north: House) -> None:
    with north.scope():
        site = make_site()
        order = owing(site.warehouse, (make_product(), 1))
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        allocate_orders(order_ids=[order.pk])


# -- channels -----------------------------------------------------------------------------------
def keep(site: Site, product: Any, channel: str, **kept: int) -> None:
    ChannelStock.objects.create(
        warehouse=site.warehouse, product=product, channel=make_channel(channel), **kept
    )


def test_stock_kept_for_another_channel_is_not_taken(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    keep(site, apple, "STORE", ring_fenced=6)
    web, store = (
        owing(site.warehouse, (apple, 8)),
        owing(site.warehouse, (apple, 5), channel="STORE"),
    )
    allocate_orders(order_ids=[web.pk])
    assert promised(web) == [4]  # 10 - 6 kept
    allocate_orders(order_ids=[store.pk])
    assert promised(store) == [5]
    allocate_orders(order_ids=[web.pk])
    assert promised(web) == [4]  # of the 6 kept the store has 5; the last one is still its own


def test_what_is_promised_to_the_channel_uses_up_what_is_kept_for_it(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    keep(site, apple, "STORE", ring_fenced=6)
    first = owing(site.warehouse, (apple, 8), channel="STORE", priority=1)
    second = owing(site.warehouse, (apple, 8))
    allocate_orders(order_ids=[first.pk, second.pk])
    # 8 of 10 go to the store, which had 6 kept: nothing more is kept, so the web gets the other 2
    assert (promised(first), promised(second)) == ([8], [2])


def test_the_buffer_keeps_the_last_units_from_its_channel_only(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    keep(site, apple, "WEB", buffer=3)
    web, store = (
        owing(site.warehouse, (apple, 9)),
        owing(site.warehouse, (apple, 9), channel="STORE"),
    )
    allocate_orders(order_ids=[web.pk])
    assert promised(web) == [7]
    allocate_orders(order_ids=[store.pk])
    assert promised(store) == [3]


# -- by hand ------------------------------------------------------------------------------------
def test_a_line_is_promised_a_place_and_lot_by_hand(site: Site) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    first, second = make_lot(milk, "L1"), make_lot(milk, "L2")
    for lot in (first, second):
        put(site, milk, site.places["storage"], 5, lot)
    order = owing(site.warehouse, (milk, 4))
    line = order.lines.get()
    made = allocate_line(
        line_id=line.pk, location_id=site.at("storage"), lot_id=second.pk, quantity=Decimal(3)
    )
    assert (made.lot_id, made.quantity, made.order_line_id) == (second.pk, 3, line.pk)
    assert (promised(order), state_of(order)) == ([3], "partially_allocated")


def test_what_cannot_be_promised_by_hand_is_refused(site: Site) -> None:
    milk, apple = make_product("MILK", lot_tracking="lot"), make_product()
    good, held = make_lot(milk, "GOOD"), make_lot(milk, "HELD", status=LotStatus.ON_HOLD)
    yesterday = business_day(timezone.now(), site.warehouse.time_zone) - timedelta(days=1)
    expired = make_lot(milk, "EXPIRED", expires_on=yesterday)
    storage, other = site.at("storage"), make_site("OTHER")
    for lot in (good, held, expired):
        put(site, milk, site.places["storage"], 5, lot)
    order = owing(site.warehouse, (milk, 9), (apple, 1))
    line, plain = order.lines.order_by("id")

    def refused(error: type[Exception], line_id: int = line.pk, **more: Any) -> Any:
        asked = {"location_id": storage, "lot_id": good.pk, "quantity": Decimal(1)} | more
        with pytest.raises(error) as info:
            allocate_line(line_id=line_id, **asked)
        return info.value

    refused(NotFound, line_id=2**62)
    refused(NotFound, lot_id=2**62)
    refused(NotFound, location_id=2**62)
    refused(NotFound, lot_id=make_lot(make_product("CREAM", lot_tracking="lot")).pk)
    assert refused(MoreThanOpen, quantity=Decimal(10)).data["open"] == "9"
    assert refused(InsufficientStock, quantity=Decimal(6)).lines[0].short == 1
    assert refused(LotNotPromisable, lot_id=held.pk).data["status"] == "on_hold"
    assert refused(LotNotPromisable, lot_id=expired.pk).data["lot"] == "EXPIRED"
    for quantity in ("0", "-1", "NaN", "1e400", "0.5"):
        refused(Invalid, quantity=Decimal(quantity))
    for place in (site.at("packing"), other.at("storage")):
        refused(Invalid, location_id=place)
    refused(Invalid, lot_id=None)
    refused(Invalid, line_id=plain.pk)  # apples have no lots
    keep(site, milk, "STORE", ring_fenced=14)
    assert refused(KeptFromChannel, quantity=Decimal(2)).data == {"asked": "2", "granted": "0"}
    assert not Allocation.objects.exists()
    assert promised(order) == [0, 0]


# -- given back ---------------------------------------------------------------------------------
def test_a_released_allocation_is_free_again_and_its_pick_is_cancelled(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    order = owing(site.warehouse, (apple, 4))
    [allocation_id] = allocate_orders(order_ids=[order.pk]).allocation_ids
    wave = release_wave(site, [Allocation.objects.get()])
    release_allocations(allocation_ids=[allocation_id])
    ended = Allocation.objects.get()
    assert (ended.state, ended.ended_at is not None) == ("released", True)
    assert (promised(order), state_of(order)) == ([0], "backordered")
    assert allocated_at(apple, site.at("storage")) == 0
    assert PickTask.objects.get().state == "cancelled"
    wave.refresh_from_db()
    assert wave.state == WaveState.CANCELLED


def test_an_allocation_ends_once_and_a_refused_release_changes_nothing(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    orders = [owing(site.warehouse, (apple, 4)) for _ in range(2)]
    first, second = allocate_orders(order_ids=[o.pk for o in orders]).allocation_ids
    release_allocations(allocation_ids=[first])
    with pytest.raises(AllocationsEnded) as refused:
        release_allocations(allocation_ids=[second, first])
    assert refused.value.data == {"allocation_ids": [first]}
    assert Allocation.objects.get(pk=second).state == AllocationState.ALLOCATED
    assert allocated_at(apple, site.at("storage")) == 4
    with pytest.raises(AllocationsEnded):
        release_allocations(allocation_ids=[2**62])


def test_a_lapsed_promise_expires_unless_it_is_being_picked(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    kept, lapsed, in_hand = (owing(site.warehouse, (apple, 2)) for _ in range(3))
    past = timezone.now() - timedelta(minutes=1)
    allocate_orders(order_ids=[kept.pk], expires_at=timezone.now() + timedelta(hours=1))
    allocate_orders(order_ids=[lapsed.pk, in_hand.pk], expires_at=past)
    release_wave(site, [Allocation.objects.get(order_line__order=in_hand)])
    assert expire_allocations() == 1
    assert expire_allocations() == 0
    assert [promised(o) for o in (kept, lapsed, in_hand)] == [[2], [0], [2]]
    assert [state_of(o) for o in (kept, lapsed, in_hand)] == [
        "allocated",
        "backordered",
        "allocated",
    ]
    assert allocated_at(apple, site.at("storage")) == 4
    assert Allocation.objects.get(order_line__order=lapsed).state == AllocationState.EXPIRED


def test_lapsed_promises_end_by_themselves(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10)
    order = owing(site.warehouse, (apple, 2))
    past = timezone.now() - timedelta(minutes=1)
    allocate_orders(order_ids=[order.pk], expires_at=past)
    results = [run_job(enqueue_job(kind="expire_allocations", payload={})) for _ in range(2)]
    assert [(job.state, job.result) for job in results] == [
        (JobState.DONE, {"expired": 1}),
        (JobState.DONE, {"expired": 0}),
    ]
    assert promised(order) == [0]
    assert allocated_at(apple, site.at("storage")) == 0
    assert "expire_allocations" in {schedule.kind for schedule in known_schedules()}


def test_a_claim_ends_when_everything_is_allocated(site: Site) -> None:
    apple = make_product()
    orders = [owing(site.warehouse, (apple, 2)) for _ in range(2)]
    ids = [order.pk for order in orders]
    for pk in ids:
        claim_work(kind=WorkKind.ALLOCATE, subject_id=pk)
    site.receive(apple, 3)
    allocate_orders(order_ids=ids)
    assert set(live_claims(WorkKind.ALLOCATE, ids)) == {ids[1]}


@pytest.mark.parametrize("ruled", [False, True])
def test_the_number_of_statements_does_not_grow_with_the_lines(
    site: Site, django_assert_max_num_queries: Any, ruled: bool
) -> None:
    products = [make_product(f"P{n}", lot_tracking="lot") for n in range(15)]
    for product in products:
        for code in ("A", "B"):
            put(site, product, site.places["storage"], 5, make_lot(product, code))
        if ruled:
            keep(site, product, "WEB", ring_fenced=1)
    small = owing(site.warehouse, (products[0], 1))
    large = [owing(site.warehouse, *((p, 1) for p in products)) for _ in range(5)]
    counts = []
    for ids in ([small.pk], [order.pk for order in large]):
        with django_assert_max_num_queries(30) as counted:
            run = allocate_orders(order_ids=ids)
        counts.append(len(counted))
        assert set(run.states.values()) == {SalesOrderState.ALLOCATED}
    assert counts[0] == counts[1] == (23 if ruled else 21)
