"""The form of a planner's change of a forecast."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from forecasting.models import OverrideKind


class OverrideForm(forms.Form):
    first_day = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"})
    )
    last_day = forms.DateField(
        label=gettext_lazy("To"), widget=forms.DateInput(attrs={"type": "date"})
    )
    kind = forms.ChoiceField(label=gettext_lazy("Change"), choices=OverrideKind.choices)
    value = forms.DecimalField(
        label=gettext_lazy("By how much"),
        help_text=gettext_lazy("20 is a fifth more, -20 a fifth less; or units of each day."),
        error_messages={"invalid": gettext_lazy("Write a number as 12.5.")},
        max_digits=18,
        decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200)
