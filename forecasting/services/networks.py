"""Networks of a tenant: published where the gate lets them, kept, and put back in use."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from forecasting.models import NetworkState, TrainedNetwork
from forecasting.queries.compute import seconds_of_jobs
from forecasting.queries.series import DemandPanel
from forecasting.services import artefacts
from forecasting.services.cleaning import cleaning_report
from forecasting.templatetags.planning import method_name
from tenancy.errors import Conflict, NotFound
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import JobRun

if TYPE_CHECKING:
    from forecasting.pipeline.engine import FittedForecaster
    from forecasting.pipeline.training import EpochReport

KEPT_ARTEFACTS = 3
DEVICE_LENGTH = 80


class ArtefactGone(Conflict):
    """The network asked for is too old: only the last three keep their weights."""

    code = "artefact_gone"


class ArtefactDamaged(Conflict):
    """The weights of the network asked for are damaged or missing."""

    code = "artefact_damaged"


def publish_network(
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
        cpu_seconds=(fitted.cpu_seconds or 0) + seconds_of_jobs(run.payload.get("goes_on", ())),
        device=device_name()[:DEVICE_LENGTH],
        published_at=now if passed else None,
    )
    _forget_old_artefacts()
    return network


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
