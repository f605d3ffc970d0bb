"""What a channel may be promised: neither what is kept for others nor the last units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """``ring_fenced`` is kept for the channel, ``buffer`` from it; ``promised``: live, to it."""

    ring_fenced: Decimal = NOTHING
    buffer: Decimal = NOTHING
    promised: Decimal = NOTHING

    @property
    def still_kept(self) -> Decimal:
        """Return what others may not take: what is promised to the channel is kept already."""
        return max(self.ring_fenced - self.promised, NOTHING)


@dataclass(frozen=True, slots=True)
class Asking:
    """A line of a channel, or of none, that asks for a quantity of the one product there is."""

    line: int
    channel_id: int | None
    quantity: Decimal


def may_take(channel_id: int | None, free: Decimal, rules: Mapping[int, ChannelRule]) -> Decimal:
    """Return what the channel may be promised of ``free``, never below zero."""
    kept = sum((r.still_kept for other, r in rules.items() if other != channel_id), NOTHING)
    own = None if channel_id is None else rules.get(channel_id)
    buffer = NOTHING if own is None else own.buffer
    return max(free - kept - buffer, NOTHING)


def share_out(
    asking: Iterable[Asking], free: Decimal, rules: Mapping[int, ChannelRule]
) -> dict[int, Decimal]:
    """Return what each line gets, first come first served; lines that get nothing are left out."""
    left = free
    kept = dict(rules)
    got: dict[int, Decimal] = {}
    for one in asking:
        taken = min(one.quantity, may_take(one.channel_id, left, kept))
        if not taken:
            continue
        got[one.line] = taken
        left -= taken
        own = None if one.channel_id is None else kept.get(one.channel_id)
        if one.channel_id is not None and own is not None:
            kept[one.channel_id] = ChannelRule(own.ring_fenced, own.buffer, own.promised + taken)
    return got
