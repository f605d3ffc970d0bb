"""Receiving: goods of a purchase order arrive, in parts if need be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    LeadTimeObservation,
    LocationKind,
    LotTracking,
    MovementReason,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
)
from inventory.queries.places import standard_locations
from inventory.rules.business_day import business_day
from inventory.rules.units import quantity_fault
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.lots import LotLabel, ensure_lots
from inventory.services.purchasing import WrongOrderState
from inventory.services.rows import load
from tenancy.errors import Conflict, Invalid, NotFound, Problem, lines_numbered_as
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

OPEN = (PurchaseOrderState.PLACED, PurchaseOrderState.PARTIALLY_RECEIVED)


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What arrived of one order line, in base units; ``damaged`` of it goes to the damaged place.

    Lot-tracked products need ``lot_code``; an order line may come in several lots, one line each.
    """

    line_id: int
    quantity: Decimal
    lot_code: str = ""
    expires_on: date | None = None
    damaged: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class OverLine:
    """An order line of which too much would have come."""

    line_id: int
    sku: str
    ordered: Decimal
    tolerance: Decimal
    received: Decimal
    arriving: Decimal


class OverReceipt(Conflict):
    """More would have come than was ordered plus the tolerance; ``lines`` has the numbers."""

    code = "over_receipt"

    def __init__(self, lines: Sequence[OverLine]) -> None:
        self.lines = tuple(lines)
        first = self.lines[0]
        message = _(
            "%(sku)s: %(arriving)s arriving, but %(received)s of %(ordered)s have come already."
        ) % {
            "sku": first.sku,
            "arriving": _plain(first.arriving),
            "received": _plain(first.received),
            "ordered": _plain(first.ordered),
        }
        data = [
            {
                "line_id": line.line_id,
                "sku": line.sku,
                "ordered": _plain(line.ordered),
                "tolerance": _plain(line.tolerance),
                "received": _plain(line.received),
                "arriving": _plain(line.arriving),
            }
            for line in self.lines
        ]
        super().__init__(message, lines=data)


# the guard: two receipts of one line add up, and the second is refused if that is too much
ADD_RECEIVED = """
    UPDATE inventory_purchaseorderline line
    SET quantity_received = line.quantity_received + arriving.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS arriving (id, quantity)
    WHERE line.tenant_id = %s AND line.id = arriving.id
        AND line.quantity_received + arriving.quantity
            <= line.quantity + line.over_receipt_tolerance
"""


def receive_order(
    *,
    order_id: int,
    lines: Sequence[ReceiptLine],
    received_at: datetime | None = None,
    to_location_id: int | None = None,
) -> PurchaseOrder:
    """Receive goods of a placed order into ``to_location_id`` (default: the receiving dock).

    When a line is complete it yields a lead-time observation; when all are, the order is received.
    Raises ``NotFound``, ``Invalid``, ``WrongOrderState``, ``OverReceipt``.
    """
    require(Permission.FLOOR_WORK)
    moment = received_at or timezone.now()
    with transaction.atomic():
        order = load(PurchaseOrder, order_id, lock=True)
        if order.state not in OPEN:
            raise WrongOrderState(order, *OPEN)
        order_lines = {line.pk: line for line in order.lines.select_related("product")}
        _check(lines, order_lines, order, moment)
        arriving = _sum_by_line(lines)
        _add_received(arriving, order_lines)
        movements, numbers = _movements(order, lines, order_lines, to_location_id)
        with lines_numbered_as(numbers):
            post_movements(lines=movements, effective_at=received_at, document=order)
        completed = _completed(order_lines, arriving)
        _observe_lead_times(order, completed, moment)
        _advance(order, order_lines, moment)
        audit.record("purchase_order.received", order, number=order.number, lines=len(lines))
    return order


def _check(
    lines: Sequence[ReceiptLine],
    order_lines: dict[int, PurchaseOrderLine],
    order: PurchaseOrder,
    moment: datetime,
) -> None:
    if not lines:
        raise Invalid.field("lines", "empty", _("There is nothing to receive."))
    if timezone.is_naive(moment) or (order.placed_at is not None and moment < order.placed_at):
        message = _("Goods cannot arrive before the order was placed.")
        raise Invalid.field("received_at", "before_placed", message)
    for number, line in enumerate(lines):
        if line.line_id not in order_lines:
            raise NotFound("order line", line.line_id, line=number)
    problems = [
        problem
        for number, line in enumerate(lines)
        for problem in _problems(number, line, order_lines[line.line_id])
    ]
    if problems:
        raise Invalid(problems)


def _problems(number: int, line: ReceiptLine, order_line: PurchaseOrderLine) -> Iterable[Problem]:
    product = order_line.product
    whole = product.whole_units
    if fault := quantity_fault(line.quantity, whole_units=whole):
        message = _("The quantity is not a positive, exact number of base units.")
        yield Problem("quantity", fault.value, message, number)
        return
    if line.damaged and quantity_fault(line.damaged, whole_units=whole):
        message = _("The damaged quantity is not an exact number of base units.")
        yield Problem("damaged", "not_exact", message, number)
    elif line.damaged > line.quantity:
        message = _("More is damaged than arrived.")
        yield Problem("damaged", "more_than_arrived", message, number)
    if bool(line.lot_code) != (product.lot_tracking != LotTracking.NONE):
        message = _("A lot is named for products tracked by lot, and only for those.")
        yield Problem("lot_code", "lot_mismatch", message, number)


def _sum_by_line(lines: Sequence[ReceiptLine]) -> dict[int, Decimal]:
    arriving: dict[int, Decimal] = {}
    for line in lines:
        arriving[line.line_id] = arriving.get(line.line_id, Decimal(0)) + line.quantity
    return arriving


def _add_received(arriving: dict[int, Decimal], order_lines: dict[int, PurchaseOrderLine]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ADD_RECEIVED, [list(arriving), list(arriving.values()), active_tenant_id()])
        if cursor.rowcount == len(arriving):
            return
    over = [
        OverLine(
            line_id=line.pk,
            sku=line.product.sku,
            ordered=line.quantity,
            tolerance=line.over_receipt_tolerance,
            received=line.quantity_received,
            arriving=quantity,
        )
        for line, quantity in ((order_lines[pk], quantity) for pk, quantity in arriving.items())
        if line.quantity_received + quantity > line.quantity + line.over_receipt_tolerance
    ]
    raise OverReceipt(over)


def _movements(
    order: PurchaseOrder,
    lines: Sequence[ReceiptLine],
    order_lines: dict[int, PurchaseOrderLine],
    to_location_id: int | None,
) -> tuple[list[MovementLine], list[int]]:
    """Return the movements, and for each the number of the receipt line it belongs to."""
    places = standard_locations(order.warehouse_id)
    dock = places[LocationKind.RECEIVING].pk if to_location_id is None else to_location_id
    damaged = places[LocationKind.DAMAGED].pk
    lots = _lots(lines, order_lines)
    movements: list[MovementLine] = []
    numbers: list[int] = []
    for number, line in enumerate(lines):
        order_line = order_lines[line.line_id]
        parts = (
            (dock, line.quantity - line.damaged),
            (damaged, line.damaged),
        )
        movements += [
            MovementLine(
                product_id=order_line.product_id,
                from_location_id=places[LocationKind.SUPPLIER].pk,
                to_location_id=location_id,
                quantity=quantity,
                reason=MovementReason.RECEIPT,
                lot_id=lots.get((order_line.product_id, line.lot_code)),
                unit_cost=order_line.unit_price,
            )
            for location_id, quantity in parts
            if quantity
        ]
        numbers += [number] * (len(movements) - len(numbers))
    return movements, numbers


def _lots(
    lines: Sequence[ReceiptLine], order_lines: dict[int, PurchaseOrderLine]
) -> dict[tuple[int, str], int]:
    labels = [
        LotLabel(order_lines[line.line_id].product_id, line.lot_code, line.expires_on)
        for line in lines
        if line.lot_code
    ]
    with lines_numbered_as([number for number, line in enumerate(lines) if line.lot_code]):
        ids = ensure_lots(labels=labels)
    return {(label.product_id, label.code): pk for label, pk in zip(labels, ids, strict=True)}


def _completed(
    order_lines: dict[int, PurchaseOrderLine], arriving: dict[int, Decimal]
) -> list[PurchaseOrderLine]:
    """Bring the loaded lines up to date and return those that this receipt completed."""
    completed = []
    for pk, quantity in arriving.items():
        line = order_lines[pk]
        was_open = line.quantity_received < line.quantity
        line.quantity_received += quantity
        if was_open and line.quantity_received >= line.quantity:
            completed.append(line)
    return completed


def _observe_lead_times(
    order: PurchaseOrder, completed: Sequence[PurchaseOrderLine], moment: datetime
) -> None:
    assert order.placed_at is not None  # noqa: S101 - only placed orders are received
    zone = order.warehouse.time_zone
    placed_on, received_on = business_day(order.placed_at, zone), business_day(moment, zone)
    LeadTimeObservation.objects.bulk_create(
        [
            LeadTimeObservation(
                supplier_id=order.supplier_id,
                product_id=line.product_id,
                placed_on=placed_on,
                received_on=received_on,
                promised_days=(line.promised_on - placed_on).days if line.promised_on else None,
                lead_time_days=(received_on - placed_on).days,
            )
            for line in completed
        ]
    )


def _advance(
    order: PurchaseOrder, order_lines: dict[int, PurchaseOrderLine], moment: datetime
) -> None:
    if all(line.quantity_received >= line.quantity for line in order_lines.values()):
        order.state = PurchaseOrderState.RECEIVED
        order.received_at = moment
    else:
        order.state = PurchaseOrderState.PARTIALLY_RECEIVED
    order.version += 1
    order.save()


def _plain(quantity: Decimal) -> str:
    return format(quantity.normalize(), "f")
