"""Accuracy: predicted against actual, bias and coverage, trend over runs, worst series, CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_safe

from forecasting.queries import suggestions, training
from forecasting.queries.accuracy import (
    Accuracy,
    AccuracyFilter,
    SeriesFigures,
    planners_changes,
    read_accuracy,
    series_figures,
)
from forecasting.templatetags.planning import CLASSES, class_name
from inventory.rules.importing.values import neutralised
from tenancy.pages.filters import offer, row_field, search_field

WEEKS = 4
SHOWN_OVERRIDES = 10


class AccuracyFilterForm(forms.Form):
    q = search_field(gettext_lazy("SKU or name"))
    warehouse = row_field(gettext_lazy("Warehouse"))
    demand_class = forms.ChoiceField(label=gettext_lazy("Demand"), required=False)
    week = row_field(gettext_lazy("Week ahead"))

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        offer(self, "warehouse", _("All warehouses"), suggestions.warehouses())
        kinds = [(code, class_name(code)) for code in CLASSES if code != "all"]
        offer(self, "demand_class", _("All demand"), kinds)
        weeks = [(week, _("Week %(week)d") % {"week": week}) for week in range(1, WEEKS + 1)]
        offer(self, "week", _("All weeks ahead"), weeks)

    def wanted(self) -> AccuracyFilter:
        """Return the filter; a value that is not on offer filters nothing."""
        self.is_valid()
        cleaned = self.cleaned_data
        return AccuracyFilter(
            text=cleaned.get("q", ""),
            warehouse_id=cleaned.get("warehouse"),
            demand_class=cleaned.get("demand_class", ""),
            week=cleaned.get("week"),
        )


@require_safe
def accuracy_detail(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show how good the forecasts turned out to be."""
    form = AccuracyFilterForm(request.GET or None)
    wanted = form.wanted() if form.is_bound else AccuracyFilter()
    found = read_accuracy(wanted)
    network = training.network_in_use() or training.newest_network()
    context = {
        "filters": form,
        "accuracy": found,
        "trend": _trend(found),
        "trend_week": wanted.week or 1,
        "chart": _chart(found),
        "scores": planners_changes(wanted, most=SHOWN_OVERRIDES),
        "tables": training.league_tables(network) if network else [],
        "network": network,
        "nav_section": "accuracy",
    }
    return render(request, "forecasting/accuracy_detail.html", context)


@require_safe
def accuracy_export(request: HttpRequest, tenant: str) -> HttpResponse:
    """Return the figures of every series under the filter as CSV."""
    form = AccuracyFilterForm(request.GET or None)
    rows = series_figures(form.wanted() if form.is_bound else AccuracyFilter())
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["sku", "product", "warehouse", "unit", "days", "demand", "predicted", "absolute_error",
         "naive_error", "wape", "bias", "wql", "coverage_80", "value_added", "week_wape"]
    )  # fmt: skip
    for row in rows:
        writer.writerow(_csv_row(row))
    response = HttpResponse(out.getvalue().encode("utf-8-sig"), content_type="text/csv")
    response["Content-Disposition"] = 'attachment; filename="accuracy.csv"'
    return response


def _csv_row(row: SeriesFigures) -> list[Any]:
    one = row.figures
    measures = (one.wape, one.bias, one.wql, one.coverage_80, one.value_added, one.week_wape)
    return [
        neutralised(row.sku),
        neutralised(row.name),
        neutralised(row.warehouse),
        neutralised(row.unit),
        one.days,
        *[round(value, 4) for value in (one.actual, one.predicted, one.error, one.naive_error)],
        *["" if value is None else round(value, 5) for value in measures],
    ]


def _trend(found: Accuracy) -> dict[str, Any] | None:
    """Return the error of each run beside the naive one, for the line chart; None before two."""
    if len(found.trend) < 2:
        return None
    return {
        "labels": [origin for origin, _figures in found.trend],
        "series": [
            {
                "label": _("Error"),
                "values": [_percent(one.wape) for _origin, one in found.trend],
                "tone": "accent",
            },
            {
                "label": _("Same weekday last week"),
                "values": [_percent(one.naive_wape) for _origin, one in found.trend],
                "tone": "neutral",
                "dashed": True,
            },
        ],
        "unit": "%",
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)


def _chart(found: Accuracy) -> dict[str, Any] | None:
    if found.chart is None:
        return None
    return {
        "labels": found.chart["labels"],
        "series": [
            {"label": _("Demand"), "values": found.chart["actual"], "tone": "neutral"},
            {"label": _("Predicted"), "values": found.chart["predicted"], "tone": "accent"},
        ],
        "unit": found.chart["unit"] or _("units"),
    }
