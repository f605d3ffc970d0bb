"""Counting: begun by one person, entered blind, handed in when everything is counted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from inventory.models import CountLine, CountState, CycleCount, Lot, StockMovement, WorkClaim
from inventory.queries.counting import count_items, get_count
from inventory.services.count_entry import CountEntry, enter_count, submit_count, undo_entry
from inventory.services.counting import cancel_count, request_count, start_count
from inventory.services.counting_errors import NotAllCounted, NothingToUndo, WrongCountState
from inventory.services.worklists import ClaimedByOther
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site, on_hand
from tests.inventory.counts import begun, enter, entry, tolerate


def test_a_count_is_begun_by_one_person_at_a_time(north: House) -> None:
    with north.scope():
        site = make_site()
    count = begun(north, site)
    assert (count.state, count.version) == ("counting", 2)
    with north.scope("planner"):
        with pytest.raises(ClaimedByOther):
            start_count(cycle_count_id=count.pk)
        with pytest.raises(ClaimedByOther):
            enter_count(cycle_count_id=count.pk, entries=[CountEntry(1, Decimal(1))])
        with pytest.raises(ClaimedByOther):
            submit_count(cycle_count_id=count.pk)
        WorkClaim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        start_count(cycle_count_id=count.pk)  # forgotten work comes back
    with north.scope("operator"), pytest.raises(ClaimedByOther):
        submit_count(cycle_count_id=count.pk)


def test_an_entry_remembers_what_the_book_had_at_that_moment(site: Site, north: House) -> None:
    apple = make_product(unit_cost=Decimal("2.5"))
    site.receive(apple, 10)
    site.ship(apple, 3)
    count = request_count(location_id=site.at("storage"))
    start_count(cycle_count_id=count.pk)
    enter_count(cycle_count_id=count.pk, entries=[entry(apple, 6)])
    line = CountLine.objects.get()
    assert (line.counted, line.expected, line.on_hand_version) == (6, 7, 2)  # 10 - 3, 2 changes
    assert line.unit_cost == Decimal("2.5")
    site.ship(apple, 1)
    enter_count(cycle_count_id=count.pk, entries=[entry(apple, 5)])  # replaces, and looks again
    line = CountLine.objects.get()
    assert (line.counted, line.expected, line.on_hand_version) == (5, 6, 3)


def test_goods_the_book_does_not_know_there_are_expected_to_be_none(site: Site) -> None:
    apple, milk = make_product(), make_product("MILK", lot_tracking="lot")
    count = request_count(location_id=site.at("storage"))
    start_count(cycle_count_id=count.pk)
    found = [entry(apple, 2), entry(milk, 4, lot_code="NEW-LOT")]
    enter_count(cycle_count_id=count.pk, entries=found)
    assert [(line.counted, line.expected) for line in CountLine.objects.all()] == [(2, 0), (4, 0)]
    assert Lot.objects.get().code == "NEW-LOT"
    assert submit_count(cycle_count_id=count.pk).state == "recount"  # beyond any percentage


def test_what_nobody_counted_has_to_be_confirmed_as_zero(site: Site) -> None:
    apple, milk = make_product(), make_product("MILK", lot_tracking="lot")
    lot = make_lot(milk, "L-9")
    site.receive(apple, 7341)
    site.receive(milk, 5, lot_id=lot.pk)
    count = request_count(location_id=site.at("storage"))
    start_count(cycle_count_id=count.pk)
    enter_count(cycle_count_id=count.pk, entries=[entry(milk, 5, lot_id=lot.pk)])
    with pytest.raises(NotAllCounted) as refusal:
        submit_count(cycle_count_id=count.pk)
    assert [line.sku for line in refusal.value.lines] == ["APPLE"]
    assert "7341" not in str(refusal.value) + str(refusal.value.data)  # blind: not how many
    assert CycleCount.objects.get().state == "counting"
    submit_count(cycle_count_id=count.pk, uncounted_are_zero=True)
    zero = CountLine.objects.get(product=apple)
    assert (zero.counted, zero.expected) == (0, 7341)


def test_within_tolerance_one_round_is_enough(site: Site) -> None:
    tolerate(percent=2, value=10)
    apple = make_product(unit_cost=Decimal(1))
    site.receive(apple, 100)
    count = request_count(location_id=site.at("storage"))
    start_count(cycle_count_id=count.pk)
    enter_count(cycle_count_id=count.pk, entries=[entry(apple, 98)])  # 2 % and 2.00
    count = submit_count(cycle_count_id=count.pk)
    assert (count.state, count.round_number) == ("counted", 1)
    assert count.counted_at is not None
    assert not WorkClaim.objects.exists()


@pytest.mark.parametrize(
    ("counted", "cost"),
    [(97, "1"), (99, "10.01")],
    ids=["3 of 100 is above 2 percent", "1 for 10.01 is above 10"],
)
def test_outside_tolerance_only_those_lines_are_counted_again_and_the_first_round_stays(
    site: Site, counted: int, cost: str
) -> None:
    tolerate(percent=2, value=10)
    apple, pear = make_product(unit_cost=Decimal(cost)), make_product("PEAR")
    site.receive(apple, 100)
    site.receive(pear, 4)
    count = request_count(location_id=site.at("storage"))
    start_count(cycle_count_id=count.pk)
    enter_count(cycle_count_id=count.pk, entries=[entry(apple, counted), entry(pear, 4)])
    count = submit_count(cycle_count_id=count.pk)
    assert (count.state, count.round_number) == ("recount", 2)
    start_count(cycle_count_id=count.pk)
    assert [item.product for item in count_items(get_count(count.pk))] == [apple]
    enter_count(cycle_count_id=count.pk, entries=[entry(apple, counted)])
    # a second time outside: it is so, and somebody else decides
    count = submit_count(cycle_count_id=count.pk)
    assert (count.state, count.round_number) == ("counted", 2)
    rounds = [(line.round_number, line.counted) for line in CountLine.objects.filter(product=apple)]
    assert rounds == [(1, counted), (2, counted)]
    assert len(count_items(get_count(count.pk))) == 2


def test_the_last_entry_is_taken_back(north: House) -> None:
    with north.scope():
        site, apple, pear = make_site(), make_product(), make_product("PEAR")
        site.receive(apple, 5)
    count = begun(north, site)
    enter(north, count, entry(apple, 5))
    enter(north, count, entry(pear, 1))
    with north.scope("operator"):
        assert undo_entry(cycle_count_id=count.pk).product == pear
        assert undo_entry(cycle_count_id=count.pk).product == apple
        with pytest.raises(NothingToUndo):
            undo_entry(cycle_count_id=count.pk)
        assert [item.is_open for item in count_items(get_count(count.pk))] == [True]


def test_an_empty_place_is_counted_by_saying_that_is_all(site: Site) -> None:
    count = request_count(location_id=site.at("storage"))
    start_count(cycle_count_id=count.pk)
    assert submit_count(cycle_count_id=count.pk).state == "counted"


def test_a_product_the_book_has_not_there_is_still_asked_for(site: Site) -> None:
    apple = make_product()
    count = request_count(location_id=site.at("storage"), product_id=apple.pk)
    start_count(cycle_count_id=count.pk)
    with pytest.raises(NotAllCounted):
        submit_count(cycle_count_id=count.pk)
    assert submit_count(cycle_count_id=count.pk, uncounted_are_zero=True).state == "counted"
    assert CountLine.objects.get().counted == 0


BAD = {
    "negative": (Decimal(-1), "not_positive"),
    "not a number": (Decimal("NaN"), "not_a_number"),
    "infinite": (Decimal("Infinity"), "not_a_number"),
    "huge": (Decimal("1e400"), "too_large"),
    "too fine": (Decimal("0.0000001"), "too_fine"),
    "tiny": (Decimal("1e-400"), "too_fine"),
    "half a piece": (Decimal("1.5"), "not_whole"),
}


@pytest.mark.parametrize("what", BAD)
def test_impossible_quantities_are_refused(site: Site, what: str) -> None:
    counted, code = BAD[what]
    apple = make_product()
    count = request_count(location_id=site.at("storage"))
    start_count(cycle_count_id=count.pk)
    with pytest.raises(Invalid) as refusal:
        enter_count(cycle_count_id=count.pk, entries=[entry(apple, counted)])
    assert [(p.line, p.field, p.code) for p in refusal.value.problems] == [(0, "counted", code)]
    assert not CountLine.objects.exists()


def test_every_bad_entry_is_named_at_once(site: Site) -> None:
    apple, milk = make_product(), make_product("MILK", lot_tracking="lot")
    laptop = make_product("LAPTOP", lot_tracking="serial")
    lot, serial = make_lot(milk, "L1"), make_lot(laptop, "SN1")
    count = request_count(location_id=site.at("storage"))
    start_count(cycle_count_id=count.pk)
    with pytest.raises(Invalid) as refusal:
        enter_count(
            cycle_count_id=count.pk,
            entries=[
                entry(apple, 1, lot_code="L1"),
                entry(milk, 1),
                entry(laptop, 2, lot_id=serial.pk),
                entry(milk, 1, lot_id=lot.pk, lot_code="L1"),
            ],
        )
    assert [(p.line, p.code) for p in refusal.value.problems] == [
        (0, "lot_forbidden"),
        (1, "lot_required"),
        (2, "serial_is_one"),
        (3, "lot_twice"),
    ]
    with pytest.raises(Invalid) as refusal:
        enter_count(
            cycle_count_id=count.pk,
            entries=[entry(milk, 1, lot_id=lot.pk), entry(milk, 2, lot_code="L1")],
        )
    assert [(p.line, p.code) for p in refusal.value.problems] == [(1, "twice")]
    with pytest.raises(NotFound):  # a lot of another product
        enter_count(cycle_count_id=count.pk, entries=[entry(apple, 1, lot_id=lot.pk)])
    with pytest.raises(Invalid):
        enter_count(cycle_count_id=count.pk, entries=[])
    assert not CountLine.objects.exists()


def test_a_count_of_one_product_takes_no_other(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    count = request_count(location_id=site.at("storage"), product_id=apple.pk)
    start_count(cycle_count_id=count.pk)
    with pytest.raises(Invalid) as refusal:
        enter_count(cycle_count_id=count.pk, entries=[entry(pear, 1)])
    assert [p.code for p in refusal.value.problems] == ["other_product"]


@pytest.mark.parametrize("state", ["requested", "recount", "counted", "approved", "posted"])
def test_only_a_begun_count_takes_entries(site: Site, state: str) -> None:
    count = request_count(location_id=site.at("storage"))
    CycleCount.objects.update(state=state)
    for act in (
        lambda: enter_count(cycle_count_id=count.pk, entries=[entry(make_product(), 1)]),
        lambda: submit_count(cycle_count_id=count.pk),
        lambda: undo_entry(cycle_count_id=count.pk),
    ):
        with pytest.raises(WrongCountState) as refusal:
            act()
        assert refusal.value.data["allowed"] == ["counting"]


def test_a_cancelled_count_changes_nothing_and_frees_the_place(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 3)
    count = request_count(location_id=site.at("storage"))
    start_count(cycle_count_id=count.pk)
    enter_count(cycle_count_id=count.pk, entries=[entry(apple, 1)])
    with pytest.raises(StaleVersion):
        cancel_count(cycle_count_id=count.pk, version=1)
    assert cancel_count(cycle_count_id=count.pk, version=2).state == CountState.CANCELLED
    assert on_hand(apple) == 3
    assert not WorkClaim.objects.exists()
    assert request_count(location_id=site.at("storage")).pk != count.pk
    with pytest.raises(WrongCountState):
        cancel_count(cycle_count_id=count.pk)


def test_rights(north: House) -> None:
    with north.scope():
        site = make_site()
        count = request_count(location_id=site.at("storage"))
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        start_count(cycle_count_id=count.pk)
    with north.scope("operator"), pytest.raises(PermissionRefused):
        cancel_count(cycle_count_id=count.pk)


def test_the_number_of_statements_does_not_grow_with_the_lines(
    site: Site, django_assert_num_queries: Any
) -> None:
    products = [make_product(f"P{n}") for n in range(12)]
    for product in products:
        site.receive(product, 5)
    count = request_count(location_id=site.at("storage"))
    start_count(cycle_count_id=count.pk)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def statements(act: Any) -> int:
        with CaptureQueriesContext(connection) as caught:
            act()
        return len(caught)

    def one(*chosen: Any) -> int:
        entries = [entry(product, 5) for product in chosen]
        return statements(lambda: enter_count(cycle_count_id=count.pk, entries=entries))

    assert one(products[0]) == one(*products)
    known = get_count(count.pk)
    with django_assert_num_queries(3):
        assert len(count_items(known)) == 12
    assert StockMovement.objects.count() == 12
