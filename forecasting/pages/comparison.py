"""Trainings side by side, and what training may cost."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from forecasting.pages.actions import attempt
from forecasting.pages.training import networks_page
from forecasting.pages.training_forms import BudgetForm
from forecasting.queries import comparison, training
from forecasting.queries.cleaning import read_cleaning
from forecasting.services.compute import update_forecast_settings
from forecasting.services.training import KIND, resume_training
from tenancy.models import JobState
from tenancy.pages.filters import offer, row_field
from tenancy.services.jobs import cancel_job

OFFERED = 50


class ComparisonForm(forms.Form):
    first = row_field(gettext_lazy("First"))
    second = row_field(gettext_lazy("Second"))

    def __init__(self, data: Any, known: list[tuple[int, str]]) -> None:
        super().__init__(data)
        for name in ("first", "second"):
            offer(self, name, _("Choose a network"), known)


@require_safe
def network_compare(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show two trainings side by side; without a choice, the two newest."""
    networks = list(training.networks()[:OFFERED])
    known = {row.pk: row for row in networks}
    newest = [row.pk for row in networks[:2]]
    usual = {"first": newest[-1], "second": newest[0]} if networks else {}
    chosen = {name: request.GET[name] for name in ("first", "second") if name in request.GET}
    form = ComparisonForm(usual | chosen, [(row.pk, str(row)) for row in networks])
    context: dict[str, Any] = {"filters": form, "nav_section": "networks"}
    if form.is_valid():
        pair = [known.get(form.cleaned_data[name]) for name in ("first", "second")]
        if pair[0] is not None and pair[1] is not None:
            first, second = pair[0], pair[1]
            context |= {
                "pair": [
                    (row, training.loss_charts(row.epochs), comparison.who_serves(row), found)
                    for row, found in zip(
                        (first, second), read_cleaning([first, second]), strict=True
                    )
                ],
                "methods": comparison.compare_methods(first, second),
                "settings": comparison.compare_settings(first, second),
            }
    return render(request, "forecasting/network_compare.html", context)


@require_POST
def training_cancel(request: HttpRequest, tenant: str) -> HttpResponse:
    """Cancel the training that waits or runs; its epochs are kept to be resumed."""
    job = training.latest_job(KIND)
    if job is not None and job.state in JobState.open():
        attempt(
            request,
            lambda: cancel_job(job_id=job.pk),
            lambda _job: _("The training stops after this epoch. It can be resumed."),
        )
    return redirect(reverse("forecasting:network_list", args=[tenant]))


@require_POST
def training_resume(request: HttpRequest, tenant: str, job_id: int) -> HttpResponse:
    """Queue the rest of a training that was cancelled or has failed."""
    attempt(
        request,
        lambda: resume_training(job_id=job_id),
        lambda _job: _("The training goes on from its last epoch."),
    )
    return redirect(reverse("forecasting:network_list", args=[tenant]))


@require_POST
def budget_change(request: HttpRequest, tenant: str) -> HttpResponse:
    """Change what training may cost."""
    form = BudgetForm(request.POST)
    if form.is_valid():
        attempt(
            request,
            lambda: update_forecast_settings(**form.cleaned_data),
            lambda _settings: _("The limits of training are changed."),
        )
        return redirect(reverse("forecasting:network_list", args=[tenant]))
    return networks_page(request, tenant, refused_budget=form)
