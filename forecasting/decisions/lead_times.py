"""How long an order takes: the distribution of lead times of many supplier items."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.series import FloatArray

MAX_LEAD_TIME_DAYS = 365


class LeadTimeError(ValueError):
    """A lead time cannot be used: which item (row), its value, and what to do about it."""

    def __init__(self, row: int, value: object, remedy: str) -> None:
        self.row, self.value, self.remedy = row, value, remedy
        super().__init__(f"lead time of item {row} is {value}. {remedy}")


@dataclass(frozen=True)
class LeadTime:
    """How long one item's orders take: expected days and their standard deviation."""

    mean_days: float
    deviation_days: float


@dataclass(frozen=True)
class LeadTimes:
    """Probability of every whole number of days from placing an order to having the goods.

    probabilities: [S, L], column d = d days; rows sum to one.
    """

    probabilities: FloatArray

    @cached_property
    def mean_days(self) -> FloatArray:
        """Expected lead time: [S]."""
        return self.probabilities @ np.arange(self.probabilities.shape[1])

    @cached_property
    def deviation_days(self) -> FloatArray:
        """Standard deviation of the lead time: [S]."""
        days = np.arange(self.probabilities.shape[1])
        return np.sqrt(np.maximum(self.probabilities @ days**2 - self.mean_days**2, 0.0))

    def one(self, row: int) -> LeadTime:
        """Return expected days and deviation of one item."""
        return LeadTime(float(self.mean_days[row]), float(self.deviation_days[row]))

    @property
    def longest_days(self) -> NDArray[np.intp]:
        """Longest lead time that has a chance: [S]."""
        reversed_columns = self.probabilities[:, ::-1] > 0
        longest: NDArray[np.intp] = (
            self.probabilities.shape[1] - 1 - reversed_columns.argmax(axis=1)
        )
        return longest

    def quantile(self, probability: float) -> NDArray[np.intp]:
        """Return the least number of days that is enough with that probability: [S]."""
        cumulative = np.cumsum(self.probabilities, axis=1)
        enough: NDArray[np.intp] = (cumulative >= probability - 1e-12).argmax(axis=1)
        return enough

    def draw(self, uniforms: FloatArray) -> NDArray[np.intp]:
        """Return the lead times at uniform numbers in (0, 1): [N] -> [S, N]."""
        cumulative = np.cumsum(self.probabilities, axis=1)
        cumulative[:, -1] = 1.0
        return np.stack([np.searchsorted(row, uniforms) for row in cumulative])

    def select(self, rows: NDArray[np.intp]) -> "LeadTimes":
        """Return the lead times of some items, by row number."""
        return LeadTimes(self.probabilities[rows])


def lead_times_from_observations(
    observed_days: Sequence[Sequence[float]],
    promised_days: Sequence[float | None],
    prior_weight: float = 4.0,
) -> LeadTimes:
    """Return lead times learned from receipts, shrunk to the promise moved by the common delay.

    observed_days: per item the days of past orders; promised_days: per item what the supplier
    states. An item without either raises LeadTimeError. The prior of an item counts as
    `prior_weight` receipts: the promise (or the item's own mean) scaled by the ratio of actual to
    promised days seen over all items. For replays; a tenant's orders are told apart by transport
    mode and learned by `lead_times_from_levels`.
    """
    ratios = _common_ratios(observed_days, promised_days)
    rows: list[NDArray[np.float64]] = []
    for row, (days, promise) in enumerate(zip(observed_days, promised_days, strict=True)):
        seen = np.asarray(days, dtype=float)
        base = promise if promise is not None else (seen.mean() if len(seen) else None)
        if base is None:
            raise LeadTimeError(row, None, "State the supplier's lead time or record a receipt.")
        _checked(np.append(seen, base), row)
        likely = np.rint(np.clip(base * ratios, 0, MAX_LEAD_TIME_DAYS)).astype(int)
        line = np.zeros(MAX_LEAD_TIME_DAYS + 1)
        np.add.at(line, likely, prior_weight / len(likely))
        np.add.at(line, np.rint(seen).astype(int), 1.0)
        rows.append(line / line.sum())
    table = np.stack(rows)
    used = np.flatnonzero(table.any(axis=0))
    return LeadTimes(table[:, : used[-1] + 1])


@dataclass(frozen=True)
class LeadTimeHistory:
    """What is known of an offer: the days stated, and the days of past orders at several levels.

    levels: widest first, each a part of the one before: of the supplier, of it by that transport
    mode, of the very item by that mode.
    """

    promised_days: float | None
    levels: tuple[Sequence[float], ...] = ()

    @property
    def is_known(self) -> bool:
        """Tell whether a day was ever stated or seen."""
        return self.promised_days is not None or any(len(days) for days in self.levels)


def lead_times_from_levels(
    histories: Sequence[LeadTimeHistory], ratios: Sequence[float] = (), prior_weight: float = 4.0
) -> LeadTimes:
    """Return lead times learned level by level, each shrunk to the wider one.

    Under all levels lies the promise (or the mean of the widest level that has seen anything)
    scaled by `ratios`, actual over promised days of all orders. A level that has seen n orders
    counts n / (n + prior_weight), what is wider the rest. Raises LeadTimeError for an offer of
    which nothing is known.
    """
    spread = _spread(ratios)
    table = np.zeros((len(histories), MAX_LEAD_TIME_DAYS + 1))
    for row, history in enumerate(histories):
        base = history.promised_days
        if base is None:
            widest = next((days for days in history.levels if len(days)), None)
            if widest is None:
                remedy = "State the supplier's lead time or record a receipt."
                raise LeadTimeError(row, None, remedy)
            base = float(np.mean(widest))
        _checked(np.array([base]), row)
        line = _shares(base * spread)
        for days in history.levels:
            if len(days):
                seen = np.asarray(days, dtype=float)
                _checked(seen, row)
                share = len(seen) / (len(seen) + prior_weight)
                line = share * _shares(seen) + (1 - share) * line
        table[row] = line
    used = np.flatnonzero(table.any(axis=0))
    return LeadTimes(table[:, : used[-1] + 1])


def _shares(days: FloatArray) -> FloatArray:
    """Share of each whole number of days: [MAX_LEAD_TIME_DAYS + 1]."""
    whole = np.rint(np.clip(days, 0, MAX_LEAD_TIME_DAYS)).astype(int)
    shares: FloatArray = np.bincount(whole, minlength=MAX_LEAD_TIME_DAYS + 1) / len(whole)
    return shares


def _common_ratios(
    observed_days: Sequence[Sequence[float]], promised_days: Sequence[float | None]
) -> FloatArray:
    """Actual over stated (or mean) days of all receipts at 20 quantiles; ones without receipts."""
    ratios: list[float] = []
    for days, promise in zip(observed_days, promised_days, strict=True):
        base = promise if promise else (float(np.mean(days)) if len(days) else 0.0)
        if base > 0:
            ratios.extend(float(day) / base for day in days)
    return _spread(ratios)


def _spread(ratios: Sequence[float]) -> FloatArray:
    """The ratios at 20 quantiles; one where there are none."""
    if not len(ratios):
        return np.ones(1)
    spread: FloatArray = np.quantile(np.asarray(ratios), (np.arange(20) + 0.5) / 20)
    return spread


def _checked(days: FloatArray, row: int) -> None:
    bad = ~np.isfinite(days) | (days < 0) | (days > MAX_LEAD_TIME_DAYS)
    if bad.any():
        remedy = f"Give whole days from 0 to {MAX_LEAD_TIME_DAYS}."
        raise LeadTimeError(row, float(days[bad.argmax()]), remedy)
