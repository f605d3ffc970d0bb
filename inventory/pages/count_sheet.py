"""The sheet of a count at the desk: how many of each thing are here, and what is found besides."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from inventory.models import CountState, CycleCount, LotTracking
from inventory.pages.fields import ProductCodeField, plain, quantity_field
from inventory.queries.counting import CountItem, count_items
from inventory.services.count_entry import CountEntry


@dataclass(frozen=True)
class SheetRow:
    """One product and lot with the control that says how many are here."""

    item: CountItem
    counted: BoundField


class SheetForm(forms.Form):
    """Fields ``counted_7_0`` for product 7 without a lot, and one line for what was found."""

    found_product = ProductCodeField(
        label=gettext_lazy("Found"),
        required=False,
        help_text=gettext_lazy("SKU or barcode of something the sheet does not name."),
    )
    found_lot = forms.CharField(
        label=gettext_lazy("Lot"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    found_counted = quantity_field(gettext_lazy("How many"), required=False, min_value=0)

    def __init__(self, *args: Any, count: CycleCount, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count = count
        for item in self.items if count.state == CountState.COUNTING else ():
            self.fields[_name(item)] = quantity_field(
                _("Counted"), required=False, min_value=0, initial=plain(item.counted)
            )

    @cached_property
    def items(self) -> list[CountItem]:
        """Return what the count is about."""
        return count_items(self.count)

    def rows(self) -> list[SheetRow]:
        """Return the lines of the sheet with their controls."""
        named = [item for item in self.items if _name(item) in self.fields]
        return [SheetRow(item, self[_name(item)]) for item in named]

    def clean(self) -> dict[str, Any]:
        """Refuse a found product without its number or lot, and a sheet that says nothing new."""
        data: dict[str, Any] = super().clean() or {}
        product = data.get("found_product")
        if product is None and (data.get("found_lot") or data.get("found_counted") is not None):
            self.add_error("found_product", _("Say which product you found."))
        elif product is not None:
            if data.get("found_counted") is None and "found_counted" not in self.errors:
                self.add_error("found_counted", _("Say how many you found."))
            if product.lot_tracking != LotTracking.NONE and not data.get("found_lot"):
                self.add_error("found_lot", _("Enter the lot printed on the goods."))
        if not self.errors and not self.entries():
            raise forms.ValidationError(_("Enter how many of something are here."))
        return data

    def entries(self) -> list[CountEntry]:
        """Return what is new: a number that stands there already was not counted again."""
        data = self.cleaned_data
        entered = []
        for item in self.items:
            counted: Decimal | None = data.get(_name(item))
            if counted is not None and counted != item.counted:
                lot_id = item.lot.pk if item.lot else None
                entered.append(CountEntry(item.product.pk, counted, lot_id))
        product = data.get("found_product")
        if product is not None and data.get("found_counted") is not None:
            lot_code = data.get("found_lot", "")
            entered.append(CountEntry(product.pk, data["found_counted"], lot_code=lot_code))
        return entered


def _name(item: CountItem) -> str:
    return f"counted_{item.product.pk}_{item.lot.pk if item.lot else 0}"
