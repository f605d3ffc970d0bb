"""Stock: what lies where, and the movements that brought it there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import LocationKind, MovementReason
from inventory.queries.movements import movements
from inventory.queries.places import warehouses
from inventory.queries.stock import balances
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

BALANCE_ORDER = ("product__sku", "location__warehouse__code", "location__code", "id")


class PlaceFilters(forms.Form):
    """Search and warehouse; the lists of stock and of movements add what only they have."""

    q = search_field(gettext_lazy("SKU, location or lot"))
    warehouse = row_field(gettext_lazy("Warehouse"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses()]
        offer(self, "warehouse", _("All warehouses"), known)


class StockFilters(PlaceFilters):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        required=False,
        choices=[
            ("", gettext_lazy("All places")),
            *[
                (k.value, k.label)
                for k in LocationKind
                if k not in {"supplier", "customer", "loss"}
            ],
        ],
    )


class MovementFilters(PlaceFilters):
    reason = forms.TypedChoiceField(
        label=gettext_lazy("Reason"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", gettext_lazy("All reasons")), *MovementReason.choices],
    )


def stock_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List every balance: product, place, lot, on hand and allocated."""
    require(Permission.READ)
    filters = StockFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = balances(
        text=chosen.get("q", "").strip(),
        warehouse_id=chosen.get("warehouse"),
        kind=chosen.get("kind", ""),
    )
    page = keyset_page(rows, order=BALANCE_ORDER, cursor=request.GET.get("cursor", ""))
    return show(
        request,
        "inventory/stock_list.html",
        "stock",
        filters=filters,
        is_filtered=any(chosen.values()),
        page=page,
    )


def movement_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the ledger, newest first."""
    require(Permission.READ)
    filters = MovementFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = movements(warehouse_id=chosen.get("warehouse"), text=chosen.get("q", "").strip())
    if chosen.get("reason"):
        rows = rows.filter(reason=chosen["reason"])
    page = keyset_page(rows, order=("-id",), cursor=request.GET.get("cursor", ""))
    return show(
        request,
        "inventory/movement_list.html",
        "movements",
        filters=filters,
        is_filtered=any(chosen.values()),
        page=page,
    )
