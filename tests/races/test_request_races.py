"""Two tabs, two people: what takes minutes of a processor is begun once however it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from forecasting.services import forecasts, training, tuning
from forecasting.services.forecasts import request_planning
from forecasting.services.training import request_training
from forecasting.services.tuning import TuningOpen, request_tuning
from tenancy.models import Job
from tests.cast import House
from tests.races.harness import race, refusals, won

ASKED = [
    (training, request_training),
    (tuning, lambda: request_tuning(budget_minutes=1)),
    (forecasts, request_planning),
]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize(("module", "ask"), ASKED, ids=["training", "tuning", "planning"]),
]


@pytest.fixture
def slow_to_queue(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave time between the look for an open job and the queueing of another."""
    enqueue = module.enqueue_job

    def later(**wanted: Any) -> Job:
        time.sleep(0.2)
        return enqueue(**wanted)

    monkeypatch.setattr(module, "enqueue_job", later)


def queued(house: House) -> int:
    with house.scope():
        return Job.objects.count()


@pytest.mark.usefixtures("slow_to_queue")
def test_asked_for_four_times_at_once_it_is_queued_once(
    north: House, module: Any, ask: Callable[[], Job]
) -> None:
    results = race(north, [ask] * 4)
    assert queued(north) == 1
    assert len({job.pk for job in won(results)}) == 1
    assert refusals(results) <= {TuningOpen}


@pytest.mark.usefixtures("slow_to_queue")
def test_control_without_taking_turns_it_is_queued_more_than_once(
    north: House, module: Any, ask: Callable[[], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "one_at_a_time", lambda name: None)
    race(north, [ask] * 4)
    assert queued(north) > 1
