"""Queues of jobs: fair among tenants, capped, heard by a doorbell that may fail."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from tenancy.models import JobQueue, JobState, JobTurn
from tenancy.services import job_leases, jobs
from tenancy.services.job_leases import Lease
from tests.cast import House
from tests.tenancy.idle_jobs import claimed, do_nothing


# -- fairness and caps ----------------------------------------------------------------------------
def test_a_small_tenant_does_not_wait_for_a_big_one(north: House, south: House, kind: Any) -> None:
    """North queues 20 jobs, then south one: south's is second."""
    name = kind(do_nothing)
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
    name = kind(do_nothing)
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
    name = kind(do_nothing, JobQueue.TRAINING)
    first, second = (jobs.enqueue_job(kind=name, payload={}) for _number in range(2))
    claimed(in_north, first)
    assert job_leases.claim(in_north.tenant, second.pk) is None
    with pytest.raises(jobs.JobBusy):
        jobs.run_job(second)
    second.refresh_from_db()
    assert second.state == JobState.QUEUED


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_hear_one_doorbell_one_gets_the_job(north: House, kind: Any) -> None:
    with north.scope():
        jobs.enqueue_job(kind=kind(do_nothing), payload={})
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
        job = jobs.enqueue_job(kind=kind(do_nothing), payload={})
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
            job = jobs.enqueue_job(kind=kind(do_nothing), payload={})
    assert valkey.llen("default") == 0
    assert job_leases.sweep(north.tenant) == 1
    assert valkey.llen("default") == 1
    with north.scope():
        job.refresh_from_db()
        assert job.sent_at is not None
    assert job_leases.sweep(north.tenant) == 0  # a recent message is not sent again
