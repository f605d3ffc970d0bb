"""What planning reckons with: the form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from forecasting.queries import settings
from forecasting.services.settings import SettingsFields, change_settings
from inventory.pages.fields import money_field, plain
from inventory.pages.sales_steps import given_version
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require


class PlanningSettingsForm(forms.Form):
    transfer_cost = money_field(
        gettext_lazy("Cost of a transfer"),
        help_text=gettext_lazy("Loading, driving and receiving, whatever is on it."),
    )
    transfer_cost_per_unit = money_field(gettext_lazy("Transfer cost per unit"))
    transfer_days = forms.IntegerField(
        label=gettext_lazy("A transfer takes"), min_value=0, max_value=365
    )
    order_line_cost = money_field(
        gettext_lazy("Cost of an order line"),
        help_text=gettext_lazy("Ordering, receiving and paying one line; larger orders save it."),
    )


def planning_settings(request: HttpRequest, tenant: str) -> HttpResponse:
    """Change what moving and ordering cost in suggestions."""
    require(Permission.PLAN)
    row = settings.planning_settings()
    initial = {name: getattr(row, name) for name in PlanningSettingsForm.base_fields}
    for name in ("transfer_cost", "transfer_cost_per_unit", "order_line_cost"):
        initial[name] = plain(initial[name])
    form = PlanningSettingsForm(request.POST or None, initial=initial)
    if request.method == "POST":

        def change(data: dict[str, Any]) -> str:
            change_settings(fields=SettingsFields(**data), version=given_version(request))
            return address(request, "forecasting:suggestion_list")

        done = _("Planning reckons with it from the next time on.")
        answer = send_form(request, form, change, done)
        if answer is not None:
            return answer
    return show(
        request,
        "forecasting/planning_settings.html",
        "suggestions",
        form=form,
        settings_row=row,
        status=UNPROCESSABLE if request.method == "POST" else 200,
    )
