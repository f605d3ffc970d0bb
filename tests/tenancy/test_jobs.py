"""Jobs: asked for, claimed, kept alive, ended; and what happens to those whose worker dies."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from tenancy.errors import NotFound
from tenancy.models import AuditEvent, Job, JobQueue, JobState, JobTurn, Tenant
from tenancy.permissions import PermissionRefused
from tenancy.services import audit, job_kinds, job_leases, jobs
from tenancy.services.job_leases import Lease
from tenancy.services.worker_stop import note_worker_stopping
from tests.cast import House

Handler = Callable[[jobs.JobRun], dict[str, Any]]


@pytest.fixture(autouse=True)
def _short_times(settings: Any) -> None:
    settings.JOB_RETRY_SECONDS = 0
    settings.JOB_RESEND_SECONDS = 60


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Register handlers for the length of the test."""
    monkeypatch.setattr(job_kinds, "_kinds", dict(job_kinds._kinds))

    def register(handler: Handler, queue: JobQueue = JobQueue.DEFAULT) -> str:
        name = f"test.{len(job_kinds._kinds)}"
        jobs.job_handler(name, queue=queue, title="A test")(handler)
        return name

    return register


def _nothing(run: jobs.JobRun) -> dict[str, Any]:
    return {}


def _expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now() - dt.timedelta(hours=1))


def _claimed(house: House, job: Job) -> Lease:
    lease = job_leases.claim(house.tenant, job.pk)
    assert lease is not None
    return lease


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
    job = jobs.cancel_job(job_id=jobs.enqueue_job(kind=kind(_nothing), payload={}).pk)
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
    job = jobs.run_job(jobs.enqueue_job(kind=kind(_nothing), payload={}))
    assert jobs.cancel_job(job_id=job.pk).state == JobState.DONE


def test_a_viewer_may_not_cancel(north: House, kind: Any) -> None:
    with north.scope():
        job = jobs.enqueue_job(kind=kind(_nothing), payload={})
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        jobs.cancel_job(job_id=job.pk)


def test_a_foreign_job_is_cancelled_like_a_missing_one(
    north: House, south: House, kind: Any
) -> None:
    with north.scope():
        job = jobs.enqueue_job(kind=kind(_nothing), payload={})
    with south.scope(), pytest.raises(NotFound):
        jobs.cancel_job(job_id=job.pk)


# -- leases ---------------------------------------------------------------------------------------
def test_a_worker_that_lost_its_lease_publishes_nothing(in_north: House, kind: Any) -> None:
    assert _publications_of_two_workers(in_north, kind) == 1


def test_control_without_the_fencing_token_both_workers_publish(
    in_north: House, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_leases, "held", lambda lease: Job.objects.filter(pk=lease.job_id))
    assert _publications_of_two_workers(in_north, kind) == 2


def _publications_of_two_workers(house: House, kind: Any) -> int:
    """Worker one stalls, worker two takes over and publishes, worker one wakes up."""
    job = jobs.enqueue_job(kind=kind(_nothing), payload={})
    stale = jobs.JobRun(_claimed(house, job), job)
    _expire(job)
    assert job_leases.reap(house.tenant) == 1
    fresh = jobs.JobRun(_claimed(house, job), job)
    for run in (fresh, stale):
        try:
            with run.publishing():
                audit.record("test.published", job)
                run.finish({})
        except jobs.LeaseLost:
            pass
    return AuditEvent.objects.filter(action="test.published").count()


def test_progress_of_a_lost_lease_raises(in_north: House, kind: Any) -> None:
    job = jobs.enqueue_job(kind=kind(_nothing), payload={})
    stale = jobs.JobRun(_claimed(in_north, job), job)
    _expire(job)
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
    job = jobs.enqueue_job(kind=kind(_nothing), payload={})
    states = []
    for _attempt in range(3):
        _claimed(in_north, job)
        _expire(job)
        job_leases.reap(in_north.tenant)
        job.refresh_from_db()
        states.append(job.state)
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    assert job.reason == "The worker stopped answering (attempt 3 of 3)."


def test_a_dead_worker_of_a_cancelled_job_ends_it(in_north: House, kind: Any) -> None:
    job = jobs.enqueue_job(kind=kind(_nothing), payload={})
    _claimed(in_north, job)
    jobs.cancel_job(job_id=job.pk)
    _expire(job)
    job_leases.reap(in_north.tenant)
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


def test_a_living_lease_is_left_alone(in_north: House, kind: Any) -> None:
    _claimed(in_north, jobs.enqueue_job(kind=kind(_nothing), payload={}))
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


# -- fairness and caps ----------------------------------------------------------------------------
def test_a_small_tenant_does_not_wait_for_a_big_one(north: House, south: House, kind: Any) -> None:
    """North queues 20 jobs, then south one: south's is second."""
    name = kind(_nothing)
    for house, count in ((north, 20), (south, 1)):
        with house.scope():
            for _number in range(count):
                jobs.enqueue_job(kind=name, payload={})
        job_leases.announce(house.tenant, "default")
    served = []
    for _turn in range(3):
        lease = job_leases.claim_next("default")
        assert lease is not None
        served.append(lease.tenant.slug)
        jobs.execute(lease)
    assert served == ["north", "south", "north"]


def test_one_tenant_never_takes_more_than_its_cap(north: House, kind: Any, settings: Any) -> None:
    settings.JOB_RUNNING_CAP = 2
    name = kind(_nothing)
    with north.scope():
        for _number in range(3):
            jobs.enqueue_job(kind=name, payload={})
    job_leases.announce(north.tenant, "default")
    claimed = [job_leases.claim_next("default") for _turn in range(3)]
    assert [lease is not None for lease in claimed] == [True, True, False]
    assert JobTurn.objects.get().is_waiting
    assert claimed[0] is not None
    jobs.execute(claimed[0])
    assert job_leases.claim_next("default") is not None


def test_an_empty_queue_is_not_asked_again(north: House, kind: Any) -> None:
    job_leases.announce(north.tenant, "default")
    assert job_leases.claim_next("default") is None
    assert not JobTurn.objects.get().is_waiting


def test_a_tenant_trains_one_network_at_a_time(in_north: House, kind: Any) -> None:
    name = kind(_nothing, JobQueue.TRAINING)
    first, second = (jobs.enqueue_job(kind=name, payload={}) for _number in range(2))
    _claimed(in_north, first)
    assert job_leases.claim(in_north.tenant, second.pk) is None
    with pytest.raises(jobs.JobBusy):
        jobs.run_job(second)
    second.refresh_from_db()
    assert second.state == JobState.QUEUED


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_hear_one_doorbell_one_gets_the_job(north: House, kind: Any) -> None:
    with north.scope():
        jobs.enqueue_job(kind=kind(_nothing), payload={})
    won: list[Lease] = []
    barrier = threading.Barrier(8)

    def worker() -> None:
        barrier.wait()
        lease = job_leases.claim_next("default")
        if lease is not None:
            won.append(lease)
        connection.close()

    threads = [threading.Thread(target=worker) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


# -- doorbells ------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_the_doorbell_rings_after_the_commit(north: House, kind: Any, valkey: Any) -> None:
    with north.scope():
        job = jobs.enqueue_job(kind=kind(_nothing), payload={})
        assert valkey.llen("default") == 0
    assert valkey.llen("default") == 1
    with north.scope():
        job.refresh_from_db()
        assert job.sent_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_delays_work_but_loses_none(
    north: House, kind: Any, valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: Any, **options: Any) -> None:
        raise ConnectionError("no broker")

    with monkeypatch.context() as outage:
        outage.setattr(job_leases.current_app, "send_task", down)
        with north.scope():
            job = jobs.enqueue_job(kind=kind(_nothing), payload={})
    assert valkey.llen("default") == 0
    assert job_leases.sweep(north.tenant) == 1
    assert valkey.llen("default") == 1
    with north.scope():
        job.refresh_from_db()
        assert job.sent_at is not None
    assert job_leases.sweep(north.tenant) == 0  # a recent message is not sent again


def test_a_tenants_jobs_are_invisible_to_another(north: House, south: House, kind: Any) -> None:
    with north.scope():
        job = jobs.enqueue_job(kind=kind(_nothing), payload={})
    assert job_leases.claim(south.tenant, job.pk) is None
    assert job_leases.sweep(Tenant.objects.get(slug="south")) == 0
