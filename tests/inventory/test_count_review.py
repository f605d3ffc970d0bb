"""Counts approved by somebody else, posted once, and refused when stock moved since."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import (
    CountLine,
    CycleCount,
    Location,
    MovementReason,
    StockBalance,
    StockMovement,
)
from inventory.queries.counting import count_items, count_totals, get_count
from inventory.queries.integrity import check_book
from inventory.queries.movements import movements_of
from inventory.services.count_entry import enter_count, submit_count
from inventory.services.count_review import (
    approve_count,
    post_count,
    rebase_stale,
    recount_lines,
    recount_stale,
)
from inventory.services.counting import start_count
from inventory.services.counting_errors import (
    CannotRebase,
    CountBelowAllocated,
    NothingStale,
    OwnVariance,
    StaleCount,
    WrongCountState,
)
from inventory.services.ledger import AllocationLine, SerialNotSingle, allocate, release
from inventory.services.ledger_rebuild import rebuild_book
from tenancy.errors import Invalid, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.api.calls import Caller, key_of
from tests.cast import House
from tests.inventory.book import (
    Stocked,
    make_lot,
    make_product,
    make_site,
    make_stocked,
    on_hand,
)
from tests.inventory.counts import begun, counted, enter, entry, tolerate

NO_VARIANCE_TOLERATED = {"percent": 0, "value": 0}


@pytest.fixture
def world(north: House) -> Stocked:
    """Ten apples at 2.00 in storage, of which an operator will find eight."""
    with north.scope():
        return north, *make_stocked(10)


def test_variances_are_posted_against_loss_by_the_document(world: Stocked) -> None:
    house, site, apple = world
    with house.scope():
        pear = make_product("PEAR", unit_cost=Decimal(1))
        plum = make_product("PLUM")
        site.receive(plum, 4)
    count = counted(house, site, entry(apple, 8), entry(pear, 3), entry(plum, 4))
    with house.scope("manager"):
        approved = approve_count(cycle_count_id=count.pk)
        assert (approved.state, approved.approved_by_label) == (
            "approved",
            "manager@north.example",
        )
        assert on_hand(apple) == 10  # approving posts nothing
        posted = post_count(cycle_count_id=count.pk)
        assert (posted.state, posted.posted_at is not None) == ("posted", True)
        assert (on_hand(apple), on_hand(pear), on_hand(plum)) == (8, 3, 4)
        lost, found = movements_of(count).order_by("product__sku")
        assert (lost.quantity, lost.to_location.kind) == (2, "loss")
        assert (found.quantity, found.from_location.kind) == (3, "loss")
        assert {lost.reason, found.reason} == {MovementReason.COUNT}
        assert check_book() == []
        event = AuditEvent.objects.get(action="cycle_count.posted")
        assert Decimal(event.data["value"]) == -1  # -2 x 2.00 + 3 x 1.00


def test_approving_and_posting_can_be_one_step(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 8))
    with house.scope("manager"):
        done = approve_count(cycle_count_id=count.pk, then_post=True)
        assert (done.state, on_hand(apple)) == ("posted", 8)


def test_a_count_is_approved_and_posted_once(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 8))
    with house.scope("manager"):
        with pytest.raises(WrongCountState):
            post_count(cycle_count_id=count.pk)
        with pytest.raises(StaleVersion):
            approve_count(cycle_count_id=count.pk, version=1)
        approve_count(cycle_count_id=count.pk)
        with pytest.raises(WrongCountState):
            approve_count(cycle_count_id=count.pk)
        post_count(cycle_count_id=count.pk)
        with pytest.raises(WrongCountState):
            post_count(cycle_count_id=count.pk)
        assert on_hand(apple) == 8


def test_nothing_differs_nothing_moves(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 10))
    with house.scope("manager"):
        approve_count(cycle_count_id=count.pk, then_post=True)
        assert not movements_of(count).exists()


# -- two people -----------------------------------------------------------------------------------
def test_who_counted_does_not_approve_a_variance_above_tolerance(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 8), role="manager")
    with house.scope("manager"):
        with pytest.raises(OwnVariance) as refusal:
            approve_count(cycle_count_id=count.pk)
        assert [(line.sku, line.expected, line.counted) for line in refusal.value.lines] == [
            ("APPLE", 10, 8)
        ]
        assert CycleCount.objects.get().state == "counted"
    with house.scope("owner"):
        approve_count(cycle_count_id=count.pk)


def test_who_counted_only_the_first_round_does_not_either(world: Stocked) -> None:
    house, site, apple = world
    count = begun(house, site, "manager")
    enter(house, count, entry(apple, 7), role="manager")
    with house.scope("manager"):
        submit_count(cycle_count_id=count.pk)
    with house.scope("operator"):
        start_count(cycle_count_id=count.pk)
        enter_count(cycle_count_id=count.pk, entries=[entry(apple, 8)])
        submit_count(cycle_count_id=count.pk)
    with house.scope("manager"), pytest.raises(OwnVariance):
        approve_count(cycle_count_id=count.pk)


def test_within_tolerance_one_person_is_enough(world: Stocked) -> None:
    house, site, apple = world
    with house.scope():
        tolerate(percent=50, value=4)  # 2 of 10, 2 x 2.00
    count = counted(house, site, entry(apple, 8), role="manager")
    with house.scope("manager"):
        assert approve_count(cycle_count_id=count.pk).state == "approved"


def test_a_key_does_not_approve_what_its_maker_counted(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 8), role="owner")
    caller = Caller(house, headers={"Authorization": f"Bearer {key_of(house)}"})  # of the owner
    answer = caller.post(f"cycle-counts/{count.pk}/approve", {}, If_Match=f'"{count.version}"')
    assert (answer.status_code, answer.json()["code"]) == (409, "own_variance")


def test_an_operator_neither_approves_nor_posts_nor_sends_back(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 8))
    with house.scope("planner"):
        for act in (approve_count, post_count, recount_stale, rebase_stale):
            with pytest.raises(PermissionRefused):
                act(cycle_count_id=count.pk)


# -- stale ----------------------------------------------------------------------------------------
def test_a_count_whose_stock_moved_since_is_not_posted(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 8))
    with house.scope("manager"):
        site.ship(apple, 3)
        before = StockMovement.objects.count()
        with pytest.raises(StaleCount) as refusal:
            approve_count(cycle_count_id=count.pk, then_post=True)
        assert [(line.sku, line.expected, line.on_hand) for line in refusal.value.lines] == [
            ("APPLE", 10, 7)
        ]
        assert (on_hand(apple), StockMovement.objects.count()) == (7, before)
        assert CycleCount.objects.get().state == "counted"
        [item] = count_items(get_count(count.pk))
        assert item.is_stale


def test_control_moving_there_and_back_is_stale_although_the_quantity_is_the_same(
    world: Stocked,
) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 8))
    with house.scope("manager"):
        site.ship(apple, 3)
        site.receive(apple, 3)
        with pytest.raises(StaleCount):
            approve_count(cycle_count_id=count.pk, then_post=True)


def test_what_was_counted_right_may_move_before_posting(world: Stocked) -> None:
    house, site, apple = world
    with house.scope():
        pear = make_product("PEAR")
        site.receive(pear, 5)
    count = counted(house, site, entry(apple, 8), entry(pear, 5))
    with house.scope("manager"):
        site.ship(pear, 1)  # no variance of pears, nothing to post
        approve_count(cycle_count_id=count.pk, then_post=True)
        assert (on_hand(apple), on_hand(pear)) == (8, 4)


def test_promising_is_no_movement_and_makes_nothing_stale(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 8))
    with house.scope("manager"):
        allocate(lines=[AllocationLine(apple.pk, site.at("storage"), Decimal(8))])
        approve_count(cycle_count_id=count.pk, then_post=True)
        assert on_hand(apple) == 8


def test_rebasing_keeps_the_variance_and_adds_what_moved(world: Stocked) -> None:
    """8 found of 10, then 3 left and 5 came: 10 on the shelf, 12 in the book, still 2 lost."""
    house, site, apple = world
    count = counted(house, site, entry(apple, 8))
    with house.scope("manager"):
        first = StockMovement.objects.count()
        site.ship(apple, 3)
        site.receive(apple, 5)
        rebased = rebase_stale(cycle_count_id=count.pk)
        assert rebased.state == "counted"
        [item] = count_items(get_count(count.pk))
        assert (item.counted, item.expected, item.variance, item.moved_since) == (10, 12, -2, 2)
        assert not item.is_stale
        # what moved since, told by the movements
        since = StockMovement.objects.order_by("id")[first:]
        place = site.at("storage")
        signed = [m.quantity if m.to_location_id == place else -m.quantity for m in since]
        assert sum(signed) == item.moved_since == 2  # - 3 + 5
        line = CountLine.objects.filter(count=count).last()
        assert (line.counted, line.expected) == (8, 10)  # what was counted stays
        approve_count(cycle_count_id=count.pk, then_post=True)
        assert on_hand(apple) == 10
        assert check_book() == []


def test_a_count_is_rebased_as_often_as_stock_moves(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 8))
    with house.scope("manager"):
        approve_count(cycle_count_id=count.pk)
        for _ in range(2):
            site.ship(apple, 1)
            assert rebase_stale(cycle_count_id=count.pk).state == "approved"
        with pytest.raises(NothingStale):
            rebase_stale(cycle_count_id=count.pk)
        post_count(cycle_count_id=count.pk)
        assert on_hand(apple) == 6  # 10 - 2 shipped - 2 lost


def test_less_than_nothing_cannot_be_left_by_a_rebase(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 2))
    with house.scope("manager"):
        site.ship(apple, 5)  # 2 found of 10, yet 5 were shipped: the count was wrong
        with pytest.raises(CannotRebase):
            rebase_stale(cycle_count_id=count.pk)
        assert CountLine.objects.filter(moved_since=0).count() == 2


def test_a_corrected_book_is_no_movement_and_is_counted_again(world: Stocked) -> None:
    house, site, apple = world
    with house.scope():
        StockBalance.objects.update(on_hand=12)  # the book is wrong, the movements say 10
    count = counted(house, site, entry(apple, 8))
    with house.scope("owner"):
        assert rebuild_book()
        with pytest.raises(CannotRebase):
            rebase_stale(cycle_count_id=count.pk)
        assert recount_stale(cycle_count_id=count.pk).state == "recount"


def test_stale_lines_are_counted_again_and_the_approval_is_taken_back(world: Stocked) -> None:
    house, site, apple = world
    with house.scope():
        pear = make_product("PEAR")
        site.receive(pear, 5)
    count = counted(house, site, entry(apple, 8), entry(pear, 4))
    with house.scope("manager"):
        approve_count(cycle_count_id=count.pk)
        site.ship(apple, 3)
        again = recount_stale(cycle_count_id=count.pk)
        assert (again.state, again.round_number, again.approved_by_label) == ("recount", 3, "")
    with house.scope("operator"):
        start_count(cycle_count_id=count.pk)
        assert [item.product.sku for item in count_items(get_count(count.pk))] == ["APPLE"]
        enter_count(cycle_count_id=count.pk, entries=[entry(apple, 5)])
        assert submit_count(cycle_count_id=count.pk).state == "counted"
    with house.scope("manager"):
        approve_count(cycle_count_id=count.pk, then_post=True)
        assert (on_hand(apple), on_hand(pear)) == (5, 4)


def test_a_reviewer_sends_lines_back(world: Stocked) -> None:
    house, site, apple = world
    count = counted(house, site, entry(apple, 8))
    with house.scope("manager"):
        [item] = count_items(get_count(count.pk))
        for line_ids in ([], [987654321], [item.line_id, 987654321]):
            with pytest.raises(Invalid):
                recount_lines(cycle_count_id=count.pk, line_ids=line_ids)
        assert recount_lines(cycle_count_id=count.pk, line_ids=[item.line_id]).state == "recount"
        CycleCount.objects.update(state="counted")
        with pytest.raises(NothingStale):
            recount_stale(cycle_count_id=count.pk)


# -- what is promised -----------------------------------------------------------------------------
def test_less_than_is_promised_cannot_be_left(world: Stocked) -> None:
    house, site, apple = world
    with house.scope():
        allocate(lines=[AllocationLine(apple.pk, site.at("storage"), Decimal(9))])
    count = counted(house, site, entry(apple, 8))
    with house.scope("manager"):
        with pytest.raises(CountBelowAllocated) as refusal:
            approve_count(cycle_count_id=count.pk, then_post=True)
        assert [(line.left, line.allocated) for line in refusal.value.lines] == [(8, 9)]
        assert "Release" in str(refusal.value)
        assert (on_hand(apple), CycleCount.objects.get().state) == (10, "counted")
        release(lines=[AllocationLine(apple.pk, site.at("storage"), Decimal(1))])
        approve_count(cycle_count_id=count.pk, then_post=True)
        assert on_hand(apple) == 8


def test_a_serial_number_in_stock_elsewhere_is_not_found_a_second_time(north: House) -> None:
    with north.scope():
        site, laptop = make_site(), make_product("LAPTOP", lot_tracking="serial")
        serial = make_lot(laptop, "SN1")
        site.receive(laptop, 1, lot_id=serial.pk)
        elsewhere = Location.objects.create(warehouse=site.warehouse, code="A-2", kind="storage")
    with north.scope("operator"):
        from inventory.services.counting import request_count

        count = request_count(location_id=elsewhere.pk)
        start_count(cycle_count_id=count.pk)
        for _ in range(2):
            enter_count(cycle_count_id=count.pk, entries=[entry(laptop, 1, lot_id=serial.pk)])
            if submit_count(cycle_count_id=count.pk).state == "recount":
                start_count(cycle_count_id=count.pk)
    with north.scope("manager"):
        with pytest.raises(SerialNotSingle):
            approve_count(cycle_count_id=count.pk, then_post=True)
        assert on_hand(laptop) == 1


def test_totals_of_a_review(world: Stocked) -> None:
    house, site, apple = world
    with house.scope():
        pear = make_product("PEAR", unit_cost=Decimal(1))
        plum = make_product("PLUM")
    count = counted(house, site, entry(apple, 8), entry(pear, 3), entry(plum, 1))
    with house.scope("manager"):
        totals = count_totals(count_items(get_count(count.pk)))
    assert (totals.items, totals.differing, totals.outside, totals.stale) == (3, 3, 3, 0)
    # apples -2 x 2.00, pears +3 x 1.00, a plum without a cost
    assert (totals.net_value, totals.gross_value) == (-1, 7)


def test_posting_takes_the_same_statements_for_any_number_of_lines(
    north: House, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def post(code: str, lines: int) -> int:
        with north.scope():
            site = make_site(code)
            products = [make_product(f"{code}{n}") for n in range(lines)]
            for product in products:
                site.receive(product, 5)
            tolerate(percent=100, value=100)
        count = counted(north, site, *[entry(product, 4) for product in products])
        with north.scope("manager"), CaptureQueriesContext(connection) as caught:
            approve_count(cycle_count_id=count.pk, then_post=True)
        return len(caught)

    assert post("A", 1) == post("B", 15)
