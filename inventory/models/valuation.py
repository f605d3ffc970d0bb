"""What stock is worth: a ledger of value beside the ledger of movements, and its projections.

Value is kept per product and warehouse, so only what crosses the edge of a warehouse changes it.
Only ``inventory.services.ledger_values`` and ``ledger_rebuild`` write here.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Product
from inventory.models.fields import total_field
from inventory.models.ledger import StockMovement
from inventory.models.places import Warehouse
from inventory.models.settings import ValuationMethod
from tenancy.models import TenantForeignKey, TenantOwned


class ValueEntryKind(models.TextChoices):
    """Only a movement changes quantity and value; the others say why value changed without one."""

    MOVEMENT = "movement", _("Movement")
    TAKEN_ON = "taken_on", _("Taken on from the balances")
    REVALUATION = "revaluation", _("Revaluation")


class ValueEntry(TenantOwned):
    """By how much a movement changed the stock of a warehouse, and what that was worth. Immutable.

    ``is_estimated``: nobody said what it cost, so the average or the usual cost was taken; or a
    reversal found less value than its original had brought.
    """

    kind = models.CharField(max_length=12, choices=ValueEntryKind.choices)
    movement = TenantForeignKey(
        StockMovement,
        on_delete=models.PROTECT,
        null=True,
        related_name="value_entries",
        tenant_index=False,
    )
    product = TenantForeignKey(
        Product, on_delete=models.PROTECT, related_name="+", tenant_index=False
    )
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.PROTECT, related_name="+", tenant_index=False
    )
    quantity_change = total_field()
    value_change = total_field()
    is_estimated = models.BooleanField(db_default=False)
    note = models.CharField(max_length=200, blank=True, db_default="")
    effective_at = models.DateTimeField()
    posted_at = models.DateTimeField(db_default=models.functions.Now())
    business_day = models.DateField()

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        verbose_name_plural = _("value entries")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "movement", "warehouse"], name="value_entry_once_per_warehouse"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ValueEntryKind.values), name="value_entry_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="movement", movement__isnull=False)
                | (~Q(kind="movement") & Q(movement__isnull=True)),
                name="value_entry_kind_fits_its_movement",
            ),
            # what comes in brings value, what goes out takes it along
            models.CheckConstraint(
                condition=Q(quantity_change__gte=0, value_change__gte=0)
                | Q(quantity_change__lt=0, value_change__lte=0)
                | ~Q(kind="movement"),
                name="value_entry_signs_agree",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "product", "business_day"], name="value_entry_by_product"
            ),
            models.Index(fields=["tenant", "business_day"], name="value_entry_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value_change}"


class StockValue(TenantOwned):
    """What a product's stock in a warehouse is worth now: provably the sum of its entries.

    ``method`` is kept on the row, so that it is read under the row's lock.
    """

    product = TenantForeignKey(
        Product, on_delete=models.PROTECT, related_name="values", tenant_index=False
    )
    warehouse = TenantForeignKey(Warehouse, on_delete=models.PROTECT, related_name="values")
    method = models.CharField(max_length=16, choices=ValuationMethod.choices)
    quantity = total_field(default=0)
    value = total_field(default=0)

    class Meta(TenantOwned.Meta):
        ordering = ["product_id", "warehouse_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "product", "warehouse"], name="stock_value_unique"
            ),
            models.CheckConstraint(
                condition=Q(method__in=ValuationMethod.values), name="stock_value_method_known"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0), name="stock_value_quantity_not_negative"
            ),
            models.CheckConstraint(condition=Q(value__gte=0), name="stock_value_not_negative"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0) | Q(value=0),
                name="stock_value_zero_is_worth_zero",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} in {self.warehouse_id}: {self.quantity} for {self.value}"


class CostLayer(TenantOwned):
    """Goods that came in together at one cost and leave in turn (first in, first out).

    ``movement`` is empty for stock that was there when layers began to be kept.
    """

    product = TenantForeignKey(
        Product, on_delete=models.PROTECT, related_name="+", tenant_index=False
    )
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.PROTECT, related_name="+", tenant_index=False
    )
    movement = TenantForeignKey(
        StockMovement, on_delete=models.PROTECT, null=True, related_name="+", tenant_index=False
    )
    received_at = models.DateTimeField()
    received_quantity = total_field()
    remaining_quantity = total_field()
    remaining_value = total_field()

    class Meta(TenantOwned.Meta):
        ordering = ["product_id", "warehouse_id", "received_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(received_quantity__gt=0)
                & Q(remaining_quantity__gte=0)
                & Q(remaining_quantity__lte=F("received_quantity")),
                name="cost_layer_within_received",
            ),
            models.CheckConstraint(
                condition=Q(remaining_value__gte=0), name="cost_layer_value_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(remaining_quantity__gt=0) | Q(remaining_value=0),
                name="cost_layer_zero_is_worth_zero",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "product", "warehouse", "received_at", "id"],
                condition=Q(remaining_quantity__gt=0),
                name="cost_layer_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.remaining_quantity} of {self.received_quantity}"
