"""Channels: online against offline, what is kept for each, and what to move."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from forecasting.queries import channels, forecasts, suggestions
from forecasting.queries.buffers import buffer_refusals, buffer_suggestions
from forecasting.queries.series import business_today, latest_origin
from tenancy.permissions import Permission, require

MOST_BUFFERS = 50


@require_safe
def channel_demand(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show demand by channel and segment, and the buffers and moves that pay."""
    require(Permission.READ)
    run = forecasts.latest_run()
    last_day = latest_origin() or business_today()
    weeks = channels.weeks_of_channels(last_day)
    picture = {
        "labels": [one.day.isoformat() for one in weeks],
        "series": [
            {"label": _("Online"), "values": [one.online for one in weeks], "tone": "accent"},
            {"label": _("Offline"), "values": [one.offline for one in weeks], "tone": "neutral"},
        ],
        "unit": "",
    }
    context = {
        "last_day": last_day,
        "figures": channels.channel_figures(last_day, run),
        "segments": channels.segment_figures(last_day),
        "buffers": list(buffer_suggestions()[:MOST_BUFFERS]),
        "refused": buffer_refusals(),
        "picture": picture if any(one.online or one.offline for one in weeks) else None,
        "moves": channels.moves_that_pay(),
        "names": dict(suggestions.warehouses()),
        "nav_section": "channel_demand",
    }
    return render(request, "forecasting/channel_demand.html", context)
