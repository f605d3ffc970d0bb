"""Selling: channels, customers, their segments, and sales orders."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Product
from inventory.models.fields import money_field, quantity_field
from inventory.models.places import Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class ChannelKind(models.TextChoices):
    ONLINE = "online", _("Online")
    OFFLINE = "offline", _("Offline")


class Channel(TenantOwned):
    code = models.CharField(max_length=32)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=ChannelKind.choices, default=ChannelKind.OFFLINE)
    is_active = models.BooleanField(default=True)

    class Meta(TenantOwned.Meta):
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="channel_code_unique")
        ]

    def __str__(self) -> str:
        return self.name


class CustomerSegment(TenantOwned):
    code = models.CharField(max_length=32)
    name = models.CharField(max_length=120)

    class Meta(TenantOwned.Meta):
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="segment_code_unique")
        ]

    def __str__(self) -> str:
        return self.name


class Customer(TenantOwned):
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=160)
    country = models.CharField(max_length=80, blank=True)
    segment = TenantForeignKey(
        CustomerSegment, on_delete=models.PROTECT, null=True, blank=True, related_name="customers"
    )
    is_active = models.BooleanField(default=True)

    class Meta(TenantOwned.Meta):
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="customer_code_unique")
        ]

    def __str__(self) -> str:
        return self.name


class SalesOrderState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    CONFIRMED = "confirmed", _("Confirmed")
    BACKORDERED = "backordered", _("Backordered")
    PARTIALLY_ALLOCATED = "partially_allocated", _("Partially allocated")
    ALLOCATED = "allocated", _("Allocated")
    PICKING = "picking", _("Picking")
    PACKED = "packed", _("Packed")
    SHIPPED = "shipped", _("Shipped")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def owing(cls) -> list[SalesOrderState]:
        """Return the states in which what is not shipped yet is still owed to the customer."""
        return [
            cls.CONFIRMED,
            cls.BACKORDERED,
            cls.PARTIALLY_ALLOCATED,
            cls.ALLOCATED,
            cls.PICKING,
            cls.PACKED,
        ]


class SalesOrder(TenantOwned):
    """What a customer asks for. Demand is recorded when it is confirmed."""

    number = models.CharField(max_length=32)
    warehouse = TenantForeignKey(Warehouse, on_delete=models.PROTECT, related_name="sales_orders")
    channel = TenantForeignKey(Channel, on_delete=models.PROTECT, related_name="sales_orders")
    customer = TenantForeignKey(
        Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="sales_orders"
    )
    segment = TenantForeignKey(
        CustomerSegment, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reference = models.CharField(
        _("reference"), max_length=64, blank=True, help_text=_("The order's number in its channel.")
    )
    state = models.CharField(
        max_length=20, choices=SalesOrderState.choices, default=SalesOrderState.DRAFT
    )
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=5, help_text=_("1 is served first, 9 last.")
    )
    promised_on = models.DateField(_("promised"), null=True, blank=True)
    ship_to_name = models.CharField(_("ship to"), max_length=160, blank=True)
    ship_to_address = models.TextField(_("address"), blank=True, max_length=600)
    note = models.CharField(_("note"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
    demand_day = models.DateField(null=True, help_text="Business day its demand was recorded on.")
    shipped_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="sales_order_number_unique"),
            models.UniqueConstraint(
                fields=["tenant", "channel", "reference"],
                condition=~Q(reference=""),
                name="sales_order_reference_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=SalesOrderState.values), name="sales_order_state_known"
            ),
            models.CheckConstraint(
                condition=Q(priority__gte=1, priority__lte=9), name="sales_order_priority_range"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-id"], name="sales_order_by_state"),
            models.Index(
                fields=["tenant", "warehouse", "priority", "promised_on", "id"],
                condition=Q(
                    state__in=[
                        "confirmed",
                        "backordered",
                        "partially_allocated",
                        "allocated",
                        "picking",
                        "packed",
                    ]
                ),
                name="sales_order_owing",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class SalesOrderLine(TenantOwned):
    """Base units. What is neither allocated, picked nor shipped is backordered once confirmed.

    A quantity of zero: the line was given up after confirmation.

    ``quantity_allocated`` is promised where it lies, ``quantity_picked`` waits at packing or
    shipping; shipped goods are in ``quantity_shipped`` alone.
    """

    order = TenantForeignKey(SalesOrder, on_delete=models.CASCADE, related_name="lines")
    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="sales_lines")
    quantity = quantity_field()
    unit_price = money_field(default=0)
    quantity_allocated = quantity_field(default=0)
    quantity_picked = quantity_field(default=0)
    quantity_shipped = quantity_field(default=0)

    class Meta(TenantOwned.Meta):
        ordering = ["order_id", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=0, unit_price__gte=0), name="sales_line_numbers_sane"
            ),
            models.CheckConstraint(
                condition=Q(
                    quantity_allocated__gte=0,
                    quantity_picked__gte=0,
                    quantity_shipped__gte=0,
                    quantity__gte=F("quantity_allocated")
                    + F("quantity_picked")
                    + F("quantity_shipped"),
                ),
                name="sales_line_within_quantity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} x {self.quantity}"

    @property
    def quantity_open(self) -> Decimal:
        """Return what nothing is promised for: backordered, once the order is confirmed."""
        served: Decimal = self.quantity_allocated + self.quantity_picked + self.quantity_shipped
        missing: Decimal = self.quantity - served
        return missing
