"""Warehouses: the list, and one warehouse with its zones and locations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import LocationKind
from inventory.models.places import OUTSIDE_KINDS
from inventory.queries.places import get_warehouse, warehouse_totals, warehouses, working_locations
from inventory.services.places import create_location, create_warehouse
from tenancy.models.tenant import validate_time_zone
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page
from tenancy.scope import active_scope

LOCATION_ORDER = ("walking_order", "code", "id")


class WarehouseForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"), max_length=32, help_text=gettext_lazy("Short, e.g. HAM.")
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        validators=[validate_time_zone],
        help_text=gettext_lazy("Decides the business day, e.g. Europe/Berlin."),
    )
    country = forms.RegexField(
        r"^[A-Z]{2}$",
        label=gettext_lazy("Country"),
        required=False,
        help_text=gettext_lazy("Two letters, e.g. DE; its public holidays go into the forecast."),
    )


class LocationForm(forms.Form):
    code = forms.CharField(label=gettext_lazy("Code"), max_length=48)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[
            (k.value, k.label) for k in LocationKind if k not in {*OUTSIDE_KINDS, "in_transit"}
        ],
    )
    walking_order = forms.IntegerField(
        label=gettext_lazy("Walking order"), min_value=0, max_value=1_000_000, initial=100
    )


def warehouse_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List warehouses with their places and the value of what lies there."""
    require(Permission.READ)
    totals = warehouse_totals()
    rows = [(warehouse, totals.get(warehouse.pk)) for warehouse in warehouses()]
    return show(request, "inventory/warehouse_list.html", "warehouses", rows=rows)


def warehouse_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create a warehouse with its standard locations."""
    require(Permission.EDIT_CATALOG)
    zone = active_scope().tenant.time_zone
    form = WarehouseForm(request.POST or None, initial={"time_zone": zone})

    def create(data: dict[str, Any]) -> str:
        warehouse = create_warehouse(**data)
        return address(request, "inventory:warehouse_detail", warehouse_id=warehouse.pk)

    if request.method == "POST":
        answer = send_form(request, form, create, _("The warehouse was created."))
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "inventory/warehouse_form.html", "warehouses", form=form, status=status)


def warehouse_detail(request: HttpRequest, tenant: str, warehouse_id: int) -> HttpResponse:
    """Show a warehouse and its locations; add a location."""
    require(Permission.READ)
    warehouse = get_warehouse(warehouse_id)
    form = LocationForm(request.POST or None)

    def create(data: dict[str, Any]) -> str:
        create_location(warehouse_id=warehouse.pk, **data)
        return address(request, "inventory:warehouse_detail", warehouse_id=warehouse.pk)

    if request.method == "POST":
        require(Permission.EDIT_CATALOG)
        answer = send_form(request, form, create, _("The location was created."))
        if answer is not None:
            return answer
    page = keyset_page(
        working_locations(warehouse.pk),
        order=LOCATION_ORDER,
        cursor=request.GET.get("cursor", ""),
        size=100,
    )
    return show(
        request,
        "inventory/warehouse_detail.html",
        "warehouses",
        warehouse=warehouse,
        totals=warehouse_totals().get(warehouse.pk),
        page=page,
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )
