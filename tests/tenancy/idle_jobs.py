"""Jobs that do nothing, for tests: asked for, claimed, with a lease that ran out."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from tenancy.models import Job
from tenancy.services import job_leases, jobs
from tenancy.services.job_leases import Lease
from tests.cast import House


def do_nothing(run: jobs.JobRun) -> dict[str, Any]:
    return {}


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() - dt.timedelta(hours=1))


def claimed(house: House, job: Job) -> Lease:
    lease = job_leases.claim(house.tenant, job.pk)
    assert lease is not None
    return lease
