"""Tuning by a tenant: who may, what it costs, what a killed worker leaves, what the next training uses."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections

from forecasting.models import ComputeCost, ForecastSettings, TrainedNetwork
from forecasting.queries.compute import read_spending
from forecasting.queries.tuning import read_trials
from forecasting.services import tuning
from forecasting.services.compute import BudgetSpent, update_forecast_settings
from forecasting.services.tuning import (
    TrialUnfit,
    TuningOpen,
    forget_settings,
    request_tuning,
    use_settings,
)
from tenancy.errors import Invalid, NotFound
from tenancy.models import Job, JobState
from tenancy.permissions import PermissionRefused
from tenancy.services import job_leases
from tenancy.services.jobs import run_job, run_job_here
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.world import build_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


def trial(number: int, loss: float, state: str = "complete", **settings: Any) -> dict[str, Any]:
    return {
        "number": number,
        "settings": {"hidden": 32, "learning_rate": 0.002} | settings,
        "state": state,
        "losses": [loss + 0.1, loss],
        "cpu_seconds": 30.0,
    }


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace the trainings by three made-up trials; returns what each search was asked."""
    from forecasting.pipeline import tuning as pipeline

    asked: list[Any] = []

    def fake(panel: Any, origin: Any, search: Any, watch: Any) -> list[Any]:
        asked.append(search)
        trials = list(search.earlier)
        made = [trial(0, 0.5), trial(1, 0.6, "pruned"), trial(2, 0.4, hidden=48)]
        for one in made[len(trials) :]:
            trials.append(pipeline.Trial.from_json(one))
            watch.on_trial(trials[-1])
        return trials

    monkeypatch.setattr(pipeline, "tune", fake)
    return asked


def search(house: House, **payload: Any) -> Job:
    return run_job_here(
        tenant=house.tenant,
        kind=tuning.KIND,
        payload={"budget_minutes": 5, "network": "lstm"} | payload,
    )


def test_a_real_search_of_seconds_keeps_its_trials_and_its_cost(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forecasting.pipeline import settings as sizes

    monkeypatch.setattr(sizes, "MAX_STEPS", 12)
    monkeypatch.setattr(sizes, "MIN_STEPS", 12)
    with north.scope():
        build_world(products=5, days=150)
    job = search(north, budget_minutes=0.1)
    assert job.state == JobState.DONE, job.reason
    assert job.result is not None
    assert job.result["trials"]
    assert job.result["best"] == 0 or len(job.result["trials"]) > 1
    with north.scope():
        cost = ComputeCost.objects.get(kind=tuning.KIND)
        assert cost.cpu_seconds > 1
        # a search counts as training
        assert read_spending().training == pytest.approx(cost.cpu_seconds / 60)


def test_the_best_trial_is_marked_and_used_by_the_next_training(
    north: House, tried: list[Any]
) -> None:
    with north.scope():
        build_world()
    job = search(north)
    assert job.state == JobState.DONE
    with north.scope("manager"):
        shown = {one.number: one for one in read_trials(job)}
        assert [one.number for one in shown.values() if one.is_best] == [2]
        assert shown[2].gain == pytest.approx(0.2)  # 0.4 against 0.5
        with pytest.raises(TrialUnfit):
            use_settings(job_id=job.pk, number=1)
        with pytest.raises(NotFound):
            use_settings(job_id=job.pk, number=9)
        with pytest.raises(NotFound):
            use_settings(job_id=987_654, number=0)
        assert not ForecastSettings.objects.exists() or not ForecastSettings.objects.get().tuned
        use_settings(job_id=job.pk, number=2)
    run_job_here(tenant=north.tenant, kind="train_network", payload={"budget_seconds": 1})
    with north.scope("manager"):
        config = TrainedNetwork.objects.get().config
        assert config["tuned"] == {"lstm": {"hidden": 48, "learning_rate": 0.002}}
        assert forget_settings(network="lstm").tuned == {}


def test_a_search_goes_on_from_the_trials_a_killed_worker_left(
    north: House, tried: list[Any]
) -> None:
    with north.scope():
        build_world(products=1, days=30)
        job = Job.objects.create(
            kind=tuning.KIND,
            payload={"budget_minutes": 5, "network": "mlp"},
            progress_detail={"trials": [trial(0, 0.5)]},
        )
    assert run_job(job).state == JobState.DONE
    assert [one.number for one in tried[0].earlier] == [0]
    with north.scope():
        assert len(read_trials(Job.objects.get(pk=job.pk))) == 3


def test_a_search_keeps_to_what_is_left_of_the_month(north: House, tried: list[Any]) -> None:
    with north.scope("manager"):
        build_world(products=1, days=30)
        update_forecast_settings(cpu_minutes_per_month=3, training_seconds=None)
        ComputeCost.objects.create(kind="train_network", cpu_seconds=60)
    search(north)
    assert tried[0].budget_seconds == pytest.approx(120, abs=2)  # two of the five minutes wanted
    with north.scope("manager"):
        ComputeCost.objects.create(kind=tuning.KIND, cpu_seconds=120)
        with pytest.raises(BudgetSpent):
            request_tuning(budget_minutes=1)
    failed = search(north)
    assert failed.state == JobState.FAILED
    assert "CPU minutes of this month" in failed.reason


def test_a_search_needs_the_right_sense_and_no_other_search(north: House) -> None:
    with north.scope("planner"), pytest.raises(PermissionRefused):
        request_tuning(budget_minutes=5)
    with north.scope("manager"):
        for wrong in (
            {"budget_minutes": 0},
            {"budget_minutes": 5, "network": "article"},
            {"budget_minutes": 5, "network": "gru"},  # it takes no part in the trainings
        ):
            with pytest.raises(Invalid):
                request_tuning(**wrong)
        assert not Job.objects.exists()
        request_tuning(budget_minutes=5)
        with pytest.raises(TuningOpen):
            request_tuning(budget_minutes=5)
        assert Job.objects.count() == 1
    without_demand = run_job_here(
        tenant=north.tenant, kind=tuning.KIND, payload={"budget_minutes": 5, "network": "lstm"}
    )
    assert without_demand.state == JobState.FAILED
    assert "no demand yet" in without_demand.reason


def test_the_page_starts_a_search_shows_its_trials_and_uses_one(
    north: House, tried: list[Any]
) -> None:
    with north.scope():
        build_world(products=1, days=30)
    planner, manager = north.client("planner"), north.client("manager")
    path = north.path("networks/tuning")
    assert "No trial yet" in manager.get(path).content.decode()
    assert 'name="budget_minutes"' not in planner.get(path).content.decode()
    order = {"network": "mlp", "budget_minutes": "7"}
    assert planner.post(path, order).status_code == 403
    assert manager.post(path, {"network": "mlp", "budget_minutes": "0"}).status_code == 422
    assert manager.post(path, order).status_code == 302
    with north.scope():
        job = Job.objects.get()
        assert job.payload == {"network": "mlp", "budget_minutes": 7}
    assert "Waiting for a worker" in manager.get(path).content.decode()
    twice = manager.post(path, order)  # from another tab
    assert twice.status_code == 422
    assert "A search is under way already" in twice.content.decode()
    run_job(job)
    page = manager.get(path).content.decode()
    assert "Best" in page
    assert "Ended early" in page
    assert ">20.0%<" in page  # less than the usual settings
    assert "On the weeks held out trial 3 loses 20% less than the usual settings" in page
    manager.post(north.path(f"networks/tuning/{job.pk}/use/2"))
    assert "In use" in planner.get(path).content.decode()
    told = by_key(north, "viewer").get("networks/tuning").json()
    assert told["in_use"] == {"mlp": {"hidden": 48, "learning_rate": 0.002}}
    assert [one["is_best"] for one in told["trials"]] == [False, False, True]
    manager.post(north.path("networks/tuning/forget/mlp"))
    with north.scope():
        assert ForecastSettings.objects.get().tuned == {}
        job.refresh_from_db()
        job.result["trials"] = job.result["trials"][:1]
        job.save()
    page = manager.get(path).content.decode()
    assert "Nothing better was found" in page
    assert "button-primary" not in page[: page.index("Search for better settings")]


def small_search(patch: pytest.MonkeyPatch, *, die_in_trial: int | None) -> None:
    """Search three trials of a few steps; the process is killed in one of them, if wanted."""
    from forecasting.pipeline import settings as sizes, tuning as pipeline

    tune, train = pipeline.tune, pipeline.train_network
    begun: list[int] = []

    def few(panel: Any, origin: Any, search: Any, watch: Any) -> list[Any]:
        begun.extend(trial.number for trial in search.earlier)
        return tune(panel, origin, replace(search, most_trials=3), watch)

    def die_or_train(*args: Any) -> Any:
        begun.append(len(begun))
        if begun[-1] == die_in_trial:
            os.kill(os.getpid(), signal.SIGKILL)
        return train(*args)

    patch.setattr(sizes, "MAX_STEPS", 12)
    patch.setattr(sizes, "MIN_STEPS", 12)
    patch.setattr(pipeline, "tune", few)
    patch.setattr(pipeline, "train_network", die_or_train)


def test_a_search_killed_with_9_goes_on_and_loses_no_finished_trial(
    north: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_LEASE_SECONDS = 1.0
    settings.JOB_RETRY_SECONDS = 0
    with north.scope("manager"):
        build_world(products=5, days=150)
        job = request_tuning(budget_minutes=5, network="mlp")
    connections.close_all()  # a child that inherits one would end it for both
    child = os.fork()
    if not child:
        try:
            small_search(monkeypatch, die_in_trial=1)
            run_job(job)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    with north.scope():
        job = Job.objects.get(pk=job.pk)
        recorded = job.progress_detail["trials"]
    # the trial before was over a moment earlier: it is recorded all the same
    assert (job.state, [one["number"] for one in recorded]) == (JobState.RUNNING, [0])
    deadline = time.monotonic() + 20
    while job.state == JobState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.1)
        job_leases.reap(north.tenant)
        with north.scope():
            job.refresh_from_db()
    small_search(monkeypatch, die_in_trial=None)
    job = run_job(job)
    assert (job.state, job.attempt) == (JobState.DONE, 2), job.reason
    assert job.result is not None
    assert job.result["trials"][:1] == recorded
    assert [one["number"] for one in job.result["trials"]] == [0, 1, 2]
    with north.scope():
        assert Job.objects.filter(kind=tuning.KIND).count() == 1
        first, second = ComputeCost.objects.order_by("id")
        assert first.job_id == second.job_id == job.pk
