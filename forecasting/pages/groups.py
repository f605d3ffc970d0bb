"""Forecasts of everything, of a warehouse, of a category: the sum of its parts, honestly wide."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from forecasting.queries import forecasts, groups


@require_safe
def group_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the groups with what is expected of each."""
    found = list(groups.groups_in_use())
    changed = groups.changed_groups(found)
    context = {
        "run": forecasts.latest_run(),
        "groups": [(group, changed.get(group.pk)) for group in found],
        "nav_section": "forecasts",
    }
    return render(request, "forecasting/group_list.html", context)


@require_safe
def group_detail(request: HttpRequest, tenant: str, group_forecast_id: int) -> HttpResponse:
    """Show a group's past and forecast."""
    group = groups.get_group(group_forecast_id)
    changed = groups.changed_groups([group]).get(group.pk)
    context = {
        "group": group,
        "fan": groups.read_group_fan(group, changed),
        "is_changed": changed is not None,
        "nav_section": "forecasts",
    }
    return render(request, "forecasting/group_detail.html", context)
