"""Suggestions under a budget: what is bought first when money is short."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_safe

from forecasting.queries import suggestions
from forecasting.services.budget import budget_table
from inventory.pages.fields import money_field
from tenancy.pages.filters import offer, row_field
from tenancy.permissions import Permission, require


class BudgetForm(forms.Form):
    budget = money_field(gettext_lazy("Budget"))
    supplier = row_field(gettext_lazy("Supplier"))
    warehouse = row_field(gettext_lazy("Warehouse"))

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        offer(self, "supplier", _("All suppliers"), suggestions.suppliers())
        offer(self, "warehouse", _("All warehouses"), suggestions.warehouses())


@require_safe
def budget_page(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show what a budget buys of the open suggestions, the most gain per money first."""
    require(Permission.READ)
    form = BudgetForm(request.GET if "budget" in request.GET else None)
    table = None
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        wanted = suggestions.SuggestionFilter(
            supplier_id=data["supplier"], warehouse_id=data["warehouse"]
        )
        table = budget_table(Decimal(data["budget"]), wanted)
    context = {"form": form, "table": table, "nav_section": "suggestions"}
    return render(request, "forecasting/budget.html", context)
