"""Why a forecast is what it is: its parts by cause, the rules used, the weeks that looked alike.

`explain(fitted, panel, origin, row)` takes the forecast of one series apart. Against the demand per
day of the last month, every day ahead is a sum over features: [H, F]. Networks are taken apart by
integrated gradients, baselines by their level, drift and weekday; a blend adds its parts up by
weight. No series is too odd to be explained: where no network serves, the rule that does says
which days it looked at.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from forecasting.pipeline.attribution import Attribution, attribute
from forecasting.pipeline.backtest import Member, run_baseline, store_to_forecast
from forecasting.pipeline.baselines import AVERAGE_DAYS, RECENT_DAYS, TREND_DAYS, WEEKDAY_WEEKS
from forecasting.pipeline.channels import SIGNAL, TREND, WEEKDAY, map_channels
from forecasting.pipeline.cleaning import clean
from forecasting.pipeline.closures import find_closures, without_closed_days
from forecasting.pipeline.compute import use_one_core
from forecasting.pipeline.contest import Blend
from forecasting.pipeline.forecaster import FittedForecaster, serving_blends
from forecasting.pipeline.metrics import demand_class
from forecasting.pipeline.newcomers import COLD_START, serve_newcomers
from forecasting.pipeline.series import FloatArray, SeriesPanel, Signal
from forecasting.pipeline.similar import SimilarWeeks, similar_weeks
from forecasting.pipeline.triage import hardly_sold, sanitise, triage

LEVEL, ANCHOR = "level", "anchor"
MONTH_DAYS = 28


@dataclass(frozen=True)
class Event:
    """Days ahead on which a signal is not at its ordinary value, and what they bring in units."""

    name: str
    label: str
    first_day: date
    last_day: date
    units: float


@dataclass(frozen=True)
class RuleUse:
    """A method's part in the forecast and the days it looked at; no days: it saw none."""

    method: str
    is_network: bool
    weight: float
    per_day: float
    first_day: date | None
    last_day: date | None
    days_seen: int
    sales_days: int


@dataclass(frozen=True)
class Explanation:
    """A forecast taken apart. Units per day.

    parts: [H, F] over `features`; each row adds up to prediction - last_month. looked_back: what
    each past day (from `looked_back_from` on) moves the sum of all days, empty without a network.
    gap: what integrated gradients miss, as a share of what moved. rules: who made the mean;
    range_shares: who made the quantiles, which the contest may have given to others.
    """

    origin: date
    method: str
    reason: str
    demand_class: str
    last_month: float
    prediction: FloatArray
    features: tuple[str, ...]
    parts: FloatArray
    events: tuple[Event, ...]
    rules: tuple[RuleUse, ...]
    range_shares: tuple[tuple[str, float], ...]
    similar: tuple[SimilarWeeks, ...]
    looked_back_from: date | None
    looked_back: FloatArray
    gap: float

    def total(self, feature: str) -> float:
        """Return the units a feature brings over all days."""
        return float(self.parts[:, self.features.index(feature)].sum())

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as JSON, numbers no finer than a reader needs."""
        return {
            "origin": self.origin.isoformat(),
            "method": self.method,
            "reason": self.reason,
            "demand_class": self.demand_class,
            "last_month": _rounded(self.last_month),
            "prediction": _rounded(self.prediction),
            "features": list(self.features),
            "parts": _rounded(self.parts),
            "events": [_plain(event) for event in self.events],
            "rules": [_plain(rule) for rule in self.rules],
            "range_shares": [list(one) for one in self.range_shares],
            "similar": [_plain(one) for one in self.similar],
            "looked_back_from": self.looked_back_from and self.looked_back_from.isoformat(),
            "looked_back": _rounded(self.looked_back),
            "gap": _rounded(self.gap),
        }


def _plain(value: Any) -> dict[str, Any]:
    return {
        name: one.isoformat() if isinstance(one, date)
        else _rounded(one) if isinstance(one, float | tuple) else one
        for name, one in asdict(value).items()
    }  # fmt: skip


def _rounded(values: Any) -> Any:
    """Round to six significant digits, so that small and large demand both add up."""
    found = np.asarray(values, dtype=np.float64)
    size = np.abs(found)
    places = 5 - np.floor(np.log10(np.where(size > 0, size, 1)))
    factor = 10.0 ** np.clip(places, -300, 300)
    return np.where(size > 0, np.round(found * factor) / factor, 0.0).tolist()


def explain(
    fitted: FittedForecaster,
    panel: SeriesPanel,
    origin: date,
    row: int,
    *,
    level_factor: float = 1.0,
) -> Explanation:
    """Take the forecast of one series of the panel for the days after `origin` apart.

    level_factor: what the forecasts of networks had been multiplied by, see `anchor`.
    """
    use_one_core()
    horizon = fitted.plan.horizon
    cleaning = fitted.config.cleaning
    past = panel.up_to(origin, horizon)
    everyone = without_closed_days(past, find_closures(past))
    # cleaning looks at one series at a time: of thousands, one is asked for
    known, spoiled = sanitise(clean(everyone.select(np.array([row])), cleaning))
    (blend,) = serving_blends(fitted, known, spoiled)
    last_month = _last_month(known)
    newcomer = None
    if hardly_sold(known, [blend.reason])[0]:
        blend, newcomer = _newcomer(clean(everyone, cleaning), row, blend, horizon)
    made = _take_apart(fitted, known, blend, (last_month, newcomer))
    similar = similar_weeks(everyone, row)
    prediction = last_month + made.parts.sum(axis=1) + made.missed
    if level_factor != 1 and fitted.by_network([blend])[0]:
        made.add(ANCHOR, (level_factor - 1) * prediction)
        prediction = level_factor * prediction
    return Explanation(
        origin=origin,
        method=blend.label(),
        reason=str(blend.reason),
        demand_class=str(demand_class(known.demand, known.observed)[0]),
        last_month=last_month,
        prediction=prediction,
        features=tuple(made.features),
        parts=made.parts,
        events=_events(fitted, known, made),
        rules=tuple(made.rules),
        range_shares=tuple(zip(blend.methods, blend.weights, strict=True)),
        similar=similar,
        looked_back_from=_looked_back_from(known, made),
        looked_back=made.looked_back,
        gap=float(np.abs(made.missed).sum() / max(float(np.abs(made.parts).sum()), 1e-9)),
    )


def _newcomer(
    everyone: SeriesPanel, row: int, blend: Blend, horizon: int
) -> tuple[Blend, FloatArray | None]:
    """Return who serves a series that has hardly sold, and its mean if similar products do."""
    cold, found = serve_newcomers(everyone, triage(*sanitise(everyone)), horizon)
    if found is None:
        return blend, None
    place = int(np.flatnonzero(cold == row)[0])
    return Blend((COLD_START,), (1.0,), blend.reason), found.mean[place]


def _last_month(known: SeriesPanel) -> float:
    seen = np.flatnonzero(known.observed[0])[-MONTH_DAYS:]
    return float(known.demand[0, seen].mean()) if len(seen) else 0.0


@dataclass
class _Made:
    """The parts gathered so far: features grow as methods bring theirs."""

    horizon: int
    features: list[str]
    parts: FloatArray
    missed: FloatArray
    looked_back: FloatArray
    rules: list[RuleUse]

    def add(self, feature: str, units: FloatArray) -> None:
        if feature not in self.features:
            self.features.append(feature)
            self.parts = np.concatenate([self.parts, np.zeros((self.horizon, 1))], axis=1)
        self.parts[:, self.features.index(feature)] += units


def _take_apart(
    fitted: FittedForecaster,
    known: SeriesPanel,
    blend: Blend,
    found: tuple[float, FloatArray | None],
) -> _Made:
    """Return the parts; found: the level of the last month, and the mean of a new product."""
    horizon = fitted.plan.horizon
    last_month, newcomer = found
    made = _Made(
        horizon, [LEVEL], np.zeros((horizon, 1)), np.zeros(horizon), np.zeros(0), []
    )  # fmt: skip
    for method, share in blend.mean_shares:
        members = [member for member in fitted.members if member.method == method]
        if members:
            mean = _add_networks(fitted, known, members, made, share)
            level = mean.ordinary - last_month
        else:
            if newcomer is not None:
                prediction = newcomer
            else:
                prediction = run_baseline(method, known, horizon)[0][0].astype(np.float64)
            level, drift, weekday = _baseline_parts(prediction, last_month)
            made.add(TREND, share * drift)
            made.add(WEEKDAY, share * weekday)
            made.rules.append(_rule(method, known, share, float(prediction.mean())))
        made.add(LEVEL, share * level)
    return made


def _add_networks(
    fitted: FittedForecaster,
    known: SeriesPanel,
    members: Sequence[Member],
    made: _Made,
    share: float,
) -> Attribution:
    """Add the average of a method's networks and return it."""
    channels = map_channels(fitted.plan)
    reading = max(member.network.config.reading_days for member in members)
    store = store_to_forecast(known, fitted.plan, reading)
    found = [attribute(member.network, store, 0, channels) for member in members]
    days = max(len(made.looked_back), *(len(one.past_days) for one in found))
    looked_back = np.zeros(days)
    looked_back[days - len(made.looked_back) :] = made.looked_back
    for one in found:
        looked_back[days - len(one.past_days) :] += share / len(found) * one.past_days
    mean = Attribution(
        features=np.mean([one.features for one in found], axis=0),
        past_days=looked_back,
        prediction=np.mean([one.prediction for one in found], axis=0),
        ordinary=np.mean([one.ordinary for one in found], axis=0),
    )
    for column, feature in enumerate(channels.features):
        made.add(feature, share * mean.features[:, column])
    made.missed += share * (mean.prediction - mean.ordinary - mean.features.sum(axis=1))
    made.looked_back = looked_back
    first = max(known.n_days - reading, int(known.begins[0]))
    made.rules.append(
        _use(members[0].method, known, np.arange(first, known.n_days),
             (share, float(mean.prediction.mean())), is_network=True)
    )  # fmt: skip
    return mean


def _baseline_parts(
    prediction: FloatArray, last_month: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Split a baseline's forecast into level, drift from week to week, and weekday: [H] each."""
    horizon = len(prediction)
    weeks = np.arange(horizon) // 7
    full = max(horizon // 7, 1)
    means = np.array([prediction[weeks == min(week, full - 1)].mean() for week in weeks])
    level = np.full(horizon, means[0] - last_month)
    drift = means - means[0]
    return level, drift, prediction - means


_REACH: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "seasonal_naive": lambda seen: seen[-7:],
    "moving_average": lambda seen: seen[-AVERAGE_DAYS:],
    "empirical_quantiles": lambda seen: seen[-AVERAGE_DAYS:],
    "empirical_weekday": lambda seen: seen[-7 * WEEKDAY_WEEKS :],
    "exponential_smoothing": lambda seen: seen[-TREND_DAYS:],
    "theta": lambda seen: seen[-TREND_DAYS:],
}
"""Which of the observed days a baseline's mean looks at; the others look at all of them. The spread
of most of them comes from the last RECENT_DAYS."""


def _rule(method: str, known: SeriesPanel, weight: float, per_day: float) -> RuleUse:
    seen = np.flatnonzero(known.observed[0])
    chosen = _REACH[method](seen) if method in _REACH else seen
    return _use(method, known, chosen, (weight, per_day), is_network=False)


def _use(
    method: str,
    known: SeriesPanel,
    days: np.ndarray,
    weighed: tuple[float, float],
    *,
    is_network: bool,
) -> RuleUse:
    def day(index: int) -> date:
        return known.first_day + timedelta(days=int(index))

    seen = days[known.observed[0, days]]
    return RuleUse(
        method=method,
        is_network=is_network,
        weight=weighed[0],
        per_day=weighed[1],
        first_day=day(days[0]) if len(days) else None,
        last_day=day(days[-1]) if len(days) else None,
        days_seen=len(seen),
        sales_days=int((known.demand[0, seen] > 0).sum()),
    )


def _looked_back_from(known: SeriesPanel, made: _Made) -> date | None:
    if not len(made.looked_back):
        return None
    return known.last_day - timedelta(days=len(made.looked_back) - 1)


def _events(fitted: FittedForecaster, known: SeriesPanel, made: _Made) -> tuple[Event, ...]:
    """Return the runs of days ahead on which a signal that the networks read is on."""
    read = {one.name for one in fitted.plan.signals}
    found: list[Event] = []
    for signal in known.signals:
        feature = SIGNAL + signal.name
        if signal.name not in read or feature not in made.features:
            continue
        units = made.parts[:, made.features.index(feature)]
        values = np.atleast_2d(signal.values)[0]
        ahead = values[known.n_days : known.n_days + fitted.plan.horizon]
        for first, last, label in _runs(signal, values[: known.n_days], ahead):
            found.append(
                Event(
                    name=signal.name,
                    label=label,
                    first_day=known.last_day + timedelta(days=first + 1),
                    last_day=known.last_day + timedelta(days=last + 1),
                    units=float(units[first : last + 1].sum()),
                )
            )
    return tuple(found)


def _runs(signal: Signal, past: FloatArray, ahead: FloatArray) -> list[tuple[int, int, str]]:
    """Return first and last place of each run of equal values that are not the ordinary one."""
    known_past = past[np.isfinite(past)]
    usual = float(np.median(known_past)) if signal.kind == "numeric" and len(known_past) else 0.0
    runs: list[tuple[int, int, str]] = []
    open_at: int | None = None
    for place in range(len(ahead) + 1):
        value = ahead[place] if place < len(ahead) else np.nan
        ended = open_at is not None and value != ahead[open_at]
        if open_at is not None and ended:
            runs.append((open_at, place - 1, _label(signal, ahead[open_at])))
            open_at = None
        is_on = np.isfinite(value) and (signal.kind == "category" or value != usual)
        if open_at is None and is_on:
            open_at = place
    return runs


def _label(signal: Signal, value: float) -> str:
    if signal.kind == "category":
        return signal.labels[int(value)] if int(value) < len(signal.labels) else ""
    return "" if signal.kind == "flag" else f"{float(value):g}"


__all__ = ["LEVEL", "RECENT_DAYS", "Event", "Explanation", "RuleUse", "explain"]
