"""The jobs of forecasting: train, forecast, suggest, warn, and the plan of the last three."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from forecasting.models import ForecastRun
from forecasting.services import (
    accuracy,
    compute,
    digest,
    explanations,
    forecasts,
    job_outcomes,  # noqa: F401  registers what the jobs say at their end
    networks,
    replenishment,
    retraining,
    risk,
    signal_files,
    training,
    tuning,
)
from tenancy.models import JobQueue
from tenancy.services.jobs import JobRun, job_handler
from tenancy.services.schedules import register_schedule


@job_handler(training.KIND, queue=JobQueue.TRAINING, title=_("Train the network"))
def train_network(run: JobRun) -> dict[str, Any]:
    """Train; the job ends together with the network it publishes."""
    network = compute.measured(run, training.train_network)
    return {} if network is None else networks.result_of(network)


@job_handler(tuning.KIND, queue=JobQueue.TRAINING, title=_("Tune the network"))
def tune_network(run: JobRun) -> dict[str, Any]:
    return compute.measured(run, tuning.tune_network) or {}


@job_handler(signal_files.KIND, title=_("Import signals"))
def import_signals(run: JobRun) -> dict[str, Any]:
    return signal_files.run_signal_import(run)


@job_handler(forecasts.KIND, title=_("Forecast demand"))
def make_forecasts(run: JobRun) -> dict[str, Any]:
    forecast = compute.measured(run, forecasts.make_forecasts)
    forecasts.forget_old_series(run)
    return _summary(forecast)


@job_handler(accuracy.KIND, title=_("Score forecasts"))
def score_forecasts(run: JobRun) -> dict[str, Any]:
    return accuracy.score_forecasts(run)


@job_handler(explanations.KIND, title=_("Explain forecasts"))
def explain_forecasts(run: JobRun) -> dict[str, Any]:
    return compute.measured(run, explanations.explain_forecasts)


@job_handler(replenishment.KIND, title=_("Suggest orders"))
def make_suggestions(run: JobRun) -> dict[str, Any]:
    return replenishment.make_suggestions(run)


@job_handler(risk.KIND, title=_("Look for risks"))
def make_warnings(run: JobRun) -> dict[str, Any]:
    return risk.make_warnings(run)


@job_handler(digest.KIND, title=_("Mail the warnings"))
def send_digests(run: JobRun) -> dict[str, Any]:
    return digest.send_digests(run)


@job_handler(forecasts.PLANNING_KIND, title=_("Plan: forecast, suggest, warn"))
def run_planning(run: JobRun) -> dict[str, Any]:
    """Forecast, score the past, suggest and warn. Each step may run twice without harm.

    Scores leave out the closed days that forecasting finds; old forecasts go when they are scored.
    """
    forecast = compute.measured(run, forecasts.make_forecasts)
    scored = accuracy.score_forecasts(run)
    forecasts.forget_old_series(run)
    return {
        **_summary(forecast),
        **scored,
        **replenishment.make_suggestions(run),
        **risk.make_warnings(run),
    }


def _summary(forecast: ForecastRun) -> dict[str, Any]:
    return {
        "forecast_run": forecast.pk,
        "origin": forecast.origin.isoformat(),
        "series": forecast.series_count,
        "methods": forecast.methods,
    }


register_schedule(forecasts.PLANNING_KIND, "day", at_hour=4)
register_schedule(digest.KIND, "day", at_hour=7)
register_schedule(training.KIND, "week", at_hour=2, on_weekday=6, payload=retraining.IF_IT_PAYS)
