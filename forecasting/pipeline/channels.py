"""What each channel of a block means to a reader, and what it would be on an ordinary day.

The order follows `features.py`; a test compares the counts. Features are `recent` (the last days
one by one), `trend`, `weekday`, `season`, `own` (category, warehouse, age) and `signal:<name>`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecasting.pipeline.feature_plan import FeaturePlan, PlannedSignal
from forecasting.pipeline.features import WEEKDAY_DEPTHS, ZERO_WINDOWS, Block, Channels
from forecasting.pipeline.series import FloatArray

RECENT, TREND, WEEKDAY, SEASON, OWN = "recent", "trend", "weekday", "season", "own"
SIGNAL = "signal:"
PAR = float(np.log1p(1.0))
"""What a channel log1p(demand / level) is where demand is just at the level."""

Rule = Literal["mean", "zero", "keep", "week", "par"]
"""The ordinary value: the mean over the days, nothing, what it is, a seventh, or at the level."""


@dataclass(frozen=True)
class Channel:
    """A channel of a block: the feature it belongs to, and what it is on an ordinary day."""

    feature: str
    rule: Rule


@dataclass(frozen=True)
class ChannelMap:
    """The channels of a block in order, and the attributes after them."""

    past: tuple[Channel, ...]
    origin: tuple[Channel, ...]
    ahead: tuple[Channel, ...]
    attributes: tuple[Channel, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """Every feature, those that every plan has first."""
        channels = (*self.past, *self.origin, *self.ahead, *self.attributes)
        found = dict.fromkeys((RECENT, TREND, WEEKDAY, SEASON, OWN))
        return tuple(found | dict.fromkeys(channel.feature for channel in channels))

    def fits(self, channels: Channels) -> bool:
        """Tell whether the map has as many channels as the store."""
        return (len(self.past), len(self.origin), len(self.ahead), len(self.attributes)) == (
            channels.past, channels.origin, channels.ahead, len(channels.attributes)
        )  # fmt: skip


def map_channels(plan: FeaturePlan) -> ChannelMap:
    """Return what the channels of a store of this plan mean."""
    day = _day_channels(plan)
    past = [Channel(RECENT, "mean")] * 3 + [Channel(TREND, "mean")] * 2
    origin = [Channel(TREND, "par")] * len(plan.means)
    origin += [Channel(RECENT, "keep")] * (len(ZERO_WINDOWS) + 1)
    origin += [Channel(TREND, "keep"), Channel(RECENT, "keep"), Channel(RECENT, "keep")]
    origin += [Channel(OWN, "keep")]
    ahead = [Channel(WEEKDAY, "mean")] * len(WEEKDAY_DEPTHS)
    if plan.yearly:
        origin += [Channel(SEASON, "par"), Channel(SEASON, "zero"), Channel(SEASON, "keep")]
        ahead += [Channel(SEASON, "par"), Channel(SEASON, "par"), Channel(SEASON, "keep")]
    ahead += [Channel(TREND, "keep")]
    return ChannelMap(
        past=(*past, *day, *_signal_channels(plan.past_signals, knows_soon=False)),
        origin=tuple(origin),
        ahead=(*day, *ahead),
        attributes=(Channel(OWN, "mean"),) * len(plan.attributes),
    )


def _day_channels(plan: FeaturePlan) -> tuple[Channel, ...]:
    """Calendar first, then the signals in the plan's order."""
    found = [Channel(WEEKDAY, "week")] * 7 + [Channel(SEASON, "mean")] * 2
    if plan.yearly:
        found += [Channel(SEASON, "mean")] * 4
    return (*found, *_signal_channels(plan.signals, knows_soon=True))


def _signal_channels(planned: Sequence[PlannedSignal], *, knows_soon: bool) -> tuple[Channel, ...]:
    found: list[Channel] = []
    for one in planned:
        feature = SIGNAL + one.name
        if one.is_number:
            level: Rule = "mean" if one.kind == "plain" else "zero"
            found += [Channel(feature, level), *[Channel(feature, "zero")] * 2]
        elif one.kind == "flag":
            found.append(Channel(feature, "zero"))
        else:
            found += [Channel(feature, "zero")] * (len(one.labels) + knows_soon)
    return tuple(found)


@dataclass(frozen=True)
class Ordinary:
    """The block as it would be on ordinary days: shapes of `past`, `origin` and `ahead`."""

    past: FloatArray
    origin: FloatArray
    ahead: FloatArray


def ordinary_days(block: Block, channels: ChannelMap) -> Ordinary:
    """Return what the block would hold without trend, weekday, season and events."""
    return Ordinary(
        past=_ordinary(block.past, channels.past, axis=1),
        origin=_ordinary(block.origin, channels.origin, axis=None),
        ahead=_ordinary(block.ahead, channels.ahead, axis=2),
    )


def _ordinary(values: FloatArray, channels: tuple[Channel, ...], axis: int | None) -> FloatArray:
    found = values.copy()
    for place, channel in enumerate(channels):
        own = values[..., place]
        if channel.rule == "mean" and axis is not None:
            found[..., place] = own.mean(axis=axis, keepdims=True)
        elif channel.rule == "zero":
            found[..., place] = 0
        elif channel.rule == "week":
            found[..., place] = 1 / 7
        elif channel.rule == "par":
            found[..., place] = PAR
    return found
