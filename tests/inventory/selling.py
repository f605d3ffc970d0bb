"""Short words for sales orders in tests."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from inventory.models import (
    Allocation,
    Channel,
    Location,
    MovementReason,
    PickTask,
    Product,
    SalesOrder,
    SalesOrderLine,
    SalesOrderState,
    StockBalance,
    Warehouse,
    Wave,
    WaveKind,
)
from inventory.services.ledger import AllocationLine, MovementLine, post_movements
from inventory.services.numbers import take_numbers
from inventory.services.sales import confirm_sales_order
from inventory.services.sales_entry import SalesOrderFields, create_sales_order
from inventory.services.sales_lines import SalesLine
from tests.inventory.book import Site


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


def draft(warehouse: Warehouse, *asked: tuple[Product, Any], **fields: Any) -> SalesOrder:
    """Return a draft that asks for these."""
    channel = make_channel(fields.pop("channel", "WEB"))
    lines = [SalesLine(product.pk, Decimal(quantity)) for product, quantity in asked]
    chosen = SalesOrderFields(warehouse_id=warehouse.pk, channel_id=channel.pk, **fields)
    return create_sales_order(fields=chosen, lines=lines)


def confirmed(warehouse: Warehouse, *asked: tuple[Product, Any], **fields: Any) -> SalesOrder:
    """Return an order that was confirmed, and so allocated as far as stock lies free."""
    return confirm_sales_order(sales_order_id=draft(warehouse, *asked, **fields).pk)


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


def release_wave(site: Site, allocations: Sequence[Allocation]) -> Wave:
    """Give the allocations to a wave as open picks."""
    [number] = take_numbers("WV")
    wave = Wave.objects.create(
        number=number,
        warehouse=site.warehouse,
        kind=WaveKind.BATCH,
        to_location=site.places["packing"],
    )
    for sequence, allocation in enumerate(allocations):
        PickTask.objects.create(
            wave=wave,
            allocation=allocation,
            sales_order=allocation.order_line.order,
            product=allocation.product,
            location=allocation.location,
            quantity=allocation.quantity,
            sequence=sequence,
        )
    return wave


def pick(site: Site, allocation: Allocation, into: str = "packing") -> None:
    """Bring allocated goods to packing, as a pick does, without a wave."""
    place: Location = site.places[into]
    line = MovementLine(
        allocation.product_id,
        allocation.location_id,
        place.pk,
        allocation.quantity,
        MovementReason.PICK,
        allocation.lot_id,
    )
    where = (allocation.product_id, allocation.location_id, allocation.quantity, allocation.lot_id)
    post_movements(lines=[line], releases=[AllocationLine(*where)])
    StockBalance.objects.filter(
        product=allocation.product, location=place, lot=allocation.lot
    ).update(allocated=allocation.quantity)
    Allocation.objects.filter(pk=allocation.pk).update(state="picked", picked_into=place)
    SalesOrderLine.objects.filter(pk=allocation.order_line_id).update(
        quantity_allocated=0, quantity_picked=allocation.quantity
    )
