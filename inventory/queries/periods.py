"""Closed periods: which there are, and which day may be closed next."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

from inventory.models import PeriodClosing, Warehouse
from inventory.rules.business_day import business_day
from tenancy.scope import active_scope

SETTLING = timedelta(minutes=5)
"""How long after midnight a day is over for certain: a posting begun before is known by then."""


def period_closings() -> QuerySet[PeriodClosing]:
    """Return the closings that stand, latest first."""
    return PeriodClosing.objects.order_by("-through")


def latest_day_over() -> date:
    """Return the latest day that is over in every warehouse in use."""
    clock = database_clock() - SETTLING
    zones = set(Warehouse.objects.filter(is_active=True).values_list("time_zone", flat=True))
    zones.add(active_scope().tenant.time_zone)
    return min(business_day(clock, zone) for zone in zones) - timedelta(days=1)


def database_clock() -> datetime:
    """Return what time the database says it is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        clock: datetime = cursor.fetchone()[0]
    return clock
