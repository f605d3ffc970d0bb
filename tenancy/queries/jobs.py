"""Read jobs: the list, one job, what still runs."""

from __future__ import annotations

from django.db.models import QuerySet

from tenancy.errors import NotFound
from tenancy.models import Job, JobState


def jobs() -> QuerySet[Job]:
    """Return the tenant's jobs, newest first."""
    return Job.objects.order_by("-id")


def find_job(job_id: int) -> Job | None:
    """Return the job, or None."""
    return Job.objects.filter(pk=job_id).first()


def get_job(job_id: int) -> Job:
    """Return the job; raise ``NotFound``."""
    found = find_job(job_id)
    if found is None:
        raise NotFound("job", job_id)
    return found


def open_jobs(kind: str | None = None) -> QuerySet[Job]:
    """Return the jobs, of one kind or all, that are queued or running, newest first."""
    found = jobs().filter(state__in=JobState.open())
    return found if kind is None else found.filter(kind=kind)
