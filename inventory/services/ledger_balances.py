"""The changing of balances: netted per balance, locked in one sorted statement, changed by another.

Used by the ledger alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from django.db import connection

from inventory.services.ledger_errors import InsufficientStock, NotAllocated, ShortLine
from inventory.services.ledger_lines import AllocationLine, MovementLine
from inventory.services.ledger_sql import (
    CHANGE_BALANCES,
    CODES,
    ENSURE_BALANCES,
    LOCK_BALANCES,
    SKUS,
)
from tenancy.scope import active_tenant_id

ZERO = Decimal(0)
Arguments = Sequence[Any] | Mapping[str, Any]


class BalanceKey(NamedTuple):
    product_id: int
    location_id: int
    lot_id: int | None


@dataclass(slots=True)
class Change:
    on_hand: Decimal = ZERO
    allocated: Decimal = ZERO


def net_changes(
    lines: Sequence[MovementLine],
    allocations: Sequence[AllocationLine],
    *,
    sign: int,
    inside: set[int] | None = None,
) -> dict[BalanceKey, Change]:
    """Return the sum of all changes per balance, sorted by key, without those that net to zero.

    ``sign`` is that of the allocations; ``inside`` are the locations that carry balances.
    """
    changes: dict[BalanceKey, Change] = {}
    for line in lines:
        for location_id, delta in (
            (line.from_location_id, -line.quantity),
            (line.to_location_id, line.quantity),
        ):
            if inside is not None and location_id in inside:
                key = BalanceKey(line.product_id, location_id, line.lot_id)
                changes.setdefault(key, Change()).on_hand += delta
    for allocation in allocations:
        key = BalanceKey(allocation.product_id, allocation.location_id, allocation.lot_id)
        changes.setdefault(key, Change()).allocated += sign * allocation.quantity
    changing = {key: c for key, c in changes.items() if c.on_hand or c.allocated}
    return dict(sorted(changing.items(), key=lambda item: _sort_key(item[0])))


def _sort_key(key: BalanceKey) -> tuple[int, int, int]:
    return key.product_id, key.location_id, key.lot_id or 0


def apply_changes(changes: Mapping[BalanceKey, Change]) -> None:
    """Change the balances, all or none, inside the caller's savepoint."""
    if not changes:
        return
    tenant_id = active_tenant_id()
    growing = [key for key, change in changes.items() if change.on_hand > 0]
    if growing:
        execute(ENSURE_BALANCES, [tenant_id, *_columns(growing)])
    rows = fetch(LOCK_BALANCES, [*_columns(list(changes)), tenant_id])
    locked = {BalanceKey(*row[1:4]): row for row in rows}
    found = [key for key in changes if key in locked]
    arguments = [
        [locked[key][0] for key in found],
        [changes[key].on_hand for key in found],
        [changes[key].allocated for key in found],
        tenant_id,
    ]
    if execute(CHANGE_BALANCES, arguments) != len(changes):
        _refuse_shortage(changes, locked)


def _refuse_shortage(
    changes: Mapping[BalanceKey, Change], locked: Mapping[BalanceKey, tuple[Any, ...]]
) -> NoReturn:
    tenant_id = active_tenant_id()
    skus = dict(fetch(SKUS, [tenant_id, [key.product_id for key in changes]]))
    codes = dict(fetch(CODES, [tenant_id, [key.location_id for key in changes]]))
    short, unpromised = [], []
    for key, change in changes.items():
        on_hand, allocated = locked[key][4:] if key in locked else (ZERO, ZERO)
        line = ShortLine(
            product_id=key.product_id,
            sku=skus.get(key.product_id, str(key.product_id)),
            location_id=key.location_id,
            location=codes.get(key.location_id, str(key.location_id)),
            lot_id=key.lot_id,
            on_hand=on_hand,
            allocated=allocated,
            required=change.allocated - change.on_hand,
        )
        if allocated + change.allocated < 0:
            unpromised.append(line)
        elif line.short > 0:
            short.append(line)
    if unpromised:
        raise NotAllocated(unpromised)
    raise InsufficientStock(short)


def _columns(keys: Sequence[BalanceKey]) -> list[list[Any]]:
    """Return products, locations and lots as three arrays, for unnest."""
    return [list(column) for column in zip(*keys, strict=True)]


def execute(sql: str, arguments: Arguments) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return int(cursor.rowcount)


def fetch(sql: str, arguments: Arguments) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return list(cursor.fetchall())
