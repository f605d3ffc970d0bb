"""Networks: who won the contest and why, the loss curve as it grows, train now, roll back."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from forecasting.models import TrainedNetwork
from forecasting.pages.actions import attempt
from forecasting.pages.training_forms import (
    NETWORK_HINTS,
    BudgetForm,
    TrainingChoicesForm,
    budget_form,
    choices_form,
)
from forecasting.queries import training
from forecasting.queries.cleaning import read_cleaning
from forecasting.queries.comparison import who_serves
from forecasting.queries.compute import forecast_settings, read_spending
from forecasting.services.forecasts import PLANNING_KIND
from forecasting.services.networks import roll_back_network
from forecasting.services.retraining import retraining_words
from forecasting.services.training import KIND, request_training
from tenancy.models import Job, JobState
from tenancy.pages.web import UNPROCESSABLE

SHOWN = 20


@require_safe
def network_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show the network in use, its contest, and every network before it."""
    return networks_page(request, tenant)


def networks_page(
    request: HttpRequest,
    tenant: str,
    *,
    refused_budget: BudgetForm | None = None,
    refused_choices: TrainingChoicesForm | None = None,
) -> HttpResponse:
    """Show the page of networks; a refused form comes with it."""
    networks = list(training.networks()[:SHOWN])
    in_use = training.network_in_use()
    of_another = training.run_of_another(in_use)
    limits = forecast_settings()
    shown = in_use or (networks[0] if networks else None)
    context = _network_context(shown) | _job_context(tenant) | {
        "networks": networks,
        "in_use": in_use,
        "run_of_another": of_another,
        "is_planning": of_another is not None and _is_open(training.latest_job(PLANNING_KIND)),
        "spending": read_spending(limits),
        "limits": limits,
        "budget_form": refused_budget or budget_form(limits),
        "choices_form": refused_choices or choices_form(limits),
        "network_hints": NETWORK_HINTS,
        "nav_section": "networks",
    }  # fmt: skip
    status = UNPROCESSABLE if refused_budget or refused_choices else 200
    return render(request, "forecasting/network_list.html", context, status=status)


@require_safe
def network_detail(request: HttpRequest, tenant: str, network_id: int) -> HttpResponse:
    """Show one network: its contest, loss curve, what cleaning found."""
    network = training.get_network(network_id)
    context = _network_context(network) | {"nav_section": "networks"}
    return render(request, "forecasting/network_detail.html", context)


@require_safe
def training_progress(request: HttpRequest, tenant: str) -> HttpResponse:
    """Return the live part of the networks page: the newest training and its loss curve."""
    response = render(request, "forecasting/_training.html", _job_context(tenant))
    if request.GET.get("was") == "open" and not _is_open(training.latest_job(KIND)):
        # the new network changes the whole page; a refresh would send a refused form once more
        response["HX-Redirect"] = reverse("forecasting:network_list", args=[tenant])
    return response


def _begun(job: Job) -> str:
    if job.state == JobState.RUNNING:
        return _("A training is running already. There is one at a time.")
    return _("The training has been queued.")


@require_POST
def train_now(request: HttpRequest, tenant: str) -> HttpResponse:
    """Queue a training."""
    attempt(request, request_training, _begun)
    return redirect(reverse("forecasting:network_list", args=[tenant]))


@require_POST
def network_roll_back(request: HttpRequest, tenant: str, network_id: int) -> HttpResponse:
    """Put an earlier network back in use."""
    attempt(
        request,
        lambda: roll_back_network(network_id=network_id),
        lambda network: (
            _("Network %(number)d is in use again. The next forecasts come from it.")
            % {"number": network.number}
        ),
    )
    return redirect(reverse("forecasting:network_list", args=[tenant]))


def _network_context(network: TrainedNetwork | None) -> dict[str, Any]:
    if network is None:
        return {"network": None}
    return {
        "network": network,
        "tables": training.league_tables(network),
        "losses": training.loss_charts(network.epochs),
        "importance": training.importance_tables(network),
        "who_serves": who_serves(network),
        "serving": training.accuracy_of(network),
        "cleaning": read_cleaning([network])[0],
    }


def _job_context(tenant: str) -> dict[str, Any]:
    job = training.latest_job(KIND)
    live = _is_open(job)
    epochs = job.progress_detail.get("epochs", []) if job else []
    return {
        "job": job,
        "job_is_open": live,
        "kept_because": retraining_words(job.result["why"], job.result["facts"])
        if job and job.result and job.result.get("kept")
        else "",
        "is_cancelling": live and job is not None and job.cancel_requested_at is not None,
        "can_resume": job is not None and job.state in (JobState.CANCELLED, JobState.FAILED),
        "epochs_done": len(epochs),
        "seconds_left": training.seconds_left(job) if live else None,
        "job_losses": training.loss_charts(epochs) if live else [],
        "progress_url": reverse("forecasting:training_progress", args=[tenant]) + "?was=open",
    }


def _is_open(job: Job | None) -> bool:
    return job is not None and job.state in JobState.open()
