"""What stock is worth: moving average and first in, first out.

Amounts are exact to a millionth. What is taken leaves as its share of what is there, rounded, and
the last unit takes all that is left: so quantity zero is worth exactly zero, and the changes of all
entries sum to the value, whatever was rounded on the way.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

ZERO = Decimal(0)
MILLIONTH = Decimal("0.000001")
# a value has up to 38 digits and is multiplied by a quantity of 18: nothing is rounded but once
EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)

Key = tuple[int, int]
"""Product and warehouse."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a reversal undoes: the movement, and how much value that had moved (never negative)."""

    movement_id: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Move:
    """Goods that leave a warehouse, reach one, or both; outside is None.

    ``unit_cost`` is what this delivery says, ``usual_cost`` what the product usually costs.
    """

    movement_id: int
    product_id: int
    left: int | None
    reached: int | None
    quantity: Decimal
    at: datetime
    unit_cost: Decimal | None = None
    usual_cost: Decimal | None = None
    taken_back: TakenBack | None = None


@dataclass(slots=True)
class Layer:
    """Goods of one delivery that are still there. ``layer_id`` is None while it is new."""

    layer_id: int | None
    movement_id: int | None
    received_at: datetime
    quantity: Decimal
    value: Decimal
    received: Decimal = ZERO


@dataclass(slots=True)
class Worth:
    """Quantity and value of a product in a warehouse.

    ``layers``, oldest first, for first in, first out; None for the moving average. They may be the
    oldest ones only, as long as they cover what leaves.
    """

    quantity: Decimal = ZERO
    value: Decimal = ZERO
    layers: list[Layer] | None = None

    def copy(self) -> Worth:
        """Return the same, to be changed without changing this one."""
        layers = None if self.layers is None else [replace(layer) for layer in self.layers]
        return Worth(self.quantity, self.value, layers)


@dataclass(frozen=True, slots=True)
class Entry:
    """By how much a move changed the stock of a warehouse and its value: both signed alike."""

    movement_id: int
    product_id: int
    warehouse_id: int
    quantity_change: Decimal
    value_change: Decimal
    is_estimated: bool


class NeverCovered(Exception):
    """Moves that take what none of them and nothing before them brings."""


def value_moves(
    worths: Mapping[Key, Worth], moves: Sequence[Move]
) -> tuple[list[Entry], dict[Key, Worth]]:
    """Return the entries of the moves, taken in their order, and what the stock is worth after.

    A move that takes more than is there waits for those behind it, since the moves of one posting
    happen together. Raises ``NeverCovered`` when waiting does not help.
    """
    after = {key: worth.copy() for key, worth in worths.items()}
    entries: list[Entry] = []
    waiting = list(moves)
    with localcontext(EXACT):
        while waiting:
            postponed = [move for move in waiting if not _carried_out(move, after, entries)]
            if len(postponed) == len(waiting):
                raise NeverCovered
            waiting = postponed
    return entries, after


def _carried_out(move: Move, after: Mapping[Key, Worth], entries: list[Entry]) -> bool:
    """Leave, arrive, or leave here and arrive there with exactly the value that left."""
    origin = None if move.left is None else after[move.product_id, move.left]
    target = None if move.reached is None else after[move.product_id, move.reached]
    if origin is not None:
        if origin.quantity < move.quantity:
            return False
        value = _take(origin, move)
        is_estimated = move.taken_back is not None and value != move.taken_back.value
        entries.append(_entry(move, move.left, -move.quantity, -value, is_estimated))
    elif target is not None:
        value, is_estimated = _price(target, move)
    else:
        raise ValueError("a move from outside to outside changes no value")
    if target is not None:
        _give(target, move, value)
        entries.append(_entry(move, move.reached, move.quantity, value, is_estimated))
    return True


def _entry(
    move: Move, warehouse_id: int | None, quantity: Decimal, value: Decimal, is_estimated: bool
) -> Entry:
    if warehouse_id is None:
        raise ValueError("there is no value outside")
    return Entry(move.movement_id, move.product_id, warehouse_id, quantity, value, is_estimated)


def _price(worth: Worth, move: Move) -> tuple[Decimal, bool]:
    """Return what arriving goods are worth, and whether that is a guess."""
    if move.taken_back is not None:
        return move.taken_back.value, False
    if move.unit_cost is not None:
        return (move.quantity * move.unit_cost).quantize(MILLIONTH), False
    if worth.quantity > 0:
        return _share(worth.value, move.quantity, worth.quantity), True
    return (move.quantity * (move.usual_cost or ZERO)).quantize(MILLIONTH), True


def _give(worth: Worth, move: Move, value: Decimal) -> None:
    worth.quantity += move.quantity
    worth.value += value
    if worth.layers is None:
        return
    arrived = move.at
    if move.taken_back is not None and worth.layers:
        # what comes back had left first: it stands in front again
        arrived = min(arrived, worth.layers[0].received_at - timedelta(microseconds=1))
    layer = Layer(None, move.movement_id, arrived, move.quantity, value, received=move.quantity)
    insort(worth.layers, layer, key=lambda known: known.received_at)


def _take(worth: Worth, move: Move) -> Decimal:
    """Take the goods out and return what they were worth."""
    if worth.layers is not None:
        value = _take_from_layers(worth.layers, move)
    elif move.quantity == worth.quantity:
        value = worth.value
    elif move.taken_back is not None:
        value = min(move.taken_back.value, worth.value)
    else:
        value = _share(worth.value, move.quantity, worth.quantity)
    worth.quantity -= move.quantity
    worth.value -= value
    return value


def _take_from_layers(layers: list[Layer], move: Move) -> Decimal:
    """Take the oldest first; a reversal first takes what its original brought."""
    own = None if move.taken_back is None else move.taken_back.movement_id
    turn = layers if own is None else sorted(layers, key=lambda layer: layer.movement_id != own)
    missing, value = move.quantity, ZERO
    for layer in turn:
        if not missing:
            break
        quantity = min(missing, layer.quantity)
        if quantity:
            taken = _share(layer.value, quantity, layer.quantity)
            layer.quantity -= quantity
            layer.value -= taken
            missing -= quantity
            value += taken
    if missing:
        raise ValueError(f"the layers lack {missing} of {move.quantity}")
    return value


def _share(value: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return value if part == whole else (value * part / whole).quantize(MILLIONTH)


def revalued_layers(layers: Sequence[Layer], value: Decimal) -> list[Layer]:
    """Return the layers worth ``value`` together: each its share of it, by value or by quantity."""
    by_value = any(layer.value for layer in layers)
    weights = [layer.value if by_value else layer.quantity for layer in layers]
    changed = []
    left, weight_left = value, sum(weights, ZERO)
    with localcontext(EXACT):
        for layer, weight in zip(layers, weights, strict=True):
            # the last that weighs anything takes all that is left
            share = _share(left, weight, weight_left) if weight else ZERO
            left, weight_left = left - share, weight_left - weight
            changed.append(replace(layer, value=share))
    return changed
