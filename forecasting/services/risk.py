"""Risk warnings: found from forecasts and the past, gone when the risk is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext as _

from forecasting.models import ForecastRun, RiskWarning, WarningState
from forecasting.queries.compute import forecast_settings
from forecasting.queries.forecasts import latest_run
from forecasting.queries.planning import read_world
from forecasting.queries.positions import read_lots
from forecasting.services.risk_records import read_records
from forecasting.services.risk_search import (
    MOST_STOCKOUT_DAYS,
    Key,
    arrivals_of,
    find_all,
    key_of,
)
from forecasting.services.suggestions import check_snooze
from forecasting.services.work_lists import one_at_a_time
from inventory.queries.access import in_allowed
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.models import Membership
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import JobFailed, JobRun

KIND = "make_warnings"
RESOLVED_FOR_DAYS = 7
RESOLVED_GROWTH = Decimal("1.5")
"""A risk somebody resolved comes back after a week, or at once when it has grown by half."""


class WarningClosed(Conflict):
    """The warning was resolved in the meantime."""

    code = "warning_closed"


def make_warnings(run: JobRun) -> dict[str, Any]:
    """Find every risk from the forecast in use and bring the warnings in line with it.

    Risks that are gone resolve by themselves. Returns counts. Raises ``JobFailed``.
    """
    run.progress(0, 3, _("Reading stock and demand"))
    with run.scope():
        forecast = latest_run()
        if forecast is None:
            raise JobFailed(_("There is no forecast yet. Forecast first, then look for risks."))
        world = read_world(forecast)
        lots = read_lots(world.today) if world else []
        arrivals = arrivals_of(world) if world else np.zeros((0, MOST_STOCKOUT_DAYS))
        records = read_records(world) if world else None
        how = forecast_settings()
    if world is None:
        raise JobFailed(_("No product in use has demand: there are no risks to look for."))
    run.progress(1, 3, _("Looking for risks in %(count)d series") % {"count": len(world.keys)})
    found = find_all(world, lots, arrivals, records, how)
    run.progress(2, 3, _("Updating the warnings"))
    with run.publishing():
        return _publish(forecast, world.today, found)


def _publish(forecast: ForecastRun, today: date, found: list[RiskWarning]) -> dict[str, Any]:
    """Renew what still stands, resolve what is gone, add what is new; return counts."""
    one_at_a_time("warnings")
    now = timezone.now()
    live = {
        key_of(row): row
        for row in RiskWarning.objects.select_for_update()
        .filter(state__in=WarningState.live())
        .order_by("id")
    }
    set_aside = _recently_resolved(today)
    fresh, renewed = [], []
    for new in found:
        old = live.pop(key_of(new), None)
        if old is not None:
            renewed.append(_renewed(old, new, today))
        elif not _still_set_aside(set_aside.get(key_of(new)), new):
            fresh.append(new)
    RiskWarning.objects.bulk_update(renewed, RENEWED_FIELDS, batch_size=500)
    RiskWarning.objects.bulk_create(fresh, batch_size=500)
    gone = [row.pk for row in live.values()]
    RiskWarning.objects.filter(pk__in=gone).update(
        state=WarningState.RESOLVED, resolved_at=now, decided_by_label=""
    )
    counts = Counter(warning.kind for warning in (*fresh, *renewed))
    return {
        "warnings_new": len(fresh),
        "warnings_standing": len(renewed),
        "warnings_resolved": len(gone),
        "warnings": dict(counts),
    }


RENEWED_FIELDS = [
    "run",
    "severity_money",
    "probability",
    "happens_on",
    "evidence",
    "suggested_action",
    "last_seen_at",
    "state",
    "snoozed_until",
]


def _renewed(old: RiskWarning, new: RiskWarning, today: date) -> RiskWarning:
    for name in RENEWED_FIELDS[:6]:
        setattr(old, name, getattr(new, name))
    old.last_seen_at = timezone.now()
    slept_out = old.snoozed_until is None or old.snoozed_until <= today
    if old.state == WarningState.SNOOZED and slept_out:
        old.state, old.snoozed_until = WarningState.OPEN, None
    return old


def _recently_resolved(today: date) -> dict[Key, Decimal]:
    """Return the severity of what somebody (not the risk's own end) resolved within a week."""
    since = today - timedelta(days=RESOLVED_FOR_DAYS)
    rows = RiskWarning.objects.filter(
        state=WarningState.RESOLVED, resolved_at__date__gt=since
    ).exclude(decided_by_label="")
    return {key_of(row): row.severity_money for row in rows.order_by("id")}


def _still_set_aside(severity: Decimal | None, new: RiskWarning) -> bool:
    return severity is not None and new.severity_money < severity * RESOLVED_GROWTH


# -- what planners do ------------------------------------------------------------------------
def acknowledge_warnings(*, warning_ids: Sequence[int]) -> list[RiskWarning]:
    """Note that somebody has seen the warnings and takes care.

    Raises ``PermissionRefused``, ``NotFound``, ``WarningClosed``.
    """
    return _decide(warning_ids, WarningState.ACKNOWLEDGED)


def snooze_warnings(*, warning_ids: Sequence[int], until: date) -> list[RiskWarning]:
    """Put warnings off until a day; they open again if the risk still stands then.

    Raises ``PermissionRefused``, ``NotFound``, ``Invalid``, ``WarningClosed``.
    """
    check_snooze(until)
    return _decide(warning_ids, WarningState.SNOOZED, until)


def resolve_warnings(*, warning_ids: Sequence[int]) -> list[RiskWarning]:
    """Close warnings: done or accepted; the same risk rests for a week unless it grows.

    Raises ``PermissionRefused``, ``NotFound``, ``WarningClosed``.
    """
    return _decide(warning_ids, WarningState.RESOLVED)


def assign_warnings(*, warning_ids: Sequence[int], membership_id: int | None) -> list[RiskWarning]:
    """Say who takes care of the warnings; nobody with None.

    Raises ``PermissionRefused``, ``NotFound``, ``Invalid``, ``WarningClosed``.
    """
    require(Permission.PLAN)
    member = None
    if membership_id is not None:
        member = Membership.objects.filter(pk=membership_id, is_active=True).first()
        if member is None:
            raise NotFound("member", membership_id)
    rows = _lock_live(warning_ids)
    for row in rows:
        row.assigned_to = member
        row.version += 1
        row.save()
        audit.record("warning.assigned", row, kind=row.kind, member=str(membership_id or ""))
    return rows


def _decide(
    warning_ids: Sequence[int], state: WarningState, until: date | None = None
) -> list[RiskWarning]:
    actor = require(Permission.PLAN)
    rows = _lock_live(warning_ids)
    for row in rows:
        row.state = state
        row.snoozed_until = until
        row.resolved_at = timezone.now() if state == WarningState.RESOLVED else None
        row.decided_by_label = actor.label[:160]
        row.version += 1
        row.save()
        audit.record(f"warning.{state}", row, kind=row.kind)
    return rows


def _lock_live(warning_ids: Sequence[int]) -> list[RiskWarning]:
    wanted = sorted(set(warning_ids))
    if not wanted:
        raise Invalid.field("warnings", "required", _("Choose at least one warning."))
    rows = list(
        in_allowed(RiskWarning.objects.all(), "warehouse_id")
        .select_for_update(of=("self",))
        .select_related("product", "assigned_to__user")
        .filter(pk__in=wanted)
        .order_by("pk")
    )
    missing = set(wanted) - {row.pk for row in rows}
    if missing:
        raise NotFound("warning", min(missing))
    for row in rows:
        if row.state == WarningState.RESOLVED:
            raise WarningClosed(
                _("The warning about %(sku)s is resolved already.") % {"sku": row.product.sku},
                warning=row.pk,
            )
    return rows
