"""The form of a planner's change of a forecast."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from forecasting.models import OverrideKind
from inventory.pages.fields import number_field


class OverrideForm(forms.Form):
    first_day = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"})
    )
    last_day = forms.DateField(
        label=gettext_lazy("To"), widget=forms.DateInput(attrs={"type": "date"})
    )
    kind = forms.ChoiceField(label=gettext_lazy("Change"), choices=OverrideKind.choices)
    value = number_field(
        gettext_lazy("By how much"),
        help_text=gettext_lazy("20 is a fifth more, -20 a fifth less; or units of each day."),
        max_digits=18,
        decimal_places=4,
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200)
