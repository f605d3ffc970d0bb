"""Orders placed and received, receipts opened, filled and completed, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from inventory.models import Product, PurchaseOrder, Receipt, ReceiptLine
from inventory.services.purchasing import OrderLine, create_draft_order, place_order
from inventory.services.receiving import (
    Arrival,
    ReceiptLine as Arrived,
    add_receipt_line,
    complete_receipt,
    open_receipt,
    receive_order,
)
from inventory.services.suppliers import SupplierFields, create_supplier
from tests.inventory.book import Site

PLACED = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def placed_order(site: Site, *products: Product, **line: Any) -> PurchaseOrder:
    """Return a placed order of 10 of each product at 2.50."""
    code = f"S{PurchaseOrder.objects.count()}"
    supplier = create_supplier(fields=SupplierFields(code=code, name="Sam", lead_time_days=7))
    lines = [OrderLine(p.pk, Decimal(10), Decimal("2.50"), **line) for p in products]
    order = create_draft_order(supplier_id=supplier.pk, warehouse_id=site.warehouse.pk, lines=lines)
    return place_order(order_id=order.pk, placed_at=PLACED)


def receive(order: PurchaseOrder, *quantities: Any, **more: Any) -> PurchaseOrder:
    """Receive these quantities of the order's first lines."""
    lines = [
        Arrived(line.pk, Decimal(str(quantity)))
        for line, quantity in zip(order.lines.order_by("id"), quantities, strict=False)
    ]
    return receive_order(order_id=order.pk, lines=lines, **more)


def blind(site: Site, **fields: Any) -> Receipt:
    """Return an open receipt of Sam's goods without an order."""
    supplier = create_supplier(fields=SupplierFields(code="BLIND", name="Sam"))
    return open_receipt(supplier_id=supplier.pk, warehouse_id=site.warehouse.pk, **fields)


def add(receipt: Receipt, product: Product, quantity: Any = 1, **more: Any) -> ReceiptLine:
    arrival = Arrival(product.pk, Decimal(str(quantity)), **more)
    return add_receipt_line(receipt_id=receipt.pk, arrival=arrival)


def complete(receipt: Receipt, **options: Any) -> Receipt:
    return complete_receipt(receipt_id=receipt.pk, **options)
