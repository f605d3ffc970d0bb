"""Suppliers beside each other: what they promise and what they do."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from forecasting.queries.scorecard import supplier_scores
from tenancy.permissions import Permission, require

MOST_DRAWN = 12


@require_safe
def scorecard(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show how every supplier keeps what it promises."""
    require(Permission.READ)
    scores = supplier_scores()
    drawn = [one for one in scores if one.usual_days is not None][:MOST_DRAWN]
    picture = {
        "labels": [one.name for one in drawn],
        "series": [
            {"label": _("Promised"), "values": [s.promised_days for s in drawn], "tone": "neutral"},
            {"label": _("Half within"), "values": [s.usual_days for s in drawn], "tone": "accent"},
            {"label": _("Nine of ten within"), "values": [s.late_days for s in drawn],
             "tone": "warning"},
        ],
        "unit": _("days"),
    }  # fmt: skip
    context = {
        "scores": scores,
        "picture": picture if drawn else None,
        "nav_section": "scorecard",
    }
    return render(request, "forecasting/scorecard.html", context)
