"""Closed periods: what was closed, and what lay there and was worth what at the end of it.

Only ``inventory.services.periods`` writes here.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Lot, Product
from inventory.models.fields import total_field
from inventory.models.places import Location, Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class PeriodClosing(TenantOwned):
    """The days up to and with ``through`` were closed. Gone when they are open again."""

    through = models.DateField(_("through"))
    closed_at = models.DateTimeField(db_default=models.functions.Now())
    closed_by_label = models.CharField(max_length=160, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-through"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "through"], name="period_closing_once")
        ]

    def __str__(self) -> str:
        return str(self.through)


class StockSnapshot(TenantOwned):
    """What lay at a location at the end of a closed day, by when things happened.

    Below zero when an issue was dated before its receipt; zero has no row.
    """

    day = models.DateField()
    product = TenantForeignKey(
        Product, on_delete=models.PROTECT, related_name="+", tenant_index=False
    )
    location = TenantForeignKey(
        Location, on_delete=models.PROTECT, related_name="+", tenant_index=False
    )
    lot = TenantForeignKey(
        Lot, on_delete=models.PROTECT, null=True, related_name="+", tenant_index=False
    )
    quantity = total_field()

    class Meta(TenantOwned.Meta):
        ordering = ["day", "product_id", "location_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "day", "product", "location", "lot"],
                name="stock_snapshot_unique",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.quantity}"


class ValueSnapshot(TenantOwned):
    """What a product's stock in a warehouse was worth at the end of a closed day."""

    day = models.DateField()
    product = TenantForeignKey(
        Product, on_delete=models.PROTECT, related_name="+", tenant_index=False
    )
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.PROTECT, related_name="+", tenant_index=False
    )
    quantity = total_field()
    value = total_field()

    class Meta(TenantOwned.Meta):
        ordering = ["day", "product_id", "warehouse_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "day", "product", "warehouse"], name="value_snapshot_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.quantity} for {self.value}"
