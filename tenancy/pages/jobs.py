"""Jobs: what runs, what waits, what became of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from tenancy.models import Job, JobState
from tenancy.pages.filters import offer
from tenancy.pages.web import address, do, show
from tenancy.permissions import Permission, require
from tenancy.queries.jobs import get_job, jobs, loss_curve
from tenancy.queries.keyset import keyset_page
from tenancy.services.job_kinds import job_title, known_kinds
from tenancy.services.job_outcomes import outcome_of
from tenancy.services.jobs import cancel_job

NAV = "jobs"
OPEN = "open"


class JobFilters(forms.Form):
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[
            ("", gettext_lazy("All states")),
            (OPEN, gettext_lazy("Queued or running")),
            *JobState.choices,
        ],
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(kind.kind, str(kind.title)) for kind in known_kinds()]
        offer(self, "kind", _("All kinds"), known)


@require_safe
def job_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List jobs, newest first; while one of them is open the list keeps itself up to date."""
    require(Permission.READ)
    filters = JobFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = jobs()
    if chosen.get("state") == OPEN:
        rows = rows.filter(state__in=JobState.open())
    elif chosen.get("state"):
        rows = rows.filter(state=chosen["state"])
    if chosen.get("kind"):
        rows = rows.filter(kind=chosen["kind"])
    page = keyset_page(rows, order=("-id",), cursor=request.GET.get("cursor", ""))
    is_poll = request.headers.get("HX-Request") == "true"
    return show(
        request,
        "tenancy/_job_list_live.html" if is_poll else "tenancy/job_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(job, job_title(job.kind), _took_seconds(job)) for job in page.items],
        next_cursor=page.next_cursor,
        is_live=any(job.state in JobState.open() for job in page.items),
        poll_url=request.get_full_path(),
    )


@require_safe
def job_detail(request: HttpRequest, tenant: str, job_id: int) -> HttpResponse:
    """Show a job: how far it is, and at its end what came of it."""
    require(Permission.READ)
    job = get_job(job_id)
    return show(request, "tenancy/job_detail.html", NAV, **_standing(request, job))


@require_safe
def job_progress(request: HttpRequest, tenant: str, job_id: int) -> HttpResponse:
    """Answer the poll of a job's page; at the end the whole page is asked for again."""
    require(Permission.READ)
    context = _standing(request, get_job(job_id))
    response = show(request, "tenancy/_job_live.html", NAV, **context)
    if not context["is_open"]:
        response["HX-Refresh"] = "true"
    return response


@require_POST
def job_cancel(request: HttpRequest, tenant: str, job_id: int) -> HttpResponse:
    """Cancel a job: a queued one at once, a running one at its next look."""
    require(Permission.PLAN)
    return do(
        request,
        lambda: cancel_job(job_id=job_id),
        done=_("The job is being cancelled."),
        target=address(request, "tenancy:job_detail", job_id=job_id),
    )


def _standing(request: HttpRequest, job: Job) -> dict[str, Any]:
    outcome = outcome_of(job)
    more = outcome.view_name and address(request, outcome.view_name, **outcome.arguments)
    return {
        "job": job,
        "title": job_title(job.kind),
        "is_open": job.state in JobState.open(),
        "is_cancelling": job.state == JobState.RUNNING and job.cancel_requested_at is not None,
        "loss": loss_curve(job),
        "outcome": outcome,
        "more_url": more if job.state == JobState.DONE else "",
        "took_seconds": _took_seconds(job),
        "poll_url": address(request, "tenancy:job_progress", job_id=job.pk),
    }


def _took_seconds(job: Job) -> float | None:
    """Return how long the job ran, once it has ended."""
    if job.started_at is None or job.finished_at is None:
        return None
    return (job.finished_at - job.started_at).total_seconds()
