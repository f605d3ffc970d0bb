"""Pages of jobs: the list, progress that keeps itself up to date, results in words, cancelling."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tenancy.models import Job, JobQueue, JobState, User
from tenancy.queries.jobs import loss_curve
from tenancy.services.job_outcomes import Outcome, outcome_of
from tests.cast import House

RUNNING = {"state": JobState.RUNNING, "attempt": 1}
EPOCHS = [
    {"stage": "holdout", "network": "mlp", "epoch": 1, "training_loss": 0.9,
     "validation_loss": 0.8, "best": True},
    {"stage": "holdout", "network": "lstm", "epoch": 1, "training_loss": 0.5,
     "validation_loss": 0.4, "best": True},
    {"stage": "holdout", "network": "lstm", "epoch": 2, "training_loss": 0.4,
     "validation_loss": 0.5, "best": False},
]  # fmt: skip


def make_job(house: House, **values: Any) -> Job:
    defaults = {"kind": "train_network", "queue": JobQueue.TRAINING}
    if values.get("state") == JobState.RUNNING:
        values["lease_expires_at"] = timezone.now() + dt.timedelta(hours=1)
    with house.scope():
        return Job.objects.create(**(defaults | values))


def get(house: House, job: Job, rest: str = "", role: str = "viewer") -> Any:
    return house.client(role).get(house.path(f"jobs/{job.pk}/{rest}"))


# -- list -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("", True),
        ("state=open", True),
        ("state=running", True),
        ("state=done", False),
        ("kind=train_network", True),
        ("kind=make_forecasts", False),
    ],
)
def test_the_list_is_filtered_by_state_and_kind(north: House, query: str, is_shown: bool) -> None:
    job = make_job(north, **RUNNING)
    html = north.client("viewer").get(north.path(f"jobs/?{query}")).content.decode()
    assert (f"/jobs/{job.pk}/" in html) is is_shown


def test_the_list_polls_only_while_a_job_is_open(north: House) -> None:
    job = make_job(north, **RUNNING)
    client = north.client("viewer")
    assert "hx-trigger" in client.get(north.path("jobs/")).content.decode()
    with north.scope():
        Job.objects.filter(pk=job.pk).update(state=JobState.DONE, lease_expires_at=None)
    fragment = client.get(north.path("jobs/"), headers={"HX-Request": "true"}).content.decode()
    assert "hx-trigger" not in fragment
    assert "<html" not in fragment


# session, user, tenant, savepoint, scope, membership, jobs, scope left, release
LIST_QUERIES = 9


def test_the_list_asks_the_same_number_of_questions_however_many_jobs(
    north: House, django_assert_num_queries
) -> None:
    make_job(north)
    client = north.client("viewer")
    with django_assert_num_queries(LIST_QUERIES):
        client.get(north.path("jobs/"))
    for _ in range(5):
        make_job(north)
    with django_assert_num_queries(LIST_QUERIES):
        client.get(north.path("jobs/"))


# -- one job --------------------------------------------------------------------------------------
def test_a_running_job_shows_how_far_it_is_and_polls(north: House) -> None:
    job = make_job(
        north, **RUNNING, progress_done=3, progress_total=9, progress_message="Epoch 3 of 9"
    )
    html = get(north, job).content.decode()
    assert "Epoch 3 of 9" in html
    assert f"/jobs/{job.pk}/progress/" in html
    assert "HX-Refresh" not in get(north, job, "progress/").headers


def test_the_poll_that_finds_the_job_ended_asks_for_the_whole_page(north: House) -> None:
    job = make_job(north, state=JobState.DONE)
    answer = get(north, job, "progress/")
    assert answer["HX-Refresh"] == "true"
    assert "hx-trigger" not in answer.content.decode()


def test_the_loss_curve_is_of_the_network_that_trains_now(north: House) -> None:
    job = make_job(north, **RUNNING, progress_detail={"epochs": EPOCHS})
    assert loss_curve(job) == {
        "epochs": [1, 2],
        "train": [0.5, 0.4],
        "validation": [0.4, 0.5],
        "best_epoch": 1,
    }
    assert 'data-chart="loss"' in get(north, job).content.decode()


def test_a_job_that_trains_nothing_has_no_curve(north: House) -> None:
    job = make_job(north, kind="make_forecasts", progress_detail={"rows": 7})
    assert loss_curve(job) is None
    assert 'data-chart="loss"' not in get(north, job).content.decode()


@pytest.mark.parametrize(
    ("kind", "result", "words"),
    [
        (
            "run_planning",
            {"series": 12, "suggestions_new": 3, "suggestions_kept": 1,
             "suggestions_superseded": 0, "blocked": {"no_supplier": 2}, "warnings_new": 4,
             "warnings_standing": 5, "warnings_resolved": 6},
            ["12 series were forecast.", "3 new, 1 kept", "2 products could not be decided on.",
             "4 new, 5 still standing, 6 resolved"],
        ),
        (
            "train_network",
            {"network": 7, "number": 2, "state": "rejected", "gate_reason": "Not better."},
            ["Network 2 did not pass the gate.", "Not better."],
        ),
        (
            "train_network",
            {"network": 7, "number": 2, "state": "published", "gate_reason": ""},
            ["Network 2 was published"],
        ),
        (
            "import_sales",
            {"file_name": "sales.csv", "rows_read": 1200, "imported": {"rows": 1100},
             "left_out": {"bad": {"rows": 100}}, "bad_rows": 100},
            ["sales.csv: 1,200 rows read, 1,100 imported, 100 left out.", "100 rows were wrong."],
        ),
        (
            "import_suppliers",
            {"file_name": "s.csv", "rows_read": 1, "left_out": {"bad": {"rows": 1}}, "bad_rows": 1},
            ["s.csv: 1 row read, 0 imported, 1 left out.", "1 row was wrong."],
        ),
        (
            "import_signals",
            {"signals_created": 1, "values_set": 1, "bad_rows": 1, "problems": ["Row 2: wet"]},
            ["1 new signal, 1 value of a day.", "1 row was left out.", "Row 2: wet"],
        ),
        (
            "import_signals",
            {"signals_created": 2, "values_set": 1200, "bad_rows": 3, "problems": ["Row 2: wet"]},
            ["2 new signals, 1,200 values of days.", "3 rows were left out.", "Row 2: wet",
             "2 more rows are wrong."],
        ),
        ("unknown.kind", {"rows_done": 5, "nested": {}}, ["Rows done: 5"]),
        ("make_forecasts", None, ["It is done."]),
    ],
)  # fmt: skip
def test_a_result_is_told_in_words(north: House, kind: str, result: Any, words: list[str]) -> None:
    job = make_job(north, kind=kind, state=JobState.DONE, result=result)
    html = get(north, job).content.decode()
    assert [word for word in words if word not in html] == []


def test_the_outcome_of_a_job_without_a_result_is_empty(north: House) -> None:
    assert outcome_of(make_job(north, kind="run_planning")) == Outcome()


def test_a_failure_says_why(north: House) -> None:
    job = make_job(north, state=JobState.FAILED, reason="Row 12: no number.")
    assert "Row 12: no number." in get(north, job).content.decode()


# -- cancelling -----------------------------------------------------------------------------------
def test_a_planner_cancels_a_running_job(north: House) -> None:
    job = make_job(north, **RUNNING)
    assert "Cancel job" in get(north, job, role="planner").content.decode()
    answer = north.client("planner").post(north.path(f"jobs/{job.pk}/cancel/"))
    assert answer.status_code == 302
    with north.scope():
        assert Job.objects.get(pk=job.pk).cancel_requested_at is not None
    html = get(north, job, role="planner").content.decode()
    assert "Cancelling" in html
    assert "Cancel job" not in html


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_whoever_may_not_plan_cancels_nothing(north: House, role: str) -> None:
    job = make_job(north, **RUNNING)
    assert "Cancel job" not in get(north, job, role=role).content.decode()
    answer = north.client(role).post(north.path(f"jobs/{job.pk}/cancel/"))
    assert answer.status_code == 403
    with north.scope():
        assert Job.objects.get(pk=job.pk).cancel_requested_at is None


def test_a_stranger_and_another_tenant_find_nothing(
    north: House, south: House, stranger: User
) -> None:
    job = make_job(north)
    visitor = Client()
    visitor.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    assert visitor.get(north.path(f"jobs/{job.pk}/")).status_code == 404
    for rest in ("", "progress/"):
        assert south.client("owner").get(south.path(f"jobs/{job.pk}/{rest}")).status_code == 404
    assert south.client("owner").post(south.path(f"jobs/{job.pk}/cancel/")).status_code == 404
