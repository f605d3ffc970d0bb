"""Demand: what was asked for, by business day. The forecast reads nothing else."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from inventory.models.catalog import Product
from inventory.models.fields import money_field, quantity_field
from inventory.models.places import Warehouse
from inventory.models.sales import Channel, Customer, CustomerSegment
from tenancy.models import Job, TenantForeignKey, TenantOwned


class DailyDemand(TenantOwned):
    """Demand of one product, warehouse, channel and segment on one business day of the warehouse.

    Channel and segment are empty when the source does not say.
    """

    product = TenantForeignKey(
        Product, on_delete=models.PROTECT, tenant_index=False, related_name="+"
    )
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.PROTECT, tenant_index=False, related_name="+"
    )
    channel = TenantForeignKey(
        Channel, on_delete=models.PROTECT, null=True, tenant_index=False, related_name="+"
    )
    segment = TenantForeignKey(
        CustomerSegment, on_delete=models.PROTECT, null=True, tenant_index=False, related_name="+"
    )
    business_day = models.DateField()
    quantity = quantity_field()
    revenue = money_field(default=0)
    order_lines = models.PositiveIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        ordering = ["product_id", "warehouse_id", "business_day", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "product", "warehouse", "business_day", "channel", "segment"],
                name="daily_demand_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="daily_demand_not_negative"),
        ]
        indexes = [models.Index(fields=["tenant", "business_day"], name="daily_demand_by_day")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.business_day}: {self.quantity}"


class ImportedFile(TenantOwned):
    """One uploaded file and what became of it: read, left out and why."""

    job = TenantForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=24)
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    options = models.JSONField(default=dict, help_text="Column mapping, warehouse, mode.")
    report = models.JSONField(default=dict, help_text="Rows read, imported, left out by reason.")
    error_path = models.CharField(
        max_length=255, blank=True, help_text="Row-numbered errors as CSV."
    )
    created_by_label = models.CharField(max_length=160, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["tenant", "kind", "sha256"], name="imported_file_by_hash")]

    def __str__(self) -> str:
        return self.file_name


class ImportedSale(TenantOwned):
    """One line of imported sales. ``line_key`` makes it count once, in whatever file it comes."""

    file = TenantForeignKey(
        ImportedFile, on_delete=models.PROTECT, tenant_index=False, related_name="+"
    )
    line_key = models.BinaryField(max_length=16)
    document = models.CharField(max_length=64, blank=True)
    product = TenantForeignKey(
        Product, on_delete=models.PROTECT, tenant_index=False, related_name="+"
    )
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.PROTECT, tenant_index=False, related_name="+"
    )
    channel = TenantForeignKey(
        Channel, on_delete=models.PROTECT, null=True, tenant_index=False, related_name="+"
    )
    segment = TenantForeignKey(
        CustomerSegment, on_delete=models.PROTECT, null=True, tenant_index=False, related_name="+"
    )
    customer = TenantForeignKey(
        Customer, on_delete=models.PROTECT, null=True, tenant_index=False, related_name="+"
    )
    sold_at = models.DateTimeField()
    business_day = models.DateField()
    quantity = quantity_field()
    unit_price = money_field(null=True)
    is_cancelled = models.BooleanField(
        default=False, help_text="A cancellation took this line back."
    )

    class Meta(TenantOwned.Meta):
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "line_key"], name="imported_sale_counts_once")
        ]
        indexes = [
            models.Index(
                fields=["tenant", "product", "business_day"], name="imported_sale_by_product"
            )
        ]

    def __str__(self) -> str:
        return f"{self.document} {self.product_id} x {self.quantity}"
