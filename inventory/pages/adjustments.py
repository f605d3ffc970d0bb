"""Adjusting stock at the desk, and taking a movement back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import LotTracking, MovementReason
from inventory.pages.fields import ProductCodeField, quantity_field, sent
from inventory.queries.costs import unit_costs
from inventory.queries.movements import get_movement
from inventory.queries.places import find_location, get_location, warehouses
from inventory.queries.settings import inventory_settings
from inventory.queries.stock import find_lot, get_balance
from inventory.services.adjustments import Adjustment, adjust_stock, take_back_movement
from tenancy.pages.web import UNPROCESSABLE, address, send_form, show
from tenancy.permissions import Permission, allows, require

LESS, MORE = Decimal(-1), Decimal(1)
REASONS = {
    "damage": MovementReason.DAMAGE,
    "scrap": MovementReason.SCRAP,
    "expired": MovementReason.EXPIRED,
    "found": MovementReason.FOUND,
}
SIGNS = dict.fromkeys(REASONS.values(), LESS) | {MovementReason.FOUND: MORE}
TEXTS = {
    "damage": gettext_lazy("To the place for damaged goods; still on hand, no longer available."),
    "scrap": gettext_lazy("Gone: taken off the stock."),
    "expired": gettext_lazy("Gone because its time is over: taken off the stock."),
    "found": gettext_lazy("More is here than the book says: added to the stock."),
}


class AdjustForm(forms.Form):
    reason = forms.ChoiceField(
        label=gettext_lazy("What happened"),
        widget=forms.RadioSelect,
        choices=[(key, reason.label) for key, reason in REASONS.items()],
    )
    warehouse_id = forms.TypedChoiceField(label=gettext_lazy("Warehouse"), coerce=int)
    location = forms.CharField(
        label=gettext_lazy("Location"),
        max_length=48,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    product_id = ProductCodeField(
        label=gettext_lazy("Product"), help_text=gettext_lazy("SKU or barcode.")
    )
    lot = forms.CharField(
        label=gettext_lazy("Lot"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("For products tracked by lot or serial number."),
    )
    change = quantity_field(
        gettext_lazy("Quantity"), help_text=gettext_lazy("In the product's base unit.")
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(str(w.pk), w.name) for w in warehouses()]
        self.fields["warehouse_id"].choices = known  # type: ignore[attr-defined]

    def clean_change(self) -> Decimal:
        """Refuse what is not above zero: the reason says in which direction it goes."""
        change: Decimal = self.cleaned_data["change"]
        if change <= 0:
            raise forms.ValidationError(_("The quantity must be greater than zero."))
        return change

    def clean(self) -> dict[str, Any]:
        """Turn location and lot into their rows."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("location") and data.get("warehouse_id"):
            data["location"] = find_location(data["warehouse_id"], data["location"])
            if data["location"] is None:
                message = _("There is no such location in this warehouse.")
                self.add_error("location", message)
        product = data.get("product_id")
        if product is not None:
            data["lot"] = self._lot(product, data.get("lot", ""))
        return data

    def _lot(self, product: Any, code: str) -> Any:
        if product.lot_tracking == LotTracking.NONE:
            if code:
                self.add_error("lot", _("This product is not tracked by lot."))
            return None
        found = find_lot(product.pk, code) if code else None
        if found is None:
            message = _("Enter the lot printed on the goods.")
            self.add_error("lot", _("There is no such lot of this product.") if code else message)
        return found


class ReversalForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=200,
        help_text=gettext_lazy("Kept with the opposite movement."),
    )


def stock_adjust(request: HttpRequest, tenant: str) -> HttpResponse:
    """Adjust what is on hand of one product at one place."""
    actor = require(Permission.FLOOR_WORK)
    balance = _balance(request)
    form = AdjustForm(sent(request), initial=_initial(request, balance))

    def adjust(data: dict[str, Any]) -> str:
        kind = REASONS[data["reason"]]
        line = Adjustment(
            product_id=data["product_id"].pk,
            location_id=data["location"].pk,
            change=data["change"] * SIGNS[kind],
            reason=kind,
            lot_id=data["lot"].pk if data["lot"] else None,
            note=data["note"],
        )
        adjust_stock(warehouse_id=data["warehouse_id"], adjustments=[line])
        return f"{address(request, 'inventory:stock_list')}?q={data['product_id'].sku}"

    if request.method == "POST":
        answer = send_form(request, form, adjust, _("The stock was adjusted."))
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/stock_adjust.html",
        "stock",
        form=form,
        texts=TEXTS,
        balance=balance,
        unit_cost=_unit_cost(balance),
        limit=None if allows(actor, Permission.ADJUST) else inventory_settings().adjustment_limit,
        status=UNPROCESSABLE if form.errors else 200,
    )


def movement_reverse(request: HttpRequest, tenant: str, movement_id: int) -> HttpResponse:
    """Take a movement back: show what happens, ask why, do it once."""
    require(Permission.FLOOR_WORK)
    movement = get_movement(movement_id)
    form = ReversalForm(sent(request))

    def reverse(data: dict[str, Any]) -> str:
        take_back_movement(movement_id=movement.pk, note=data["note"])
        return address(request, "inventory:movement_list")

    if request.method == "POST":
        done = _("The movement was taken back by an opposite one.")
        answer = send_form(request, form, reverse, done)
        if answer is not None:
            return answer
    return show(
        request,
        "inventory/movement_reverse.html",
        "movements",
        movement=movement,
        form=form,
        status=UNPROCESSABLE if form.errors else 200,
    )


def _balance(request: HttpRequest) -> Any:
    """Return the balance the link names, or None; raise ``NotFound`` for what is none."""
    given = request.GET.get("balance", "")
    if not given:
        return None
    return get_balance(int(given) if given.isascii() and given.isdigit() else 0)


def _initial(request: HttpRequest, balance: Any) -> dict[str, Any]:
    if balance is not None:
        return {
            "warehouse_id": balance.location.warehouse_id,
            "location": balance.location.code,
            "product_id": balance.product.sku,
            "lot": balance.lot.code if balance.lot else "",
        }
    place = request.GET.get("location", "")
    if place.isascii() and place.isdigit() and len(place) < 19:
        location = get_location(int(place))
        return {"warehouse_id": location.warehouse_id, "location": location.code}
    return {}


def _unit_cost(balance: Any) -> Decimal | None:
    if balance is None:
        return None
    costs = unit_costs(balance.location.warehouse_id, [balance.product_id])
    return costs.get(balance.product_id)
