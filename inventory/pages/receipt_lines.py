"""The form that says what arrived of one product and lot, for new and changed lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import DifferenceReason, Packaging, Product, Receipt, ReceiptLine
from inventory.pages.fields import ProductCodeField, day_field, money_field, plain, quantity_field
from inventory.queries.catalog import product_packagings
from inventory.queries.receiving import get_receipt, get_receipt_line
from inventory.services.receiving import Arrival, change_receipt_line, reverse_receipt_line
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, require

DETAIL = "inventory:receipt_detail"
NO_REASON = ("", gettext_lazy("As ordered"))


class ArrivalForm(forms.Form):
    """What arrived. Of goods with an order the cost is the order's price."""

    product_id = ProductCodeField(
        label=gettext_lazy("Product"),
        list_id="expected-products",
        help_text=gettext_lazy("SKU or barcode."),
    )
    quantity = quantity_field(gettext_lazy("Arrived"), min_value=0)
    packaging = forms.CharField(
        label=gettext_lazy("Packaging"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Left empty: base units. Else its name, e.g. Case."),
    )
    damaged = quantity_field(
        gettext_lazy("Damaged"),
        required=False,
        min_value=0,
        help_text=gettext_lazy("Of it, in base units; goes to the place for damaged goods."),
    )
    lot_code = forms.CharField(
        label=gettext_lazy("Lot or serial number"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    expires_on = day_field(gettext_lazy("Expires"), required=False)
    unit_cost = money_field(
        gettext_lazy("Unit cost"), required=False, help_text=gettext_lazy("Per base unit.")
    )
    difference_reason = forms.ChoiceField(
        label=gettext_lazy("If it differs, why"),
        required=False,
        choices=[NO_REASON, *(choice for choice in DifferenceReason.choices if choice[0])],
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, receipt: Receipt, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if receipt.purchase_order_id is not None:
            del self.fields["unit_cost"]
        else:
            del self.fields["difference_reason"]

    def clean(self) -> dict[str, Any]:
        """Find the packaging of the product by its name."""
        data: dict[str, Any] = super().clean() or {}
        product, name = data.get("product_id"), data.get("packaging", "").strip()
        data["packaging"] = None
        if isinstance(product, Product) and name:
            known = list(product_packagings(product.pk))
            data["packaging"] = next((p for p in known if p.name.lower() == name.lower()), None)
            if data["packaging"] is None:
                self.add_error("packaging", _unknown_packaging(product, known))
        return data


class ReversalForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("Kept in the audit trail and on the reversing movements."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


def arrival_of(data: dict[str, Any]) -> Arrival:
    """Return the cleaned form as the service understands it."""
    packaging = data["packaging"]
    return Arrival(
        product_id=data["product_id"].pk,
        quantity=data["quantity"],
        packaging_id=packaging.pk if packaging is not None else None,
        damaged=data.get("damaged") or Decimal(0),
        lot_code=data["lot_code"],
        expires_on=data["expires_on"],
        unit_cost=data.get("unit_cost"),
        difference_reason=data.get("difference_reason", ""),
        note=data["note"],
    )


def receipt_edit_line(
    request: HttpRequest, tenant: str, receipt_id: int, receipt_line_id: int
) -> HttpResponse:
    """Change a line of an open receipt."""
    require(Permission.FLOOR_WORK)
    receipt = get_receipt(receipt_id)
    line = get_receipt_line(receipt.pk, receipt_line_id)
    form = ArrivalForm(request.POST or None, receipt=receipt, initial=_said(receipt, line))

    def change(data: dict[str, Any]) -> str:
        change_receipt_line(
            receipt_id=receipt.pk,
            receipt_line_id=line.pk,
            arrival=arrival_of(data),
            version=data["version"],
        )
        return address(request, DETAIL, receipt_id=receipt.pk)

    if request.method == "POST":
        answer = send_form(request, form, change, _("The line was changed."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/receipt_line_form.html",
        "to_receive",
        receipt=receipt,
        line=line,
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )


def receipt_reverse_line(
    request: HttpRequest, tenant: str, receipt_id: int, receipt_line_id: int
) -> HttpResponse:
    """Take a line of a completed receipt back, with the reason."""
    require(Permission.FLOOR_WORK)
    receipt = get_receipt(receipt_id)
    line = get_receipt_line(receipt.pk, receipt_line_id)
    form = ReversalForm(request.POST or None, initial={"version": receipt.version})

    def reverse(data: dict[str, Any]) -> str:
        reverse_receipt_line(receipt_id=receipt.pk, receipt_line_id=line.pk, **data)
        return address(request, DETAIL, receipt_id=receipt.pk)

    if request.method == "POST":
        answer = send_form(request, form, reverse, _("The line was taken back."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/receipt_line_reverse.html",
        "to_receive",
        receipt=receipt,
        line=line,
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )


def version_of(request: HttpRequest) -> int | None:
    """Return the version a button was rendered with, None without one."""
    given = request.POST.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def reason_of(request: HttpRequest) -> str:
    """Return the reason typed beside a button."""
    return request.POST.get("reason", "").replace("\0", "").strip()[:200]


def _said(receipt: Receipt, line: ReceiptLine) -> dict[str, Any]:
    return {
        "product_id": line.product.sku,
        "quantity": plain(line.quantity),
        "damaged": plain(line.damaged) if line.damaged else "",
        "lot_code": line.lot_code,
        "expires_on": line.expires_on,
        "unit_cost": plain(line.unit_cost),
        "difference_reason": line.difference_reason,
        "note": line.note,
        "version": receipt.version,
    }


def _unknown_packaging(product: Product, known: list[Packaging]) -> str:
    if not known:
        return _("%(sku)s has no packagings: leave this empty.") % {"sku": product.sku}
    return _("%(sku)s is packed as: %(names)s.") % {
        "sku": product.sku,
        "names": ", ".join(packaging.name for packaging in known),
    }
