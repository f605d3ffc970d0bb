"""Returns from customers: expected, added to, cancelled, closed.

Receiving and inspecting have rooms of their own. A return changes no demand: demand is what was
asked for, and that stays asked for when the goods come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Customer,
    CustomerReturn,
    CustomerReturnLine,
    CustomerReturnState,
    DocumentKind,
    SalesOrder,
    Warehouse,
)
from inventory.rules.units import plain
from inventory.services.numbers import take_numbers
from inventory.services.return_corrections import reverse_return_movement
from inventory.services.return_inspection import (
    InspectedGoods,
    LotNotSellable,
    MoreThanReceived,
    inspect_return,
)
from inventory.services.return_lines import (
    BlindLine,
    ExpectedLine,
    MoreThanShipped,
    blind_lines,
    count_returned,
    take_from_shipments,
)
from inventory.services.return_receiving import MoreThanExpected, ReturnedGoods, receive_return
from inventory.services.return_states import (
    WrongReturnState,
    advance_return,
    lock_return,
    save_return,
)
from inventory.services.rows import load
from tenancy.errors import Conflict, Invalid
from tenancy.permissions import Permission, require_one
from tenancy.services import audit

__all__ = [
    "BlindLine",
    "ExpectedLine",
    "InspectedGoods",
    "LotNotSellable",
    "MoreThanExpected",
    "MoreThanReceived",
    "MoreThanShipped",
    "NotInspected",
    "ReturnedGoods",
    "WrongReturnState",
    "add_return_lines",
    "add_shipped_lines",
    "cancel_return",
    "close_return",
    "expect_blind_return",
    "expect_return",
    "inspect_return",
    "receive_return",
    "reverse_return_movement",
]

OPEN = (CustomerReturnState.EXPECTED, CustomerReturnState.RECEIVED)


class NotInspected(Conflict):
    """Some of what came has not been inspected yet."""

    code = "not_inspected"

    def __init__(self, back: CustomerReturn, lines: Sequence[CustomerReturnLine]) -> None:
        first = lines[0]
        message = _("Inspect what came first: %(quantity)s of %(sku)s are waiting.")
        super().__init__(
            message % {"quantity": plain(first.to_inspect), "sku": first.product.sku},
            number=back.number,
            lines=[
                {"line_id": line.pk, "sku": line.product.sku, "waiting": plain(line.to_inspect)}
                for line in lines
            ],
        )


def expect_return(
    *,
    sales_order_id: int,
    lines: Sequence[ExpectedLine],
    warehouse_id: int | None = None,
    reason: str = "",
) -> CustomerReturn:
    """Expect goods of an order's shipments back, in the warehouse that shipped them or another.

    Raises ``NotFound``, ``Invalid``, ``MoreThanShipped``.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    order = load(SalesOrder, sales_order_id)
    warehouse = load(Warehouse, warehouse_id or order.warehouse_id)
    _refuse_nothing(lines)
    with transaction.atomic():
        back = CustomerReturn(
            warehouse=warehouse, sales_order=order, customer=order.customer, reason=reason
        )
        return _expect(back, take_from_shipments(back, order, lines))


def expect_blind_return(
    *,
    warehouse_id: int,
    lines: Sequence[BlindLine],
    customer_id: int | None = None,
    reason: str = "",
) -> CustomerReturn:
    """Expect goods back whose shipment is not known. Raises ``NotFound``, ``Invalid``."""
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    warehouse = load(Warehouse, warehouse_id)
    customer = None if customer_id is None else load(Customer, customer_id)
    _refuse_nothing(lines)
    with transaction.atomic():
        back = CustomerReturn(warehouse=warehouse, customer=customer, reason=reason)
        return _expect(back, blind_lines(back, lines))


def add_return_lines(
    *, customer_return_id: int, lines: Sequence[BlindLine], version: int | None = None
) -> CustomerReturn:
    """Add goods that came along unexpectedly to a return that is not inspected yet.

    Raises ``NotFound``, ``StaleVersion``, ``WrongReturnState``, ``Invalid``.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    _refuse_nothing(lines)
    with transaction.atomic():
        back = lock_return(customer_return_id, *OPEN, version=version)
        built = CustomerReturnLine.objects.bulk_create(blind_lines(back, lines))
        save_return(back)
        audit.record("return.lines_added", back, number=back.number, lines=len(built))
    return back


def add_shipped_lines(
    *, customer_return_id: int, lines: Sequence[ExpectedLine], version: int | None = None
) -> CustomerReturn:
    """Add shipped goods to a return of the same order that is not inspected yet.

    Raises ``NotFound``, ``StaleVersion``, ``WrongReturnState``, ``Invalid``, ``MoreThanShipped``.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    _refuse_nothing(lines)
    with transaction.atomic():
        back = lock_return(customer_return_id, *OPEN, version=version)
        if back.sales_order is None:
            message = _("This return points at no order: add its goods by product.")
            raise Invalid.field("lines", "no_order", message)
        built = take_from_shipments(back, back.sales_order, lines)
        CustomerReturnLine.objects.bulk_create(built)
        save_return(back)
        audit.record("return.lines_added", back, number=back.number, lines=len(built))
    return back


def cancel_return(
    *, customer_return_id: int, version: int | None = None, reason: str = ""
) -> CustomerReturn:
    """Cancel a return of which nothing has come: its goods may be expected by another.

    Raises ``NotFound``, ``StaleVersion``, ``WrongReturnState``.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    with transaction.atomic():
        back = lock_return(customer_return_id, CustomerReturnState.EXPECTED, version=version)
        _expect_no_more(list(back.lines.all()))
        back.state = CustomerReturnState.CANCELLED
        save_return(back)
        audit.record("return.cancelled", back, number=back.number, reason=reason)
    return back


def close_return(*, customer_return_id: int, version: int | None = None) -> CustomerReturn:
    """State that no more of a return will come: the rest may be expected by another.

    Lines keep what came of them; lines of which nothing came are dropped. Raises ``NotFound``,
    ``StaleVersion``, ``WrongReturnState``, ``NotInspected``.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    with transaction.atomic():
        back = lock_return(customer_return_id, CustomerReturnState.RECEIVED, version=version)
        lines = list(back.lines.select_related("product").order_by("id"))
        if waiting := [line for line in lines if line.to_inspect]:
            raise NotInspected(back, waiting)
        missing = [line for line in lines if line.quantity_received < line.quantity]
        _expect_no_more(missing)
        told = [
            {"sku": line.product.sku, "quantity": plain(line.quantity - line.quantity_received)}
            for line in missing
        ]
        CustomerReturnLine.objects.filter(
            pk__in=[line.pk for line in missing if not line.quantity_received]
        ).delete()
        partly = [line for line in missing if line.quantity_received]
        for line in partly:
            line.quantity = line.quantity_received
        CustomerReturnLine.objects.bulk_update(partly, ["quantity"])
        advance_return(back)
        audit.record("return.closed", back, number=back.number, not_come=told)
    return back


def _expect(back: CustomerReturn, lines: Sequence[CustomerReturnLine]) -> CustomerReturn:
    [back.number] = take_numbers(DocumentKind.CUSTOMER_RETURN)
    back.save()
    CustomerReturnLine.objects.bulk_create(lines)
    audit.record("return.expected", back, number=back.number, lines=len(lines))
    return back


def _expect_no_more(lines: Sequence[CustomerReturnLine]) -> None:
    """Let what did not come of these lines be expected by another return."""
    changes: dict[int, Decimal] = {}
    for line in lines:
        if line.shipment_line_id is not None:
            rest = line.quantity - line.quantity_received
            changes[line.shipment_line_id] = changes.get(line.shipment_line_id, Decimal(0)) - rest
    count_returned(changes)


def _refuse_nothing(lines: Sequence[ExpectedLine] | Sequence[BlindLine]) -> None:
    if not lines:
        raise Invalid.field("lines", "empty", _("Say what comes back."))
