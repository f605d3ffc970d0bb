"""Short words for sales orders in tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from inventory.models import (
    Channel,
    Product,
    SalesOrder,
    SalesOrderLine,
    SalesOrderState,
    StockBalance,
    Warehouse,
)
from inventory.services.numbers import take_numbers


def make_channel(code: str = "WEB") -> Channel:
    """Return the channel of that code, created when new."""
    return Channel.objects.get_or_create(code=code, defaults={"name": code.title()})[0]


def owing(
    warehouse: Warehouse, *asked: tuple[Product, Any], channel: str = "WEB", **fields: Any
) -> SalesOrder:
    """Return a confirmed order that asks for these, as nothing was done for it yet."""
    fields = {"state": SalesOrderState.CONFIRMED, "channel": make_channel(channel)} | fields
    [number] = take_numbers("SO")
    order = SalesOrder.objects.create(warehouse=warehouse, number=number, **fields)
    for product, quantity in asked:
        SalesOrderLine.objects.create(order=order, product=product, quantity=Decimal(quantity))
    return order


def state_of(order: SalesOrder) -> str:
    """Return the order's state as the database has it."""
    return str(SalesOrder.objects.values_list("state", flat=True).get(pk=order.pk))


def promised(order: SalesOrder) -> list[Decimal]:
    """Return what is allocated to each line."""
    rows = order.lines.order_by("id")
    return list(rows.values_list("quantity_allocated", flat=True))


def allocated_at(product: Product, location_id: int) -> Decimal:
    """Return what the balances there say is promised."""
    rows = StockBalance.objects.filter(product=product, location_id=location_id)
    return sum((row.allocated for row in rows), Decimal(0))
