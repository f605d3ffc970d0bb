"""Settings: periods and valuation; and the form that corrects what stock is worth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import InventorySettings, ValuationMethod
from inventory.pages.fields import day_field, money_field
from inventory.queries.catalog import get_product
from inventory.queries.periods import latest_day_over, period_closings
from inventory.queries.places import warehouse_totals, warehouses
from inventory.queries.settings import inventory_settings
from inventory.queries.valuation import product_value
from inventory.rules.periods import end_of_last_month
from inventory.services.periods import close_period, reopen_period
from inventory.services.valuation import Revaluation, change_valuation_method, revalue_stock
from tenancy.pages.settings_area import show_setting
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require

TAB = "inventory:periods"
LATEST_CLOSINGS = 24
METHODS = {
    ValuationMethod.MOVING_AVERAGE: gettext_lazy(
        "Every unit of a product in a warehouse is worth the same: value by quantity."
    ),
    ValuationMethod.FIFO: gettext_lazy(
        "The goods that came first leave first, each delivery at its own cost."
    ),
}


class SettingsForm(forms.Form):
    """What all forms of the page share: the version of the settings they were read with."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class CloseForm(SettingsForm):
    through = day_field(gettext_lazy("Close all days through"))


class ReopenForm(SettingsForm):
    closed_through = day_field(
        gettext_lazy("Keep closed through"),
        required=False,
        help_text=gettext_lazy("Empty: every day is open again."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("It stays in the audit trail."),
    )


class MethodForm(SettingsForm):
    method = forms.ChoiceField(
        label=gettext_lazy("Method"), choices=ValuationMethod.choices, widget=forms.RadioSelect
    )


class RevaluationForm(forms.Form):
    value = money_field(gettext_lazy("Value of all of it"))
    note = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("It stays with the entry, e.g. “invoice 4711 came later”."),
    )


def periods(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show what is closed and how stock is valued; managers close, reopen and choose here."""
    require(Permission.READ)
    settings = inventory_settings()
    latest = latest_day_over()
    chosen = request.POST.get("action", "")
    page = _forms(request, settings, latest, chosen)
    if request.method == "POST":
        require(Permission.APPROVE)
        answer = _send(request, page, chosen)
        if answer is not None:
            return answer
    totals = warehouse_totals()
    values = [(place, totals.get(place.pk)) for place in warehouses()]
    return show_setting(
        request,
        "inventory/periods.html",
        TAB,
        known=settings,
        latest=latest,
        closings=list(period_closings()[:LATEST_CLOSINGS]),
        values=values,
        total=sum((known.value for _place, known in values if known), Decimal(0)),
        methods={method.value: text for method, text in METHODS.items()},
        method_text=METHODS[ValuationMethod(settings.valuation_method)],
        **{f"{name}_form": form for name, form in page.items()},
        status=UNPROCESSABLE if any(form.errors for form in page.values()) else 200,
    )


def _forms(
    request: HttpRequest, settings: InventorySettings, latest: date, chosen: str
) -> dict[str, SettingsForm]:
    """Return the forms of the page; the one that was sent has what was sent."""
    version = {"version": settings.version if settings.pk else None}
    month = end_of_last_month(latest)
    proposed = month if settings.closed_through is None or month > settings.closed_through else None
    initial: dict[str, tuple[type[SettingsForm], dict[str, Any]]] = {
        "close": (CloseForm, {"through": proposed}),
        "reopen": (ReopenForm, {}),
        "method": (MethodForm, {"method": settings.valuation_method}),
    }
    return {
        name: form(
            request.POST if name == chosen else None, initial=known | version, auto_id=f"{name}_%s"
        )
        for name, (form, known) in initial.items()
    }


def _send(request: HttpRequest, page: dict[str, SettingsForm], chosen: str) -> HttpResponse | None:
    effects: dict[str, tuple[Callable[..., InventorySettings], str]] = {
        "close": (close_period, _("The period is closed.")),
        "reopen": (reopen_period, _("The days are open again.")),
        "method": (change_valuation_method, _("Stock is valued by another method from now on.")),
    }
    if chosen not in effects:
        raise Http404
    service, done = effects[chosen]

    def effect(data: dict[str, Any]) -> str:
        if "method" in data:
            data["method"] = ValuationMethod(data["method"])
        service(**data)
        return address(request, TAB)

    return send_form(request, page[chosen], effect, done)


def product_revalue(
    request: HttpRequest, tenant: str, product_id: int, warehouse_id: int
) -> HttpResponse:
    """Correct what a product's stock in a warehouse is worth."""
    require(Permission.APPROVE)
    product = get_product(product_id)
    known = product_value(product.pk, warehouse_id)
    if known is None:
        raise Http404
    initial = {"value": f"{known.value.normalize():f}"}
    form = RevaluationForm(request.POST or None, initial=initial)

    def correct(data: dict[str, Any]) -> str:
        revalue_stock(revaluation=Revaluation(product.pk, warehouse_id, **data))
        return address(request, "inventory:product_detail", product_id=product.pk)

    if request.method == "POST":
        answer = send_form(request, form, correct, _("The value was corrected."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/product_revalue.html",
        "products",
        product=product,
        known=known,
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )
