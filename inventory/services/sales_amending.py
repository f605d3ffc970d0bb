"""A confirmed order asks for less: what is not needed any more is freed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Allocation,
    AllocationState,
    PickState,
    SalesOrder,
    SalesOrderLine,
    SalesOrderState,
)
from inventory.rules.units import quantity_fault
from inventory.services.allocation import end_allocations
from inventory.services.demand import withdraw_demand
from inventory.services.ledger import AllocationLine, release
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.order_states import WrongSalesOrderState, advance_orders, lock_order
from inventory.services.sales import demand_of
from inventory.services.sales_lines import line_of, save_order
from tenancy.errors import Conflict, Invalid
from tenancy.permissions import Permission, require
from tenancy.services import audit

NOTHING = Decimal(0)


class AmendedTooFar(Conflict):
    """That much is being picked, waits to leave or has left already."""

    code = "amended_too_far"

    def __init__(self, *, least: Decimal) -> None:
        number = _plain(least)
        message = _("%(least)s of it are being picked, packed or shipped: it cannot become less.")
        super().__init__(message % {"least": number}, least=number)


class NothingLeftToShip(Conflict):
    """All lines would be zero: that is a cancellation."""

    code = "nothing_left_to_ship"

    def __init__(self, order: SalesOrder) -> None:
        message = _("Nothing would be left of order %(number)s: cancel it instead.")
        super().__init__(message % {"number": order.number}, number=order.number)


def amend_sales_line(
    *,
    sales_order_id: int,
    line_id: int,
    quantity: Decimal,
    version: int | None = None,
    reason: str = "",
    take_back_demand: bool = False,
) -> SalesOrder:
    """Lower the quantity of a confirmed order's line, down to zero: the rest is not wanted.

    What was allocated for it is free again. ``take_back_demand``: it was never asked for.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSalesOrderState``, ``Invalid``,
    ``AmendedTooFar``, ``NothingLeftToShip``.
    """
    require(Permission.SELL)
    with transaction.atomic():
        order = lock_order(sales_order_id, version)
        if order.state not in SalesOrderState.owing():
            raise WrongSalesOrderState(order, *SalesOrderState.owing())
        line = line_of(order, line_id)
        _check(line, quantity)
        before = line.quantity
        _free(line, quantity)
        SalesOrderLine.objects.filter(pk=line.pk).update(quantity=quantity)
        if not order.lines.filter(quantity__gt=0).exists():
            raise NothingLeftToShip(order)
        if take_back_demand and order.demand_day is not None:
            _take_back(order, line, before - quantity, gone=not quantity)
        save_order(order)
        advance_orders([order.pk])
        audit.record(
            "sales_order.amended",
            order,
            number=order.number,
            sku=line.product.sku,
            before=_plain(before),
            after=_plain(quantity),
            reason=reason,
            took_back_demand=take_back_demand,
        )
    amended: SalesOrder = SalesOrder.objects.get(pk=order.pk)
    return amended


def _check(line: SalesOrderLine, quantity: Decimal) -> None:
    fault = quantity_fault(quantity, whole_units=line.product.whole_units)
    if fault and quantity != 0:
        raise Invalid.field("quantity", fault.value, QUANTITY_FAULTS[fault])
    if quantity >= line.quantity:
        message = _("A confirmed line can only become less: take a new order for more.")
        raise Invalid.field("quantity", "not_less", message)


def _free(line: SalesOrderLine, quantity: Decimal) -> None:
    """Free what is allocated beyond ``quantity``, the newest first, but nothing that is picked."""
    beyond = line.quantity_allocated + line.quantity_picked + line.quantity_shipped - quantity
    if beyond <= 0:
        return
    rows = Allocation.objects.filter(order_line=line, state=AllocationState.ALLOCATED)
    untouched = rows.exclude(pick_tasks__state=PickState.OPEN).order_by("-id")
    ending: list[int] = []
    for allocation in untouched:
        if allocation.quantity > beyond:
            _shrink(allocation, line, beyond)
            beyond = NOTHING
        elif beyond:
            ending.append(allocation.pk)
            beyond -= allocation.quantity
        if not beyond:
            break
    if beyond:
        raise AmendedTooFar(least=quantity + beyond)
    end_allocations(ending, AllocationState.RELEASED)


def _shrink(allocation: Allocation, line: SalesOrderLine, by: Decimal) -> None:
    Allocation.objects.filter(pk=allocation.pk).update(quantity=F("quantity") - by)
    place = (allocation.product_id, allocation.location_id, by, allocation.lot_id)
    release(lines=[AllocationLine(*place)])
    lines = SalesOrderLine.objects.filter(pk=line.pk)
    lines.update(quantity_allocated=F("quantity_allocated") - by)


def _take_back(order: SalesOrder, line: SalesOrderLine, less: Decimal, *, gone: bool) -> None:
    assert order.demand_day is not None  # noqa: S101 - looked at by the caller
    demand = demand_of(line, order, order.demand_day)
    taken = replace(
        demand, quantity=less, revenue=less * line.unit_price, order_lines=1 if gone else 0
    )
    withdraw_demand(lines=[taken])


def _plain(quantity: Decimal) -> str:
    return format(quantity.normalize(), "f")
