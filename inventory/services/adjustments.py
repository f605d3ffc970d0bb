"""Adjustments: what is damaged, scrapped, expired or found is booked with its reason.

Up to the tenant's limit whoever works on the floor does it, above it a manager.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import Location, LocationKind, MovementReason, StockMovement, Warehouse
from inventory.queries.costs import unit_costs
from inventory.queries.movements import get_movement
from inventory.queries.places import standard_locations
from inventory.queries.settings import inventory_settings
from inventory.services.ledger import MovementLine, post_movements, reverse_movement
from inventory.services.rows import load
from tenancy.errors import Conflict, Invalid, Problem, Text
from tenancy.permissions import Permission, allows, require
from tenancy.scope import Actor
from tenancy.services import audit

__all__ = [
    "ADJUSTMENT_REASONS",
    "AboveAdjustmentLimit",
    "Adjustment",
    "adjust_stock",
    "take_back_movement",
]

NOTHING = Decimal(0)
TAKING = frozenset({MovementReason.DAMAGE, MovementReason.SCRAP, MovementReason.EXPIRED})
"""Reasons that only take away."""
ADJUSTMENT_REASONS = frozenset({*TAKING, MovementReason.COUNT, MovementReason.FOUND})


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A signed change in base units: below zero takes away, above zero adds.

    Damaged goods go to the place for them and stay on hand; what else is taken goes to the loss
    location, and what is added comes from it.
    """

    product_id: int
    location_id: int
    change: Decimal
    reason: MovementReason
    lot_id: int | None = None
    note: str = ""


class AboveAdjustmentLimit(Conflict):
    """An adjustment worth more than may be booked without a manager; ``value`` None: unknown."""

    code = "above_adjustment_limit"

    def __init__(self, value: Decimal | None, limit: Decimal) -> None:
        self.value, self.limit = value, limit
        message: Text
        if value is None:
            message = _(
                "What this adjustment is worth is not known: a product has no unit cost. A manager"
                " has to make it."
            )
        elif not limit:
            message = _("Every adjustment is made by a manager here.")
        else:
            message = _(
                "This adjustment is worth %(value)s, above the limit of %(limit)s. A manager has"
                " to make it."
            ) % {"value": f"{value:.2f}", "limit": f"{limit:.2f}"}
        data = {"value": None if value is None else _plain(value), "limit": _plain(limit)}
        super().__init__(message, **data)


def adjust_stock(
    *,
    warehouse_id: int,
    adjustments: Sequence[Adjustment],
    effective_at: datetime | None = None,
) -> list[int]:
    """Correct what is on hand, each change with its reason; return the movements' ids.

    Raises ``Invalid``, ``NotFound``, ``InsufficientStock``, and ``AboveAdjustmentLimit`` when all
    of it together is worth more than the actor may adjust.
    """
    actor = require(Permission.FLOOR_WORK)
    warehouse = load(Warehouse, warehouse_id)
    places = standard_locations(warehouse.pk)
    problems = [
        problem
        for number, line in enumerate(adjustments)
        for problem in _problems(number, line, places)
    ]
    if problems:
        raise Invalid(problems)
    value = _worth(warehouse.pk, [(line.product_id, line.change) for line in adjustments])
    _refuse_above_limit(actor, value)
    ids = post_movements(
        lines=[_movement(line, places) for line in adjustments], effective_at=effective_at
    )
    audit.record(
        "stock.adjusted",
        warehouse,
        lines=len(adjustments),
        movements=ids[:50],
        value=None if value is None else _plain(value),
    )
    return ids


def take_back_movement(
    *, movement_id: int, effective_at: datetime | None = None, note: str = ""
) -> StockMovement:
    """Take a movement back, once; taking an adjustment back is one as well, with the same limit.

    Raises ``NotFound``, ``CorrectTheDocument``, ``AlreadyReversed``, ``InsufficientStock``,
    ``AboveAdjustmentLimit``.
    """
    actor = require(Permission.FLOOR_WORK)
    original = get_movement(movement_id)
    if original.reason in ADJUSTMENT_REASONS:
        place = original.from_location.warehouse_id
        _refuse_above_limit(actor, _worth(place, [(original.product_id, original.quantity)]))
    return reverse_movement(movement_id=movement_id, effective_at=effective_at, note=note)


def _problems(
    number: int, line: Adjustment, places: Mapping[LocationKind, Location]
) -> Iterable[Problem]:
    if line.reason not in ADJUSTMENT_REASONS:
        message = _("This reason does not adjust stock.")
        yield Problem("reason", "not_an_adjustment", message, number)
        return
    if line.change.is_nan() or not line.change:
        return  # the ledger says what is wrong with the number
    is_taken = line.change.is_signed()
    if line.reason in TAKING and not is_taken:
        message = _("With this reason stock is taken away: give a change below zero.")
        yield Problem("change", "wrong_direction", message, number)
    if line.reason == MovementReason.FOUND and is_taken:
        message = _("Found goods are added: give a change above zero.")
        yield Problem("change", "wrong_direction", message, number)
    if line.reason == MovementReason.DAMAGE:
        damaged = places.get(LocationKind.DAMAGED)
        if damaged is None:
            message = _("The warehouse has no place for damaged goods in use.")
            yield Problem("reason", "no_damaged_place", message, number)
        elif damaged.pk == line.location_id:
            message = _("These goods lie with the damaged ones already: scrap them instead.")
            yield Problem("location_id", "damaged_already", message, number)


def refuse_above_limit(
    actor: Actor, warehouse_id: int, changes: Sequence[tuple[int, Decimal]]
) -> None:
    """Refuse changes by product that are worth more than the actor may adjust.

    Raises ``AboveAdjustmentLimit``.
    """
    if not allows(actor, Permission.ADJUST):
        _refuse_above_limit(actor, _worth(warehouse_id, changes))


def _worth(warehouse_id: int, changes: Sequence[tuple[int, Decimal]]) -> Decimal | None:
    """Return what the changes are worth together, or None when a unit cost is missing."""
    costs = unit_costs(warehouse_id, {product_id for product_id, _change in changes})
    total = NOTHING
    for product_id, change in changes:
        cost = costs.get(product_id)
        if cost is None or not change.is_finite():
            return None
        total += change.copy_abs() * cost
    return total


def _refuse_above_limit(actor: Actor, value: Decimal | None) -> None:
    if allows(actor, Permission.ADJUST):
        return
    limit = Decimal(inventory_settings().adjustment_limit)
    if value is None or not limit or value > limit:
        raise AboveAdjustmentLimit(value, limit)


def _movement(line: Adjustment, places: Mapping[LocationKind, Location]) -> MovementLine:
    is_taken = line.change.is_signed()
    kind = LocationKind.DAMAGED if line.reason == MovementReason.DAMAGE else LocationKind.LOSS
    other = places[kind].pk
    return MovementLine(
        product_id=line.product_id,
        from_location_id=line.location_id if is_taken else other,
        to_location_id=other if is_taken else line.location_id,
        quantity=line.change.copy_abs(),
        reason=line.reason,
        lot_id=line.lot_id,
        note=line.note,
    )


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
