"""Jobs: asked for, run, retried, cancelled, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from tenancy.errors import NotFound
from tenancy.models import JobState, Tenant
from tenancy.permissions import PermissionRefused
from tenancy.services import job_kinds, job_leases, jobs
from tests.cast import House
from tests.tenancy.idle_jobs import do_nothing


# -- running --------------------------------------------------------------------------------------
def test_a_job_runs_and_keeps_its_result(in_north: House, kind: Any) -> None:
    def double(run: jobs.JobRun) -> dict[str, Any]:
        run.progress(1, 2, "half", {"loss": [0.5]})
        run.progress(2, 2, "whole")
        return {"doubled": run.payload["n"] * 2}

    job = jobs.run_job(jobs.enqueue_job(kind=kind(double), payload={"n": 21}))
    assert (job.state, job.result, job.progress_percent) == (JobState.DONE, {"doubled": 42}, 100)
    assert job.progress_detail == {"loss": [0.5]}
    assert job.created_by_label == str(in_north.members["owner"])


def test_a_job_run_in_place_reports_its_progress(north: House, kind: Any) -> None:
    seen: list[tuple[int, int, str]] = []

    def work(run: jobs.JobRun) -> dict[str, Any]:
        run.progress(3, 3, "rows")
        return {}

    job = jobs.run_job_here(
        tenant=north.tenant, kind=kind(work), payload={}, report=lambda *step: seen.append(step)
    )
    assert job.state == JobState.DONE
    assert seen == [(3, 3, "rows")]


def test_an_unknown_kind_is_refused(in_north: House) -> None:
    with pytest.raises(job_kinds.UnknownJobKind):
        jobs.enqueue_job(kind="test.unheard_of", payload={})


def test_a_failure_with_a_message_for_people_is_not_repeated(in_north: House, kind: Any) -> None:
    def refuse(run: jobs.JobRun) -> dict[str, Any]:
        raise jobs.JobFailed("The file has no column for the date.")

    job = jobs.run_job(jobs.enqueue_job(kind=kind(refuse), payload={}))
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert job.reason == "The file has no column for the date."


def test_an_unexpected_error_is_tried_three_times(in_north: House, kind: Any) -> None:
    def stumble(run: jobs.JobRun) -> dict[str, Any]:
        raise RuntimeError("disk on fire")

    job = jobs.enqueue_job(kind=kind(stumble), payload={})
    states = [jobs.run_job(job).state for _attempt in range(3)]
    job.refresh_from_db()
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    assert "disk on fire" in job.reason


def test_a_retry_waits_longer_each_time(in_north: House, kind: Any, settings: Any) -> None:
    settings.JOB_RETRY_SECONDS = 10

    def stumble(run: jobs.JobRun) -> dict[str, Any]:
        raise RuntimeError

    job = jobs.enqueue_job(kind=kind(stumble), payload={})
    waits = []
    for _attempt in range(2):
        jobs.run_job(job)
        job.refresh_from_db()
        assert job.retry_at is not None
        waits.append(round((job.retry_at - timezone.now()).total_seconds() / 10))
    assert waits == [1, 4]  # 10 s, then 10 s x 4
    job_leases.announce(in_north.tenant, "default")
    assert job_leases.claim_next("default") is None


# -- cancelling -----------------------------------------------------------------------------------
def test_a_queued_job_is_cancelled_at_once(in_north: House, kind: Any) -> None:
    job = jobs.cancel_job(job_id=jobs.enqueue_job(kind=kind(do_nothing), payload={}).pk)
    assert job.state == JobState.CANCELLED
    with pytest.raises(jobs.JobBusy):
        jobs.run_job(job)


def test_a_running_job_sees_the_cancellation_at_its_next_step(in_north: House, kind: Any) -> None:
    def work(run: jobs.JobRun) -> dict[str, Any]:
        jobs.cancel_job(job_id=run.job_id)
        run.progress(1, 1)
        raise AssertionError("went on after the cancellation")

    job = jobs.run_job(jobs.enqueue_job(kind=kind(work), payload={}))
    assert (job.state, job.reason) == (JobState.CANCELLED, "Cancelled.")


def test_a_handler_that_asks_and_returns_is_cancelled_too(in_north: House, kind: Any) -> None:
    def work(run: jobs.JobRun) -> dict[str, Any]:
        jobs.cancel_job(job_id=run.job_id)
        assert run.should_stop()
        return {"saved": True}

    assert jobs.run_job(jobs.enqueue_job(kind=kind(work), payload={})).state == JobState.CANCELLED


def test_a_finished_job_stays_finished(in_north: House, kind: Any) -> None:
    job = jobs.run_job(jobs.enqueue_job(kind=kind(do_nothing), payload={}))
    assert jobs.cancel_job(job_id=job.pk).state == JobState.DONE


def test_a_viewer_may_not_cancel(north: House, kind: Any) -> None:
    with north.scope():
        job = jobs.enqueue_job(kind=kind(do_nothing), payload={})
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        jobs.cancel_job(job_id=job.pk)


def test_a_foreign_job_is_cancelled_like_a_missing_one(
    north: House, south: House, kind: Any
) -> None:
    with north.scope():
        job = jobs.enqueue_job(kind=kind(do_nothing), payload={})
    with south.scope(), pytest.raises(NotFound):
        jobs.cancel_job(job_id=job.pk)


def test_a_tenants_jobs_are_invisible_to_another(north: House, south: House, kind: Any) -> None:
    with north.scope():
        job = jobs.enqueue_job(kind=kind(do_nothing), payload={})
    assert job_leases.claim(south.tenant, job.pk) is None
    assert job_leases.sweep(Tenant.objects.get(slug="south")) == 0
