"""Whether a new training pays, or the network that was trained last can go on for a week.

A training costs CPU minutes and takes a network out of use that was judged and watched. It pays
when the tenant changed what is trained, when there is much to learn that the last one has not seen,
or when what it says has become worse. Asked before every training by the clock; whoever asks for a
training gets one.
"""

from dataclasses import dataclass
from enum import StrEnum

LEAST_NEW_DAYS = 7
"""With fewer new days there is nothing to judge a new network by."""
MOST_NEW_DAYS = 28
"""A month unseen is the horizon itself: what was learned last ends where forecasts begin."""
NEW_DAYS_SHARE = 0.15
"""A young tenant's network learns from each further week."""
NEW_SERIES_SHARE = 0.05
LEAST_DRIFTING, DRIFTING_SHARE = 3, 0.02
"""Chance alone makes about one series in a thousand drift, see decision 0049."""
LEAST_RUNS = 4
WORSE = 0.1
"""Error against the naive forecast's, so that a hard month is not taken for a bad network."""


class Why(StrEnum):
    """Why a training pays, or why it does not."""

    NO_NETWORK = "no_network"
    CHOICES = "choices_changed"
    OLD = "old"
    MORE_HISTORY = "more_history"
    NEW_SERIES = "new_series"
    DRIFT = "drift"
    WORSE = "worse"
    NOTHING_NEW = "nothing_new"
    STILL_GOOD = "still_good"

    @property
    def pays(self) -> bool:
        return self not in (Why.NOTHING_NEW, Why.STILL_GOOD)


@dataclass(frozen=True)
class Evidence:
    """What is known of the network that was trained last.

    new_days: days of demand after the last one it saw; known_days: days it learned from;
    series, known_series: there are now, and were then; drifting: series with an open warning of
    drift that began after the training; errors: of each run it forecast, oldest first, its error
    in the first week over the naive forecast's.
    """

    choices_changed: bool
    new_days: int
    known_days: int
    series: int
    known_series: int
    drifting: int
    errors: tuple[float, ...] = ()


def training_pays(evidence: Evidence | None) -> Why:
    """Return why a training pays or does not; None: nothing was ever trained."""
    if evidence is None:
        return Why.NO_NETWORK
    if evidence.choices_changed:
        return Why.CHOICES
    if evidence.new_days < LEAST_NEW_DAYS:
        return Why.NOTHING_NEW
    if evidence.new_days >= MOST_NEW_DAYS:
        return Why.OLD
    if evidence.new_days >= NEW_DAYS_SHARE * evidence.known_days:
        return Why.MORE_HISTORY
    if evidence.series - evidence.known_series >= NEW_SERIES_SHARE * max(evidence.known_series, 1):
        return Why.NEW_SERIES
    if evidence.drifting >= max(LEAST_DRIFTING, DRIFTING_SHARE * evidence.series):
        return Why.DRIFT
    return Why.WORSE if is_worse(evidence.errors) else Why.STILL_GOOD


def is_worse(errors: tuple[float, ...]) -> bool:
    """Tell whether the later half of the runs is clearly worse than the earlier half."""
    half = len(errors) // 2
    if half < LEAST_RUNS:
        return False
    earlier, later = errors[:half], errors[-half:]
    return sum(later) > (1 + WORSE) * sum(earlier)
