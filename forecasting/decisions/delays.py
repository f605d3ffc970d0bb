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
from forecasting.pipeline.metrics import pinball
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
        return _quantiles(values, shares, levels)

    def distribution(self, groups: Keys) -> tuple[FloatArray, FloatArray]:
        """Return the delays seen, and none [V], and how probable each is for new orders: [M, V].

        Each level pulls towards its own deliveries by how much it has seen; the promise counts as
        `prior_weight` deliveries beside all of them.
        """
        values, at, kept = _seen(self.delays)
        count, many = (len(groups[0]) if groups else 1), len(values)
        total = np.asarray(np.bincount(at, self.weights, many), dtype=float)[None, :]
        own = []
        for past, wanted in zip(self.groups, groups, strict=True):
            names, code = np.unique(past, return_inverse=True)
            table = np.bincount(code * many + at, self.weights, len(names) * many)
            place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
            known = names[place] == wanted
            own.append(table.reshape(len(names), many)[place] * known[:, None])
        mixed = _mixed(total, own, kept, np.array(self.prior_weight))
        return values, np.broadcast_to(mixed, (count, many))


def _seen(delays: FloatArray) -> tuple[FloatArray, NDArray[np.intp], int]:
    """Return the delays there were, and none [V], which of them each was [N], and which is none."""
    values, at = np.unique(np.append(delays, 0.0), return_inverse=True)
    return values, at[:-1], int(at[-1])


def _mixed(
    total: FloatArray, own: Sequence[FloatArray], kept: int, prior_weight: FloatArray
) -> FloatArray:
    """Return the shares of delays, level mixed into level: [..., M, V].

    total: weight of every delay over all deliveries [..., 1, V]; own: by level, over those of each
    order's group [..., M, V]; kept: the place of no delay; prior_weight: [..., 1, 1] or one.
    """
    all_seen = total + prior_weight * (np.arange(total.shape[-1]) == kept)
    mixed: FloatArray = all_seen / all_seen.sum(axis=-1, keepdims=True)
    for one in own:
        mixed = (one + prior_weight * mixed) / (one.sum(axis=-1, keepdims=True) + prior_weight)
    return mixed


def _quantiles(values: FloatArray, shares: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Return the least value up to which there is so much: [..., V] -> [..., len(levels)]."""
    cumulative = np.cumsum(shares, axis=-1)
    cumulative[..., -1] = 1.0
    at = np.stack([(cumulative < level - 1e-9).sum(axis=-1) for level in levels], axis=-1)
    found: FloatArray = values[at]
    return found


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

    def select(self, rows: BoolArray | NDArray[np.intp]) -> "PastDeliveries":
        """Return some of the deliveries, by mask or in an order."""
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
    past = past.select(np.argsort(past.received, kind="stable"))
    delays, shares = past.delays, _order_shares(past)
    groupings = dict.fromkeys(one.groups for one in settings)
    replays = [_Replay(past, shares, today, settings, names) for names in groupings]
    losses, judged, promise_loss = np.zeros(len(settings)), 0, 0.0
    for number in range(REPLAYS, 0, -1):
        cut = today - number * REPLAY_EVERY_DAYS
        before = int(np.searchsorted(past.received, cut))
        week = np.flatnonzero((past.placed >= cut) & (past.placed < cut + REPLAY_EVERY_DAYS))
        if before < LEAST_BEFORE or not len(week):
            continue
        judged += len(week)
        promise_loss += float(_loss(delays[week], np.zeros((len(week), len(LEVELS)))))
        for replay in replays:
            said = replay.quantiles(before, week, cut)
            losses[replay.settings] += _loss(
                delays[week], np.maximum(said, -past.promised[week, None])
            )
    if judged < LEAST_AFTER:
        return None
    best = int(np.argmin(losses))
    promise_loss /= judged
    if losses[best] / judged >= promise_loss:
        return DelayRule(None, promise_loss, promise_loss)
    return DelayRule(settings[best], float(losses[best]) / judged, promise_loss)


class _Replay:
    """What the settings of one grouping say, week after week: as `DelayModel`, all at once.

    Delays and groups are numbered once; each week only the deliveries of the groups that order in
    it are counted, once for every half-life.
    """

    def __init__(
        self,
        past: PastDeliveries,
        shares: FloatArray,
        today: float,
        settings: Sequence[DelaySetting],
        names: tuple[str, ...],
    ) -> None:
        """Take deliveries in the order they were received, and their shares in their orders."""
        self.settings = [at for at, one in enumerate(settings) if one.groups == names]
        own = [settings[at] for at in self.settings]
        half_lives, self._life = np.unique([o.half_life_days for o in own], return_inverse=True)
        self._priors = np.array([one.prior_orders for one in own])[:, None, None]
        self._values, self._at, self._kept = _seen(past.delays)
        keys = nested_keys(past.groups, names)
        self._codes = [np.unique(one, return_inverse=True)[1] for one in keys]
        # as of today; by a cut in the past all of it was worth the same factor more
        age = today - past.received
        self._weights = np.stack([recency_weights(age, life) for life in half_lives]) * shares
        self._half_lives, self._today = half_lives[:, None, None], today

    def quantiles(self, before: int, week: NDArray[np.intp], cut: float) -> FloatArray:
        """Return each setting's quantiles for the orders of a week, by the first deliveries.

        [K, W, len(LEVELS)]
        """
        younger = 0.5 ** ((cut - self._today) / self._half_lives)
        everything = np.zeros(before, dtype=int)
        total = self._count(everything, 1, before) * younger
        own = []
        for codes in self._codes:
            wanted, place = np.unique(codes[week], return_inverse=True)
            row_of = np.full(int(codes.max()) + 1, -1)
            row_of[wanted] = np.arange(len(wanted))
            table = self._count(row_of[codes[:before]], len(wanted), before) * younger
            own.append(table[:, place][self._life])
        mixed = _mixed(total[self._life], own, self._kept, self._priors)
        return _quantiles(self._values, mixed, LEVELS)

    def _count(self, rows: NDArray[np.intp], count: int, before: int) -> FloatArray:
        """Return the weight of each delay by row, for every half-life: [H, count, V].

        Rows below zero are left out.
        """
        many, told = len(self._values), rows >= 0
        cell = rows[told] * many + self._at[:before][told]
        return np.stack(
            [
                np.bincount(cell, own[:before][told], count * many).reshape(count, many)
                for own in self._weights
            ]
        )


def _loss(delays: FloatArray, said: FloatArray) -> FloatArray:
    """Return the loss summed over orders, the mean over LEVELS: [W], [..., W, L] -> [...]."""
    loss: FloatArray = pinball(delays[:, None], said, np.array(LEVELS)).mean(axis=-1).sum(axis=-1)
    return loss
