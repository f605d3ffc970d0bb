"""Which series a network may be trusted with, and why not; values no arithmetic survives masked."""

from dataclasses import replace

import numpy as np

from forecasting.pipeline.series import BoolArray, FloatArray, Reason, SeriesPanel

MIN_OBSERVED_DAYS = 28
DORMANT_DAYS = 182
ABSURD_DEMAND = 1e9
MIN_TRAINING_SERIES = 5
MIN_TRAINING_DAYS = 84


def sanitise(panel: SeriesPanel) -> tuple[SeriesPanel, BoolArray]:
    """Mask days whose demand is no demand: infinite or negative, or NaN after the beginning.

    Returns the panel with those days unobserved and 0, and which series had any: [S].
    """
    begun = np.arange(panel.n_days) >= panel.begins[:, None]
    good = np.isfinite(panel.demand) & (panel.demand >= 0)
    spoiled = begun & ~good & (panel.observed | ~np.isnan(panel.demand))
    demand = np.where(begun & ~good, 0, panel.demand).astype(np.float32)
    clean = replace(panel, demand=demand, observed=panel.observed & good)
    return clean, np.asarray(spoiled.any(axis=1))


def triage(panel: SeriesPanel, spoiled: BoolArray) -> list[Reason | None]:
    """Return for each series why no network serves it; None where one may."""
    seen = panel.observed
    demand = np.where(seen, np.nan_to_num(panel.demand), 0)
    count = seen.sum(axis=1)
    most = demand.max(axis=1, initial=0)
    least = np.where(seen, demand, np.inf).min(axis=1, initial=np.inf)
    recent = demand[:, -DORMANT_DAYS:].max(axis=1, initial=0)
    checks: list[tuple[Reason, BoolArray]] = [
        (Reason.NON_FINITE, spoiled & (count < MIN_OBSERVED_DAYS)),
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


def trainable(panel: SeriesPanel, reasons: list[Reason | None]) -> BoolArray:
    """Return which series a network may learn from: [S]."""
    return np.array([reason in (None, Reason.DORMANT) for reason in reasons], dtype=bool)


def enough_to_train(panel: SeriesPanel, usable: BoolArray) -> bool:
    """Tell whether a network can be trained at all."""
    if int(usable.sum()) < MIN_TRAINING_SERIES:
        return False
    days: FloatArray = panel.observed[usable].sum(axis=1)
    return float(np.median(days)) >= MIN_TRAINING_DAYS
