"""How the settings of a training read: their names and values, the same on every page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _, gettext_lazy

from forecasting.models import MissingDays, Scaling
from forecasting.templatetags.planning import METHODS, method_name
from tenancy.templatetags.formats import DASH, duration

register = template.Library()

TUNED = "tuned."
SETTINGS: Mapping[str, str | Promise] = {
    "networks": gettext_lazy("networks"),
    "baselines": gettext_lazy("simple methods"),
    "contest": gettext_lazy("methods are judged"),
    "holdout_origins": gettext_lazy("days that methods are judged from"),
    "judged_series": gettext_lazy("series that judge, at most"),
    "horizon": gettext_lazy("days ahead"),
    "cleaning.missing": gettext_lazy("days nobody saw"),
    "cleaning.outliers": gettext_lazy("cut outliers above"),
    "scaling": gettext_lazy("demand is read in multiples of"),
    "budget_seconds": gettext_lazy("CPU time of a training"),
    "seed": gettext_lazy("seed"),
    "training.network": gettext_lazy("usual network"),
    "training.seed": gettext_lazy("seed of a network"),
    "hidden": gettext_lazy("hidden units"),
    "decoder": gettext_lazy("units of the decoder"),
    "bins": gettext_lazy("bins by which numbers are read"),
    "layers": gettext_lazy("layers"),
    "dropout": gettext_lazy("dropout"),
    "epochs": gettext_lazy("epochs, at most"),
    "steps_per_epoch": gettext_lazy("steps of an epoch"),
    "optimizer": gettext_lazy("optimizer"),
    "learning_rate": gettext_lazy("learning rate"),
    "weight_decay": gettext_lazy("L2"),
    "l1": gettext_lazy("L1"),
    "clip": gettext_lazy("largest step of the gradient"),
    "ema": gettext_lazy("averaging of weights"),
    "patience": gettext_lazy("epochs without progress"),
    "stop_after": gettext_lazy("last epoch"),
    "mean_loss": gettext_lazy("loss of the mean"),
    "mean_weight": gettext_lazy("weight of the mean's loss"),
    "volume_share": gettext_lazy("weight by volume in the loss of ranges"),
    "mean_volume_share": gettext_lazy("weight by volume in the loss of the mean"),
    "context_days": gettext_lazy("days looked back"),
    "span_days": gettext_lazy("days of a window that are forecast from"),
    "emits": gettext_lazy("forecasts of a window"),
    "ahead": gettext_lazy("days of each of these forecasts"),
    "batch": gettext_lazy("batch"),
    "half_life_days": gettext_lazy("days after which a day counts half"),
    "draw_power": gettext_lazy("how much more often large series are drawn"),
    "jitter": gettext_lazy("shaken demand"),
    "rescale": gettext_lazy("shaken level"),
}
"""By the path within the config of a training, or by the last part of it."""
CODES: Mapping[str, Mapping[str, str | Promise]] = {
    "cleaning.missing": dict(MissingDays.choices),
    "scaling": dict(Scaling.choices),
    "training.optimizer": {"adamw": "AdamW", "muon": "Muon"},
    "training.mean_loss": {"tweedie": "Tweedie", "squared": gettext_lazy("squared error")},
    "networks": METHODS,
    "baselines": METHODS,
    "training.network": METHODS,
}


@register.filter
def setting_name(path: str) -> str:
    """Name a setting; one that a search found for a network with that network."""
    name = path.rpartition(".")[2]
    # a training of long ago may have had settings that no longer are
    words = str(SETTINGS.get(path) or SETTINGS.get(name) or name.replace("_", " "))
    if not path.startswith(TUNED):
        return words
    network = method_name(path.split(".")[1])
    return _("%(network)s, found by tuning: %(setting)s") % {"network": network, "setting": words}


def setting_label(path: str) -> Any:
    """Return the name of a setting as a form writes it above its field, translated when shown."""
    name: Any = SETTINGS[path]
    return capfirst(name)


@register.filter
def setting_value(value: Any, path: str = "") -> str:
    """Write a setting's value in words, numbers with the digits that matter."""
    if value is None:
        return str(UNSET.get(path, DASH))
    if isinstance(value, str):
        return str(CODES.get(path, {}).get(value, value))
    if isinstance(value, Sequence):
        return ", ".join(setting_value(one, path) for one in value) or DASH
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    write: Callable[[Any], str] = WRITTEN.get(path, _digits)
    return write(value)


def _digits(value: float | int) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


UNSET: Mapping[str, str | Promise] = {
    "cleaning.outliers": gettext_lazy("never"),
    "budget_seconds": gettext_lazy("no limit"),
}
WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "budget_seconds": duration,
    "cleaning.outliers": lambda swings: _("%(swings)s usual swings") % {"swings": f"{swings:g}"},
}
