"""The work list of the dock: what is expected, late first, and who is receiving it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from inventory.models import WorkKind
from inventory.pages.worklists import WorkFilters
from inventory.queries.purchasing import NO_DAY
from inventory.queries.receiving import (
    EXPECTED_ORDER,
    is_late,
    orders_to_receive,
    to_come,
    transfers_to_receive,
)
from inventory.queries.worklists import live_claims
from inventory.rules.business_day import business_day
from tenancy.pages.filters import search_field
from tenancy.pages.web import address, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page
from tenancy.scope import active_scope

NAV = "to_receive"
MOST_TRANSFERS = 20


class ReceiveFilters(WorkFilters):
    q = search_field(gettext_lazy("Number or sender"))


@require_safe
def receive_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List what is to be received, late first; transfers that are on the way below."""
    require(Permission.READ)
    filters = ReceiveFilters(request.GET)
    chosen = filters.chosen
    asked: dict[str, Any] = {
        "text": chosen.get("q", "").strip(),
        "warehouse_id": chosen.get("warehouse"),
        "assignee": chosen.get("assignee", ""),
    }
    page = keyset_page(
        orders_to_receive(**asked), order=EXPECTED_ORDER, cursor=request.GET.get("cursor", "")
    )
    ids = [order.pk for order in page.items]
    coming, claims = to_come(ids), live_claims(WorkKind.RECEIVE, ids)
    transfers = list(transfers_to_receive(**asked)[:MOST_TRANSFERS])
    moving = live_claims(WorkKind.RECEIVE_TRANSFER, [transfer.pk for transfer in transfers])
    day = today()
    return show(
        request,
        "inventory/receive_list.html",
        NAV,
        tabs=receiving_tabs(request, "inventory:receive_list"),
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[
            (order, coming[order.pk], claims.get(order.pk), is_late(due(order), day))
            for order in page.items
        ],
        next_cursor=page.next_cursor,
        transfers=[
            (transfer, moving.get(transfer.pk), is_late(transfer.expected_on, day))
            for transfer in transfers
        ],
    )


def receiving_tabs(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    """Return the two views of the dock: what is expected, and what came."""
    views = {
        "inventory:receive_list": gettext_lazy("Expected"),
        "inventory:receipt_list": gettext_lazy("Receipts"),
    }
    return [
        {"label": label, "href": address(request, view), "current": view == current}
        for view, label in views.items()
    ]


def today() -> date:
    """Return the business day of the tenant."""
    return business_day(timezone.now(), active_scope().tenant.time_zone)


def due(order: Any) -> date | None:
    """Return the day the order is expected, None when nobody knows."""
    return None if order.due_on == NO_DAY else order.due_on
