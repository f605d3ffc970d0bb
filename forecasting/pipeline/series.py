"""Daily demand series as arrays: the panel every step reads, and the forecast every step returns.

`SeriesPanel.up_to` is the one place that cuts at an origin: whatever is computed from its result
cannot have seen a later day, except signals that are declared known ahead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.arrays import new_array, take_rows
from forecasting.pipeline.descriptions import Descriptions

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]

QUANTILES: FloatArray = np.arange(1, 20) / 20
HORIZON_DAYS = 28

OTHER_HOLIDAY = "other holiday"
"""The label of holidays too many to be named; one that a plan does not name is such a one."""

SignalKind = Literal["numeric", "flag", "category"]


class PanelError(ValueError):
    """Arrays of a panel do not fit together; `part` names the one that does not."""

    def __init__(self, part: str, problem: str) -> None:
        self.part = part
        self.problem = problem
        super().__init__(f"{part}: {problem}")


class Reason(StrEnum):
    """Why a series is served by the method that serves it."""

    CONTEST = "contest"
    """The contest chose the method for the series' demand class."""
    GATE = "network_not_better"
    """No network beat the best baseline on the holdout."""
    NO_NETWORK = "no_network"
    """Nothing was trained: too few series or days, or the contest was switched off."""
    EMPTY = "empty"
    """No observed day at all."""
    TOO_SHORT = "too_short"
    """Fewer observed days than a network may be trusted with."""
    ALL_ZERO = "all_zero"
    """Never sold so far."""
    CONSTANT = "constant"
    """The same demand every day."""
    DORMANT = "dormant"
    """Sold once, but not within the days the network looks back."""
    NON_FINITE = "non_finite"
    """Held NaN, infinite or negative values that were masked; too few good days remain."""
    NEW = "new_product"
    """Has not sold yet because it is new."""
    ABSURD = "absurd_values"
    """Holds values beyond what single precision arithmetic can carry safely."""


@dataclass(frozen=True)
class Signal:
    """A number per day (and per series, when two-dimensional) that may drive demand.

    values: [D] or [S, D] with D at least the days of the panel; days past its end are used only
    when `known_ahead`. NaN = not known. `category` values are codes 0, 1, ... into `labels`, NaN
    none.
    """

    name: str
    values: FloatArray
    known_ahead: bool
    kind: SignalKind = "numeric"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeriesPanel:
    """Demand of many series on one common calendar.

    demand: float32 [S, T], NaN before a series begins; day t is `first_day` + t.
    observed: bool [S, T]; False = censored (out of stock), missing, or before the series begins.
    categories: attribute -> text [S]. descriptions: what is known of each product before it sells.
    """

    series_ids: tuple[str, ...]
    first_day: date
    demand: FloatArray
    observed: BoolArray
    categories: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    signals: tuple[Signal, ...] = ()
    descriptions: Descriptions | None = None

    def __post_init__(self) -> None:
        if self.demand.ndim != 2 or self.demand.shape[0] != len(self.series_ids):
            raise PanelError("demand", f"shape {self.demand.shape}, expected [series, days]")
        if self.observed.shape != self.demand.shape:
            raise PanelError("observed", f"shape {self.observed.shape} is not {self.demand.shape}")
        for name, values in self.categories.items():
            if len(values) != self.n_series:
                raise PanelError(name, f"{len(values)} values for {self.n_series} series")
        if self.descriptions is not None and len(self.descriptions.text) != self.n_series:
            raise PanelError("descriptions", f"of {len(self.descriptions.text)} series")
        for signal in self.signals:
            shape = signal.values.shape
            if len(shape) not in (1, 2) or (len(shape) == 2 and shape[0] != self.n_series):
                raise PanelError(signal.name, f"shape {shape} fits neither [days] nor [S, days]")
            if shape[-1] < self.n_days:
                raise PanelError(signal.name, f"{shape[-1]} days for {self.n_days} days of demand")

    @property
    def n_series(self) -> int:
        """S."""
        return len(self.series_ids)

    @property
    def n_days(self) -> int:
        """T: days from the first to the last of the calendar."""
        return int(self.demand.shape[1])

    @property
    def last_day(self) -> date:
        """The last day of the calendar; the day before the first where it has none."""
        return self.first_day + timedelta(days=self.n_days - 1)

    @property
    def begins(self) -> NDArray[np.intp]:
        """Index of each series' first day; `n_days` where a series has none: [S]."""
        known = ~np.isnan(self.demand)
        if not self.n_days:
            return np.zeros(self.n_series, dtype=np.intp)
        return np.where(known.any(axis=1), known.argmax(axis=1), self.n_days)

    def index_of(self, day: date) -> int:
        """Return the column of a day; negative before the first, >= `n_days` after the last."""
        return (day - self.first_day).days

    def up_to(self, origin: date, horizon: int = HORIZON_DAYS) -> "SeriesPanel":
        """Return what is known at the end of `origin`: the past, and known-ahead signals.

        Signals come back with exactly `horizon` days more than demand; days that are not known
        (nothing recorded, or not known ahead) are NaN. Days between the last recorded day and a
        later origin are unobserved.
        """
        days = max(self.index_of(origin) + 1, 0)
        demand = _fit_days(self.demand, days, np.nan).astype(np.float32, copy=False)
        observed = _fit_days(self.observed, days, fill=False)
        return replace(
            self,
            demand=demand,
            observed=observed,
            signals=tuple(_cut_signal(signal, days, horizon) for signal in self.signals),
        )

    def last_days(self, days: int) -> "SeriesPanel":
        """Return the panel without all but its last days; signals keep what lies ahead."""
        dropped = max(self.n_days - days, 0)
        return replace(
            self,
            first_day=self.first_day + timedelta(days=dropped),
            demand=self.demand[:, dropped:],
            observed=self.observed[:, dropped:],
            signals=tuple(replace(s, values=s.values[..., dropped:]) for s in self.signals),
        )

    def rows(self, some: slice) -> "SeriesPanel":
        """Return the panel of following series, without a copy."""
        return replace(
            self,
            series_ids=self.series_ids[some],
            demand=self.demand[some],
            observed=self.observed[some],
            categories={name: values[some] for name, values in self.categories.items()},
            signals=tuple(
                replace(s, values=s.values[some]) if s.values.ndim == 2 else s for s in self.signals
            ),
            descriptions=self.descriptions
            and self.descriptions.select(np.arange(self.n_series)[some]),
        )

    def select(self, rows: NDArray[np.intp]) -> "SeriesPanel":
        """Return the panel of some series, by row number [N], in the order given."""
        if np.array_equal(rows, np.arange(self.n_series)):
            return self
        return replace(
            self,
            series_ids=tuple(self.series_ids[row] for row in rows),
            demand=take_rows(self.demand, rows),
            observed=take_rows(self.observed, rows),
            categories={name: values[rows] for name, values in self.categories.items()},
            signals=tuple(
                replace(s, values=take_rows(s.values, rows)) if s.values.ndim == 2 else s
                for s in self.signals
            ),
            descriptions=self.descriptions and self.descriptions.select(rows),
        )


def _fit_days(values: NDArray[Any], days: int, fill: float | bool) -> NDArray[Any]:
    """Cut or pad the last axis to a number of days."""
    kept = values[..., :days]
    missing = days - kept.shape[-1]
    if missing <= 0:
        return kept
    found = new_array((*values.shape[:-1], days), values.dtype)
    found[..., : kept.shape[-1]] = kept
    found[..., kept.shape[-1] :] = fill
    return found


def _cut_signal(signal: Signal, days: int, horizon: int) -> Signal:
    known = signal.values[..., : days + horizon if signal.known_ahead else days]
    known = known.astype(np.float32, copy=False)
    return replace(signal, values=_fit_days(known, days + horizon, np.nan))


@dataclass(frozen=True)
class Basis:
    """What a forecast of a product that has hardly sold rests on.

    neighbours: (series_id, weight) of the similar ones that count most; shares: source -> share,
    with "all" for everybody alike and "own" for the product's own days. from_beginnings: what they
    sold when they were new is looked at, not what they sold lately.
    """

    neighbours: tuple[tuple[str, float], ...]
    shares: Mapping[str, float]
    own_days: int
    compared_with: int
    from_beginnings: bool


@dataclass(frozen=True)
class Forecast:
    """Forecasts of the days after one origin.

    mean: [S, H]; quantiles: [S, H, Q] at QUANTILES, ordered, finite, never negative.
    method: what made each series' forecast [S]; reason: why that method serves it [S].
    basis: row -> what the forecast of a product that has hardly sold rests on.
    level_factor: what the networks' forecasts were multiplied by, see `anchor`.
    """

    series_ids: tuple[str, ...]
    origin: date
    mean: FloatArray
    quantiles: FloatArray
    method: tuple[str, ...]
    reason: tuple[Reason, ...]
    basis: Mapping[int, Basis] = field(default_factory=dict)
    level_factor: float = 1.0

    @property
    def horizon(self) -> int:
        """H: days ahead."""
        return int(self.mean.shape[1])

    @property
    def days(self) -> tuple[date, ...]:
        """The days that are forecast: [H]."""
        return tuple(self.origin + timedelta(days=step) for step in range(1, self.horizon + 1))
