"""Forecasts of every series of a tenant, made by whoever serves and stored set by set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from django.utils.translation import gettext as _

from forecasting.models import (
    ForecastExplanation,
    ForecastRun,
    GroupForecast,
    NetworkState,
    SegmentForecast,
    SeriesForecast,
    TrainedNetwork,
)
from forecasting.pipeline.closures import find_closures
from forecasting.pipeline.day_channels import strange_signals
from forecasting.pipeline.feature_plan import FeaturePlan
from forecasting.pipeline.series import HORIZON_DAYS, QUANTILES, Basis, FloatArray, Signal
from forecasting.queries.compute import forecast_settings
from forecasting.queries.series import (
    DemandPanel,
    Part,
    SeriesKey,
    load_panel,
    parts_with_demand,
)
from forecasting.services import artefacts
from forecasting.services.cleaning import closed_days
from forecasting.services.copied_rows import insert_copied
from forecasting.services.groups import group_forecasts, store_groups
from forecasting.services.overrides import keep_reached_days
from forecasting.services.parts import segment_forecasts, split, store_segments
from forecasting.services.training_choices import engine_config
from forecasting.services.work_lists import one_at_a_time
from tenancy.models import Job, JobState
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import JobFailed, JobRun, enqueue_job

if TYPE_CHECKING:
    from forecasting.pipeline.engine import EngineConfig, FittedForecaster

KIND = "make_forecasts"
PLANNING_KIND = "run_planning"
KEPT_ORIGINS = 8
"""The one of a week ago is among them when its week has passed, however often a day is planned."""
SCORED_DAYS = 63
"""One run of each week is kept so long, to be scored on all of its days."""
PARTS: tuple[Part, ...] = ("channel", "segment")
ARTEFACT_REFUSED = "artefact_refused"


@dataclass(frozen=True)
class Serving:
    """What serves: a forecaster, the network behind it if any, and what was refused before it."""

    forecaster: FittedForecaster
    network: TrainedNetwork | None
    refused: bool = False


@dataclass(frozen=True)
class _Made:
    """Forecasts of a panel: mean [S, H], quantiles [S, H, Q], method, reason and class [S]."""

    keys: tuple[SeriesKey, ...]
    mean: FloatArray
    quantiles: FloatArray
    method: tuple[str, ...]
    reason: tuple[str, ...]
    demand_class: tuple[str, ...]
    basis: Mapping[int, dict[str, Any]] = field(default_factory=dict)
    level_factor: float = 1.0


def request_planning() -> Job:
    """Queue forecasts, suggestions and warnings, or return the job already waiting to start.

    Raises ``PermissionRefused``.
    """
    require(Permission.PLAN)
    one_at_a_time(PLANNING_KIND)
    waiting = Job.objects.filter(kind=PLANNING_KIND, state=JobState.QUEUED).order_by("id").first()
    if waiting is not None:
        return waiting
    job = enqueue_job(kind=PLANNING_KIND, payload={})
    audit.record("planning.requested", job)
    return job


def make_forecasts(run: JobRun) -> ForecastRun:
    """Forecast every product, warehouse and channel for the days after the latest origin.

    Run again by the same job it returns what that job has made. Raises ``JobFailed`` when there is
    no demand at all.
    """
    run.progress(0, 4, _("Reading demand"))
    with run.scope():
        made_before = ForecastRun.objects.filter(job_id=run.job_id).first()
        if made_before is not None:
            return made_before
        demand = load_panel()
        by_part = {by: load_panel(by=by) for by in PARTS if len(parts_with_demand(by)) > 1}
    if demand is None:
        raise JobFailed(_("There is no demand yet. Import sales first, then forecast."))
    run.progress(1, 4, _("Forecasting %(count)d series") % {"count": demand.panel.n_series})
    serving = who_serves(run, demand)
    made = [_forecast(serving, demand)]
    factors: dict[str, float] = {}
    segments: list[SegmentForecast] = []
    for by, panel in by_part.items():
        if panel is None or not panel.panel.n_series:
            continue
        run.progress(2, 4, _("Forecasting channels and segments"))
        part = _forecast(serving, panel)
        factors[by] = part.level_factor
        part = replace(part, **split(part.keys, (part.mean, part.quantiles), panel, made[0]))
        if by == "channel":
            made.append(_of_channels(part))
        else:
            segments = segment_forecasts(part.keys, part.mean, part.quantiles)
    run.progress(3, 4, _("Storing forecasts"))
    with run.scope():
        groups = group_forecasts(demand, made[0].mean, made[0].quantiles)
    with run.publishing():
        stored = _store(run, demand, serving, made, factors)
        store_groups(stored, groups)
        store_segments(stored, segments)
        audit.record(
            "forecasts.made",
            stored,
            series=stored.series_count,
            silent_signals=stored.silent_signals,
        )
    return stored


def who_serves(run: JobRun, demand: DemandPanel) -> Serving:
    """Return the published network; if its file is refused, the one before; else the baselines."""
    with run.scope():
        candidates = _candidates()
    refused = False
    for network in candidates:
        try:
            forecaster = artefacts.read_artefact(network)
        except artefacts.ArtefactRefused as problem:
            refused = True
            structlog.get_logger().error(
                "artefact_refused", network=network.pk, problem=problem.problem
            )
            with run.scope():
                audit.record("network.artefact_refused", network, problem=problem.problem)
            continue
        served = network if forecaster.members else None
        return Serving(forecaster, served, refused and served is None)
    with run.scope():
        config = engine_config(forecast_settings(), networks=())
    return Serving(_baselines(demand, config), None, refused)


def _candidates() -> list[TrainedNetwork]:
    """Return who may serve, best first.

    The published network, then earlier ones. Where the newest training was rejected by the gate,
    the baselines that won its contest serve.
    """
    rows = list(TrainedNetwork.objects.exclude(artefact_path="").order_by("-number"))
    published = [row for row in rows if row.state == NetworkState.PUBLISHED]
    if published:
        older = [row for row in rows if row.state == NetworkState.RETIRED]
        return published + older
    return [row for row in rows[:1] if row.state == NetworkState.REJECTED]


def _baselines(demand: DemandPanel, config: EngineConfig) -> FittedForecaster:
    from forecasting.pipeline.engine import fit

    return fit(demand.panel, demand.origin, config)


def _forecast(serving: Serving, demand: DemandPanel) -> _Made:
    from forecasting.pipeline.metrics import demand_class

    forecast = serving.forecaster.forecast(demand.panel, demand.origin, HORIZON_DAYS)
    classes = demand_class(demand.panel.demand, demand.panel.observed)
    reasons = tuple(str(reason) for reason in forecast.reason)
    if serving.refused:
        reasons = (ARTEFACT_REFUSED,) * len(reasons)
    return _Made(
        keys=demand.keys,
        mean=np.asarray(forecast.mean, dtype=float),
        quantiles=np.asarray(forecast.quantiles, dtype=float),
        method=forecast.method,
        reason=reasons,
        demand_class=tuple(str(name) for name in classes),
        basis={row: _basis_to_json(one) for row, one in forecast.basis.items()},
        level_factor=forecast.level_factor,
    )


def _basis_to_json(basis: Basis) -> dict[str, Any]:
    """Return the basis as it is stored; series are products and warehouses by id."""
    neighbours = []
    for series_id, weight in basis.neighbours:
        product, warehouse = series_id.split(":")[:2]
        neighbours.append(
            {"product": int(product), "warehouse": int(warehouse), "weight": round(weight, 4)}
        )
    return {
        "neighbours": neighbours,
        "shares": {name: round(share, 4) for name, share in basis.shares.items()},
        "own_days": basis.own_days,
        "compared_with": basis.compared_with,
        "from_beginnings": basis.from_beginnings,
    }


def _of_channels(made: _Made) -> _Made:
    """Leave out the demand whose channel was not said: it counted, but is no channel."""
    kept = [row for row, key in enumerate(made.keys) if key.channel_id is not None]
    return _Made(
        keys=tuple(made.keys[row] for row in kept),
        mean=made.mean[kept],
        quantiles=made.quantiles[kept],
        method=tuple(made.method[row] for row in kept),
        reason=tuple(made.reason[row] for row in kept),
        demand_class=tuple(made.demand_class[row] for row in kept),
    )


def _store(
    run: JobRun,
    demand: DemandPanel,
    serving: Serving,
    parts: list[_Made],
    factors: dict[str, float],
) -> ForecastRun:
    stored = ForecastRun.objects.create(
        network=serving.network,
        job_id=run.job_id,
        origin=demand.origin,
        horizon_days=HORIZON_DAYS,
        quantiles=[round(float(level), 4) for level in QUANTILES],
        series_count=len(parts[0].keys),
        methods=dict(Counter(parts[0].method)),
        level_factor=parts[0].level_factor,
        part_level_factors=factors,
        silent_signals=_silent(serving.forecaster.plan, demand.panel.signals),
        closed_days=closed_days(demand, find_closures(demand.panel)),
        simple_forecaster=None if serving.network else serving.forecaster.to_bytes(),
    )
    insert_copied(row for part in parts for row in _rows(stored, part))
    keep_reached_days(stored)
    return stored


def _silent(plan: FeaturePlan, signals: Sequence[Signal]) -> list[str]:
    """Return the signals a network learned from that say nothing of the coming days any more."""
    strange = strange_signals(plan, signals)
    unplanned = {signal.name for signal in signals if not signal.known_ahead}
    ahead, past = ([one.name for one in told] for told in (plan.signals, plan.past_signals))
    silent = [name for name in ahead if name in strange or name in unplanned]
    return [*silent, *(name for name in past if name in strange)]


def _rows(stored: ForecastRun, made: _Made) -> Iterator[SeriesForecast]:
    return (
        SeriesForecast(
            run=stored,
            product_id=made.keys[row].product_id,
            warehouse_id=made.keys[row].warehouse_id,
            channel_id=made.keys[row].channel_id,
            mean=np.round(made.mean[row], 4),
            quantile_values=np.round(made.quantiles[row], 4).reshape(-1),
            method=made.method[row],
            reason=made.reason[row],
            demand_class=made.demand_class[row],
            total_mean=float(made.mean[row].sum()),
            basis=made.basis.get(row),
        )
        for row in range(len(made.keys))
    )


def _kept_runs(runs: list[tuple[int, date]]) -> list[int]:
    """Return whose arrays are kept, of (id, origin) newest first.

    Of runs of one origin the newest; of those the last ones, and one of each week.
    """
    newest: dict[date, int] = {}
    for pk, origin in runs:
        newest.setdefault(origin, pk)
    weeks: dict[tuple[int, int], int] = {}
    for origin, pk in newest.items():
        if (runs[0][1] - origin).days <= SCORED_DAYS:
            weeks.setdefault(origin.isocalendar()[:2], pk)
    return sorted({*list(newest.values())[:KEPT_ORIGINS], *weeks.values()})


def forget_old_series(run: JobRun) -> None:
    """Keep the arrays of some runs; the others stay as rows, for what points at them.

    Planning scores before: where it rested for weeks, what is forgotten now was not scored yet.
    """
    with run.publishing():
        newest = ForecastRun.objects.order_by("-id").values_list("id", "origin")
        kept = _kept_runs(list(newest[:400]))
        SeriesForecast.objects.exclude(run_id__in=kept).delete()
        ForecastExplanation.objects.exclude(run_id__in=kept).delete()
        chosen = ForecastRun.objects.exclude(simple_forecaster=None)
        chosen.exclude(pk__in=kept).update(simple_forecaster=None)
        GroupForecast.objects.exclude(run_id__in=kept).delete()
        SegmentForecast.objects.exclude(run_id__in=kept).delete()
