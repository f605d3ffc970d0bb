"""Leases of jobs: who lost one publishes nothing, who lives keeps it, whose worker dies goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from tenancy.models import AuditEvent, Job, JobState
from tenancy.services import audit, job_leases, jobs
from tenancy.services.worker_stop import note_worker_stopping
from tests.cast import House
from tests.tenancy.idle_jobs import claimed, do_nothing, expire


def test_a_worker_that_lost_its_lease_publishes_nothing(in_north: House, kind: Any) -> None:
    assert _publications_of_two_workers(in_north, kind) == 1


def test_control_without_the_fencing_token_both_workers_publish(
    in_north: House, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_leases, "held", lambda lease: Job.objects.filter(pk=lease.job_id))
    assert _publications_of_two_workers(in_north, kind) == 2


def _publications_of_two_workers(house: House, kind: Any) -> int:
    """Worker one stalls, worker two takes over and publishes, worker one wakes up."""
    job = jobs.enqueue_job(kind=kind(do_nothing), payload={})
    stale = jobs.JobRun(claimed(house, job), job)
    expire(job)
    assert job_leases.reap(house.tenant) == 1
    fresh = jobs.JobRun(claimed(house, job), job)
    for run in (fresh, stale):
        try:
            with run.publishing():
                audit.record("test.published", job)
                run.finish({})
        except jobs.LeaseLost:
            pass
    return AuditEvent.objects.filter(action="test.published").count()


def test_progress_of_a_lost_lease_raises(in_north: House, kind: Any) -> None:
    job = jobs.enqueue_job(kind=kind(do_nothing), payload={})
    stale = jobs.JobRun(claimed(in_north, job), job)
    expire(job)
    job_leases.reap(in_north.tenant)
    with pytest.raises(jobs.LeaseLost):
        stale.progress(1, 2)


def test_finishing_commits_with_the_effect(in_north: House, kind: Any) -> None:
    """A worker killed right after the commit leaves a job that is done, not one to repeat."""

    def work(run: jobs.JobRun) -> dict[str, Any]:
        with run.publishing():
            audit.record("test.published", in_north.tenant)
            run.finish({"published": 1})
        raise RuntimeError("killed right after")

    job = jobs.run_job(jobs.enqueue_job(kind=kind(work), payload={}))
    assert (job.state, job.result) == (JobState.DONE, {"published": 1})


def test_the_reaper_gives_up_after_three_attempts(in_north: House, kind: Any) -> None:
    job = jobs.enqueue_job(kind=kind(do_nothing), payload={})
    states = []
    for _attempt in range(3):
        claimed(in_north, job)
        expire(job)
        job_leases.reap(in_north.tenant)
        job.refresh_from_db()
        states.append(job.state)
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    assert job.reason == "The worker stopped answering (attempt 3 of 3)."


def test_a_dead_worker_of_a_cancelled_job_ends_it(in_north: House, kind: Any) -> None:
    job = jobs.enqueue_job(kind=kind(do_nothing), payload={})
    claimed(in_north, job)
    jobs.cancel_job(job_id=job.pk)
    expire(job)
    job_leases.reap(in_north.tenant)
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


def test_a_living_lease_is_left_alone(in_north: House, kind: Any) -> None:
    claimed(in_north, jobs.enqueue_job(kind=kind(do_nothing), payload={}))
    assert job_leases.reap(in_north.tenant) == 0


@pytest.fixture
def stopping_worker() -> Iterator[None]:
    note_worker_stopping()
    yield
    note_worker_stopping(stopping=False)


def test_a_worker_being_stopped_hands_the_job_back(
    in_north: House, kind: Any, stopping_worker: None
) -> None:
    def work(run: jobs.JobRun) -> dict[str, Any]:
        run.progress(1, 10)
        raise AssertionError("went on although the worker stops")

    job = jobs.run_job(jobs.enqueue_job(kind=kind(work), payload={}))
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)  # the attempt does not count


@pytest.mark.django_db(transaction=True)
def test_a_long_step_without_progress_keeps_its_lease(
    north: House, kind: Any, settings: Any
) -> None:
    settings.JOB_LEASE_SECONDS = 0.6
    reaped = []

    def work(run: jobs.JobRun) -> dict[str, Any]:
        for _pause in range(6):
            time.sleep(0.2)
            reaped.append(job_leases.reap(north.tenant))
        return {}

    with north.scope():
        job = jobs.enqueue_job(kind=kind(work), payload={})
    assert jobs.run_job(job).state == JobState.DONE
    assert sum(reaped) == 0


@pytest.mark.django_db(transaction=True)
def test_a_long_publication_misses_no_heartbeat(north: House, kind: Any, settings: Any) -> None:
    """Its row is locked meanwhile, which keeps the job as safe as a renewed lease would."""
    settings.JOB_LEASE_SECONDS = 0.3

    def work(run: jobs.JobRun) -> dict[str, Any]:
        with run.publishing():
            time.sleep(1.5)
        return {}

    with north.scope():
        job = jobs.enqueue_job(kind=kind(work), payload={})
    with capture_logs() as logs:
        assert jobs.run_job(job).state == JobState.DONE
    assert [one for one in logs if one["event"] == "heartbeat_missed"] == []


@pytest.mark.django_db(transaction=True)
def test_control_without_the_heartbeat_a_long_step_loses_its_lease(
    north: House, kind: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_LEASE_SECONDS = 0.3
    monkeypatch.setattr(jobs, "_beat", lambda lease, ended: None)

    def work(run: jobs.JobRun) -> dict[str, Any]:
        time.sleep(0.5)
        assert job_leases.reap(north.tenant) == 1
        return {}

    with north.scope():
        job = jobs.enqueue_job(kind=kind(work), payload={})
    assert jobs.run_job(job).state == JobState.QUEUED
