"""Transfers at the desk: the list, a draft and its lines, and every step until it has arrived."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import TransferOrder, TransferState
from inventory.pages.fields import ProductCodeField, day_field, money_field, quantity_field
from inventory.pages.waves import today
from inventory.queries.movements import movements_of
from inventory.queries.places import warehouses
from inventory.queries.transfers import (
    get_transfer,
    pieces_on_the_way,
    promises_of,
    search_transfers,
    transfer_totals,
)
from inventory.services.transfers import (
    AskedLine,
    add_transfer_lines,
    cancel_transfer,
    create_transfer,
    end_sending,
    release_transfer,
    remove_transfer_line,
    reverse_transfer_movement,
    send_transfer,
)
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "transfers"
DETAIL = "inventory:transfer_order_detail"
NEWEST_FIRST = ("-id",)
LATEST_MOVEMENTS = 40
OPEN = (TransferState.RELEASED, TransferState.IN_TRANSIT)


class TransferFilters(forms.Form):
    q = search_field(gettext_lazy("Number or note"))
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", gettext_lazy("All states")), *TransferState.choices],
    )
    warehouse = row_field(gettext_lazy("Warehouse"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "warehouse", _("All warehouses"), [(str(w.pk), w.name) for w in warehouses()])


class TransferForm(forms.Form):
    from_warehouse_id = forms.TypedChoiceField(label=gettext_lazy("From"), coerce=int)
    to_warehouse_id = forms.TypedChoiceField(label=gettext_lazy("To"), coerce=int)
    expected_on = day_field(gettext_lazy("Expected"), required=False)
    transport_cost = money_field(gettext_lazy("Transport cost"), required=False)
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses() if w.is_active]
        self.fields["from_warehouse_id"].choices = known  # type: ignore[attr-defined]
        self.fields["to_warehouse_id"].choices = known[1:] + known[:1]  # type: ignore[attr-defined]


class TransferLineForm(forms.Form):
    product_id = ProductCodeField(
        label=gettext_lazy("Product"), help_text=gettext_lazy("SKU or barcode.")
    )
    quantity = quantity_field(
        gettext_lazy("Quantity"), help_text=gettext_lazy("In the product's base unit.")
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


@require_safe
def transfer_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List transfers, the newest first."""
    require(Permission.READ)
    filters = TransferFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_transfers(text=chosen.get("q", "").strip(), warehouse_id=chosen.get("warehouse"))
    if state := chosen.get("state", ""):
        rows = rows.filter(state=state)
    page = keyset_page(rows, order=NEWEST_FIRST, cursor=request.GET.get("cursor", ""))
    totals = transfer_totals([order.pk for order in page.items])
    return show(
        request,
        "inventory/transfer_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(order, totals[order.pk], _is_late(order)) for order in page.items],
        next_cursor=page.next_cursor,
    )


def transfer_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Create an empty draft; its lines are added on its own page."""
    require(Permission.PLAN)
    form = TransferForm(request.POST if request.method == "POST" else None)

    def create(data: dict[str, Any]) -> str:
        return _page(request, create_transfer(**data).pk)

    if request.method == "POST":
        answer = send_form(request, form, create, _("The draft was created. Now add its lines."))
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "inventory/transfer_form.html", NAV, form=form, status=status)


@require_safe
def transfer_detail(request: HttpRequest, tenant: str, transfer_order_id: int) -> HttpResponse:
    """Show a transfer: lines, what has come of them, and what can be done next."""
    require(Permission.READ)
    return _show_transfer(request, get_transfer(transfer_order_id))


@require_POST
def transfer_add_line(request: HttpRequest, tenant: str, transfer_order_id: int) -> HttpResponse:
    """Add a line to a draft; a refused line is shown again with its errors."""
    require(Permission.PLAN)
    order = get_transfer(transfer_order_id)
    form = TransferLineForm(request.POST)

    def add(data: dict[str, Any]) -> str:
        line = AskedLine(data["product_id"].pk, data["quantity"])
        add_transfer_lines(transfer_order_id=order.pk, lines=[line], version=data["version"])
        return _page(request, order.pk)

    answer = send_form(request, form, add, _("The line was added."))
    return answer if answer is not None else _show_transfer(request, order, form)


@require_POST
def transfer_remove_line(
    request: HttpRequest, tenant: str, transfer_order_id: int, transfer_line_id: int
) -> HttpResponse:
    """Take a line off a draft."""
    require(Permission.PLAN)
    return do(
        request,
        lambda: remove_transfer_line(
            transfer_order_id=transfer_order_id,
            line_id=transfer_line_id,
            version=_version(request),
        ),
        done=_("The line was removed."),
        target=_page(request, transfer_order_id),
    )


@require_POST
def transfer_release(request: HttpRequest, tenant: str, transfer_order_id: int) -> HttpResponse:
    """Promise stock to a draft, with what is there only when the button said so."""
    require(Permission.PLAN)
    return do(
        request,
        lambda: release_transfer(
            transfer_order_id=transfer_order_id,
            version=_version(request),
            allow_short="allow_short" in request.POST,
        ),
        done=_("The transfer was released: its stock is promised and waits to be sent."),
        target=_page(request, transfer_order_id),
    )


@require_POST
def transfer_cancel(request: HttpRequest, tenant: str, transfer_order_id: int) -> HttpResponse:
    """Cancel a transfer of which nothing has left."""
    require(Permission.PLAN)
    return do(
        request,
        lambda: cancel_transfer(
            transfer_order_id=transfer_order_id,
            version=_version(request),
            reason=_words(request, "reason"),
        ),
        done=_("The transfer was cancelled: its stock is free again."),
        target=_page(request, transfer_order_id),
    )


@require_POST
def transfer_send(request: HttpRequest, tenant: str, transfer_order_id: int) -> HttpResponse:
    """Send everything that is still promised."""
    require(Permission.FLOOR_WORK)
    return do(
        request,
        lambda: send_transfer(transfer_order_id=transfer_order_id),
        done=_("The goods are on their way."),
        target=_page(request, transfer_order_id),
    )


@require_POST
def transfer_end_sending(request: HttpRequest, tenant: str, transfer_order_id: int) -> HttpResponse:
    """State that no more will leave."""
    require(Permission.FLOOR_WORK)
    return do(
        request,
        lambda: end_sending(transfer_order_id=transfer_order_id, version=_version(request)),
        done=_("No more of it will leave: what was still promised is free again."),
        target=_page(request, transfer_order_id),
    )


@require_POST
def transfer_take_back(
    request: HttpRequest, tenant: str, transfer_order_id: int, movement_id: int
) -> HttpResponse:
    """Take a movement of the transfer back."""
    require(Permission.FLOOR_WORK)
    get_transfer(transfer_order_id)  # a foreign id is missing before anything else is said
    return do(
        request,
        lambda: reverse_transfer_movement(
            transfer_order_id=transfer_order_id,
            movement_id=movement_id,
            reason=_words(request, "reason"),
        ),
        done=_("The movement was taken back."),
        target=_page(request, transfer_order_id),
    )


def _show_transfer(
    request: HttpRequest, order: TransferOrder, form: TransferLineForm | None = None
) -> HttpResponse:
    is_draft = order.state == TransferState.DRAFT
    promises = list(promises_of(order.pk)) if order.state in OPEN else []
    on_the_way = order.state == TransferState.IN_TRANSIT and pieces_on_the_way(order.pk).exists()
    return show(
        request,
        "inventory/transfer_detail.html",
        NAV,
        order=order,
        lines=list(order.lines.all()),
        is_draft=is_draft,
        is_late=_is_late(order),
        promises=promises,
        can_cancel=order.state in {TransferState.DRAFT, TransferState.RELEASED},
        can_end=bool(promises) and order.state == TransferState.IN_TRANSIT,
        can_receive=on_the_way,
        movements=[] if is_draft else list(movements_of(order)[:LATEST_MOVEMENTS]),
        form=form or TransferLineForm(initial={"version": order.version}),
        status=UNPROCESSABLE if form is not None else 200,
    )


def _page(request: HttpRequest, transfer_order_id: int) -> str:
    return address(request, DETAIL, transfer_order_id=transfer_order_id)


def _version(request: HttpRequest) -> int | None:
    given = request.POST.get("version", "")
    return int(given) if given.isascii() and given.isdecimal() else None


def _words(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:200]


def _is_late(order: TransferOrder) -> bool:
    is_open = order.state in OPEN
    return is_open and order.expected_on is not None and order.expected_on < today()
