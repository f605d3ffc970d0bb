"""Promising stock to order lines, and taking the promise back.

Stock is chosen for a whole wave in a few statements; the ledger's conditional update decides. When
somebody was faster, the places are held and the choice is made again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import AllocationState, SalesOrder, SalesOrderState, Warehouse, WorkKind
from inventory.services import allocation_sql as sql
from inventory.services.allocation_choice import (
    Choice,
    OpenLine,
    choose_stock,
    hold_lots,
    open_lines,
)
from inventory.services.ledger import AllocationLine, InsufficientStock, allocate, release
from inventory.services.ledger_balances import execute, fetch
from inventory.services.order_states import WrongSalesOrderState, advance_orders, lock_orders
from inventory.services.rows import load
from inventory.services.worklists import finish_works
from tenancy.errors import Conflict
from tenancy.permissions import Permission, require, require_one
from tenancy.scope import active_tenant_id
from tenancy.services import audit

CHOICES = 4
"""How often stock is chosen: the first time without holding it, afterwards holding it."""
MOST_EXPIRED_AT_ONCE = 1000


@dataclass(frozen=True)
class AllocationRun:
    """What came of it: the new allocations, and the state of every order that was asked for."""

    allocation_ids: list[int]
    states: dict[int, SalesOrderState]


class AllocationsEnded(Conflict):
    """Some of the allocations have ended already: picked, released or expired."""

    code = "allocation_ended"

    def __init__(self, allocation_ids: Sequence[int]) -> None:
        message = _("This is not allocated any more: it was picked, released or has expired.")
        super().__init__(message, allocation_ids=list(allocation_ids))


class MoreThanOpen(Conflict):
    """More would be promised to a line than it still needs."""

    code = "more_than_open"

    def __init__(self, line_ids: Sequence[int], *, open_quantity: Decimal | None = None) -> None:
        data = {} if open_quantity is None else {"open": format(open_quantity.normalize(), "f")}
        message = _("The order line needs less than that.")
        super().__init__(message, line_ids=list(line_ids), **data)


class AllocationBusy(Conflict):
    """Others took the chosen stock every time it was chosen."""

    code = "allocation_busy"

    def __init__(self, attempts: int) -> None:
        message = _("Others are taking the same stock right now. Try again in a moment.")
        super().__init__(message, attempts=attempts)


def allocate_orders(
    *, order_ids: Collection[int], expires_at: datetime | None = None
) -> AllocationRun:
    """Promise stock to all that is open of the orders, the most urgent line first.

    What there is too little of stays backordered; that is no error. The number of statements does
    not depend on the number of lines. ``expires_at``: the promise lapses then unless picked.

    Raises ``NotFound``, ``WrongSalesOrderState``, ``AllocationBusy``.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    with transaction.atomic():
        orders = lock_orders(order_ids)
        for order in orders.values():
            if order.state not in SalesOrderState.owing():
                raise WrongSalesOrderState(order, *SalesOrderState.owing())
        lines = open_lines(list(orders))
        choices = _choose_and_promise(lines)
        allocation_ids = record_allocations(choices, expires_at)
        states = advance_orders(list(orders), tried=True)
        _audit(orders, lines, choices)
        done = [pk for pk, state in states.items() if state == SalesOrderState.ALLOCATED]
        finish_works(kind=WorkKind.ALLOCATE, subject_ids=done)
    return AllocationRun(allocation_ids, states)


def allocate_warehouse(*, warehouse_id: int) -> AllocationRun:
    """Promise stock to everything the warehouse owes, by priority and promised day.

    Raises ``NotFound``, ``AllocationBusy``.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    warehouse = load(Warehouse, warehouse_id)
    states = [str(state) for state in SalesOrderState.owing()]
    rows = fetch(sql.OWING_ORDERS, [active_tenant_id(), warehouse.pk, states])
    with transaction.atomic():
        # an order may have been cancelled since it was found
        orders = lock_orders([row[0] for row in rows])
        owing = [pk for pk, order in orders.items() if order.state in SalesOrderState.owing()]
        return allocate_orders(order_ids=owing)


def release_allocations(
    *, allocation_ids: Collection[int], state: AllocationState = AllocationState.RELEASED
) -> None:
    """Take promises back, all or none: the stock is free again, the lines are open again.

    Open picks of them are cancelled. ``state``: released, or expired. Raises ``AllocationsEnded``.
    """
    require_one(Permission.FLOOR_WORK, Permission.SELL)
    with transaction.atomic():
        rows = fetch(sql.ORDERS_OF_ALLOCATIONS, [active_tenant_id(), list(allocation_ids)])
        orders = lock_orders([row[0] for row in rows])
        ended = end_allocations(allocation_ids, state)
        missing = sorted(set(allocation_ids) - ended)
        if missing:
            raise AllocationsEnded(missing)
        advance_orders(list(orders))
        word = "expired" if state == AllocationState.EXPIRED else "released"
        told = [(order, {"number": order.number}) for order in orders.values()]
        audit.record_each(f"sales_order.allocation_{word}", told)


def expire_allocations() -> int:
    """End the promises that have lapsed, except what is being picked; return how many."""
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        arguments = [active_tenant_id(), MOST_EXPIRED_AT_ONCE]
        lapsed = [row[0] for row in fetch(sql.EXPIRED_ALLOCATIONS, arguments)]
        rows = fetch(sql.ORDERS_OF_ALLOCATIONS, [active_tenant_id(), lapsed])
        orders = lock_orders([row[0] for row in rows])
        # looked at again under the locks: some may have been picked or given to a wave
        still = {row[0] for row in fetch(sql.EXPIRED_ALLOCATIONS, arguments)}
        ended = end_allocations(still.intersection(lapsed), AllocationState.EXPIRED)
        advance_orders(list(orders))
        told = [(order, {"number": order.number}) for order in orders.values()]
        audit.record_each("sales_order.allocation_expired", told)
    return len(ended)


def end_allocations(allocation_ids: Collection[int], state: AllocationState) -> set[int]:
    """End what is still allocated of these and return it; the caller holds the orders' locks."""
    tenant_id = active_tenant_id()
    rows = fetch(sql.END_ALLOCATIONS, [str(state), tenant_id, list(allocation_ids)])
    if not rows:
        return set()
    ended = {row[0] for row in rows}
    cancel_open_picks(ended)
    release(lines=[AllocationLine(row[2], row[3], row[5], row[4]) for row in rows])
    _change_lines([(line_id, -quantity) for _id, line_id, *_place, quantity in rows if line_id])
    return ended


def cancel_open_picks(allocation_ids: Collection[int]) -> None:
    """Cancel the picks of these allocations that are open, and end waves left without any."""
    tenant_id = active_tenant_id()
    waves = fetch(sql.CANCEL_OPEN_PICKS, [tenant_id, list(allocation_ids)])
    if waves:
        execute(sql.END_EMPTY_WAVES, [tenant_id, sorted({row[0] for row in waves})])


def _choose_and_promise(lines: Sequence[OpenLine]) -> list[Choice]:
    for attempt in range(CHOICES):
        choices = choose_stock(lines, locking=attempt > 0) if lines else []
        if not choices:
            return []
        if not hold_lots(choices):
            continue
        try:
            promise(choices)
        except InsufficientStock:
            continue
        return choices
    raise AllocationBusy(CHOICES)


def promise(choices: Sequence[Choice]) -> None:
    """Have the ledger promise what was chosen. Raises ``InsufficientStock``."""
    allocate(
        lines=[
            AllocationLine(one.product_id, one.location_id, one.quantity, one.lot_id)
            for one in choices
        ]
    )


def record_allocations(choices: Sequence[Choice], expires_at: datetime | None) -> list[int]:
    """Write an allocation for each choice and add it to its line; the stock is promised already."""
    if not choices:
        return []
    columns = [
        [getattr(one, name) for one in choices]
        for name in ("line_id", "product_id", "location_id", "lot_id", "quantity")
    ]
    rows = fetch(sql.INSERT_ALLOCATIONS, [active_tenant_id(), expires_at, *columns])
    _change_lines([(one.line_id, one.quantity) for one in choices])
    return [row[0] for row in rows]


def _change_lines(changes: Sequence[tuple[int, Decimal]]) -> None:
    by_line: dict[int, Decimal] = defaultdict(Decimal)
    for line_id, quantity in changes:
        by_line[line_id] += quantity
    arguments = [list(by_line), list(by_line.values()), active_tenant_id()]
    if execute(sql.ADD_ALLOCATED, arguments) != len(by_line):
        raise MoreThanOpen(sorted(by_line))


def _audit(
    orders: dict[int, SalesOrder], lines: Sequence[OpenLine], choices: Sequence[Choice]
) -> None:
    order_of = {line.line_id: line.order_id for line in lines}
    places = Counter(order_of[one.line_id] for one in choices)
    told = [
        (orders[order_id], {"number": orders[order_id].number, "places": count})
        for order_id, count in sorted(places.items())
    ]
    if told:
        audit.record_each("sales_order.allocated", told)
