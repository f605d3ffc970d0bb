"""The forms of the page of networks: what training may cost, and how networks are trained."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from forecasting.models import ForecastSettings, MissingDays, Scaling
from forecasting.models.compute import (
    LARGEST_SEED,
    LEAST_THRESHOLD,
    MOST_THRESHOLD,
    NETWORK_NAMES,
)
from forecasting.templatetags.planning import method_name
from forecasting.templatetags.training_settings import setting_label
from inventory.pages.fields import float_field

NETWORK_HINTS = {
    "lstm": gettext_lazy("Reads day after day and remembers long; strong on volume."),
    "gru": gettext_lazy("A lighter LSTM."),
    "rnn": gettext_lazy("Reads day after day, forgets soon."),
    "cnn": gettext_lazy("Looks for patterns of some days in a row."),
    "mlp": gettext_lazy("Sees all days at once; strong where many products sell little."),
    "linear": gettext_lazy("A weighted sum of the days; quick, hard to mislead."),
    "article": gettext_lazy("Two LSTM layers on 60 days, trained on the squared error."),
}


class BudgetForm(forms.Form):
    cpu_minutes_per_month = forms.IntegerField(
        label=gettext_lazy("CPU minutes a month"),
        required=False,
        min_value=0,
        max_value=100_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("For training. Empty: no limit."),
    )
    training_seconds = forms.IntegerField(
        label=gettext_lazy("CPU seconds a training"),
        required=False,
        min_value=5,
        max_value=3600,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("For every training. Empty: as many as the data are worth."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class TrainingChoicesForm(forms.Form):
    networks = forms.MultipleChoiceField(
        label=setting_label("networks"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "One to four. All are trained and judged beside the simple methods; the best of them, "
            "or a blend, serves. Each adds its time."
        ),
        error_messages={"required": gettext_lazy("Choose at least one network.")},
    )
    missing_days = forms.ChoiceField(
        label=setting_label("cleaning.missing"),
        choices=MissingDays.choices,
        help_text=gettext_lazy("Out of stock, closed, or without a usable figure."),
    )
    outlier_threshold = float_field(
        setting_label("cleaning.outliers"),
        required=False,
        min_value=LEAST_THRESHOLD,
        max_value=MOST_THRESHOLD,
        help_text=gettext_lazy(
            "How far above the usual a product's day may be, in usual swings. Empty: never cut."
        ),
    )
    scaling = forms.ChoiceField(
        label=setting_label("scaling"),
        choices=Scaling.choices,
        help_text=gettext_lazy("So that a network learns small and large products alike."),
    )
    seed = forms.IntegerField(
        label=setting_label("seed"),
        min_value=0,
        max_value=LARGEST_SEED,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("Chance in training: the same seed gives the same network."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, initial: Any = None) -> None:
        super().__init__(data, initial=initial, prefix=None, auto_id="choices_%s")
        field = self.fields["networks"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  declared above
        field.choices = [(name, method_name(name)) for name in NETWORK_NAMES]


def budget_form(known: ForecastSettings) -> BudgetForm:
    """Return the form of the limits as they are."""
    names = ("cpu_minutes_per_month", "training_seconds", "version")
    return BudgetForm(initial={name: getattr(known, name) for name in names})


def choices_form(known: ForecastSettings) -> TrainingChoicesForm:
    """Return the form of what trainings are made of, as it is."""
    threshold = known.outlier_threshold
    initial = {
        "networks": known.networks,
        "missing_days": known.missing_days,
        "scaling": known.scaling,
        "outlier_threshold": "" if threshold is None else f"{threshold:g}",
        "seed": known.seed,
        "version": known.version,
    }
    return TrainingChoicesForm(initial=initial)
