"""Closed days: days on which a whole warehouse sold next to nothing, though that weekday sells.

The doors were shut, or what was sold never reached us. Either way such a day says nothing of
demand. Taken for days without demand they teach a network that any day may be worth nothing, and
lower the level it starts from. So they count as days nobody saw, like days out of stock.

Where a holiday or event that is known ahead goes with most of its closed days, the day stays as it
is: a network learns what that name means, and forecasts the next one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.arrays import by_rows, row_chunks
from forecasting.pipeline.series import BoolArray, FloatArray, SeriesPanel, Signal

WAREHOUSE = "warehouse"
"""The attribute whose values close on days of their own."""
WEEK = 7
NEIGHBOURS = 8
"""So many of the nearest days of the same weekday say how many series usually sell."""
FEWEST_NEIGHBOURS = 4
FEWEST_SELLERS = 10
"""Where fewer series usually sell, a day without any sale may be chance: exp(-10) is 1 in 22,000
for series that sell independently."""
NEXT_TO_NOTHING = 0.1
"""Part of the usual number of selling series that a closed day stays below."""
LONGEST_DAYS = 14
"""What lasts longer is the end of a season or of a trade, and forecasts have to follow it."""


@dataclass(frozen=True)
class DayRange:
    """Days in a row, both ends included."""

    first: date
    last: date

    @property
    def is_one_day(self) -> bool:
        """Tell whether it begins and ends on the same day."""
        return self.first == self.last


@dataclass(frozen=True)
class Closures:
    """rows: which series of the panel, days: when all of them were closed, [S] and [T]."""

    rows: BoolArray
    days: BoolArray


def without_closed_days(panel: SeriesPanel, found: Sequence[Closures]) -> SeriesPanel:
    """Return the panel with the closed days that were found in it unobserved; no row twice."""
    if not found:
        return panel
    open_days = np.stack([~one.days for one in found])
    which = np.sum([(k + 1) * one.rows for k, one in enumerate(found)], axis=0)[:, None]

    def still_observed(observed: BoolArray, group: NDArray[np.intp]) -> BoolArray:
        closing = group[:, 0] > 0
        left = observed.copy()
        left[closing] &= open_days[group[closing, 0] - 1]
        return left

    return replace(panel, observed=by_rows(still_observed, np.bool_, panel.observed, which))


def closed_dates(panel: SeriesPanel, found: Sequence[Closures]) -> list[date]:
    """Return the days on which any warehouse of the panel was closed, in order."""
    days = sorted({int(day) for one in found for day in np.flatnonzero(one.days)})
    return [panel.first_day + timedelta(days=day) for day in days]


def day_ranges(days: Iterable[date]) -> tuple[DayRange, ...]:
    """Return days, in order, as runs of days that follow each other."""
    runs: list[DayRange] = []
    for day in days:
        if runs and day - runs[-1].last == timedelta(days=1):
            runs[-1] = DayRange(runs[-1].first, day)
        else:
            runs.append(DayRange(day, day))
    return tuple(runs)


def find_closures(panel: SeriesPanel) -> list[Closures]:
    """Return each warehouse's closed days that no known-ahead name explains; no row twice."""
    found = []
    for rows in _warehouses(panel):
        selling, there = _count_selling(panel, rows)
        closed = is_closed(selling, there)
        for signal in panel.signals if closed.any() else ():
            closed &= ~_explained(closed, signal, rows)
        if closed.any():
            found.append(Closures(rows, closed))
    return found


def is_closed(selling: NDArray[np.intp], there: NDArray[np.intp]) -> BoolArray:
    """Return the closed days: [T], from how many series sold, and how many were seen, each day.

    Usual is the median share of selling series on the nearest days of the same weekday, earlier
    and later ones alike; at the end of the data earlier ones only.
    """
    usual = _usual_share(selling / np.maximum(there, 1)) * there
    shut = (usual >= FEWEST_SELLERS) & (selling < NEXT_TO_NOTHING * usual)
    quiet = shut | (usual < FEWEST_SELLERS)
    for days in _runs(quiet):
        shut_days = np.flatnonzero(shut[days]) + days.start
        if len(shut_days) and shut_days[-1] - shut_days[0] >= LONGEST_DAYS:
            shut[days] = False
    return shut


def _usual_share(share: FloatArray) -> FloatArray:
    """Return the median of each day's nearest same weekdays; 0 where there are too few: [T]."""
    n_days = len(share)
    weeks = [sign * k for k in range(1, NEIGHBOURS + 1) for sign in (-1, 1)]
    around = np.full((len(weeks), n_days), np.nan)
    for line, week in zip(around, weeks, strict=True):
        days = np.arange(n_days) + week * WEEK
        inside = (days >= 0) & (days < n_days)
        line[inside] = share[days[inside]]
    nearest = np.cumsum(np.isfinite(around), axis=0) <= NEIGHBOURS
    around = np.sort(np.where(nearest, around, np.nan), axis=0)
    count = np.isfinite(around).sum(axis=0)
    columns = np.arange(n_days)
    low, high = np.maximum((count - 1) // 2, 0), np.minimum(count // 2, len(weeks) - 1)
    median = (around[low, columns] + around[high, columns]) / 2
    return np.where(count >= FEWEST_NEIGHBOURS, median, 0.0)


def _runs(flags: BoolArray) -> Iterator[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        yield slice(int(start), int(end))


def _warehouses(panel: SeriesPanel) -> list[BoolArray]:
    names = panel.categories.get(WAREHOUSE)
    if names is None:
        return [np.ones(panel.n_series, dtype=bool)]
    return [names == name for name in np.unique(names)]


def _count_selling(
    panel: SeriesPanel, rows: BoolArray
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return how many of the series sold, and how many were seen, on each day: [T], [T]."""
    selling, there = np.zeros(panel.n_days, np.intp), np.zeros(panel.n_days, np.intp)
    for some in row_chunks(panel.n_series, panel.n_days):
        seen = panel.observed[some] & rows[some, None]
        selling += (seen & (panel.demand[some] > 0)).sum(axis=0)
        there += seen.sum(axis=0)
    return selling, there


def _explained(closed: BoolArray, signal: Signal, rows: BoolArray) -> BoolArray:
    """Return the days that carry a name, known ahead, at least half of whose days were closed."""
    names = _names_of_days(signal, rows)
    if names is None:
        return np.zeros_like(closed)
    past = names[: len(closed)]
    counts = np.bincount(past[past >= 0])
    shut = np.bincount(past[(past >= 0) & closed], minlength=len(counts))
    goes_with = np.append(2 * shut >= np.maximum(counts, 1), False)  # -1, no name, is the last
    return np.asarray(goes_with[past])


def _names_of_days(signal: Signal, rows: BoolArray) -> NDArray[np.intp] | None:
    """Return the code of each day's flag or label, -1 without one; None where it says no name.

    A signal with a value for each series names a day only where all the series have the same.
    """
    if not signal.known_ahead or signal.kind == "numeric":
        return None
    values = signal.values
    if values.ndim == 2:
        values = _shared(values, rows)
    named = np.isfinite(values) & ((values > 0) | (signal.kind == "category"))
    return np.where(named, np.nan_to_num(values), -1).astype(np.intp)


def _shared(values: FloatArray, rows: BoolArray) -> FloatArray:
    """Return what a signal says to all of some series, NaN where it says different things: [T]."""
    said = values[np.flatnonzero(rows)[0]]
    alike = np.isfinite(said)
    for some in row_chunks(*values.shape):
        alike &= (values[some][rows[some]] == said).all(axis=0)
    return np.where(alike, said, np.nan)
