"""Who stands behind a document of the ledger: its number, and the supplier or customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from inventory.models import (
    CustomerReturn,
    CycleCount,
    PurchaseOrder,
    Receipt,
    SalesOrder,
    Shipment,
    SupplierReturn,
    TransferOrder,
    Wave,
)

Key = tuple[str, int | None]


@dataclass(frozen=True)
class Party:
    """``name`` of a supplier, a customer or what else the document is about; empty when unknown.

    ``related`` is the number of the order behind it, ``address`` where a shipment went.
    """

    document_kind: str = ""
    document_id: int | None = None
    number: str = ""
    name: str = ""
    customer_id: int | None = None
    related: str = ""
    address: str = ""


def parties_of(keys: Collection[Key]) -> dict[Key, Party]:
    """Return the party of each document: one statement per kind of document."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for kind, document_id in keys:
        if document_id is not None:
            wanted[kind].add(document_id)
    found: dict[Key, Party] = {key: Party(key[0], key[1]) for key in keys}
    for kind, ids in wanted.items():
        if kind in SOURCES:
            rows, shown = SOURCES[kind]
            for row in rows().filter(pk__in=ids).order_by("id"):
                found[kind, row.pk] = shown(row)
    return found


def _of_purchase_order(order: PurchaseOrder) -> Party:
    return Party("PurchaseOrder", order.pk, order.number, order.supplier.name)


def _of_receipt(receipt: Receipt) -> Party:
    order = receipt.purchase_order
    supplier = receipt.supplier or (order.supplier if order else None)
    return Party(
        "Receipt",
        receipt.pk,
        receipt.number,
        supplier.name if supplier else "",
        related=order.number if order else "",
    )


def _of_shipment(shipment: Shipment) -> Party:
    order = _of_sales_order(shipment.sales_order)
    return Party(
        "Shipment",
        shipment.pk,
        shipment.number,
        order.name,
        customer_id=order.customer_id,
        related=order.number,
        address=order.address,
    )


def _of_sales_order(order: SalesOrder) -> Party:
    name = order.customer.name if order.customer else order.ship_to_name
    lines = [order.ship_to_name, *order.ship_to_address.splitlines()]
    address = ", ".join(line.strip() for line in lines if line.strip())
    return Party(
        "SalesOrder",
        order.pk,
        order.number,
        name,
        customer_id=order.customer_id,
        address=address,
    )


def _of_customer_return(back: CustomerReturn) -> Party:
    order = back.sales_order
    customer = back.customer or (order.customer if order else None)
    return Party(
        "CustomerReturn",
        back.pk,
        back.number,
        customer.name if customer else (order.ship_to_name if order else ""),
        customer_id=customer.pk if customer else None,
        related=order.number if order else "",
    )


def _of_supplier_return(back: SupplierReturn) -> Party:
    return Party("SupplierReturn", back.pk, back.number, back.supplier.name)


def _of_transfer(order: TransferOrder) -> Party:
    way = f"{order.from_warehouse.name} → {order.to_warehouse.name}"
    return Party("TransferOrder", order.pk, order.number, way)


def _of_count(count: CycleCount) -> Party:
    return Party("CycleCount", count.pk, count.number)


def _of_wave(wave: Wave) -> Party:
    return Party("Wave", wave.pk, wave.number)


Source = tuple[Callable[[], Any], Callable[[Any], Party]]
SOURCES: dict[str, Source] = {
    "PurchaseOrder": (
        lambda: PurchaseOrder.objects.select_related("supplier"),
        _of_purchase_order,
    ),
    "Receipt": (
        lambda: Receipt.objects.select_related("supplier", "purchase_order__supplier"),
        _of_receipt,
    ),
    "Shipment": (lambda: Shipment.objects.select_related("sales_order__customer"), _of_shipment),
    "SalesOrder": (lambda: SalesOrder.objects.select_related("customer"), _of_sales_order),
    "CustomerReturn": (
        lambda: CustomerReturn.objects.select_related("customer", "sales_order__customer"),
        _of_customer_return,
    ),
    "SupplierReturn": (
        lambda: SupplierReturn.objects.select_related("supplier"),
        _of_supplier_return,
    ),
    "TransferOrder": (
        lambda: TransferOrder.objects.select_related("from_warehouse", "to_warehouse"),
        _of_transfer,
    ),
    "CycleCount": (lambda: CycleCount.objects.order_by("id"), _of_count),
    "Wave": (lambda: Wave.objects.order_by("id"), _of_wave),
}
"""By the name that stands in the ledger. Another document is shown without a number."""
