"""Choosing stock for a wave of order lines: what each channel may have, then which places.

The rules are ``rules/channel_share.py`` and ``rules/lot_choice.py``; the second is done by the
database for all lines at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from django.utils.translation import gettext_lazy as _

from inventory.rules.channel_share import Asking, ChannelRule, share_out
from inventory.rules.units import plain
from inventory.services.allocation_sql import (
    CHOOSE_STOCK,
    FREE_STOCK,
    LOCK_CHANNEL_RULES,
    LOCK_GOOD_LOTS,
    LOCK_STOCK,
    OPEN_LINES,
    PROMISED_TO_CHANNELS,
)
from inventory.services.ledger_balances import fetch
from tenancy.errors import Conflict
from tenancy.scope import active_tenant_id

NOTHING = Decimal(0)
Pair = tuple[int, int]
"""Warehouse and product, by id."""


class OpenLine(NamedTuple):
    """An order line and how much of it nothing is promised for, in base units."""

    line_id: int
    order_id: int
    warehouse_id: int
    product_id: int
    channel_id: int | None
    quantity: Decimal

    @property
    def pair(self) -> Pair:
        return self.warehouse_id, self.product_id


class Choice(NamedTuple):
    """What an order line takes from one place."""

    line_id: int
    product_id: int
    location_id: int
    lot_id: int | None
    quantity: Decimal


class KeptFromChannel(Conflict):
    """The rest is kept for other channels, or from this one."""

    code = "kept_from_channel"

    def __init__(self, *, asked: Decimal, granted: Decimal) -> None:
        numbers = {"asked": plain(asked), "granted": plain(granted)}
        message = _(
            "Of the %(asked)s asked for this channel may be promised %(granted)s: the rest is kept "
            "for other channels or as its buffer."
        )
        super().__init__(message % numbers, **numbers)


def open_lines(order_ids: Sequence[int]) -> list[OpenLine]:
    """Return what is still open of the orders, the most urgent first."""
    return [OpenLine(*row) for row in fetch(OPEN_LINES, [active_tenant_id(), list(order_ids)])]


def choose_stock(lines: Sequence[OpenLine], *, locking: bool = False) -> list[Choice]:
    """Return what each line takes where, first expired first out: the most urgent line first.

    Two statements, four where channels have stock of their own. ``locking`` holds every place
    among which is chosen, so that nobody is faster again.
    """
    rules = hold_channel_rules(lines)
    if locking:
        _fetch_named(LOCK_STOCK, lines)
    granted = _granted(lines, rules)
    asking = [(line, granted[line.line_id]) for line in lines if granted.get(line.line_id)]
    if not asking:
        return []
    arguments = {
        "tenant": active_tenant_id(),
        "lines": [line.line_id for line, _quantity in asking],
        "line_warehouses": [line.warehouse_id for line, _quantity in asking],
        "line_products": [line.product_id for line, _quantity in asking],
        "quantities": [quantity for _line, quantity in asking],
    }
    return [Choice(*row) for row in fetch(CHOOSE_STOCK, arguments)]


class OfLot(Protocol):
    """Goods of a lot, or of none."""

    @property
    def lot_id(self) -> int | None: ...


def hold_lots(choices: Sequence[OfLot]) -> bool:
    """Keep the chosen lots from being held or recalled meanwhile; False when one was already."""
    lots = {choice.lot_id for choice in choices if choice.lot_id is not None}
    if not lots:
        return True
    return len(fetch(LOCK_GOOD_LOTS, [active_tenant_id(), sorted(lots)])) == len(lots)


Rules = dict[Pair, dict[int, ChannelRule]]


def hold_channel_rules(lines: Sequence[OpenLine]) -> Rules:
    """Lock what channels keep of these products until the transaction ends, and return it.

    Who shares stock out by them reads what lies free afterwards, not before.
    """
    pairs = sorted({line.pair for line in lines})
    columns = [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]
    rules: Rules = defaultdict(dict)
    for warehouse, product, channel, kept, buffer in fetch(
        LOCK_CHANNEL_RULES, [*columns, active_tenant_id()]
    ):
        rules[warehouse, product][channel] = ChannelRule(kept, buffer)
    return rules


def granted_to(
    lines: Sequence[OpenLine], rules: Rules, *, free: Mapping[Pair, Decimal] | None = None
) -> dict[int, Decimal]:
    """Return how much of each line its channel may have now, first come first served.

    Where no channel has stock of its own all of a line is granted, whether it is there or not.
    ``free`` is what lies free of each pair, when the caller has read it under the lock.
    """
    granted = _granted(lines, rules, free)
    return {line.line_id: granted.get(line.line_id, NOTHING) for line in lines}


def _granted(
    lines: Sequence[OpenLine], rules: Rules, free: Mapping[Pair, Decimal] | None = None
) -> dict[int, Decimal]:
    """Return how much each line may ask for: all of it, where no channel has stock of its own."""
    granted = {line.line_id: line.quantity for line in lines if line.pair not in rules}
    ruled = [line for line in lines if line.pair in rules]
    if not ruled:
        return granted
    if free is None:
        free = {(row[0], row[1]): row[2] for row in _fetch_named(FREE_STOCK, ruled)}
    for warehouse, product, channel, promised in _fetch_named(PROMISED_TO_CHANNELS, ruled):
        known = rules.get((warehouse, product), {}).get(channel)
        if known is not None:
            rules[warehouse, product][channel] = ChannelRule(
                known.ring_fenced, known.buffer, promised
            )
    asking: dict[Pair, list[Asking]] = defaultdict(list)
    for line in ruled:
        asking[line.pair].append(Asking(line.line_id, line.channel_id, line.quantity))
    for pair, lined_up in asking.items():
        granted.update(share_out(lined_up, free.get(pair, NOTHING), rules[pair]))
    return granted


def _fetch_named(sql: str, lines: Sequence[OpenLine]) -> list[tuple[Any, ...]]:
    arguments = {
        "tenant": active_tenant_id(),
        "products": sorted({line.product_id for line in lines}),
        "warehouses": sorted({line.warehouse_id for line in lines}),
    }
    return fetch(sql, arguments)
