"""Why a forecast is what it is: sentences, the heat map of days and causes, similar weeks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from forecasting.pages.actions import attempt
from forecasting.queries import explanations
from forecasting.queries.parts import get_forecast, part_name
from forecasting.services.cold_start_words import whole_sentences
from forecasting.services.explanation_words import rule_sentences, sentences
from forecasting.services.explanations import request_explanation

SMALL_SUM = 50
"""Sums below so many units are written with a decimal."""


@require_safe
def explanation_detail(
    request: HttpRequest, tenant: str, product_id: int, warehouse_id: int
) -> HttpResponse:
    """Show the explanation of a forecast; while it is being made the page follows the job.

    ``?channel=`` or ``?segment=`` chooses a part of it.
    """
    part = _part_asked_for(request.GET)
    series = get_forecast(product_id, warehouse_id, **part)
    query = _query_of(part)
    found = explanations.find_explanation(series)
    job = None if found else explanations.job_of(series)
    here = reverse("forecasting:explanation_detail", args=[tenant, product_id, warehouse_id])
    here += query
    context: dict[str, Any] = {
        "series": series,
        "job": job,
        "job_is_open": explanations.is_open(job),
        "poll_url": here,
        "part_name": part_name(series),
        "part": {name: pk for name, pk in part.items() if pk is not None},
        "forecast_query": query if part["channel_id"] else "",
        "nav_section": "forecasts",
    }
    if found is not None:
        content, unit = found.content, series.product.base_unit
        heat = explanations.heat_map(content)
        days = explanations.forecast_days_of(content)
        context |= {
            "explanation": found,
            "sentences": sentences(content, unit),
            "rules": [
                *rule_sentences(content, unit),
                *whole_sentences(series),
            ],
            "days": days,
            "months": explanations.months_of(days),
            "prediction": content["prediction"],
            "places": _places(content["prediction"]),
            "week_places": max(_places(content["prediction"]) - 1, 0),
            "sum_places": 1 if series.total_mean < SMALL_SUM else 0,
            "heat": heat,
            "heat_weeks": explanations.heat_weeks(heat),
            "prediction_weeks": explanations.weekly(content["prediction"]),
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
    """Queue the explanation of the forecast in use, or of a part of it."""
    part = _part_asked_for(request.POST)
    attempt(
        request,
        lambda: request_explanation(product_id=product_id, warehouse_id=warehouse_id, **part),
        lambda _job: _("The forecast is being taken apart."),
    )
    return redirect(
        reverse("forecasting:explanation_detail", args=[tenant, product_id, warehouse_id])
        + _query_of(part)
    )


def _part_asked_for(asked: QueryDict) -> dict[str, int | None]:
    """Return the channel and segment named; what is no number is nobody's."""
    given = {f"{kind}_id": asked.get(kind, "") for kind in ("channel", "segment")}
    return {name: int(text) if text.isdecimal() else None for name, text in given.items()}


def _query_of(part: dict[str, int | None]) -> str:
    named = {name.removesuffix("_id"): pk for name, pk in part.items() if pk is not None}
    return f"?{urlencode(named)}" if named else ""


def _places(prediction: list[float]) -> int:
    """Return how many places the numbers of a day need: fewer the more is asked for."""
    daily = sum(prediction) / max(len(prediction), 1)
    return 2 if daily < 5 else 1 if daily < 100 else 0
