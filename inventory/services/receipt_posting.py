"""What a completed receipt does: to the order, to the stock, and to what is known of lead times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from inventory.models import (
    DifferenceReason,
    LeadTimeObservation,
    LocationKind,
    MovementReason,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Receipt,
    ReceiptLine,
)
from inventory.queries.places import standard_locations
from inventory.rules.business_day import business_day
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.lots import LotLabel, ensure_lots
from inventory.services.receipt_errors import (
    DifferenceUnexplained,
    DifferentLine,
    OverLine,
    OverReceipt,
)
from tenancy.errors import lines_numbered_as
from tenancy.scope import active_tenant_id

OrderLines = Mapping[int, PurchaseOrderLine]

# the guard: two receipts of one line add up, and the second is refused if that is too much
ADD_RECEIVED = """
    UPDATE inventory_purchaseorderline line
    SET quantity_received = line.quantity_received + arriving.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS arriving (id, quantity)
    WHERE line.tenant_id = %s AND line.id = arriving.id
        AND line.quantity_received + arriving.quantity
            <= line.quantity + line.over_receipt_tolerance
"""
LINK_MOVEMENTS = """
    UPDATE inventory_receiptline line
    SET movement_id = posted.movement_id, damaged_movement_id = posted.damaged_id,
        unit_cost = posted.unit_cost, difference_reason = posted.reason
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[], %s::text[])
        AS posted (id, movement_id, damaged_id, unit_cost, reason)
    WHERE line.tenant_id = %s AND line.id = posted.id
"""


def sum_by_order_line(lines: Sequence[ReceiptLine]) -> dict[int, Decimal]:
    """Return what arrives of each order line that a receipt names."""
    arriving: dict[int, Decimal] = {}
    for line in lines:
        if line.order_line_id is not None:
            so_far = arriving.get(line.order_line_id, Decimal(0))
            arriving[line.order_line_id] = so_far + line.quantity
    return arriving


def differences(arriving: Mapping[int, Decimal], order_lines: OrderLines) -> list[DifferentLine]:
    """Return the order lines of which more or less arrives than is open, with the numbers."""
    found = []
    for pk, quantity in arriving.items():
        line = order_lines[pk]
        still_open = max(line.quantity - line.quantity_received, Decimal(0))
        if quantity != still_open:
            found.append(DifferentLine(pk, line.product.sku, still_open, quantity))
    return found


def explain(
    lines: Sequence[ReceiptLine], different: Sequence[DifferentLine], *, plainly: bool
) -> None:
    """Refuse differences without a fitting reason; ``plainly`` writes the obvious one instead."""
    unexplained = []
    for difference in different:
        mine = [line for line in lines if line.order_line_id == difference.line_id]
        fitting = (
            [DifferenceReason.OVER_DELIVERED]
            if difference.is_over
            else DifferenceReason.of_too_little()
        )
        if any(line.difference_reason in fitting for line in mine):
            continue
        if not plainly:
            unexplained.append(difference)
        elif not mine[-1].difference_reason:
            mine[-1].difference_reason = fitting[0]
    if unexplained:
        raise DifferenceUnexplained(unexplained)


def add_received(arriving: Mapping[int, Decimal], order_lines: OrderLines) -> None:
    """Count what arrives as received, or raise ``OverReceipt``; the update decides."""
    adding = {pk: quantity for pk, quantity in arriving.items() if quantity}
    with connection.cursor() as cursor:
        cursor.execute(ADD_RECEIVED, [list(adding), list(adding.values()), active_tenant_id()])
        if cursor.rowcount == len(adding):
            return
    now = {
        line.pk: line
        for line in PurchaseOrderLine.objects.filter(pk__in=adding).select_related("product")
    }
    over = [
        OverLine(
            line_id=line.pk,
            sku=line.product.sku,
            ordered=line.quantity,
            tolerance=line.over_receipt_tolerance,
            received=line.quantity_received,
            arriving=quantity,
        )
        for line, quantity in ((now[pk], quantity) for pk, quantity in adding.items())
        if line.quantity_received + quantity > line.quantity + line.over_receipt_tolerance
    ]
    raise OverReceipt(over)


def post_goods(
    receipt: Receipt, lines: Sequence[ReceiptLine], effective_at: datetime | None
) -> None:
    """Post the movements of all lines, and let each line know its own."""
    movements, numbers = _movements(receipt, lines)
    good: list[int | None] = [None] * len(lines)
    bad: list[int | None] = [None] * len(lines)
    if movements:
        with lines_numbered_as([number for number, _is_damaged in numbers]):
            ids = post_movements(lines=movements, effective_at=effective_at, document=receipt)
        for movement_id, (number, is_damaged) in zip(ids, numbers, strict=True):
            (bad if is_damaged else good)[number] = movement_id
    with connection.cursor() as cursor:
        arguments: list[Any] = [
            [line.pk for line in lines],
            good,
            bad,
            [line.unit_cost for line in lines],
            [str(line.difference_reason) for line in lines],
            active_tenant_id(),
        ]
        cursor.execute(LINK_MOVEMENTS, arguments)


def _movements(
    receipt: Receipt, lines: Sequence[ReceiptLine]
) -> tuple[list[MovementLine], list[tuple[int, bool]]]:
    """Return the movements, and for each the number of its line and whether it is of damage."""
    places = standard_locations(receipt.warehouse_id)
    lots = _lots(lines)
    movements: list[MovementLine] = []
    numbers: list[tuple[int, bool]] = []
    for number, line in enumerate(lines):
        if line.order_line is not None:
            line.unit_cost = line.order_line.unit_price
        parts = (
            (receipt.location_id, line.quantity - line.damaged, False),
            (places[LocationKind.DAMAGED].pk, line.damaged, True),
        )
        for location_id, quantity, is_damaged in parts:
            if not quantity:
                continue
            movements.append(
                MovementLine(
                    product_id=line.product_id,
                    from_location_id=places[LocationKind.SUPPLIER].pk,
                    to_location_id=location_id,
                    quantity=quantity,
                    reason=MovementReason.RECEIPT,
                    lot_id=lots.get((line.product_id, line.lot_code)),
                    unit_cost=line.unit_cost,
                )
            )
            numbers.append((number, is_damaged))
    return movements, numbers


def _lots(lines: Sequence[ReceiptLine]) -> dict[tuple[int, str], int]:
    numbered = [(n, line) for n, line in enumerate(lines) if line.lot_code and line.quantity]
    labels = [LotLabel(line.product_id, line.lot_code, line.expires_on) for _n, line in numbered]
    with lines_numbered_as([number for number, _line in numbered]):
        ids = ensure_lots(labels=labels)
    return {(label.product_id, label.code): pk for label, pk in zip(labels, ids, strict=True)}


def completed_lines(
    arriving: Mapping[int, Decimal], order_lines: OrderLines
) -> list[PurchaseOrderLine]:
    """Bring the loaded order lines up to date and return those that this receipt completed."""
    completed = []
    for pk, quantity in arriving.items():
        line = order_lines[pk]
        was_open = line.quantity_received < line.quantity
        line.quantity_received += quantity
        if was_open and line.quantity_received >= line.quantity:
            completed.append(line)
    return completed


def observe_lead_times(
    order: PurchaseOrder, completed: Sequence[PurchaseOrderLine], moment: datetime
) -> None:
    """Record how long the completed lines took from placed to here."""
    placed_on, received_on = placed_and_received_on(order, moment)
    LeadTimeObservation.objects.bulk_create(
        [
            LeadTimeObservation(
                supplier_id=order.supplier_id,
                product_id=line.product_id,
                placed_on=placed_on,
                received_on=received_on,
                promised_days=(line.promised_on - placed_on).days if line.promised_on else None,
                lead_time_days=(received_on - placed_on).days,
                transport_mode=order.transport_mode,
            )
            for line in completed
        ]
    )


def placed_and_received_on(order: PurchaseOrder, moment: datetime) -> tuple[date, date]:
    """Return the business days on which the order was placed and goods arrived."""
    assert order.placed_at is not None  # noqa: S101 - only placed orders are received
    zone = order.warehouse.time_zone
    return business_day(order.placed_at, zone), business_day(moment, zone)


def advance_order(order: PurchaseOrder, order_lines: OrderLines, moment: datetime) -> None:
    """Set the order's state by what has come of its lines; a closed one stays closed."""
    if order.state in (*PurchaseOrderState.on_order(), PurchaseOrderState.RECEIVED):
        lines = order_lines.values()
        if all(line.quantity_received >= line.quantity for line in lines):
            order.state = PurchaseOrderState.RECEIVED
            order.received_at = moment
        else:
            some = any(line.quantity_received for line in lines)
            partly, placed = PurchaseOrderState.PARTIALLY_RECEIVED, PurchaseOrderState.PLACED
            order.state = partly if some else placed
            order.received_at = None
    order.version += 1
    order.save()
