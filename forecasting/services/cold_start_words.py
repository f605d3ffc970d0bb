"""What a forecast of a product that has hardly sold rests on, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _, gettext_lazy, ngettext

from forecasting.models import SegmentForecast, SeriesForecast
from forecasting.queries.neighbours import Neighbour, neighbours_of
from forecasting.queries.overrides import changed_forecasts
from forecasting.queries.parts import Forecast, PartShown, parts_of
from tenancy.templatetags.formats import percent, quantity

SMALLEST_SHARE = 0.03
SOURCES: Mapping[str, Any] = {
    "all": gettext_lazy("all of them alike"),
    "text": gettext_lazy("those with similar words in name and description"),
    "category": gettext_lazy("those of the same category"),
    "warehouse": gettext_lazy("those of the same warehouse"),
    "supplier": gettext_lazy("those of the same supplier"),
    "price": gettext_lazy("those of a similar price"),
    "season": gettext_lazy("those that began in the same weeks"),
    "embedding": gettext_lazy("those with a similar embedding"),
}


def basis_sentences(series: SeriesForecast, neighbours: Sequence[Neighbour]) -> list[str]:
    """Return which similar products stand behind a forecast, and what counts how much."""
    basis = series.basis
    if not basis:
        return []
    told = [_names(basis, neighbours)]
    shares = sorted(basis["shares"].items(), key=lambda one: -one[1])
    own = basis["shares"].get("own", 0.0)
    if own:
        count = basis["own_days"]
        text = ngettext(
            "Its own %(count)d day counts %(share)s.",
            "Its own %(count)d days count %(share)s.",
            count,
        )
        told.append(text % {"count": count, "share": percent(own, 0)})
    parts = [
        f"{_source(name)} {percent(share, 0)}"
        for name, share in shares
        if name != "own" and share >= SMALLEST_SHARE
    ]
    if parts:
        told.append(_("What counts of the others: %(parts)s.") % {"parts": ", ".join(parts)})
    return told


def whole_sentences(forecast: Forecast) -> list[str]:
    """Say what a forecast of all channels rests on, who changed it and how it is shared.

    Nothing of a part.
    """
    if isinstance(forecast, SegmentForecast) or forecast.channel_id is not None:
        return []
    return [
        *basis_sentences(forecast, neighbours_of(forecast)),
        *change_sentences(forecast),
        *part_sentences(parts_of(forecast)),
    ]


def change_sentences(forecast: SeriesForecast) -> list[str]:
    """Say what planners' changes in force make of a forecast; its causes are those without them."""
    changed = changed_forecasts([forecast]).get(forecast.pk)
    if changed is None:
        return []
    total = changed.total_mean
    text = _("Planners' changes come on top of it: with them %(units)s %(unit)s are expected.")
    units = quantity(total, 0 if total >= 10 else 1)
    return [text % {"units": units, "unit": forecast.product.base_unit}]


def part_sentences(parts: Sequence[PartShown]) -> list[str]:
    """Say how a forecast is shared among channels, and among segments."""
    told = []
    for kind, text in (
        ("channel", _("By channel: %(parts)s.")),
        ("segment", _("By segment: %(parts)s.")),
    ):
        # what would be written as 0% says nothing; the list of parts has it
        own = [one for one in parts if one.kind == kind and one.share >= 0.005]
        if own:
            names = [f"{one.name or _('not said')} {percent(one.share, 0)}" for one in own]
            told.append(text % {"parts": ", ".join(names)})
    return told


def _names(basis: Mapping[str, Any], neighbours: Sequence[Neighbour]) -> str:
    known = {
        "count": basis["compared_with"],
        "names": _and([one.product.name for one in neighbours]),
    }
    if basis["from_beginnings"]:
        if not neighbours:
            return _("Told by the first weeks of %(count)d products that were new once.") % known
        return _("Like %(names)s in their first weeks (%(count)d products were looked at).") % known
    if not neighbours:
        return _("Told by what %(count)d other products sold lately: none was new before.") % known
    return (
        _("Like %(names)s lately (%(count)d products were looked at; none was new before).") % known
    )


def _and(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return _("%(most)s and %(last)s") % {"most": ", ".join(quoted[:-1]), "last": quoted[-1]}


def _source(name: str) -> str:
    if name.startswith("attribute:"):
        known = {"name": name.removeprefix("attribute:")}
        return _("those with the same %(name)s") % known
    return str(SOURCES.get(name, name))
