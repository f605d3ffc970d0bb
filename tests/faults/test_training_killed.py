"""A real worker killed with -9 in mid-training: another goes on, and one network is published."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from forecasting.models import ComputeCost, TrainedNetwork
from forecasting.services.artefacts import checkpoint_folder
from forecasting.services.training import request_training
from tenancy.models import JobState
from tests.cast import House
from tests.faults.test_worker_killed import _care, _kill_group, _state, _wait_for
from tests.forecasting.world import build_world

pytestmark = [pytest.mark.django_db(transaction=True)]


@contextmanager
def training_worker(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the real worker of the training queue in a process group of its own."""
    environment = os.environ | {"JOB_LEASE_SECONDS": "2", "JOB_RETRY_SECONDS": "0"}
    environment |= {"DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "-Q", "training"]
    command += ["-c", "1", "-l", "INFO", "--without-gossip", "--without-mingle"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        _kill_group(process)


@pytest.mark.slow
def test_a_training_killed_in_the_middle_publishes_one_network(
    north: House, tmp_path: Path, settings: Any
) -> None:
    settings.JOB_LEASE_SECONDS = 2.0
    settings.JOB_RETRY_SECONDS = 0
    settings.JOB_RESEND_SECONDS = 0
    log = tmp_path / "worker.log"
    with north.scope():
        build_world()
        job = request_training(budget_seconds=6)
    folder = checkpoint_folder(north.tenant, job.pk)

    with training_worker(log) as first:

        def in_the_middle() -> bool:
            _state(north, job)
            with north.scope():  # noted with a heartbeat, which may come after many quick epochs
                noted = ComputeCost.objects.filter(job_id=job.pk, cpu_seconds__gt=0.1).exists()
            return noted and job.progress_done >= 2

        _wait_for(in_the_middle, log)
        _kill_group(first)
    assert _state(north, job) == (JobState.RUNNING, 1)
    assert list(folder.iterdir())
    trained_before = job.progress_done

    with training_worker(log):

        def done() -> bool:
            _care(north)
            return _state(north, job)[0] == JobState.DONE

        _wait_for(done, log)
        _wait_for(lambda: not folder.exists(), log)  # the worker clears up after it has published
    assert _state(north, job) == (JobState.DONE, 2)
    assert trained_before >= 2
    with north.scope():
        network = TrainedNetwork.objects.get()
        assert network.job_id == job.pk
        judged = [(p["network"], p["epoch"]) for p in network.epochs if p["stage"] == "holdout"]
        assert len(network.epochs) >= trained_before
        first_of_all = [epoch for name, epoch in judged if name == judged[0][0]]
        assert first_of_all == list(range(1, len(first_of_all) + 1))  # none twice, none left out
        first_cost, second_cost = ComputeCost.objects.order_by("id")
        assert first_cost.job_id == second_cost.job_id == job.pk
        assert first_cost.cpu_seconds > 0.1  # of the worker that was killed
    _folders, files = default_storage.listdir(f"tenants/{north.tenant.pk}/networks")
    assert len(files) == 1
