"""One line of a sales order: changed in a draft, lowered afterwards, or given stock by hand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import SalesOrder, SalesOrderLine, SalesOrderState, StockBalance
from inventory.pages.fields import money_field, plain, quantity_field
from inventory.pages.sales import DETAIL, NAV
from inventory.queries.allocation import stock_for_line
from inventory.queries.sales import get_sales_line, get_sales_order
from inventory.services.allocation_manual import allocate_line
from inventory.services.sales_amending import amend_sales_line
from inventory.services.sales_lines import SalesLine, change_sales_line
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require, require_one

MOST_PLACES = 200


class ChangeForm(forms.Form):
    """A draft's line."""

    quantity = quantity_field(gettext_lazy("Quantity"))
    unit_price = money_field(gettext_lazy("Unit price"))
    version = forms.IntegerField(widget=forms.HiddenInput)


class AmendForm(forms.Form):
    """A confirmed line: less of it."""

    quantity = quantity_field(
        gettext_lazy("New quantity"),
        min_value=0,
        help_text=gettext_lazy("Less than before; zero gives the line up."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Kept in the audit trail."),
    )
    take_back_demand = forms.BooleanField(
        label=gettext_lazy("It was never asked for (entered by mistake)"),
        required=False,
        help_text=gettext_lazy("Then it counts as no demand either, and forecasts forget it."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class PlaceForm(forms.Form):
    """One of the places where free stock lies, and how much of it."""

    place = forms.TypedChoiceField(
        label=gettext_lazy("Place"), coerce=int, widget=forms.RadioSelect
    )
    quantity = quantity_field(gettext_lazy("Quantity"))

    def __init__(self, *args: Any, stock: list[StockBalance], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [  # type: ignore[attr-defined]
            (str(balance.pk), balance.location.code) for balance in stock
        ]


def sales_order_line(
    request: HttpRequest, tenant: str, sales_order_id: int, sales_order_line_id: int
) -> HttpResponse:
    """Change a draft's line, or lower that of a confirmed order."""
    require(Permission.SELL)
    order = get_sales_order(sales_order_id)
    line = get_sales_line(order, sales_order_line_id)
    is_draft = order.state == SalesOrderState.DRAFT
    initial = {
        "quantity": plain(line.quantity),
        "unit_price": plain(line.unit_price),
        "version": order.version,
    }
    form = (ChangeForm if is_draft else AmendForm)(request.POST or None, initial=initial)
    keep = _change if is_draft else _amend

    def effect(data: dict[str, Any]) -> str:
        keep(order, line, data)
        return address(request, DETAIL, sales_order_id=order.pk)

    if request.method == "POST":
        answer = send_form(request, form, effect, _("The line was changed."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/sales_order_line.html",
        NAV,
        order=order,
        line=line,
        form=form,
        is_draft=is_draft,
        is_owing=order.state in SalesOrderState.owing(),
        status=UNPROCESSABLE if form.errors else 200,
    )


def sales_order_line_allocate(
    request: HttpRequest, tenant: str, sales_order_id: int, sales_order_line_id: int
) -> HttpResponse:
    """Promise a chosen place and lot to a line."""
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    order = get_sales_order(sales_order_id)
    line = get_sales_line(order, sales_order_line_id)
    stock = list(stock_for_line(line, order)[:MOST_PLACES])
    open_quantity = line.quantity_open
    form = PlaceForm(request.POST or None, stock=stock, initial={"quantity": plain(open_quantity)})

    def promise(data: dict[str, Any]) -> str:
        [place] = [balance for balance in stock if balance.pk == data["place"]]
        allocate_line(
            line_id=line.pk,
            location_id=place.location_id,
            lot_id=place.lot_id,
            quantity=data["quantity"],
        )
        return address(request, DETAIL, sales_order_id=order.pk)

    if request.method == "POST":
        answer = send_form(request, form, promise, _("The stock is promised."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/sales_order_line_allocate.html",
        NAV,
        order=order,
        line=line,
        open_quantity=open_quantity,
        places=[(place, place.on_hand - place.allocated) for place in stock],
        is_owing=order.state in SalesOrderState.owing(),
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )


def _change(order: SalesOrder, line: SalesOrderLine, data: dict[str, Any]) -> None:
    changed = SalesLine(line.product_id, data["quantity"], data["unit_price"])
    change_sales_line(
        sales_order_id=order.pk, line_id=line.pk, line=changed, version=data["version"]
    )


def _amend(order: SalesOrder, line: SalesOrderLine, data: dict[str, Any]) -> None:
    amend_sales_line(sales_order_id=order.pk, line_id=line.pk, **data)
