"""Schedules: a period starts once, on the tenant's clock, however many beats tick."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tenancy.models import Job, Tenant
from tenancy.services import job_kinds, jobs, schedules
from tenancy.services.schedules import Schedule, register_schedule, start_due_jobs
from tenancy.tasks import tick
from tests.cast import House


@pytest.fixture(autouse=True)
def _nightly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(job_kinds, "_kinds", dict(job_kinds._kinds))
    monkeypatch.setattr(schedules, "_schedules", {})
    jobs.job_handler("test.nightly")(lambda run: {})
    register_schedule("test.nightly", "day", at_hour=3)
    return


def _born_long_ago(house: House) -> Tenant:
    Tenant.objects.filter(pk=house.tenant.pk).update(
        created_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    )
    house.tenant.refresh_from_db()
    return house.tenant


def _keys(house: House) -> list[str]:
    with house.scope():
        return sorted(key or "" for key in Job.objects.values_list("schedule_key", flat=True))


def test_a_day_starts_at_the_tenants_own_hour(north: House, south: House) -> None:
    """02:00 UTC on 24 November is 03:00 in Berlin (UTC+1) and 07:45 in Kathmandu (UTC+5:45)."""
    for house in (north, south):
        _born_long_ago(house)
    before = dt.datetime(2026, 11, 24, 1, 59, tzinfo=dt.UTC)
    start_due_jobs(north.tenant, now=before)
    start_due_jobs(south.tenant, now=before)
    assert _keys(north) == ["test.nightly:2026-11-23"]  # yesterday's, which nobody started
    assert _keys(south) == ["test.nightly:2026-11-24"]
    start_due_jobs(north.tenant, now=before + dt.timedelta(minutes=1))
    assert _keys(north) == ["test.nightly:2026-11-23", "test.nightly:2026-11-24"]


def test_a_tenant_born_at_noon_does_not_catch_up_the_night(north: House) -> None:
    assert start_due_jobs(north.tenant) == []


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_change_of_the_clock_starts_a_night_once(north: House, day: str) -> None:
    """Summer time begins and ends in Berlin on these days: the day has 23 and 25 hours."""
    _born_long_ago(north)
    midnight = dt.datetime.fromisoformat(f"{day}T00:00:00+00:00")
    for minute in range(0, 25 * 60, 30):
        start_due_jobs(north.tenant, now=midnight + dt.timedelta(minutes=minute))
    assert _keys(north).count(f"test.nightly:{day}") == 1


def test_a_clock_set_back_starts_nothing_again(north: House) -> None:
    _born_long_ago(north)
    now = dt.datetime(2026, 11, 24, 5, tzinfo=dt.UTC)
    for hours in (0, -1, 0, 1):
        start_due_jobs(north.tenant, now=now + dt.timedelta(hours=hours))
    assert _keys(north) == ["test.nightly:2026-11-24"]


def test_weeks_and_hours_have_their_own_periods() -> None:
    """24 November 2026 is a Tuesday; the week began on Monday the 23rd at 06:00."""
    now = dt.datetime(2026, 11, 24, 12, 30, tzinfo=dt.UTC)
    assert Schedule("w", "week", at_hour=6).due(now, "UTC")[0] == "w:2026-11-23"
    assert Schedule("w", "week", at_hour=6, on_weekday=2).due(now, "UTC")[0] == "w:2026-11-18"
    assert Schedule("h", "hour").due(now, "UTC")[0] == "h:2026-11-24T12"
    monday_early = dt.datetime(2026, 11, 23, 5, tzinfo=dt.UTC)
    assert Schedule("w", "week", at_hour=6).due(monday_early, "UTC")[0] == "w:2026-11-16"


@pytest.mark.django_db(transaction=True)
def test_three_beats_at_once_start_a_night_once(north: House) -> None:
    assert _jobs_of_three_beats(north) == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_the_unique_key_three_beats_start_three(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded = schedules.enqueue_job

    def forget_key(*, kind: str, payload: dict[str, Any], schedule_key: str | None = None) -> Job:
        return unguarded(kind=kind, payload=payload)

    monkeypatch.setattr(schedules, "enqueue_job", forget_key)
    assert _jobs_of_three_beats(north) == 3


def _jobs_of_three_beats(house: House) -> int:
    _born_long_ago(house)
    barrier = threading.Barrier(3)

    def beat() -> None:
        barrier.wait()
        tick()
        connection.close()

    threads = [threading.Thread(target=beat) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with house.scope():
        return Job.objects.filter(kind="test.nightly").count()
