"""Reading the ledger: movements of a product, a place or a document, newest first."""

from __future__ import annotations

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from inventory.models import PurchaseOrder, Receipt, StockMovement
from inventory.queries.access import in_allowed
from tenancy.errors import NotFound


def movements(
    *,
    product_id: int | None = None,
    warehouse_id: int | None = None,
    location_id: int | None = None,
    text: str = "",
) -> QuerySet[StockMovement]:
    """Return movements, newest first, each with ``is_reversed``.

    ``text`` is the start of a SKU, location or lot code, or part of a product's name.
    """
    rows = StockMovement.objects.select_related(
        "product", "lot", "from_location", "to_location"
    ).annotate(is_reversed=Exists(StockMovement.objects.filter(reverses=OuterRef("pk"))))
    rows = in_allowed(rows, "from_location__warehouse_id", "to_location__warehouse_id")
    if product_id is not None:
        rows = rows.filter(product_id=product_id)
    if warehouse_id is not None:
        rows = rows.filter(
            Q(from_location__warehouse_id=warehouse_id) | Q(to_location__warehouse_id=warehouse_id)
        )
    if text:
        rows = rows.filter(
            Q(product__sku__istartswith=text)
            | Q(product__name__icontains=text)
            | Q(from_location__code__istartswith=text)
            | Q(to_location__code__istartswith=text)
            | Q(lot__code__istartswith=text)
        )
    if location_id is not None:
        rows = rows.filter(Q(from_location_id=location_id) | Q(to_location_id=location_id))
    return rows.order_by("-id")


def get_movement(movement_id: int) -> StockMovement:
    """Return the movement; raise ``NotFound``."""
    found = movements().filter(pk=movement_id).first()
    if found is None:
        raise NotFound("movement", movement_id)
    return found


def movements_of(document: Model) -> QuerySet[StockMovement]:
    """Return the movements a document caused, and those that took them back."""
    return movements().filter(document_kind=type(document).__name__, document_id=document.pk)


def movements_of_order(order: PurchaseOrder) -> QuerySet[StockMovement]:
    """Return the movements of an order's receipts, and those that took them back.

    Before there were receipts, movements named the order itself.
    """
    receipts = Receipt.objects.filter(purchase_order=order).values("pk")
    return movements().filter(
        Q(document_kind=Receipt.__name__, document_id__in=receipts)
        | Q(document_kind=PurchaseOrder.__name__, document_id=order.pk)
    )
