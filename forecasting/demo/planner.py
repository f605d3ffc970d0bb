"""What the planner of a simulated company thinks of a forecast: some changes, made on the evening.

They are made without a look at what was asked for afterwards, so some turn out well and some do
not, as in life.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from forecasting.demo.people import planner_email
from forecasting.models import (
    ExternalSignal,
    ForecastOverride,
    OverrideKind,
    SeriesForecast,
    SignalKind,
)
from forecasting.queries.forecasts import latest_run
from forecasting.services.overrides import OverrideWish, create_override
from tenancy.models import Role, Tenant, User
from tenancy.scope import Actor, active_scope, run_in_scope

EVENING = 19


@dataclass(frozen=True)
class Thought:
    """A change, on these days ahead, of the largest forecast that has not been changed yet.

    promoted: of the largest of what is promoted on these days.
    """

    first: int
    last: int
    percent: int
    reason: str
    promoted: bool = False


THOUGHTS: dict[int, tuple[Thought, ...]] = {
    21: (
        Thought(1, 14, 25, "Promotion is on the front page of the leaflet", promoted=True),
        Thought(1, 14, -20, "A regular customer closes for two weeks"),
    ),
    14: (Thought(1, 7, 15, "Trade fair in town"),),
    7: (Thought(1, 14, 10, "The shop next door is being rebuilt"),),
}
"""By the days of the history that were still to come."""


def change_forecasts(tenant: Tenant, days_left: int) -> None:
    """Make the planner's changes of the evening, unless they were made before."""
    user = User.objects.get(email=planner_email(tenant.slug))
    actor = Actor(kind="user", id=user.pk, label=str(user), role=Role.PLANNER)
    run_in_scope(tenant, actor, partial(_change, THOUGHTS.get(days_left, ())))


def _change(thoughts: tuple[Thought, ...]) -> None:
    run = latest_run()
    if run is None or ForecastOverride.objects.filter(first_day__gt=run.origin).exists():
        return
    zone = ZoneInfo(active_scope().tenant.time_zone)
    for thought in thoughts:
        first, last = (run.origin + dt.timedelta(days=n) for n in (thought.first, thought.last))
        changed = ForecastOverride.objects.values_list("product_id", flat=True)
        rows = SeriesForecast.objects.filter(run=run, channel=None).exclude(product__in=changed)
        if thought.promoted:
            rows = rows.filter(product__in=_promoted(first, last))
        series = rows.order_by("-total_mean", "id").first()
        if series is None:
            continue
        create_override(
            product_id=series.product_id,
            warehouse_id=series.warehouse_id,
            wish=OverrideWish(
                first, last, OverrideKind.PERCENT, Decimal(thought.percent), thought.reason
            ),
            made_at=dt.datetime.combine(run.origin, dt.time(EVENING), tzinfo=zone),
        )


def _promoted(first: dt.date, last: dt.date) -> list[int]:
    found = ExternalSignal.objects.filter(
        kind=SignalKind.PROMOTION, values__day__range=(first, last)
    )
    return list(found.exclude(product=None).values_list("product_id", flat=True).distinct())
