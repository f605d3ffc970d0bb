"""Forecasts of groups as they are shown: the list, and one with its past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.db.models import Case, Q, QuerySet, Sum, When

from forecasting.decisions.overrides import Change, apply_changes
from forecasting.models import ForecastOverride, GroupForecast, OverrideState, SeriesForecast
from forecasting.pipeline.series import FloatArray
from forecasting.queries.fans import BANDS, HISTORY_DAYS, MEDIAN, Fan
from forecasting.queries.forecasts import latest_run
from forecasting.queries.overrides import Changed, changed_forecasts
from inventory.models import DailyDemand
from inventory.queries.access import allowed_warehouses, in_allowed
from tenancy.errors import NotFound


def groups_in_use() -> QuerySet[GroupForecast]:
    """Return the groups of the run in use: everything first, then warehouses, then categories,
    each the largest first.

    A member who works in some warehouses only sees those.
    """
    run = latest_run()
    if run is None:
        return GroupForecast.objects.none()
    rows = GroupForecast.objects.filter(run=run).select_related("run", "category", "warehouse")
    allowed = allowed_warehouses()
    if allowed is not None:
        rows = rows.filter(warehouse_id__in=allowed)
    kind = Case(
        When(category__isnull=False, then=2), When(warehouse__isnull=False, then=1), default=0
    )
    return rows.order_by(kind, "-total_mean", "id")


def get_group(group_forecast_id: int) -> GroupForecast:
    """Return the group of the run in use; raise ``NotFound``."""
    found = groups_in_use().filter(pk=group_forecast_id).first()
    if found is None:
        raise NotFound("group forecast", group_forecast_id)
    return found


@dataclass(frozen=True)
class ChangedGroup(Changed):
    """A group as planners changed its series; total_quantiles [Q] are those of all days' sum."""

    total_quantiles: list[float]


def changed_groups(groups: Sequence[GroupForecast]) -> dict[int, ChangedGroup]:
    """Return groups as planners changed their series, by the group's id: two queries.

    Groups are of one run; those in which nobody changed anything are left out. The mean of a day is
    the sum of the changed parts; its range keeps its width in percent, as that of a part does.
    """
    if not groups:
        return {}
    run = groups[0].run
    changed = in_allowed(
        SeriesForecast.objects.filter(
            run=run,
            channel=None,
            product_id__in=ForecastOverride.objects.filter(
                state=OverrideState.ACTIVE, last_day__gt=run.origin
            ).values("product_id"),
        ),
        "warehouse_id",
    )
    rows = list(changed.select_related("run", "product").order_by("id"))
    by_row = changed_forecasts(rows)
    more: dict[tuple[int | None, int | None], FloatArray] = {}
    for row in rows:
        if row.pk not in by_row:
            continue
        difference = by_row[row.pk].mean - np.array(row.mean)
        for key in {(None, None), (row.product.category_id, None), (None, row.warehouse_id)}:
            more[key] = more.get(key, 0.0) + difference
    return {
        group.pk: _changed_group(group, more[group.category_id, group.warehouse_id])
        for group in groups
        if (group.category_id, group.warehouse_id) in more
    }


def _changed_group(group: GroupForecast, more: FloatArray) -> ChangedGroup:
    run = group.run
    days = np.flatnonzero(more)
    wanted = np.maximum(np.array(group.mean) + more, 0.0)
    quantiles = np.reshape(group.quantile_values, (1, run.horizon_days, len(run.quantiles)))
    mean, spread = apply_changes(
        np.array([group.mean]),
        quantiles,
        [Change(0, int(day), int(day), None, float(wanted[day])) for day in days],
    )
    total = max(group.total_mean + float(more.sum()), 0.0)
    _mean, totals = apply_changes(
        np.array([[group.total_mean]]),
        np.array([[group.total_quantiles]]),
        [Change(0, 0, 0, None, total)],
    )
    return ChangedGroup(mean[0], spread[0], more != 0, totals[0, 0].tolist())


def read_group_fan(group: GroupForecast, changed: ChangedGroup | None = None) -> Fan:
    """Return the past demand of a group and its forecast, laid out for the fan chart.

    changed: as planners changed it; the forecast itself then stays as a line beside that.
    """
    run = group.run
    first = run.origin - timedelta(days=HISTORY_DAYS - 1)
    rows = DailyDemand.objects.filter(_members(group), business_day__range=(first, run.origin))
    sums = rows.order_by().values_list("business_day").annotate(total=Sum("quantity"))
    demand = {day: float(total) for day, total in sums}
    begin = min(demand, default=run.origin)
    days = (run.origin - begin).days + 1
    values = [demand.get(begin + timedelta(days=step), 0.0) for step in range(days)]
    quantiles = np.reshape(group.quantile_values, (run.horizon_days, len(run.quantiles)))
    own_mean = mean = np.array(group.mean)
    totals = group.total_quantiles
    if changed is not None:
        mean, quantiles, totals = changed.mean, changed.quantiles, changed.total_quantiles
    chart: dict[str, Any] = {
        "unit": "",
        "history": {"start": begin, "values": values},
        "forecast": {
            "start": run.origin + timedelta(days=1),
            "median": quantiles[:, MEDIAN],
            "mean": np.round(mean, 2),
            "before": None if changed is None else np.round(own_mean, 2),
            "bands": [
                {"level": level, "lower": quantiles[:, lower], "upper": quantiles[:, upper]}
                for level, lower, upper in BANDS
            ],
        },
    }
    return Fan(
        chart=chart,
        total_mean=group.total_mean if changed is None else changed.total_mean,
        total_low=totals[0],
        total_high=totals[-1],
        sold_before=sum(values[-run.horizon_days :]),
        stockout_days=0,
    )


def _members(group: GroupForecast) -> Q:
    if group.warehouse_id is not None:
        return Q(warehouse_id=group.warehouse_id)
    if group.category_id is not None:
        return Q(product__category_id=group.category_id)
    return Q()
