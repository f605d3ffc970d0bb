"""Settings: the company, its place in the world and its currency."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from tenancy.pages.settings_area import show_setting
from tenancy.pages.web import UNPROCESSABLE, address, send_form
from tenancy.permissions import Permission, allows, require
from tenancy.scope import active_scope
from tenancy.services.tenants import CompanyFields, update_company

TAB = "tenancy:settings"


@cache
def time_zones() -> list[str]:
    """Return the names of the time zone database that people choose from."""
    return sorted(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC")


class CompanyForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
        help_text=gettext_lazy("Times are shown in it; each warehouse has its own business day."),
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        max_length=3,
        help_text=gettext_lazy("Three letters, e.g. EUR. Amounts are not converted."),
    )
    country = forms.CharField(
        label=gettext_lazy("Country"),
        max_length=2,
        required=False,
        help_text=gettext_lazy("Two letters, e.g. DE; its public holidays go into the forecast."),
    )


def company(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show the company; its owners change it here."""
    actor = require(Permission.READ)
    known = active_scope().tenant
    initial = {name: getattr(known, name) for name in CompanyForm.base_fields}
    form = CompanyForm(request.POST or None, initial=initial)

    def change(data: dict[str, Any]) -> str:
        update_company(fields=CompanyFields(**data))
        return address(request, TAB)

    if request.method == "POST":
        require(Permission.OWN)
        answer = send_form(request, form, change, _("The company was changed."))
        if answer is not None:
            return answer
    return show_setting(
        request,
        "tenancy/company.html",
        TAB,
        form=form,
        company=known,
        time_zones=time_zones() if allows(actor, Permission.OWN) else [],
        status=UNPROCESSABLE if form.errors else 200,
    )
