"""Sales orders: confirmed, changed, cancelled, closed. Their entry has a room of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import SalesOrder, SalesOrderLine, SalesOrderState, WorkKind
from inventory.rules.business_day import business_day
from inventory.services.allocation import AllocationBusy, allocate_orders
from inventory.services.demand import DemandLine, record_demand, withdraw_demand
from inventory.services.ledger_balances import execute
from inventory.services.order_states import WrongSalesOrderState, lock_order, lock_orders
from inventory.services.sales_entry import REFERENCE_ONCE, ReferenceTaken, value_problems
from inventory.services.sales_freeing import free_orders
from inventory.services.sales_lines import save_order
from inventory.services.worklists import finish_work
from tenancy.errors import Conflict, Invalid
from tenancy.permissions import Permission, require
from tenancy.scope import active_tenant_id
from tenancy.services import audit

MAY_BE_CANCELLED = (SalesOrderState.DRAFT, *SalesOrderState.owing())
MAY_BE_CHANGED = MAY_BE_CANCELLED
WORK = (WorkKind.ALLOCATE, WorkKind.PACK, WorkKind.SHIP)


class SalesOrderHasNoLines(Conflict):
    """An order without lines cannot be confirmed."""

    code = "sales_order_has_no_lines"

    def __init__(self, order: SalesOrder) -> None:
        message = _("Order %(number)s has no lines: add what is asked for.")
        super().__init__(message % {"number": order.number}, number=order.number)


class PartlyShipped(Conflict):
    """Part of the order has left: it can be closed, but not cancelled."""

    code = "partly_shipped"

    def __init__(self, order: SalesOrder) -> None:
        message = _("Part of order %(number)s has left: close it to give up the rest.")
        super().__init__(message % {"number": order.number}, number=order.number)


class NothingShipped(Conflict):
    """Nothing of the order has left: it can be cancelled, but not closed."""

    code = "nothing_shipped"

    def __init__(self, order: SalesOrder) -> None:
        message = _("Nothing of order %(number)s has left: cancel it instead.")
        super().__init__(message % {"number": order.number}, number=order.number)


@dataclass(frozen=True, kw_only=True)
class DeliveryFields:
    """What may be changed of an order until it is shipped."""

    reference: str = ""
    promised_on: date | None = None
    ship_to_name: str = ""
    ship_to_address: str = ""
    note: str = ""


CONFIRM = """
    UPDATE inventory_salesorder o
    SET state = 'confirmed', confirmed_at = %s, demand_day = confirmed.day, version = o.version + 1
    FROM unnest(%s::bigint[], %s::date[]) AS confirmed (id, day)
    WHERE o.tenant_id = %s AND o.id = confirmed.id AND o.state = 'draft'
"""


def confirm_sales_order(*, sales_order_id: int, version: int | None = None) -> SalesOrder:
    """Confirm a draft: its demand is recorded, once, and stock is promised to it if there is any.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSalesOrderState``, ``SalesOrderHasNoLines``.
    """
    require(Permission.SELL)
    with transaction.atomic():
        lock_order(sales_order_id, version)
        confirm_sales_orders(sales_order_ids=[sales_order_id])
    confirmed: SalesOrder = SalesOrder.objects.get(pk=sales_order_id)
    return confirmed


def confirm_sales_orders(*, sales_order_ids: Collection[int]) -> None:
    """Confirm several drafts, all or none, in as many statements as one.

    When others take the stock at the same moment the orders stay confirmed, on the list of what is
    to be allocated. Raises ``NotFound``, ``WrongSalesOrderState``, ``SalesOrderHasNoLines``.
    """
    require(Permission.SELL)
    with transaction.atomic():
        orders = lock_orders(sales_order_ids)
        for order in orders.values():
            if order.state != SalesOrderState.DRAFT:
                raise WrongSalesOrderState(order, SalesOrderState.DRAFT)
        lines = list(SalesOrderLine.objects.filter(order_id__in=orders).order_by("id"))
        filled = {line.order_id for line in lines}
        for order in orders.values():
            if order.pk not in filled:
                raise SalesOrderHasNoLines(order)
        now = timezone.now()
        days = _business_days(orders.values(), now)
        record_demand(
            lines=[demand_of(line, orders[line.order_id], days[line.order_id]) for line in lines]
        )
        arguments = [now, list(days), list(days.values()), active_tenant_id()]
        if execute(CONFIRM, arguments) != len(orders):
            raise WrongSalesOrderState(next(iter(orders.values())), SalesOrderState.DRAFT)
        told = [(order, {"number": order.number}) for order in orders.values()]
        audit.record_each("sales_order.confirmed", told)
        try:
            with transaction.atomic():
                allocate_orders(order_ids=list(orders))
        except AllocationBusy:
            audit.record_each("sales_order.allocation_busy", told)


def change_delivery(
    *, sales_order_id: int, fields: DeliveryFields, version: int | None = None
) -> SalesOrder:
    """Change where, when and under which reference an order is delivered.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSalesOrderState``, ``Invalid``,
    ``ReferenceTaken``.
    """
    require(Permission.SELL)
    order = _lock_open(sales_order_id, version)
    given = asdict(fields)
    before = {n: str(getattr(order, n) or "") for n, v in given.items() if getattr(order, n) != v}
    if not before:
        return order
    for name in before:
        setattr(order, name, given[name])
    problems = list(value_problems(order))
    if problems:
        raise Invalid(problems)
    try:
        with transaction.atomic():
            save_order(order)
    except IntegrityError as error:
        if REFERENCE_ONCE not in str(error):
            raise
        same = SalesOrder.objects.filter(channel=order.channel_id, reference=order.reference)
        raise ReferenceTaken(same.get()) from error
    after = {name: str(given[name] or "") for name in before}
    audit.record("sales_order.changed", order, number=order.number, before=before, after=after)
    return order


def change_priority(
    *, sales_order_id: int, priority: int, version: int | None = None
) -> SalesOrder:
    """Serve an order earlier or later: 1 first, 9 last. What is allocated already stays.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSalesOrderState``, ``Invalid``.
    """
    require(Permission.SELL)
    order = _lock_open(sales_order_id, version)
    before, order.priority = order.priority, priority
    problems = list(value_problems(order))
    if problems:
        raise Invalid(problems)
    if before != priority:
        save_order(order)
        told: dict[str, Any] = {"before": before, "after": priority}
        audit.record("sales_order.priority_changed", order, number=order.number, **told)
    return order


def cancel_sales_order(
    *,
    sales_order_id: int,
    version: int | None = None,
    reason: str = "",
    take_back_demand: bool = False,
) -> SalesOrder:
    """Cancel an order of which nothing has left.

    What was allocated is free again; open picks are cancelled; what was picked lies free where it
    was brought, to be put away. ``take_back_demand``: it was never asked for (entered by mistake).

    Raises ``NotFound``, ``StaleVersion``, ``WrongSalesOrderState``, ``PartlyShipped``.
    """
    require(Permission.SELL)
    with transaction.atomic():
        order = lock_order(sales_order_id, version)
        if order.state not in MAY_BE_CANCELLED:
            raise WrongSalesOrderState(order, *MAY_BE_CANCELLED)
        lines = list(order.lines.order_by("id"))
        if any(line.quantity_shipped for line in lines):
            raise PartlyShipped(order)
        freed = free_orders([order.pk])
        if take_back_demand and order.demand_day is not None:
            withdraw_demand(lines=[demand_of(line, order, order.demand_day) for line in lines])
            order.demand_day = None
        _end(order, SalesOrderState.CANCELLED)
        audit.record(
            "sales_order.cancelled",
            order,
            number=order.number,
            reason=reason,
            took_back_demand=take_back_demand,
            **freed.as_data(),
        )
    return order


def close_sales_order(
    *, sales_order_id: int, version: int | None = None, reason: str = ""
) -> SalesOrder:
    """Close an order: shipped, or part of it shipped and the rest given up.

    The rest is freed as by a cancellation. Raises ``NotFound``, ``StaleVersion``,
    ``WrongSalesOrderState``, ``NothingShipped``.
    """
    require(Permission.SELL)
    with transaction.atomic():
        order = lock_order(sales_order_id, version)
        allowed = (*SalesOrderState.owing(), SalesOrderState.SHIPPED)
        if order.state not in allowed:
            raise WrongSalesOrderState(order, *allowed)
        if not order.lines.filter(quantity_shipped__gt=0).exists():
            raise NothingShipped(order)
        freed = free_orders([order.pk])
        _end(order, SalesOrderState.CLOSED)
        audit.record(
            "sales_order.closed", order, number=order.number, reason=reason, **freed.as_data()
        )
    return order


def demand_of(line: SalesOrderLine, order: SalesOrder, day: date) -> DemandLine:
    """Return the demand a line stands for."""
    return DemandLine(
        product_id=line.product_id,
        warehouse_id=order.warehouse_id,
        business_day=day,
        quantity=line.quantity,
        revenue=line.quantity * line.unit_price,
        channel_id=order.channel_id,
        segment_id=order.segment_id,
    )


def _business_days(orders: Iterable[SalesOrder], now: datetime) -> dict[int, date]:
    rows = SalesOrder.objects.filter(pk__in=[order.pk for order in orders])
    zones: Sequence[tuple[int, str]] = list(rows.values_list("pk", "warehouse__time_zone"))
    days = {zone: business_day(now, zone) for _pk, zone in zones}
    return {pk: days[zone] for pk, zone in zones}


def _lock_open(sales_order_id: int, version: int | None) -> SalesOrder:
    order = lock_order(sales_order_id, version)
    if order.state not in MAY_BE_CHANGED:
        raise WrongSalesOrderState(order, *MAY_BE_CHANGED)
    return order


def _end(order: SalesOrder, state: SalesOrderState) -> None:
    order.state = state
    save_order(order)
    for kind in WORK:
        finish_work(kind=kind, subject_id=order.pk)
