"""What forecasting has cost a tenant this month, and what it may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Sum
from django.utils import timezone

from forecasting.models import ComputeCost, ForecastSettings
from tenancy.scope import active_scope

TRAINING = ("train_network", "tune_network")
LEAST_SECONDS = 5
"""With fewer CPU seconds nothing is learnt."""


@dataclass(frozen=True)
class Spending:
    """CPU minutes of this month; limit None: none was set."""

    training: float
    everything: float
    limit: int | None

    @property
    def left(self) -> float | None:
        return None if self.limit is None else max(self.limit - self.training, 0.0)

    @property
    def is_spent(self) -> bool:
        """Tell whether no further training may begin this month."""
        return self.left is not None and self.left * 60 < LEAST_SECONDS


def forecast_settings() -> ForecastSettings:
    """Return the tenant's settings; the defaults before anybody changed them."""
    return ForecastSettings.objects.first() or ForecastSettings()


def read_spending(known: ForecastSettings | None = None) -> Spending:
    """Return the CPU minutes of the current month in the tenant's time zone.

    known: the settings, where they were read already.
    """
    rows = _costs_of_this_month()
    seconds = dict(rows.values_list("kind").annotate(total=Sum("cpu_seconds")))
    return Spending(
        training=sum(seconds.get(kind, 0.0) for kind in TRAINING) / 60,
        everything=sum(seconds.values()) / 60,
        limit=(known or forecast_settings()).cpu_minutes_per_month,
    )


def seconds_this_month(job_ids: Sequence[int]) -> float:
    """Return the CPU seconds that these jobs have cost this month."""
    return _seconds_of(_costs_of_this_month(), job_ids)


def seconds_of_jobs(job_ids: Sequence[int]) -> float:
    """Return the CPU seconds that these jobs have cost, in whatever month."""
    return _seconds_of(ComputeCost.objects.all(), job_ids)


def _seconds_of(rows: QuerySet[ComputeCost], job_ids: Sequence[int]) -> float:
    return rows.filter(job_id__in=job_ids).aggregate(total=Sum("cpu_seconds"))["total"] or 0.0


def _costs_of_this_month() -> QuerySet[ComputeCost]:
    zone = ZoneInfo(active_scope().tenant.time_zone)
    begun = timezone.now().astimezone(zone).replace(day=1, hour=0, minute=0, second=0)
    return ComputeCost.objects.filter(spent_at__gte=begun.replace(microsecond=0)).order_by()
