"""Customers and their segments: lists, one customer with orders, and their forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_safe

from inventory.models import Customer
from inventory.pages.fields import in_use_field
from inventory.pages.sales import is_late
from inventory.queries.customers import (
    get_customer,
    get_segment,
    open_sales_counts,
    search_customers,
    segment_sizes,
    segments,
)
from inventory.queries.sales import sales_totals, search_sales_orders
from inventory.services.customers import (
    CustomerFields,
    create_customer,
    create_segment,
    update_customer,
    update_segment,
)
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "customers"
DETAIL = "inventory:customer_detail"


class CustomerFilters(forms.Form):
    q = search_field(gettext_lazy("Code or name"))
    segment = row_field(gettext_lazy("Segment"))
    state = in_use_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "segment", _("All segments"), [(str(s.pk), s.name) for s in segments()])


class CustomerForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"), max_length=64, help_text=gettext_lazy("Short and unique.")
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=160)
    country = forms.CharField(label=gettext_lazy("Country"), required=False, max_length=80)
    segment_id = forms.TypedChoiceField(
        label=gettext_lazy("Segment"), required=False, coerce=int, empty_value=None
    )
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "segment_id", _("None"), [(str(s.pk), s.name) for s in segments()])


class SegmentForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"), max_length=32, help_text=gettext_lazy("Short and unique.")
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)


@require_safe
def customer_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List customers with how many orders they wait for."""
    require(Permission.READ)
    filters = CustomerFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_customers(
        text=chosen.get("q", "").strip(),
        segment_id=chosen.get("segment"),
        is_active={"": True, "inactive": False}.get(chosen.get("state", "")),
    )
    page = keyset_page(rows, order=("code", "id"), cursor=request.GET.get("cursor", ""))
    waiting = open_sales_counts([customer.pk for customer in page.items])
    return show(
        request,
        "inventory/customer_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(customer, waiting.get(customer.pk, 0)) for customer in page.items],
        next_cursor=page.next_cursor,
    )


@require_safe
def customer_detail(request: HttpRequest, tenant: str, customer_id: int) -> HttpResponse:
    """Show a customer and the orders, newest first."""
    require(Permission.READ)
    customer = get_customer(customer_id)
    rows = search_sales_orders(customer_id=customer.pk)
    page = keyset_page(rows, order=("-id",), cursor=request.GET.get("cursor", ""))
    totals = sales_totals([order.pk for order in page.items])
    return show(
        request,
        "inventory/customer_detail.html",
        NAV,
        customer=customer,
        waiting=open_sales_counts([customer.pk]).get(customer.pk, 0),
        rows=[(order, totals[order.pk], is_late(order)) for order in page.items],
        next_cursor=page.next_cursor,
    )


def customer_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create a customer."""
    require(Permission.SELL)
    form = CustomerForm(request.POST or None)

    def create(data: dict[str, Any]) -> str:
        customer = create_customer(fields=CustomerFields(**data))
        return address(request, DETAIL, customer_id=customer.pk)

    return _customer_page(request, form, create, _("The customer was created."), customer=None)


def customer_edit(request: HttpRequest, tenant: str, customer_id: int) -> HttpResponse:
    """Change a customer, or take it out of use."""
    require(Permission.SELL)
    customer = get_customer(customer_id)
    initial = {name: getattr(customer, name) for name in CustomerForm.base_fields}
    form = CustomerForm(request.POST or None, initial=initial)

    def change(data: dict[str, Any]) -> str:
        update_customer(customer_id=customer.pk, fields=CustomerFields(**data))
        return address(request, DETAIL, customer_id=customer.pk)

    return _customer_page(request, form, change, _("The customer was changed."), customer=customer)


@require_safe
def segment_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List the segments with how many customers each has."""
    require(Permission.READ)
    page = keyset_page(segments(), order=("code", "id"), cursor=request.GET.get("cursor", ""))
    sizes = segment_sizes([segment.pk for segment in page.items])
    return show(
        request,
        "inventory/segment_list.html",
        NAV,
        rows=[(segment, sizes.get(segment.pk, 0)) for segment in page.items],
        next_cursor=page.next_cursor,
    )


def segment_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create a segment."""
    require(Permission.SELL)
    form = SegmentForm(request.POST or None)

    def create(data: dict[str, Any]) -> str:
        create_segment(**data)
        return address(request, "inventory:segment_list")

    return _segment_page(request, form, create, _("The segment was created."), segment=None)


def segment_edit(request: HttpRequest, tenant: str, segment_id: int) -> HttpResponse:
    """Rename a segment."""
    require(Permission.SELL)
    segment = get_segment(segment_id)
    form = SegmentForm(request.POST or None, initial={"code": segment.code, "name": segment.name})

    def change(data: dict[str, Any]) -> str:
        update_segment(segment_id=segment.pk, **data)
        return address(request, "inventory:segment_list")

    return _segment_page(request, form, change, _("The segment was changed."), segment=segment)


def _customer_page(
    request: HttpRequest, form: CustomerForm, effect: Any, done: str, *, customer: Customer | None
) -> HttpResponse:
    if request.method == "POST":
        answer = send_form(request, form, effect, done)
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    template = "inventory/customer_form.html"
    return show(request, template, NAV, form=form, customer=customer, status=status)


def _segment_page(
    request: HttpRequest, form: SegmentForm, effect: Any, done: str, *, segment: Any
) -> HttpResponse:
    if request.method == "POST":
        answer = send_form(request, form, effect, done)
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    template = "inventory/segment_form.html"
    return show(request, template, NAV, form=form, segment=segment, status=status)
