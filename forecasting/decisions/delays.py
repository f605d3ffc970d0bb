"""How far deliveries miss their promise: by group, shrunk to the wider ones and to the promise.

The promise is the forecast to beat. What is believed of a group rests on its latest deliveries:
lateness comes and goes within months, so evidence halves with its age when the order is placed, and
where there is none left the promise stands. How fast it fades, and how much of it is asked for, is
chosen by replay: every week of the past is predicted from what had been delivered before.
Deliveries of one order err together, so an order counts once, however many lines it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.decisions.lead_times import MAX_LEAD_TIME_DAYS, LeadTimes
from forecasting.pipeline.series import BoolArray, FloatArray

Keys = Sequence[NDArray[Any]]
Groups = Mapping[str, NDArray[np.str_]]
LEVELS = (0.1, 0.5, 0.9)
"""Quantiles that a setting is judged by."""
REPLAY_EVERY_DAYS = 7
REPLAYS = 156
"""Three years, week by week."""
LEAST_BEFORE, LEAST_AFTER = 100, 30
PRIOR_ORDERS = (2.0, 5.0, 20.0)
HALF_LIVES_DAYS = (30.0, 60.0, 120.0, 365.0, 36500.0)


@dataclass(frozen=True)
class DelayModel:
    """Past delays with their groups, widest first, and how much they are worth.

    delays: [N] days (or anything else that is learned); groups: one array [N] per level; weights:
    [N], recent ones count more; prior_weight: deliveries that the wider group counts as, and the
    promise itself beside all of them.
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
        """Return the delays seen, and none [V], and how probable each is for new orders: [M, V].

        Each level pulls towards its own deliveries by how much it has seen; the promise counts as
        `prior_weight` deliveries beside all of them.
        """
        values, at = np.unique(np.append(self.delays, 0.0), return_inverse=True)
        kept, at = at[-1], at[:-1]
        count, many = (len(groups[0]) if groups else 1), len(values)
        total = np.bincount(at, self.weights, many)
        total[kept] += self.prior_weight
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
    weights = recency_weights(today - past.received, setting.half_life_days) * _order_shares(past)
    return DelayModel(
        past.delays, nested_keys(past.groups, setting.groups), weights, setting.prior_orders
    )


def _order_shares(past: PastDeliveries) -> FloatArray:
    """Return the share of each line in its order: [N]."""
    _, order, lines = np.unique(past.orders, return_inverse=True, return_counts=True)
    shares: FloatArray = 1.0 / lines[order]
    return shares


def nested_keys(groups: Groups, names: tuple[str, ...]) -> list[NDArray[np.str_]]:
    """Return the keys of nested groups, each with the wider ones in front."""
    keys: list[NDArray[np.str_]] = []
    for name in names:
        own = groups[name]
        keys.append(np.char.add(np.char.add(keys[-1], "|"), own) if keys else own)
    return keys


@dataclass(frozen=True)
class DelayRule:
    """What is believed of promises: by which setting, or (None) that they are kept.

    loss, promise_loss: mean pinball loss in the replay of the past, of this and of the promise.
    """

    setting: DelaySetting | None
    loss: float
    promise_loss: float

    def quantiles(
        self, past: PastDeliveries, today: float, new: Groups, promised: FloatArray
    ) -> FloatArray:
        """Return how late (below zero: early) orders placed today come: [M, len(LEVELS)]."""
        if self.setting is None:
            return np.zeros((len(promised), len(LEVELS)))
        model = fit_delays(past, today, self.setting)
        said = model.quantiles(nested_keys(new, self.setting.groups), LEVELS)
        return np.maximum(said, -promised[:, None])

    def lead_times(
        self, past: PastDeliveries, today: float, new: Groups, promised: FloatArray
    ) -> LeadTimes:
        """Return the days that orders placed today take, their promise and its misses: [M]."""
        days = np.clip(np.rint(promised), 0, MAX_LEAD_TIME_DAYS).astype(int)
        table = np.zeros((len(days), MAX_LEAD_TIME_DAYS + 1))
        if self.setting is None:
            table[np.arange(len(days)), days] = 1.0
            return LeadTimes(table)
        model = fit_delays(past, today, self.setting)
        delays, shares = model.distribution(nested_keys(new, self.setting.groups))
        taken = np.clip(np.rint(days[:, None] + delays), 0, MAX_LEAD_TIME_DAYS).astype(int)
        rows = np.broadcast_to(np.arange(len(days))[:, None], taken.shape)
        np.add.at(table, (rows, taken), shares)
        return LeadTimes(table)


def choose_rule(
    past: PastDeliveries, today: float, settings: Sequence[DelaySetting]
) -> DelayRule | None:
    """Return how promises are best corrected; None: too little has come to judge by.

    Week by week of the past, every setting learns from what was received before and is judged by
    the mean pinball loss on the orders placed in that week; so is the promise. The best stands.
    """
    coded = {one.groups: _coded(nested_keys(past.groups, one.groups)) for one in settings}
    own_weight = _order_shares(past)
    losses, judged, promise_loss = np.zeros(len(settings)), 0, 0.0
    for number in range(REPLAYS, 0, -1):
        cut = today - number * REPLAY_EVERY_DAYS
        before = past.received < cut
        week = (past.placed >= cut) & (past.placed < cut + REPLAY_EVERY_DAYS)
        if before.sum() < LEAST_BEFORE or not week.any():
            continue
        judged += int(week.sum())
        delays, promised = past.delays[week], past.promised[week]
        promise_loss += _loss(delays, np.zeros((len(delays), len(LEVELS))))
        for at, one in enumerate(settings):
            age = recency_weights(cut - past.received[before], one.half_life_days)
            model = DelayModel(
                past.delays[before],
                [keys[before] for keys in coded[one.groups]],
                age * own_weight[before],
                one.prior_orders,
            )
            said = model.quantiles([keys[week] for keys in coded[one.groups]], LEVELS)
            losses[at] += _loss(delays, np.maximum(said, -promised[:, None]))
    if judged < LEAST_AFTER:
        return None
    best = int(np.argmin(losses))
    promise_loss /= judged
    if losses[best] / judged >= promise_loss:
        return DelayRule(None, promise_loss, promise_loss)
    return DelayRule(settings[best], float(losses[best]) / judged, promise_loss)


def _coded(keys: Keys) -> list[NDArray[np.intp]]:
    """Return numbers for names, which compare many times faster."""
    return [np.unique(one, return_inverse=True)[1] for one in keys]


def _loss(delays: FloatArray, said: FloatArray) -> float:
    """Summed over orders, the mean over LEVELS."""
    return float(pinball(delays[:, None], said, np.array(LEVELS)).mean(axis=1).sum())


def pinball(actual: FloatArray, quantile: FloatArray, level: FloatArray | float) -> FloatArray:
    """Return the pinball loss of quantiles: the shape of all three together."""
    error = actual - quantile
    loss: FloatArray = np.maximum(level * error, (level - 1) * error)
    return loss
