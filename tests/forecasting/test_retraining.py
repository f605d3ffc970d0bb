"""Retraining only when it pays: each reason by its boundary, and only the clock asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from forecasting.decisions.retraining import Evidence, Why, is_worse, training_pays
from forecasting.models import (
    AccuracySum,
    ForecastRun,
    RiskKind,
    RiskWarning,
    TrainedNetwork,
)
from forecasting.queries.compute import forecast_settings
from forecasting.queries.retraining import retraining_evidence
from forecasting.services import retraining
from forecasting.services.retraining import IF_IT_PAYS, retraining_words
from forecasting.services.training import request_training, resume_training
from forecasting.services.training_choices import TrainingChoices, change_training_choices
from inventory.models import DailyDemand
from tenancy.models import AuditEvent, Job, JobState
from tenancy.services.job_outcomes import outcome_of
from tenancy.services.jobs import run_job, run_job_here
from tenancy.services.schedules import known_schedules
from tests.cast import House
from tests.forecasting.world import build_world

QUIET = Evidence(
    choices_changed=False, new_days=7, known_days=400, series=1000, known_series=1000, drifting=0
)


def test_without_any_network_a_training_pays() -> None:
    assert training_pays(None) is Why.NO_NETWORK


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, Why.STILL_GOOD),
        ({"new_days": 6}, Why.NOTHING_NEW),
        ({"new_days": 6, "drifting": 900}, Why.NOTHING_NEW),
        ({"new_days": 1, "choices_changed": True}, Why.CHOICES),
        ({"new_days": 27}, Why.STILL_GOOD),
        ({"new_days": 28}, Why.OLD),
        # a week is 15 % of 46 days and less of 47
        ({"known_days": 46}, Why.MORE_HISTORY),
        ({"known_days": 47}, Why.STILL_GOOD),
        ({"series": 1049}, Why.STILL_GOOD),
        ({"series": 1050}, Why.NEW_SERIES),
        ({"series": 900}, Why.STILL_GOOD),
        ({"drifting": 19}, Why.STILL_GOOD),
        ({"drifting": 20}, Why.DRIFT),
        # of few series three have to drift
        ({"series": 20, "known_series": 20, "drifting": 2}, Why.STILL_GOOD),
        ({"series": 20, "known_series": 20, "drifting": 3}, Why.DRIFT),
        # the later half has 12 % more of the naive forecast's error than the earlier half
        ({"errors": (0.5,) * 4 + (0.56,) * 4}, Why.WORSE),
        ({"errors": (0.5,) * 4 + (0.54,) * 4}, Why.STILL_GOOD),
    ],
)
def test_a_training_pays_for_each_reason_from_its_boundary_on(
    changed: dict[str, Any], why: Why
) -> None:
    assert training_pays(replace(QUIET, **changed)) is why


def test_few_runs_say_nothing_and_the_middle_one_of_an_odd_number_is_left_out() -> None:
    assert not is_worse((0.5,) * 3 + (5.0,) * 4)
    assert is_worse((0.5,) * 4 + (9.0,) + (0.6,) * 4)
    assert not is_worse((0.5,) * 4 + (9.0,) + (0.5,) * 4)


@pytest.mark.parametrize("why", Why)
def test_every_reason_has_words(why: Why) -> None:
    words = retraining_words(why, {"new_days": 7, "known_days": 46, "series": 2, "known_series": 1,
                                   "drifting": 3})  # fmt: skip
    assert words
    assert "%" not in words
    assert not words.startswith("Reason")


def test_only_the_clock_asks_whether_it_pays() -> None:
    (weekly,) = [one for one in known_schedules() if one.kind == "train_network"]
    assert weekly.payload == IF_IT_PAYS


@pytest.fixture
def trained(north: House, settings: Any, tmp_path: Any) -> House:
    settings.MEDIA_ROOT = tmp_path
    with north.scope():
        build_world()
    job = run_job_here(tenant=north.tenant, kind="train_network", payload={"budget_seconds": 1})
    assert job.state == JobState.DONE, job.reason
    return north


def by_the_clock(house: House) -> Job:
    payload = IF_IT_PAYS | {"budget_seconds": 1}
    job = run_job_here(tenant=house.tenant, kind="train_network", payload=payload)
    assert job.state == JobState.DONE, job.reason
    return job


def networks(house: House) -> int:
    with house.scope():
        return TrainedNetwork.objects.count()


def _let_the_network_be_older(house: House, days: int) -> None:
    with house.scope():
        network = TrainedNetwork.objects.get()
        network.origin -= timedelta(days=days)
        network.trained_at -= timedelta(days=days)
        network.save()


@pytest.mark.django_db(transaction=True)
def test_the_clock_trains_the_first_network_and_leaves_a_fresh_one_alone(
    north: House, settings: Any, tmp_path: Any, client: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    with north.scope():
        build_world()
    first = by_the_clock(north)
    assert first.result["number"] == 1
    second = by_the_clock(north)
    assert networks(north) == 1
    assert second.result["why"] == "nothing_new"
    assert "(0 of 7 days)" in outcome_of(second).sentences[0]
    with north.scope():
        events = AuditEvent.objects.filter(action="training.considered").order_by("id")
        assert [one.data["why"] for one in events] == ["no_network", "nothing_new"]
    client.force_login(north.members["planner"])
    page = client.get(
        reverse("forecasting:network_list", args=[north.tenant.slug])
    ).content.decode()
    assert "No new training was needed" in page


@pytest.mark.django_db(transaction=True)
def test_whoever_asks_for_a_training_gets_one(trained: House) -> None:
    with trained.scope("planner"):
        assert run_job(request_training(budget_seconds=1)).state == JobState.DONE
    assert networks(trained) == 2
    with trained.scope("planner"):
        ended = Job.objects.create(
            kind="train_network",
            state=JobState.CANCELLED,
            payload=IF_IT_PAYS | {"budget_seconds": 1},
        )
        resumed = resume_training(job_id=ended.pk)
        assert "if_it_pays" not in resumed.payload
        run_job(resumed)
    assert networks(trained) == 3


@pytest.mark.django_db
@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
def test_whoever_finds_the_clocks_training_waiting_gets_it_unasked(
    north: House, state: JobState
) -> None:
    with north.scope("planner"):
        found = Job.objects.create(
            kind="train_network", state=state, payload=IF_IT_PAYS | {"budget_seconds": 1}
        )
        assert request_training().pk == found.pk
        found.refresh_from_db()
        assert Job.objects.count() == 1
    # one that runs has asked already
    asks = {} if state == JobState.QUEUED else IF_IT_PAYS
    assert found.payload == asks | {"budget_seconds": 1}


@pytest.mark.django_db(transaction=True)
def test_a_training_that_had_begun_is_not_asked_again_after_its_worker_was_killed(
    trained: House,
) -> None:
    job = by_the_clock(trained)
    run = SimpleNamespace(payload=dict(IF_IT_PAYS), attempt=1, job_id=job.pk)
    with trained.scope():
        kept = retraining.decide_training(run, forecast_settings())
        assert kept
        assert kept["why"] == "nothing_new"
        run.attempt = 2
        assert retraining.decide_training(run, forecast_settings()) is None


@pytest.mark.django_db(transaction=True)
def test_what_managers_chose_anew_is_trained_at_once(trained: House) -> None:
    with trained.scope("manager"):
        change_training_choices(
            choices=TrainingChoices(
                networks=("linear",),
                missing_days="drop",
                outlier_threshold=8.0,
                scaling="level",
                seed=0,
            )
        )
    by_the_clock(trained)
    assert networks(trained) == 2
    by_the_clock(trained)
    assert networks(trained) == 2


@pytest.mark.django_db(transaction=True)
def test_control_without_the_question_the_clock_trains_every_week(
    trained: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retraining, "training_pays", lambda _evidence: Why.OLD)
    by_the_clock(trained)
    assert networks(trained) == 2


@pytest.mark.django_db(transaction=True)
def test_the_evidence_is_counted_since_the_last_training(trained: House) -> None:
    _let_the_network_be_older(trained, 10)
    with trained.scope():
        network = TrainedNetwork.objects.get()
        pairs = DailyDemand.objects.order_by("product_id").values_list(
            "product_id", "warehouse_id"
        )  # fmt: skip
        (product, warehouse), (other, _warehouse) = pairs.distinct()[:2]
        origin = network.origin + timedelta(days=10)
        runs = []
        for back, age in ((9, 20), (9, 1), (8, 1), (2, 1)):
            run = ForecastRun.objects.create(
                origin=origin - timedelta(days=back), horizon_days=28, quantiles=[0.5],
                series_count=44,
            )  # fmt: skip
            ForecastRun.objects.filter(pk=run.pk).update(
                created_at=timezone.now() - timedelta(days=age)
            )
            runs.append(run)
            for week, error in ((1, 6.0), (2, 90.0)):
                AccuracySum.objects.create(
                    run=run, product_id=product, warehouse_id=warehouse, week=week, days=7,
                    method="lstm", actual=9, predicted=9, error=error, naive_error=12, pinball=1,
                    inside_80=5,
                )  # fmt: skip
        for one, age in ((product, 20), (other, 1)):
            warning = RiskWarning.objects.create(
                run=runs[-1], kind=RiskKind.FORECAST_DRIFT, product_id=one,
                warehouse_id=warehouse, evidence={},
            )  # fmt: skip
            RiskWarning.objects.filter(pk=warning.pk).update(
                first_seen_at=timezone.now() - timedelta(days=age)
            )
        found = retraining_evidence({})
        assert found == Evidence(
            choices_changed=False,
            new_days=10,
            known_days=network.cleaning["days"],
            series=44,
            known_series=network.series_count,
            drifting=1,  # the other one drifted before the training
            errors=(
                0.5,
                0.5,
            ),  # made since, and their first week has passed; second weeks do not count
        )
