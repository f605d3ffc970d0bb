"""Closed periods: nothing is posted to them, and they remember what lay there and what it was worth."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from inventory.models import (
    InventorySettings,
    MovementReason,
    PeriodClosing,
    StockMovement,
    StockSnapshot,
    ValueSnapshot,
)
from inventory.queries import periods as period_queries
from inventory.queries.integrity import check_book
from inventory.queries.periods import latest_day_over, period_closings
from inventory.services.ledger import PeriodClosed, post_movements, reverse_movement
from inventory.services.periods import NothingClosed, close_period, reopen_period
from tenancy.errors import Invalid, StaleVersion
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site

NOW = datetime.now(UTC)


def days_ago(days: int) -> datetime:
    """Return noon of a day long enough ago to be over everywhere."""
    return NOW.replace(hour=12, minute=0) - timedelta(days=days)


def code(refusal: pytest.ExceptionInfo[Invalid]) -> str:
    return refusal.value.problems[0].code


def test_nothing_is_posted_to_a_closed_day(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=days_ago(20))
    settings = close_period(through=days_ago(10).date())
    assert settings.closed_through == days_ago(10).date()
    for days in (10, 11, 400):
        with pytest.raises(PeriodClosed) as refusal:
            site.receive(apple, 5, effective_at=days_ago(days))
        assert refusal.value.data == {
            "business_day": str(days_ago(days).date()),
            "closed_through": str(days_ago(10).date()),
        }
        assert "a manager" in str(refusal.value)
    site.receive(apple, 1, effective_at=days_ago(9))
    site.receive(apple, 2)
    assert StockMovement.objects.count() == 3
    assert check_book() == []


def test_the_day_that_counts_is_that_of_the_warehouse(in_north: House) -> None:
    tokyo, west = (
        make_site("TOKYO", time_zone="Asia/Tokyo"),
        make_site("WEST", time_zone="US/Hawaii"),
    )
    apple = make_product()
    day = days_ago(10).date()
    close_period(through=day)
    # 20:00 UTC is the next day in Tokyo already, and still the morning of the day in Hawaii
    evening = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
    tokyo.receive(apple, 1, effective_at=evening)
    with pytest.raises(PeriodClosed):
        west.receive(apple, 1, effective_at=evening)


def test_one_line_of_a_closed_day_refuses_the_posting(in_north: House) -> None:
    tokyo, west = (
        make_site("TOKYO", time_zone="Asia/Tokyo"),
        make_site("WEST", time_zone="US/Hawaii"),
    )
    apple = make_product()
    day = days_ago(10).date()
    close_period(through=day)
    evening = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
    lines = [s.line(apple, 1, "supplier", "storage") for s in (tokyo, west)]
    with pytest.raises(PeriodClosed):
        post_movements(lines=lines, effective_at=evening)
    assert StockMovement.objects.count() == 0


def test_what_is_in_a_closed_period_is_reversed_outside_it(site: Site) -> None:
    apple = make_product()
    [receipt] = site.receive(apple, 10, effective_at=days_ago(20), unit_cost=Decimal(3))
    close_period(through=days_ago(10).date())
    with pytest.raises(PeriodClosed):
        reverse_movement(movement_id=receipt, effective_at=days_ago(15))
    assert not StockMovement.objects.filter(reverses=receipt).exists()
    reversal = reverse_movement(movement_id=receipt)
    assert reversal.business_day > days_ago(10).date()
    assert check_book() == []


def test_a_closing_keeps_what_lay_there_and_its_value(site: Site) -> None:
    apple, milk = make_product(), make_product("MILK", lot_tracking="lot")
    lot = make_lot(milk)
    site.receive(apple, 10, effective_at=days_ago(20), unit_cost=Decimal(2))
    site.ship(apple, 4, effective_at=days_ago(15))
    site.receive(milk, 3, effective_at=days_ago(15), unit_cost=Decimal(1), lot_id=lot.pk)
    site.ship(apple, 6, effective_at=days_ago(5))  # after the day that is closed
    day = days_ago(10).date()
    close_period(through=day)
    kept = [(s.day, s.product_id, s.lot_id, s.quantity) for s in StockSnapshot.objects.all()]
    assert kept == [(day, apple.pk, None, 6), (day, milk.pk, lot.pk, 3)]
    worth = [(v.day, v.product_id, v.quantity, v.value) for v in ValueSnapshot.objects.all()]
    assert worth == [(day, apple.pk, 6, 12), (day, milk.pk, 3, 3)]
    # the next closing goes on from there; what is empty by then has no row
    close_period(through=days_ago(4).date())
    later = StockSnapshot.objects.filter(day=days_ago(4).date())
    assert [(s.product_id, s.quantity) for s in later] == [(milk.pk, 3)]
    assert [c.through for c in period_closings()] == [days_ago(4).date(), day]
    assert check_book() == []
    events = AuditEvent.objects.filter(action="period.closed").order_by("id")
    assert events[1].data == {"through": str(days_ago(4).date()), "before": str(day)}


@pytest.mark.parametrize("days", [0, -1, -400])
def test_today_and_the_future_are_not_closed(site: Site, days: int) -> None:
    with pytest.raises(Invalid) as refusal:
        close_period(through=(NOW - timedelta(days=days)).date() + timedelta(days=1))
    assert code(refusal) == "not_over"
    assert str(latest_day_over()) in str(refusal.value)
    assert PeriodClosing.objects.count() == 0


@pytest.mark.parametrize(
    ("clock", "latest"),
    [
        # Berlin +1: its 25th ends at 23:00 UTC; Hawaii -10: its 25th ends at 10:00 of the 26th
        ("2026-11-26T09:59:00+00:00", date(2026, 11, 24)),
        ("2026-11-26T10:04:59+00:00", date(2026, 11, 24)),  # over, but not settled
        ("2026-11-26T10:05:00+00:00", date(2026, 11, 25)),
    ],
)
def test_a_day_is_over_when_it_is_over_in_every_warehouse_in_use(
    in_north: House, monkeypatch: pytest.MonkeyPatch, clock: str, latest: date
) -> None:
    make_site("WEST", time_zone="Pacific/Honolulu")
    monkeypatch.setattr(period_queries, "database_clock", lambda: datetime.fromisoformat(clock))
    assert latest_day_over() == latest


def test_a_day_is_closed_once_and_only_forwards(site: Site) -> None:
    close_period(through=days_ago(10).date())
    for days in (10, 11):
        with pytest.raises(Invalid) as refusal:
            close_period(through=days_ago(days).date())
        assert code(refusal) == "closed_already"
    assert PeriodClosing.objects.count() == 1


def test_a_reopened_period_takes_postings_again_and_forgets_what_it_kept(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 10, effective_at=days_ago(40))
    close_period(through=days_ago(30).date())
    close_period(through=days_ago(10).date())
    settings = reopen_period(closed_through=days_ago(20).date(), reason="late invoice")
    assert settings.closed_through == days_ago(20).date()
    assert {s.day for s in StockSnapshot.objects.all()} == {days_ago(30).date()}
    site.receive(apple, 1, effective_at=days_ago(15))
    with pytest.raises(PeriodClosed):
        site.receive(apple, 1, effective_at=days_ago(25))
    close_period(through=days_ago(10).date())
    assert StockSnapshot.objects.get(day=days_ago(10).date()).quantity == 11
    assert check_book() == []
    event = AuditEvent.objects.get(action="period.reopened")
    assert event.data == {
        "before": str(days_ago(10).date()),
        "through": str(days_ago(20).date()),
        "reason": "late invoice",
    }


def test_all_days_can_be_opened_again(site: Site) -> None:
    close_period(through=days_ago(10).date())
    assert reopen_period(closed_through=None, reason="start over").closed_through is None
    assert PeriodClosing.objects.count() == 0
    with pytest.raises(NothingClosed):
        reopen_period(closed_through=None, reason="again")


def test_reopening_needs_an_earlier_day_and_a_reason(site: Site) -> None:
    close_period(through=days_ago(10).date())
    for day in (10, 9):
        with pytest.raises(Invalid) as refusal:
            reopen_period(closed_through=days_ago(day).date(), reason="late invoice")
        assert code(refusal) == "not_earlier"
    with pytest.raises(Invalid) as refusal:
        reopen_period(closed_through=None, reason="  ")
    assert code(refusal) == "required"
    assert InventorySettings.objects.get().closed_through == days_ago(10).date()


def test_a_page_read_before_somebody_else_closed_is_stale(site: Site) -> None:
    settings = close_period(through=days_ago(20).date())
    close_period(through=days_ago(10).date(), version=settings.version)
    with pytest.raises(StaleVersion):
        close_period(through=days_ago(5).date(), version=settings.version)
    with pytest.raises(StaleVersion):
        reopen_period(closed_through=None, reason="late", version=settings.version)


def test_only_managers_close_and_reopen(north: House) -> None:
    with north.scope("planner"), pytest.raises(PermissionRefused):
        close_period(through=days_ago(10).date())
    with north.scope("manager"):
        close_period(through=days_ago(10).date())
    with north.scope("planner"), pytest.raises(PermissionRefused):
        reopen_period(closed_through=None, reason="late invoice")


def test_a_movement_of_before_1900_is_refused(site: Site) -> None:
    with pytest.raises(Invalid) as refusal:
        site.receive(make_product(), 1, effective_at=datetime(1, 1, 1, tzinfo=UTC))
    assert code(refusal) == "long_ago"


def test_opening_stock_respects_closed_periods(site: Site) -> None:
    close_period(through=days_ago(10).date())
    line = site.line(make_product(), 1, "supplier", "storage", reason=MovementReason.OPENING)
    with pytest.raises(PeriodClosed):
        post_movements(lines=[line], effective_at=days_ago(11))
