"""The value of stock, kept by the ledger in the transaction of the posting.

Only lines that cross the edge of a warehouse change value. Their value rows are locked before any
balance is, in one sorted statement: the coarse lock first, so that postings of one product wait for
each other there and hold nothing the other wants. The pure rule computes, a fixed number of
statements writes. Used by the ledger alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from inventory.models import StockMovement, ValuationMethod
from inventory.rules.valuation import (
    Entry,
    Key,
    Layer,
    Move,
    NeverCovered,
    TakenBack,
    Worth,
    value_moves,
)
from inventory.services.ledger_balances import execute, fetch
from inventory.services.ledger_errors import ValueOutOfStep
from inventory.services.ledger_lines import LineFacts, MovementLine
from inventory.services.ledger_values_sql import (
    LOCK_VALUES,
    METHOD_STAYS,
    MOVED_VALUE,
    OPEN_LAYERS,
    TAKE_ON_VALUES,
    WRITE_LAYERS,
    WRITE_VALUES,
)
from tenancy.errors import Invalid
from tenancy.scope import active_tenant_id

OLDEST_LAYERS = 50
"""How many layers of a product are read at first; more only when these do not cover what leaves."""


class Crossing(NamedTuple):
    """A line that crosses the edge of a warehouse; outside is None."""

    number: int
    product_id: int
    left: int | None
    reached: int | None


@dataclass(frozen=True)
class LockedValue:
    row_id: int
    method: str
    quantity: Decimal
    value: Decimal


@dataclass(frozen=True)
class Posted:
    """What the ledger wrote: the movements of the lines, when, and what they take back."""

    lines: Sequence[MovementLine]
    movement_ids: Sequence[int]
    business_days: Sequence[date]
    moment: datetime
    original: StockMovement | None = None


def crossings(lines: Sequence[MovementLine], facts: LineFacts) -> list[Crossing]:
    """Return the lines that change value, in their order."""
    found = []
    for number, line in enumerate(lines):
        left = facts.warehouse_inside(line.from_location_id)
        reached = facts.warehouse_inside(line.to_location_id)
        if left != reached:
            found.append(Crossing(number, line.product_id, left, reached))
    return found


def lock_values(crossed: Sequence[Crossing], facts: LineFacts) -> dict[Key, LockedValue]:
    """Lock what the crossing lines change, sorted; take on what was never valued before."""
    if not crossed:
        return {}
    keys = sorted(
        {
            (crossing.product_id, warehouse_id)
            for crossing in crossed
            for warehouse_id in (crossing.left, crossing.reached)
            if warehouse_id is not None
        }
    )
    tenant_id = active_tenant_id()
    unknown = [key for key in keys if key[1] not in facts.products[key[0]].valued_in]
    if unknown:
        take_on(unknown)
    rows = fetch(LOCK_VALUES, [*_columns(keys), tenant_id])
    return {(row[0], row[1]): LockedValue(*row[2:]) for row in rows}


def take_on(keys: Sequence[Key]) -> None:
    """Begin to value products in warehouses, with what lies there and the tenant's method."""
    tenant_id = active_tenant_id()
    fetch(METHOD_STAYS, [tenant_id])
    execute(TAKE_ON_VALUES, {"tenant": tenant_id, **_named(keys)})


def write_values(
    crossed: Sequence[Crossing], locked: Mapping[Key, LockedValue], facts: LineFacts, posted: Posted
) -> None:
    """Value the crossing lines in their order and write the entries, the values and the layers."""
    if not crossed:
        return
    before = _worths(crossed, locked, posted)
    moves = _moves(crossed, facts, posted)
    try:
        entries, after = value_moves(before, moves)
    except NeverCovered as error:
        _refuse_out_of_step(before, moves)
        message = _("These lines take goods that only they bring back: post them one by one.")
        raise Invalid.field("lines", "circular", message) from error
    _write_entries(entries, locked, before, after, posted)
    _write_layers(before, after)


def _worths(
    crossed: Sequence[Crossing], locked: Mapping[Key, LockedValue], posted: Posted
) -> dict[Key, Worth]:
    worths = {key: Worth(row.quantity, row.value) for key, row in locked.items()}
    layered = [key for key, row in locked.items() if row.method == ValuationMethod.FIFO]
    if not layered:
        return worths
    leaving: dict[Key, Decimal] = {}
    for crossing in crossed:
        if crossing.left is not None:
            key = crossing.product_id, crossing.left
            quantity = posted.lines[crossing.number].quantity
            leaving[key] = leaving.get(key, Decimal(0)) + quantity
    for key in layered:
        worths[key].layers = []
    # what only arrives goes to the end of the queue; a reversal may go anywhere in it
    touched = layered if posted.original else [key for key in layered if key in leaving]
    most = None if posted.original else OLDEST_LAYERS
    _load_layers(worths, touched, most)
    short = [key for key in touched if most and _covered(worths[key]) < leaving[key]]
    _load_layers(worths, [key for key in short if len(worths[key].layers or ()) == most], None)
    return worths


def _load_layers(worths: dict[Key, Worth], keys: Sequence[Key], most: int | None) -> None:
    if not keys:
        return
    arguments = {"tenant": active_tenant_id(), "most": most, **_named(keys)}
    found: dict[Key, list[Layer]] = {key: [] for key in keys}
    for product_id, warehouse_id, *layer in fetch(OPEN_LAYERS, arguments):
        found[product_id, warehouse_id].append(Layer(*layer))
    for key, layers in found.items():
        worths[key].layers = layers


def _covered(worth: Worth) -> Decimal:
    return sum((layer.quantity for layer in worth.layers or ()), Decimal(0))


def _moves(crossed: Sequence[Crossing], facts: LineFacts, posted: Posted) -> list[Move]:
    taken_back = _taken_back(posted.original)
    moves = []
    for crossing in crossed:
        line = posted.lines[crossing.number]
        move = Move(
            movement_id=posted.movement_ids[crossing.number],
            product_id=crossing.product_id,
            left=crossing.left,
            reached=crossing.reached,
            quantity=line.quantity,
            at=posted.moment,
            unit_cost=line.unit_cost,
            usual_cost=facts.products[crossing.product_id].unit_cost,
            taken_back=taken_back,
        )
        moves.append(move)
    return moves


def _taken_back(original: StockMovement | None) -> TakenBack | None:
    """Return what the original moved; None when it is older than the values."""
    if original is None:
        return None
    rows = fetch(MOVED_VALUE, [active_tenant_id(), original.pk])
    return TakenBack(original.pk, rows[0][0]) if rows else None


def _write_entries(
    entries: Sequence[Entry],
    locked: Mapping[Key, LockedValue],
    before: Mapping[Key, Worth],
    after: Mapping[Key, Worth],
    posted: Posted,
) -> None:
    tenant_id = active_tenant_id()
    days = dict(zip(posted.movement_ids, posted.business_days, strict=True))
    keys = list(locked)
    changed = execute(
        WRITE_VALUES,
        [
            tenant_id,
            posted.moment,
            [entry.movement_id for entry in entries],
            [entry.product_id for entry in entries],
            [entry.warehouse_id for entry in entries],
            [entry.quantity_change for entry in entries],
            [entry.value_change for entry in entries],
            [entry.is_estimated for entry in entries],
            [days[entry.movement_id] for entry in entries],
            [locked[key].row_id for key in keys],
            [after[key].quantity - before[key].quantity for key in keys],
            [after[key].value - before[key].value for key in keys],
            tenant_id,
        ],
    )
    if changed != len(keys):
        raise RuntimeError(f"{len(keys)} values are locked, {changed} were changed")


def _write_layers(before: Mapping[Key, Worth], after: Mapping[Key, Worth]) -> None:
    used: list[Layer] = []
    new: list[tuple[Key, Layer]] = []
    for key, worth in after.items():
        known = {layer.layer_id: layer for layer in before[key].layers or ()}
        for layer in worth.layers or ():
            if layer.layer_id is None:
                new.append((key, layer))
            elif layer != known[layer.layer_id]:
                used.append(layer)
    if not used and not new:
        return
    tenant_id = active_tenant_id()
    execute(
        WRITE_LAYERS,
        [
            [layer.layer_id for layer in used],
            [layer.quantity for layer in used],
            [layer.value for layer in used],
            tenant_id,
            tenant_id,
            [key[0] for key, _layer in new],
            [key[1] for key, _layer in new],
            [layer.movement_id for _key, layer in new],
            [layer.received_at for _key, layer in new],
            [layer.received for _key, layer in new],
            [layer.quantity for _key, layer in new],
            [layer.value for _key, layer in new],
        ],
    )


def _refuse_out_of_step(worths: Mapping[Key, Worth], moves: Iterable[Move]) -> None:
    """Say so when it is not the lines: the balances had enough, the value knows of less."""
    left = {key: worth.quantity for key, worth in worths.items()}
    for move in moves:
        for warehouse_id, change in ((move.left, -move.quantity), (move.reached, move.quantity)):
            if warehouse_id is not None:
                left[move.product_id, warehouse_id] += change
    for (product_id, warehouse_id), quantity in left.items():
        if quantity < 0:
            raise ValueOutOfStep(product_id, warehouse_id, missing=-quantity)


def _columns(keys: Sequence[Key]) -> list[list[int]]:
    return [[key[0] for key in keys], [key[1] for key in keys]]


def _named(keys: Sequence[Key]) -> dict[str, list[int]]:
    products, warehouses = _columns(keys)
    return {"products": products, "warehouses": warehouses}
