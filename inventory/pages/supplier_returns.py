"""Returns to suppliers at the desk: drafted, sent, closed, called back, cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import LotTracking, SupplierReturn, SupplierReturnState
from inventory.pages.fields import ProductCodeField, money_field, quantity_field
from inventory.queries.catalog import find_lot
from inventory.queries.movements import movements_of
from inventory.queries.places import find_location, warehouses
from inventory.queries.returns import (
    get_supplier_return,
    search_supplier_returns,
    supplier_return_totals,
)
from inventory.queries.suppliers import suppliers
from inventory.services.supplier_returns import (
    ReturningLine,
    SupplierReturnFields,
    add_supplier_return_lines,
    call_back_supplier_return,
    cancel_supplier_return,
    close_supplier_return,
    create_supplier_return,
    remove_supplier_return_line,
    send_supplier_return,
)
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "supplier_returns"
DETAIL = "inventory:supplier_return_detail"
NEWEST_FIRST = ("-id",)
LATEST_MOVEMENTS = 40


class SupplierReturnFilters(forms.Form):
    q = search_field(gettext_lazy("Number, reference or supplier"))
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", gettext_lazy("All states")), *SupplierReturnState.choices],
    )
    supplier = row_field(gettext_lazy("Supplier"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "supplier", _("All suppliers"), [(str(s.pk), s.name) for s in suppliers()])


class SupplierReturnForm(forms.Form):
    supplier_id = forms.TypedChoiceField(label=gettext_lazy("Supplier"), coerce=int)
    warehouse_id = forms.TypedChoiceField(label=gettext_lazy("From"), coerce=int)
    reference = forms.CharField(
        label=gettext_lazy("Supplier's reference"), required=False, max_length=64
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whom = [(str(s.pk), s.name) for s in suppliers() if s.is_active]
        where = [(str(w.pk), w.name) for w in warehouses() if w.is_active]
        self.fields["supplier_id"].choices = whom  # type: ignore[attr-defined]
        self.fields["warehouse_id"].choices = where  # type: ignore[attr-defined]


class ReturningLineForm(forms.Form):
    product_id = ProductCodeField(
        label=gettext_lazy("Product"), help_text=gettext_lazy("SKU or barcode.")
    )
    quantity = quantity_field(gettext_lazy("Quantity"))
    location = forms.CharField(label=gettext_lazy("Taken from"), max_length=48)
    lot_code = forms.CharField(label=gettext_lazy("Lot"), required=False, max_length=64)
    unit_cost = money_field(
        gettext_lazy("Unit price"),
        required=False,
        help_text=gettext_lazy("Left empty: what the supplier asks."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, back: SupplierReturn, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.back = back

    def clean(self) -> dict[str, Any]:
        """Turn the codes of place and lot into rows."""
        data: dict[str, Any] = super().clean() or {}
        place = find_location(self.back.warehouse_id, data.get("location", ""))
        if place is None and "location" in data:
            message = _("%(place)s has no location of that code.")
            self.add_error("location", message % {"place": self.back.warehouse.name})
        data["place"] = place
        product = data.get("product_id")
        data["lot"] = None
        if product is not None and product.lot_tracking != LotTracking.NONE:
            data["lot"] = find_lot(product.pk, data.get("lot_code", ""))
            if data["lot"] is None:
                self.add_error("lot_code", _("Enter the lot printed on the goods."))
        return data


@require_safe
def supplier_return_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List returns to suppliers, the newest first."""
    require(Permission.READ)
    filters = SupplierReturnFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_supplier_returns(
        text=chosen.get("q", "").strip(), supplier_id=chosen.get("supplier")
    )
    if state := chosen.get("state", ""):
        rows = rows.filter(state=state)
    page = keyset_page(rows, order=NEWEST_FIRST, cursor=request.GET.get("cursor", ""))
    totals = supplier_return_totals([back.pk for back in page.items])
    return show(
        request,
        "inventory/supplier_return_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(back, totals[back.pk]) for back in page.items],
        next_cursor=page.next_cursor,
    )


def supplier_return_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create an empty draft; its lines are added on its own page."""
    require(Permission.BUY)
    form = SupplierReturnForm(request.POST if request.method == "POST" else None)

    def create(data: dict[str, Any]) -> str:
        back = create_supplier_return(
            supplier_id=data["supplier_id"],
            warehouse_id=data["warehouse_id"],
            fields=SupplierReturnFields(data["reference"], data["reason"]),
        )
        return _page(request, back.pk)

    if request.method == "POST":
        answer = send_form(request, form, create, _("The draft was created. Now add its lines."))
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "inventory/supplier_return_form.html", NAV, form=form, status=status)


@require_safe
def supplier_return_detail(
    request: HttpRequest, tenant: str, supplier_return_id: int
) -> HttpResponse:
    """Show a return: its lines, what has left, and what can be done next."""
    require(Permission.READ)
    return _show(request, get_supplier_return(supplier_return_id))


@require_POST
def supplier_return_add_line(
    request: HttpRequest, tenant: str, supplier_return_id: int
) -> HttpResponse:
    """Add a line to a draft; a refused line is shown again with its errors."""
    require(Permission.BUY)
    back = get_supplier_return(supplier_return_id)
    form = ReturningLineForm(request.POST, back=back)

    def add(data: dict[str, Any]) -> str:
        line = ReturningLine(
            product_id=data["product_id"].pk,
            location_id=data["place"].pk,
            quantity=data["quantity"],
            lot_id=data["lot"].pk if data["lot"] else None,
            unit_cost=data["unit_cost"],
        )
        add_supplier_return_lines(supplier_return_id=back.pk, lines=[line], version=data["version"])
        return _page(request, back.pk)

    answer = send_form(request, form, add, _("The line was added."))
    return answer if answer is not None else _show(request, back, form)


@require_POST
def supplier_return_remove_line(
    request: HttpRequest, tenant: str, supplier_return_id: int, supplier_return_line_id: int
) -> HttpResponse:
    """Take a line off a draft."""
    require(Permission.BUY)
    return _do(
        request,
        supplier_return_id,
        lambda: remove_supplier_return_line(
            supplier_return_id=supplier_return_id,
            supplier_return_line_id=supplier_return_line_id,
            version=_version(request),
        ),
        _("The line was removed."),
    )


@require_POST
def supplier_return_send(
    request: HttpRequest, tenant: str, supplier_return_id: int
) -> HttpResponse:
    """Send a draft to the supplier."""
    require(Permission.FLOOR_WORK)
    return _do(
        request,
        supplier_return_id,
        lambda: send_supplier_return(
            supplier_return_id=supplier_return_id, version=_version(request)
        ),
        _("The goods have left for the supplier."),
    )


@require_POST
def supplier_return_call_back(
    request: HttpRequest, tenant: str, supplier_return_id: int
) -> HttpResponse:
    """Make a sent return a draft again: its goods lie where they lay."""
    require(Permission.FLOOR_WORK)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:200]
    return _do(
        request,
        supplier_return_id,
        lambda: call_back_supplier_return(
            supplier_return_id=supplier_return_id, reason=reason, version=_version(request)
        ),
        _("The return is a draft again: its goods lie where they lay."),
    )


@require_POST
def supplier_return_close(
    request: HttpRequest, tenant: str, supplier_return_id: int
) -> HttpResponse:
    """Close a sent return: the supplier has settled it."""
    require(Permission.BUY)
    return _do(
        request,
        supplier_return_id,
        lambda: close_supplier_return(
            supplier_return_id=supplier_return_id, version=_version(request)
        ),
        _("The return is closed."),
    )


@require_POST
def supplier_return_cancel(
    request: HttpRequest, tenant: str, supplier_return_id: int
) -> HttpResponse:
    """Cancel a draft."""
    require(Permission.BUY)
    return _do(
        request,
        supplier_return_id,
        lambda: cancel_supplier_return(
            supplier_return_id=supplier_return_id, version=_version(request)
        ),
        _("The return was cancelled: its goods stay where they are."),
    )


def _show(
    request: HttpRequest, back: SupplierReturn, form: ReturningLineForm | None = None
) -> HttpResponse:
    return show(
        request,
        "inventory/supplier_return_detail.html",
        NAV,
        back=back,
        lines=list(back.lines.all()),
        totals=supplier_return_totals([back.pk])[back.pk],
        is_draft=back.state == SupplierReturnState.DRAFT,
        is_sent=back.state == SupplierReturnState.SENT,
        movements=list(movements_of(back)[:LATEST_MOVEMENTS]),
        form=form or ReturningLineForm(back=back, initial={"version": back.version}),
        status=UNPROCESSABLE if form is not None else 200,
    )


def _do(
    request: HttpRequest, supplier_return_id: int, effect: Callable[[], Any], done: str
) -> HttpResponse:
    return do(request, effect, done=done, target=_page(request, supplier_return_id))


def _page(request: HttpRequest, supplier_return_id: int) -> str:
    return address(request, DETAIL, supplier_return_id=supplier_return_id)


def _version(request: HttpRequest) -> int | None:
    given = request.POST.get("version", "")
    return int(given) if given.isascii() and given.isdecimal() else None
