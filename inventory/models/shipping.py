"""Packages and shipments: picked goods packed, labelled and sent to the customer."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.allocation import Allocation
from inventory.models.catalog import Lot, Product
from inventory.models.fields import money_field, quantity_field
from inventory.models.places import Warehouse
from inventory.models.sales import SalesOrder, SalesOrderLine
from tenancy.models import TenantForeignKey, TenantOwned


class Shipment(TenantOwned):
    """What left for the customer at once. It is written when it leaves, and never twice."""

    number = models.CharField(max_length=32)
    sales_order = TenantForeignKey(SalesOrder, on_delete=models.PROTECT, related_name="shipments")
    warehouse = TenantForeignKey(Warehouse, on_delete=models.PROTECT, related_name="shipments")
    carrier = models.CharField(_("carrier"), max_length=80, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=80, blank=True)
    transport_cost = money_field(null=True, blank=True, verbose_name=_("transport cost"))
    shipped_by_label = models.CharField(max_length=160, blank=True)
    shipped_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="shipment_number_unique"),
            models.CheckConstraint(
                condition=Q(transport_cost__isnull=True) | Q(transport_cost__gte=0),
                name="shipment_cost_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "shipped_at"], name="shipment_by_time")]

    def __str__(self) -> str:
        return self.number


class PackageState(models.TextChoices):
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")
    SHIPPED = "shipped", _("Shipped")


class Package(TenantOwned):
    """A box, bag or pallet. An open one may still be filled; a closed one has its label."""

    number = models.CharField(max_length=32)
    sales_order = TenantForeignKey(SalesOrder, on_delete=models.PROTECT, related_name="packages")
    shipment = TenantForeignKey(
        Shipment, on_delete=models.PROTECT, null=True, related_name="packages"
    )
    state = models.CharField(max_length=8, choices=PackageState.choices, default=PackageState.OPEN)
    weight_kg = quantity_field(null=True, blank=True, verbose_name=_("weight in kg"))
    length_cm = quantity_field(null=True, blank=True, verbose_name=_("length in cm"))
    width_cm = quantity_field(null=True, blank=True, verbose_name=_("width in cm"))
    height_cm = quantity_field(null=True, blank=True, verbose_name=_("height in cm"))
    packed_by_label = models.CharField(max_length=160, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="package_number_unique"),
            models.CheckConstraint(
                condition=Q(state__in=PackageState.values), name="package_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class PackageLine(TenantOwned):
    """How much of a picked allocation is in the package."""

    package = TenantForeignKey(Package, on_delete=models.CASCADE, related_name="lines")
    allocation = TenantForeignKey(
        Allocation, on_delete=models.PROTECT, related_name="package_lines"
    )
    quantity = quantity_field()

    class Meta(TenantOwned.Meta):
        ordering = ["package_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "package", "allocation"], name="package_line_once"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="package_line_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.allocation_id} x {self.quantity}"


class ShipmentLine(TenantOwned):
    shipment = TenantForeignKey(Shipment, on_delete=models.PROTECT, related_name="lines")
    order_line = TenantForeignKey(
        SalesOrderLine, on_delete=models.PROTECT, related_name="shipment_lines"
    )
    package = TenantForeignKey(Package, on_delete=models.PROTECT, null=True, related_name="+")
    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    lot = TenantForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="+")
    quantity = quantity_field()
    quantity_returned = quantity_field(default=0, help_text="Expected or come back.")

    class Meta(TenantOwned.Meta):
        ordering = ["shipment_id", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, quantity_returned__gte=0)
                & Q(quantity_returned__lte=F("quantity")),
                name="shipment_line_numbers_sane",
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} x {self.quantity}"
