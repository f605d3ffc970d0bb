"""What a warning rests on, in one sentence with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from forecasting.models import RiskWarning
from tenancy.templatetags.formats import money, percent, quantity

register = template.Library()

SENTENCES: Mapping[str, str | Promise] = {
    "late_supplier": gettext_lazy(
        "%(open_units)s %(unit)s on %(number)s, ordered %(age_days)s days ago and promised after "
        "%(promised_days)s: late with a probability of %(probability)s, by about "
        "%(expected_days_late)s days; %(short_units)s %(unit)s would be missing."
    ),
    "forecast_drift": gettext_lazy(
        "%(weeks)s weeks forecast %(predicted)s %(unit)s, %(actual)s were asked for: off the same "
        "way for weeks, by more than demand swings by itself (tracking signal %(signal)s)."
    ),
    "channel_imbalance": gettext_lazy(
        "%(units)s %(unit)s from %(from_name)s would save more sales here than the move costs."
    ),
    "count_anomaly": gettext_lazy(
        "%(counts)s counts in 13 weeks found %(counted)s %(unit)s where %(recorded)s were recorded."
    ),
    "stock_out": gettext_lazy(
        "%(on_hand)s %(unit)s free and %(arriving_units)s arriving against an expected demand "
        "of %(expected_demand)s in %(horizon_days)s days: runs out with a probability of "
        "%(probability)s, %(lost_units)s %(unit)s would be lost."
    ),
    "excess": gettext_lazy(
        "%(position)s %(unit)s are %(excess_units)s more than the order-up-to level and the cover "
        "limit allow; they are worth %(excess_value)s and last %(cover_days)s days."
    ),
    "dead_stock": gettext_lazy(
        "%(on_hand)s %(unit)s free, and nobody has asked for any for %(days_without_demand)s days."
    ),
    "expiry": gettext_lazy(
        "Of %(lot_units)s %(unit)s about %(units)s will not sell within the "
        "%(days_left)s days left."
    ),
    "sales_spike": gettext_lazy(
        "%(actual)s %(unit)s in %(days)s days where %(expected)s were expected; up to %(high)s "
        "would have been normal."
    ),
    "sales_drop": gettext_lazy(
        "%(actual)s %(unit)s in %(days)s days where %(expected)s were expected; down to %(low)s "
        "would have been normal."
    ),
    "trend_decline": gettext_lazy(
        "From %(start_level)s to %(end_level)s %(unit)s a week within %(weeks)s weeks, "
        "%(change_share)s less, and steadily so."
    ),
}


@register.simple_tag(takes_context=True)
def evidence(context: template.Context, warning: RiskWarning) -> str:
    """Say in one sentence what a warning rests on."""
    tenant = context.get("tenant")
    return evidence_sentence(warning, tenant.currency if tenant else "")


def evidence_sentence(warning: RiskWarning, currency: str) -> str:
    """Return the evidence of a warning in words."""
    found = warning.evidence
    known: dict[str, Any] = {
        name: value if isinstance(value, str) else _units(value) for name, value in found.items()
    }
    for name in ("probability", "change_share"):
        if isinstance(found.get(name), float):
            known[name] = percent(abs(found[name]), 0)
    known["excess_value"] = money(found.get("excess_value"), currency)
    known["unit"] = warning.product.base_unit
    template_text = SENTENCES.get(str(found.get("finding", "")))
    if template_text is None:
        return ""
    try:
        return str(template_text) % known
    except KeyError:
        return ""


def _units(value: Any) -> str:
    """Write a number of the evidence no finer than a reader needs it."""
    places = 0 if isinstance(value, float) and abs(value) >= 10 else 1
    return quantity(value, places)
