"""The living style guide: every component with the data of a small grocer; served in DEBUG only."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

FIRST_DAY = date(2024, 11, 23)
HISTORY_DAYS = 730
HORIZON_DAYS = 28
STOCKOUT_DAYS = {*range(690, 696), *range(718, 721)}


class ProductForm(forms.Form):
    """A form with each kind of control."""

    sku = forms.CharField(
        label=_("SKU"), help_text=_("Unique in this tenant; up to 40 characters.")
    )
    name = forms.CharField(label=_("Name"))
    category = forms.ChoiceField(
        label=_("Category"), choices=[("dairy", _("Dairy")), ("bakery", _("Bakery"))]
    )
    weight = forms.DecimalField(
        label=_("Weight"), required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    available_on = forms.DateField(
        label=_("Available from"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    note = forms.CharField(
        label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    expires = forms.BooleanField(
        label=_("Lots have an expiry date"),
        required=False,
        help_text=_("Receipts then ask for it, and picking takes the earliest first."),
    )
    mode = forms.ChoiceField(
        label=_("When a row is wrong"),
        widget=forms.RadioSelect,
        choices=[("all", _("Import nothing")), ("skip", _("Skip the row"))],
        initial="all",
    )
    file = forms.FileField(
        label=_("Sales file"),
        required=False,
        help_text=_("CSV, also compressed, or XLSX; at most 100 MB."),
        widget=forms.FileInput(attrs={"accept": ".csv,.gz,.xlsx"}),
    )


class ProductFilter(forms.Form):
    """Search and filters above a list of products."""

    q = forms.CharField(
        label=_("Search products"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("SKU or name")}),
    )
    warehouse = forms.ChoiceField(
        label=_("Warehouse"),
        required=False,
        choices=[("", _("All warehouses")), ("ham", "Hamburg"), ("muc", "München")],
    )
    abc_class = forms.ChoiceField(
        label=_("Class"),
        required=False,
        choices=[("", _("All classes")), ("A", "A"), ("B", "B"), ("C", "C")],
    )


def daily_demand() -> list[float | None]:
    """Return two years of demand with weekday, season and trend; unseen on stock-out days."""
    demand: list[float | None] = []
    for at in range(HISTORY_DAYS):
        weekday = 1.0 + 0.35 * math.sin(2 * math.pi * at / 7)
        season = 1.0 + 0.3 * math.sin(2 * math.pi * (at - 80) / 365)
        wobble = 1.0 + 0.18 * math.sin(at * 12.9898) * math.cos(at * 4.1414)
        demand.append(round((38 + at * 0.02) * weekday * season * wobble, 1))
    for at in STOCKOUT_DAYS:
        demand[at] = None
    return demand


def fan_data() -> dict[str, Any]:
    """Return history and forecast in the form that the fan chart reads."""
    median = [
        52 * (1.0 + 0.33 * math.sin(2 * math.pi * (HISTORY_DAYS + at) / 7))
        for at in range(HORIZON_DAYS)
    ]
    spread = [0.16 + 0.006 * at for at in range(HORIZON_DAYS)]
    bands = [
        {
            "level": level,
            "lower": [max(0.0, m * (1 - width * s)) for m, s in zip(median, spread, strict=True)],
            "upper": [m * (1 + 1.25 * width * s) for m, s in zip(median, spread, strict=True)],
        }
        for level, width in ((50, 0.67), (80, 1.28), (90, 1.64))
    ]
    origin = FIRST_DAY + timedelta(days=HISTORY_DAYS)
    return {
        "unit": "kg",
        "history": {
            "start": FIRST_DAY,
            "values": daily_demand(),
            "stockout": [at in STOCKOUT_DAYS for at in range(HISTORY_DAYS)],
        },
        "forecast": {
            "start": origin,
            "median": median,
            "mean": [value * 1.03 for value in median],
            "bands": bands,
        },
    }


def loss_data() -> dict[str, Any]:
    """Return a training that stopped early."""
    epochs = list(range(1, 31))
    train = [0.21 + 0.4 * math.exp(-epoch / 6) for epoch in epochs]
    validation = [
        0.24 + 0.36 * math.exp(-epoch / 5) + max(0, epoch - 19) * 0.0025 for epoch in epochs
    ]
    return {"epochs": epochs, "train": train, "validation": validation, "best_epoch": 20}


def product_rows() -> list[dict[str, Any]]:
    """Return products as a list page would show them."""
    demand = daily_demand()
    names = [
        ("DA-10034", "Whole milk 3.5%, 1 l", "l", "1284.5", "320", "high", "A"),
        ("DA-10120", "Greek yoghurt, 500 g", "pcs", "412", "96", "open", "A"),
        (
            "BK-20007",
            "Sourdough loaf with rye, stone-baked, 750 g",
            "pcs",
            "64",
            "0",
            "medium",
            "B",
        ),
        ("FR-30051", "Bananas, Cavendish", "kg", "2310.250", "410", "done", "A"),
        ("FR-30088", "Blood oranges from Sicily", "kg", "0", "0", "critical", "C"),
        ("HH-40410", "Baking parchment, 20 m", "pcs", "18450", "12", "done", "C"),
    ]
    states = {
        "high": _("Runs out in 2 days"),
        "open": _("Order suggested"),
        "medium": _("Expires unsold"),
        "done": _("Healthy"),
        "critical": _("Out of stock"),
    }
    return [
        {
            "sku": sku,
            "name": name,
            "unit": unit,
            "on_hand": Decimal(on_hand),
            "allocated": Decimal(allocated),
            "value": Decimal(on_hand) * Decimal("1.37"),
            "state": state,
            "state_text": states[state],
            "abc_class": abc_class,
            "demand": demand[position * 90 : position * 90 + 90],
        }
        for position, (sku, name, unit, on_hand, allocated, state, abc_class) in enumerate(names)
    ]


def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component."""
    refused = ProductForm(
        {"sku": "", "name": "Whole milk", "category": "dairy", "weight": "1,5 kg", "mode": "all"}
    )
    if "flash" in request.GET:
        messages.success(request, _("Purchase order PO-000128 drafted from 3 suggestions."))
    tenants = [
        SimpleNamespace(name="North Grocer", slug="north"),
        SimpleNamespace(name="South Spare Parts", slug="south"),
    ]
    context = {
        "tenant": tenants[0],
        "tenants": tenants,
        "membership": SimpleNamespace(role="planner", get_role_display="Planner"),
        "nav_section": "products",
        "nav_counts": {"suggestions": 12, "warnings": 5},
        "form": refused,
        "fresh_form": ProductForm(initial={"mode": "all", "category": "dairy"}),
        "filters": ProductFilter(request.GET or None),
        "mode_texts": {
            "all": _("The file counts as a whole: one wrong row and nothing is booked."),
            "skip": _("Right rows are booked, wrong ones are listed for download."),
        },
        "rows": product_rows(),
        "fan": fan_data(),
        "loss": loss_data(),
        "bars": {
            "labels": ["Hamburg", "München", "Leipzig"],
            "series": [
                {"label": str(_("Available")), "values": [1840, 1210, 640]},
                {"label": str(_("Allocated")), "values": [420, 310, None], "tone": "neutral"},
            ],
            "stacked": True,
            "unit": "pcs",
        },
        "demand": daily_demand()[-90:],
        "when": datetime(2026, 11, 23, 14, 5, tzinfo=UTC),
        "tabs": [
            {"label": _("Overview"), "href": "#", "current": True},
            {"label": _("Stock"), "href": "#", "count": 4},
            {"label": _("Movements"), "href": "#"},
            {"label": _("Forecast"), "href": "#"},
        ],
        **progress_context(0),
    }
    return render(request, "components/styleguide.html", context)


def progress_context(done: int) -> dict[str, Any]:
    """Return a job at `done` of 40 epochs as the live region reads it."""
    return {
        "live_done": done,
        "live_active": done < 40,
        "live_url": f"{reverse('styleguide_progress')}?done={min(done + 4, 40)}",
    }


def progress(request: HttpRequest) -> HttpResponse:
    """Answer the poll of the live region in the style guide."""
    asked = request.GET.get("done", "")
    done = int(asked) if re.fullmatch("[0-9]{1,2}", asked) else 0
    return render(request, "components/_styleguide_live.html", progress_context(done))
