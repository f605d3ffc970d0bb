"""Lots: the list by expiry, and holding, recalling or releasing one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST

from inventory.models import LotStatus
from inventory.queries.lots import get_lot, lot_totals, search_lots
from inventory.services.lots import set_lot_status
from tenancy.errors import Invalid
from tenancy.pages.filters import search_field
from tenancy.pages.web import address, do, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

ORDERS = {
    "due_on": ("due_on", "id"),
    "-due_on": ("-due_on", "-id"),
    "code": ("code", "id"),
    "-code": ("-code", "-id"),
}
DONE = {
    LotStatus.AVAILABLE: gettext_lazy("The lot may be promised and shipped again."),
    LotStatus.ON_HOLD: gettext_lazy("The lot is on hold: it is not promised and does not leave."),
    LotStatus.RECALLED: gettext_lazy("The lot is recalled: it is not promised and does not leave."),
}


class LotFilters(forms.Form):
    q = search_field(gettext_lazy("Lot, SKU or product"))
    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[("", gettext_lazy("All statuses")), *LotStatus.choices],
    )
    due = forms.TypedChoiceField(
        label=gettext_lazy("Expiry"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", gettext_lazy("Any expiry")),
            ("-1", gettext_lazy("Expired")),
            ("7", gettext_lazy("Within 7 days")),
            ("30", gettext_lazy("Within 30 days")),
            ("90", gettext_lazy("Within 90 days")),
        ],
    )
    stock = forms.ChoiceField(
        label=gettext_lazy("Stock"),
        required=False,
        choices=[("", gettext_lazy("In stock")), ("all", gettext_lazy("In stock or not"))],
    )


def lot_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List lots, soonest to expire first."""
    require(Permission.READ)
    filters = LotFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    today = timezone.localdate()
    due = chosen.get("due")
    rows = search_lots(
        text=chosen.get("q", "").strip(),
        status=chosen.get("status", ""),
        in_stock=chosen.get("stock", "") != "all",
        expires_by=None if due is None else today + timedelta(days=due),
    )
    sort = request.GET.get("sort", "due_on")
    order = ORDERS.get(sort, ORDERS["due_on"])
    page = keyset_page(rows, order=order, cursor=request.GET.get("cursor", ""))
    totals = lot_totals([lot.pk for lot in page.items])
    return show(
        request,
        "inventory/lot_list.html",
        "lots",
        filters=filters,
        is_filtered=any(value not in ("", None) for value in chosen.values()),
        rows=[(lot, totals[lot.pk]) for lot in page.items],
        next_cursor=page.next_cursor,
        today=today,
        sort="due_on",
    )


@require_POST
def lot_set_status(request: HttpRequest, tenant: str, lot_id: int) -> HttpResponse:
    """Put a lot on hold, recall it, or make it available again."""
    require(Permission.ADJUST)
    lot = get_lot(lot_id)
    status = _status(request.POST.get("status", ""))
    back = (
        "inventory:lot_recall" if request.POST.get("back") == "recall" else "inventory:lot_detail"
    )

    def effect() -> Any:
        return set_lot_status(lot_id=lot.pk, status=status)

    target = address(request, back, lot_id=lot.pk)
    return do(request, effect, done=str(DONE[status]), target=target)


def _status(value: str) -> LotStatus:
    if value not in LotStatus.values:
        raise Invalid.field("status", "unknown", _("A lot has no such status."))
    return LotStatus(value)
