"""What a day is, apart from its demand: its place in the calendar, and the signals of that day.

The channels stand in the order of the plan, whoever a signal is for: a promotion for one product
and one for everybody fill the same channel. Signals that differ from series to series are read and
coded for the windows asked for, never for all series at once.

Of a signal whose coming days are not known only the days that have come are read: what it said of
them may announce what is asked for afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from forecasting.pipeline.feature_plan import MOST_SPREADS, FeaturePlan, PlannedSignal
from forecasting.pipeline.scaling import rolling_sums
from forecasting.pipeline.series import (
    OTHER_HOLIDAY,
    BoolArray,
    FloatArray,
    SeriesPanel,
    Signal,
)

MEMORY_DAYS = 364
"""How far back the channels of a number look."""
MEAN_DAYS = (28, 91, MEMORY_DAYS)
SOON_DAYS = 3
CALENDAR = (*(f"weekday {day}" for day in range(7)), "day of month", "first week")
YEARLY_CALENDAR = ("year sin", "year cos", "half year sin", "half year cos")


def day_channel_names(plan: FeaturePlan) -> tuple[str, ...]:
    """Return the names of the channels of a day that are known ahead, in their order."""
    calendar = (*CALENDAR, *(YEARLY_CALENDAR if plan.yearly else ()))
    return (*calendar, *_signal_names(plan.signals, SOON_DAYS))


def past_channel_names(plan: FeaturePlan) -> tuple[str, ...]:
    """Return the names of the channels that only days that have come have, in their order."""
    return _signal_names(plan.past_signals, 0)


def _signal_names(planned: Sequence[PlannedSignal], soon_days: int) -> tuple[str, ...]:
    names: list[str] = []
    for one in planned:
        if one.is_number:
            names += [f"{one.name} {one.kind} {days}" for days in MEAN_DAYS]
        elif one.kind == "flag":
            names.append(one.name)
        else:
            names += [f"{one.name}={label}" for label in one.labels]
            names += [f"{one.name} soon"] if soon_days else []
    return tuple(names)


def strange_signals(plan: FeaturePlan, signals: Sequence[Signal]) -> tuple[str, ...]:
    """Return the planned signals that are not there any more, or are of another kind now.

    Their channels say nothing until the next training: as if no value were known.
    """
    found = {signal.name: signal for signal in signals}
    return tuple(
        one.name
        for one in (*plan.signals, *plan.past_signals)
        if one.name not in found or not _same_kind(found[one.name], one.kind)
    )


def _same_kind(signal: Signal, planned: str) -> bool:
    return (signal.kind == "category") == (planned == "category")


@dataclass(frozen=True)
class _Own:
    """A signal that differs from series to series: values [S, D] and labels as they came."""

    values: FloatArray
    found: tuple[str, ...]
    planned: PlannedSignal


class DayChannels:
    """Channels of the days of a panel: those known ahead, or those of days that have come."""

    def __init__(
        self,
        panel: SeriesPanel,
        planned: Sequence[PlannedSignal],
        strange: Sequence[str],
        calendar: FloatArray,
        soon_days: int,
    ) -> None:
        self.reach, self._soon_days = len(calendar), soon_days
        present = {signal.name: signal for signal in panel.signals}
        self._parts: list[FloatArray | _Own] = [calendar]
        for one in planned:
            signal = present.get(one.name)
            found = signal.labels if signal else ()
            if signal is None or one.name in strange:
                values = np.full(self.reach, np.nan, dtype=np.float32)
            else:
                values = signal.values[..., : self.reach]
            if values.ndim == 2:
                self._parts.append(_Own(values, found, one))
            else:
                padded = np.full(self.reach + soon_days, np.nan)
                padded[: len(values)] = values
                self._parts.append(_encode(padded, found, one, 0, soon_days))

    @classmethod
    def known_ahead(cls, panel: SeriesPanel, plan: FeaturePlan) -> DayChannels:
        """Return calendar and signals that are known to the end of the horizon."""
        calendar = _calendar(panel, plan, panel.n_days + plan.horizon)
        strange = strange_signals(plan, panel.signals)
        return cls(panel, plan.signals, strange, calendar, SOON_DAYS)

    @classmethod
    def of_the_past(cls, panel: SeriesPanel, plan: FeaturePlan) -> DayChannels:
        """Return signals that are known of days that have come; none says what comes soon."""
        nothing = np.zeros((panel.n_days, 0), dtype=np.float32)
        strange = strange_signals(plan, panel.signals)
        return cls(panel, plan.past_signals, strange, nothing, 0)

    def of(self, rows: np.ndarray, days: np.ndarray) -> FloatArray:
        """Return the channels of following days of some series: [B], [B, D] -> [B, D, C]."""
        safe = np.clip(days, 0, self.reach - 1)
        parts = [
            self._own(part, rows, days) if isinstance(part, _Own) else part[safe]
            for part in self._parts
        ]
        return np.concatenate(parts, axis=-1, dtype=np.float32)

    def _own(self, part: _Own, rows: np.ndarray, days: np.ndarray) -> FloatArray:
        back = MEMORY_DAYS if part.planned.is_number else 0
        read = days[:, :1] + np.arange(-back, days.shape[1] + self._soon_days)
        known = (read >= 0) & (read < part.values.shape[1])
        safe = np.clip(read, 0, part.values.shape[1] - 1)
        values = np.where(known, part.values[rows[:, None], safe], np.nan)
        return _encode(values, part.found, part.planned, back, self._soon_days)


def _calendar(panel: SeriesPanel, plan: FeaturePlan, reach: int) -> FloatArray:
    dates = [panel.first_day + timedelta(days=day) for day in range(reach)]
    weekday = np.array([d.weekday() for d in dates], dtype=np.intp)
    of_month = np.array([d.day for d in dates], dtype=np.intp)[:, None]
    channels = [np.eye(7)[weekday], (of_month - 15.5) / 10, of_month <= 7]
    if plan.yearly:
        turn = 2 * np.pi * np.array([d.timetuple().tm_yday for d in dates])[:, None] / 365.25
        channels += [np.sin(turn), np.cos(turn), np.sin(2 * turn), np.cos(2 * turn)]
    return np.concatenate(channels, axis=-1, dtype=np.float32)


def _encode(
    values: FloatArray, found: tuple[str, ...], planned: PlannedSignal, back: int, soon_days: int
) -> FloatArray:
    """Turn a signal into channels on a last axis; unknown values and labels become 0.

    values has `back` days in front and `soon_days` behind that are read, not returned.
    """
    until = values.shape[-1] - soon_days
    if planned.is_number:
        return _encode_number(values[..., :until], planned, back)
    if planned.kind == "flag":
        return np.nan_to_num(values[..., :until], nan=0.0)[..., None]
    named = np.zeros((*values.shape, len(planned.labels)), dtype=np.float32)
    for code, label in enumerate(found):
        own = label if label in planned.labels else OTHER_HOLIDAY
        if own in planned.labels:
            named[..., planned.labels.index(own)] += values == code
    if not soon_days:
        return named
    some: BoolArray = np.asarray(named.any(axis=-1))
    soon = np.zeros((*values.shape[:-1], until), dtype=bool)
    for ahead in range(1, soon_days + 1):
        soon |= some[..., ahead : until + ahead]
    return np.concatenate([named[..., :until, :], soon[..., None]], axis=-1)


def _encode_number(values: FloatArray, planned: PlannedSignal, back: int) -> FloatArray:
    """Compare a number with its own recent and yearly mean; missing days change nothing."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    now, known_now = filled[..., back:], known[..., back:]
    parts = []
    for days in MEAN_DAYS:
        count = rolling_sums(known, days)[..., back:]
        mean = rolling_sums(filled, days)[..., back:] / np.maximum(count, 1)
        if planned.kind == "ratio":
            change = np.clip(np.log((now + 1e-6) / (mean + 1e-6)), -2, 2)
        else:
            change = np.clip((now - mean) / planned.spread, -MOST_SPREADS, MOST_SPREADS)
        parts.append(np.where(known_now & (count > 0), change, 0))
    if planned.kind == "plain":
        usual = (now - planned.center) / planned.spread
        usual = np.clip(usual, -MOST_SPREADS, MOST_SPREADS)
        parts[0] = np.where(known_now, usual, 0)
    return np.stack(parts, axis=-1)
