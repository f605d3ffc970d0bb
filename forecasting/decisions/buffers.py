"""How many of the last units to keep from a channel, for those whose lost sale is dearer.

Protection levels after Littlewood (1972), "Forecasting and control of passenger bookings", for
several dearer channels added up one by one (EMSR-a; Belobaba 1987, Talluri and van Ryzin 2004,
The Theory and Practice of Revenue Management, ch. 2). There an unsold seat is worth nothing; here
what is kept and not asked for costs its holding until the next delivery and is sold later. So a
unit is kept for channel i from channel j as long as

    P(D_i > y) m_i - (1 - P(D_i > y)) h > m_j,  that is  P(D_i > y) > (m_j + h) / (m_i + h)

with m the margin of a unit, h its holding, and D_i the demand until goods can come again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.decisions.lead_time_demand import LEVELS, ItemDemand
from forecasting.pipeline.series import FloatArray

DRAWS = 2000


@dataclass(frozen=True)
class ChannelNeed:
    """A channel of a product: demand until goods can come again, and the margin of a unit.

    ring_fenced: units that are kept for it already.
    """

    key: int
    demand: ItemDemand
    unit_margin: float
    ring_fenced: float = 0.0


@dataclass(frozen=True)
class Protection:
    """Units kept for one dearer channel, and the chance of demand beyond which none is kept."""

    key: int
    units: float
    ratio: float


@dataclass(frozen=True)
class Buffer:
    """What to keep from a channel: the sum of what is kept for each dearer one."""

    key: int
    units: float
    protections: tuple[Protection, ...]


def suggest_buffers(
    channels: Sequence[ChannelNeed], unit_holding: float, *, whole_units: bool = True
) -> tuple[Buffer, ...]:
    """Return the buffer of every channel, in the order given; none for the dearest.

    unit_holding: money to keep a unit until goods can come again, zero or more.
    """
    return tuple(_buffer(one, channels, unit_holding, whole_units) for one in channels)


def _buffer(
    own: ChannelNeed, channels: Sequence[ChannelNeed], holding: float, whole_units: bool
) -> Buffer:
    protections = []
    for other in channels:
        if other.unit_margin <= own.unit_margin or other.unit_margin <= 0:
            continue
        ratio = (max(own.unit_margin, 0.0) + holding) / (other.unit_margin + holding)
        units = max(other.demand.at(1 - ratio) - other.ring_fenced, 0.0)
        if whole_units:
            units = float(np.floor(units + 1e-9))
        if units > 0:
            protections.append(Protection(other.key, units, ratio))
    return Buffer(own.key, sum(one.units for one in protections), tuple(protections))


def expected_lost_margin(
    channels: Sequence[ChannelNeed], stock: float, buffers: Mapping[int, float]
) -> float:
    """Return the margin expected to be lost until goods can come again, under given buffers.

    Channels ask independently of each other, mixed in time: what is left beyond the buffers is
    shared by what each has asked for, from the channel with the largest buffer to that with none.
    """
    asked = np.stack([_draws(one.demand, number) for number, one in enumerate(channels)])
    margins = np.array([max(one.unit_margin, 0.0) for one in channels])
    fenced = sum(one.ring_fenced for one in channels)
    kept = np.array([buffers.get(one.key, 0.0) + fenced - one.ring_fenced for one in channels])
    sold = sold_under_buffers(asked, stock, kept)
    return float((margins @ np.maximum(asked - sold, 0.0)).mean())


def sold_under_buffers(asked: FloatArray, stock: float, kept: FloatArray) -> FloatArray:
    """Return what each channel is sold when all ask evenly over time: [C, N] -> [C, N].

    Stock falls while all sell at their pace; a channel stops when the stock has fallen to its
    buffer, and those that go on share the rest.
    """
    sold = np.zeros_like(asked)
    left = np.full(asked.shape[1], max(float(stock), 0.0))
    open_demand = asked.astype(float)
    for level in sorted(set(kept.tolist()), reverse=True):
        selling = kept <= level
        total = open_demand[selling].sum(axis=0)
        room = np.maximum(left - level, 0.0)
        share = np.divide(room, total, out=np.ones_like(total), where=total > room)
        part = np.where(selling[:, None], open_demand * share, 0.0)
        # those that stop at this level sell no more of what they still ask for
        sold += part
        left -= part.sum(axis=0)
        open_demand = np.where((kept < level)[:, None], open_demand - part, 0.0)
    return sold


def _draws(demand: ItemDemand, number: int) -> FloatArray:
    """Demand at evenly spread probabilities, in an order of the channel's own."""
    spread = (np.arange(DRAWS) + 0.5) / DRAWS
    shuffled = np.random.default_rng([20, number]).permutation(spread)
    found: FloatArray = np.interp(shuffled, LEVELS, demand.values)
    return found
