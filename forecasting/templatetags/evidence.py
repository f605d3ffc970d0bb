"""What a warning rests on, in one sentence with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from forecasting.models import RiskWarning
from tenancy.templatetags.formats import money, percent, quantity

register = template.Library()

SENTENCES: Mapping[str, str | Promise] = {
    "late_supplier": gettext_lazy(
        "%(open_units)s %(unit)s on %(number)s, ordered %(ordered)s and promised after "
        "%(promised_days)s: late with a probability of %(probability)s, by about "
        "%(expected_days_late)s; %(short_units)s %(unit)s would be missing."
    ),
    "forecast_drift": gettext_lazy(
        "%(weeks)s weeks forecast %(predicted)s %(unit)s, %(actual)s were asked for: off the same "
        "way for weeks, by more than demand swings by itself (tracking signal %(signal)s)."
    ),
    "channel_imbalance": gettext_lazy(
        "%(units)s %(unit)s from %(from_name)s would save more sales here than the move costs."
    ),
    "count_anomaly": gettext_lazy(
        "%(counts)s in 13 weeks found %(counted)s %(unit)s where %(recorded)s were recorded."
    ),
    "stock_out": gettext_lazy(
        "%(on_hand)s %(unit)s free and %(arriving_units)s arriving against an expected demand "
        "of %(expected_demand)s in %(horizon_days)s: runs out with a probability of "
        "%(probability)s, %(lost_units)s %(unit)s would be lost."
    ),
    "excess": gettext_lazy(
        "%(position)s %(unit)s are %(excess_units)s more than the order-up-to level and the cover "
        "limit allow; they are worth %(excess_value)s, and all of it lasts %(cover_days)s."
    ),
    "excess_unsold": gettext_lazy(
        "%(position)s %(unit)s are %(excess_units)s more than the order-up-to level and the cover "
        "limit allow; they are worth %(excess_value)s, and none are expected to sell."
    ),
    "dead_stock": gettext_lazy(
        "%(on_hand)s %(unit)s free, and nobody has asked for any for %(days_without_demand)s."
    ),
    "expiry": gettext_lazy(
        "Of %(lot_units)s %(unit)s about %(units)s will not sell within the %(days_left)s left."
    ),
    "expiry_today": gettext_lazy(
        "Of %(lot_units)s %(unit)s about %(units)s will not sell today, the last day."
    ),
    "sales_spike": gettext_lazy(
        "%(actual)s %(unit)s in %(days_seen)s where %(expected)s were expected; up to %(high)s "
        "would have been normal."
    ),
    "sales_drop": gettext_lazy(
        "%(actual)s %(unit)s in %(days_seen)s where %(expected)s were expected; down to %(low)s "
        "would have been normal."
    ),
    "trend_decline": gettext_lazy(
        "From %(start_level)s to %(end_level)s %(unit)s a week within %(weeks)s weeks, "
        "%(change_share)s less, and steadily so."
    ),
}


DAYS = {
    *("age_days", "promised_days", "expected_days_late", "horizon_days", "cover_days"),
    *("days_without_demand", "days_left", "days_seen"),
}
SHARES = {"probability", "change_share"}


class EvidenceUnknown(LookupError):
    """There are no words for what a warning rests on, or a number that they need is missing."""


@register.simple_tag(takes_context=True)
def evidence(context: template.Context, warning: RiskWarning) -> str:
    """Say in one sentence what a warning rests on.

    Searches put nothing that has no words, see the tests; what another version put is not kept from
    the reader.
    """
    tenant = context.get("tenant")
    try:
        return evidence_sentence(warning, tenant.currency if tenant else "")
    except EvidenceUnknown:
        structlog.get_logger().exception("evidence_unknown", warning=warning.pk)
        return _(
            "What this rests on was recorded by another version, which has other numbers: the API "
            "tells them. “Look again” renews a warning that still stands."
        )


def evidence_sentence(warning: RiskWarning, currency: str) -> str:
    """Return the evidence of a warning in words; raise ``EvidenceUnknown``."""
    found = warning.evidence
    finding = _variant(found)
    if finding not in SENTENCES:
        raise EvidenceUnknown(f"no sentence for {finding!r}")
    known = {name: _written(name, value) for name, value in found.items()}
    known["excess_value"] = money(found.get("excess_value"), currency)
    known["unit"] = warning.product.base_unit
    known["ordered"] = _("%(days)s ago") % {"days": known.get("age_days")}
    if found.get("age_days") == 0:
        known["ordered"] = _("today")
    try:
        return str(SENTENCES[finding]) % known
    except KeyError as missing:
        raise EvidenceUnknown(f"{finding} without {missing}") from missing


def _variant(found: Mapping[str, Any]) -> str:
    """Return the finding, or the case of it that needs words of its own."""
    finding = str(found.get("finding", ""))
    if finding == "excess" and found.get("cover_days", 0) is None:
        return "excess_unsold"
    return "expiry_today" if finding == "expiry" and found.get("days_left") == 0 else finding


def _written(name: str, value: Any) -> str:
    """Write a number of the evidence no finer than a reader needs it."""
    if isinstance(value, str):
        return value
    if name in SHARES:
        return percent(None if value is None else abs(value), 0)
    text = quantity(value, 0 if isinstance(value, float) and abs(value) >= 10 else 1)
    many = 1 if text == quantity(1) else 2
    if name == "counts":
        return ngettext("%(count)s count", "%(count)s counts", many) % {"count": text}
    if name in DAYS:
        return ngettext("%(count)s day", "%(count)s days", many) % {"count": text}
    return text
