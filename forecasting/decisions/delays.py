"""How far deliveries miss their promise: quantiles by group, each shrunk to the wider one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.series import FloatArray

Keys = Sequence[NDArray[np.str_]]


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
        order = np.argsort(self.delays, kind="stable")
        values, weights = self.delays[order], self.weights[order]
        past = [level[order] for level in self.groups]
        count = len(groups[0]) if groups else 1
        known: dict[tuple[str, ...], FloatArray] = {}
        rows = []
        for number in range(count):
            key = tuple(str(level[number]) for level in groups)
            if key not in known:
                cumulative = np.cumsum(self._mixture(weights, past, key))
                at = np.searchsorted(cumulative, np.asarray(levels) - 1e-9)
                known[key] = values[np.minimum(at, len(values) - 1)]
            rows.append(known[key])
        return np.array(rows)

    def _mixture(
        self, weights: FloatArray, past: Sequence[NDArray[np.str_]], key: tuple[str, ...]
    ) -> FloatArray:
        """Weights of the past deliveries for a key: each level pulls by how much it has seen."""
        mixed: FloatArray = weights / weights.sum()
        for level, wanted in zip(past, key, strict=True):
            own = np.where(level == wanted, weights, 0.0)
            seen = own.sum()
            if seen > 0:
                share = seen / (seen + self.prior_weight)
                mixed = share * own / seen + (1 - share) * mixed
        return mixed


def recency_weights(age_days: FloatArray, half_life_days: float) -> FloatArray:
    """Return weights that halve with every half-life: [N]."""
    weights: FloatArray = 0.5 ** (np.asarray(age_days, dtype=float) / half_life_days)
    return weights
