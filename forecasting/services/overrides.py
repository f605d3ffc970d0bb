"""Overrides by planners: made with a reason, kept beside the forecast, withdrawn, never deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from forecasting.models import (
    ForecastOverride,
    ForecastRun,
    OverrideKind,
    OverrideState,
    SeriesForecast,
)
from forecasting.models.overrides import MOST_DAYS
from forecasting.queries.forecasts import get_series, last_day_of
from forecasting.queries.series import business_today, local_day
from inventory.queries.access import require_warehouse
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

MOST_AHEAD_DAYS = 730
"""Two years: a change of days that no forecast reaches yet waits for one that does; what lies
further ahead is a slip of the keyboard."""
MOST_PERCENT = 1000
MOST_UNITS = Decimal(10) ** 9

_REACH = f"""
    UPDATE {ForecastOverride._meta.db_table} o
    SET base_mean = (
        SELECT array_agg(coalesce(b.base, f.mean[o.first_day - %(origin)s::date + b.place - 1])
                         ORDER BY b.place)
        FROM unnest(o.base_mean) WITH ORDINALITY AS b (base, place)
    )
    FROM {SeriesForecast._meta.db_table} f
    WHERE o.tenant_id = %(tenant)s AND array_position(o.base_mean, NULL) IS NOT NULL
        AND o.last_day > %(origin)s::date AND o.first_day <= %(last)s::date
        AND f.tenant_id = o.tenant_id AND f.run_id = %(run)s AND f.channel_id IS NULL
        AND f.product_id = o.product_id AND f.warehouse_id = o.warehouse_id
"""  # noqa: S608  names of our own tables


class OverrideWithdrawn(Conflict):
    """The override was withdrawn before."""

    code = "override_withdrawn"


@dataclass(frozen=True, slots=True)
class OverrideWish:
    """What a planner wants: percent more or less, or units of each day, from day to day."""

    first_day: date
    last_day: date
    kind: str
    value: Decimal
    reason: str


def create_override(
    *, product_id: int, warehouse_id: int, wish: OverrideWish, made_at: datetime | None = None
) -> ForecastOverride:
    """Lay a planner's change over the forecast of a product in a warehouse.

    made_at: when it was made, where that is told afterwards; the forecast of then must be the
    newest still. Raises ``PermissionRefused``, ``NotFound``, ``Invalid``.
    """
    actor = require(Permission.PLAN)
    require_warehouse(warehouse_id)
    series = get_series(product_id, warehouse_id)
    problems = _problems(wish, local_day(made_at) if made_at else business_today())
    if problems:
        raise Invalid(problems)
    made = ForecastOverride.objects.create(
        product_id=product_id,
        warehouse_id=warehouse_id,
        first_day=wish.first_day,
        last_day=wish.last_day,
        kind=wish.kind,
        value=wish.value,
        reason=wish.reason.strip(),
        base_mean=_forecast_of(series, wish),
        created_by_label=actor.label[:160],
        created_at=made_at or timezone.now(),
    )
    audit.record(
        "override.created",
        made,
        sku=series.product.sku,
        days=f"{wish.first_day} - {wish.last_day}",
        change=f"{wish.value} {wish.kind}",
        reason=made.reason,
    )
    return made


def keep_reached_days(run: ForecastRun) -> None:
    """Keep what a new run forecasts of the days of changes that no forecast had reached before.

    A change is scored against the forecast it changed, also one that was made long before it.
    """
    asked: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "run": run.pk,
        "origin": run.origin,
        "last": last_day_of(run),
    }
    with connection.cursor() as cursor:
        cursor.execute(_REACH, asked)


def withdraw_override(*, forecast_override_id: int) -> ForecastOverride:
    """Take an override back; it stays for the record and is scored like the others.

    Raises ``PermissionRefused``, ``NotFound``, ``OverrideWithdrawn``.
    """
    actor = require(Permission.PLAN)
    rows = ForecastOverride.objects.select_for_update()
    found = rows.filter(pk=forecast_override_id).first()
    if found is None:
        raise NotFound("override", forecast_override_id)
    require_warehouse(found.warehouse_id)
    if found.state == OverrideState.WITHDRAWN:
        raise OverrideWithdrawn(
            _("This change was withdrawn by %(name)s before.") % {"name": found.withdrawn_by_label}
        )
    found.state = OverrideState.WITHDRAWN
    found.withdrawn_by_label = actor.label[:160]
    found.withdrawn_at = timezone.now()
    found.version += 1
    found.save()
    audit.record("override.withdrawn", found)
    return found


def _problems(wish: OverrideWish, today: date) -> list[Problem]:
    found = []
    if wish.last_day < wish.first_day:
        found.append(Problem("last_day", "before_first", _("The last day is before the first.")))
    elif (wish.last_day - wish.first_day).days >= MOST_DAYS:
        text = _("A change covers at most %(days)d days.") % {"days": MOST_DAYS}
        found.append(Problem("last_day", "too_long", text))
    found += _wrong_days(wish, today)
    if wish.kind == OverrideKind.PERCENT:
        if not -100 <= wish.value <= MOST_PERCENT:
            text = _("Give a percentage from -100 to %(most)d.") % {"most": MOST_PERCENT}
            found.append(Problem("value", "out_of_range", text))
    elif not 0 <= wish.value <= MOST_UNITS:
        found.append(Problem("value", "out_of_range", _("Give units of a day, none or more.")))
    if not wish.reason.strip():
        found.append(Problem("reason", "required", _("Say why, for whoever reads it later.")))
    return found


def _wrong_days(wish: OverrideWish, today: date) -> list[Problem]:
    """Return which of its two days lie in the past, where nothing can be ordered by, or too far."""
    latest = today + timedelta(days=MOST_AHEAD_DAYS)
    past = _("This day is past. Choose %(day)s or later.") % {"day": date_format(today, "j M Y")}
    far = _("A change reaches two years ahead: choose %(day)s or earlier.") % {
        "day": date_format(latest, "j M Y")
    }
    days = {"first_day": wish.first_day, "last_day": wish.last_day}
    return [
        *(Problem(name, "past", past) for name, day in days.items() if day < today),
        *(Problem(name, "too_far", far) for name, day in days.items() if day > latest),
    ]


def _forecast_of(series: SeriesForecast, wish: OverrideWish) -> list[float | None]:
    """Return what is forecast for each day of the change; None beyond the forecast."""
    first = series.run.origin + timedelta(days=1)
    days = (wish.last_day - wish.first_day).days + 1
    places = [(wish.first_day - first).days + step for step in range(days)]
    return [series.mean[place] if 0 <= place < len(series.mean) else None for place in places]
