"""Receiving a customer's return: the goods are ours again, and in quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    CustomerReturnState,
    LocationKind,
    LotTracking,
    MovementReason,
)
from inventory.queries.places import standard_location
from inventory.rules.units import SMALLEST_UNIT, plain, quantity_fault
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.ledger_balances import execute, fetch
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.lots import LotLabel, ensure_lots
from inventory.services.return_sql import ADD_RECEIVED, SHIPPED_VALUE
from inventory.services.return_states import advance_return, lock_return
from tenancy.errors import Conflict, Invalid, NotFound, Problem, lines_numbered_as
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

Lines = dict[int, CustomerReturnLine]


@dataclass(frozen=True, slots=True)
class ReturnedGoods:
    """What came back of a line, in base units.

    The lot is the one shipped; where that is not known, ``lot_code`` says what is printed on the
    goods, with its expiry if the lot is new.
    """

    line_id: int
    quantity: Decimal
    lot_code: str = ""
    expires_on: date | None = None


class MoreThanExpected(Conflict):
    """More came back than is expected; ``data`` has the numbers of every such line."""

    code = "more_than_expected"

    def __init__(self, over: Sequence[tuple[CustomerReturnLine, Decimal]]) -> None:
        line, coming = over[0]
        message = _(
            "%(sku)s: %(coming)s coming back, but %(received)s of %(expected)s expected have come. "
            "Add the rest as goods that came along."
        ) % {
            "sku": line.product.sku,
            "coming": plain(coming),
            "received": plain(line.quantity_received),
            "expected": plain(line.quantity),
        }
        super().__init__(
            message,
            lines=[
                {
                    "line_id": line.pk,
                    "sku": line.product.sku,
                    "expected": plain(line.quantity),
                    "received": plain(line.quantity_received),
                    "coming": plain(quantity),
                }
                for line, quantity in over
            ],
        )


def receive_return(
    *,
    customer_return_id: int,
    goods: Sequence[ReturnedGoods],
    received_at: datetime | None = None,
) -> CustomerReturn:
    """Take goods of a return back into quarantine, in parts if need be.

    They are worth what they were when they were shipped, if that is known. Raises ``NotFound``,
    ``Invalid``, ``WrongReturnState``, ``MoreThanExpected``, ``SerialNotSingle``.
    """
    require(Permission.FLOOR_WORK)
    allowed = (CustomerReturnState.EXPECTED, CustomerReturnState.RECEIVED)
    with transaction.atomic():
        back = lock_return(customer_return_id, *allowed)
        rows = back.lines.select_related("product", "lot", "shipment_line__shipment")
        lines: Lines = {line.pk: line for line in rows}
        _check(goods, lines)
        _refuse_early(goods, lines, received_at)
        lots = _lots(goods, lines)
        _add_received(goods, lines, lots)
        post_movements(
            lines=_movements(back, goods, lines, lots), effective_at=received_at, document=back
        )
        back.received_at = back.received_at or received_at or timezone.now()
        advance_return(back)
        audit.record("return.received", back, number=back.number, lines=len(goods))
    return back


def _check(goods: Sequence[ReturnedGoods], lines: Lines) -> None:
    if not goods:
        raise Invalid.field("goods", "empty", _("Say what came back."))
    problems: list[Problem] = []
    named: dict[int, str] = {}
    for number, part in enumerate(goods):
        line = lines.get(part.line_id)
        if line is None:
            raise NotFound("return line", part.line_id, line=number)
        if fault := quantity_fault(part.quantity, whole_units=line.product.whole_units):
            problems.append(Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number))
        if (words := _lot_fault(part, line, named)) is not None:
            problems.append(Problem("lot_code", "lot_mismatch", words, number))
        named.setdefault(part.line_id, part.lot_code)
    if problems:
        raise Invalid(problems)


def _lot_fault(part: ReturnedGoods, line: CustomerReturnLine, named: dict[int, str]) -> Any:
    """Return in words what is wrong with the lot, or None."""
    if line.product.lot_tracking == LotTracking.NONE:
        if part.lot_code:
            return _("This product is not tracked by lot: leave the lot out.")
        return None
    if line.lot is not None:
        if part.lot_code and part.lot_code != line.lot.code:
            words = _("Lot %(code)s is expected here. Add goods of another lot as a line.")
            return words % {"code": line.lot.code}
        return None
    if not part.lot_code:
        return _("Enter the lot printed on the goods.")
    if named.get(part.line_id, part.lot_code) != part.lot_code:
        return _("A line is of one lot. Add goods of another lot as a line.")
    return None


def _refuse_early(
    goods: Sequence[ReturnedGoods], lines: Lines, received_at: datetime | None
) -> None:
    if received_at is None:
        return
    shipped = [
        line.shipment_line.shipment.shipped_at
        for line in (lines[part.line_id] for part in goods)
        if line.shipment_line is not None
    ]
    if timezone.is_naive(received_at) or any(received_at < moment for moment in shipped):
        message = _("Goods cannot come back before they were shipped.")
        raise Invalid.field("received_at", "before_shipped", message)


def _lots(goods: Sequence[ReturnedGoods], lines: Lines) -> dict[int, int | None]:
    """Return the lot of each line that goods came of."""
    lots: dict[int, int | None] = {part.line_id: lines[part.line_id].lot_id for part in goods}
    new = [number for number, part in enumerate(goods) if part.lot_code]
    labels = [
        LotLabel(lines[part.line_id].product_id, part.lot_code, part.expires_on)
        for part in (goods[number] for number in new)
    ]
    with lines_numbered_as(new):
        ids = ensure_lots(labels=labels)
    return lots | {goods[number].line_id: pk for number, pk in zip(new, ids, strict=True)}


def _add_received(
    goods: Sequence[ReturnedGoods], lines: Lines, lots: dict[int, int | None]
) -> None:
    coming: dict[int, Decimal] = {}
    for part in goods:
        coming[part.line_id] = coming.get(part.line_id, Decimal(0)) + part.quantity
    columns = [list(coming), list(coming.values()), [lots[pk] for pk in coming]]
    if execute(ADD_RECEIVED, [*columns, active_tenant_id()]) != len(coming):
        over = [
            (lines[pk], quantity)
            for pk, quantity in coming.items()
            if lines[pk].quantity_received + quantity > lines[pk].quantity
        ]
        raise MoreThanExpected(over)


def _movements(
    back: CustomerReturn,
    goods: Sequence[ReturnedGoods],
    lines: Lines,
    lots: dict[int, int | None],
) -> list[MovementLine]:
    customer = standard_location(back.warehouse_id, LocationKind.CUSTOMER)
    quarantine = standard_location(back.warehouse_id, LocationKind.QUARANTINE)
    costs = _costs([lines[part.line_id] for part in goods])
    return [
        MovementLine(
            product_id=lines[part.line_id].product_id,
            from_location_id=customer.pk,
            to_location_id=quarantine.pk,
            quantity=part.quantity,
            reason=MovementReason.CUSTOMER_RETURN,
            lot_id=lots[part.line_id],
            unit_cost=costs.get(part.line_id),
        )
        for part in goods
    ]


def _costs(lines: Sequence[CustomerReturnLine]) -> dict[int, Decimal]:
    """Return by line what a unit was worth when it was shipped, where that is known."""
    shipped = {line.pk: line.shipment_line for line in lines if line.shipment_line is not None}
    if not shipped:
        return {}
    shipments = sorted({line.shipment_id for line in shipped.values()})
    worth = {
        (shipment_id, product_id, lot_id): (value / quantity).quantize(SMALLEST_UNIT)
        for shipment_id, product_id, lot_id, value, quantity in fetch(
            SHIPPED_VALUE, [active_tenant_id(), shipments]
        )
        if quantity
    }
    found = {
        pk: worth.get((line.shipment_id, line.product_id, line.lot_id))
        for pk, line in shipped.items()
    }
    return {pk: cost for pk, cost in found.items() if cost is not None}
