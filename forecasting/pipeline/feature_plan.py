"""Which channels a network reads, decided once from the history there is, and kept with it.

Yearly channels exist only where the history covers enough years to learn from them.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from forecasting.pipeline.arrays import row_chunks
from forecasting.pipeline.scaling import ScaleKind
from forecasting.pipeline.series import SeriesPanel, Signal

YEAR = 364
"""Fifty-two weeks: the same weekday a year ago."""
DAYS_FOR_YEARLY = 550
SHORT_LOOKBACK_DAYS = 190
YEARLY_LOOKBACK_DAYS = YEAR + 190
MEAN_WINDOWS = (7, 14, 28, 56, 91, 182)
LONG_LEVEL = ((28, 0.5), (91, 0.3), (182, 0.2))
SHORT_LEVEL = ((28, 0.6), (56, 0.4))
HISTORIES_PER_WINDOW = 4
"""A rolling mean is used only where the history holds this many of its windows."""
MAX_LABELS = 40
MOST_SPREADS = 3
"""A number counts as no farther from its mean than so many spreads."""


class PlannedSignal(NamedTuple):
    """A signal that becomes channels, and how.

    kind: category, flag, ratio (to its own means: prices and the like) or plain (a number that may
    be below nothing, as a temperature: its distance from `center` in units of `spread`).
    """

    name: str
    kind: str
    labels: tuple[str, ...] = ()
    center: float = 0.0
    spread: float = 1.0

    @property
    def is_number(self) -> bool:
        return self.kind in ("ratio", "plain")

    @classmethod
    def from_json(cls, data: list[Any]) -> Self:
        name, kind, labels, *scale = data
        return cls(name, kind, tuple(labels), *map(float, scale))


@dataclass(frozen=True)
class FeaturePlan:
    """Which channels exist; fixed when a network is trained and kept in its artefact."""

    horizon: int
    yearly: bool
    signals: tuple[PlannedSignal, ...]
    """Signals that are known ahead."""
    attributes: tuple[tuple[str, tuple[str, ...]], ...]
    """Categories used: name and the values seen; an unseen value is code 0."""
    level: tuple[tuple[int, float], ...] = LONG_LEVEL
    """Windows and weights of the recent level."""
    means: tuple[int, ...] = MEAN_WINDOWS
    """Windows of the rolling means."""
    scaling: ScaleKind = ScaleKind.LEVEL
    """What everything is divided by."""
    past_signals: tuple[PlannedSignal, ...] = ()
    """Signals that are known only of days that have come."""

    @property
    def days_to_read(self) -> int:
        """Days of history that decide a forecast, apart from those the network itself reads."""
        return self.lookback + YEAR

    @property
    def lookback(self) -> int:
        """Days before an origin that its facts are reckoned from."""
        return YEARLY_LOOKBACK_DAYS if self.yearly else SHORT_LOOKBACK_DAYS

    def to_json(self) -> dict[str, Any]:
        return {
            "horizon": self.horizon,
            "yearly": self.yearly,
            "level": [list(one) for one in self.level],
            "means": list(self.means),
            "scaling": self.scaling.value,
            "signals": [list(one) for one in self.signals],
            "past_signals": [list(one) for one in self.past_signals],
            "attributes": [[n, list(values)] for n, values in self.attributes],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FeaturePlan":
        return cls(
            horizon=int(data["horizon"]),
            yearly=bool(data["yearly"]),
            signals=tuple(map(PlannedSignal.from_json, data["signals"])),
            # networks of before have none
            past_signals=tuple(map(PlannedSignal.from_json, data.get("past_signals", ()))),
            attributes=tuple((n, tuple(values)) for n, values in data["attributes"]),
            level=tuple((int(days), float(weight)) for days, weight in data["level"]),
            means=tuple(int(days) for days in data["means"]),
            scaling=ScaleKind(data["scaling"]),
        )


def plan_features(
    panel: SeriesPanel, horizon: int, scaling: ScaleKind = ScaleKind.LEVEL
) -> FeaturePlan:
    """Choose the channels a panel (already cut at the origin) has enough history for."""
    lengths = panel.n_days - panel.begins
    days = float(np.median(lengths)) if lengths.size else 0.0
    means = tuple(w for w in MEAN_WINDOWS if w <= 14 or w * HISTORIES_PER_WINDOW <= days)
    usable = [s for s in panel.signals if len(s.labels) <= MAX_LABELS and _varies(s, panel.n_days)]
    planned = [(signal.known_ahead, _planned(signal, panel.n_days)) for signal in usable]
    return FeaturePlan(
        horizon=horizon,
        yearly=days >= DAYS_FOR_YEARLY,
        level=LONG_LEVEL if LONG_LEVEL[-1][0] in means else SHORT_LEVEL,
        means=means,
        scaling=scaling,
        signals=tuple(one for known_ahead, one in planned if known_ahead),
        past_signals=tuple(one for known_ahead, one in planned if not known_ahead),
        attributes=tuple(
            (name, tuple(str(v) for v in np.unique(values)))
            for name, values in sorted(panel.categories.items())
            if len(np.unique(values)) > 1
        ),
    )


def _planned(signal: Signal, days: int) -> PlannedSignal:
    """Decide how a signal becomes channels: numbers such as prices by ratio.

    A share, such as how much a promotion takes off, is mostly nothing and its spread small: so that
    half off is not the same as a quarter, none that was seen is farther away than counts.
    """
    if signal.kind != "numeric":
        return PlannedSignal(signal.name, signal.kind, signal.labels)
    least, most = _extent(signal, days)
    if least >= 0 and most > 1:
        return PlannedSignal(signal.name, "ratio")
    center, spread = _center_and_spread(signal, days, least)
    if least >= 0:
        spread = max(spread, most / MOST_SPREADS)
    return PlannedSignal(signal.name, "plain", (), center, spread)


def _center_and_spread(signal: Signal, days: int, least: float) -> tuple[float, float]:
    """Return mean and standard deviation of the known values of the past, which differ."""
    values = np.atleast_2d(signal.values[..., :days])
    count, total, squares = 0, 0.0, 0.0
    for rows in row_chunks(*values.shape):
        # counted from the least: squares of what is far from 0 lose digits
        known = values[rows][np.isfinite(values[rows])] - np.float64(least)
        count += known.size
        total += float(known.sum())
        squares += float((known**2).sum())
    mean = total / count
    return least + mean, float(np.sqrt(max(squares / count - mean**2, 1e-12)))


def _varies(signal: Signal, days: int) -> bool:
    least, most = _extent(signal, days)
    return most >= least if signal.kind == "category" else most > least


def _extent(signal: Signal, days: int) -> tuple[float, float]:
    """Return the smallest and the largest known value of the past; the wrong way round: none."""
    values = np.atleast_2d(signal.values[..., :days])
    least, most = np.inf, -np.inf
    for rows in row_chunks(*values.shape):
        finite = np.isfinite(values[rows])
        least = min(least, float(values[rows].min(initial=np.inf, where=finite)))
        most = max(most, float(values[rows].max(initial=-np.inf, where=finite)))
    return least, most
