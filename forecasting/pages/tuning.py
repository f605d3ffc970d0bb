"""Tuning: start a search for better settings, watch its trials, use the best."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forecasting.queries.compute import forecast_settings, read_spending
from forecasting.queries.tuning import (
    is_open,
    read_trials,
    searches,
    tunable,
    tuned_settings,
)
from forecasting.services.tuning import (
    LEAST_MINUTES,
    MOST_MINUTES,
    forget_settings,
    request_tuning,
    use_settings,
)
from forecasting.templatetags.planning import method_name
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.services.jobs import cancel_job

NAV = "networks"
USUAL_MINUTES = 20


class TuningForm(forms.Form):
    network = forms.ChoiceField(
        label=gettext_lazy("Network"),
        help_text=gettext_lazy("Of those that take part in your trainings."),
    )
    budget_minutes = forms.IntegerField(
        label=gettext_lazy("CPU minutes"),
        min_value=LEAST_MINUTES,
        max_value=MOST_MINUTES,
        initial=USUAL_MINUTES,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("They count towards the minutes of the month."),
    )

    def __init__(self, data: Any, names: list[str]) -> None:
        super().__init__(data)
        field = self.fields["network"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  declared above
        field.choices = [(name, method_name(name)) for name in names]


@require_http_methods(["GET", "HEAD", "POST"])
def tuning(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show the newest search with its trials, and take the order for another."""
    require(Permission.READ)
    offered = tunable(forecast_settings())
    form = TuningForm(request.POST if request.method == "POST" else None, offered)

    def effect(data: dict[str, Any]) -> str:
        request_tuning(**data)
        return address(request, "forecasting:tuning")

    if request.method == "POST":
        sent = send_form(request, form, effect, _("The search is queued."))
        if sent is not None:
            return sent
    return show(
        request,
        "forecasting/tuning.html",
        NAV,
        status=UNPROCESSABLE if form.is_bound else 200,
        form=form,
        offered=offered,
        spending=read_spending(),
        **_search_context(request),
    )


@require_safe
def tuning_progress(request: HttpRequest, tenant: str) -> HttpResponse:
    """Return the live part of the page: the trials so far."""
    require(Permission.READ)
    context = _search_context(request)
    response = show(request, "forecasting/_trials.html", NAV, **context)
    if not context["job_is_open"]:
        # a refresh of the page that a refused order is shown on would order again
        response["HX-Redirect"] = address(request, "forecasting:tuning")
    return response


@require_POST
def tuning_cancel(request: HttpRequest, tenant: str) -> HttpResponse:
    """Stop the search that waits or runs; its trials are kept."""
    found = [job for job in searches() if is_open(job)]
    if not found:
        raise Http404
    return do(
        request,
        lambda: cancel_job(job_id=found[0].pk),
        done=_("The search stops after this epoch. Its trials are kept."),
        target=address(request, "forecasting:tuning"),
    )


@require_POST
def tuning_use(request: HttpRequest, tenant: str, job_id: int, trial_number: int) -> HttpResponse:
    """Train with the settings of a trial from now on."""
    return do(
        request,
        lambda: use_settings(job_id=job_id, number=trial_number),
        done=_("The next training uses these settings."),
        target=address(request, "forecasting:tuning"),
    )


@require_POST
def tuning_forget(request: HttpRequest, tenant: str, network: str) -> HttpResponse:
    """Train with the usual settings again."""
    return do(
        request,
        lambda: forget_settings(network=network),
        done=_("The next training uses the usual settings."),
        target=address(request, "forecasting:tuning"),
    )


def _search_context(request: HttpRequest) -> dict[str, Any]:
    found = searches()
    job = found[0] if found else None
    trials = read_trials(job) if job else []
    tuned = tuned_settings(forecast_settings())
    used = tuned.get(str(job.payload.get("network")), {}) if job else {}
    in_use = used.get("trial") if job is not None and used.get("job") == job.pk else None
    return {
        "job": job,
        "job_is_open": is_open(job),
        "is_cancelling": job is not None and job.cancel_requested_at is not None,
        "network": str(job.payload.get("network")) if job else "",
        "trials": sorted(
            trials, key=lambda one: (one.loss is None, one.state != "complete", one.loss)
        ),
        "best": next((one for one in trials if one.is_best), None),
        "in_use": in_use,
        "tuned": list(tuned.items()),
        "progress_url": address(request, "forecasting:tuning_progress"),
    }
