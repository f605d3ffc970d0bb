"""Explanations of stored forecasts: asked for, made by a job, kept beside their run."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from forecasting.models import ForecastExplanation, ForecastRun, SeriesForecast
from forecasting.queries.forecasts import get_series, latest_run
from forecasting.queries.series import DemandPanel, SeriesKey, load_panel
from forecasting.queries.signals import signal_kinds
from forecasting.services import artefacts
from forecasting.services.forecasts import Serving, who_serves
from tenancy.models import Job, JobState
from tenancy.permissions import Permission, require
from tenancy.services import audit
from tenancy.services.jobs import JobFailed, JobRun, enqueue_job

KIND = "explain_forecasts"
AGREES_WITHIN = 0.01
"""A larger difference between the forecast stored and the one made again is told."""


def request_explanation(*, product_id: int, warehouse_id: int) -> Job:
    """Queue the explanation of the forecast in use, or return the job that makes it already.

    Raises ``PermissionRefused`` and ``NotFound``.
    """
    require(Permission.PLAN)
    series = get_series(product_id, warehouse_id)
    payload = {"run": series.run_id, "series": [[product_id, warehouse_id]]}
    waiting = Job.objects.filter(kind=KIND, state__in=JobState.open(), payload=payload)
    open_job = waiting.order_by("id").first()
    if open_job is not None:
        return open_job
    job = enqueue_job(kind=KIND, payload=payload)
    audit.record("explanation.requested", job, sku=series.product.sku)
    return job


def explain_forecasts(run: JobRun) -> dict[str, Any]:
    """Explain the forecasts of the series asked for; without any, those of the largest demand.

    Raises ``JobFailed`` where the run, its network or the series are gone.
    """
    run.progress(0, 2, _("Reading demand"))
    with run.scope():
        forecast = _run_asked_for(run)
        wanted = _series_asked_for(run, forecast)
        demand = load_panel()
        kinds = signal_kinds()
    if demand is None:
        raise JobFailed(_("There is no demand any more: there is nothing to explain."))
    serving = _served_by(run, forecast, demand)
    rows = {key: row for row, key in enumerate(demand.keys)}
    made: list[ForecastExplanation] = []
    for number, series in enumerate(wanted):
        run.progress(number, len(wanted), _("Taking the forecast apart"))
        row = rows.get(SeriesKey(series.product_id, series.warehouse_id))
        if row is None:
            raise JobFailed(_("The product is no longer in use. Forecast again."))
        content = _explain(serving, demand, forecast, row) | {"kinds": kinds}
        content["stored_total"] = series.total_mean
        content["differs"] = _differs(series, content["prediction"])
        made.append(
            ForecastExplanation(
                run=forecast,
                product_id=series.product_id,
                warehouse_id=series.warehouse_id,
                content=content,
            )
        )
    with run.publishing():
        ForecastExplanation.objects.bulk_create(
            made,
            update_conflicts=True,
            update_fields=["content"],
            unique_fields=["tenant", "run", "product", "warehouse"],
        )
    return {"explained": len(made)}


def _run_asked_for(run: JobRun) -> ForecastRun:
    asked = run.payload.get("run")
    found = ForecastRun.objects.filter(pk=asked).first() if asked else latest_run()
    if found is None:
        raise JobFailed(_("There is no forecast to explain yet. Forecast first."))
    return found


def _series_asked_for(run: JobRun, forecast: ForecastRun) -> list[SeriesForecast]:
    rows = SeriesForecast.objects.filter(run=forecast, channel=None).order_by("-total_mean", "id")
    if "series" not in run.payload:
        return list(rows[: int(run.payload.get("largest", 10))])
    pairs = {(product, warehouse) for product, warehouse in run.payload["series"]}
    found = rows.filter(product_id__in={product for product, _warehouse in pairs})
    kept = [row for row in found if (row.product_id, row.warehouse_id) in pairs]
    if not kept:
        raise JobFailed(_("This forecast has been replaced by a newer one. Explain that one."))
    return kept


def _served_by(run: JobRun, forecast: ForecastRun, demand: DemandPanel) -> Serving:
    if forecast.network_id is None:
        return who_serves(run, demand)
    with run.scope():
        network = ForecastRun.objects.select_related("network").get(pk=forecast.pk).network
    try:
        return Serving(artefacts.read_artefact(network), network)
    except artefacts.ArtefactRefused as refusal:
        raise JobFailed(
            _("The network behind this forecast is no longer kept. Forecast again.")
        ) from refusal


def _explain(
    serving: Serving, demand: DemandPanel, forecast: ForecastRun, row: int
) -> dict[str, Any]:
    from forecasting.pipeline.explanation import explain

    return explain(serving.forecaster, demand.panel, forecast.origin, row).to_json()


def _differs(series: SeriesForecast, prediction: list[float]) -> bool:
    """Tell whether demand known now would have made another forecast than the one stored."""
    stored = np.array(series.mean)
    made = np.maximum(np.array(prediction)[: len(stored)], 0)
    gap = float(np.abs(stored[: len(made)] - made).sum())
    return gap > AGREES_WITHIN * max(float(stored.sum()), 1e-3)
