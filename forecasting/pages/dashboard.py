"""The first page of a tenant: how things stand, what is urgent, what happened last."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from forecasting.queries.dashboard import read_dashboard
from tenancy.services.job_kinds import job_title
from tenancy.templatetags.formats import percent


@require_safe
def dashboard(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show the dashboard; a new tenant gets its first steps instead."""
    board = read_dashboard()
    jobs = [(job, job_title(job.kind)) for job in board.jobs]
    context = {
        "board": board,
        "jobs": jobs,
        "pulse_change": _signed_percent(board.pulse.change),
        "nav_section": "dashboard",
    }
    return render(request, "forecasting/dashboard.html", context)


def _signed_percent(share: float | None) -> str:
    if share is None:
        return ""
    return f"+{percent(share)}" if share > 0 else percent(share)
