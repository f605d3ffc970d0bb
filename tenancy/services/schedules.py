"""Work that starts by the clock: a schedule is a row that can be inserted once a period.

Beat only ticks. Each tick queues what is due for a tenant under a ``schedule_key`` of kind and
period, unique per tenant: two beats, or a clock set back, start it once.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils import timezone

from tenancy.models import Job, Tenant
from tenancy.scope import Actor, tenant_scope
from tenancy.services.jobs import enqueue_job

Period = Literal["hour", "day", "week"]


@dataclass(frozen=True)
class Schedule:
    """``at_hour`` (and ``on_weekday``, Monday 0) on the tenant's own clock."""

    kind: str
    every: Period
    at_hour: int = 0
    on_weekday: int = 0
    payload: dict[str, Any] = field(default_factory=dict)

    def due(self, now: dt.datetime, time_zone: str) -> tuple[str, dt.datetime]:
        """Return the key of the newest period that has begun, and the instant it began."""
        local = now.astimezone(zoneinfo.ZoneInfo(time_zone))
        if self.every == "hour":
            began = now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
            return f"{self.kind}:{began:%Y-%m-%dT%H}", began
        day = local.date()
        if self.every == "week":
            day -= dt.timedelta(days=(day.weekday() - self.on_weekday) % 7)
        began = dt.datetime.combine(day, dt.time(self.at_hour), local.tzinfo)
        if began > now:
            day -= dt.timedelta(days=7 if self.every == "week" else 1)
            began = dt.datetime.combine(day, dt.time(self.at_hour), local.tzinfo)
        return f"{self.kind}:{day.isoformat()}", began


_schedules: dict[str, Schedule] = {}


def register_schedule(
    kind: str,
    every: Period,
    *,
    at_hour: int = 0,
    on_weekday: int = 0,
    payload: dict[str, Any] | None = None,
) -> Schedule:
    """Have every tenant run jobs of this kind every hour, day or week (called in ``tasks.py``)."""
    schedule = Schedule(kind, every, at_hour, on_weekday, payload or {})
    _schedules[kind] = schedule
    return schedule


def known_schedules() -> list[Schedule]:
    """Return every registered schedule, by kind."""
    return [_schedules[kind] for kind in sorted(_schedules)]


def start_due_jobs(tenant: Tenant, *, now: dt.datetime | None = None) -> list[Job]:
    """Queue what is due for the tenant and not queued yet; return the new jobs.

    A period that began before the tenant existed is not caught up.
    """
    now = now or timezone.now()
    started: list[Job] = []
    for schedule in known_schedules():
        key, began = schedule.due(now, tenant.time_zone)
        if began < tenant.created_at:
            continue
        with tenant_scope(tenant, actor=Actor.system("schedule")):
            if not Job.objects.filter(schedule_key=key).exists():
                job = enqueue_job(kind=schedule.kind, payload=schedule.payload, schedule_key=key)
                started.append(job)
    return started
