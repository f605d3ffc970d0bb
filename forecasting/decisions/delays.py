"""How far deliveries miss their promise: by group, each shrunk to the wider one, or not at all.

The promise is the forecast to beat. A group's past misses speak only if, at cuts in the past, they
would have said what came after better than the promise itself, for that very group; deliveries of
one order err together, so an order counts once, however many lines it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from forecasting.decisions.lead_times import MAX_LEAD_TIME_DAYS, LeadTimes
from forecasting.pipeline.series import BoolArray, FloatArray

Keys = Sequence[NDArray[np.str_]]
Groups = Mapping[str, NDArray[np.str_]]
LATE = 0.9
CUT_EVERY_DAYS = 182
CUTS = range(2, 9)
"""Cuts lie so many half-years back: the last year alone has seen too few orders through."""
LEAST_BEFORE, LEAST_AFTER = 100, 30
PRIOR_ORDERS = (5.0, 20.0)
HALF_LIVES_DAYS = (365.0, 36500.0)


@dataclass(frozen=True)
class DelayModel:
    """Past delays with their groups, widest first, and how much they are worth.

    delays: [N] days (or anything else that is learned); groups: one array [N] per level; weights:
    [N], recent ones count more; prior_weight: deliveries that the wider group counts as.
    """

    delays: FloatArray
    groups: Keys
    weights: FloatArray
    prior_weight: float

    def quantiles(self, groups: Keys, levels: Sequence[float]) -> FloatArray:
        """Return the quantiles of the delay for new orders of these groups: [M, len(levels)]."""
        values, shares = self.distribution(groups)
        cumulative = np.cumsum(shares, axis=1)
        cumulative[:, -1] = 1.0
        wanted = np.asarray(levels)[None, :, None] - 1e-9
        at = (cumulative[:, None, :] >= wanted).argmax(axis=2)
        found: FloatArray = values[at]
        return found

    def distribution(self, groups: Keys) -> tuple[FloatArray, FloatArray]:
        """Return the delays seen [V], and how probable each is for new orders: [M, V].

        Each level pulls towards its own deliveries by how much it has seen.
        """
        values, at = np.unique(self.delays, return_inverse=True)
        count, many = (len(groups[0]) if groups else 1), len(values)
        total = np.bincount(at, self.weights, many)
        mixed: FloatArray = np.repeat((total / total.sum())[None, :], count, axis=0)
        for past, wanted in zip(self.groups, groups, strict=True):
            names, code = np.unique(past, return_inverse=True)
            table = np.bincount(code * many + at, self.weights, len(names) * many)
            place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
            known = names[place] == wanted
            own = table.reshape(len(names), many)[place] * known[:, None]
            seen = own.sum(axis=1, keepdims=True)
            mixed = (own + self.prior_weight * mixed) / (seen + self.prior_weight)
        return values, mixed


def recency_weights(age_days: FloatArray, half_life_days: float) -> FloatArray:
    """Return weights that halve with every half-life: [N]."""
    weights: FloatArray = 0.5 ** (np.asarray(age_days, dtype=float) / half_life_days)
    return weights


@dataclass(frozen=True)
class PastDeliveries:
    """Deliveries with a promise: all arrays [N].

    placed, received: day numbers; promised: days after placing; orders: whose lines err together;
    groups: what a delivery belongs to, by name.
    """

    placed: FloatArray
    received: FloatArray
    promised: FloatArray
    orders: NDArray[np.str_]
    groups: Groups

    @property
    def delays(self) -> FloatArray:
        """Days beyond the promise; negative where early: [N]."""
        return self.received - self.placed - self.promised

    def select(self, rows: BoolArray) -> "PastDeliveries":
        """Return some of the deliveries."""
        return PastDeliveries(
            self.placed[rows],
            self.received[rows],
            self.promised[rows],
            self.orders[rows],
            {name: values[rows] for name, values in self.groups.items()},
        )


@dataclass(frozen=True)
class DelaySetting:
    """How delays are learned: by which groups, widest first; orders the wider group counts as."""

    groups: tuple[str, ...]
    prior_orders: float
    half_life_days: float


def delay_settings(groupings: Sequence[tuple[str, ...]]) -> list[DelaySetting]:
    """Return every setting that is tried for these groupings."""
    return [DelaySetting(*one) for one in product(groupings, PRIOR_ORDERS, HALF_LIVES_DAYS)]


def fit_delays(past: PastDeliveries, today: float, setting: DelaySetting) -> DelayModel:
    """Return what past deliveries teach by a setting; every order weighs the same."""
    _, order, lines = np.unique(past.orders, return_inverse=True, return_counts=True)
    weights = recency_weights(today - past.received, setting.half_life_days) / lines[order]
    return DelayModel(
        past.delays, nested_keys(past.groups, setting.groups), weights, setting.prior_orders
    )


def nested_keys(groups: Groups, names: tuple[str, ...]) -> list[NDArray[np.str_]]:
    """Return the keys of nested groups, each with the wider ones in front."""
    keys: list[NDArray[np.str_]] = []
    for name in names:
        own = groups[name]
        keys.append(np.char.add(np.char.add(keys[-1], "|"), own) if keys else own)
    return keys


@dataclass(frozen=True)
class DelayRule:
    """What is said about one quantile: by which setting, and for which groups of its widest level.

    All other groups keep the promise; where nobody is trusted, everybody does.
    """

    level: float
    setting: DelaySetting
    trusted: frozenset[str]

    def said(self, past: PastDeliveries, today: float, new: Groups) -> FloatArray:
        """Return the quantile of the delay of new orders, 0 where the promise stands: [M]."""
        trusted = self._trusts(new)
        said: FloatArray = np.where(trusted, _said(past, today, new, self.setting, self.level), 0.0)
        return said

    def lead_times(
        self, past: PastDeliveries, today: float, new: Groups, promised: FloatArray
    ) -> LeadTimes:
        """Return the days that new orders take: their promise, moved by what is trusted: [M]."""
        days = np.clip(np.rint(promised), 0, MAX_LEAD_TIME_DAYS).astype(int)
        table = np.zeros((len(days), MAX_LEAD_TIME_DAYS + 1))
        trusted = self._trusts(new)
        table[np.flatnonzero(~trusted), days[~trusted]] = 1.0
        if trusted.any():
            own = {name: values[trusted] for name, values in new.items()}
            model = fit_delays(past, today, self.setting)
            delays, shares = model.distribution(nested_keys(own, self.setting.groups))
            taken = np.rint(days[trusted][:, None] + delays).astype(int)
            rows = np.broadcast_to(np.flatnonzero(trusted)[:, None], taken.shape)
            np.add.at(table, (rows, np.clip(taken, 0, MAX_LEAD_TIME_DAYS)), shares)
        return LeadTimes(table)

    def _trusts(self, new: Groups) -> BoolArray:
        known = np.array(sorted(self.trusted), dtype=np.str_)
        trusted: BoolArray = np.isin(new[self.setting.groups[0]], known)
        return trusted


def choose_rule(
    past: PastDeliveries, today: float, level: float, settings: Sequence[DelaySetting]
) -> DelayRule | None:
    """Return how a quantile is best said; None: too little has come to judge by.

    At cuts half a year apart every setting learns from what was received before and is judged by
    the pinball loss on orders placed after. A group is trusted that gained over all cuts and lost
    at none; the setting whose trusted groups gained most is taken.
    """
    gains: list[dict[str, list[float]]] = [{} for _ in settings]
    for number in CUTS:
        cut = today - number * CUT_EVERY_DAYS
        before = past.select(past.received < cut)
        after = past.select(past.placed >= cut)
        if len(before.delays) < LEAST_BEFORE or len(after.delays) < LEAST_AFTER:
            continue
        for setting, gained in zip(settings, gains, strict=True):
            for group, gain in _gains(before, after, cut, setting, level).items():
                gained.setdefault(group, []).append(gain)
    trusted = [
        {group: sum(own) for group, own in gained.items() if sum(own) > 0 and min(own) >= 0}
        for gained in gains
    ]
    if not any(gains):
        return None
    best = int(np.argmax([sum(own.values()) for own in trusted]))
    return DelayRule(level, settings[best], frozenset(trusted[best]))


def _said(
    past: PastDeliveries, today: float, new: Groups, setting: DelaySetting, level: float
) -> FloatArray:
    model = fit_delays(past, today, setting)
    said: FloatArray = model.quantiles(nested_keys(new, setting.groups), [level])[:, 0]
    return said


def _gains(
    before: PastDeliveries,
    after: PastDeliveries,
    cut: float,
    setting: DelaySetting,
    level: float,
) -> dict[str, float]:
    """Summed pinball loss of the promise less that of what was learned, by widest group."""
    said = np.maximum(_said(before, cut, after.groups, setting, level), -after.promised)
    gain = pinball(after.delays, np.zeros_like(said), level) - pinball(after.delays, said, level)
    names, at = np.unique(after.groups[setting.groups[0]], return_inverse=True)
    return dict(zip(names.tolist(), np.bincount(at, gain).tolist(), strict=True))


def pinball(actual: FloatArray, quantile: FloatArray, level: float) -> FloatArray:
    """Return the pinball loss of a quantile: [N]."""
    error = actual - quantile
    loss: FloatArray = np.maximum(level * error, (level - 1) * error)
    return loss
