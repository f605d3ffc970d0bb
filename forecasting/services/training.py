"""Training of a tenant's network: a job, judged by the gate, published or rejected."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from forecasting.models import NetworkState, TrainedNetwork
from forecasting.queries.compute import forecast_settings
from forecasting.queries.series import DemandPanel, load_panel
from forecasting.services import artefacts
from forecasting.services.cleaning import cleaning_report
from forecasting.services.compute import check_budget
from forecasting.services.retraining import IF_IT_PAYS, decide_training, without_asking
from forecasting.services.training_choices import config_of
from forecasting.templatetags.planning import method_name
from tenancy.errors import Conflict, NotFound
from tenancy.models import Job, JobState
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import JobFailed, JobRun, enqueue_job

if TYPE_CHECKING:
    from forecasting.pipeline.engine import FittedForecaster
    from forecasting.pipeline.training import Callbacks, Checkpoint, EpochReport

KIND = "train_network"
KEPT_ARTEFACTS = 3
LAST_ATTEMPT = 3
DEVICE_LENGTH = 80
REPEATS = 2
"""Each network is trained twice: without the holdout to be judged, then on all days."""


class ArtefactGone(Conflict):
    """The network asked for is too old: only the last three keep their weights."""

    code = "artefact_gone"


class ArtefactDamaged(Conflict):
    """The weights of the network asked for are damaged or missing."""

    code = "artefact_damaged"


def request_training(*, budget_seconds: float | None = None) -> Job:
    """Queue a training of the active tenant, or return the one that is already open.

    It takes no more CPU seconds than the tenant's limits leave when it begins. Raises
    ``PermissionRefused`` and ``BudgetSpent``.
    """
    require(Permission.PLAN)
    waiting = Job.objects.filter(kind=KIND, state__in=JobState.open()).order_by("id").first()
    if waiting is not None:
        return without_asking(waiting)
    check_budget()
    job = enqueue_job(kind=KIND, payload={"budget_seconds": budget_seconds})
    audit.record("training.requested", job, seconds=budget_seconds)
    return job


def resume_training(*, job_id: int) -> Job:
    """Queue a training that goes on after the last epoch a cancelled or failed one had finished.

    Where the demand has changed meanwhile, or the worker's disk has lost it, it starts afresh.
    Raises ``PermissionRefused``, ``NotFound``, ``Conflict``, ``BudgetSpent``.
    """
    require(Permission.PLAN)
    ended = Job.objects.filter(pk=job_id, kind=KIND).first()
    if ended is None:
        raise NotFound("job", job_id)
    if ended.state not in (JobState.CANCELLED, JobState.FAILED):
        raise Conflict(_("Only a training that was cancelled or has failed can be resumed."))
    waiting = Job.objects.filter(kind=KIND, state__in=JobState.open()).order_by("id").first()
    if waiting is not None:
        return without_asking(waiting)
    check_budget()
    spent_in = [*ended.payload.get("goes_on", ()), ended.pk]
    asked = {name: value for name, value in ended.payload.items() if name not in IF_IT_PAYS}
    job = enqueue_job(kind=KIND, payload=asked | {"resumes": ended.pk, "goes_on": spent_in})
    audit.record("training.resumed", job, ended=ended.pk)
    return job


def train_network(run: JobRun) -> TrainedNetwork | None:
    """Train on all demand of the tenant, hold the contest, and publish what passes the gate.

    None when it was stopped between two epochs, or the clock asked and it does not pay. Raises
    ``JobFailed`` where there is nothing to learn from; then nothing changes and baselines go on
    serving.
    """
    from forecasting.pipeline.engine import fit
    from forecasting.pipeline.training import TrainingDiverged, TrainingStopped

    run.progress(0, 1, _("Reading demand"))
    with run.scope():
        chosen = forecast_settings()
        kept = decide_training(run, chosen)
    if kept is not None:
        with run.publishing():
            run.finish(kept)
        return None
    with run.scope():
        config = config_of(run, chosen)
        if "resumes" in run.payload:
            artefacts.adopt_checkpoints(run.tenant, int(run.payload["resumes"]), run.job_id)
        artefacts.forget_orphaned_checkpoints(run.tenant)
        demand = load_panel()
    if demand is None:
        raise JobFailed(_("There is no demand yet. Import sales first, then train."))
    watch = _Watch(run, total=REPEATS * len(config.networks) * config.training.epochs)
    try:
        fitted = fit(demand.panel, demand.origin, config, watch.callbacks())
    except TrainingStopped:
        return None
    except TrainingDiverged as error:
        artefacts.forget_checkpoints(run.tenant, run.job_id)
        raise JobFailed(
            _("The training of %(network)s diverged; the network in use stays. Check the demand "
              "for absurd values.") % {"network": error.network}
        ) from error  # fmt: skip
    if not fitted.history:
        raise JobFailed(
            _("There is too little history to train a network: it takes at least five products "
              "with twelve weeks of demand. Simple methods forecast until then.")
        )  # fmt: skip
    return _publish(run, demand, fitted, watch.importance)


@dataclass
class _Watch:
    """Follows a training: progress with the loss curve, checkpoints, the wish to stop."""

    run: JobRun
    total: int
    stage: str = ""
    epochs: list[dict[str, Any]] = field(default_factory=list)
    importance: list[dict[str, Any]] = field(default_factory=list)

    def callbacks(self) -> Callbacks:
        from forecasting.pipeline.artifact import CheckpointFolder
        from forecasting.pipeline.training import Callbacks

        folder = CheckpointFolder(artefacts.checkpoint_folder(self.run.tenant, self.run.job_id))

        def load(name: str) -> Checkpoint | None:
            # the last attempt starts afresh, in case the checkpoint itself is the trouble
            saved = None if self.run.attempt >= LAST_ATTEMPT else folder.load(name)
            for report in saved.history if saved else ():
                self._note(report)
            return saved

        return Callbacks(
            on_epoch=self.on_epoch,
            on_stage=self.on_stage,
            should_stop=self.run.should_stop,
            save_checkpoint=folder.save,
            load_checkpoint=load,
            cpu_seconds=time.process_time,
            on_judged=self.on_judged,
        )

    def on_judged(self, *judged: Any) -> None:
        from forecasting.pipeline.importance import permutation_importance

        self.importance = [one.to_json() for one in permutation_importance(*judged)]

    def on_stage(self, stage: str) -> None:
        self.stage = stage

    def on_epoch(self, report: EpochReport) -> None:
        self._note(report)
        message = _("Epoch %(epoch)d of %(epochs)d, %(network)s, %(stage)s") % {
            "epoch": report.epoch,
            "epochs": report.epochs,
            "network": method_name(report.network),
            "stage": _("to be judged") if self.stage.startswith("holdout") else _("on all days"),
        }
        self.run.progress(
            min(len(self.epochs), self.total - 1), self.total, message, {"epochs": self.epochs}
        )

    def _note(self, report: EpochReport) -> None:
        self.epochs.append(epoch_to_json(report, self.stage))


def epoch_to_json(report: EpochReport, stage: str) -> dict[str, Any]:
    """Return one point of the loss curve; a loss that was not measured is null."""
    measured = report.validation_loss == report.validation_loss
    return {
        "stage": stage.partition(" ")[0],
        "network": report.network,
        "epoch": report.epoch,
        "training_loss": round(report.training_loss, 6),
        "validation_loss": round(report.validation_loss, 6) if measured else None,
        "best": report.best,
    }


def _publish(
    run: JobRun,
    demand: DemandPanel,
    fitted: FittedForecaster,
    importance: list[dict[str, Any]],
) -> TrainedNetwork:
    """Store the artefact, then, under the live lease, its row and the end of the job together."""
    data = fitted.to_bytes()
    path = artefacts.write_artefact(run.tenant, run.job_id, data)
    try:
        with run.publishing():
            network = _create_row(run, demand, fitted, path, data)
            network.importance = importance
            network.save(update_fields=["importance"])
            audit.record(f"network.{network.state}", network, number=network.number)
            run.finish(result_of(network))
    except BaseException:
        artefacts.delete_artefact(path)
        raise
    artefacts.forget_checkpoints(run.tenant, run.job_id)
    return network


def result_of(network: TrainedNetwork) -> dict[str, Any]:
    """Return what the job of a training reports."""
    return {
        "network": network.pk,
        "number": network.number,
        "state": network.state,
        "gate_reason": network.gate_reason,
        "cpu_seconds": round(network.cpu_seconds, 1),
    }


def _create_row(
    run: JobRun, demand: DemandPanel, fitted: FittedForecaster, path: str, data: bytes
) -> TrainedNetwork:
    from forecasting.pipeline.compute import device_name

    passed = bool(fitted.members)
    now = timezone.now()
    TrainedNetwork.objects.filter(state=NetworkState.PUBLISHED).update(state=NetworkState.RETIRED)
    newest = TrainedNetwork.objects.aggregate(most=Max("number"))["most"] or 0
    contest = fitted.contest.to_json()
    network = TrainedNetwork.objects.create(
        number=newest + 1,
        state=NetworkState.PUBLISHED if passed else NetworkState.REJECTED,
        job_id=run.job_id,
        origin=demand.origin,
        config=fitted.config.to_json(),
        series_count=demand.panel.n_series,
        artefact_path=path,
        artefact_sha256=artefacts.sha256(data),
        artefact_bytes=len(data),
        league={
            "rows": contest["league"],
            "blends": contest["blends"],
            "jury": contest["jury"],
        },
        epochs=_loss_curve(fitted),
        cleaning=cleaning_report(demand, fitted.config.cleaning),
        gate_reason="" if passed else gate_reason(contest["league"], fitted.config.networks),
        cpu_seconds=fitted.cpu_seconds or 0,
        device=device_name()[:DEVICE_LENGTH],
        published_at=now if passed else None,
    )
    _forget_old_artefacts()
    return network


def _loss_curve(fitted: FittedForecaster) -> list[dict[str, Any]]:
    """Return the loss curves: of the trainings that were judged, and of those on all days."""
    measured = [r.validation_loss == r.validation_loss for r in fitted.history]
    return [
        epoch_to_json(report, "holdout" if judged else "final")
        for report, judged in zip(fitted.history, measured, strict=True)
    ]


def gate_reason(league: list[dict[str, Any]], networks: tuple[str, ...]) -> str:
    """Return in words why no network serves, from the scores over all series."""
    scores = {
        row["method"]: row["wspl"]
        for row in league
        if row["demand_class"] == "all" and row["wspl"] is not None
    }
    ours = {method: score for method, score in scores.items() if method in networks}
    theirs = {method: score for method, score in scores.items() if method not in networks}
    if not ours or not theirs:
        return _("No network could be scored on the days held out.")
    network, best = min(ours, key=ours.__getitem__), min(theirs, key=theirs.__getitem__)
    return _(
        "On the days held out %(network)s scored %(loss).4f, %(best)s %(best_loss).4f "
        "(weighted pinball loss, lower is better): a network serves only where it wins clearly."
    ) % {
        "network": method_name(network),
        "loss": ours[network],
        "best": _("the best simple methods") if best == "blend" else method_name(best),
        "best_loss": theirs[best],
    }


def _forget_old_artefacts() -> None:
    """Keep the weights of the last three networks; the rows of older ones stay for the record."""
    kept = TrainedNetwork.objects.order_by("-number").values_list("number", flat=True)
    numbers = list(kept[:KEPT_ARTEFACTS])
    old = TrainedNetwork.objects.exclude(number__in=numbers).exclude(artefact_path="")
    for path in list(old.values_list("artefact_path", flat=True)):
        transaction.on_commit(partial(artefacts.delete_artefact, path), robust=True)
    old.update(artefact_path="")


def roll_back_network(*, network_id: int) -> TrainedNetwork:
    """Put an earlier network back in use; the next forecasts come from it.

    Raises ``PermissionRefused``, ``NotFound``, ``ArtefactGone``, ``ArtefactDamaged``, ``Conflict``.
    """
    require(Permission.PLAN)
    networks = TrainedNetwork.objects.select_for_update().order_by("number")
    network = {row.pk: row for row in networks}.get(network_id)
    if network is None:
        raise NotFound(_("network"), network_id)
    if network.state == NetworkState.PUBLISHED:
        return network
    if network.state == NetworkState.REJECTED:
        raise Conflict(
            _("Network %(number)d did not pass the gate and cannot serve.")
            % {"number": network.number},
            number=network.number,
        )
    if not network.artefact_path:
        raise ArtefactGone(
            _("Only the last three networks are kept; the weights of network %(number)d are gone.")
            % {"number": network.number},
            number=network.number,
        )
    try:
        artefacts.read_artefact(network)
    except artefacts.ArtefactRefused as refusal:
        raise ArtefactDamaged(
            _("The weights of network %(number)d are damaged or missing; it cannot be used.")
            % {"number": network.number},
            number=network.number,
            problem=refusal.problem,
        ) from refusal
    TrainedNetwork.objects.filter(state=NetworkState.PUBLISHED).update(state=NetworkState.RETIRED)
    network.state = NetworkState.PUBLISHED
    network.published_at = timezone.now()
    network.save(update_fields=["state", "published_at"])
    audit.record("network.rolled_back", network, number=network.number)
    return network
