"""Settings: how the warehouses count and adjust."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.pages.fields import money_field, number_field, plain, sent
from inventory.queries.settings import inventory_settings
from inventory.services.settings import WarehouseSettings, update_inventory_settings
from tenancy.pages.settings_area import show_setting
from tenancy.pages.web import UNPROCESSABLE, address, send_form
from tenancy.permissions import Permission, require

TAB = "inventory:warehouse_settings"
MOST_COUNTS = 1000


class SettingsForm(forms.Form):
    count_tolerance_percent = number_field(
        gettext_lazy("Tolerance in percent"),
        min_value=0,
        max_digits=5,
        decimal_places=2,
        help_text=gettext_lazy("Of what the book expects."),
    )
    count_tolerance_value = money_field(
        gettext_lazy("Tolerance in value"),
        help_text=gettext_lazy("Of the difference, at unit cost."),
    )
    blind_counts = forms.BooleanField(
        label=gettext_lazy("Blind counts"),
        required=False,
        help_text=gettext_lazy("Who counts does not see what the book expects."),
    )
    counts_per_day = forms.IntegerField(
        label=gettext_lazy("Counts a day"),
        min_value=0,
        max_value=MOST_COUNTS,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("Requested every night in each warehouse, by risk. Zero: none."),
    )
    adjustment_limit = money_field(
        gettext_lazy("Without a manager, up to"),
        help_text=gettext_lazy("Value of one adjustment. Zero: a manager makes every one."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


def warehouse_settings(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show how counts and adjustments work here; managers change it."""
    require(Permission.READ)
    known = inventory_settings()
    initial = {
        "count_tolerance_percent": plain(known.count_tolerance_percent),
        "count_tolerance_value": plain(Decimal(known.count_tolerance_value)),
        "blind_counts": known.blind_counts,
        "counts_per_day": known.counts_per_day,
        "adjustment_limit": plain(Decimal(known.adjustment_limit)),
        "version": known.version,
    }
    form = SettingsForm(sent(request), initial=initial)

    def change(data: dict[str, Any]) -> str:
        version = data.pop("version")
        update_inventory_settings(fields=WarehouseSettings(**data), version=version)
        return address(request, TAB)

    if request.method == "POST":
        require(Permission.APPROVE)
        answer = send_form(request, form, change, _("The settings were changed."))
        if answer is not None:
            return answer
    return show_setting(
        request,
        "inventory/warehouse_settings.html",
        TAB,
        form=form,
        known=known,
        status=UNPROCESSABLE if form.errors else 200,
    )
