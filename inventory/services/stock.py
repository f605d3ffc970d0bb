"""Stock work without documents: sell over the counter, move within a warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import LocationKind, MovementReason, Product, Warehouse
from inventory.queries.places import standard_locations
from inventory.queries.promisable import free_in_storage
from inventory.rules.business_day import business_day
from inventory.rules.lot_choice import FreeStock, Take, first_expired_first_out
from inventory.rules.units import quantity_fault
from inventory.services.allocation_choice import (
    KeptFromChannel,
    OpenLine,
    Rules,
    granted_to,
    hold_channel_rules,
    hold_lots,
)
from inventory.services.demand import DemandLine, record_demand
from inventory.services.ledger import InsufficientStock, MovementLine, ShortLine, post_movements
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.rows import load, load_many
from tenancy.errors import Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit

NOTHING = Decimal(0)
Free = Mapping[int, Sequence[FreeStock]]
"""What lies free in a warehouse, by product."""
CHOICES = 5
"""How often a sale looks again when others take what it chose."""


@dataclass(frozen=True, slots=True)
class SaleLine:
    """What a customer asks for, in base units; the price per unit makes the revenue."""

    product_id: int
    quantity: Decimal
    unit_price: Decimal | None = None
    channel_id: int | None = None
    segment_id: int | None = None


@dataclass(frozen=True)
class Sale:
    """What left: by line of the sale, and the movements that say so."""

    shipped: list[Decimal]
    movement_ids: list[int]


def ship_sale(
    *,
    warehouse_id: int,
    lines: Sequence[SaleLine],
    sold_at: datetime | None = None,
    allow_short: bool = False,
) -> Sale:
    """Ship from storage to the customer, first expired first out, and record what was asked for.

    With ``allow_short`` what is there leaves and the demand is recorded in full all the same;
    otherwise all or nothing. Lines are served in their order; what is kept for other channels, or
    from the line's own, stays. Raises ``Invalid``, ``NotFound``, ``InsufficientStock``,
    ``KeptFromChannel``.
    """
    require(Permission.FLOOR_WORK)
    if not lines:
        raise Invalid.field("lines", "empty", _("There is nothing to ship."))
    _check_quantities(lines)
    warehouse = load(Warehouse, warehouse_id)
    day = business_day(sold_at or timezone.now(), warehouse.time_zone)
    with transaction.atomic():
        record_demand(lines=[_demand(line, warehouse.pk, day) for line in lines])
        takes, ids = _ship(warehouse.pk, lines, day, sold_at, allow_short=allow_short)
        audit.record("sale.shipped", warehouse, lines=len(lines), movements=len(ids))
    return Sale(shipped=[_total(taken) for taken in takes], movement_ids=ids)


def move_stock(*, lines: Sequence[MovementLine], effective_at: datetime | None = None) -> list[int]:
    """Move stock between places of a warehouse (put-away, move). Raises what the ledger does."""
    require(Permission.FLOOR_WORK)
    allowed = (MovementReason.MOVE, MovementReason.PUT_AWAY)
    problems = [
        Problem("reason", "not_a_move", _("Stock is moved as a move or a put-away."), number)
        for number, line in enumerate(lines)
        if line.reason not in allowed
    ]
    if problems:
        raise Invalid(problems)
    return post_movements(lines=lines, effective_at=effective_at)


def _check_quantities(lines: Sequence[SaleLine]) -> None:
    """Refuse what is no quantity before anything is computed with it."""
    problems = [
        Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number)
        for number, line in enumerate(lines)
        if (fault := quantity_fault(line.quantity, whole_units=False))
    ]
    if problems:
        raise Invalid(problems)


def _demand(line: SaleLine, warehouse_id: int, day: date) -> DemandLine:
    return DemandLine(
        product_id=line.product_id,
        warehouse_id=warehouse_id,
        business_day=day,
        quantity=line.quantity,
        revenue=line.quantity * (line.unit_price or Decimal(0)),
        channel_id=line.channel_id,
        segment_id=line.segment_id,
    )


def _ship(
    warehouse_id: int,
    lines: Sequence[SaleLine],
    day: date,
    sold_at: datetime | None,
    *,
    allow_short: bool,
) -> tuple[list[list[Take]], list[int]]:
    """Choose and post; when somebody took or held a chosen place first, choose again."""
    asking = [
        OpenLine(number, 0, warehouse_id, line.product_id, line.channel_id, line.quantity)
        for number, line in enumerate(lines)
    ]
    rules = hold_channel_rules(asking)
    choices_left = CHOICES
    while True:
        choices_left -= 1
        free = free_in_storage(warehouse_id, {line.product_id for line in lines}, day)
        takes = _choose(asking, rules, free)
        if not allow_short:
            _refuse_shortage(warehouse_id, lines, takes, free)
        movements = _shipments(warehouse_id, lines, takes)
        if not hold_lots(movements):
            if not choices_left:
                _refuse_shortage(warehouse_id, lines, [()] * len(lines), {})
            continue
        try:
            ids = post_movements(lines=movements, effective_at=sold_at) if movements else []
        except InsufficientStock:
            if not choices_left:
                raise
        else:
            return takes, ids


def _choose(asking: Sequence[OpenLine], rules: Rules, free: Free) -> list[list[Take]]:
    """Return what each line takes; what one line takes is gone for the next."""
    totals = {line.pair: _lying(free.get(line.product_id, ())) for line in asking}
    granted = granted_to(asking, rules, free=totals)
    left = dict(free)
    takes = []
    for line in asking:
        stock = left.get(line.product_id, [])
        taken = first_expired_first_out(stock, granted[line.line_id])
        gone = {(take.location_id, take.lot_id): take.quantity for take in taken}
        left[line.product_id] = [
            replace(place, free=place.free - gone.get((place.location_id, place.lot_id), NOTHING))
            for place in stock
        ]
        takes.append(taken)
    return takes


def _shipments(
    warehouse_id: int, lines: Sequence[SaleLine], takes: Sequence[Sequence[Take]]
) -> list[MovementLine]:
    customer = standard_locations(warehouse_id)[LocationKind.CUSTOMER]
    return [
        MovementLine(
            product_id=line.product_id,
            from_location_id=take.location_id,
            to_location_id=customer.pk,
            quantity=take.quantity,
            reason=MovementReason.SHIPMENT,
            lot_id=take.lot_id,
        )
        for line, taken in zip(lines, takes, strict=True)
        for take in taken
    ]


def _refuse_shortage(
    warehouse_id: int,
    lines: Sequence[SaleLine],
    takes: Sequence[Sequence[Take]],
    free: Free,
) -> None:
    asked: dict[int, Decimal] = {}
    found: dict[int, Decimal] = {}
    for line, taken in zip(lines, takes, strict=True):
        asked[line.product_id] = asked.get(line.product_id, NOTHING) + line.quantity
        found[line.product_id] = found.get(line.product_id, NOTHING) + _total(taken)
    lying = {product_id: _lying(free.get(product_id, [])) for product_id in asked}
    short = [product_id for product_id, quantity in asked.items() if lying[product_id] < quantity]
    if not short:
        for product_id, quantity in asked.items():
            if found[product_id] < quantity:
                raise KeptFromChannel(asked=quantity, granted=found[product_id])
        return
    storage = standard_locations(warehouse_id)[LocationKind.STORAGE]
    products = load_many(Product, short)
    raise InsufficientStock(
        [
            ShortLine(
                product_id=product_id,
                sku=products[product_id].sku,
                location_id=storage.pk,
                location=storage.code,
                lot_id=None,
                on_hand=lying[product_id],
                allocated=NOTHING,
                required=asked[product_id],
            )
            for product_id in short
        ]
    )


def _lying(stock: Sequence[FreeStock]) -> Decimal:
    return sum((place.free for place in stock), NOTHING)


def _total(taken: Sequence[Take]) -> Decimal:
    return sum((take.quantity for take in taken), NOTHING)
