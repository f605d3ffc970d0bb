"""Sales orders: the list, one order with what became of it, and its forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_safe

from inventory.models import AllocationState, SalesOrder, SalesOrderState
from inventory.pages.fields import ProductCodeField, day_field, money_field, quantity_field
from inventory.pages.sales_events import timeline
from inventory.pages.waves import today
from inventory.queries.channels import channels
from inventory.queries.customers import customers, segments
from inventory.queries.places import warehouses
from inventory.queries.sales import (
    allocations,
    get_sales_order,
    late_sales_orders,
    open_sales_orders,
    sales_totals,
    search_sales_orders,
)
from inventory.queries.shipping import shipments_of
from inventory.services.sales import (
    MAY_BE_CANCELLED,
    MAY_BE_CHANGED,
    DeliveryFields,
    change_delivery,
    change_priority,
)
from inventory.services.sales_entry import LONGEST_ADDRESS, SalesOrderFields, create_sales_order
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, allows, require
from tenancy.queries.keyset import keyset_page
from tenancy.scope import active_scope

NAV = "sales_orders"
DETAIL = "inventory:sales_order_detail"
OPEN, LATE = "open", "late"
NEWEST_FIRST, DUE_FIRST = ("-id",), ("due_on", "id")
PRIORITIES = [
    (1, gettext_lazy("1 · first")),
    *((n, str(n)) for n in range(2, 5)),
    (5, gettext_lazy("5 · usual")),
    *((n, str(n)) for n in range(6, 9)),
    (9, gettext_lazy("9 · last")),
]


class SalesFilters(forms.Form):
    q = search_field(gettext_lazy("Number, reference or customer"))
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[
            ("", gettext_lazy("All states")),
            (OPEN, gettext_lazy("Open, by promised day")),
            (LATE, gettext_lazy("Late")),
            *SalesOrderState.choices,
        ],
    )
    warehouse = row_field(gettext_lazy("Warehouse"))
    channel = row_field(gettext_lazy("Channel"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "warehouse", _("All warehouses"), [(str(w.pk), w.name) for w in warehouses()])
        offer(self, "channel", _("All channels"), [(str(c.pk), c.name) for c in channels()])


class DeliveryForm(forms.Form):
    """What may change until the order is shipped."""

    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        required=False,
        max_length=64,
        help_text=gettext_lazy("The order's number in its channel; each counts once."),
    )
    priority = forms.TypedChoiceField(
        label=gettext_lazy("Priority"), coerce=int, choices=PRIORITIES, initial=5
    )
    promised_on = day_field(gettext_lazy("Promised for"), required=False)
    ship_to_name = forms.CharField(label=gettext_lazy("Ship to"), required=False, max_length=160)
    ship_to_address = forms.CharField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=LONGEST_ADDRESS,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)


class OrderForm(DeliveryForm):
    """A new order; customers are named by their code, of which there may be many."""

    channel_id = forms.TypedChoiceField(label=gettext_lazy("Channel"), coerce=int)
    warehouse_id = forms.TypedChoiceField(label=gettext_lazy("Ships from"), coerce=int)
    customer_id = forms.CharField(
        label=gettext_lazy("Customer"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"list": "known-customers", "autocomplete": "off"}),
        help_text=gettext_lazy("The customer's code; left empty for a customer not kept here."),
    )
    segment_id = forms.TypedChoiceField(
        label=gettext_lazy("Segment"), required=False, coerce=int, empty_value=None
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sold_by = [(str(c.pk), c.name) for c in channels() if c.is_active]
        from_where = [(str(w.pk), w.name) for w in warehouses() if w.is_active]
        self.fields["channel_id"].choices = sold_by  # type: ignore[attr-defined]
        self.fields["warehouse_id"].choices = from_where  # type: ignore[attr-defined]
        known = [(str(s.pk), s.name) for s in segments()]
        offer(self, "segment_id", _("The customer's"), known)

    def clean_customer_id(self) -> int | None:
        """Return the id of the customer of that code; raise ``ValidationError`` for none."""
        code = self.cleaned_data["customer_id"].strip()
        if not code:
            return None
        found = customers().filter(code=code).first()
        if found is None:
            message = _("No customer has the code %(code)s.")
            raise forms.ValidationError(message, code="unknown", params={"code": code})
        return found.pk


class LineForm(forms.Form):
    product_id = ProductCodeField(
        label=gettext_lazy("Product"), help_text=gettext_lazy("SKU or barcode.")
    )
    quantity = quantity_field(
        gettext_lazy("Quantity"), help_text=gettext_lazy("In the product's base unit.")
    )
    unit_price = money_field(
        gettext_lazy("Unit price"),
        required=False,
        help_text=gettext_lazy("Left empty: the product's own price."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


@require_safe
def sales_order_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List sales orders: newest first, or what is open by the day it was promised for."""
    require(Permission.READ)
    filters = SalesFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_sales_orders(
        text=chosen.get("q", "").strip(),
        warehouse_id=chosen.get("warehouse"),
        channel_id=chosen.get("channel"),
    )
    state = chosen.get("state", "")
    if state == OPEN:
        rows = open_sales_orders(rows)
    elif state == LATE:
        rows = late_sales_orders(rows, today())
    elif state:
        rows = rows.filter(state=state)
    order = DUE_FIRST if state in {OPEN, LATE} else NEWEST_FIRST
    page = keyset_page(rows, order=order, cursor=request.GET.get("cursor", ""))
    totals = sales_totals([sale.pk for sale in page.items])
    return show(
        request,
        "inventory/sales_order_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(sale, totals[sale.pk], is_late(sale)) for sale in page.items],
        next_cursor=page.next_cursor,
    )


def sales_order_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create an empty draft; its lines are added on its own page."""
    require(Permission.SELL)
    form = OrderForm(request.POST or None, initial={"customer_id": request.GET.get("customer")})

    def create(data: dict[str, Any]) -> str:
        order = create_sales_order(fields=SalesOrderFields(**data))
        return address(request, DETAIL, sales_order_id=order.pk)

    if request.method == "POST":
        answer = send_form(request, form, create, _("The draft was created. Now add its lines."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/sales_order_form.html",
        NAV,
        form=form,
        known_customers=list(customers().filter(is_active=True)[:500]),
        status=UNPROCESSABLE if form.errors else 200,
    )


@require_safe
def sales_order_detail(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Show an order: lines, what was promised to them, and what can be done next."""
    require(Permission.READ)
    return show_order(request, get_sales_order(sales_order_id))


def sales_order_edit(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Change where, when and how urgently an order is delivered."""
    require(Permission.SELL)
    order = get_sales_order(sales_order_id)
    initial = {name: getattr(order, name) for name in DeliveryForm.base_fields}
    form = DeliveryForm(request.POST or None, initial=initial)

    def change(data: dict[str, Any]) -> str:
        given = request.POST.get("version", "")
        version = int(given) if given.isdecimal() and len(given) < 10 else None
        priority = data.pop("priority")
        changed = change_delivery(
            sales_order_id=order.pk, fields=DeliveryFields(**data), version=version
        )
        change_priority(sales_order_id=order.pk, priority=priority, version=changed.version)
        return address(request, DETAIL, sales_order_id=order.pk)

    if request.method == "POST":
        answer = send_form(request, form, change, _("The order was changed."))
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    template = "inventory/sales_order_edit.html"
    return show(request, template, NAV, form=form, order=order, status=status)


def show_order(
    request: HttpRequest, order: SalesOrder, form: LineForm | None = None
) -> HttpResponse:
    """Show the order's page; with a form, that of a line that was refused."""
    promises = list(allocations().filter(order_line__order_id=order.pk))
    live = [p for p in promises if p.state in {AllocationState.ALLOCATED, AllocationState.PICKED}]
    lines = list(order.lines.all())
    is_draft = order.state == SalesOrderState.DRAFT
    is_owing = order.state in SalesOrderState.owing()
    has_shipped = any(line.quantity_shipped for line in lines)
    actor, floor = active_scope().actor, Permission.FLOOR_WORK
    sells = allows(actor, Permission.SELL)
    return show(
        request,
        "inventory/sales_order_detail.html",
        NAV,
        order=order,
        lines=lines,
        totals=sales_totals([order.pk])[order.pk],
        promises=live,
        shipments=list(shipments_of(order.pk)),
        events=timeline(order),
        is_late=is_late(order),
        is_draft=is_draft,
        is_owing=is_owing,
        is_short=is_owing and any(line.quantity_open for line in lines),
        can_change=order.state in MAY_BE_CHANGED,
        can_cancel=order.state in MAY_BE_CANCELLED and not has_shipped,
        can_close=has_shipped and (is_owing or order.state == SalesOrderState.SHIPPED),
        acts_on_lines=(is_draft and sells) or (is_owing and (sells or allows(actor, floor))),
        form=form or LineForm(initial={"version": order.version}),
        status=UNPROCESSABLE if form is not None else 200,
    )


def is_late(order: SalesOrder) -> bool:
    """Tell whether the order was promised for a day that is over."""
    is_open = order.state in SalesOrderState.owing()
    return is_open and order.promised_on is not None and order.promised_on < today()
