"""The stock cycle: turnover, cover, season and the worst offenders."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from forecasting.queries import forecasts, suggestions
from forecasting.queries.stock_cycle import stock_cycle as read_cycle
from tenancy.permissions import Permission, require

MOST_DRAWN = 12


@require_safe
def stock_cycle(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show by category how fast stock turns and what its policies aim at."""
    require(Permission.READ)
    run = forecasts.latest_run()
    cycle = None if run is None else read_cycle(run)
    drawn = cycle.categories[:MOST_DRAWN] if cycle else ()
    picture = {
        "labels": [one.name or _("Without category") for one in drawn],
        "series": [
            {"label": _("Stock"), "values": [one.stock for one in drawn], "tone": "accent"},
            {"label": _("Aimed at"), "values": [one.target for one in drawn], "tone": "neutral"},
        ],
        "unit": "",
    }
    context = {
        "cycle": cycle,
        "picture": picture,
        "names": dict(suggestions.warehouses()),
        "nav_section": "stock_cycle",
    }
    return render(request, "forecasting/stock_cycle.html", context)
