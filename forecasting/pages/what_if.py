"""What if: assumptions typed beside each other, and what they would change."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_safe

from forecasting.queries import suggestions
from forecasting.services.what_if import Comparison, Scenario, compare_scenario
from inventory.pages.fields import money_field, number_field, quantity_field
from tenancy.errors import Refused
from tenancy.pages.filters import offer, row_field
from tenancy.pages.web import put_refusal
from tenancy.permissions import Permission, require


def _percent(label: Any, least: int, most: int, **options: Any) -> forms.DecimalField:
    limits = {"min_value": least, "max_value": most, "max_digits": 7, "decimal_places": 2}
    return number_field(label, required=False, **limits, **options)


class ScenarioForm(forms.Form):
    service_level = _percent(gettext_lazy("Service level for all"), 1, 99)
    lead_time_days = forms.IntegerField(
        label=gettext_lazy("Lead times longer by"), required=False, min_value=-180, max_value=180
    )
    uplift = _percent(
        gettext_lazy("Demand more by"), -100, 1000, help_text=gettext_lazy("A promotion, say.")
    )
    price_change = _percent(gettext_lazy("Buying prices up by"), -99, 1000)
    break_from = quantity_field(gettext_lazy("Price break from"), required=False, min_value=1)
    break_discount = _percent(gettext_lazy("with a discount of"), 0, 99)
    budget = money_field(gettext_lazy("Budget"), required=False)
    supplier = row_field(gettext_lazy("Buy from"))
    warehouse = row_field(gettext_lazy("Warehouse"))

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        offer(self, "supplier", _("As now"), suggestions.suppliers())
        offer(self, "warehouse", _("All warehouses"), suggestions.warehouses())

    def scenario(self) -> Scenario:
        """Return what was typed; percents become shares."""
        data = self.cleaned_data
        level = data["service_level"]
        return Scenario(
            service_level=None if level is None else float(level) / 100,
            lead_time_days=data["lead_time_days"] or 0,
            uplift=float(data["uplift"] or 0) / 100,
            price_change=float(data["price_change"] or 0) / 100,
            break_from=data["break_from"],
            break_discount=float(data["break_discount"] or 0) / 100,
            budget=None if data["budget"] is None else Decimal(data["budget"]),
            supplier_id=data["supplier"],
            warehouse_id=data["warehouse"],
        )


@require_safe
def what_if(request: HttpRequest, tenant: str) -> HttpResponse:
    """Compare stock, orders and costs as they are with what is assumed; nothing is written."""
    require(Permission.READ)
    form = ScenarioForm(request.GET or None)
    found: Comparison | None = None
    if form.is_bound and form.is_valid():
        try:
            found = compare_scenario(form.scenario())
        except Refused as refusal:
            put_refusal(form, refusal)
    context = {
        "form": form,
        "found": found,
        "figures": _figures(found) if found else (),
        "picture": _picture(found) if found else None,
        "names": dict(suggestions.warehouses()),
        "nav_section": "what_if",
    }
    return render(request, "forecasting/what_if.html", context)


def _figures(found: Comparison) -> list[tuple[Any, float, float, float, bool]]:
    """Name, before, after, difference, and whether it is money, of what is compared."""
    before, after = found.before, found.after
    pairs = (
        (_("Orders to place now"), before.orders, after.orders, False),
        (_("Value of those orders"), before.order_value, after.order_value, True),
        (_("Needs nothing can be ordered for"), before.blocked, after.blocked, False),
        (_("Mean stock aimed at"), before.target_stock, after.target_stock, True),
        (_("Holding it, per year"), before.holding_per_year, after.holding_per_year, True),
        (_("Expected lost margin until the next order"), before.lost_margin, after.lost_margin,
         True),
    )  # fmt: skip
    return [(name, old, new, new - old, money) for name, old, new, money in pairs]


def _picture(found: Comparison) -> dict[str, Any]:
    days = [found.first_day + timedelta(days=k) for k in range(len(found.before.path))]
    return {
        "labels": [day.isoformat() for day in days],
        "series": [
            {"label": _("As it is"), "values": found.before.path, "tone": "neutral"},
            {"label": _("As assumed"), "values": found.after.path, "tone": "accent"},
        ],
        "unit": "",
    }
