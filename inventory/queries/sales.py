"""Find sales orders, their lines, what was promised to them, and what happened to them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Avg, Count, DecimalField, F, Prefetch, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, NullIf

from inventory.models import Allocation, SalesOrder, SalesOrderLine, SalesOrderState
from inventory.queries.access import in_allowed
from inventory.queries.packing import DUE_ON
from tenancy.errors import NotFound

NUMBER: DecimalField[Decimal, Decimal] = DecimalField(max_digits=38, decimal_places=12)
ONE = Value(Decimal(1), output_field=NUMBER)


@dataclass(frozen=True)
class SalesTotals:
    """``value`` in the tenant's currency; the shares are of what was asked for, 0 to 1.

    Units of different products do not add up, so a share is the mean over the lines. ``served`` is
    promised, picked or shipped.
    """

    lines: int = 0
    value: Decimal = Decimal(0)
    served: Decimal = Decimal(0)
    shipped: Decimal = Decimal(0)


def sales_orders() -> QuerySet[SalesOrder]:
    """Return every order with warehouse, channel and customer, newest first."""
    rows = SalesOrder.objects.select_related("warehouse", "channel", "customer", "segment")
    return in_allowed(rows, "warehouse_id").order_by("-id")


def search_sales_orders(
    *,
    text: str = "",
    warehouse_id: int | None = None,
    channel_id: int | None = None,
    customer_id: int | None = None,
) -> QuerySet[SalesOrder]:
    """Return orders whose number or reference starts with, or whose customer's name contains, it.

    Each has ``due_on``: the promised day, or the last day there is when none was promised.
    """
    rows = sales_orders().annotate(due_on=DUE_ON)
    if text:
        starts = Q(number__istartswith=text) | Q(reference__istartswith=text)
        contains = Q(customer__name__icontains=text) | Q(ship_to_name__icontains=text)
        rows = rows.filter(starts | contains)
    if warehouse_id is not None:
        rows = rows.filter(warehouse_id=warehouse_id)
    if channel_id is not None:
        rows = rows.filter(channel_id=channel_id)
    return rows if customer_id is None else rows.filter(customer_id=customer_id)


def open_sales_orders(rows: QuerySet[SalesOrder]) -> QuerySet[SalesOrder]:
    """Keep the orders of which something is still owed."""
    return rows.filter(state__in=SalesOrderState.owing())


def late_sales_orders(rows: QuerySet[SalesOrder], today: date) -> QuerySet[SalesOrder]:
    """Keep the orders that were promised for a day before ``today``."""
    return open_sales_orders(rows).filter(promised_on__lt=today)


def sales_totals(order_ids: Collection[int]) -> dict[int, SalesTotals]:
    """Return the totals of each order in one statement; orders without lines get zeros."""
    asked = NullIf(F("quantity"), Value(Decimal(0), output_field=NUMBER))
    served = F("quantity_allocated") + F("quantity_picked") + F("quantity_shipped")
    rows = (
        SalesOrderLine.objects.filter(order_id__in=order_ids)
        .order_by()
        .values("order_id")
        .annotate(
            lines=Count("id"),
            value=Sum(F("quantity") * F("unit_price"), output_field=NUMBER),
            # a line that was given up is as good as shipped
            served=Avg(Coalesce(served / asked, ONE, output_field=NUMBER), output_field=NUMBER),
            shipped=Avg(
                Coalesce(F("quantity_shipped") / asked, ONE, output_field=NUMBER),
                output_field=NUMBER,
            ),
        )
        .values_list("order_id", "lines", "value", "served", "shipped")
    )
    found = {row[0]: SalesTotals(*row[1:]) for row in rows}
    return {order_id: found.get(order_id, SalesTotals()) for order_id in order_ids}


def get_sales_order(sales_order_id: int) -> SalesOrder:
    """Return the order with its lines and their products; raise ``NotFound``."""
    lines = SalesOrderLine.objects.select_related("product").order_by("id")
    rows = sales_orders().prefetch_related(Prefetch("lines", lines))
    found = rows.filter(pk=sales_order_id).first()
    if found is None:
        raise NotFound("sales order", sales_order_id)
    return found


def sales_orders_with_lines(order_ids: Collection[int]) -> dict[int, SalesOrder]:
    """Return the orders with their lines by id: two statements, however many."""
    lines = SalesOrderLine.objects.select_related("product").order_by("id")
    rows = sales_orders().prefetch_related(Prefetch("lines", lines)).filter(pk__in=order_ids)
    return {order.pk: order for order in rows}


def get_sales_line(order: SalesOrder, sales_order_line_id: int) -> SalesOrderLine:
    """Return a line of the order; raise ``NotFound``, also for another order's."""
    for line in order.lines.all():
        if line.pk == sales_order_line_id:
            return line
    raise NotFound("sales order line", sales_order_line_id)


def allocations() -> QuerySet[Allocation]:
    """Return what was promised to order lines, with order, product, place and lot."""
    rows = Allocation.objects.filter(order_line__isnull=False).select_related(
        "order_line__order", "product", "location", "lot", "picked_into"
    )
    return in_allowed(rows, "order_line__order__warehouse_id").order_by("id")


def get_allocation(allocation_id: int) -> Allocation:
    """Return what was promised to an order line; raise ``NotFound``."""
    found = allocations().filter(pk=allocation_id).first()
    if found is None:
        raise NotFound("allocation", allocation_id)
    return found
