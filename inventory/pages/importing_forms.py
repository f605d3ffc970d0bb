"""The forms of importing: the upload, and the choices before an import starts."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from inventory.rules.importing.sales import HAS_A_DIGIT
from inventory.services.importing import ImportOptions
from inventory.services.importing.previewing import Preview

FIELD_LABELS: dict[str, Any] = {
    "sku": gettext_lazy("SKU"),
    "quantity": gettext_lazy("Quantity"),
    "sold_at": gettext_lazy("Date or time of sale"),
    "document": gettext_lazy("Invoice or order number"),
    "unit_price": gettext_lazy("Unit price"),
    "customer": gettext_lazy("Customer"),
    "country": gettext_lazy("Country"),
    "product_name": gettext_lazy("Product name"),
    "channel": gettext_lazy("Channel"),
    "segment": gettext_lazy("Customer segment"),
    "warehouse": gettext_lazy("Warehouse"),
    "name": gettext_lazy("Name"),
    "description": gettext_lazy("Description"),
    "category": gettext_lazy("Category"),
    "base_unit": gettext_lazy("Base unit"),
    "unit_cost": gettext_lazy("Unit cost"),
    "barcode": gettext_lazy("Barcode"),
    "shelf_life_days": gettext_lazy("Shelf life in days"),
    "weight_kg": gettext_lazy("Weight in kg"),
    "volume_l": gettext_lazy("Volume in litres"),
    "lot_tracking": gettext_lazy("Lot tracking"),
    "introduced_on": gettext_lazy("Introduced on"),
    "discontinued_on": gettext_lazy("Discontinued on"),
    "supplier": gettext_lazy("Supplier code"),
    "supplier_name": gettext_lazy("Supplier name"),
    "supplier_sku": gettext_lazy("Supplier's SKU"),
    "price": gettext_lazy("Price"),
    "minimum_order_quantity": gettext_lazy("Minimum order quantity"),
    "order_multiple": gettext_lazy("Order multiple"),
    "lead_time_days": gettext_lazy("Lead time in days"),
    "price_breaks": gettext_lazy("Price breaks"),
    "transport_cost": gettext_lazy("Transport cost per order"),
    "minimum_order_value": gettext_lazy("Minimum order value"),
    "currency": gettext_lazy("Currency"),
    "email": gettext_lazy("E-mail"),
    "is_preferred": gettext_lazy("Preferred supplier"),
    "location": gettext_lazy("Location"),
    "lot": gettext_lazy("Lot"),
    "expires_on": gettext_lazy("Expires on"),
}
DATES_READ = {
    "ymd": gettext_lazy("Year first: 2026-12-31"),
    "dmy": gettext_lazy("Day first: 31/12/2026"),
    "mdy": gettext_lazy("Month first: 12/31/2026"),
}
DATE_FORMATS = [
    ("", gettext_lazy("Find out from the file")),
    ("dmy", DATES_READ["dmy"]),
    ("mdy", DATES_READ["mdy"]),
]
DECIMAL_MARKS = [
    ("", gettext_lazy("Find out from the file")),
    (".", gettext_lazy("Point: 1.50")),
    (",", gettext_lazy("Comma: 1,50")),
]
ONLY_SALES = ("channel", "goods_pattern", "more_charge_codes", "cancel_same_price_only")


class UploadForm(forms.Form):
    TEXTS: ClassVar[dict[str, Promise]] = {
        "sales": gettext_lazy("What was sold, line by line. The forecast learns from it."),
        "products": gettext_lazy("SKU, name, category, unit, cost, price, barcode, shelf life."),
        "suppliers": gettext_lazy("Who sells what: price, breaks, MOQ, multiple, lead time."),
        "stock": gettext_lazy("What lies where on the first day, with lots and expiry."),
    }
    kind = forms.ChoiceField(
        label=gettext_lazy("What is in the file?"),
        choices=[
            ("sales", gettext_lazy("Sales history")),
            ("products", gettext_lazy("Products")),
            ("suppliers", gettext_lazy("Suppliers")),
            ("stock", gettext_lazy("Opening stock")),
        ],
        initial="sales",
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=True,  # the service says it better
        help_text=gettext_lazy("CSV (also packed as .gz) or XLSX, with a header row."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.gz,.xlsx"}),
    )


class OptionsForm(forms.Form):
    """One select per field of the import, then the choices that fit its kind."""

    warehouse = forms.ChoiceField(label=gettext_lazy("Into warehouse"), required=False)
    channel = forms.ChoiceField(label=gettext_lazy("Channel of these sales"), required=False)
    on_bad_rows = forms.ChoiceField(
        label=gettext_lazy("Wrong rows"),
        choices=[
            ("refuse", gettext_lazy("Import nothing while any row is wrong")),
            ("skip", gettext_lazy("Leave wrong rows out, import the rest")),
        ],
        initial="refuse",
    )
    create_products = forms.BooleanField(
        label=gettext_lazy("Create products that are not known yet"), required=False, initial=True
    )
    date_format = forms.ChoiceField(
        label=gettext_lazy("Dates"), choices=DATE_FORMATS, required=False
    )
    decimal_mark = forms.ChoiceField(
        label=gettext_lazy("Decimal mark"), choices=DECIMAL_MARKS, required=False
    )
    goods_pattern = forms.CharField(
        label=gettext_lazy("Codes of goods match"),
        max_length=200,
        initial=HAS_A_DIGIT,
        help_text=gettext_lazy(
            "A regular expression. One that wants a digit keeps postage and fees out; a single "
            "point takes every code. Codes of products you have are goods in any case."
        ),
    )
    more_charge_codes = forms.CharField(
        label=gettext_lazy("Further codes that are not goods"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Separated by commas; postage, fees and the like are known."),
    )
    cancel_same_price_only = forms.BooleanField(
        label=gettext_lazy("A cancellation must have the price of the sale"),
        required=False,
        help_text=gettext_lazy("It always needs the same customer, SKU and quantity."),
    )

    def __init__(
        self,
        *args: Any,
        preview: Preview,
        kind: str,
        targets: dict[str, list[tuple[str, str]]],
        earlier: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.mapping_names: list[str] = []
        chosen = earlier.get("mapping") or preview.mapping
        columns = [("", _("Not in the file")), *((name, name) for name in preview.header if name)]
        for field in preview.fields:
            name = f"column_{field.name}"
            self.mapping_names.append(name)
            self.fields[name] = forms.ChoiceField(
                label=FIELD_LABELS.get(field.name, field.name),
                choices=columns,
                required=field.required,
                initial=chosen.get(field.name, ""),
                help_text=_("Guessed from the content: please check.")
                if field.name in preview.guessed
                else "",
            )
        self._keep_what_fits(preview, targets)
        self.choice_names = [n for n in self.fields if n not in self.mapping_names]
        self.initial["goods_pattern"] = preview.goods_pattern
        for name in self.choice_names:
            if name in earlier:
                self.initial[name] = earlier[name]
        if earlier:
            self.initial["on_bad_rows"] = "skip" if earlier["skip_bad_rows"] else "refuse"
            self.initial["more_charge_codes"] = ", ".join(earlier["more_charge_codes"])

    def _keep_what_fits(self, preview: Preview, targets: dict[str, list[tuple[str, str]]]) -> None:
        for name in ONLY_SALES if self.kind != "sales" else ():
            del self.fields[name]
        if self.kind in {"products", "suppliers"}:
            del self.fields["warehouse"]
        if self.kind == "products":
            del self.fields["create_products"]
        for name in ("warehouse", "channel"):
            if name not in self.fields:
                continue
            known = [
                (code, code if title == code else f"{title} ({code})")
                for code, title in targets[name]
            ]
            column = name in preview.mapping
            nothing = _("As the column says") if column else _("None")
            needs_none = name == "channel" or column or len(known) != 1
            self.fields[name].choices = [*([("", nothing)] if needs_none else []), *known]  # type: ignore[attr-defined]
            self.fields[name].required = False

    def options(self, data: dict[str, Any]) -> ImportOptions:
        """Return what was chosen."""
        mapping = {name.removeprefix("column_"): data[name] for name in self.mapping_names}
        return ImportOptions(
            mapping=mapping,
            skip_bad_rows=data["on_bad_rows"] == "skip",
            date_format=data["date_format"],
            decimal_mark=data["decimal_mark"],
            warehouse=data.get("warehouse", ""),
            channel=data.get("channel", ""),
            create_products=data.get("create_products", True),
            goods_pattern=data.get("goods_pattern", HAS_A_DIGIT),
            more_charge_codes=tuple(
                code.strip()
                for code in data.get("more_charge_codes", "").split(",")
                if code.strip()
            ),
            cancel_same_price_only=data.get("cancel_same_price_only", False),
        )
