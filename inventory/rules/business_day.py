"""The business day: the date a moment has on the wall of the warehouse."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo


def business_day(at: datetime, time_zone: str) -> date:
    """Return the date of ``at`` (aware) in the warehouse's time zone."""
    if at.tzinfo is None:
        raise ValueError("a moment without a time zone has no business day")
    return at.astimezone(ZoneInfo(time_zone)).date()
