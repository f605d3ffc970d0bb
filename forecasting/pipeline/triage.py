"""Which series a network may be trusted with, and why not; values no arithmetic survives masked."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.arrays import by_rows
from forecasting.pipeline.series import BoolArray, FloatArray, Reason, SeriesPanel

MIN_OBSERVED_DAYS = 28
DORMANT_DAYS = 182
ABSURD_DEMAND = 1e9
MIN_TRAINING_SERIES, MIN_TRAINING_DAYS = 5, 84
MANY_SERIES, MIN_DAYS_OF_MANY = 30, 56
"""Many series teach each other, and judge, after fewer days; see decision 0054."""


def sanitise(panel: SeriesPanel) -> tuple[SeriesPanel, BoolArray]:
    """Mask days whose demand is no demand: infinite or negative, or NaN after the beginning.

    Returns the panel with those days unobserved and 0, and which series had any: [S].
    """
    begins = panel.begins
    found = by_rows(_find_bad_days, np.bool_, panel.demand, panel.observed, begins)
    spoiled, repaired = found[:, 0], found.any(axis=1)
    if not repaired.any():
        return panel, np.asarray(spoiled)
    clean = replace(
        panel,
        demand=by_rows(_without_bad_days, np.float32, panel.demand, begins),
        observed=by_rows(_only_good_days, np.bool_, panel.demand, panel.observed),
    )
    return clean, np.asarray(spoiled)


def _find_bad_days(demand: FloatArray, observed: BoolArray, begins: NDArray[np.intp]) -> BoolArray:
    """Return whether a series holds values that are no demand, and whether it needs a repair."""
    begun = np.arange(demand.shape[1]) >= begins[:, None]
    bad = ~(np.isfinite(demand) & (demand >= 0))
    spoiled = begun & bad & (observed | ~np.isnan(demand))
    return np.stack([spoiled.any(axis=1), (bad & (begun | observed)).any(axis=1)], axis=1)


def _without_bad_days(demand: FloatArray, begins: NDArray[np.intp]) -> FloatArray:
    begun = np.arange(demand.shape[1]) >= begins[:, None]
    return np.where(begun & ~(np.isfinite(demand) & (demand >= 0)), 0, demand)


def _only_good_days(demand: FloatArray, observed: BoolArray) -> BoolArray:
    return observed & np.isfinite(demand) & (demand >= 0)


def triage(panel: SeriesPanel, spoiled: BoolArray) -> list[Reason | None]:
    """Return for each series why no network serves it; None where one may."""
    facts = by_rows(_sales_facts, np.float64, panel.demand, panel.observed)
    count, most, least, recent = facts.T
    checks: list[tuple[Reason, BoolArray]] = [
        (Reason.NON_FINITE, spoiled & (count < MIN_OBSERVED_DAYS)),
        (Reason.NEW, (count == 0) & _is_new(panel)),
        (Reason.EMPTY, count == 0),
        (Reason.ABSURD, most > ABSURD_DEMAND),
        (Reason.ALL_ZERO, most == 0),
        (Reason.TOO_SHORT, count < MIN_OBSERVED_DAYS),
        (Reason.CONSTANT, most == least),
        (Reason.DORMANT, recent == 0),
    ]
    found: list[Reason | None] = [None] * panel.n_series
    for reason, holds in reversed(checks):
        for row in np.flatnonzero(holds):
            found[row] = reason
    return found


def _sales_facts(demand: FloatArray, observed: BoolArray) -> FloatArray:
    """Return days seen, largest, smallest and largest recent demand of each series: [S, 4]."""
    sold = np.where(observed, np.nan_to_num(demand), 0)
    return np.stack(
        [
            observed.sum(axis=1),
            sold.max(axis=1, initial=0),
            np.where(observed, sold, np.inf).min(axis=1, initial=np.inf),
            sold[:, -DORMANT_DAYS:].max(axis=1, initial=0),
        ],
        axis=1,
    )


def _is_new(panel: SeriesPanel) -> BoolArray:
    known = panel.descriptions
    if known is None or known.is_new is None:
        return np.zeros(panel.n_series, dtype=bool)
    return known.is_new


def hardly_sold(panel: SeriesPanel, reasons: Sequence[Reason | None]) -> BoolArray:
    """Return which series know too little of themselves and are forecast like similar ones: [S]."""
    short = np.array([reason in (Reason.NEW, Reason.TOO_SHORT) for reason in reasons], dtype=bool)
    unsold = np.array([reason is Reason.ALL_ZERO for reason in reasons], dtype=bool)
    return short | (unsold & (panel.n_days - panel.begins < MIN_OBSERVED_DAYS))


def trusted(reasons: Sequence[Reason | None]) -> BoolArray:
    """Return which series hold values that others may be compared with: [S]."""
    never = (Reason.NON_FINITE, Reason.ABSURD, Reason.EMPTY, Reason.NEW)
    return np.array([reason not in never for reason in reasons], dtype=bool)


def trainable(panel: SeriesPanel, reasons: list[Reason | None]) -> BoolArray:
    """Return which series a network may learn from: [S]."""
    return np.array([reason in (None, Reason.DORMANT) for reason in reasons], dtype=bool)


def enough_to_train(panel: SeriesPanel, usable: BoolArray) -> bool:
    """Tell whether a network can be trained at all."""
    series = int(usable.sum())
    if series < MIN_TRAINING_SERIES:
        return False
    days: FloatArray = panel.observed[usable].sum(axis=1)
    needed = MIN_DAYS_OF_MANY if series >= MANY_SERIES else MIN_TRAINING_DAYS
    return float(np.median(days)) >= needed
