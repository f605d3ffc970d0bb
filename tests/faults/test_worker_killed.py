"""A real worker on a real Valkey: killed, stopped politely, and robbed of its messages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tenancy.models import AuditEvent, Job, JobState
from tenancy.services import job_kinds, job_leases, jobs
from tests.cast import House

pytestmark = [pytest.mark.django_db(transaction=True)]

PATIENCE_SECONDS = 150


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Know the worker's kinds here too; leases end soon."""
    settings.JOB_LEASE_SECONDS = 2.0
    settings.JOB_RETRY_SECONDS = 0
    settings.JOB_RESEND_SECONDS = 0
    monkeypatch.setattr(job_kinds, "_kinds", dict(job_kinds._kinds))
    for kind in ("test.killed_once", "test.quick"):
        jobs.job_handler(kind)(lambda run: {})


@contextmanager
def worker(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker with two children in a process group of its own; leave nothing behind."""
    environment = os.environ | {
        "JOB_LEASE_SECONDS": "2",
        "JOB_RETRY_SECONDS": "0",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-m", "celery", "-A", "tests.faults.worker_app", "worker"]
    command += ["-Q", "default", "-c", "2", "-l", "INFO", "--without-gossip", "--without-mingle"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_for(what: Callable[[], Any], log: Path) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"waited in vain; the worker said:\n{log.read_text()[-3000:]}")


def _enqueue(house: House, kind: str, **payload: Any) -> Job:
    with house.scope():
        return jobs.enqueue_job(kind=kind, payload=payload)


def _state(house: House, job: Job) -> tuple[str, int]:
    with house.scope():
        job.refresh_from_db()
    return job.state, job.attempt


def _publications(house: House) -> int:
    with house.scope():
        return AuditEvent.objects.filter(action="test.published").count()


def _care(house: House) -> None:
    job_leases.reap(house.tenant)
    job_leases.sweep(house.tenant)


def test_a_worker_killed_in_mid_job_is_replaced_and_publishes_once(
    north: House, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    job = _enqueue(north, "test.killed_once", folder=str(tmp_path))
    with worker(log) as first:
        _wait_for((tmp_path / "attempt-1").exists, log)
        _kill_group(first)
    assert _state(north, job) == (JobState.RUNNING, 1)  # nobody knows yet
    with worker(log):

        def done() -> bool:
            _care(north)
            return _state(north, job)[0] == JobState.DONE

        _wait_for(done, log)
    assert _state(north, job) == (JobState.DONE, 2)
    assert _publications(north) == 1


def test_a_killed_child_alone_is_replaced_too(north: House, tmp_path: Path) -> None:
    """As the kernel does when memory runs out: the worker lives on, one child is gone."""
    log = tmp_path / "worker.log"
    job = _enqueue(north, "test.killed_once", folder=str(tmp_path))
    with worker(log):
        mark = tmp_path / "attempt-1"
        child_id = _wait_for(lambda: mark.exists() and mark.read_text(), log)
        os.kill(int(child_id), signal.SIGKILL)

        def done() -> bool:
            _care(north)
            return _state(north, job)[0] == JobState.DONE

        _wait_for(done, log)
    assert _publications(north) == 1


def test_a_worker_asked_to_stop_hands_its_job_back(north: House, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    job = _enqueue(north, "test.killed_once", folder=str(tmp_path), patient=True)
    with worker(log) as first:
        _wait_for((tmp_path / "attempt-1").exists, log)
        first.send_signal(signal.SIGTERM)
        first.wait(timeout=PATIENCE_SECONDS)
    assert _state(north, job) == (JobState.QUEUED, 0)
    assert _publications(north) == 0


def test_messages_lost_with_the_broker_are_sent_again(
    north: House, south: House, tmp_path: Path, valkey: Any
) -> None:
    log = tmp_path / "worker.log"
    waiting = [_enqueue(house, "test.quick") for house in (north, south) for _number in range(3)]
    assert valkey.llen("default") == 6
    valkey.flushdb()
    with worker(log):

        def all_done() -> bool:
            for house in (north, south):
                _care(house)
            return _publications(north) + _publications(south) == len(waiting)

        _wait_for(all_done, log)
    states = {
        _state(house, job)[0] for house, job in zip([north] * 3 + [south] * 3, waiting, strict=True)
    }
    assert states == {JobState.DONE}
