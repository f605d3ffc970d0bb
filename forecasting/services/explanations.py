"""Explanations of stored forecasts: asked for, made by a job, kept beside their run."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils.translation import gettext as _

from forecasting.models import (
    ForecastExplanation,
    ForecastRun,
    SegmentForecast,
    SeriesForecast,
)
from forecasting.queries.explanations import key_of, payload_of
from forecasting.queries.forecasts import latest_run
from forecasting.queries.parts import Forecast, get_forecast, part_name
from forecasting.queries.series import DemandPanel, Part, SeriesKey, load_panel
from forecasting.queries.signals import signal_kinds
from forecasting.services import artefacts
from forecasting.services.work_lists import one_at_a_time
from tenancy.models import Job, JobState
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import JobFailed, JobRun, enqueue_job

if TYPE_CHECKING:
    from forecasting.pipeline.engine import FittedForecaster

KIND = "explain_forecasts"
ADDING_UP = "adding_up"
AGREES_WITHIN = 0.01
"""A larger difference between the forecast stored and the one made again is told."""


def request_explanation(
    *,
    product_id: int,
    warehouse_id: int,
    channel_id: int | None = None,
    segment_id: int | None = None,
) -> Job:
    """Queue the explanation of the forecast in use, or return the job that makes it already.

    With a channel or a segment, of that part. Raises ``PermissionRefused``, ``NotFound`` and
    ``Invalid``.
    """
    require(Permission.PLAN)
    forecast = get_forecast(product_id, warehouse_id, channel_id, segment_id)
    payload = payload_of(forecast)
    one_at_a_time(KIND)
    waiting = Job.objects.filter(kind=KIND, state__in=JobState.open(), payload=payload)
    open_job = waiting.order_by("id").first()
    if open_job is not None:
        return open_job
    job = enqueue_job(kind=KIND, payload=payload)
    part = part_name(forecast)
    audit.record(
        "explanation.requested", job, sku=forecast.product.sku, **({"part": part} if part else {})
    )
    return job


def explain_forecasts(run: JobRun) -> dict[str, Any]:
    """Explain the forecasts of the series asked for; without any, those of the largest demand.

    Raises ``JobFailed`` where the run, who made it or the series are gone.
    """
    run.progress(0, 2, _("Reading demand"))
    with run.scope():
        forecast = _run_asked_for(run)
        wanted = _series_asked_for(run, forecast)
        by = _part_of(key_of(wanted[0]))
        demand = load_panel(by=by)
        kinds = signal_kinds()
    if demand is None:
        raise JobFailed(_("There is no demand any more: there is nothing to explain."))
    made_by = _who_made(run, forecast)
    # forecasts of parts are made together, too, and anchored by what they are together
    factor = forecast.part_level_factors.get(by or "", forecast.level_factor)
    rows = {key: row for row, key in enumerate(demand.keys)}
    made: list[ForecastExplanation] = []
    for number, series in enumerate(wanted):
        run.progress(number, len(wanted), _("Taking the forecast apart"))
        key = key_of(series)
        if key not in rows:
            raise JobFailed(_("The product is no longer in use. Forecast again."))
        content = _explain(made_by, demand, forecast.origin, rows[key], factor) | {"kinds": kinds}
        content["stored_total"] = series.total_mean
        if by is None:
            content["differs"] = _differs(series, content["prediction"])
        else:
            content = as_part(content, by, part_name(series), series.mean)
        made.append(ForecastExplanation(run=forecast, content=content, **asdict(key)))
    with run.publishing():
        ForecastExplanation.objects.bulk_create(
            made,
            update_conflicts=True,
            update_fields=["content"],
            unique_fields=["tenant", "run", "product", "warehouse", "channel", "segment"],
        )
    return {"explained": len(made)}


def as_part(content: dict[str, Any], by: Part, name: str, stored: list[float]) -> dict[str, Any]:
    """Return the explanation of a part's own demand, led on to the forecast that is stored.

    Parts are scaled day by day until they add up to the forecast of all of them; what that brought
    is a cause like the others.
    """
    own = [max(value, 0.0) for value in content["prediction"]]
    scaled = [to - from_ for to, from_ in zip(stored, content["prediction"], strict=True)]
    return content | {
        "part": {"kind": by, "name": name, "own_total": sum(own)},
        "features": [*content["features"], ADDING_UP],
        "parts": [[*row, units] for row, units in zip(content["parts"], scaled, strict=True)],
        "prediction": stored,
        "differs": False,
    }


def _part_of(key: SeriesKey) -> Part | None:
    if key.channel_id is not None:
        return "channel"
    return "segment" if key.segment_id is not None else None


def _run_asked_for(run: JobRun) -> ForecastRun:
    asked = run.payload.get("run")
    found = ForecastRun.objects.filter(pk=asked).first() if asked else latest_run()
    if found is None:
        raise JobFailed(_("There is no forecast to explain yet. Forecast first."))
    return found


def _series_asked_for(run: JobRun, forecast: ForecastRun) -> list[Forecast]:
    """Return the forecasts asked for: all of series, or all of one kind of part."""
    if "series" not in run.payload:
        rows = SeriesForecast.objects.filter(run=forecast, channel=None)
        return list(rows.order_by("-total_mean", "id")[: int(run.payload.get("largest", 10))])
    keys = [SeriesKey(*named) for named in run.payload["series"]]
    products = {key.product_id for key in keys}
    every: list[Forecast] = [
        *SeriesForecast.objects.filter(run=forecast, product_id__in=products)
        .select_related("channel")
        .order_by("-total_mean", "id"),
        *SegmentForecast.objects.filter(run=forecast, product_id__in=products)
        .select_related("segment")
        .order_by("-total_mean", "id"),
    ]
    kept = [row for row in every if key_of(row) in keys]
    if not kept:
        raise JobFailed(_("This forecast has been replaced by a newer one. Explain that one."))
    return kept


def _who_made(run: JobRun, forecast: ForecastRun) -> FittedForecaster:
    with run.scope():
        found = ForecastRun.objects.select_related("network").get(pk=forecast.pk)
    try:
        return artefacts.read_forecaster(found)
    except artefacts.ArtefactRefused as refusal:
        raise JobFailed(
            _("What made this forecast is no longer kept. Forecast again.")
        ) from refusal


def _explain(
    forecaster: FittedForecaster, demand: DemandPanel, origin: date, row: int, factor: float
) -> dict[str, Any]:
    from forecasting.pipeline.explanation import explain

    found = explain(forecaster, demand.panel, origin, row, level_factor=factor)
    return found.to_json()


def _differs(series: Forecast, prediction: list[float]) -> bool:
    """Tell whether demand known now would have made another forecast than the one stored."""
    stored = np.array(series.mean)
    made = np.maximum(np.array(prediction)[: len(stored)], 0)
    gap = float(np.abs(stored[: len(made)] - made).sum())
    return gap > AGREES_WITHIN * max(float(stored.sum()), 1e-3)
