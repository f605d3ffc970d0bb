"""The fields of the filters above lists, the same on every page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


def search_field(placeholder: Any) -> forms.CharField:
    """Return the field that is searched in; ``placeholder`` says what it looks at."""
    widget = forms.TextInput(attrs={"placeholder": placeholder})
    return forms.CharField(label=_("Search"), required=False, max_length=100, widget=widget)


def row_field(label: Any) -> forms.TypedChoiceField:
    """Return a field for one row of a table, or none of them; cleaned to its id or None."""
    return forms.TypedChoiceField(label=label, required=False, coerce=int, empty_value=None)


def offer(form: forms.Form, name: str, nothing: Any, known: Iterable[tuple[Any, Any]]) -> None:
    """Let the field ``name`` choose among ``known``; ``nothing`` names the empty choice."""
    form.fields[name].choices = [("", nothing), *known]  # type: ignore[attr-defined]
