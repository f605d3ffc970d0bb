"""What is to be allocated, and where stock lies that could be promised to a line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import DateField, Exists, F, Func, OuterRef, Q, QuerySet
from django.utils import timezone

from inventory.models import (
    LocationKind,
    LotStatus,
    SalesOrder,
    SalesOrderLine,
    StockBalance,
    WorkKind,
)
from inventory.queries.packing import DUE_ON, orders_with_due
from inventory.queries.promisable import promisable
from inventory.queries.worklists import of_assignee
from inventory.rules.business_day import business_day

TODAY_THERE = Func(
    F("location__warehouse__time_zone"),
    template="(statement_timestamp() AT TIME ZONE %(expressions)s)::date",
    output_field=DateField(),
)
"""The business day of the warehouse, row by row."""
OPEN = Q(quantity__gt=F("quantity_allocated") + F("quantity_picked") + F("quantity_shipped"))


@dataclass(frozen=True)
class OpenLines:
    """Of one order: lines for which something is missing, and those of which stock lies free."""

    lines: int = 0
    in_stock: int = 0


def orders_to_allocate(
    *,
    warehouse_id: int | None = None,
    text: str = "",
    assignee: str = "",
    only_in_stock: bool = True,
) -> QuerySet[SalesOrder]:
    """Return orders that lack stock, the most urgent first, each with ``due_on``.

    ``only_in_stock``: those for which some of it lies free in storage now; what of that is kept for
    other channels shows when it is allocated.
    """
    missing = SalesOrderLine.objects.filter(OPEN, order=OuterRef("pk"))
    if only_in_stock:
        missing = missing.filter(Exists(_free_for_line()))
    rows = orders_with_due(warehouse_id, text).filter(Exists(missing))
    return of_assignee(rows, WorkKind.ALLOCATE, assignee).order_by("priority", DUE_ON, "id")


def open_lines_of(order_ids: Collection[int]) -> dict[int, OpenLines]:
    """Return how much each order lacks, in one statement."""
    rows = SalesOrderLine.objects.filter(OPEN, order_id__in=order_ids).order_by()
    found: dict[int, OpenLines] = {}
    for order_id, in_stock in rows.values_list("order_id", Exists(_free_for_line())):
        known = found.get(order_id, OpenLines())
        found[order_id] = OpenLines(known.lines + 1, known.in_stock + bool(in_stock))
    return {order_id: found.get(order_id, OpenLines()) for order_id in order_ids}


def stock_for_line(line: SalesOrderLine, order: SalesOrder) -> QuerySet[StockBalance]:
    """Return the free stock that may be promised to the line, in the order in which it would be."""
    today = business_day(timezone.now(), order.warehouse.time_zone)
    rows = promisable(today).filter(
        product_id=line.product_id,
        location__warehouse_id=order.warehouse_id,
        location__kind=LocationKind.STORAGE,
        on_hand__gt=F("allocated"),
    )
    by_urgency = (
        F("lot__expires_on").asc(nulls_last=True),
        F("lot_id").asc(nulls_first=True),
        "location__walking_order",
        "location_id",
    )
    return rows.select_related("location", "lot").order_by(*by_urgency)


def _free_for_line() -> QuerySet[StockBalance]:
    """Return the free stock of a line's product in its order's warehouse, for ``Exists``."""
    lot_good = Q(lot__isnull=True) | Q(lot__status=LotStatus.AVAILABLE) & (
        Q(lot__expires_on__isnull=True) | Q(lot__expires_on__gte=TODAY_THERE)
    )
    return StockBalance.objects.filter(
        lot_good,
        product_id=OuterRef("product_id"),
        location__warehouse_id=OuterRef("order__warehouse_id"),
        location__kind=LocationKind.STORAGE,
        location__is_active=True,
        on_hand__gt=F("allocated"),
    )
