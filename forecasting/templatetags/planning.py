"""How codes of forecasts, suggestions and warnings read: methods, reasons, classes, tones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from forecasting.decisions.freight import LEAST_DELIVERIES
from inventory.models import TransportMode
from tenancy.templatetags.formats import percent

register = template.Library()

METHODS: Mapping[str, str | Promise] = {
    "lstm": gettext_lazy("LSTM network"),
    "gru": gettext_lazy("GRU network"),
    "rnn": gettext_lazy("RNN network"),
    "cnn": gettext_lazy("CNN network"),
    "mlp": gettext_lazy("MLP network"),
    "linear": gettext_lazy("Linear network"),
    "article": gettext_lazy("The article's LSTM"),
    "seasonal_naive": gettext_lazy("Same weekday last week"),
    "moving_average": gettext_lazy("Moving average"),
    "empirical_quantiles": gettext_lazy("Quantiles of recent demand"),
    "empirical_weekday": gettext_lazy("Quantiles by weekday"),
    "tsb": gettext_lazy("TSB for slow movers"),
    "exponential_smoothing": gettext_lazy("Exponential smoothing"),
    "croston": gettext_lazy("Croston's method"),
    "sba": gettext_lazy("Croston, corrected (SBA)"),
    "theta": gettext_lazy("Theta"),
    "cold_start": gettext_lazy("Similar products"),
    "blend": gettext_lazy("Blend that serves"),
}
REASONS: Mapping[str, str | Promise] = {
    "contest": gettext_lazy("The backtest chose it for this kind of demand."),
    "network_not_better": gettext_lazy(
        "No network was clearly better than the best simple method in the backtest."
    ),
    "no_network": gettext_lazy("No network has been trained yet."),
    "artefact_refused": gettext_lazy(
        "The stored network is damaged or missing: train again. A simple method serves."
    ),
    "empty": gettext_lazy("There is no day with known demand."),
    "new_product": gettext_lazy("It is new and has not sold yet."),
    "too_short": gettext_lazy("Fewer than four weeks of demand are known."),
    "all_zero": gettext_lazy("It has never sold."),
    "constant": gettext_lazy("It sells the same every day."),
    "dormant": gettext_lazy("It has not sold for half a year."),
    "non_finite": gettext_lazy("Its demand holds values that are no numbers."),
    "absurd_values": gettext_lazy("Its demand holds absurdly large values."),
}
FREIGHT_BASES: Mapping[str, str | Promise] = {
    "learned": gettext_lazy("freight learned from %(deliveries)d orders, off by %(error)s"),
    "free": gettext_lazy("its orders have cost no transport"),
    "few_deliveries": gettext_lazy(
        "freight as stated: %(deliveries)d of %(least)d orders with weight and transport cost"
    ),
    "not_better": gettext_lazy("freight as stated: past costs follow no pattern yet"),
    "mode_seldom": gettext_lazy("freight as stated: too few orders came this way"),
    "no_weight": gettext_lazy("freight as stated: the product has no weight"),
    "beyond_seen": gettext_lazy("freight as stated: lighter or heavier than past orders"),
}
BUFFER_REFUSALS: Mapping[str, str | Promise] = {
    "stale_forecast": gettext_lazy("the forecast is out of date: forecast again"),
    "stock_unknown": gettext_lazy("no stock is recorded"),
    "no_cost": gettext_lazy("no cost is known: enter it on the product or the offer"),
    "no_lead_time": gettext_lazy("no supplier or no lead time is known"),
    "no_revenue": gettext_lazy("a channel's sales of 13 weeks say no price"),
}
CLASSES: Mapping[str, str | Promise] = {
    "all": gettext_lazy("All products"),
    "smooth": gettext_lazy("Smooth"),
    "erratic": gettext_lazy("Erratic"),
    "intermittent": gettext_lazy("Intermittent"),
    "lumpy": gettext_lazy("Lumpy"),
}
CLASS_HINTS: Mapping[str, str | Promise] = {
    "smooth": gettext_lazy("sells often, in similar quantities"),
    "erratic": gettext_lazy("sells often, in very different quantities"),
    "intermittent": gettext_lazy("sells seldom, in similar quantities"),
    "lumpy": gettext_lazy("sells seldom, in very different quantities"),
}
FEATURES: Mapping[str, str | Promise] = {
    "level": gettext_lazy("Level"),
    "recent": gettext_lazy("Last days"),
    "trend": gettext_lazy("Trend"),
    "weekday": gettext_lazy("Weekday"),
    "anchor": gettext_lazy("Level of everything"),
    "season": gettext_lazy("Time of year"),
    "own": gettext_lazy("Category and place"),
    "adding_up": gettext_lazy("Adding up"),
    "holiday": gettext_lazy("Holidays"),
}
FILLINGS: Mapping[str, str | Promise] = {
    "mean": gettext_lazy("with the mean of the series"),
    "median": gettext_lazy("with the median of the series"),
    "nearest": gettext_lazy("with the nearest day"),
    "model": gettext_lazy("with the level around them and their weekday"),
}
ACTIONS: Mapping[str, str | Promise] = {
    "order_now": gettext_lazy("Order now"),
    "expedite": gettext_lazy("Hurry the open order"),
    "stop_ordering": gettext_lazy("Stop ordering"),
    "mark_down": gettext_lazy("Mark down"),
    "check_records": gettext_lazy("Check the records"),
    "review_forecast": gettext_lazy("Review the forecast"),
    "transfer": gettext_lazy("Move stock"),
    "count_again": gettext_lazy("Count again"),
}
BOUNDS: Mapping[str, str | Promise] = {
    "minimum_order_quantity": gettext_lazy("Supplier's minimum"),
    "order_multiple": gettext_lazy("Order multiple"),
    "price_break": gettext_lazy("Price break"),
    "shelf_life": gettext_lazy("Shelf life"),
    "maximum_stock": gettext_lazy("Maximum stock"),
    "minimum_stock": gettext_lazy("Minimum stock"),
    "whole_unit": gettext_lazy("Whole units"),
    "year_limit": gettext_lazy("A year of demand"),
    "no_supplier": gettext_lazy("no supplier"),
    "no_lead_time": gettext_lazy("no lead time"),
    "no_forecast": gettext_lazy("no forecast"),
    "no_price": gettext_lazy("no price"),
    "invalid_terms": gettext_lazy("unusable terms"),
    "currency_mixed": gettext_lazy("price in another currency"),
    "minimum_above_year": gettext_lazy("supplier's minimum is above a year of demand"),
    "minimum_above_shelf_life": gettext_lazy("supplier's minimum outlasts the shelf life"),
    "season_end": gettext_lazy("End of the season"),
    "minimum_order_value": gettext_lazy("Supplier's minimum order value"),
    "below_order_value": gettext_lazy("below the minimum order value"),
    "minimum_above_season": gettext_lazy("supplier's minimum outlasts the season"),
    "covers_part": gettext_lazy("covers only a part"),
    "rest_too_small": gettext_lazy("the supplier sells no less than comes to more than all of it"),
    "no_demand": gettext_lazy("no demand"),
    "minimum_above_maximum": gettext_lazy("supplier's minimum is above the maximum stock"),
}
URGENCY: Mapping[str, tuple[str | Promise, str]] = {
    "expedite": (gettext_lazy("Urgent"), "danger"),
    "confirm": (gettext_lazy("Confirm"), "warning"),
    "below_reorder_point": (gettext_lazy("Due"), "accent"),
}
KIND_TONES: Mapping[str, str] = {
    "stockout": "danger",
    "expiry": "warning",
    "abnormal_sales": "info",
    "trend_decline": "warning",
    "excess": "neutral",
    "dead_stock": "neutral",
    "late_supplier": "danger",
    "forecast_drift": "info",
    "channel_imbalance": "warning",
    "count_anomaly": "warning",
}


def _read(words: Mapping[str, str | Promise], code: str) -> str:
    return str(words.get(code, code.replace("_", " ").capitalize()))


@register.filter
def method_name(code: str) -> str:
    """Name a forecasting method; a blend by its leader and how many others have a part."""
    if code.startswith("blend:"):
        leader, _plus, others = code.removeprefix("blend:").partition("+")
        return _("%(method)s and %(count)s more") % {"method": method_name(leader), "count": others}
    return _read(METHODS, code)


@register.filter
def reason_text(code: str) -> str:
    """Say why a method serves a series."""
    return _read(REASONS, code)


@register.filter
def filling_name(code: str) -> str:
    """Say with what days were filled that nobody saw."""
    return _read(FILLINGS, code)


@register.filter
def feature_name(code: str) -> str:
    """Name what moves a forecast; a signal by its own name."""
    name = code.removeprefix("signal:")
    return str(FEATURES.get(name, name))


@register.filter
def class_name(code: str) -> str:
    """Name a demand class."""
    return _read(CLASSES, code)


@register.filter
def class_hint(code: str) -> str:
    """Say what a demand class means."""
    return str(CLASS_HINTS.get(code, ""))


@register.filter
def action_name(code: str) -> str:
    """Name a suggested action."""
    return _read(ACTIONS, code) if code else ""


@register.filter
def bound_name(code: str) -> str:
    """Name the constraint that bound a quantity."""
    return _read(BOUNDS, code) if code else ""


@register.filter
def buffer_refusal(code: str) -> str:
    """Say why no buffer could be judged."""
    return _read(BUFFER_REFUSALS, code)


@register.filter
def mode_name(mode: str) -> str:
    """Name a transport mode."""
    return str(TransportMode(mode).label) if mode else str(_("Not said"))


@register.filter
def freight_words(freight: Mapping[str, Any]) -> str:
    """Say by which mode an offer comes and what its transport cost was taken from."""
    words = _read(FREIGHT_BASES, freight["basis"]) % {
        "deliveries": freight["deliveries"],
        "least": LEAST_DELIVERIES,
        "error": percent(freight["error"], 0) if freight["error"] is not None else "",
    }
    mode = freight["mode"]
    return f"{mode_name(mode)} · {words}" if mode else words[:1].upper() + words[1:]


@register.filter
def urgency_text(code: str) -> str:
    """Say in one word how urgent a suggestion is."""
    return str(URGENCY.get(code, URGENCY["below_reorder_point"])[0])


@register.filter
def urgency_tone(code: str) -> str:
    """Return the tone of a suggestion's urgency."""
    return URGENCY.get(code, URGENCY["below_reorder_point"])[1]


@register.filter
def kind_tone(code: str) -> str:
    """Return the tone of a kind of warning."""
    return KIND_TONES.get(code, "neutral")
