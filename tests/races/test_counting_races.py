"""Many at once ask for a count, and approve or post one: it happens once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from inventory.models import CountState, CycleCount, Product
from inventory.queries.integrity import check_book
from inventory.services import count_review, counting
from inventory.services.count_review import approve_count, post_count
from inventory.services.counting import request_count
from inventory.services.counting_errors import StaleCount, WrongCountState
from tests.inventory.counts import counted, entry
from tests.races.conftest import Arena
from tests.races.harness import race, without_index, won


def test_twenty_requests_for_one_place_open_one_count(arena: Arena) -> None:
    place = arena.site.at("storage")
    results = race(arena.house, [lambda: request_count(location_id=place)] * 20)
    assert len(won(results)) == 20
    with arena.house.scope():
        assert {count.pk for count in results} == {CycleCount.objects.get().pk}


def test_control_without_the_unique_key_many_counts_are_opened(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, meeting = arena.site.at("storage"), threading.Barrier(5)
    look = counting._open_count

    def look_then_meet(*args: int) -> CycleCount | None:
        found = look(*args)
        meeting.wait(60)  # everybody has looked before anybody inserts
        return found

    monkeypatch.setattr(counting, "_open_count", look_then_meet)
    with without_index("cycle_count_one_open"):
        assert len(won(race(arena.house, [lambda: request_count(location_id=place)] * 5))) == 5
        with arena.house.scope():
            assert CycleCount.objects.count() == 5


@pytest.fixture
def counted_arena(arena: Arena) -> tuple[Arena, Product, CycleCount]:
    """Ten pears in the book, eight counted."""
    pear = arena.product("PEAR", stock=10)
    return arena, pear, counted(arena.house, arena.site, entry(pear, 8))


Counted = tuple[Arena, Product, CycleCount]


def approvals(count: CycleCount, people: int) -> list[Callable[[], Any]]:
    return [lambda: approve_count(cycle_count_id=count.pk, then_post=True)] * people


def test_one_of_ten_approvals_counts_and_the_variance_is_posted_once(
    counted_arena: Counted,
) -> None:
    arena, pear, count = counted_arena
    results = race(arena.house, approvals(count, 10))
    assert len(won(results)) == 1
    assert all(isinstance(r, WrongCountState) for r in results if isinstance(r, Exception))
    assert arena.stock(pear) == 8
    assert arena.moved(pear, "storage", "loss") == 1


def without_guards(monkeypatch: pytest.MonkeyPatch, people: int) -> None:
    """Look at the state without a lock, let everybody look first, and let nothing be stale."""
    load, post = counting.load, count_review.post_movements
    meeting = threading.Barrier(people)

    def post_after_all(**options: Any) -> Any:
        meeting.wait(60)
        return post(**options)

    monkeypatch.setattr(counting, "load", lambda model, pk, lock=False: load(model, pk))
    monkeypatch.setattr(counting.CycleCount, "save", lambda self, **options: None)
    monkeypatch.setattr(count_review, "post_movements", post_after_all)
    monkeypatch.setattr(count_review, "fetch", lambda sql, arguments: [])


def test_control_without_lock_and_stale_check_two_approvals_post_twice(
    counted_arena: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    arena, pear, count = counted_arena
    with arena.house.scope():
        CycleCount.objects.update(state=CountState.APPROVED)
    without_guards(monkeypatch, 2)
    results = race(arena.house, [lambda: post_count(cycle_count_id=count.pk)] * 2)
    assert len(won(results)) == 2, results
    assert arena.stock(pear) == 6  # 2 lost, booked twice


def test_a_count_and_shipments_at_once_leave_what_the_ledger_says(counted_arena: Counted) -> None:
    arena, pear, count = counted_arena
    workers = [*approvals(count, 2), arena.shipper(pear), arena.shipper(pear)]
    results = race(arena.house, workers)
    posted = [r for r in won(results[:2]) if r.state == "posted"]
    assert len(won(results[2:])) == 2
    assert len(posted) <= 1
    refused = [r for r in results if isinstance(r, Exception)]
    assert all(isinstance(r, WrongCountState | StaleCount) for r in refused), refused
    assert arena.stock(pear) == 8 - 2 * len(posted)  # 10 - 2 shipped, and the variance or not
    with arena.house.scope():
        assert check_book() == []


def test_stock_that_moves_between_look_and_posting_is_noticed(
    counted_arena: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shipment commits after the first look at the versions and before the posting."""
    arena, pear, count = counted_arena
    post, looked, shipped = count_review.post_movements, threading.Event(), threading.Event()

    def post_later(**options: Any) -> Any:
        looked.set()
        assert shipped.wait(60)
        return post(**options)

    def ship_in_between() -> None:
        assert looked.wait(60)
        arena.site.ship(pear, 1)

    monkeypatch.setattr(count_review, "post_movements", post_later)
    approving = approvals(count, 1)
    released = threading.Thread(
        target=lambda: (race(arena.house, [ship_in_between]), shipped.set())
    )
    released.start()
    [result] = race(arena.house, approving)
    released.join(60)
    assert isinstance(result, StaleCount)
    assert [(line.expected, line.on_hand) for line in result.lines] == [(10, 9)]
    assert arena.stock(pear) == 9


def test_control_without_the_second_look_the_old_count_is_posted(
    counted_arena: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    arena, pear, count = counted_arena
    post = count_review.post_movements

    def ship_first(**options: Any) -> Any:
        done = threading.Thread(target=lambda: race(arena.house, [arena.shipper(pear)]))
        done.start()
        done.join(60)
        return post(**options)

    monkeypatch.setattr(count_review, "post_movements", ship_first)
    monkeypatch.setattr(count_review, "fetch", lambda sql, arguments: [])
    [result] = race(arena.house, approvals(count, 1))
    assert result.state == "posted"
    assert arena.stock(pear) == 7  # of 9 that are there, two were taken for a count of 10
