"""An explanation in plain sentences: what is expected, why, and which rules saw which days."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from forecasting.pipeline.series import Reason
from forecasting.templatetags.planning import class_name, method_name, reason_text
from tenancy.templatetags.formats import estimate, percent, quantity, signed

WORTH_SAYING = 0.02
"""A cause that moves less than this share of the demand is not put into words."""


SMALLEST = 0.05
"""Less is written as 0: of a product that hardly sells a cause may be a large share of nothing."""


def sentences(content: dict[str, Any], unit: str) -> list[str]:
    """Return the explanation in words, the weightiest cause first."""
    causes = _causes(content, unit)
    told = [_headline(content, unit), *[text for _size, text in causes]]
    told += _weekdays(content, unit)
    if len(told) == 1:
        told.append(_("Nothing but the level of the last month stands behind it."))
    return told


def _signed(units: float, unit: str) -> str:
    places = 0 if abs(units) >= 10 else 1
    return f"{signed(units, places)} {unit}"


def _is_told(units: float) -> bool:
    """Tell whether the number would be written as more than nothing."""
    return abs(units) >= SMALLEST


def _amount(units: float) -> str:
    return quantity(units, 0 if abs(units) >= 10 else 1)


def _day(value: str) -> str:
    return date_format(date.fromisoformat(value), "j F")


def _headline(content: dict[str, Any], unit: str) -> str:
    days = len(content["prediction"])
    total = sum(max(value, 0) for value in content["prediction"])
    before = content["last_month"] * days
    known = {
        "total": _amount(total), "unit": unit, "days": days, "daily": estimate(total / days),
        "before": estimate(content["last_month"]),
    }  # fmt: skip
    expected = _("Expected are %(total)s %(unit)s in %(days)s days, %(daily)s a day") % known
    if before <= 0:
        return _("%(expected)s; nothing sold in the last month.") % {"expected": expected}
    change = total / before - 1
    known |= {"change": percent(abs(change), 0), "expected": expected}
    if abs(change) < WORTH_SAYING:
        text = _("%(expected)s: as in the last month (%(before)s a day).")
    elif change > 0:
        text = _("%(expected)s: %(change)s more than in the last month (%(before)s a day).")
    else:
        text = _("%(expected)s: %(change)s less than in the last month (%(before)s a day).")
    return text % known


def _causes(content: dict[str, Any], unit: str) -> list[tuple[float, str]]:
    floor = WORTH_SAYING * max(
        sum(abs(value) for value in content["prediction"]),
        content["last_month"] * len(content["prediction"]),
    )
    found = [
        (abs(event["units"]), _event(event, content.get("kinds", {}), unit))
        for event in content["events"]
        if abs(event["units"]) > floor and _is_told(event["units"])
    ]
    told = {event["name"] for event in content["events"]}
    for column, feature in enumerate(content["features"]):
        name = feature.removeprefix("signal:")
        units = sum(row[column] for row in content["parts"])
        if feature == "weekday" or (feature != name and name in told) or abs(units) <= floor:
            continue
        if not _is_told(units):
            continue
        found.append((abs(units), _feature(feature, units, unit)))
    return sorted(found, key=lambda one: -one[0])


def _event(event: dict[str, Any], kinds: dict[str, str], unit: str) -> str:
    signal = event["name"]
    known = {
        "name": event["label"] or signal,
        "signal": signal,
        "days": _days(event["first_day"], event["last_day"]),
        "units": _signed(event["units"], unit),
        "way": _("Higher") if event["units"] > 0 else _("Lower"),
    }
    match kinds.get(signal, ""):
        case "promotion" if signal.casefold() in ("promotion", _("Promotion").casefold()):
            text = _("%(way)s because of the promotion %(days)s: %(units)s.")
        case "promotion":
            text = _("%(way)s because of the promotion “%(signal)s” %(days)s: %(units)s.")
        case "price":
            text = _("%(way)s because of the price (%(name)s) %(days)s: %(units)s.")
        case "holiday":
            text = _("%(way)s because of the holiday %(name)s %(days)s: %(units)s.")
        case _ if event["label"]:
            text = _("%(way)s because of “%(signal)s” (%(name)s) %(days)s: %(units)s.")
        case _:
            text = _("%(way)s because of “%(signal)s” %(days)s: %(units)s.")
    return text % known


def _days(first: str, last: str) -> str:
    """Write a run of days: on 5 May, from 3 to 9 May, from 28 April to 4 May."""
    if first == last:
        return _("on %(day)s") % {"day": _day(first)}
    begins = date.fromisoformat(first)
    same_month = first[:7] == last[:7]
    known = {"first": date_format(begins, "j") if same_month else _day(first), "last": _day(last)}
    return _("from %(first)s to %(last)s") % known


def _feature(feature: str, units: float, unit: str) -> str:
    up = units > 0
    texts = {
        "level": (
            _("The level it comes from lies above the last month: %(units)s."),
            _("The level it comes from lies below the last month: %(units)s."),
        ),
        "recent": (
            _("The last days point up: %(units)s."),
            _("The last days point down: %(units)s."),
        ),
        "trend": (
            _("Demand has been rising over the last weeks: %(units)s."),
            _("Demand has been falling over the last weeks: %(units)s."),
        ),
        "anchor": (
            _("With little history, all products together are kept up with last month: %(units)s."),
            _("With little history, all products together are kept down to last month: %(units)s."),
        ),
        "season": (
            _("The time of the year or month is a strong one: %(units)s."),
            _("The time of the year or month is a weak one: %(units)s."),
        ),
        "own": (
            _("Products of this category and warehouse sell more: %(units)s."),
            _("Products of this category and warehouse sell less: %(units)s."),
        ),
        "adding_up": (
            _("Scaled up, so that all parts add up to the forecast of the product: %(units)s."),
            _("Scaled down, so that all parts add up to the forecast of the product: %(units)s."),
        ),
        "signal:holiday": (
            _("Holidays before or ahead raise it: %(units)s."),
            _("Holidays before or ahead lower it: %(units)s."),
        ),
    }
    other = (
        _("The signal “%(name)s” raises it: %(units)s."),
        _("The signal “%(name)s” lowers it: %(units)s."),
    )
    text = texts.get(feature, other)[0 if up else 1]
    return text % {"units": _signed(units, unit), "name": feature.removeprefix("signal:")}


def _weekdays(content: dict[str, Any], unit: str) -> list[str]:
    """Say which weekday is the strongest and which the weakest, where they differ."""
    if "weekday" not in content["features"] or len(content["prediction"]) < 7:
        return []
    column = content["features"].index("weekday")
    origin = date.fromisoformat(content["origin"])
    sums = [0.0] * 7
    counts = [0] * 7
    for step, row in enumerate(content["parts"], start=1):
        day = (origin.weekday() + step) % 7
        sums[day] += row[column]
        counts[day] += 1
    means = [total / max(count, 1) for total, count in zip(sums, counts, strict=True)]
    most, least = means.index(max(means)), means.index(min(means))
    daily = sum(content["prediction"]) / len(content["prediction"])
    if means[most] - means[least] <= 2 * WORTH_SAYING * max(daily, 1e-9):
        return []
    if not (_is_told(means[most]) or _is_told(means[least])):
        return []
    text = _("Weekdays differ: most on %(most)s (%(up)s), least on %(least)s (%(down)s).")
    return [
        text
        % {
            "most": _weekday(most),
            "least": _weekday(least),
            "up": _signed(means[most], unit),
            "down": _signed(means[least], unit),
        }
    ]


def _weekday(number: int) -> str:
    return date_format(date(2024, 1, 1 + number), "l")


def part_words(content: dict[str, Any], unit: str) -> list[str]:
    """Say of a channel or segment that it was forecast by itself and what became of that."""
    part = content.get("part")
    if not part:
        return []
    known = {
        "name": part["name"],
        "own": _amount(part["own_total"]),
        "stored": _amount(content["stored_total"]),
        "unit": unit,
    }
    if part["kind"] == "channel":
        text = _(
            "The channel “%(name)s” is a series of its own, read by the methods below: by its own "
            "demand they expect %(own)s %(unit)s. All channels together are then scaled to the "
            "forecast of the product, day by day; so %(stored)s %(unit)s are left for this one."
        )
    else:
        text = _(
            "The segment “%(name)s” is a series of its own, read by the methods below: by its own "
            "demand they expect %(own)s %(unit)s. All segments together are then scaled to the "
            "forecast of the product, day by day; so %(stored)s %(unit)s are left for this one."
        )
    return [text % known]


def _range_words(content: dict[str, Any]) -> list[str]:
    """Say whose the range is, where the contest gave it to others than what is expected."""
    ranged = {name: round(share, 3) for name, share in content.get("range_shares") or []}
    meant = {rule["method"]: round(rule["weight"], 3) for rule in content["rules"]}
    if not ranged or ranged == meant:
        return []
    methods = ", ".join(
        f"{method_name(name)} ({percent(share, 0)})" for name, share in ranged.items()
    )
    return [_("The range around it comes from %(methods)s.") % {"methods": methods}]


def rule_sentences(content: dict[str, Any], unit: str) -> list[str]:
    """Say which methods made the forecast, what each counts, and which days it looked at."""
    reason = reason_text(content["reason"])
    kind = class_name(content["demand_class"]).lower()
    told = [reason]
    if content["reason"] != Reason.NEW:  # what has not sold is of no kind yet
        told = [_("Demand is %(kind)s. %(reason)s") % {"kind": kind, "reason": reason}]
    told += part_words(content, unit)
    for rule in content["rules"]:
        known = {
            "method": method_name(rule["method"]),
            "weight": percent(rule["weight"], 0),
            "daily": estimate(rule["per_day"]),
            "unit": unit,
            "seen": rule["days_seen"],
            "sales": rule["sales_days"],
        }
        if rule["method"] == "cold_start":
            text = _("%(method)s (%(weight)s) let expect %(daily)s %(unit)s a day.")
        elif not rule["days_seen"]:
            text = _("%(method)s (%(weight)s): no day of demand is known, so it expects nothing.")
        else:
            known["first"] = date_format(date.fromisoformat(rule["first_day"]), "j M Y")
            known["last"] = date_format(date.fromisoformat(rule["last_day"]), "j M Y")
            text = _(
                "%(method)s (%(weight)s) expects %(daily)s %(unit)s a day from %(seen)s days known "
                "between %(first)s and %(last)s, %(sales)s of them with sales."
            )
        told.append(text % known)
    told += _range_words(content)
    if content["differs"]:
        told.append(
            _(
                "Demand has changed since this forecast was stored: the parts explain what would "
                "be forecast now. Forecast again to have both agree."
            )
        )
    return told
