"""Read what lies where."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from inventory.models import Lot, StockBalance
from inventory.queries.access import in_allowed
from tenancy.errors import NotFound


def lying(
    *,
    location_id: int | None = None,
    product_id: int | None = None,
    lot_id: int | None = None,
) -> QuerySet[StockBalance]:
    """Return what lies at a place, or where goods lie, along the walk; empty balances left out."""
    rows = in_allowed(StockBalance.objects.filter(on_hand__gt=0), "location__warehouse_id")
    if location_id is not None:
        rows = rows.filter(location_id=location_id)
    if product_id is not None:
        rows = rows.filter(product_id=product_id)
    if lot_id is not None:
        rows = rows.filter(lot_id=lot_id)
    return rows.select_related("product", "location__warehouse", "lot").order_by(
        "location__warehouse__code",
        "location__walking_order",
        "location__code",
        "product__sku",
        "lot__expires_on",
        "id",
    )


def balances(
    *, text: str = "", warehouse_id: int | None = None, kind: str = ""
) -> QuerySet[StockBalance]:
    """Return balances that are not empty, with product, location and lot.

    ``text`` is the start of a SKU, location or lot code, or part of a product's name.
    """
    rows = in_allowed(StockBalance.objects.filter(on_hand__gt=0), "location__warehouse_id")
    if text:
        rows = rows.filter(
            Q(product__sku__istartswith=text)
            | Q(product__name__icontains=text)
            | Q(location__code__istartswith=text)
            | Q(lot__code__istartswith=text)
        )
    if warehouse_id is not None:
        rows = rows.filter(location__warehouse_id=warehouse_id)
    if kind:
        rows = rows.filter(location__kind=kind)
    return rows.select_related("product", "location__warehouse", "lot").order_by("id")


def get_balance(balance_id: int) -> StockBalance:
    """Return the balance with its place and lot, empty or not; raise ``NotFound``."""
    rows = in_allowed(StockBalance.objects.filter(pk=balance_id), "location__warehouse_id")
    known = 0 < balance_id < 2**63
    found = rows.select_related("product", "location__warehouse", "lot").first() if known else None
    if found is None:
        raise NotFound("stock", balance_id)
    return found


def find_lot(product_id: int, code: str) -> Lot | None:
    """Return the lot of that code (in any case) of the product, or None."""
    rows = Lot.objects.filter(product_id=product_id)
    return rows.filter(code=code).first() or rows.filter(code__iexact=code).first()
