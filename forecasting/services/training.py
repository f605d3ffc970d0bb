"""Training of a tenant's network: asked for, gone on with, run as a job."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from forecasting.models import TrainedNetwork
from forecasting.queries.compute import forecast_settings
from forecasting.queries.series import load_panel
from forecasting.services import artefacts
from forecasting.services.compute import check_budget
from forecasting.services.networks import epoch_to_json, publish_network
from forecasting.services.retraining import IF_IT_PAYS, decide_training, without_asking
from forecasting.services.training_choices import config_of
from forecasting.services.work_lists import one_at_a_time
from forecasting.templatetags.planning import method_name
from tenancy.errors import Conflict, NotFound
from tenancy.models import Job, JobState
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import JobFailed, JobRun, enqueue_job

if TYPE_CHECKING:
    from forecasting.pipeline.training import Callbacks, Checkpoint, EpochReport

KIND = "train_network"
LAST_ATTEMPT = 3
REPEATS = 2
"""Each network is trained twice: without the holdout to be judged, then on all days."""


def request_training(*, budget_seconds: float | None = None) -> Job:
    """Queue a training of the active tenant, or return the one that is already open.

    It takes no more CPU seconds than the tenant's limits leave when it begins. Raises
    ``PermissionRefused`` and ``BudgetSpent``.
    """
    require(Permission.PLAN)
    one_at_a_time(KIND)
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
    one_at_a_time(KIND)
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
            _("There is too little history to train a network: it takes thirty products with eight "
              "weeks of demand, or five with twelve. Simple methods forecast until then.")
        )  # fmt: skip
    return publish_network(run, demand, fitted, watch.importance)


@dataclass
class _Watch:
    """Follows a training: progress with the loss curve, checkpoints, the wish to stop."""

    run: JobRun
    total: int
    stage: str = ""
    epochs: list[dict[str, Any]] = field(default_factory=list)
    loaded: int = 0
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
                self.loaded += 1
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
        detail = {"epochs": self.epochs, "loaded": self.loaded}
        self.run.progress(min(len(self.epochs), self.total - 1), self.total, message, detail)

    def _note(self, report: EpochReport) -> None:
        self.epochs.append(epoch_to_json(report, self.stage))
