"""Training in the planner's hands: stopped, resumed, compared, and kept within a budget."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from forecasting.models import ComputeCost, ForecastSettings, NetworkState, TrainedNetwork
from forecasting.queries.comparison import compare_methods, compare_settings, who_serves
from forecasting.queries.compute import read_spending
from forecasting.services import training
from forecasting.services.compute import BudgetSpent, update_forecast_settings
from forecasting.services.training import request_training, resume_training
from tenancy.errors import Conflict, NotFound, StaleVersion
from tenancy.models import Job, JobState
from tenancy.permissions import PermissionRefused
from tenancy.services import job_leases, jobs
from tenancy.services.jobs import JobFailed, run_job, run_job_here
from tests.cast import House
from tests.forecasting.world import build_world, train

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


def curve(network: TrainedNetwork) -> list[Any]:
    return [(p["stage"], p["network"], p["epoch"], p["training_loss"]) for p in network.epochs]


def test_a_stopped_training_is_resumed_from_its_last_epoch_and_ends_the_same(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with north.scope():
        build_world()
    train(north)
    monkeypatch.setattr(jobs, "PROGRESS_SECONDS", 0.0)
    trained: list[int] = []
    on_epoch = training._Watch.on_epoch

    def stop_after_three(watch: training._Watch, report: Any) -> None:
        trained.append(report.epoch)
        if len(trained) == 3:
            with north.scope():
                Job.objects.filter(pk=watch.run.job_id).update(cancel_requested_at=timezone.now())
        on_epoch(watch, report)

    monkeypatch.setattr(training._Watch, "on_epoch", stop_after_three)
    stopped = train(north)
    assert (stopped.state, len(trained)) == (JobState.CANCELLED, 3)
    with north.scope():
        cost = ComputeCost.objects.filter(job_id=stopped.pk)
        assert cost.get().cpu_seconds > 0
        last_month = timezone.now() - timedelta(days=40)
        cost.update(cpu_seconds=5000.0, spent_at=last_month)
        resumed = resume_training(job_id=stopped.pk)
    assert run_job(resumed).state == JobState.DONE
    with north.scope():
        whole, continued = TrainedNetwork.objects.order_by("number")
    assert curve(whole) == curve(continued)
    with north.scope():
        resumed.refresh_from_db()
    assert continued.cpu_seconds > 5000  # what was spent before the stop is part of its cost
    assert resumed.progress_detail["loaded"] == 3
    assert len(trained) == len(curve(whole))  # three before the stop, the rest after it


def test_only_a_training_that_ended_badly_is_resumed(north: House) -> None:
    with north.scope():
        build_world(products=1, days=20)
        done = Job.objects.create(kind="train_network", state=JobState.DONE)
        with pytest.raises(Conflict):
            resume_training(job_id=done.pk)
        with pytest.raises(NotFound):
            resume_training(job_id=987_654)
        assert not Job.objects.exclude(pk=done.pk).exists()


def test_every_training_costs_and_a_spent_budget_refuses_the_next(north: House) -> None:
    assert train(north).state == JobState.FAILED  # no demand: it costs all the same
    with north.scope():
        assert ComputeCost.objects.get().kind == "train_network"
        ComputeCost.objects.update(cpu_seconds=300.0)
        assert read_spending().training == pytest.approx(5.0)
        update_forecast_settings(cpu_minutes_per_month=6, training_seconds=30)
        request_training()
        Job.objects.all().delete()
        update_forecast_settings(cpu_minutes_per_month=5, training_seconds=None)
        with pytest.raises(BudgetSpent, match="5 of 5 CPU minutes"):
            request_training()
        assert not Job.objects.exists()
    scheduled = train(north)
    assert (scheduled.state, "CPU minutes" in scheduled.reason) == (JobState.FAILED, True)
    with north.scope():
        ComputeCost.objects.update(spent_at=timezone.now() - timedelta(days=32))
        assert not read_spending().is_spent  # a new month


def test_a_heartbeat_writes_what_a_job_has_cost_so_far(north: House, settings: Any) -> None:
    """A worker that is killed writes nothing at its end: the beats before it must have."""
    settings.JOB_LEASE_SECONDS = 0.15
    noted: list[float] = []

    def work(run: Any) -> None:
        ended = time.monotonic() + 30
        while not (noted and noted[-1] > 0) and time.monotonic() < ended:
            sum(range(100_000))
            with run.scope():
                noted.append(ComputeCost.objects.get().cpu_seconds)
        raise JobFailed("no matter")

    with north.scope():
        job = Job.objects.create(kind="train_network", state=JobState.QUEUED)
    lease = job_leases.claim(north.tenant, job.pk)
    assert lease is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train_network", work)
        assert jobs.execute(lease).state == JobState.FAILED
    assert noted[-1] > 0
    with north.scope():
        assert ComputeCost.objects.get().cpu_seconds > noted[-1]


def test_limits_are_a_managers_and_versioned(north: House) -> None:
    with north.scope("planner"), pytest.raises(PermissionRefused):
        update_forecast_settings(cpu_minutes_per_month=1, training_seconds=None)
    with north.scope():
        update_forecast_settings(cpu_minutes_per_month=60, training_seconds=None, version=1)
        with pytest.raises(StaleVersion):
            update_forecast_settings(cpu_minutes_per_month=1, training_seconds=None, version=1)
        assert ForecastSettings.objects.get().cpu_minutes_per_month == 60


def make_network(number: int, loss: float, layers: int) -> TrainedNetwork:
    row = {
        "demand_class": "all", "method": "lstm", "series": 3, "spl": loss, "wspl": loss,
        "rmsse": 1.0, "wrmsse": 1.0, "bias": 0.0, "coverage_80": 0.8, "weight": 1.0,
    }  # fmt: skip
    return TrainedNetwork.objects.create(
        number=number, state=NetworkState.RETIRED, origin="2026-01-31", series_count=3,
        config={"seed": 0, "training": {"layers": layers}}, artefact_path="", artefact_sha256="",
        artefact_bytes=0, gate_reason="",
        epochs=[{"stage": "holdout", "network": "lstm", "epoch": 1, "training_loss": loss,
                 "validation_loss": loss, "best": True}],
        league={"rows": [row], "blends": {"all": {"methods": ["lstm"], "weights": [1.0],
                                                  "reason": "contest"}}},
    )  # fmt: skip


def test_two_networks_side_by_side(north: House) -> None:
    with north.scope():
        first, second = make_network(1, 0.5, 1), make_network(2, 0.4, 2)
        (line,) = compare_methods(first, second)
        assert (line.method, line.change) == ("lstm", pytest.approx(-0.2))
        first.config["networks"], second.config["networks"] = ["lstm", "mlp"], []
        networks, differs = compare_settings(first, second)
        assert (networks.first, networks.second) == (["lstm", "mlp"], [])
        assert (differs.name, differs.first, differs.second) == ("training.layers", 1, 2)
    client = north.client("viewer")
    text = client.get(north.path("networks/compare")).content.decode()
    assert ">Layers</th>" in text
    charts = re.findall(r'<script id="([^"]+)" type="application/json">(.*?)</script>', text)
    drawn = {name: json.loads(data)["train"] for name, data in charts}
    assert sorted(drawn.values()) == [[0.4], [0.5]]  # each network has a chart of its own name
    assert "The backtest chose it" in text
    assert client.get(north.path("networks/compare?first=987654&second=1")).status_code == 200


@pytest.mark.parametrize(
    ("losses", "behind"),
    [
        # a blend of a loss of 0.402 against 0.400 of one of its parts: half a percent behind
        ({"blend": 0.402, "mlp": 0.4, "lstm": 0.5}, "0.5% larger than the lowest one, that of MLP"),
        ({"blend": 0.4, "mlp": 0.402, "lstm": 0.5}, ""),
        ({"blend": 0.40001, "mlp": 0.4, "lstm": 0.5}, ""),  # 0.0025 %: the same
        ({"mlp": 0.402, "lstm": 0.4}, "0.5% larger than the lowest one, that of LSTM"),
        ({}, ""),
    ],
)
def test_who_serves_and_is_not_the_best_of_the_table_says_by_how_much(
    north: House, losses: dict[str, float], behind: str
) -> None:
    with north.scope():
        network = make_network(1, 0.5, 1)
        (row,) = network.league["rows"]
        weights = {"blend": 1.0, "mlp": 0.75, "lstm": 0.25}
        if "blend" not in losses:
            weights = {"mlp": 1.0, "lstm": 0.0}
        network.league["rows"] = [
            row | {"method": name, "wspl": loss, "weight": weights[name]}
            for name, loss in losses.items()
        ]
        network.save()
    text = north.client("viewer").get(north.path(f"networks/{network.pk}/")).content.decode()
    assert ("larger than the lowest one" in text) == bool(behind)
    assert behind in text
    assert text.count("can lie a little behind") == bool(behind)


def test_the_page_says_who_makes_the_mean_where_others_make_the_range(north: House) -> None:
    with north.scope():
        network = make_network(1, 0.5, 1)
        blend = network.league["blends"]["all"]
        same = blend | {"mean_methods": ["lstm"], "mean_weights": [1.0]}
        other = blend | {"mean_methods": ["lstm", "tsb"], "mean_weights": [0.8, 0.2]}
        network.league["blends"] = {"all": same, "lumpy": other}
        network.save()
        assert [line.mean_shares for line in who_serves(network)] == [
            [], [("lstm", 0.8), ("tsb", 0.2)],
        ]  # fmt: skip
    text = north.client("viewer").get(north.path(f"networks/{network.pk}/")).content.decode()
    assert text.count("What is expected in the mean:") == 1
    assert "TSB for slow movers 20%" in text


def test_the_page_stops_resumes_and_shows_the_time_left(north: House) -> None:
    client = north.client("manager")
    client.post(north.path("networks/train"))
    with north.scope():
        Job.objects.update(
            state=JobState.RUNNING, progress_done=12, progress_total=48,
            started_at=timezone.now() - timedelta(seconds=60),
        )  # fmt: skip
    assert "about 3 min" in client.get(north.path("networks/progress")).content.decode()
    client.post(north.path("networks/cancel"))
    assert "Stopping after this epoch" in client.get(north.path("networks/")).content.decode()
    with north.scope():
        job = Job.objects.get()
        Job.objects.update(state=JobState.CANCELLED)
    assert "Resume the training" in client.get(north.path("networks/")).content.decode()
    client.post(north.path(f"networks/resume/{job.pk}"))
    with north.scope():
        assert Job.objects.get(state=JobState.QUEUED).payload["resumes"] == job.pk


def test_the_page_changes_the_limits_and_refuses_nonsense(north: House) -> None:
    client = north.client("manager")
    sent = {"cpu_minutes_per_month": "90", "training_seconds": "", "version": "1"}
    assert client.post(north.path("networks/limits"), sent).status_code == 302
    assert "of 90 CPU minutes" in client.get(north.path("networks/")).content.decode()
    wrong = sent | {"training_seconds": "1", "version": "2"}
    assert client.post(north.path("networks/limits"), wrong).status_code == 422
    assert (
        "Save limits" not in north.client("planner").get(north.path("networks/")).content.decode()
    )


def test_a_gpu_that_is_asked_for_and_missing_fails_the_job_in_plain_words(
    north: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forecasting.pipeline import compute as devices

    monkeypatch.setattr(devices, "_has_cuda", lambda: False)
    settings.FORECAST_DEVICE = "cuda"
    with north.scope():
        build_world(products=1, days=30)
    job = run_job_here(tenant=north.tenant, kind="make_forecasts", payload={})
    assert job.state == JobState.FAILED
    assert job.reason.startswith("FORECAST_DEVICE is cuda, but this worker finds no GPU.")
    settings.FORECAST_DEVICE = "auto"
    again = run_job_here(tenant=north.tenant, kind="make_forecasts", payload={})
    assert again.state == JobState.DONE
