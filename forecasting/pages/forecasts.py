"""Forecasts: the list, one product in one warehouse, and the fragment the product page loads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from forecasting.models import SeriesForecast
from forecasting.pages.actions import attempt
from forecasting.pages.override_forms import OverrideForm
from forecasting.pipeline.series import Reason
from forecasting.queries import cleaning, fans, forecasts, overrides, risk, suggestions
from forecasting.queries.neighbours import neighbours_of
from forecasting.queries.parts import parts_of
from forecasting.queries.series import business_today
from forecasting.queries.training import accuracy_of
from forecasting.services.cold_start_words import basis_sentences
from forecasting.services.forecasts import request_planning
from forecasting.templatetags.planning import CLASSES, class_name, method_name
from inventory.queries.catalog import get_product
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.queries.keyset import keyset_page

ORDER = ("-total_mean", "id")
JUDGED = (Reason.CONTEST, Reason.GATE)
"""Only what the contest decided did as its backtest says: all else is served by another rule."""


class ForecastFilterForm(forms.Form):
    q = search_field(gettext_lazy("SKU or name"))
    warehouse = row_field(gettext_lazy("Warehouse"))
    demand_class = forms.ChoiceField(label=gettext_lazy("Demand"), required=False)
    method = forms.ChoiceField(label=gettext_lazy("Method"), required=False)

    def __init__(self, data: Any, methods: list[str]) -> None:
        super().__init__(data)
        offer(self, "warehouse", _("All warehouses"), suggestions.warehouses())
        offer(
            self,
            "demand_class",
            _("All demand"),
            [(code, class_name(code)) for code in CLASSES if code != "all"],
        )
        offer(self, "method", _("All methods"), [(code, method_name(code)) for code in methods])

    def wanted(self) -> forecasts.ForecastFilter:
        """Return the filter; a value that is not on offer filters nothing."""
        self.is_valid()
        cleaned = self.cleaned_data
        return forecasts.ForecastFilter(
            text=cleaned.get("q", ""),
            warehouse_id=cleaned.get("warehouse"),
            demand_class=cleaned.get("demand_class", ""),
            method=cleaned.get("method", ""),
        )


@require_safe
def forecast_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the forecasts in use, the largest demand first."""
    run = forecasts.latest_run()
    context: dict[str, Any] = {"run": run, "nav_section": "forecasts"}
    if run is not None:
        form = ForecastFilterForm(request.GET or None, sorted(run.methods))
        rows = forecasts.forecast_list(run, form.wanted() if form.is_bound else _everything())
        page = keyset_page(rows, order=ORDER, cursor=request.GET.get("cursor", ""))
        lines = fans.sparklines(page.items)
        changed = overrides.changed_forecasts(page.items)
        context |= {
            "filters": form,
            "page": page,
            "rows": [(row, lines.get(row.pk, []), changed.get(row.pk)) for row in page.items],
            "is_stale": forecasts.is_stale(run),
            "age_days": forecasts.age_days(run),
            "anchored_by": abs(round(100 * (run.level_factor - 1))),
            "is_raised": run.level_factor > 1,
            "silent_signals": forecasts.silent_signals(run),
            "closed_lately": cleaning.closed_lately(run),
            "methods": sorted(run.methods.items(), key=lambda item: -item[1]),
            "accuracy": accuracy_of(run.network),
        }
    return render(request, "forecasting/forecast_list.html", context)


def _everything() -> forecasts.ForecastFilter:
    return forecasts.ForecastFilter()


@require_safe
def forecast_detail(
    request: HttpRequest, tenant: str, product_id: int, warehouse_id: int
) -> HttpResponse:
    """Show the forecast of a product in a warehouse, of all channels or of one."""
    channel = request.GET.get("channel", "")
    series = forecasts.get_series(
        product_id, warehouse_id, int(channel) if channel.isdecimal() else None
    )
    return render(request, "forecasting/forecast_detail.html", detail_context(tenant, series, None))


def detail_context(
    tenant: str, series: SeriesForecast, change_form: forms.Form | None
) -> dict[str, Any]:
    """Return what the page of a forecast shows; a refused form of a change comes with it."""
    product_id, warehouse_id = series.product_id, series.warehouse_id
    return _fan_context(series) | {
        "tabs": _channel_tabs(tenant, series),
        "parts": parts_of(series) if series.channel_id is None else [],
        "suggestion": suggestions.open_suggestion_of(product_id, warehouse_id),
        "warnings": list(risk.live_warnings_of(product_id, warehouse_id)),
        "change_form": change_form or OverrideForm(initial=_next_week()),
        "nav_section": "forecasts",
    }


def _next_week() -> dict[str, Any]:
    tomorrow = business_today() + timedelta(days=1)
    return {"first_day": tomorrow, "last_day": tomorrow + timedelta(days=6)}


@require_safe
def product_forecast(request: HttpRequest, tenant: str, product_id: int) -> HttpResponse:
    """Return the fragment a product page loads: the fan, the suggestion, and the warnings.

    ``?warehouse=`` chooses one of several; without a forecast the fragment says so.
    """
    get_product(product_id)  # a product that is not this tenant's has no address here
    found = forecasts.forecasts_of_product(product_id)
    context: dict[str, Any] = {"product_id": product_id, "series": None}
    if found:
        wanted = request.GET.get("warehouse", "")
        series = next((row for row in found if str(row.warehouse_id) == wanted), found[0])
        context = _fan_context(series) | {
            "choices": found if len(found) > 1 else [],
            "suggestion": suggestions.open_suggestion_of(product_id, series.warehouse_id),
            "warnings": list(risk.live_warnings_of(product_id, series.warehouse_id)),
            "product_id": product_id,
        }
    return render(request, "forecasting/_product_forecast.html", context)


@require_POST
def plan_now(request: HttpRequest, tenant: str) -> HttpResponse:
    """Queue forecasts, suggestions and warnings."""
    attempt(request, request_planning, lambda _job: _("Planning has been queued."))
    wanted = request.POST.get("next", "")
    ours = {reverse(name, args=[tenant]) for name in _PLANNED_FROM}
    return redirect(
        wanted if wanted in ours else reverse("forecasting:forecast_list", args=[tenant])
    )


_PLANNED_FROM = (
    "forecasting:dashboard",
    "forecasting:forecast_list",
    "forecasting:suggestion_list",
    "forecasting:warning_list",
    "forecasting:network_list",
)


def _fan_context(series: SeriesForecast) -> dict[str, Any]:
    changes = overrides.overrides_of(series.product_id, series.warehouse_id)
    return {
        "series": series,
        "changes": changes,
        "outdone": overrides.outdone(changes),
        "forecast_until": forecasts.last_day_of(series.run),
        "fan": fans.read_fan(series, overrides.changed_forecasts([series]).get(series.pk)),
        "is_new": series.reason == Reason.NEW,
        "accuracy": accuracy_of(series.run.network, series.demand_class)
        if series.reason in JUDGED
        else None,
        "similar_told": basis_sentences(series, neighbours_of(series)),
        "is_stale": forecasts.is_stale(series.run),
        "age_days": forecasts.age_days(series.run),
    }


def _channel_tabs(tenant: str, series: SeriesForecast) -> list[dict[str, Any]]:
    channels = fans.channel_tabs(series)
    if not channels:
        return []
    here = reverse(
        "forecasting:forecast_detail", args=[tenant, series.product_id, series.warehouse_id]
    )
    everything = {"label": _("All channels"), "href": here, "current": series.channel_id is None}
    return [
        everything,
        *[
            {"label": name, "href": f"{here}?channel={pk}", "current": pk == series.channel_id}
            for pk, name in channels
        ],
    ]
