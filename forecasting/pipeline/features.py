"""What a network is told: the past day by day, facts at the origin, facts of each day ahead.

Three groups of channels, computed from a block of days on the fly, so that nothing but the panel
has to be kept in memory:

- past [B, L, P]: demand against its own level, observed, calendar and every signal of that day;
- origin [B, K, O]: level, trend, spread, share of zeros, days since the last sale;
- ahead [B, K, H, A]: calendar and known-ahead signals of the target day, the means of its weekday,
  the same days a year earlier.

Which channels there are is planned once, in `feature_plan.py`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.pipeline.arrays import by_rows
from forecasting.pipeline.day_channels import (
    DayChannels,
    day_channel_names,
    past_channel_names,
)
from forecasting.pipeline.feature_plan import YEAR, FeaturePlan
from forecasting.pipeline.scaling import ScaleKind, recent_level, rolling_sums, scale_of, step_scale
from forecasting.pipeline.series import BoolArray, FloatArray, SeriesPanel

ZERO_WINDOWS = (28, 91)
WEEKDAY_DEPTHS = (1, 2, 4, 13)
LEVEL_GAIN = 0.3
"""A channel of the level is so many times its logarithm."""
PAST_LEVEL = 4
"""The channel of the past that holds the level; for the origin's see `origin_level`."""


@dataclass(frozen=True)
class Channels:
    """Counts of channels, which fix the shape of a network."""

    past: int
    origin: int
    ahead: int
    attributes: tuple[int, ...]


def plan_channels(plan: FeaturePlan) -> Channels:
    """Return how many channels a plan has: the same for every panel."""
    day = len(day_channel_names(plan))
    origin = len(plan.means) + len(ZERO_WINDOWS) + 5 + (3 if plan.yearly else 0)
    ahead = day + len(WEEKDAY_DEPTHS) + 1 + (3 if plan.yearly else 0)
    sizes = tuple(len(values) + 1 for _, values in plan.attributes)
    return Channels(5 + day + len(past_channel_names(plan)), origin, ahead, sizes)


def origin_level(plan: FeaturePlan) -> int:
    """Return which of the origin's channels holds the level: after means, zeros and the spread."""
    return len(plan.means) + len(ZERO_WINDOWS) + 1


@dataclass(frozen=True)
class Block:
    """Features and targets of B windows. L steps, K emitting steps, H days ahead.

    rows: [B] of the store; emits: [K] steps; past: [B, L, channels]; origin: [B, K, channels];
    ahead: [B, K, H, channels]; attributes: [B, A] codes. level: what demand is divided by; volume:
    units a day of the recent past; scale: what an error is divided by, all [B, K]. target,
    target_seen: [B, K, H], in units; where not seen the value is 0 and must not count.
    """

    rows: np.ndarray
    emits: np.ndarray
    past: FloatArray
    origin: FloatArray
    ahead: FloatArray
    attributes: np.ndarray
    level: FloatArray
    volume: FloatArray
    scale: FloatArray
    target: FloatArray
    target_seen: BoolArray


@dataclass(frozen=True)
class _Past:
    """What the windows may know: units sold, whether observed, and the level, [B, D] each."""

    sold: FloatArray
    seen: BoolArray
    level: FloatArray


class FeatureStore:
    """The arrays of a panel arranged so that windows can be cut from them quickly."""

    def __init__(self, panel: SeriesPanel, plan: FeaturePlan) -> None:
        self.plan = plan
        self.n_series, self.n_days = panel.demand.shape
        self.begins = panel.begins
        self.observed = panel.observed
        self.demand = panel.demand
        self.days = DayChannels.known_ahead(panel, plan)
        self.past_days = DayChannels.of_the_past(panel, plan)
        self.attributes = _attribute_codes(panel, plan)

    @cached_property
    def scale(self) -> FloatArray:
        """What a day's error is divided by in training: [S, T]."""
        return step_scale(self.demand, self.observed)

    @cached_property
    def totals(self) -> FloatArray:
        """Units of demand and observed days of each series: [S, 2]."""
        return by_rows(_units_and_days, np.float64, self.demand, self.observed)

    @cached_property
    def typical_demand(self) -> float:
        """The mean of all observed demand; 1 where nothing was observed."""
        units, days = self.totals.sum(axis=0)
        return float(units / days) if days else 1.0

    @property
    def channels(self) -> Channels:
        """How many columns each group of a block's channels has."""
        return plan_channels(self.plan)

    def block(
        self,
        rows: np.ndarray,
        starts: np.ndarray,
        length: int,
        emits: np.ndarray,
        *,
        scaled: bool = True,
        ahead: np.ndarray | None = None,
    ) -> Block:
        """Return features of the windows [start, start + length) of some series.

        rows, starts: [B]; emits: [K] positions inside the window after which a forecast is made.
        The scale is what a training weighs by; a forecast does without (`scaled` False: it is 1).
        ahead: [H] days of the horizon, counted from 0; without it all of them.
        """
        back, horizon = self.plan.lookback, self.plan.horizon
        days = starts[:, None] + np.arange(-back, length + horizon)
        inside = (days >= 0) & (days < self.n_days)
        safe = np.clip(days, 0, self.n_days - 1)
        found = self.demand[rows[:, None], safe]
        seen = self.observed[rows[:, None], safe] & inside & np.isfinite(found)
        sold = np.where(seen, found, 0).astype(np.float32)
        ahead = np.arange(horizon) if ahead is None else ahead
        target_at = back + emits[:, None] + 1 + ahead
        past_sold, past_seen = sold[:, : back + length], seen[:, : back + length]
        recent = recent_level(past_sold, past_seen, self.plan.level)
        level = recent
        if self.plan.scaling is not ScaleKind.LEVEL:
            level = scale_of(self.plan.scaling, past_sold, past_seen, self.plan.level)
        past = _Past(past_sold, past_seen, level)
        day, read = self.days.of(rows, days[:, back:]), days[:, back : back + length]
        here = back + emits
        scale = self.scale[rows[:, None], safe[:, here]] if scaled else np.ones_like(level[:, here])
        return Block(
            rows=rows,
            emits=emits,
            past=self._past(past, [day[:, :length], self.past_days.of(rows, read)], back),
            origin=self._origin(past, here, days[:, here], rows),
            ahead=self._ahead(past, day, here, ahead),
            attributes=self.attributes[rows],
            level=level[:, here],
            volume=recent[:, here],
            scale=scale,
            target=sold[:, target_at],
            target_seen=seen[:, target_at],
        )

    def _past(self, past: _Past, days: list[FloatArray], back: int) -> FloatArray:
        """Return what each step of the windows was like: [B, L, P]."""
        sold, seen, level = past.sold, past.seen, past.level
        window = slice(back, None)
        week = rolling_sums(sold, 7) / np.maximum(rolling_sums(seen, 7), 1)
        parts = [
            np.log1p(sold[:, window] / level[:, window]),
            seen[:, window],
            sold[:, window] > 0,
            np.log1p(week[:, window] / level[:, window]),
            LEVEL_GAIN * np.log(level[:, window]),
        ]
        return np.concatenate([np.stack(parts, axis=-1).astype(np.float32), *days], axis=-1)

    def _origin(
        self, past: _Past, here: np.ndarray, days: np.ndarray, rows: np.ndarray
    ) -> FloatArray:
        """Return facts known at each emitting step: [B, K, O]."""
        sold, seen, level = past.sold, past.seen, past.level
        now = level[:, here]
        units, days_seen, sales = (_RunningSum(v) for v in (sold, seen, sold > 0))
        counts = {w: days_seen.last(w, here) for w in {*self.plan.means, *ZERO_WINDOWS}}
        parts = [
            np.log1p(units.last(w, here) / np.maximum(counts[w], 1) / now) for w in self.plan.means
        ]
        parts += [sales.last(w, here) / np.maximum(counts[w], 1) for w in ZERO_WINDOWS]
        spread = _RunningSum(sold.astype(np.float64) ** 2).last(91, here)
        parts.append(np.log1p(np.sqrt(spread / np.maximum(counts[91], 1)) / now))
        parts.append(LEVEL_GAIN * np.log(now))
        parts.append(counts[91] / 91)
        parts.append(np.log1p(_days_since(sold > 0)[:, here]) / 4)
        age = np.clip(days - self.begins[rows][:, None], 0, 365)
        parts.append(np.log1p(np.minimum(age, 91)) / 4)
        if self.plan.yearly:
            last_year = units.last(28, here - YEAR) / 28
            then = units.last(28, here - YEAR + 28) / 28
            parts.append(np.log1p(last_year / now))
            parts.append(np.log((then + 0.1 * now) / (last_year + 0.1 * now)))
            parts.append(seen[:, here - YEAR])
        return np.stack(parts, axis=-1).astype(np.float32)

    def _ahead(
        self, past: _Past, day: FloatArray, here: np.ndarray, step: np.ndarray
    ) -> FloatArray:
        """Return facts of each day ahead of each emitting step: [B, K, H, A]."""
        sold, seen, level = past.sold, past.seen, past.level
        back, horizon = self.plan.lookback, self.plan.horizon
        now = level[:, here][..., None]
        target = here[:, None] + 1 + step
        weekday = here[:, None] - 6 + step % 7
        parts = []
        total, count, done = np.zeros_like(sold), np.zeros_like(sold), 0
        for depth in WEEKDAY_DEPTHS:
            for week in range(done, depth):
                shift = 7 * week
                total[:, shift:] += sold[:, : sold.shape[1] - shift]
                count[:, shift:] += seen[:, : seen.shape[1] - shift]
            done = depth
            mean = total[:, weekday] / np.maximum(count[:, weekday], 1)
            parts.append(np.log1p(mean / now))
        if self.plan.yearly:
            around = rolling_sums(sold, 7) / 7
            parts.append(np.log1p(sold[:, target - YEAR] / now))
            parts.append(np.log1p(around[:, target - YEAR + 3] / now))
            parts.append(seen[:, target - YEAR])
        parts.append(np.broadcast_to(step / horizon, parts[0].shape))
        facts = np.stack(parts, axis=-1).astype(np.float32)
        return np.concatenate([day[:, target - back], facts], axis=-1)


class _RunningSum:
    """Sums of the last days before any column, from one pass: [B, D]."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.total = np.zeros((len(values), values.shape[1] + 1))
        np.cumsum(values, axis=1, dtype=np.float64, out=self.total[:, 1:])

    def last(self, days: int, here: np.ndarray) -> FloatArray:
        """Return the sums of `days` columns up to and including each of `here`: [B, K]."""
        return np.asarray(self.total[:, here + 1] - self.total[:, np.maximum(here + 1 - days, 0)])


def _units_and_days(demand: FloatArray, observed: BoolArray) -> FloatArray:
    seen = observed & np.isfinite(demand)
    units = np.where(seen, demand, 0).sum(axis=1, dtype=np.float64)
    return np.stack([units, seen.sum(axis=1)], axis=1)


def _days_since(happened: BoolArray) -> FloatArray:
    """Return the days since the last True at each column; the column number where there is none."""
    columns = np.arange(happened.shape[1])
    last = np.maximum.accumulate(np.where(happened, columns, 0), axis=1)
    return (columns - last).astype(np.float32)


def _attribute_codes(panel: SeriesPanel, plan: FeaturePlan) -> np.ndarray:
    codes = np.zeros((panel.n_series, len(plan.attributes)), dtype=np.int64)
    for column, (name, values) in enumerate(plan.attributes):
        if name in panel.categories:
            place = {value: code for code, value in enumerate(values, start=1)}
            codes[:, column] = [place.get(str(v), 0) for v in panel.categories[name]]
    return codes
