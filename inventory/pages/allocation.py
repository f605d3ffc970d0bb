"""The work list of what is to be allocated, the most urgent first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from inventory.models import SalesOrderState, WorkKind
from inventory.pages.waves import BY_URGENCY, today
from inventory.pages.worklists import LARGEST_ID, WorkFilters
from inventory.queries.allocation import open_lines_of, orders_to_allocate
from inventory.queries.worklists import live_claims
from inventory.services.allocation import AllocationRun, allocate_orders, allocate_warehouse
from tenancy.errors import Invalid, Refused
from tenancy.pages.web import address, do, show
from tenancy.permissions import Permission, require, require_one
from tenancy.queries.keyset import keyset_page

NAV = "to_allocate"
PAGE = "inventory:allocation_list"
ALL = "all"
MOST_AT_ONCE = 500


class AllocationFilters(WorkFilters):
    stock = forms.ChoiceField(
        label=gettext_lazy("Stock"),
        required=False,
        choices=[
            ("", gettext_lazy("With stock in storage")),
            (ALL, gettext_lazy("All that lack something")),
        ],
    )


@require_safe
def allocation_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the orders that lack stock, first those for which some lies free."""
    require(Permission.READ)
    filters = AllocationFilters(request.GET)
    chosen = filters.chosen
    rows = orders_to_allocate(
        warehouse_id=chosen.get("warehouse"),
        text=chosen.get("q", "").strip(),
        assignee=chosen.get("assignee", ""),
        only_in_stock=chosen.get("stock", "") != ALL,
    )
    page = keyset_page(rows, order=BY_URGENCY, cursor=request.GET.get("cursor", ""))
    ids = [order.pk for order in page.items]
    missing, claims = open_lines_of(ids), live_claims(WorkKind.ALLOCATE, ids)
    return show(
        request,
        "inventory/allocation_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        shows_all=chosen.get("stock", "") == ALL,
        warehouse_id=chosen.get("warehouse"),
        rows=[(order, missing[order.pk], claims.get(order.pk)) for order in page.items],
        next_cursor=page.next_cursor,
        today=today(),
    )


@require_POST
def allocation_run(request: HttpRequest, tenant: str) -> HttpResponse:
    """Allocate the chosen orders together, or everything one warehouse owes."""
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    runs: list[AllocationRun] = []

    def run() -> None:
        warehouse = request.POST.get("warehouse", "")
        if _is_id(warehouse):
            runs.append(allocate_warehouse(warehouse_id=int(warehouse)))
        else:
            runs.append(allocate_orders(order_ids=_chosen(request)))

    return do(request, run, done=lambda: _said(runs), target=address(request, PAGE))


def _said(runs: list[AllocationRun]) -> str:
    if not runs:  # sent twice: the first answer has told it
        return _("The orders were allocated.")
    states = runs[0].states.values()
    served = sum(state == SalesOrderState.ALLOCATED for state in states)
    return ngettext(
        "%(served)d of %(count)d order has all its stock now.",
        "%(served)d of %(count)d orders have all their stock now.",
        len(states),
    ) % {"served": served, "count": len(states)}


def _chosen(request: HttpRequest) -> list[int]:
    given = request.POST.getlist("order")
    chosen = [int(value) for value in given if _is_id(value)]
    if not chosen or len(chosen) != len(given) or len(chosen) > MOST_AT_ONCE:
        raise _nothing_chosen()
    return chosen


def _nothing_chosen() -> Refused:
    return Invalid.field("order", "nothing_chosen", _("Choose the orders that are to get stock."))


def _is_id(value: Any) -> bool:
    text = str(value)
    return text.isascii() and text.isdigit() and len(text) < len(str(LARGEST_ID))
