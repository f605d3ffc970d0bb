"""What methods are compared on: their forecasts at validation origins, and what came.

A blend is judged in two ways: by distances, without being made, to choose among hundreds; and as it
would be served, to let the chosen one pass the gate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.pipeline.metrics import mean_pinball
from forecasting.pipeline.predict import blend, present
from forecasting.pipeline.series import BoolArray, FloatArray

MAX_CASES = 12000
"""Series and days on which blends are compared; more are thinned evenly."""


@dataclass(frozen=True)
class Entry:
    """One method's forecasts at every validation origin: mean [O, S, H], quantiles [O, S, H, Q]."""

    method: str
    is_network: bool
    mean: FloatArray
    quantiles: FloatArray


@dataclass(frozen=True)
class Holdout:
    """What the contest is scored on.

    actual, seen: [O, S, H]; scale: mean absolute step [O, S]; square_scale: mean squared step;
    season_scale: mean absolute change from week to week; volume: units of the last 28 days [O, S];
    demand_class: [S]; whole: whole units only [S]. A scale of 0 stands for none.
    """

    actual: FloatArray
    seen: BoolArray
    scale: FloatArray
    square_scale: FloatArray
    season_scale: FloatArray
    volume: FloatArray
    demand_class: np.ndarray
    whole: BoolArray


def _case_weights(holdout: Holdout, members: BoolArray) -> FloatArray:
    """Return what each series counts at each origin: half alike, half by volume: [O, S]."""
    volume = holdout.volume * members
    share = volume / np.maximum(volume.sum(axis=1, keepdims=True), 1e-9)
    return np.asarray(members * (0.5 / max(int(members.sum()), 1) + 0.5 * share))


def thinning(cases: int, most: int) -> int:
    """Return the step by which cases are thinned; never whole weeks, or it were one weekday."""
    step = max(cases // most, 1)
    return step + (step % 7 == 0)


class MeanCases:
    """All means of the members and what came, for RMSSE."""

    def __init__(self, entries: Sequence[Entry], holdout: Holdout, members: BoolArray) -> None:
        self.means = [entry.mean[:, members] for entry in entries]
        self.actual, self.seen = holdout.actual[:, members], holdout.seen[:, members]
        scale = holdout.square_scale[:, members]
        weights = _case_weights(holdout, members)[:, members]
        self.weights = np.where(scale > 0, weights / np.sqrt(np.maximum(scale, 1e-9)), 0)
        self.days = np.maximum(self.seen.sum(axis=2), 1)

    def loss(self, chosen: list[int]) -> float:
        mean = sum(self.means[k] for k in chosen) / len(chosen)
        square = (np.where(self.seen, self.actual - mean, 0) ** 2).sum(axis=2) / self.days
        return float((np.sqrt(square) * self.weights).sum())


@dataclass(frozen=True)
class Cases:
    """A thinned sample of series and days: quantiles M x [N, 1, Q], actual [N], weight [N]."""

    quantiles: list[FloatArray]
    actual: FloatArray
    weight: FloatArray
    whole: BoolArray

    @classmethod
    def gather(
        cls, entries: Sequence[Entry], holdout: Holdout, members: BoolArray, most: int
    ) -> "Cases":
        keep = holdout.seen & members[None, :, None] & (holdout.scale > 0)[..., None]
        places = np.argwhere(keep)
        step = thinning(len(places), most)
        origin, series, day = places[::step].T
        weight = _case_weights(holdout, members) / np.maximum(holdout.scale, 1e-9)
        return cls(
            [entry.quantiles[origin, series, day][:, None] for entry in entries],
            holdout.actual[origin, series, day],
            weight[origin, series],
            holdout.whole[series],
        )

    def loss(self, chosen: list[int]) -> float:
        """Return the pinball loss of a blend as it would be served."""
        if not len(self.actual):
            return 0.0
        distinct = sorted(set(chosen))
        weights = np.array([chosen.count(k) for k in distinct], dtype=float)
        joint = blend([self.quantiles[k] for k in distinct], weights)
        each = mean_pinball(self.actual, self._presented(joint))
        return float((each * self.weight).sum() / self.weight.sum())

    def energies(self) -> "Energies":
        """Return the methods as they would be served, to judge any blend of them."""
        points = [self._presented(np.sort(one, axis=-1)) for one in self.quantiles]
        return Energies(points, self.actual, self.weight / max(float(self.weight.sum()), 1e-12))

    def _presented(self, quantiles: FloatArray) -> FloatArray:
        """Return quantiles [N, 1, Q] as they would be served: [N, Q]."""
        return present(np.zeros((len(quantiles), 1)), quantiles, self.whole)[1][:, 0]


def _distance(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the mean absolute difference of all pairs of points: [N, Q], [N, Q] -> [N]."""
    total = np.zeros(len(one))
    for point in one.T:
        total += np.abs(other - point[:, None]).mean(axis=1)
    return np.asarray(total / one.shape[1])


class Energies:
    """How far the methods' distributions lie from what came and from each other.

    The CRPS of a mixture F = sum w F_m is sum w E|X_m - y| - 1/2 sum w w' E|X_m - X_m'| (Gneiting &
    Raftery 2007, eq. 21), so that any blend is judged without being made. A distance is measured
    when a blend asks for it: methods that are worth no blend are compared with nobody.
    """

    def __init__(self, points: list[FloatArray], actual: FloatArray, weight: FloatArray) -> None:
        """Points: M x [N, Q]; actual and weight [N], the weights summing to 1."""
        self.points, self.weight = points, weight
        self.off = np.array([np.abs(p - actual[:, None]).mean(axis=1) @ weight for p in points])
        self._apart: dict[tuple[int, int], float] = {}

    def loss(self, chosen: list[int]) -> float:
        """Return the CRPS of a blend in which each method counts as often as it is named."""
        share = np.bincount(chosen, minlength=len(self.points)) / len(chosen)
        taken = sorted(set(chosen))
        apart = sum(share[k] * share[m] * self.apart(k, m) for k in taken for m in taken)
        return float(share @ self.off - apart / 2)

    def apart(self, one: int, other: int) -> float:
        """Return the mean distance between draws from two methods."""
        pair = min(one, other), max(one, other)
        if pair not in self._apart:
            first, second = (self.points[k] for k in pair)
            self._apart[pair] = float(_distance(first, second) @ self.weight)
        return self._apart[pair]
