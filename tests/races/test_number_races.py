"""Document numbers are unique under any load, and nobody waits for another's transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from inventory.models import DocumentKind
from inventory.services import numbers
from inventory.services.numbers import begin_numbers, open_numbers, take_numbers
from tests.races.conftest import Arena
from tests.races.harness import race

HELD_ROW = """
    INSERT INTO inventory_documentnumber (tenant_id, kind, last_number) VALUES (%s, %s, %s)
    ON CONFLICT (tenant_id, kind)
    DO UPDATE SET last_number = inventory_documentnumber.last_number + EXCLUDED.last_number
    RETURNING ARRAY(SELECT generate_series(last_number, last_number))
"""
"""How numbers were counted once: a row that is locked until its transaction ends."""

READ_ROW = """
    SELECT ARRAY[coalesce(max(last_number), 0) + 1] FROM inventory_documentnumber
    WHERE tenant_id = %s AND kind = %s HAVING %s > 0
"""


def a_slow_and_a_quick_one(patience_seconds: float) -> list[Callable[[], Any]]:
    """Return two workers; the slow one tells whether the quick one got its number meanwhile."""
    taken, served = threading.Event(), threading.Event()

    def slow() -> bool:
        take_numbers("PO")
        taken.set()
        return served.wait(patience_seconds)

    def quick() -> list[str]:
        assert taken.wait(60)
        given = take_numbers("PO")
        served.set()
        return given

    return [slow, quick]


def test_a_transaction_that_stays_open_holds_up_nobody(arena: Arena) -> None:
    with arena.house.scope():
        open_numbers()
    assert race(arena.house, a_slow_and_a_quick_one(60)) == [True, ["PO-000002"]]


def test_control_with_a_counted_row_the_second_waits_for_the_first(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "TAKE_NUMBERS", HELD_ROW)
    assert race(arena.house, a_slow_and_a_quick_one(1)) == [False, ["PO-000002"]]


def test_numbers_are_given_once_to_twenty_at_once(arena: Arena) -> None:
    with arena.house.scope():
        open_numbers()
    results = race(arena.house, [lambda: take_numbers("PO", 3)] * 20)
    assert all(numbers == sorted(numbers) for numbers in results)
    given = sorted(number for numbers in results for number in numbers)
    assert given == [f"PO-{n:06d}" for n in range(1, 61)]


def test_twenty_first_numbers_of_a_kind_nobody_prepared_are_given_once(arena: Arena) -> None:
    results = race(arena.house, [lambda: take_numbers("TO")] * 20)
    assert sorted(number for [number] in results) == [f"TO-{n:06d}" for n in range(1, 21)]


def test_no_number_is_given_twice_while_an_owner_moves_the_beginning(arena: Arena) -> None:
    with arena.house.scope():
        open_numbers()
    begin = [
        lambda n=n: begin_numbers(kind=DocumentKind.PURCHASE_ORDER, next_number=n)
        for n in (10, 20, 30, 5)
    ]
    results = race(arena.house, [lambda: take_numbers("PO", 3), *begin] * 4)
    given = [number for result in results if isinstance(result, list) for number in result]
    assert len(given) == len(set(given)) == 12


def test_control_numbers_read_from_a_table_are_given_twice(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(5)
    monkeypatch.setattr(numbers, "TAKE_NUMBERS", READ_ROW)

    def take() -> list[str]:
        given = take_numbers("PO")
        meeting.wait(60)  # everybody has read, nobody has committed
        return given

    assert {n for [n] in race(arena.house, [take] * 5)} == {"PO-000001"}
