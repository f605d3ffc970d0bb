"""Why a forecast is what it is: sentences, the heat map of days and causes, similar weeks."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from forecasting.pages.actions import attempt
from forecasting.queries import explanations
from forecasting.queries.forecasts import get_series
from forecasting.queries.neighbours import neighbours_of
from forecasting.queries.parts import parts_of
from forecasting.services.cold_start_words import basis_sentences, part_sentences
from forecasting.services.explanation_words import rule_sentences, sentences
from forecasting.services.explanations import request_explanation


@require_safe
def explanation_detail(
    request: HttpRequest, tenant: str, product_id: int, warehouse_id: int
) -> HttpResponse:
    """Show the explanation of a forecast; while it is being made the page follows the job."""
    series = get_series(product_id, warehouse_id)
    found = explanations.find_explanation(series)
    job = None if found else explanations.job_of(series)
    here = reverse("forecasting:explanation_detail", args=[tenant, product_id, warehouse_id])
    context: dict[str, Any] = {
        "series": series,
        "job": job,
        "job_is_open": explanations.is_open(job),
        "poll_url": here,
        "nav_section": "forecasts",
    }
    if found is not None:
        content, unit = found.content, series.product.base_unit
        context |= {
            "explanation": found,
            "sentences": sentences(content, unit),
            "rules": [
                *rule_sentences(content, unit),
                *basis_sentences(series, neighbours_of(series)),
                *part_sentences(parts_of(series)),
            ],
            "days": explanations.forecast_days_of(content),
            "prediction": content["prediction"],
            "places": 2 if sum(content["prediction"]) < 5 * len(content["prediction"]) else 1,
            "heat": explanations.heat_map(content),
            "similar": explanations.similar_seen(content, series),
            "looked_back": explanations.looked_back_chart(content, unit),
        }
    if request.headers.get("HX-Request") == "true":
        response = render(request, "forecasting/_explanation_job.html", context)
        if not context["job_is_open"]:
            response["HX-Refresh"] = "true"
        return response
    return render(request, "forecasting/explanation_detail.html", context)


@require_POST
def explain_now(
    request: HttpRequest, tenant: str, product_id: int, warehouse_id: int
) -> HttpResponse:
    """Queue the explanation of the forecast in use."""
    attempt(
        request,
        lambda: request_explanation(product_id=product_id, warehouse_id=warehouse_id),
        lambda _job: _("The forecast is being taken apart."),
    )
    return redirect(
        reverse("forecasting:explanation_detail", args=[tenant, product_id, warehouse_id])
    )
