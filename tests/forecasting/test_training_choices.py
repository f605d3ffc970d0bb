"""What a tenant chooses about its trainings: networks, cleaning, seed; and how long they may take."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from forecasting.models import ComputeCost, ForecastSettings, MissingDays, Scaling, TrainedNetwork
from forecasting.models.compute import NETWORK_NAMES
from forecasting.queries.compute import forecast_settings
from forecasting.services import tuning
from forecasting.services.compute import BudgetSpent, update_forecast_settings
from forecasting.services.training import request_training, resume_training
from forecasting.services.training_choices import TrainingChoices, change_training_choices
from forecasting.services.tuning import NotTrained, request_tuning, use_settings
from tenancy.errors import Invalid, StaleVersion
from tenancy.models import AuditEvent, Job, JobState
from tenancy.permissions import PermissionRefused
from tenancy.services.jobs import run_job, run_job_here
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.world import build_world

pytestmark = pytest.mark.django_db(transaction=True)
USUAL = TrainingChoices(
    networks=("lstm", "mlp"), missing_days="drop", outlier_threshold=8.0, scaling="level", seed=0
)
OTHER = TrainingChoices(
    networks=("linear", "gru"),
    missing_days="model",
    outlier_threshold=None,
    scaling="min_max",
    seed=7,
)


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.JOB_RETRY_SECONDS = 0


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Stop every training before its first epoch; returns the configs they began with."""
    from forecasting.pipeline import engine
    from forecasting.pipeline.training import TrainingStopped

    configs: list[Any] = []

    def fit(panel: Any, origin: Any, config: Any, *_callbacks: Any) -> None:
        configs.append(config)
        raise TrainingStopped

    monkeypatch.setattr(engine, "fit", fit)
    return configs


def choose(house: House, choices: TrainingChoices) -> None:
    with house.scope("manager"):
        change_training_choices(choices=choices)


def limit(house: House, *, minutes: int | None = None, seconds: int | None = None) -> None:
    with house.scope("manager"):
        update_forecast_settings(cpu_minutes_per_month=minutes, training_seconds=seconds)


def spend(house: House, seconds: float, job: Job | None = None) -> None:
    with house.scope():
        ComputeCost.objects.create(kind="train_network", cpu_seconds=seconds, job=job)


def scheduled(house: House) -> Job:
    return run_job_here(tenant=house.tenant, kind="train_network", payload={})


def test_the_names_are_those_of_the_pipeline() -> None:
    from forecasting.pipeline.cleaning import MissingDays as Known
    from forecasting.pipeline.networks import ENCODERS
    from forecasting.pipeline.scaling import ScaleKind

    assert set(NETWORK_NAMES) == set(ENCODERS)
    assert MissingDays.values == [one.value for one in Known]
    assert Scaling.values == [one.value for one in ScaleKind]


def test_a_training_is_made_of_what_was_chosen(north: House) -> None:
    with north.scope():
        build_world()
    choose(north, OTHER)
    job = run_job_here(tenant=north.tenant, kind="train_network", payload={"budget_seconds": 1})
    assert job.state == JobState.DONE, job.reason
    with north.scope():
        network = TrainedNetwork.objects.get()
    assert network.config["networks"] == ["gru", "linear"]
    assert network.config["cleaning"] == {"missing": "model", "outliers": None}
    assert network.config["scaling"] == "min_max"
    assert network.config["seed"] == 7
    judged = {row["method"] for row in network.league["rows"]}
    assert {"gru", "linear"} <= judged
    assert not {"lstm", "mlp"} & judged


@pytest.mark.parametrize(
    ("asked", "seconds", "minutes", "granted"),
    [
        (None, None, None, None),
        (40, None, None, 40),
        (40, 30, None, 30),
        (20, 30, 9, 20),
        (None, 30, 9, 30),
        (900, 600, 9, 60),  # eight of nine minutes are spent
        (None, None, 9, 60),
    ],
)
def test_every_training_takes_the_least_of_wish_limit_and_rest_of_the_month(
    north: House, fitted: list[Any], asked: Any, seconds: Any, minutes: Any, granted: Any
) -> None:
    with north.scope():
        build_world(products=1, days=20)
        Job.objects.create(kind="train_network", state=JobState.DONE)
    spend(north, 480)
    limit(north, minutes=minutes, seconds=seconds)
    with north.scope("planner"):
        run_job(request_training(budget_seconds=asked))
    order = () if asked is None else ("--budget", str(asked))
    call_command("train", "--tenant", "north", *order, stdout=StringIO())
    if asked is None:
        scheduled(north)
    with north.scope("planner"):
        ended = Job.objects.create(
            kind="train_network", state=JobState.CANCELLED, payload={"budget_seconds": asked}
        )
        run_job(resume_training(job_id=ended.pk))
    rough = None if granted is None else pytest.approx(granted, abs=2)
    assert [one.budget_seconds for one in fitted] == [rough] * (3 + (asked is None))


def test_a_month_with_next_to_nothing_left_refuses_every_training(
    north: House, fitted: list[Any]
) -> None:
    with north.scope():
        build_world(products=1, days=20)
        ended = Job.objects.create(kind="train_network", state=JobState.CANCELLED)
    spend(north, 537)
    limit(north, minutes=9)
    with north.scope("planner"):
        with pytest.raises(BudgetSpent, match="9 of 9 CPU minutes"):
            request_training(budget_seconds=1)
        with pytest.raises(BudgetSpent):
            resume_training(job_id=ended.pk)
        assert list(Job.objects.all()) == [ended]
    assert scheduled(north).state == JobState.FAILED
    with pytest.raises(CommandError, match="9 of 9 CPU minutes"):
        call_command("train", "--tenant", "north", "--budget", "1", stdout=StringIO())
    assert fitted == []


def test_what_a_training_has_spent_is_part_of_its_own_seconds(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its second attempt had fewer steps than the first, and its checkpoints were lost."""
    from forecasting.pipeline import engine
    from forecasting.pipeline.training import TrainingStopped

    with north.scope():
        build_world(products=1, days=20)
    limit(north, minutes=1)
    budgets: list[float] = []

    def fit(panel: Any, origin: Any, config: Any, *_callbacks: Any) -> None:
        budgets.append(config.budget_seconds)
        with north.scope():
            ComputeCost.objects.update(cpu_seconds=58.0)  # of 60
        if len(budgets) == 1:
            raise OSError
        raise TrainingStopped

    monkeypatch.setattr(engine, "fit", fit)
    with north.scope("planner"):
        job = run_job(request_training())
    assert job.state == JobState.QUEUED
    run_job(job)
    assert budgets == [60, 60]
    with north.scope():
        ComputeCost.objects.order_by("-id")[0].delete()
        ComputeCost.objects.update(cpu_seconds=50.0)
        Job.objects.update(state=JobState.CANCELLED)
        again = resume_training(job_id=job.pk)
    run_job(again)
    assert budgets == [60, 60, 60]
    limit(north, seconds=20)  # lowered since: the rest is no longer worth it
    with north.scope("planner"):
        Job.objects.filter(pk=again.pk).update(state=JobState.CANCELLED)
        third = resume_training(job_id=again.pk)
        assert third.payload["goes_on"] == [job.pk, again.pk]
    run_job(third)
    assert budgets[-1] == 20


def test_the_command_trains_others_once_and_refuses_what_is_unknown(
    north: House, fitted: list[Any]
) -> None:
    with north.scope():
        build_world(products=1, days=20)
    order = ("train", "--tenant", "north", "--networks")
    for wrong in ("bert", "lstm,gru,rnn,cnn,mlp", ","):
        with pytest.raises(CommandError, match="--networks"):
            call_command(*order, wrong)
    for wrong in ("--seed=-1", "--budget=0", "--budget=nan"):
        with pytest.raises(CommandError, match=wrong.split("=")[0]):
            call_command("train", "--tenant", "north", wrong)
    with north.scope():
        assert not Job.objects.exists()
    call_command(*order, "article, mlp", "--seed", "3", stdout=StringIO())
    scheduled(north)
    assert [(one.networks, one.seed) for one in fitted] == [
        (("mlp", "article"), 3), (("lstm", "mlp"), 0),
    ]  # fmt: skip


def test_simple_methods_without_a_network_read_demand_cleaned_as_chosen(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forecasting.pipeline import engine

    fit, configs = engine.fit, []

    def watched(panel: Any, origin: Any, config: Any) -> Any:
        configs.append(config)
        return fit(panel, origin, config)

    monkeypatch.setattr(engine, "fit", watched)
    with north.scope():
        build_world(products=1, days=40)
    choose(north, OTHER)
    job = run_job_here(tenant=north.tenant, kind="run_planning", payload={})
    assert job.state == JobState.DONE, job.reason
    assert configs
    for config in configs:  # for the forecasts, and for the days that warnings look back on
        assert (config.networks, config.cleaning.missing, config.cleaning.outliers) == (
            (), "model", None,
        )  # fmt: skip


def test_choices_are_a_managers_versioned_and_on_record(north: House) -> None:
    with north.scope("planner"), pytest.raises(PermissionRefused):
        change_training_choices(choices=OTHER)
    with north.scope("manager"):
        assert not ForecastSettings.objects.exists()
        found = change_training_choices(choices=OTHER, version=1)
        assert found.networks == ["gru", "linear"]
        with pytest.raises(StaleVersion):
            change_training_choices(choices=USUAL, version=1)
        assert ForecastSettings.objects.get().seed == 7
        told = AuditEvent.objects.get(action="training_choices.changed").data
        assert told["before"]["networks"] == ["lstm", "mlp"]
        assert told["after"] == {
            "networks": ["gru", "linear"], "missing_days": "model", "outlier_threshold": None, "scaling": "min_max",
            "seed": 7,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("networks", ()),
        ("networks", ("lstm", "bert")),
        ("networks", ("lstm", "gru", "rnn", "cnn", "mlp")),
        ("missing_days", "guess"),
        ("scaling", "guess"),
        ("outlier_threshold", 1.9),
        ("outlier_threshold", 50.1),
        ("outlier_threshold", float("nan")),
        ("seed", -1),
        ("seed", 1_000_001),
    ],
)
def test_what_cannot_be_chosen_is_refused_at_its_field_and_by_the_database(
    north: House, field: str, value: Any
) -> None:
    wrong = TrainingChoices(**{**vars(USUAL), field: value})
    with north.scope("manager"):
        change_training_choices(choices=USUAL)
        with pytest.raises(Invalid) as refused:
            change_training_choices(choices=wrong)
        assert [problem.field for problem in refused.value.problems] == [field]
        for name, kept in vars(USUAL).items():
            assert getattr(ForecastSettings.objects.get(), name) == (
                list(kept) if name == "networks" else kept
            )
        stored = list(value) if field == "networks" else value
        with pytest.raises(IntegrityError), transaction.atomic():
            ForecastSettings.objects.update(**{field: stored})


def test_the_page_takes_choices_from_managers_and_shows_errors_at_the_field(north: House) -> None:
    manager, planner = north.client("manager"), north.client("planner")
    page, change = north.path("networks/"), north.path("networks/choices")
    sent = {
        "networks": ["cnn", "article"], "missing_days": "nearest", "outlier_threshold": "", "scaling": "mean",
        "seed": "12", "version": "1",
    }  # fmt: skip
    assert planner.post(change, sent).status_code == 403
    for field, value, words in (
        ("networks", [], "Choose at least one network."),
        ("networks", ["bert"], "bert"),
        ("networks", list(NETWORK_NAMES), "At most 4 networks"),
        ("outlier_threshold", "60", "less than or equal to 50"),
        ("seed", "", "This field is required."),
    ):
        answer = manager.post(change, sent | {field: value})
        assert answer.status_code == 422
        text = answer.content.decode()
        error = text[text.index(f'id="choices_{field}_error"') :]
        assert words in error[: error.index("</ul>")]
    with north.scope():
        assert not ForecastSettings.objects.exists()
    assert manager.post(change, sent).status_code == 302
    read = planner.get(page).content.decode()
    assert "CNN network, The article&#x27;s LSTM" in read
    assert "Fill with the nearest day that was seen" in read
    assert "Save choices" not in read
    form = manager.get(page).context["choices_form"]
    assert form.initial["networks"] == ["cnn", "article"]
    assert (form.initial["outlier_threshold"], form.initial["version"]) == ("", 2)


def test_the_api_reads_and_replaces_choices_by_version(north: House) -> None:
    manager, planner = by_key(north, "manager"), by_key(north, "planner")
    shown = planner.get("networks/choices").json()
    assert shown == {
        "networks": ["lstm", "mlp"], "missing_days": "drop", "outlier_threshold": 8.0, "scaling": "level", "seed": 0,
        "version": 1,
    }  # fmt: skip
    new = {
        "networks": ["rnn"],
        "missing_days": "mean",
        "outlier_threshold": 12.5,
        "scaling": "log1p",
        "seed": 1,
    }
    path = "networks/choices"
    assert planner.send("PUT", path, new, If_Match='"1"').status_code == 403
    assert manager.send("PUT", path, new).status_code == 428
    for wrong in ({"networks": []}, {"networks": ["bert"]}, {"outlier_threshold": "nan"}):
        assert manager.send("PUT", path, new | wrong, If_Match='"1"').status_code == 400
    with north.scope():
        assert not ForecastSettings.objects.exists()
    assert manager.send("PUT", path, new, If_Match='"1"').json() == new | {"version": 2}
    assert manager.send("PUT", path, new, If_Match='"1"').status_code == 412


def test_only_what_takes_part_is_tuned(north: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from forecasting.pipeline import tuning as pipeline

    searches: list[Any] = []
    best = {"number": 0, "settings": {"hidden": 32}, "state": "complete", "losses": [0.5],
            "cpu_seconds": 1.0}  # fmt: skip

    def tune(panel: Any, origin: Any, search: Any, watch: Any) -> list[Any]:
        searches.append(search)
        return [pipeline.Trial.from_json(best)]

    monkeypatch.setattr(pipeline, "tune", tune)
    with north.scope():
        build_world(products=1, days=30)
    with north.scope("manager"), pytest.raises(Invalid, match="GRU network takes no part"):
        request_tuning(budget_minutes=5, network="gru")
    choose(north, OTHER)
    page = north.client("manager").get(north.path("networks/tuning")).content.decode()
    assert "GRU network" in page
    assert "LSTM network" not in page
    with north.scope("manager"):
        job = request_tuning(budget_minutes=5)
        assert job.payload["network"] == "gru"
    run_job(job)
    config = searches[0].config
    assert (config.cleaning.missing, config.cleaning.outliers, config.seed) == ("model", None, 7)
    with north.scope("manager"):
        use_settings(job_id=job.pk, number=0)
    choose(north, TrainingChoices(**vars(OTHER) | {"networks": ("linear",)}))
    with north.scope("manager"):
        with pytest.raises(NotTrained):
            use_settings(job_id=job.pk, number=0)
        assert forecast_settings().tuned["gru"]["settings"] == {"hidden": 32}  # for its return
    late = run_job_here(
        tenant=north.tenant, kind=tuning.KIND, payload={"budget_minutes": 5, "network": "gru"}
    )
    assert (late.state, "takes no part" in late.reason) == (JobState.FAILED, True)
    assert len(searches) == 1
    assert by_key(north, "viewer").get("networks/tuning").json()["in_use"] == {}
    page = north.client("manager").get(north.path("networks/tuning")).content.decode()
    assert "None of your networks can be tuned" in page
    assert 'name="budget_minutes"' not in page
