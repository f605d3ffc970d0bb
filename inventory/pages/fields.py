"""Form fields for exact numbers, products, days and states, the same on every page here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy

from inventory.models import Product, TransportMode
from inventory.queries.catalog import find_product_by_code


def quantity_field(label: Any, **options: Any) -> forms.DecimalField:
    """Return a field for a quantity in base units; what was typed wrongly is shown as typed."""
    return _exact_field(label, **options)


def money_field(label: Any, **options: Any) -> forms.DecimalField:
    """Return a field for an amount or unit price in the tenant's currency, zero or more."""
    return _exact_field(label, **({"min_value": 0} | options))


def _exact_field(label: Any, **options: Any) -> forms.DecimalField:
    return number_field(label, max_digits=18, decimal_places=6, **options)


def number_field(label: Any, **options: Any) -> forms.DecimalField:
    """Return a field for any number with a fraction; what is wrong says how one is written.

    A comma is refused, not guessed at: 1,234 is a thousand to some and a little more than one to
    others.
    """
    return forms.DecimalField(label=label, **(_number_options() | options))


def float_field(label: Any, **options: Any) -> forms.FloatField:
    """Return the same for a number that is not counted exactly."""
    return forms.FloatField(label=label, **(_number_options() | options))


def _number_options() -> dict[str, Any]:
    return {
        "widget": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        "error_messages": {"invalid": gettext_lazy("Enter a number, with a point: 12.5.")},
    }


def in_use_field() -> forms.ChoiceField:
    """Return the filter between what is in use and what no longer is."""
    return forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[
            ("", gettext_lazy("Active")),
            ("inactive", gettext_lazy("Not in use")),
            ("all", gettext_lazy("All")),
        ],
    )


def mode_field(**options: Any) -> forms.ChoiceField:
    """Return a field for how goods come; it may stay open."""
    choices = [("", gettext_lazy("Not said")), *TransportMode.choices]
    return forms.ChoiceField(
        label=gettext_lazy("Transport mode"), required=False, choices=choices, **options
    )


def day_field(label: Any, **options: Any) -> forms.DateField:
    """Return a field for a day."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **options)


class ProductCodeField(forms.CharField):
    """A SKU or barcode, typed or scanned; cleaned to the product. ``list_id`` names suggestions."""

    default_error_messages = {
        "unknown": gettext_lazy("No product has the SKU or barcode %(code)s."),
    }

    def __init__(self, *, list_id: str = "", **options: Any) -> None:
        attrs = {"autocomplete": "off", "spellcheck": "false"}
        if list_id:
            attrs["list"] = list_id
        super().__init__(max_length=64, widget=forms.TextInput(attrs=attrs), **options)

    def clean(self, value: Any) -> Product | None:
        """Return the product; raise ``ValidationError`` for a code that none has."""
        code = super().clean(value)
        if not code:
            return None
        product = find_product_by_code(code)
        if product is None:
            raise forms.ValidationError(
                self.error_messages["unknown"], code="unknown", params={"code": code}
            )
        return product


def sent(request: HttpRequest) -> QueryDict | None:
    """Return what was sent for a form to be bound to, also nothing at all; None for a look."""
    return request.POST if request.method == "POST" else None


def plain(number: Decimal | None) -> str:
    """Write a number for a text input: without trailing zeros or exponent."""
    return "" if number is None else format(number.normalize(), "f")
