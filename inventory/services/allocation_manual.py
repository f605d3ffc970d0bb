"""Promising a chosen place and lot to an order line, by hand."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Allocation,
    Location,
    LocationKind,
    Lot,
    LotStatus,
    LotTracking,
    SalesOrder,
    SalesOrderLine,
    SalesOrderState,
)
from inventory.rules.business_day import business_day
from inventory.rules.units import quantity_fault
from inventory.services.allocation import MoreThanOpen, promise, record_allocations
from inventory.services.allocation_choice import (
    Choice,
    KeptFromChannel,
    OpenLine,
    granted_to,
    hold_channel_rules,
    hold_lots,
)
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.order_states import WrongSalesOrderState, advance_orders, lock_orders
from inventory.services.rows import load
from tenancy.errors import Conflict, Invalid, NotFound
from tenancy.permissions import Permission, require_one
from tenancy.services import audit

__all__ = ["KeptFromChannel", "LotNotPromisable", "allocate_line"]


class LotNotPromisable(Conflict):
    """The lot is on hold, recalled or past its expiry."""

    code = "lot_not_promisable"

    def __init__(self, lot: Lot) -> None:
        message = _("Lot %(code)s is expired, on hold or recalled: choose another one.")
        super().__init__(
            message % {"code": lot.code},
            lot=lot.code,
            status=lot.status,
            expires_on=lot.expires_on.isoformat() if lot.expires_on else None,
        )


def allocate_line(
    *,
    line_id: int,
    location_id: int,
    quantity: Decimal,
    lot_id: int | None = None,
    expires_at: datetime | None = None,
) -> Allocation:
    """Promise ``quantity`` (base units) of one storage place to an order line.

    Raises ``NotFound``, ``WrongSalesOrderState``, ``Invalid``, ``MoreThanOpen``,
    ``LotNotPromisable``, ``KeptFromChannel``, ``InsufficientStock``.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    with transaction.atomic():
        order_id = load(SalesOrderLine, line_id).order_id
        order = lock_orders([order_id])[order_id]
        if order.state not in SalesOrderState.owing():
            raise WrongSalesOrderState(order, *SalesOrderState.owing())
        line = SalesOrderLine.objects.select_related("product").get(pk=line_id)
        _check_place(order, load(Location, location_id))
        lot = _checked_lot(line, order, lot_id)
        _check_quantity(line, order, quantity)
        choice = Choice(line.pk, line.product_id, location_id, lot_id, quantity)
        if lot is not None and not hold_lots([choice]):
            raise LotNotPromisable(lot)
        promise([choice])
        [allocation_id] = record_allocations([choice], expires_at)
        advance_orders([order.pk], tried=True)
        audit.record(
            "sales_order.allocated_by_hand",
            order,
            number=order.number,
            sku=line.product.sku,
            quantity=_plain(quantity),
        )
    made: Allocation = Allocation.objects.get(pk=allocation_id)
    return made


def _check_place(order: SalesOrder, place: Location) -> None:
    if place.warehouse_id != order.warehouse_id:
        message = _("This location belongs to another warehouse than the order.")
        raise Invalid.field("location_id", "other_warehouse", message)
    if place.kind != LocationKind.STORAGE or not place.is_active:
        message = _("Stock is promised where it is stored: %(code)s is no storage place in use.")
        raise Invalid.field("location_id", "not_storage", message % {"code": place.code})


def _checked_lot(line: SalesOrderLine, order: SalesOrder, lot_id: int | None) -> Lot | None:
    tracked = line.product.lot_tracking != LotTracking.NONE
    if tracked != (lot_id is not None):
        message = _("A lot is named for products tracked by lot, and only for those.")
        raise Invalid.field("lot_id", "lot_mismatch", message)
    if lot_id is None:
        return None
    lot = load(Lot, lot_id)
    if lot.product_id != line.product_id:
        raise NotFound("lot", lot_id)
    today = business_day(timezone.now(), order.warehouse.time_zone)
    if lot.status != LotStatus.AVAILABLE or (lot.expires_on or today) < today:
        raise LotNotPromisable(lot)
    return lot


def _check_quantity(line: SalesOrderLine, order: SalesOrder, quantity: Decimal) -> None:
    fault = quantity_fault(quantity, whole_units=line.product.whole_units)
    if fault:
        raise Invalid.field("quantity", fault.value, QUANTITY_FAULTS[fault])
    promised = line.quantity_allocated + line.quantity_picked + line.quantity_shipped
    if quantity > line.quantity - promised:
        raise MoreThanOpen([line.pk], open_quantity=line.quantity - promised)
    asking = OpenLine(
        line.pk, order.pk, order.warehouse_id, line.product_id, order.channel_id, quantity
    )
    granted = granted_to([asking], hold_channel_rules([asking]))[line.pk]
    # where channels have no stock of their own all of it is granted, and the ledger decides
    if granted < quantity:
        raise KeptFromChannel(asked=quantity, granted=granted)


def _plain(quantity: Decimal) -> str:
    return format(quantity.normalize(), "f")
