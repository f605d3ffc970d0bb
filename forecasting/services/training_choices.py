"""What a tenant's trainings are made of and how long they take, from what its managers chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from forecasting.models import ForecastSettings
from forecasting.models.compute import MOST_NETWORKS, NETWORK_NAMES
from forecasting.queries.compute import LEAST_SECONDS, read_spending, seconds_this_month
from forecasting.services.compute import budget_words, lock_settings
from inventory.services.rows import check_version, save
from tenancy.errors import Invalid
from tenancy.permissions import Permission, require
from tenancy.services import audit, job_leases
from tenancy.services.jobs import JobFailed, JobRun

if TYPE_CHECKING:
    from forecasting.pipeline.settings import EngineConfig


@dataclass(frozen=True, kw_only=True)
class TrainingChoices:
    """Networks that take part, how demand is cleaned and scaled, and the seed of chance.

    outlier_threshold: usual deviations above which a day is cut; None = never.
    """

    networks: tuple[str, ...]
    missing_days: str
    outlier_threshold: float | None
    scaling: str
    seed: int


def change_training_choices(
    *, choices: TrainingChoices, version: int | None = None
) -> ForecastSettings:
    """Train like this from now on; the network in use stays as it was trained.

    Raises ``PermissionRefused``, ``StaleVersion``, ``Invalid`` naming the field.
    """
    require(Permission.APPROVE)
    networks = check_networks(choices.networks)
    if choices.outlier_threshold is not None and not isfinite(choices.outlier_threshold):
        raise Invalid.field("outlier_threshold", "invalid", _("Give a number, or none."))
    found = lock_settings()
    check_version(found, version)
    chosen = asdict(choices) | {"networks": networks}
    before = {name: getattr(found, name) for name in chosen}
    for name, value in chosen.items():
        setattr(found, name, value)
    found.version += 1
    save(found)
    changed = [name for name in chosen if before[name] != chosen[name]]
    audit.record(
        "training_choices.changed",
        found,
        before={name: before[name] for name in changed},
        after={name: chosen[name] for name in changed},
    )
    return found


def check_networks(names: Sequence[str]) -> list[str]:
    """Return the names, each once, in their usual order; raise ``Invalid`` for what cannot be."""
    unknown = [name for name in names if name not in NETWORK_NAMES]
    if unknown:
        text = _("There is no network %(name)s. Choose from: %(known)s.")
        words = {"name": unknown[0], "known": ", ".join(NETWORK_NAMES)}
        raise Invalid.field("networks", "unknown", text % words)
    chosen = [name for name in NETWORK_NAMES if name in names]
    if not chosen:
        raise Invalid.field("networks", "required", _("Choose at least one network."))
    if len(chosen) > MOST_NETWORKS:
        most = _("At most %(most)d networks can be trained together.")
        raise Invalid.field("networks", "too_many", most % {"most": MOST_NETWORKS})
    return chosen


def engine_config(
    known: ForecastSettings,
    *,
    networks: Sequence[str] | None = None,
    seed: int | None = None,
    budget_seconds: float | None = None,
) -> EngineConfig:
    """Return what the pipeline is told for a tenant; networks and seed where others are wanted."""
    from forecasting.pipeline.cleaning import CleaningConfig, MissingDays
    from forecasting.pipeline.scaling import ScaleKind
    from forecasting.pipeline.settings import EngineConfig

    names = tuple(known.networks if networks is None else networks)
    return EngineConfig(
        networks=names,
        cleaning=CleaningConfig(MissingDays(known.missing_days), known.outlier_threshold),
        scaling=ScaleKind(known.scaling),
        seed=known.seed if seed is None else seed,
        budget_seconds=budget_seconds,
        tuned={name: one["settings"] for name, one in known.tuned.items() if name in names},
    )


def grant_seconds(run: JobRun, known: ForecastSettings) -> float | None:
    """Return the CPU seconds a training may take: the least of wish, limit and rest of the month.

    None: nobody limits it. They are noted with the job when it begins: an attempt after a killed
    worker gets as many, else its checkpoints would be of another network. What a training that goes
    on has spent already is part of its own seconds. Call inside the tenant's scope; raises
    ``JobFailed`` where the month leaves too few.
    """
    spending = read_spending(known)
    own = [run.job_id, *run.payload.get("goes_on", ())]
    left = None
    if spending.left is not None:
        left = spending.left * 60 + seconds_this_month(own)
        if left < LEAST_SECONDS:
            raise JobFailed(budget_words(spending))
    granted: float | None = run.payload.get("granted_seconds")
    if granted is not None and run.attempt > 1:
        return granted
    limits = (run.payload.get("budget_seconds"), granted, known.training_seconds, left)
    granted = min((one for one in limits if one is not None), default=None)
    if granted is not None:
        run.payload["granted_seconds"] = granted
        job_leases.held(run.lease).update(payload=run.payload)
    return granted


def config_of(run: JobRun, known: ForecastSettings) -> EngineConfig:
    """Return the config of a training that begins: as chosen, unless its job asks for others.

    Call inside the tenant's scope. Raises ``JobFailed`` where the month leaves too few seconds.
    """
    return engine_config(
        known,
        networks=run.payload.get("networks"),
        seed=run.payload.get("seed"),
        budget_seconds=grant_seconds(run, known),
    )
