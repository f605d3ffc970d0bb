"""Find products and read what the product pages show of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import DecimalField, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from inventory.models import (
    PROMISABLE_KINDS,
    Barcode,
    Category,
    Lot,
    Packaging,
    Product,
    StockBalance,
)
from inventory.queries.access import in_allowed
from tenancy.errors import NotFound

ZERO = Decimal(0)


@dataclass(frozen=True)
class ProductTotals:
    """What the warehouses the reader works in hold of a product together, in base units."""

    on_hand: Decimal = ZERO
    allocated: Decimal = ZERO
    elsewhere: Decimal = ZERO
    """On hand where it may not be promised: receiving, quarantine, damaged, in transit."""


def search_products(
    *, text: str = "", category_id: int | None = None, is_active: bool | None = None
) -> QuerySet[Product]:
    """Return products whose SKU starts with, name contains, or barcode equals ``text``."""
    products = Product.objects.select_related("category")
    if text:
        scanned = Barcode.objects.filter(product_id=OuterRef("pk"), code=text)
        products = products.filter(
            Q(sku__istartswith=text) | Q(name__icontains=text) | Exists(scanned)
        )
    if category_id is not None:
        products = products.filter(category_id=category_id)
    if is_active is not None:
        products = products.filter(is_active=is_active)
    return products.order_by("sku", "id")


def get_product(product_id: int) -> Product:
    """Return the product with its category; raise ``NotFound``."""
    product = Product.objects.select_related("category").filter(pk=product_id).first()
    if product is None:
        raise NotFound("product", product_id)
    return product


def find_product_by_code(code: str) -> Product | None:
    """Return the product of this SKU (in any case) or barcode, or None."""
    found = (
        Product.objects.filter(sku=code).first() or Product.objects.filter(sku__iexact=code).first()
    )
    if found is None:
        barcode = Barcode.objects.select_related("product").filter(code=code).first()
        found = barcode.product if barcode else None
    return found


def product_totals(product_ids: Collection[int]) -> dict[int, ProductTotals]:
    """Return the totals of each product in one statement; products without stock get zeros."""
    number: DecimalField[Decimal, Decimal] = DecimalField(max_digits=24, decimal_places=6)
    promisable = Q(location__kind__in=PROMISABLE_KINDS)
    rows = (
        in_allowed(
            StockBalance.objects.filter(product_id__in=product_ids), "location__warehouse_id"
        )
        .order_by()
        .values("product_id")
        .annotate(
            here=Coalesce(Sum("on_hand", filter=promisable), ZERO, output_field=number),
            promised=Coalesce(Sum("allocated", filter=promisable), ZERO, output_field=number),
            other=Coalesce(Sum("on_hand", filter=~promisable), ZERO, output_field=number),
        )
        .values_list("product_id", "here", "promised", "other")
    )
    found = {row[0]: ProductTotals(row[1], row[2], row[3]) for row in rows}
    return {product_id: found.get(product_id, ProductTotals()) for product_id in product_ids}


def product_balances(product_id: int) -> QuerySet[StockBalance]:
    """Return where the product lies now, with lots; empty balances left out."""
    rows = StockBalance.objects.filter(product_id=product_id, on_hand__gt=0)
    return (
        in_allowed(rows, "location__warehouse_id")
        .select_related("location__warehouse", "location__zone", "lot")
        .order_by("location__warehouse__code", "location__walking_order", "location__code", "id")
    )


def product_packagings(product_id: int) -> QuerySet[Packaging]:
    """Return the packagings of a product, smallest first."""
    return Packaging.objects.filter(product_id=product_id).order_by("units", "id")


def find_lot(product_id: int, code: str) -> Lot | None:
    """Return the product's lot of that code, or None."""
    return Lot.objects.filter(product_id=product_id, code=code).first()


def product_barcodes(product_id: int) -> QuerySet[Barcode]:
    """Return the barcodes of a product and of its packagings."""
    rows = Barcode.objects.filter(product_id=product_id).select_related("packaging")
    return rows.order_by("code", "id")


def categories() -> QuerySet[Category]:
    """Return every category by name."""
    return Category.objects.order_by("name", "id")
