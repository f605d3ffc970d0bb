"""Training as a job: a network is published once, rejected with a reason, kept, rolled back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from forecasting.models import NetworkState, TrainedNetwork
from forecasting.services import artefacts, networks
from forecasting.services.networks import roll_back_network
from forecasting.services.training import request_training
from tenancy.errors import Conflict, NotFound
from tenancy.models import Job, JobState
from tenancy.permissions import PermissionRefused
from tenancy.services.jobs import run_job
from tests.cast import House
from tests.forecasting.world import build_world, train

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


def test_a_training_without_demand_fails_in_words_and_changes_nothing(north: House) -> None:
    job = train(north)
    assert job.state == JobState.FAILED
    assert "no demand yet" in job.reason
    with north.scope():
        assert not TrainedNetwork.objects.exists()


def test_too_little_history_fails_in_words(north: House) -> None:
    with north.scope():
        build_world(products=3, days=40)
    job = train(north)
    assert job.state == JobState.FAILED
    assert "too little history" in job.reason


def test_a_training_leaves_one_network_its_artefact_and_its_loss_curve(north: House) -> None:
    with north.scope():
        build_world()
    job = train(north)
    assert job.state == JobState.DONE, job.reason
    with north.scope():
        network = TrainedNetwork.objects.get()
        assert network.number == 1
        assert network.job_id == job.pk
        assert network.state in (NetworkState.PUBLISHED, NetworkState.REJECTED)
        assert (network.state == NetworkState.REJECTED) == bool(network.gate_reason)
        assert network.artefact_path.startswith(f"tenants/{north.tenant.pk}/networks/")
        assert default_storage.size(network.artefact_path) == network.artefact_bytes
        assert network.epochs
        assert network.league["rows"]
        assert network.cleaning["series"] == 6
        assert network.device
        assert network.league["jury"]["of"] == network.league["jury"]["series"] > 0
        fitted = artefacts.read_artefact(network)
        assert fitted.trained_until == network.origin
        assert network.league["jury"]["cases"] == fitted.contest.jury.cases
        network.league["jury"] |= {"series": 250, "of": 4000, "reason": "budget"}
        network.save(update_fields=["league"])
    page = north.client("planner").get(north.path(f"networks/{network.pk}/")).content.decode()
    assert "250 of 4,000 series, to keep to the CPU time" in " ".join(page.split())
    assert f"· {network.device}" in page
    assert not artefacts.checkpoint_folder(north.tenant, job.pk).exists()


def test_a_changed_swapped_or_missing_artefact_is_refused(north: House, south: House) -> None:
    with north.scope():
        build_world()
    train(north)
    with north.scope():
        network = TrainedNetwork.objects.get()
        path = network.artefact_path
        network.artefact_path = path.replace(
            f"tenants/{north.tenant.pk}/", f"tenants/{south.tenant.pk}/"
        )
        with pytest.raises(artefacts.ArtefactRefused) as refused:
            artefacts.read_artefact(network)
        assert refused.value.problem == "foreign"
        network.artefact_path = path
        stored = Path(default_storage.path(path))
        data = stored.read_bytes()
        stored.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(artefacts.ArtefactRefused) as refused:
            artefacts.read_artefact(network)
        assert refused.value.problem == "changed"
        default_storage.delete(path)
        with pytest.raises(artefacts.ArtefactRefused) as refused:
            artefacts.read_artefact(network)
        assert refused.value.problem == "missing"


def make_network(number: int, state: str, path: str = "") -> TrainedNetwork:
    return TrainedNetwork.objects.create(
        number=number, state=state, origin="2026-01-31", config={}, series_count=1, league={},
        artefact_path=path, artefact_sha256="", artefact_bytes=0,
    )  # fmt: skip


def test_only_the_last_three_artefacts_are_kept(north: House) -> None:
    with north.scope():
        for number in range(1, 6):
            make_network(
                number, NetworkState.RETIRED, f"tenants/{north.tenant.pk}/networks/{number}"
            )
        networks._forget_old_artefacts()
        kept = TrainedNetwork.objects.exclude(artefact_path="").values_list("number", flat=True)
        assert sorted(kept) == [3, 4, 5]


def test_a_roll_back_puts_the_earlier_network_in_use(
    in_north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artefacts, "read_artefact", lambda network: None)
    old = make_network(1, NetworkState.RETIRED, "somewhere")
    new = make_network(2, NetworkState.PUBLISHED, "elsewhere")
    roll_back_network(network_id=old.pk)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.state) == (NetworkState.PUBLISHED, NetworkState.RETIRED)


def test_a_rejected_forgotten_or_unknown_network_cannot_be_rolled_back_to(in_north: House) -> None:
    rejected = make_network(1, NetworkState.REJECTED, "somewhere")
    forgotten = make_network(2, NetworkState.RETIRED)
    with pytest.raises(Conflict, match="did not pass the gate"):
        roll_back_network(network_id=rejected.pk)
    with pytest.raises(networks.ArtefactGone):
        roll_back_network(network_id=forgotten.pk)
    with pytest.raises(NotFound):
        roll_back_network(network_id=forgotten.pk + 1000)


def test_a_viewer_can_neither_train_nor_roll_back(north: House) -> None:
    with north.scope("viewer"):
        with pytest.raises(PermissionRefused):
            request_training()
        with pytest.raises(PermissionRefused):
            roll_back_network(network_id=1)


def test_a_second_request_returns_the_training_that_is_open(north: House) -> None:
    with north.scope("planner"):
        assert request_training().pk == request_training().pk


def test_a_training_that_is_cancelled_publishes_nothing_and_keeps_nothing(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenancy.services import jobs

    monkeypatch.setattr(jobs, "PROGRESS_SECONDS", 0.0)
    with north.scope():
        build_world()
        job = request_training(budget_seconds=1)

    def cancel_after_first_epoch(done: int, total: int, message: str) -> None:
        if done == 1:
            with north.scope():
                jobs.cancel_job(job_id=job.pk)

    job = run_job(job, report=cancel_after_first_epoch)
    assert job.state == JobState.CANCELLED
    with north.scope():
        assert not TrainedNetwork.objects.exists()


def test_a_training_whose_worker_died_goes_on_from_its_checkpoint_and_publishes_once(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first worker dies after three epochs; the second trains the rest, not all again."""
    from forecasting.services.training import _Watch

    with north.scope():
        build_world()
        job = request_training(budget_seconds=1)
    trained: list[int] = []
    original = _Watch.on_epoch

    class Killed(BaseException):
        """As good as kill -9: no handler catches it."""

    def die_after_three(self: _Watch, report: Any) -> None:
        original(self, report)
        trained.append(report.epoch)
        if len(trained) == 3:
            raise Killed

    monkeypatch.setattr(_Watch, "on_epoch", die_after_three)
    with pytest.raises(Killed):
        run_job(job)
    assert trained == [1, 2, 3]
    with north.scope():
        Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)  # what the reaper does
    trained.clear()
    monkeypatch.setattr(
        _Watch,
        "on_epoch",
        lambda self, report: (original(self, report), trained.append(report.epoch)),
    )
    job = run_job(job)
    assert job.state == JobState.DONE, job.reason
    assert trained[0] == 4
    with north.scope():
        assert TrainedNetwork.objects.filter(job=job).count() == 1
        first_judged = [
            p["epoch"]
            for p in TrainedNetwork.objects.get().epochs
            if p["stage"] == "holdout" and p["network"] == "lstm"
        ]
        assert first_judged == list(range(1, len(first_judged) + 1))


def test_a_worker_that_lost_its_lease_publishes_nothing(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with north.scope():
        build_world()
        job = request_training(budget_seconds=1)
    original = artefacts.write_artefact

    def taken_over(*args: Any) -> str:
        with north.scope():
            taken = Job.objects.get(pk=job.pk)
            Job.objects.filter(pk=job.pk).update(fencing_token=taken.fencing_token + 1)
        return original(*args)

    monkeypatch.setattr(artefacts, "write_artefact", taken_over)
    run_job(job)
    with north.scope():
        assert not TrainedNetwork.objects.exists()
        folder = f"tenants/{north.tenant.pk}/networks"
        assert default_storage.listdir(folder)[1] == []
