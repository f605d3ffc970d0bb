"""Purchase orders: the list, one order with its lines, and every step from draft to closed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import PurchaseOrder, PurchaseOrderState
from inventory.pages.fields import (
    ProductCodeField,
    day_field,
    mode_field,
    money_field,
    plain,
    quantity_field,
)
from inventory.queries.movements import movements_of_order
from inventory.queries.places import warehouses
from inventory.queries.purchasing import (
    expected_orders,
    get_order_line,
    get_purchase_order,
    late_orders,
    order_totals,
    quantity_hints,
    search_purchase_orders,
)
from inventory.queries.receiving import receipts_of
from inventory.queries.suppliers import supplier_items, suppliers
from inventory.rules.business_day import business_day
from inventory.services.purchase_amendments import Amendment, amend_order_line
from inventory.services.purchasing import (
    OrderLine,
    add_order_lines,
    cancel_order,
    close_order,
    create_draft_order,
    place_order,
    remove_order_line,
)
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page
from tenancy.scope import active_scope

NAV = "purchase_orders"
DETAIL = "inventory:purchase_order_detail"
EXPECTED, LATE = "expected", "late"
NEWEST_FIRST, DUE_FIRST = ("-id",), ("due_on", "id")
SUGGESTED_PRODUCTS = 500
LATEST_MOVEMENTS = 20
LATEST_RECEIPTS = 20


class OrderFilters(forms.Form):
    q = search_field(gettext_lazy("Number or supplier"))
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[
            ("", gettext_lazy("All states")),
            (EXPECTED, gettext_lazy("Expected, by day")),
            (LATE, gettext_lazy("Late")),
            *PurchaseOrderState.choices,
        ],
    )
    supplier = row_field(gettext_lazy("Supplier"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(s.pk), s.name) for s in suppliers()]
        offer(self, "supplier", _("All suppliers"), known)


class DraftForm(forms.Form):
    supplier_id = forms.TypedChoiceField(label=gettext_lazy("Supplier"), coerce=int)
    warehouse_id = forms.TypedChoiceField(label=gettext_lazy("Warehouse"), coerce=int)
    expected_on = day_field(
        gettext_lazy("Expected"),
        required=False,
        help_text=gettext_lazy("Left empty: by the supplier's promised lead time."),
    )
    transport_mode = mode_field(
        help_text=gettext_lazy("Not said: that of the offers, when it is placed.")
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from_whom = [(str(s.pk), s.name) for s in suppliers() if s.is_active]
        to_where = [(str(w.pk), w.name) for w in warehouses() if w.is_active]
        self.fields["supplier_id"].choices = from_whom  # type: ignore[attr-defined]
        self.fields["warehouse_id"].choices = to_where  # type: ignore[attr-defined]


class LineForm(forms.Form):
    product_id = ProductCodeField(
        label=gettext_lazy("Product"),
        list_id="offered-products",
        help_text=gettext_lazy("SKU or barcode."),
    )
    quantity = quantity_field(
        gettext_lazy("Quantity"), help_text=gettext_lazy("In the product's base unit.")
    )
    unit_price = money_field(
        gettext_lazy("Unit price"),
        required=False,
        help_text=gettext_lazy("Left empty: the supplier's price at this quantity."),
    )
    promised_on = day_field(gettext_lazy("Promised"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)


class AmendmentForm(forms.Form):
    quantity = quantity_field(gettext_lazy("Quantity"))
    unit_price = money_field(gettext_lazy("Unit price"))
    promised_on = day_field(gettext_lazy("Promised"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("What was agreed with the supplier; kept in the audit trail."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


@require_safe
def purchase_order_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List purchase orders: newest first, or what is expected by the day it is due."""
    require(Permission.READ)
    filters = OrderFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_purchase_orders(
        text=chosen.get("q", "").strip(), supplier_id=chosen.get("supplier")
    )
    today = _today()
    state = chosen.get("state", "")
    if state == EXPECTED:
        rows = expected_orders(rows)
    elif state == LATE:
        rows = late_orders(rows, today)
    elif state:
        rows = rows.filter(state=state)
    order = DUE_FIRST if state in {EXPECTED, LATE} else NEWEST_FIRST
    page = keyset_page(rows, order=order, cursor=request.GET.get("cursor", ""))
    totals = order_totals([purchase.pk for purchase in page.items])
    return show(
        request,
        "inventory/purchase_order_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(purchase, totals[purchase.pk], _is_late(purchase)) for purchase in page.items],
        next_cursor=page.next_cursor,
    )


def purchase_order_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create an empty draft; its lines are added on its own page."""
    require(Permission.BUY)
    form = DraftForm(request.POST or None, initial={"supplier_id": request.GET.get("supplier")})

    def create(data: dict[str, Any]) -> str:
        order = create_draft_order(**data)
        return address(request, DETAIL, order_id=order.pk)

    if request.method == "POST":
        answer = send_form(request, form, create, _("The draft was created. Now add its lines."))
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "inventory/purchase_order_form.html", NAV, form=form, status=status)


@require_safe
def purchase_order_detail(request: HttpRequest, tenant: str, order_id: int) -> HttpResponse:
    """Show an order: lines, what has come of them, and what can be done next."""
    require(Permission.READ)
    return _show_order(request, get_purchase_order(order_id))


@require_POST
def purchase_order_add_line(request: HttpRequest, tenant: str, order_id: int) -> HttpResponse:
    """Add a line to a draft; a refused line is shown again with its errors."""
    require(Permission.BUY)
    order = get_purchase_order(order_id)
    form = LineForm(request.POST)

    def add(data: dict[str, Any]) -> str:
        version, product = data.pop("version"), data.pop("product_id")
        line = OrderLine(product_id=product.pk, **data)
        add_order_lines(order_id=order.pk, lines=[line], version=version)
        return address(request, DETAIL, order_id=order.pk)

    answer = send_form(request, form, add, _("The line was added."))
    return answer if answer is not None else _show_order(request, order, form)


@require_POST
def purchase_order_remove_line(
    request: HttpRequest, tenant: str, order_id: int, line_id: int
) -> HttpResponse:
    """Take a line off a draft."""
    require(Permission.BUY)
    return do(
        request,
        lambda: remove_order_line(order_id=order_id, line_id=line_id, version=_version(request)),
        done=_("The line was removed."),
        target=address(request, DETAIL, order_id=order_id),
    )


def purchase_order_amend_line(
    request: HttpRequest, tenant: str, order_id: int, line_id: int
) -> HttpResponse:
    """Amend a line of a placed order, with the reason."""
    require(Permission.BUY)
    order = get_purchase_order(order_id)
    line = get_order_line(order, line_id)
    initial = {
        "quantity": plain(line.quantity),
        "unit_price": plain(line.unit_price),
        "promised_on": line.promised_on,
        "version": order.version,
    }
    form = AmendmentForm(request.POST or None, initial=initial)

    def amend(data: dict[str, Any]) -> str:
        reason, version = data.pop("reason"), data.pop("version")
        amend_order_line(
            order_id=order.pk,
            line_id=line.pk,
            amendment=Amendment(**data),
            reason=reason,
            version=version,
        )
        return address(request, DETAIL, order_id=order.pk)

    if request.method == "POST":
        answer = send_form(request, form, amend, _("The line was amended."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/purchase_order_amend.html",
        NAV,
        order=order,
        line=line,
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )


@require_POST
def purchase_order_place(request: HttpRequest, tenant: str, order_id: int) -> HttpResponse:
    """Place a draft with its supplier, below the minimum only when the button said so."""
    require(Permission.BUY)
    return do(
        request,
        lambda: place_order(
            order_id=order_id,
            version=_version(request),
            accept_below_minimum="accept_below_minimum" in request.POST,
        ),
        done=_("The order was placed: its lines are fixed and count as on order."),
        target=address(request, DETAIL, order_id=order_id),
    )


@require_POST
def purchase_order_cancel(request: HttpRequest, tenant: str, order_id: int) -> HttpResponse:
    """Cancel a draft, or a placed order of which nothing has come."""
    require(Permission.BUY)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:200]
    return do(
        request,
        lambda: cancel_order(order_id=order_id, version=_version(request), reason=reason),
        done=_("The order was cancelled."),
        target=address(request, DETAIL, order_id=order_id),
    )


@require_POST
def purchase_order_close(request: HttpRequest, tenant: str, order_id: int) -> HttpResponse:
    """Close an order: nothing more is expected of it."""
    require(Permission.BUY)
    return do(
        request,
        lambda: close_order(order_id=order_id, version=_version(request)),
        done=_("The order was closed: nothing more is expected."),
        target=address(request, DETAIL, order_id=order_id),
    )


def _show_order(
    request: HttpRequest, order: PurchaseOrder, form: LineForm | None = None
) -> HttpResponse:
    totals = order_totals([order.pk])[order.pk]
    is_draft = order.state == PurchaseOrderState.DRAFT
    offers = supplier_items().filter(supplier_id=order.supplier_id, is_active=True)
    return show(
        request,
        "inventory/purchase_order_detail.html",
        NAV,
        order=order,
        lines=list(order.lines.all()),
        totals=totals,
        is_late=_is_late(order),
        is_draft=is_draft,
        is_below_minimum=is_draft and totals.value < order.supplier.minimum_order_value,
        can_receive=order.state in PurchaseOrderState.on_order(),
        can_set_transport=order.state != PurchaseOrderState.CANCELLED,
        can_cancel=order.state in {PurchaseOrderState.DRAFT, PurchaseOrderState.PLACED},
        can_close=order.state
        in {PurchaseOrderState.RECEIVED, PurchaseOrderState.PARTIALLY_RECEIVED},
        hints=quantity_hints(order) if is_draft else {},
        receipts=[] if is_draft else list(receipts_of(order)[:LATEST_RECEIPTS]),
        offers=list(offers[:SUGGESTED_PRODUCTS]) if is_draft else [],
        movements=[] if is_draft else list(movements_of_order(order)[:LATEST_MOVEMENTS]),
        form=form or LineForm(initial={"version": order.version}),
        status=UNPROCESSABLE if form is not None else 200,
    )


def _version(request: HttpRequest) -> int | None:
    given = request.POST.get("version", "")
    return int(given) if given.isdecimal() else None


def _today() -> Any:
    return business_day(timezone.now(), active_scope().tenant.time_zone)


def _is_late(order: PurchaseOrder) -> bool:
    is_open = order.state in PurchaseOrderState.on_order()
    return is_open and order.expected_on is not None and order.expected_on < _today()
