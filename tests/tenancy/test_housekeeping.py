"""Housekeeping: what nobody needs goes, what somebody may need stays."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from tenancy.models import IdempotencyKey, JobState
from tenancy.services.jobs import enqueue_job, run_job
from tests.cast import House


def test_keys_are_kept_a_week(in_north: House) -> None:
    for name, age_days in (("old", 8), ("young", 6)):
        IdempotencyKey.objects.create(principal="user:1", key=name, request_hash="x")
        created_at = timezone.now() - dt.timedelta(days=age_days)
        IdempotencyKey.objects.filter(key=name).update(created_at=created_at)
    job = run_job(enqueue_job(kind="housekeeping", payload={}))
    assert (job.state, job.result) == (JobState.DONE, {"idempotency_keys": 1})
    assert IdempotencyKey.objects.get().key == "young"
