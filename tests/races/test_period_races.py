"""A posting and a closing at the same time: what is closed stays as it was closed.

Each guarantee has its control: the same with the protection off goes wrong.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from inventory.models import Product, StockSnapshot
from inventory.queries.integrity import check_book
from inventory.services import ledger_lines, periods
from inventory.services.ledger import PeriodClosed
from inventory.services.periods import close_period
from tests.races.conftest import Arena
from tests.races.harness import ROUNDS, race, won

LONG_AGO = datetime.now(UTC) - timedelta(days=20)
CLOSED = (datetime.now(UTC) - timedelta(days=10)).date()
# of this database only: another worker's tests wait for locks on the same server
WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE locktype = 'advisory' AND NOT granted AND d.datname = current_database()
"""


def somebody_waits() -> bool:
    """Look for two seconds, from another connection, whether a lock is waited for."""
    for _ in range(100):
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return True
        time.sleep(0.02)
    return False


def in_turn(
    arena: Arena, first: Callable[[], Any], second: Callable[[], Any]
) -> tuple[list[Any], bool]:
    """Let the second begin when the first has done its work and not committed yet.

    Return both results, and whether the second waited for the first.
    """
    ready, looked = threading.Event(), threading.Event()
    waited: list[bool] = []

    def lead() -> Any:
        result = first()
        ready.set()
        looked.wait(60)
        return result

    def follow() -> Any:
        ready.wait(60)
        return second()

    def look() -> None:
        ready.wait(60)
        waited.append(somebody_waits())
        looked.set()

    results = race(arena.house, [lead, follow, look])
    return results[:2], waited[0]


def backdated(arena: Arena, product: Product) -> Callable[[], Any]:
    return lambda: arena.site.receive(product, 1, effective_at=LONG_AGO)


def closing() -> Any:
    return close_period(through=CLOSED)


def kept(arena: Arena) -> list[Any]:
    with arena.house.scope():
        return [row.quantity for row in StockSnapshot.objects.all()]


def test_a_closing_waits_for_a_posting_to_its_days_and_keeps_it(arena: Arena) -> None:
    product = arena.product("LATE")
    results, waited = in_turn(arena, backdated(arena, product), closing)
    assert waited
    assert len(won(results)) == 2, results
    assert kept(arena) == [1]
    with arena.house.scope():
        assert check_book() == []


def test_a_posting_to_closed_days_waits_for_the_closing_and_is_refused(arena: Arena) -> None:
    product = arena.product("LATE")
    results, waited = in_turn(arena, closing, backdated(arena, product))
    assert waited
    assert isinstance(results[1], PeriodClosed)
    assert kept(arena) == []
    with arena.house.scope():
        assert check_book() == []


def test_postings_of_today_do_not_wait_for_a_closing(arena: Arena) -> None:
    product = arena.product("NOW")
    results, waited = in_turn(arena, closing, arena.receiver(product))
    assert not waited
    assert len(won(results)) == 2, results


def test_a_posting_of_today_that_is_under_way_at_midnight_is_waited_for(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = arena.product("MIDNIGHT")
    today = datetime.now(UTC).date() + timedelta(days=1)  # wherever the warehouse is
    monkeypatch.setattr(periods, "latest_day_over", lambda: today)
    results, waited = in_turn(arena, arena.receiver(product), lambda: close_period(through=today))
    assert waited
    assert len(won(results)) == 2, results
    assert kept(arena) == [1]


@pytest.mark.parametrize("off", ["posting", "closing"])
def test_control_without_holding_the_days_a_posting_slips_under_the_closing(
    arena: Arena, monkeypatch: pytest.MonkeyPatch, off: str
) -> None:
    if off == "posting":
        unheld = ledger_lines.LOCATION_FACTS.replace("pg_advisory_xact_lock_shared(", "abs(")
        assert unheld != ledger_lines.LOCATION_FACTS
        monkeypatch.setattr(ledger_lines, "LOCATION_FACTS", unheld)
    else:
        monkeypatch.setattr(periods, "hold_days", lambda _through: None)
    product = arena.product("LATE")
    results, waited = in_turn(arena, backdated(arena, product), closing)
    assert not waited
    assert len(won(results)) == 2, results
    assert kept(arena) == []  # and yet it is closed, with a movement of its days
    with arena.house.scope():
        found = {difference.check for difference in check_book()}
        assert "stock_snapshots_equal_the_ledger" in found


def test_whoever_comes_first_the_book_is_in_order(arena: Arena) -> None:
    for number in range(max(2, ROUNDS // 5)):
        product = arena.product(f"MIXED-{number}")
        day = CLOSED - timedelta(days=100 - number)
        when = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        posters = [lambda: arena.site.receive(product, 1, effective_at=when)] * 6  # noqa: B023
        results = race(arena.house, [*posters, lambda: close_period(through=day)])  # noqa: B023
        refused = [r for r in results if isinstance(r, Exception)]
        assert all(isinstance(r, PeriodClosed) for r in refused), refused
        with arena.house.scope():
            assert check_book() == []
