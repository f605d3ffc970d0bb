"""What the transport of an order line will cost: learned from own deliveries, else as stated."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from forecasting.decisions.delays import recency_weights
from forecasting.decisions.transport_cost import (
    CostCurve,
    Deliveries,
    TransportCost,
    fit_transport_cost,
)
from forecasting.pipeline.series import FloatArray

LEAST_DELIVERIES = 30
"""Fewer teach nothing about six numbers and their groups."""
LEAST_OF_MODE = 8
LEAST_FREE = 3
"""A supplier whose last deliveries cost nothing delivers free of charge, if there were so many."""
HALF_LIFE_DAYS = 365.0
JUDGED_SHARE = 4
"""The last quarter of the deliveries judges what was learned from those before."""
BEYOND = 2.0
"""The model speaks up to that factor beyond the lightest and heaviest delivery of a mode."""


class FreightBasis(StrEnum):
    """What a transport cost was taken from: the model, or what is stated, and why."""

    LEARNED = "learned"
    FREE = "free"
    """This supplier's deliveries have cost no transport."""
    FEW_DELIVERIES = "few_deliveries"
    NOT_BETTER = "not_better"
    """The model missed the latest deliveries by more than the usual cost per weight does."""
    MODE_SELDOM = "mode_seldom"
    NO_WEIGHT = "no_weight"
    BEYOND_SEEN = "beyond_seen"


@dataclass(frozen=True)
class PastFreight:
    """Received orders: what they weighed [N] (zero: unknown), were worth, cost to move, and when.

    cost: NaN where nobody said. supplier, mode, lane: groups [N].
    """

    weight: FloatArray
    value: FloatArray
    cost: FloatArray
    age_days: FloatArray
    supplier: NDArray[np.str_]
    mode: NDArray[np.str_]
    lane: NDArray[np.str_]


@dataclass(frozen=True)
class Lane:
    """From whom, how and between which countries an item comes, and what a unit weighs."""

    supplier: str
    mode: str
    lane: str
    unit_weight: float | None


@dataclass(frozen=True)
class StatedCost:
    """What the supplier states: per unit, and per order of everything."""

    per_unit: float = 0.0
    per_order: float = 0.0


@dataclass(frozen=True)
class FreightQuote:
    """Transport cost per unit, and where it is from.

    delivery_weight, delivery_cost: of the whole delivery that the line is a part of by weight.
    """

    per_unit: float
    basis: FreightBasis
    mode: str = ""
    delivery_weight: float | None = None
    delivery_cost: float | None = None


@dataclass(frozen=True)
class FreightModel:
    """What the tenant's deliveries teach.

    basis: LEARNED, or why not; deliveries: how many had weight and cost; error, plain_error: mean
    miss of the latest quarter over their mean cost, by the model and by usual cost per weight;
    usual, usual_mode: median weight and value of an order, and its commonest mode, by supplier;
    seen: lightest and heaviest delivery by mode.
    """

    basis: FreightBasis = FreightBasis.FEW_DELIVERIES
    deliveries: int = 0
    error: float | None = None
    plain_error: float | None = None
    fitted: TransportCost | None = None
    usual: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    usual_mode: Mapping[str, str] = field(default_factory=dict)
    free: frozenset[str] = frozenset()
    seen: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    _curves: dict[tuple[str, str, str], CostCurve] = field(default_factory=dict)

    def quote(
        self, lane: Lane, quantity: float, unit_price: float, stated: StatedCost
    ) -> FreightQuote:
        """Return what moving a unit costs in an order line of that quantity (above zero).

        A line is a part of the supplier's usual order, or a delivery of its own where it is heavier
        than that; the cost of the delivery is shared by weight.
        """
        if lane.supplier in self.free:
            return FreightQuote(0.0, FreightBasis.FREE, lane.mode)
        usual_weight, usual_value = self.usual.get(lane.supplier, (0.0, 0.0))
        basis = self._basis(lane, quantity, usual_weight)
        line_value = quantity * unit_price
        if basis is not FreightBasis.LEARNED or line_value <= 0:
            share = line_value / max(usual_value, line_value) if line_value > 0 else 1.0
            per_unit = stated.per_unit + stated.per_order * share / quantity
            return FreightQuote(per_unit, basis, lane.mode)
        own = quantity * float(lane.unit_weight or 0)
        weight = max(own, usual_weight)
        cost = self._curve(lane).cost(weight, max(line_value, usual_value))
        return FreightQuote(cost * own / weight / quantity, basis, lane.mode, weight, cost)

    def _basis(self, lane: Lane, quantity: float, usual_weight: float) -> FreightBasis:
        if self.fitted is None:
            return self.basis
        if lane.mode not in self.seen:
            return FreightBasis.MODE_SELDOM
        if not lane.unit_weight or lane.unit_weight <= 0:
            return FreightBasis.NO_WEIGHT
        weight = max(quantity * lane.unit_weight, usual_weight)
        lightest, heaviest = self.seen[lane.mode]
        if not lightest / BEYOND <= weight <= heaviest * BEYOND:
            return FreightBasis.BEYOND_SEEN
        return FreightBasis.LEARNED

    def _curve(self, lane: Lane) -> CostCurve:
        key = (lane.supplier, lane.mode, lane.lane)
        if key not in self._curves:
            assert self.fitted is not None  # noqa: S101  only a fitted model is asked
            groups = dict(zip(("supplier", "mode", "lane"), key, strict=True))
            self._curves[key] = self.fitted.curve(groups)
        return self._curves[key]


def learn_freight(past: PastFreight) -> FreightModel:
    """Learn transport costs from received orders, and judge that by the latest quarter of them."""
    told = np.isfinite(past.cost) & (past.cost >= 0)
    usable = told & (past.cost > 0) & (past.weight > 0) & (past.value > 0)
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(-past.age_days[rows], kind="stable")]
    known = FreightModel(
        deliveries=len(rows), usual=_usual_orders(past), usual_mode=_modes(past),
        free=_free_suppliers(past, told),
    )  # fmt: skip
    if len(rows) < LEAST_DELIVERIES:
        return known
    cut = len(rows) - len(rows) // JUDGED_SHARE
    before, after = rows[:cut], rows[cut:]
    mean_cost = float(past.cost[after].mean())
    predicted = _fit(past, before).predict(_deliveries(past, after))
    error = float(np.abs(predicted - past.cost[after]).mean()) / mean_cost
    plain = float(np.abs(_by_weight(past, before, after) - past.cost[after]).mean()) / mean_cost
    better = error < plain
    return replace(
        known,
        basis=FreightBasis.LEARNED if better else FreightBasis.NOT_BETTER,
        error=error,
        plain_error=plain,
        fitted=_fit(past, rows) if better else None,
        seen=_seen(past, rows),
    )


def _deliveries(past: PastFreight, rows: NDArray[np.intp]) -> Deliveries:
    groups = {"supplier": past.supplier[rows], "mode": past.mode[rows], "lane": past.lane[rows]}
    return Deliveries(past.weight[rows], past.value[rows], groups)


def _fit(past: PastFreight, rows: NDArray[np.intp]) -> TransportCost:
    weights = recency_weights(past.age_days[rows], HALF_LIFE_DAYS)
    return fit_transport_cost(_deliveries(past, rows), past.cost[rows], weights)


def _by_weight(past: PastFreight, before: NDArray[np.intp], after: NDArray[np.intp]) -> FloatArray:
    """The usual cost per weight of the mode (of all where the mode is new), times the weight."""
    rates = past.cost[before] / past.weight[before]
    overall = float(np.median(rates))
    by_mode = {
        str(mode): float(np.median(rates[past.mode[before] == mode]))
        for mode in np.unique(past.mode[before])
    }
    own = np.array([by_mode.get(str(mode), overall) for mode in past.mode[after]])
    found: FloatArray = own * past.weight[after]
    return found


def _seen(past: PastFreight, rows: NDArray[np.intp]) -> dict[str, tuple[float, float]]:
    found = {}
    for mode in np.unique(past.mode[rows]):
        weight = past.weight[rows][past.mode[rows] == mode]
        if len(weight) >= LEAST_OF_MODE:
            found[str(mode)] = (float(weight.min()), float(weight.max()))
    return found


def _usual_orders(past: PastFreight) -> dict[str, tuple[float, float]]:
    found = {}
    for supplier in np.unique(past.supplier):
        own = past.supplier == supplier
        weighed = past.weight[own][past.weight[own] > 0]
        weight = float(np.median(weighed)) if len(weighed) else 0.0
        found[str(supplier)] = (weight, float(np.median(past.value[own])))
    return found


def _modes(past: PastFreight) -> dict[str, str]:
    found = {}
    for supplier in np.unique(past.supplier):
        modes, counts = np.unique(past.mode[past.supplier == supplier], return_counts=True)
        found[str(supplier)] = str(modes[counts.argmax()])
    return found


def _free_suppliers(past: PastFreight, told: NDArray[np.bool_]) -> frozenset[str]:
    found = set()
    for supplier in np.unique(past.supplier[told]):
        cost = past.cost[told & (past.supplier == supplier)]
        if len(cost) >= LEAST_FREE and float(np.median(cost)) == 0:
            found.add(str(supplier))
    return frozenset(found)
