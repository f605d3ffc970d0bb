"""Find purchase orders and their lines."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from inventory.models import PurchaseOrder, PurchaseOrderLine
from tenancy.errors import NotFound


def purchase_orders() -> QuerySet[PurchaseOrder]:
    """Return every order with supplier and warehouse, newest first."""
    return PurchaseOrder.objects.select_related("supplier", "warehouse").order_by("-id")


def get_purchase_order(order_id: int) -> PurchaseOrder:
    """Return the order with its lines and their products; raise ``NotFound``."""
    lines = PurchaseOrderLine.objects.select_related("product").order_by("id")
    found = purchase_orders().prefetch_related(Prefetch("lines", lines)).filter(pk=order_id).first()
    if found is None:
        raise NotFound("purchase order", order_id)
    return found
