"""Which days are usually closed together: months."""

from __future__ import annotations

from datetime import date, timedelta


def end_of_last_month(day: date) -> date:
    """Return the latest end of a month that is not after ``day``."""
    tomorrow = day + timedelta(days=1)
    return day if tomorrow.day == 1 else day.replace(day=1) - timedelta(days=1)
