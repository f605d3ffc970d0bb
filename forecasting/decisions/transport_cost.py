"""What a delivery costs to move: learned from weight, value, mode and where it goes.

log(cost) is linear in log weight and log value with their squares, with an offset and a slope of
weight per mode, and offsets per other group; least absolute errors (re-weighted least squares),
group terms shrunk to zero. The exponential is then near the median cost.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.series import FloatArray

ROUNDS = 15
SMALLEST_ERROR = 0.05
LARGEST_LOG = 20.0


class TransportCostError(ValueError):
    """A cost, weight or value is not a positive number."""


@dataclass(frozen=True)
class Deliveries:
    """Deliveries to learn from or to judge: weight and value [N] above zero, groups by name [N]."""

    weight: FloatArray
    value: FloatArray
    groups: Mapping[str, NDArray[np.str_]]

    def __post_init__(self) -> None:
        for name, values in (("weight", self.weight), ("value", self.value)):
            if not (np.isfinite(values).all() and (values > 0).all()):
                raise TransportCostError(f"a {name} is not above zero")


@dataclass(frozen=True)
class CostCurve:
    """The model for one combination of groups: a polynomial of log weight and log value."""

    constant: float
    by_weight: float
    by_value: float
    by_weight_squared: float
    by_value_squared: float
    by_both: float

    def cost(self, weight: float, value: float) -> float:
        """Return the expected (median) cost of a delivery; weight and value above zero."""
        w, v = math.log(weight), math.log(value)
        found = (
            self.constant + self.by_weight * w + self.by_value * v
            + self.by_weight_squared * w * w + self.by_value_squared * v * v + self.by_both * w * v
        )  # fmt: skip
        return math.exp(min(max(found, 0.0), LARGEST_LOG))


@dataclass(frozen=True)
class TransportCost:
    """A fitted model: coefficients of the columns that `_columns` lays out."""

    known: Mapping[str, NDArray[np.str_]]
    sloped: frozenset[str]
    centre: FloatArray
    scale: FloatArray
    coefficients: FloatArray

    def predict(self, deliveries: Deliveries) -> FloatArray:
        """Return the expected (median) cost of each delivery; unknown groups add nothing: [N]."""
        columns = _columns(deliveries, self.known, self.sloped, (self.centre, self.scale))
        cost: FloatArray = np.exp(np.clip(columns @ self.coefficients, 0.0, LARGEST_LOG))
        return cost

    def curve(self, groups: Mapping[str, str]) -> CostCurve:
        """Return what `predict` says for these groups, for one delivery at a time."""
        size = len(self.centre)
        factors = self.coefficients[:size] / self.scale
        constant = float(factors[0] - factors @ self.centre)
        at = size
        for name, levels in self.known.items():
            own = np.flatnonzero(levels == groups.get(name, ""))
            constant += float(self.coefficients[at + own].sum())
            at += len(levels)
            if name in self.sloped:
                slope = float(self.coefficients[at + own].sum()) / float(self.scale[1])
                factors[1] += slope
                constant -= slope * float(self.centre[1])
                at += len(levels)
        return CostCurve(constant, *(float(one) for one in factors[1:]))


def fit_transport_cost(
    deliveries: Deliveries,
    cost: FloatArray,
    weights: FloatArray,
    sloped: Sequence[str] = ("mode",),
    penalty: float = 2.0,
) -> TransportCost:
    """Fit the model; weights [N]: recent deliveries count more.

    sloped: groups that also change how cost grows with weight. Raises TransportCostError.
    """
    if not (np.isfinite(cost).all() and (cost > 0).all()):
        raise TransportCostError("a cost is not above zero")
    known = {name: np.unique(values) for name, values in deliveries.groups.items()}
    base = _numbers(deliveries)
    centre, scale = base.mean(axis=0), np.maximum(base.std(axis=0), 1e-9)
    centre[0], scale[0] = 0.0, 1.0
    columns = _columns(deliveries, known, frozenset(sloped), (centre, scale))
    shrink = np.full(columns.shape[1], penalty)
    shrink[: base.shape[1]] = 1e-6
    wanted = np.log(cost)
    own = np.ones(len(wanted))
    found: FloatArray = np.zeros(columns.shape[1])
    for _ in range(ROUNDS):
        weighted = columns * (weights * own)[:, None]
        found = np.linalg.solve(columns.T @ weighted + np.diag(shrink), weighted.T @ wanted)
        own = 1 / np.maximum(np.abs(wanted - columns @ found), SMALLEST_ERROR)
    return TransportCost(known, frozenset(sloped), centre, scale, found)


def _numbers(deliveries: Deliveries) -> FloatArray:
    weight, value = np.log(deliveries.weight), np.log(deliveries.value)
    ones = np.ones(len(weight))
    return np.stack([ones, weight, value, weight**2, value**2, weight * value], axis=1)


def _columns(
    deliveries: Deliveries,
    known: Mapping[str, NDArray[np.str_]],
    sloped: frozenset[str],
    standard: tuple[FloatArray, FloatArray],
) -> FloatArray:
    numbers = (_numbers(deliveries) - standard[0]) / standard[1]
    parts = [numbers]
    for name, levels in known.items():
        own = (deliveries.groups[name][:, None] == levels).astype(float)
        parts.append(own)
        if name in sloped:
            parts.append(own * numbers[:, 1:2])
    return np.concatenate(parts, axis=1)
