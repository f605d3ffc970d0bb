"""Purchase orders: draft, placed, cancelled, closed. Receiving has its own room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
    TransportMode,
    Warehouse,
)
from inventory.rules.business_day import business_day
from inventory.services.numbers import take_numbers
from inventory.services.purchase_lines import OrderLine, build_lines
from inventory.services.rows import check_version, load
from tenancy.errors import Conflict, Invalid
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

SET_PROMISED = """
    UPDATE inventory_purchaseorderline line SET promised_on = given.day
    FROM unnest(%s::bigint[], %s::date[]) AS given (id, day)
    WHERE line.tenant_id = %s AND line.id = given.id
"""

__all__ = [
    "BelowMinimum",
    "OrderHasNoLines",
    "OrderLine",
    "WrongOrderState",
    "add_order_lines",
    "cancel_order",
    "close_order",
    "create_draft_order",
    "place_order",
    "refuse_inactive",
    "remove_order_line",
]


class WrongOrderState(Conflict):
    """The order is not in a state in which this can be done."""

    code = "wrong_order_state"

    def __init__(self, order: PurchaseOrder, *allowed: PurchaseOrderState) -> None:
        message = _("Order %(number)s is %(state)s; this is possible only when %(allowed)s.") % {
            "number": order.number,
            "state": PurchaseOrderState(order.state).label,
            "allowed": " / ".join(str(state.label) for state in allowed),
        }
        names = [str(state) for state in allowed]
        super().__init__(message, number=order.number, state=order.state, allowed=names)


class OrderHasNoLines(Conflict):
    """An order without lines cannot be placed."""

    code = "order_has_no_lines"

    def __init__(self, order: PurchaseOrder) -> None:
        message = _("Order %(number)s has no lines: add what is to be bought.")
        super().__init__(message % {"number": order.number}, number=order.number)


class BelowMinimum(Conflict):
    """The supplier's minimum order value is not reached."""

    code = "below_minimum_order_value"

    def __init__(self, order: PurchaseOrder, value: Decimal, minimum: Decimal) -> None:
        self.value, self.minimum = value, minimum
        message = _("The order is worth %(value)s, the supplier's minimum is %(minimum)s.") % {
            "value": f"{value:.2f}",
            "minimum": f"{minimum:.2f}",
        }
        super().__init__(message, number=order.number, value=str(value), minimum=str(minimum))


def create_draft_order(
    *,
    supplier_id: int,
    warehouse_id: int,
    lines: Sequence[OrderLine] = (),
    expected_on: date | None = None,
    note: str = "",
    transport_mode: str = "",
) -> PurchaseOrder:
    """Create a draft; lines without a price get the supplier's, by price break.

    Without a transport mode it gets that of its offers when it is placed. Raises ``NotFound``,
    ``Invalid``.
    """
    require(Permission.BUY)
    supplier, warehouse = load(Supplier, supplier_id), load(Warehouse, warehouse_id)
    refuse_inactive(supplier, warehouse)
    order = PurchaseOrder(
        supplier=supplier,
        warehouse=warehouse,
        expected_on=expected_on,
        note=note,
        transport_mode=known_mode(transport_mode),
    )
    built = build_lines(order, lines)
    [order.number] = take_numbers("PO")
    order.save()
    PurchaseOrderLine.objects.bulk_create(built)
    audit.record("purchase_order.created", order, number=order.number, lines=len(built))
    return order


def add_order_lines(
    *, order_id: int, lines: Sequence[OrderLine], version: int | None = None
) -> PurchaseOrder:
    """Add lines to a draft.

    Raises ``NotFound``, ``StaleVersion``, ``WrongOrderState``, ``Invalid``.
    """
    require(Permission.BUY)
    order = _load_draft(order_id, version)
    built = PurchaseOrderLine.objects.bulk_create(build_lines(order, lines))
    _save(order)
    audit.record("purchase_order.lines_added", order, lines=len(built))
    return order


def remove_order_line(*, order_id: int, line_id: int, version: int | None = None) -> PurchaseOrder:
    """Take a line off a draft. Raises ``NotFound``, ``StaleVersion``, ``WrongOrderState``."""
    require(Permission.BUY)
    order = _load_draft(order_id, version)
    line = load(PurchaseOrderLine, line_id)
    if line.order_id != order.pk:
        message = _("This line belongs to another order.")
        raise Invalid.field("line_id", "other_order", message)
    line.delete()
    _save(order)
    audit.record("purchase_order.line_removed", order, product=line.product_id)
    return order


def place_order(
    *,
    order_id: int,
    version: int | None = None,
    accept_below_minimum: bool = False,
    placed_at: datetime | None = None,
) -> PurchaseOrder:
    """Place a draft with the supplier: from now on its lines are fixed and count as on order.

    Lines without a promised day get it from the promised lead time, an order without a transport
    mode gets the one that its offers share. Raises ``NotFound``,
    ``StaleVersion``, ``WrongOrderState``, ``OrderHasNoLines``, ``BelowMinimum`` unless accepted,
    ``Invalid`` for an inactive supplier or warehouse or a moment in the future.
    """
    require(Permission.BUY)
    order = _load_draft(order_id, version)
    lines = list(order.lines.select_related("supplier_item"))
    if not lines:
        raise OrderHasNoLines(order)
    refuse_inactive(order.supplier, order.warehouse)
    value = sum((line.quantity * line.unit_price for line in lines), Decimal(0))
    if value < order.supplier.minimum_order_value and not accept_below_minimum:
        raise BelowMinimum(order, value, order.supplier.minimum_order_value)
    order.placed_at = _past(placed_at)
    order.state = PurchaseOrderState.PLACED
    order.transport_mode = order.transport_mode or common_mode(lines)
    _promise(order, lines)
    _save(order)
    audit.record("purchase_order.placed", order, number=order.number, value=str(value))
    return order


def cancel_order(*, order_id: int, version: int | None = None, reason: str = "") -> PurchaseOrder:
    """Cancel a draft, or a placed order of which nothing has come."""
    require(Permission.BUY)
    order = load(PurchaseOrder, order_id, lock=True)
    check_version(order, version)
    allowed = (PurchaseOrderState.DRAFT, PurchaseOrderState.PLACED)
    if order.state not in allowed:
        raise WrongOrderState(order, *allowed)
    order.state = PurchaseOrderState.CANCELLED
    _save(order)
    audit.record("purchase_order.cancelled", order, number=order.number, reason=reason)
    return order


def close_order(*, order_id: int, version: int | None = None) -> PurchaseOrder:
    """Close an order: nothing more is expected, also when part of it never came."""
    require(Permission.BUY)
    order = load(PurchaseOrder, order_id, lock=True)
    check_version(order, version)
    allowed = (PurchaseOrderState.RECEIVED, PurchaseOrderState.PARTIALLY_RECEIVED)
    if order.state not in allowed:
        raise WrongOrderState(order, *allowed)
    order.state = PurchaseOrderState.CLOSED
    _save(order)
    audit.record("purchase_order.closed", order, number=order.number)
    return order


def _load_draft(order_id: int, version: int | None) -> PurchaseOrder:
    order = load(PurchaseOrder, order_id, lock=True)
    check_version(order, version)
    if order.state != PurchaseOrderState.DRAFT:
        raise WrongOrderState(order, PurchaseOrderState.DRAFT)
    return order


def refuse_inactive(supplier: Supplier, warehouse: Warehouse) -> None:
    """Raise ``Invalid`` when the supplier or the warehouse is not in use any more."""
    if not supplier.is_active:
        message = _("The supplier %(code)s is not in use any more.") % {"code": supplier.code}
        raise Invalid.field("supplier_id", "inactive_supplier", message)
    if not warehouse.is_active:
        message = _("The warehouse %(code)s is not in use any more.") % {"code": warehouse.code}
        raise Invalid.field("warehouse_id", "inactive_warehouse", message)


def known_mode(mode: str) -> str:
    """Return the transport mode; raise ``Invalid`` for a word that is none."""
    if mode and mode not in TransportMode.values:
        message = _("Choose one of the transport modes, or none.")
        raise Invalid.field("transport_mode", "unknown_mode", message)
    return mode


def common_mode(lines: Iterable[PurchaseOrderLine]) -> str:
    """Return the transport mode that the offers behind all lines share, else nothing."""
    modes = {line.supplier_item.transport_mode if line.supplier_item else "" for line in lines}
    return modes.pop() if len(modes) == 1 else ""


def _past(moment: datetime | None) -> datetime:
    now = timezone.now()
    if moment is None:
        return now
    if timezone.is_naive(moment) or moment > now:
        message = _("An order is placed now or was placed in the past.")
        raise Invalid.field("placed_at", "future", message)
    return moment


def _promise(order: PurchaseOrder, lines: Sequence[PurchaseOrderLine]) -> None:
    """Give lines without a promised day that of the supplier's promised lead time."""
    assert order.placed_at is not None  # noqa: S101 - placed by the caller
    placed_on = business_day(order.placed_at, order.warehouse.time_zone)
    for line in lines:
        item = line.supplier_item
        promised = item.lead_time_days if item is not None else None
        if promised is None:
            promised = order.supplier.lead_time_days
        if line.promised_on is None and promised is not None:
            line.promised_on = placed_on + timedelta(days=promised)
    promised_days = [line.promised_on for line in lines if line.promised_on is not None]
    ids, days = [line.pk for line in lines], [line.promised_on for line in lines]
    with connection.cursor() as cursor:
        cursor.execute(SET_PROMISED, [ids, days, active_tenant_id()])
    if order.expected_on is None and promised_days:
        order.expected_on = max(promised_days)


def _save(order: PurchaseOrder) -> None:
    order.version += 1
    order.save()
