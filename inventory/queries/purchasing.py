"""Find purchase orders and their lines."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import (
    Avg,
    Count,
    DateField,
    DecimalField,
    F,
    Prefetch,
    Q,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, Least

from inventory.models import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from inventory.queries.access import in_allowed
from inventory.rules.order_quantity import QuantityHint, quantity_hint
from tenancy.errors import NotFound

NUMBER: DecimalField[Decimal, Decimal] = DecimalField(max_digits=38, decimal_places=12)
NO_DAY = date.max


@dataclass(frozen=True)
class OrderTotals:
    """``value`` in the tenant's currency; ``received`` is the share of it that has come, 0 to 1.

    Units of different products do not add up, so the share is the mean over the lines.
    """

    lines: int = 0
    value: Decimal = Decimal(0)
    received: Decimal = Decimal(0)


def purchase_orders() -> QuerySet[PurchaseOrder]:
    """Return every order with supplier and warehouse, newest first."""
    rows = PurchaseOrder.objects.select_related("supplier", "warehouse").order_by("-id")
    return in_allowed(rows, "warehouse_id")


def search_purchase_orders(
    *, text: str = "", supplier_id: int | None = None
) -> QuerySet[PurchaseOrder]:
    """Return orders whose number starts with, or whose supplier's name contains, ``text``.

    Each has ``due_on``: the expected day, or the last day there is when none is known.
    """
    rows = purchase_orders().annotate(
        due_on=Coalesce(F("expected_on"), Value(NO_DAY), output_field=DateField())
    )
    if text:
        rows = rows.filter(Q(number__istartswith=text) | Q(supplier__name__icontains=text))
    if supplier_id is not None:
        rows = rows.filter(supplier_id=supplier_id)
    return rows


def expected_orders(rows: QuerySet[PurchaseOrder]) -> QuerySet[PurchaseOrder]:
    """Keep the orders of which goods are still to come."""
    return rows.filter(state__in=PurchaseOrderState.on_order())


def late_orders(rows: QuerySet[PurchaseOrder], today: date) -> QuerySet[PurchaseOrder]:
    """Keep the orders that should have come before ``today``."""
    return expected_orders(rows).filter(expected_on__lt=today)


def order_totals(order_ids: Collection[int]) -> dict[int, OrderTotals]:
    """Return the totals of each order in one statement; orders without lines get zeros."""
    share = Least(F("quantity_received") / F("quantity"), Decimal(1), output_field=NUMBER)
    rows = (
        PurchaseOrderLine.objects.filter(order_id__in=order_ids)
        .order_by()
        .values("order_id")
        .annotate(
            lines=Count("id"),
            value=Sum(F("quantity") * F("unit_price"), output_field=NUMBER),
            received=Avg(share, output_field=NUMBER),
        )
        .values_list("order_id", "lines", "value", "received")
    )
    found = {row[0]: OrderTotals(row[1], row[2], row[3]) for row in rows}
    return {order_id: found.get(order_id, OrderTotals()) for order_id in order_ids}


def get_purchase_order(order_id: int) -> PurchaseOrder:
    """Return the order with its lines and their products; raise ``NotFound``."""
    lines = PurchaseOrderLine.objects.select_related("product").order_by("id")
    found = purchase_orders().prefetch_related(Prefetch("lines", lines)).filter(pk=order_id).first()
    if found is None:
        raise NotFound("purchase order", order_id)
    return found


def get_order_line(order: PurchaseOrder, line_id: int) -> PurchaseOrderLine:
    """Return the line of that order; raise ``NotFound``."""
    found = next((line for line in order.lines.all() if line.pk == line_id), None)
    if found is None:
        raise NotFound("order line", line_id)
    return found


def quantity_hints(order: PurchaseOrder) -> dict[int, QuantityHint]:
    """Return, by line, what the supplier may not deliver as ordered: below its minimum order
    quantity, or off its order multiple. One statement.
    """
    lines = PurchaseOrderLine.objects.filter(order_id=order.pk, supplier_item__isnull=False)
    hints = {
        line.pk: quantity_hint(
            line.quantity,
            line.supplier_item.minimum_order_quantity,
            line.supplier_item.order_multiple,
        )
        for line in lines.select_related("supplier_item")
    }
    return {line_id: hint for line_id, hint in hints.items() if hint is not None}
