"""The search for better settings of the tenant's network: a job, kept trial by trial, then used."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from forecasting.models import ForecastSettings
from forecasting.queries import tuning as kept
from forecasting.queries.compute import forecast_settings, read_spending
from forecasting.queries.series import load_panel
from forecasting.services.compute import budget_words, check_budget, lock_settings
from forecasting.services.training_choices import engine_config
from forecasting.services.work_lists import one_at_a_time
from forecasting.templatetags.planning import method_name
from inventory.services.rows import save
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.models import Job, JobState
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import JobFailed, JobRun, enqueue_job

if TYPE_CHECKING:
    from forecasting.pipeline.settings import EngineConfig

KIND = kept.KIND
NETWORKS = kept.TUNABLE
LEAST_MINUTES, MOST_MINUTES = 1, 600


class TuningOpen(Conflict):
    """A search is waiting or running already."""

    code = "tuning_open"


class NotTrained(Conflict):
    """The network takes no part in the tenant's trainings: settings for it would change nothing."""

    code = "network_not_trained"

    def __init__(self, network: str) -> None:
        words = {"network": method_name(network)}
        super().__init__(_(
            "%(network)s takes no part in your trainings: settings for it would change nothing. "
            "Choose it on the page of networks first."
        ) % words, network=network)  # fmt: skip


class TrialUnfit(Conflict):
    """The trial was ended early or diverged: its settings were not tried to the end."""

    code = "trial_unfit"


def request_tuning(*, budget_minutes: int, network: str | None = None) -> Job:
    """Queue a search for better settings within so many CPU minutes; None: of the first that can.

    Raises ``PermissionRefused``, ``Invalid``, ``TuningOpen``, ``BudgetSpent``.
    """
    require(Permission.APPROVE)
    offered = kept.tunable(forecast_settings())
    network = network or next(iter(offered), NETWORKS[0])
    if network not in NETWORKS:
        text = _("Only these can be tuned: %(names)s.") % {"names": ", ".join(NETWORKS)}
        raise Invalid.field("network", "unknown", text)
    if network not in offered:
        raise Invalid.field("network", NotTrained.code, str(NotTrained(network)))
    if not LEAST_MINUTES <= budget_minutes <= MOST_MINUTES:
        text = _("Give 1 to %(most)d CPU minutes.") % {"most": MOST_MINUTES}
        raise Invalid.field("budget_minutes", "out_of_range", text)
    one_at_a_time(KIND)
    waiting = Job.objects.filter(kind=KIND, state__in=JobState.open()).order_by("id").first()
    if waiting is not None:
        raise TuningOpen(_("A search is under way already. Stop it first."), job=waiting.pk)
    check_budget()
    job = enqueue_job(kind=KIND, payload={"budget_minutes": budget_minutes, "network": network})
    audit.record("tuning.requested", job, minutes=budget_minutes, network=network)
    return job


def tune_network(run: JobRun) -> dict[str, Any] | None:
    """Try settings until the minutes are spent; every trial is stored with the job as it ends.

    A search that was interrupted goes on from its stored trials. None when it was stopped between
    two epochs. Raises ``JobFailed`` where there is nothing to learn from or nothing left to spend.
    """
    from forecasting.pipeline.training import EpochReport
    from forecasting.pipeline.tuning import NothingToTune, Search, Trial, Watch, best_trial, tune

    network = str(run.payload["network"])
    wanted = float(run.payload["budget_minutes"]) * 60
    with run.scope():
        known = forecast_settings()
        if network not in known.networks:
            raise JobFailed(str(NotTrained(network)))
        demand = load_panel()
        spending = read_spending(known)
        stored = Job.objects.get(pk=run.job_id).progress_detail
    if demand is None:
        raise JobFailed(_("There is no demand yet. Import sales first, then tune."))
    trials = [Trial.from_json(one) for one in stored.get("trials", [])]
    spent = sum(trial.cpu_seconds for trial in trials)
    if spending.left is not None:
        wanted = min(wanted, spent + spending.left * 60)
    if wanted <= spent and not trials:
        raise JobFailed(budget_words(spending))
    began = time.process_time() - spent

    def show(message: str, *, at_once: bool = False) -> None:
        detail = {"network": network, "trials": [trial.to_json() for trial in trials]}
        done = min(int(time.process_time() - began), int(wanted) - 1)
        run.progress(max(done, 0), int(wanted), message, detail, at_once=at_once)

    def on_trial(trial: Trial) -> None:
        trials.append(trial)
        show(_("Trial %(number)d ended") % {"number": trial.number + 1}, at_once=True)

    def on_epoch(number: int, report: EpochReport) -> None:
        known = {"number": number + 1, "epoch": report.epoch, "epochs": report.epochs}
        show(_("Trial %(number)d, epoch %(epoch)d of %(epochs)d") % known)

    search = Search(network, wanted, _usual_config(known), earlier=tuple(trials))
    watch = Watch(time.process_time, on_trial, on_epoch, run.should_stop)
    try:
        found = tune(demand.panel, demand.origin, search, watch)
    except NothingToTune as error:
        raise JobFailed(
            _("There is too little history to tune: it takes at least five products with four "
              "months of demand.")
        ) from error  # fmt: skip
    if run.should_stop():
        return None
    best = best_trial(found)
    return {
        "network": network,
        "origin": demand.origin.isoformat(),
        "trials": [trial.to_json() for trial in found],
        "best": best.number if best else None,
    }


def _usual_config(known: ForecastSettings) -> EngineConfig:
    """Return the tenant's config without what earlier searches found: trials compare with that."""
    return replace(engine_config(known), tuned={})


def use_settings(*, job_id: int, number: int) -> ForecastSettings:
    """Train with the settings of a trial from now on; the network in use stays until then.

    Raises ``PermissionRefused``, ``NotFound``, ``TrialUnfit``, ``NotTrained``.
    """
    require(Permission.APPROVE)
    job = Job.objects.filter(pk=job_id, kind=KIND).first()
    if job is None:
        raise NotFound("job", job_id)
    trials = {trial.number: trial for trial in kept.read_trials(job)}
    if number not in trials:
        raise NotFound(_("trial"), number)
    trial = trials[number]
    if trial.state != "complete":
        raise TrialUnfit(
            _("Trial %(number)d was not tried to the end. Choose one that was.")
            % {"number": number + 1}
        )
    network = str(job.payload["network"])
    if network not in forecast_settings().networks:
        raise NotTrained(network)
    return _change(network, {"settings": trial.settings, "job": job.pk, "trial": number})


def forget_settings(*, network: str) -> ForecastSettings:
    """Train a network with the usual settings again. Raises ``PermissionRefused``."""
    require(Permission.APPROVE)
    return _change(network, None)


def _change(network: str, tuned: dict[str, Any] | None) -> ForecastSettings:
    with transaction.atomic():
        found = lock_settings()
        others = {name: one for name, one in found.tuned.items() if name != network}
        before, found.tuned = found.tuned, others if tuned is None else others | {network: tuned}
        found.version += 1
        save(found)
        audit.record("tuning.used", found, before=before, after=found.tuned)
    return found
