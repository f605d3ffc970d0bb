"""Receipts at the desk: the list, a new one, one with its lines, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import Receipt, ReceiptState, WorkKind
from inventory.pages.receipt_lines import ArrivalForm, arrival_of, reason_of, version_of
from inventory.pages.to_receive import NAV, receiving_tabs
from inventory.queries.movements import movements_of
from inventory.queries.places import find_location, warehouses
from inventory.queries.receiving import get_receipt, line_counts, open_lines, search_receipts
from inventory.queries.suppliers import suppliers
from inventory.services.receiving import (
    DifferenceUnexplained,
    add_receipt_line,
    cancel_receipt,
    complete_receipt,
    open_receipt,
    remove_receipt_line,
)
from inventory.services.worklists import take_work
from tenancy.errors import NotFound, Refused
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, send_once, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

DETAIL = "inventory:receipt_detail"
NEWEST_FIRST = ("-id",)
LATEST_MOVEMENTS = 50


class ReceiptFilters(forms.Form):
    q = search_field(gettext_lazy("Number, delivery note or supplier"))
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", gettext_lazy("All states")), *ReceiptState.choices],
    )
    warehouse = row_field(gettext_lazy("Warehouse"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses()]
        offer(self, "warehouse", _("All warehouses"), known)


class BlindForm(forms.Form):
    """A delivery nobody ordered, or whose order is not known here."""

    supplier_id = forms.TypedChoiceField(label=gettext_lazy("Supplier"), coerce=int)
    warehouse_id = forms.TypedChoiceField(label=gettext_lazy("Warehouse"), coerce=int)
    location = forms.CharField(
        label=gettext_lazy("Into"),
        required=False,
        max_length=48,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("Left empty: the receiving dock."),
    )
    delivery_note = forms.CharField(
        label=gettext_lazy("Delivery note"), required=False, max_length=64
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from_whom = [(str(s.pk), s.name) for s in suppliers() if s.is_active]
        to_where = [(str(w.pk), w.name) for w in warehouses() if w.is_active]
        self.fields["supplier_id"].choices = from_whom  # type: ignore[attr-defined]
        self.fields["warehouse_id"].choices = to_where  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Replace the location's code by its id."""
        data: dict[str, Any] = super().clean() or {}
        code, warehouse_id = data.pop("location", ""), data.get("warehouse_id")
        if code and warehouse_id:
            found = find_location(warehouse_id, code)
            if found is None:
                message = _("There is no location %(code)s in this warehouse.")
                self.add_error("location", message % {"code": code})
            else:
                data["location_id"] = found.pk
        return data


@require_safe
def receipt_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List receipts, newest first."""
    require(Permission.READ)
    filters = ReceiptFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_receipts(
        text=chosen.get("q", "").strip(),
        warehouse_id=chosen.get("warehouse"),
        state=chosen.get("state", ""),
    )
    page = keyset_page(rows, order=NEWEST_FIRST, cursor=request.GET.get("cursor", ""))
    counts = line_counts([receipt.pk for receipt in page.items])
    return show(
        request,
        "inventory/receipt_list.html",
        NAV,
        tabs=receiving_tabs(request, "inventory:receipt_list"),
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(receipt, counts.get(receipt.pk, 0)) for receipt in page.items],
        next_cursor=page.next_cursor,
    )


def receipt_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Open a receipt of goods without an order; its lines are added on its own page."""
    require(Permission.FLOOR_WORK)
    form = BlindForm(request.POST or None)

    def create(data: dict[str, Any]) -> str:
        receipt = open_receipt(**data)
        return address(request, DETAIL, receipt_id=receipt.pk)

    if request.method == "POST":
        answer = send_form(request, form, create, _("The receipt is open. Add what arrived."))
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "inventory/receipt_form.html", NAV, form=form, status=status)


@require_POST
def receipt_open(request: HttpRequest, tenant: str, order_id: int) -> HttpResponse:
    """Open a receipt of a placed order, and take its work."""
    require(Permission.FLOOR_WORK)

    def effect() -> str:
        take_work(kind=WorkKind.RECEIVE, subject_id=order_id)
        receipt = open_receipt(order_id=order_id)
        return address(request, DETAIL, receipt_id=receipt.pk)

    back = address(request, "inventory:purchase_order_detail", order_id=order_id)
    return _press(request, effect, done=_("The receipt is open. Add what arrived."), back=back)


@require_safe
def receipt_detail(request: HttpRequest, tenant: str, receipt_id: int) -> HttpResponse:
    """Show a receipt: lines, differences from its order, and what can be done next."""
    require(Permission.READ)
    return show_receipt(request, get_receipt(receipt_id))


@require_POST
def receipt_complete(request: HttpRequest, tenant: str, receipt_id: int) -> HttpResponse:
    """Complete a receipt; differences without a reason are shown and asked about first."""
    require(Permission.FLOOR_WORK)
    here = address(request, DETAIL, receipt_id=receipt_id)

    def effect() -> str:
        complete_receipt(
            receipt_id=receipt_id,
            version=version_of(request),
            accept_differences="accept_differences" in request.POST,
        )
        return here

    try:
        return _press(request, effect, done=_("The goods are booked."), back=here)
    except DifferenceUnexplained as refusal:
        return show_receipt(request, get_receipt(receipt_id), unexplained=refusal)


@require_POST
def receipt_cancel(request: HttpRequest, tenant: str, receipt_id: int) -> HttpResponse:
    """Cancel an open receipt."""
    require(Permission.FLOOR_WORK)
    return do(
        request,
        lambda: cancel_receipt(
            receipt_id=receipt_id, version=version_of(request), reason=reason_of(request)
        ),
        done=_("The receipt was cancelled: nothing of it was booked."),
        target=address(request, DETAIL, receipt_id=receipt_id),
    )


@require_POST
def receipt_remove_line(
    request: HttpRequest, tenant: str, receipt_id: int, receipt_line_id: int
) -> HttpResponse:
    """Take a line off an open receipt."""
    require(Permission.FLOOR_WORK)
    return do(
        request,
        lambda: remove_receipt_line(
            receipt_id=receipt_id, receipt_line_id=receipt_line_id, version=version_of(request)
        ),
        done=_("The line was removed."),
        target=address(request, DETAIL, receipt_id=receipt_id),
    )


@require_POST
def receipt_add_line(request: HttpRequest, tenant: str, receipt_id: int) -> HttpResponse:
    """Add a line to an open receipt; a refused one is shown again with its errors."""
    require(Permission.FLOOR_WORK)
    receipt = get_receipt(receipt_id)
    form = ArrivalForm(request.POST, receipt=receipt)

    def add(data: dict[str, Any]) -> str:
        arrival = arrival_of(data)
        add_receipt_line(receipt_id=receipt.pk, arrival=arrival, version=data["version"])
        return address(request, DETAIL, receipt_id=receipt.pk)

    answer = send_form(request, form, add, _("The line was added."))
    return answer if answer is not None else show_receipt(request, receipt, form=form)


def show_receipt(
    request: HttpRequest,
    receipt: Receipt,
    *,
    form: ArrivalForm | None = None,
    unexplained: DifferenceUnexplained | None = None,
) -> HttpResponse:
    """Render a receipt, with a refused line or with the differences that need an answer."""
    is_open = receipt.state == ReceiptState.OPEN
    order_id = receipt.purchase_order_id
    expected = open_lines(order_id) if order_id is not None and is_open else []
    is_refused = form is not None or unexplained is not None
    return show(
        request,
        "inventory/receipt_detail.html",
        NAV,
        receipt=receipt,
        lines=list(receipt.lines.all()),
        is_open=is_open,
        expected=expected,
        unexplained=unexplained.lines if unexplained is not None else (),
        units={row.line.pk: row.line.product.base_unit for row in expected},
        movements=[] if is_open else list(movements_of(receipt)[:LATEST_MOVEMENTS]),
        form=form or ArrivalForm(initial={"version": receipt.version}, receipt=receipt),
        status=UNPROCESSABLE if is_refused else 200,
    )


def _press(
    request: HttpRequest, effect: Callable[[], str], *, done: str, back: str
) -> HttpResponse:
    """Do what a button says, once, and go where that leads; a refusal is told at ``back``."""
    try:
        target = send_once(request, effect)
    except (NotFound, DifferenceUnexplained):
        raise
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(back)
    messages.success(request, done)
    return redirect(target)
