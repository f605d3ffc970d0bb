"""What stock is worth now: by product and warehouse, and in total."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import DecimalField, F, QuerySet, Sum
from django.db.models.functions import Coalesce, NullIf, Round

from inventory.models import StockValue
from inventory.queries.access import in_allowed
from inventory.queries.places import get_warehouse

NUMBER: DecimalField[Decimal, Decimal] = DecimalField(max_digits=38, decimal_places=6)


def stock_values() -> QuerySet[StockValue]:
    """Return what is in stock with its value and ``unit_value``, where the reader works."""
    rows = StockValue.objects.filter(quantity__gt=0).annotate(
        unit_value=Round(F("value") / NullIf(F("quantity"), Decimal(0)), precision=6)
    )
    return in_allowed(rows.select_related("product", "warehouse"), "warehouse_id").order_by("id")


def product_values(product_id: int) -> list[StockValue]:
    """Return what the product is worth by warehouse, largest value first."""
    rows = stock_values().filter(product_id=product_id)
    return list(rows.order_by("-value", "warehouse__code", "id"))


def product_value(product_id: int, warehouse_id: int) -> StockValue | None:
    """Return what the product's stock there is worth, None when there is none of it.

    Raises ``NotFound`` for the warehouse.
    """
    warehouse = get_warehouse(warehouse_id)
    return stock_values().filter(product_id=product_id, warehouse=warehouse).first()


def total_value() -> Decimal:
    """Return what all stock of the company is worth."""
    found: Decimal = StockValue.objects.aggregate(
        total=Coalesce(Sum("value"), Decimal(0), output_field=NUMBER)
    )["total"]
    return found
