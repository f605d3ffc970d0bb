"""Many at once ask for a count, and approve or post one: it happens once."""

from __future__ import annotations

import threading

import pytest

from inventory.models import CycleCount
from inventory.services import counting
from inventory.services.counting import request_count
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
