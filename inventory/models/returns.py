"""Returns: from customers, inspected before anything is sold again, and to suppliers."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Lot, Product
from inventory.models.fields import money_field, quantity_field
from inventory.models.places import Location, Warehouse
from inventory.models.purchasing import PurchaseOrder, Supplier
from inventory.models.sales import Customer, SalesOrder
from inventory.models.shipping import ShipmentLine
from tenancy.models import TenantForeignKey, TenantOwned


class CustomerReturnState(models.TextChoices):
    EXPECTED = "expected", _("Expected")
    RECEIVED = "received", _("Received")
    INSPECTED = "inspected", _("Inspected")
    CANCELLED = "cancelled", _("Cancelled")


class CustomerReturn(TenantOwned):
    """Goods a customer sends back: in quarantine until inspected."""

    number = models.CharField(max_length=32)
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.PROTECT, related_name="customer_returns"
    )
    sales_order = TenantForeignKey(
        SalesOrder, on_delete=models.PROTECT, null=True, blank=True, related_name="returns"
    )
    customer = TenantForeignKey(
        Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="returns"
    )
    state = models.CharField(
        max_length=12, choices=CustomerReturnState.choices, default=CustomerReturnState.EXPECTED
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    received_at = models.DateTimeField(null=True)
    inspected_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="customer_return_number_unique"
            ),
            models.CheckConstraint(
                condition=Q(state__in=CustomerReturnState.values),
                name="customer_return_state_known",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="customer_return_by_state")]

    def __str__(self) -> str:
        return self.number


class ReturnOutcome(models.TextChoices):
    """What becomes of goods that came back."""

    RESTOCK = "restock", _("Back to stock")
    QUARANTINE = "quarantine", _("Keep in quarantine")
    SCRAP = "scrap", _("Scrap")
    TO_SUPPLIER = "to_supplier", _("To the supplier")


class CustomerReturnLine(TenantOwned):
    """``quantity_received`` waits in quarantine; the four outcomes take it from there."""

    customer_return = TenantForeignKey(
        CustomerReturn, on_delete=models.CASCADE, related_name="lines"
    )
    shipment_line = TenantForeignKey(
        ShipmentLine, on_delete=models.PROTECT, null=True, related_name="return_lines"
    )
    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    lot = TenantForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="+")
    quantity = quantity_field(help_text="Expected.")
    quantity_received = quantity_field(default=0)
    quantity_restocked = quantity_field(default=0)
    quantity_quarantined = quantity_field(default=0)
    quantity_scrapped = quantity_field(default=0)
    quantity_to_supplier = quantity_field(default=0)
    note = models.CharField(max_length=200, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["customer_return_id", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    quantity__gt=0,
                    quantity_received__lte=F("quantity"),
                    quantity_restocked__gte=0,
                    quantity_quarantined__gte=0,
                    quantity_scrapped__gte=0,
                    quantity_to_supplier__gte=0,
                    quantity_received__gte=F("quantity_restocked")
                    + F("quantity_quarantined")
                    + F("quantity_scrapped")
                    + F("quantity_to_supplier"),
                ),
                name="customer_return_line_numbers_sane",
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} x {self.quantity}"

    @property
    def inspected(self) -> Decimal:
        """Return how much has found its way."""
        outcomes: Decimal = self.quantity_restocked + self.quantity_quarantined
        outcomes += self.quantity_scrapped + self.quantity_to_supplier
        return outcomes

    @property
    def to_inspect(self) -> Decimal:
        """Return how much came back and waits for a decision."""
        waiting: Decimal = self.quantity_received - self.inspected
        return waiting


class SupplierReturnState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SENT = "sent", _("Sent")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")


class SupplierReturn(TenantOwned):
    """Goods sent back to a supplier."""

    number = models.CharField(max_length=32)
    supplier = TenantForeignKey(Supplier, on_delete=models.PROTECT, related_name="returns")
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.PROTECT, related_name="supplier_returns"
    )
    purchase_order = TenantForeignKey(
        PurchaseOrder, on_delete=models.PROTECT, null=True, blank=True, related_name="returns"
    )
    state = models.CharField(
        max_length=12, choices=SupplierReturnState.choices, default=SupplierReturnState.DRAFT
    )
    reference = models.CharField(_("supplier's reference"), max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "number"], name="supplier_return_number_unique"
            ),
            models.CheckConstraint(
                condition=Q(state__in=SupplierReturnState.values),
                name="supplier_return_state_known",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class SupplierReturnLine(TenantOwned):
    supplier_return = TenantForeignKey(
        SupplierReturn, on_delete=models.CASCADE, related_name="lines"
    )
    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    location = TenantForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    lot = TenantForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="+")
    return_line = TenantForeignKey(
        CustomerReturnLine, on_delete=models.PROTECT, null=True, related_name="supplier_lines"
    )
    quantity = quantity_field()
    unit_cost = money_field(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["supplier_return_id", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="supplier_return_line_positive"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} x {self.quantity}"
