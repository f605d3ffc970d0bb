"""Allocations: stock promised where it lies, to an order line, once; and what channels keep."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Lot, Product
from inventory.models.fields import quantity_field
from inventory.models.places import Location, Warehouse
from inventory.models.sales import Channel, SalesOrderLine
from inventory.models.transfers import TransferLine
from tenancy.models import TenantForeignKey, TenantOwned


class AllocationState(models.TextChoices):
    """``allocated`` ends once: picked, released or expired. What was picked is shipped once."""

    ALLOCATED = "allocated", _("Allocated")
    PICKED = "picked", _("Picked")
    SHIPPED = "shipped", _("Shipped")
    RELEASED = "released", _("Released")
    EXPIRED = "expired", _("Expired")


class Allocation(TenantOwned):
    """A balance's ``allocated`` is the sum of the live ones there.

    Allocated goods are promised at ``location``, picked ones at ``picked_into``.
    """

    order_line = TenantForeignKey(
        SalesOrderLine, on_delete=models.PROTECT, null=True, related_name="allocations"
    )
    transfer_line = TenantForeignKey(
        TransferLine, on_delete=models.PROTECT, null=True, related_name="allocations"
    )
    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    location = TenantForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    lot = TenantForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="+")
    quantity = quantity_field()
    quantity_packed = quantity_field(default=0)
    state = models.CharField(
        max_length=12, choices=AllocationState.choices, default=AllocationState.ALLOCATED
    )
    picked_into = TenantForeignKey(Location, on_delete=models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, quantity_packed__gte=0)
                & Q(quantity_packed__lte=F("quantity")),
                name="allocation_numbers_sane",
            ),
            models.CheckConstraint(
                condition=Q(order_line__isnull=True) ^ Q(transfer_line__isnull=True),
                name="allocation_for_one_line",
            ),
            models.CheckConstraint(
                condition=Q(state__in=AllocationState.values), name="allocation_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="picked") | Q(picked_into__isnull=False),
                name="allocation_picked_into",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "product", "location"],
                condition=Q(state__in=["allocated", "picked"]),
                name="allocation_live",
            ),
            models.Index(
                fields=["tenant", "expires_at"],
                condition=Q(state="allocated", expires_at__isnull=False),
                name="allocation_expiring",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} x {self.quantity} {self.state}"


class ChannelStock(TenantOwned):
    """Stock kept for a channel (``ring_fenced``: others may not have it), or from it (``buffer``).

    The buffer is the oversell guard: the channel is not promised the last units.
    """

    channel = TenantForeignKey(Channel, on_delete=models.CASCADE, related_name="stock")
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="channel_stock")
    warehouse = TenantForeignKey(Warehouse, on_delete=models.CASCADE, related_name="+")
    ring_fenced = quantity_field(default=0, verbose_name=_("kept for the channel"))
    buffer = quantity_field(default=0, verbose_name=_("kept from the channel"))
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta(TenantOwned.Meta):
        ordering = ["channel_id", "product_id", "warehouse_id", "id"]
        verbose_name_plural = _("channel stock")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "product", "warehouse", "channel"], name="channel_stock_unique"
            ),
            models.CheckConstraint(
                condition=Q(ring_fenced__gte=0, buffer__gte=0), name="channel_stock_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}: {self.product_id}"
