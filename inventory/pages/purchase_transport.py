"""How a purchase order comes, and what its transport cost."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.pages.fields import mode_field, money_field, plain
from inventory.queries.purchasing import get_purchase_order
from inventory.services.purchase_transport import set_transport
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require

NAV = "purchase_orders"


class TransportForm(forms.Form):
    transport_mode = mode_field()
    transport_cost = money_field(
        gettext_lazy("Transport cost"),
        required=False,
        help_text=gettext_lazy("Of all deliveries of the order; left empty while unknown."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


def purchase_order_transport(request: HttpRequest, tenant: str, order_id: int) -> HttpResponse:
    """Say how an order comes and what that cost."""
    require(Permission.BUY)
    order = get_purchase_order(order_id)
    cost = order.transport_cost
    initial = {
        "transport_mode": order.transport_mode,
        "transport_cost": None if cost is None else plain(cost),
        "version": order.version,
    }
    form = TransportForm(request.POST or None, initial=initial)

    def keep(data: dict[str, Any]) -> str:
        set_transport(order_id=order.pk, **data)
        return address(request, "inventory:purchase_order_detail", order_id=order.pk)

    if request.method == "POST":
        answer = send_form(request, form, keep, _("The transport was noted."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/purchase_order_transport.html",
        NAV,
        order=order,
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )
