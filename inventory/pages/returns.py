"""Returns of customers at the desk: expected, received, inspected, closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    CustomerReturnState,
    LotTracking,
    ReturnOutcome,
    ShipmentLine,
    WorkKind,
)
from inventory.pages.fields import ProductCodeField, plain, quantity_field
from inventory.pages.worklists import WorkFilters
from inventory.queries.movements import movements_of
from inventory.queries.packing import get_order
from inventory.queries.places import warehouses
from inventory.queries.returns import (
    WAITING_FIRST,
    get_return,
    returnable_lines,
    returns_to_inspect,
    search_returns,
)
from inventory.queries.worklists import live_claims
from inventory.services.returns import (
    BlindLine,
    ExpectedLine,
    InspectedGoods,
    ReturnedGoods,
    cancel_return,
    close_return,
    expect_blind_return,
    expect_return,
    inspect_return,
    receive_return,
    reverse_return_movement,
)
from tenancy.pages.filters import offer, row_field, search_field
from tenancy.pages.web import UNPROCESSABLE, address, do, send_form, show
from tenancy.permissions import Permission, require
from tenancy.queries.keyset import keyset_page

NAV = "returns"
DETAIL = "inventory:customer_return_detail"
NEWEST_FIRST = ("-id",)
LATEST_MOVEMENTS = 40


class ReturnFilters(forms.Form):
    q = search_field(gettext_lazy("Number, order or customer"))
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", gettext_lazy("All states")), *CustomerReturnState.choices],
    )
    warehouse = row_field(gettext_lazy("Warehouse"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "warehouse", _("All warehouses"), [(str(w.pk), w.name) for w in warehouses()])


class BlindReturnForm(forms.Form):
    warehouse_id = forms.TypedChoiceField(label=gettext_lazy("Warehouse"), coerce=int)
    product_id = ProductCodeField(
        label=gettext_lazy("Product"), help_text=gettext_lazy("SKU or barcode.")
    )
    quantity = quantity_field(gettext_lazy("Quantity"))
    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses() if w.is_active]
        self.fields["warehouse_id"].choices = known  # type: ignore[attr-defined]


@dataclass(frozen=True)
class LineRow:
    """A line and the controls that ask about it, in their order."""

    line: CustomerReturnLine | ShipmentLine
    left: Any
    fields: list[BoundField]


class LinesForm(forms.Form):
    """Fields ``<name>_7`` for the line 7; which ones, a subclass says."""

    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=200)

    def __init__(self, *args: Any, lines: list[Any], asks: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines, self.asks = lines, asks
        for line in lines:
            self._add(line, _left(line, asks))
        if asks != "expect":
            del self.fields["reason"]

    def _add(self, line: Any, left: Any) -> None:
        initial = "" if self.asks == "expect" else plain(left)
        self.fields[f"quantity_{line.pk}"] = quantity_field(
            _("Quantity"), required=False, min_value=0, initial=initial
        )
        asks_lot = line.product.lot_tracking != LotTracking.NONE and line.lot_id is None
        if self.asks == "receive" and asks_lot:
            self.fields[f"lot_code_{line.pk}"] = forms.CharField(
                label=_("Lot"), required=False, max_length=64
            )
        if self.asks == "inspect":
            self.fields[f"outcome_{line.pk}"] = forms.ChoiceField(
                label=_("Outcome"), choices=ReturnOutcome.choices
            )
            self.fields[f"note_{line.pk}"] = forms.CharField(
                label=_("Note"), required=False, max_length=200
            )

    def rows(self) -> Iterator[LineRow]:
        """Yield the lines with their controls."""
        for line in self.lines:
            names = [f"{name}_{line.pk}" for name in ("outcome", "quantity", "lot_code", "note")]
            controls = [self[name] for name in names if name in self.fields]
            yield LineRow(line, _left(line, self.asks), controls)

    def clean(self) -> dict[str, Any]:
        """Refuse a form that says nothing."""
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not any(data.get(f"quantity_{line.pk}") for line in self.lines):
            raise forms.ValidationError(_("Every quantity is empty: say how many."))
        return data

    def chosen(self, data: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
        """Yield the lines of which a quantity was given, with it."""
        for line in self.lines:
            if quantity := data.get(f"quantity_{line.pk}"):
                yield line, quantity


def _left(line: Any, asks: str) -> Any:
    if asks == "expect":
        return line.quantity - line.quantity_returned
    return line.to_inspect if asks == "inspect" else line.quantity - line.quantity_received


@require_safe
def return_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List returns of customers, the newest first."""
    require(Permission.READ)
    filters = ReturnFilters(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    rows = search_returns(text=chosen.get("q", "").strip(), warehouse_id=chosen.get("warehouse"))
    if state := chosen.get("state", ""):
        rows = rows.filter(state=state)
    page = keyset_page(rows, order=NEWEST_FIRST, cursor=request.GET.get("cursor", ""))
    return show(
        request,
        "inventory/return_list.html",
        NAV,
        filters=filters,
        is_filtered=any(chosen.values()),
        rows=[(back, None) for back in page.items],
        next_cursor=page.next_cursor,
    )


@require_safe
def return_inspect_list(request: HttpRequest, tenant: str) -> HttpResponse:
    """List what came back and waits to be inspected, the longest waiting first."""
    require(Permission.READ)
    filters = WorkFilters(request.GET)
    chosen = filters.chosen
    rows = returns_to_inspect(
        warehouse_id=chosen.get("warehouse"),
        text=chosen.get("q", "").strip(),
        assignee=chosen.get("assignee", ""),
    )
    page = keyset_page(rows, order=WAITING_FIRST, cursor=request.GET.get("cursor", ""))
    claims = live_claims(WorkKind.INSPECT, [back.pk for back in page.items])
    return show(
        request,
        "inventory/return_list.html",
        "to_inspect",
        filters=filters,
        is_work=True,
        is_filtered=any(chosen.values()),
        rows=[(back, claims.get(back.pk)) for back in page.items],
        next_cursor=page.next_cursor,
    )


def return_expect(request: HttpRequest, tenant: str, sales_order_id: int) -> HttpResponse:
    """Expect goods of an order's shipments back."""
    require(Permission.FLOOR_WORK)
    order = get_order(sales_order_id)
    form = LinesForm(
        request.POST if request.method == "POST" else None,
        lines=list(returnable_lines(order.pk)),
        asks="expect",
    )

    def expect(data: dict[str, Any]) -> str:
        lines = [ExpectedLine(line.pk, quantity) for line, quantity in form.chosen(data)]
        back = expect_return(sales_order_id=order.pk, lines=lines, reason=data["reason"])
        return _page(request, back.pk)

    heading = _("Return of %(number)s") % {"number": order.number}
    return _ask(request, form, expect, _("The goods are expected back."), heading=heading)


def return_create(request: HttpRequest, tenant: str) -> HttpResponse:
    """Expect goods back whose shipment is not known."""
    require(Permission.FLOOR_WORK)
    form = BlindReturnForm(request.POST if request.method == "POST" else None)

    def expect(data: dict[str, Any]) -> str:
        line = BlindLine(data["product_id"].pk, data["quantity"])
        back = expect_blind_return(
            warehouse_id=data["warehouse_id"], lines=[line], reason=data["reason"]
        )
        return _page(request, back.pk)

    if request.method == "POST":
        answer = send_form(request, form, expect, _("The goods are expected back."))
        if answer is not None:
            return answer
    status = UNPROCESSABLE if form.errors else 200
    return show(request, "inventory/return_form.html", NAV, form=form, status=status)


@require_safe
def return_detail(request: HttpRequest, tenant: str, customer_return_id: int) -> HttpResponse:
    """Show a return: what came, what became of it, and what can be done next."""
    require(Permission.READ)
    back = get_return(customer_return_id)
    lines = list(back.lines.all())
    is_open = back.state in {CustomerReturnState.EXPECTED, CustomerReturnState.RECEIVED}
    return show(
        request,
        "inventory/return_detail.html",
        NAV,
        back=back,
        lines=lines,
        can_receive=is_open and any(line.quantity_received < line.quantity for line in lines),
        can_inspect=any(line.to_inspect > 0 for line in lines),
        can_close=back.state == CustomerReturnState.RECEIVED
        and not any(line.to_inspect > 0 for line in lines),
        can_cancel=back.state == CustomerReturnState.EXPECTED,
        movements=list(movements_of(back)[:LATEST_MOVEMENTS]),
    )


def return_receive(request: HttpRequest, tenant: str, customer_return_id: int) -> HttpResponse:
    """Take goods of a return into quarantine."""
    require(Permission.FLOOR_WORK)
    back = get_return(customer_return_id)
    lines = [line for line in back.lines.all() if line.quantity_received < line.quantity]
    form = LinesForm(
        request.POST if request.method == "POST" else None, lines=lines, asks="receive"
    )

    def receive(data: dict[str, Any]) -> str:
        goods = [
            ReturnedGoods(line.pk, quantity, data.get(f"lot_code_{line.pk}", ""))
            for line, quantity in form.chosen(data)
        ]
        receive_return(customer_return_id=back.pk, goods=goods)
        return _page(request, back.pk)

    heading = _("Receive %(number)s") % {"number": back.number}
    done = _("The goods are in quarantine until they are inspected.")
    return _ask(request, form, receive, done, heading=heading, back=back)


def return_inspect(request: HttpRequest, tenant: str, customer_return_id: int) -> HttpResponse:
    """Decide what becomes of goods that came back."""
    require(Permission.FLOOR_WORK)
    back = get_return(customer_return_id)
    lines = [line for line in back.lines.all() if line.to_inspect > 0]
    form = LinesForm(
        request.POST if request.method == "POST" else None, lines=lines, asks="inspect"
    )

    def inspect(data: dict[str, Any]) -> str:
        goods = [
            InspectedGoods(
                line.pk,
                ReturnOutcome(data[f"outcome_{line.pk}"]),
                quantity,
                data[f"note_{line.pk}"],
            )
            for line, quantity in form.chosen(data)
        ]
        inspect_return(customer_return_id=back.pk, goods=goods)
        return _page(request, back.pk)

    heading = _("Inspect %(number)s") % {"number": back.number}
    return _ask(request, form, inspect, _("The goods were inspected."), heading=heading, back=back)


@require_POST
def return_close(request: HttpRequest, tenant: str, customer_return_id: int) -> HttpResponse:
    """State that no more of a return will come."""
    require(Permission.FLOOR_WORK)
    return do(
        request,
        lambda: close_return(customer_return_id=customer_return_id),
        done=_("The return is closed: no more of it is expected."),
        target=_page(request, customer_return_id),
    )


@require_POST
def return_cancel(request: HttpRequest, tenant: str, customer_return_id: int) -> HttpResponse:
    """Cancel a return of which nothing came."""
    require(Permission.FLOOR_WORK)
    return do(
        request,
        lambda: cancel_return(customer_return_id=customer_return_id),
        done=_("The return was cancelled."),
        target=_page(request, customer_return_id),
    )


@require_POST
def return_take_back(
    request: HttpRequest, tenant: str, customer_return_id: int, movement_id: int
) -> HttpResponse:
    """Take a movement of the return back."""
    require(Permission.FLOOR_WORK)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:200]
    return do(
        request,
        lambda: reverse_return_movement(
            customer_return_id=customer_return_id, movement_id=movement_id, reason=reason
        ),
        done=_("The movement was taken back."),
        target=_page(request, customer_return_id),
    )


def _ask(
    request: HttpRequest,
    form: LinesForm,
    effect: Any,
    done: str,
    *,
    heading: str,
    back: CustomerReturn | None = None,
) -> HttpResponse:
    if request.method == "POST":
        answer = send_form(request, form, effect, done)
        if answer is not None:
            return answer
    elif not form.lines and back is not None:
        return redirect(_page(request, back.pk))
    return show(
        request,
        "inventory/return_lines.html",
        NAV,
        form=form,
        rows=list(form.rows()),
        heading=heading,
        back=back,
        status=UNPROCESSABLE if form.errors else 200,
    )


def _page(request: HttpRequest, customer_return_id: int) -> str:
    return address(request, DETAIL, customer_return_id=customer_return_id)
