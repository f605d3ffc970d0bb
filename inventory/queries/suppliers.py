"""Find suppliers and what they offer."""

from __future__ import annotations

from django.db.models import QuerySet

from inventory.models import Supplier, SupplierItem
from tenancy.errors import NotFound


def suppliers() -> QuerySet[Supplier]:
    """Return every supplier by code."""
    return Supplier.objects.order_by("code", "id")


def get_supplier(supplier_id: int) -> Supplier:
    """Return the supplier; raise ``NotFound``."""
    found = Supplier.objects.filter(pk=supplier_id).first()
    if found is None:
        raise NotFound("supplier", supplier_id)
    return found


def supplier_items() -> QuerySet[SupplierItem]:
    """Return every offer with supplier, product and price breaks."""
    offers = SupplierItem.objects.select_related("supplier", "product")
    return offers.prefetch_related("price_breaks").order_by("id")


def get_supplier_item(supplier_item_id: int) -> SupplierItem:
    """Return the offer; raise ``NotFound``."""
    found = supplier_items().filter(pk=supplier_item_id).first()
    if found is None:
        raise NotFound("supplier item", supplier_item_id)
    return found
