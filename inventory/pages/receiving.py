"""Receiving a purchase order: one form for all open lines, made for a phone on the dock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import (
    DifferenceReason,
    Location,
    LocationKind,
    LotTracking,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
)
from inventory.pages.fields import day_field, plain, quantity_field
from inventory.queries.places import find_location, receiving_places
from inventory.queries.purchasing import get_purchase_order
from inventory.services.receiving import OverReceipt, ReceiptLine, receive_order
from tenancy.errors import Invalid, Problem
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require

RECEIVING_KINDS = {LocationKind.RECEIVING, LocationKind.STORAGE, LocationKind.QUARANTINE}
SUGGESTED_PLACES = 300
REASONS = [
    ("", gettext_lazy("Over- or short-delivered")),
    *(choice for choice in DifferenceReason.choices if choice[0]),
]
DETAIL = "inventory:purchase_order_detail"


@dataclass(frozen=True)
class ReceiptRow:
    """An open order line and the controls that say what came of it; the last two for lots only."""

    line: PurchaseOrderLine
    open_quantity: Decimal
    quantity: BoundField
    damaged: BoundField
    difference_reason: BoundField
    lot_code: BoundField | None
    expires_on: BoundField | None


class ReceiptForm(forms.Form):
    """Fields ``quantity_7``, ``damaged_7``, ``lot_code_7``, ``expires_on_7`` for the line 7."""

    location = forms.CharField(
        label=gettext_lazy("Into"),
        max_length=48,
        widget=forms.TextInput(
            attrs={"list": "receiving-places", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=gettext_lazy("The dock, or straight to a storage location."),
    )

    def __init__(self, *args: Any, order: PurchaseOrder, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order
        self.open_lines = [line for line in order.lines.all() if _open_quantity(line) > 0]
        for line in self.open_lines:
            self._add_fields(line)

    def _add_fields(self, line: PurchaseOrderLine) -> None:
        self.fields[f"quantity_{line.pk}"] = quantity_field(
            _("Arrived"), required=False, min_value=0, initial=plain(_open_quantity(line))
        )
        self.fields[f"damaged_{line.pk}"] = quantity_field(
            _("Damaged, to the place for damaged goods"), required=False, min_value=0
        )
        self.fields[f"difference_reason_{line.pk}"] = forms.ChoiceField(
            label=_("If it differs, why"), required=False, choices=REASONS
        )
        if line.product.lot_tracking != LotTracking.NONE:
            self.fields[f"lot_code_{line.pk}"] = forms.CharField(
                label=_("Lot"),
                required=False,
                max_length=64,
                widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )
            self.fields[f"expires_on_{line.pk}"] = day_field(_("Expires"), required=False)

    def rows(self) -> Iterator[ReceiptRow]:
        """Yield the open lines with their controls."""
        for line in self.open_lines:
            has_lots = f"lot_code_{line.pk}" in self.fields
            yield ReceiptRow(
                line=line,
                open_quantity=_open_quantity(line),
                quantity=self[f"quantity_{line.pk}"],
                damaged=self[f"damaged_{line.pk}"],
                difference_reason=self[f"difference_reason_{line.pk}"],
                lot_code=self[f"lot_code_{line.pk}"] if has_lots else None,
                expires_on=self[f"expires_on_{line.pk}"] if has_lots else None,
            )

    def clean_location(self) -> Location:
        """Return the location of that code, where goods may arrive."""
        code = self.cleaned_data["location"]
        found = find_location(self.order.warehouse_id, code)
        if found is None or found.kind not in RECEIVING_KINDS:
            raise forms.ValidationError(
                _("%(code)s is neither a dock nor a storage or quarantine location of %(place)s."),
                params={"code": code, "place": self.order.warehouse.name},
            )
        return found

    def clean(self) -> dict[str, Any]:
        """Name the lines that lack a lot, and refuse a receipt of nothing."""
        data: dict[str, Any] = super().clean() or {}
        for line in self.open_lines:
            name = f"lot_code_{line.pk}"
            if name in self.fields and data.get(f"quantity_{line.pk}") and not data.get(name):
                message = _("%(sku)s: enter the lot printed on the goods.")
                self.add_error(name, message % {"sku": line.product.sku})
        if not self.errors and not self.receipt_lines(data):
            raise forms.ValidationError(_("Enter what arrived: every quantity is empty."))
        return data

    def receipt_lines(self, data: dict[str, Any]) -> list[ReceiptLine]:
        """Return what arrived; lines of which nothing came are left out."""
        return [
            ReceiptLine(
                line_id=line.pk,
                quantity=data[f"quantity_{line.pk}"],
                lot_code=data.get(f"lot_code_{line.pk}", ""),
                expires_on=data.get(f"expires_on_{line.pk}"),
                damaged=data.get(f"damaged_{line.pk}") or Decimal(0),
                difference_reason=data.get(f"difference_reason_{line.pk}", ""),
            )
            for line in self.open_lines
            if data.get(f"quantity_{line.pk}")
        ]


def purchase_order_receive(request: HttpRequest, tenant: str, order_id: int) -> HttpResponse:
    """Receive goods of a placed order; in parts if need be."""
    require(Permission.FLOOR_WORK)
    order = get_purchase_order(order_id)
    if order.state not in PurchaseOrderState.on_order() and request.method != "POST":
        return redirect(address(request, DETAIL, order_id=order.pk))
    places = list(receiving_places(order.warehouse_id)[:SUGGESTED_PLACES])
    dock = next((p.code for p in places if p.kind == LocationKind.RECEIVING), "")
    form = ReceiptForm(request.POST or None, order=order, initial={"location": dock})

    def receive(data: dict[str, Any]) -> str:
        lines = form.receipt_lines(data)
        with _errors_at_their_fields(lines):
            receive_order(order_id=order.pk, lines=lines, to_location_id=data["location"].pk)
        return address(request, DETAIL, order_id=order.pk)

    if request.method == "POST":
        answer = send_form(request, form, receive, _("The goods were received."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/purchase_order_receive.html",
        "purchase_orders",
        order=order,
        form=form,
        rows=list(form.rows()),
        places=places,
        status=UNPROCESSABLE if form.errors else 200,
    )


@contextmanager
def _errors_at_their_fields(lines: list[ReceiptLine]) -> Iterator[None]:
    """Turn what the service says of the n-th receipt line into errors of that line's fields."""
    try:
        yield
    except OverReceipt as refusal:
        raise Invalid(
            [
                Problem(
                    f"quantity_{over.line_id}",
                    "over_receipt",
                    _("%(sku)s: at most %(most)s can still come of this line.")
                    % {
                        "sku": over.sku,
                        "most": plain(over.ordered + over.tolerance - over.received),
                    },
                )
                for over in refusal.lines
            ]
        ) from refusal
    except Invalid as refusal:
        raise Invalid([_placed(problem, lines) for problem in refusal.problems]) from refusal


def _placed(problem: Problem, lines: list[ReceiptLine]) -> Problem:
    if problem.field == "to_location_id":
        return Problem("location", problem.code, problem.message)
    if problem.line is None:
        return problem
    field = f"{problem.field}_{lines[problem.line].line_id}"
    return Problem(field, problem.code, problem.message)


def _open_quantity(line: PurchaseOrderLine) -> Decimal:
    open_quantity: Decimal = line.quantity - line.quantity_received
    return open_quantity
