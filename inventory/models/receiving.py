"""Receipts: goods that arrive, against a purchase order or blind."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Product
from inventory.models.fields import money_field, quantity_field
from inventory.models.ledger import StockMovement
from inventory.models.places import Location, Warehouse
from inventory.models.purchasing import PurchaseOrder, PurchaseOrderLine, Supplier
from tenancy.models import TenantForeignKey, TenantOwned


class ReceiptState(models.TextChoices):
    OPEN = "open", _("Open")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class Receipt(TenantOwned):
    """What one delivery brought. Stock moves when it is completed, and not before."""

    number = models.CharField(max_length=32)
    warehouse = TenantForeignKey(Warehouse, on_delete=models.PROTECT, related_name="receipts")
    purchase_order = TenantForeignKey(
        PurchaseOrder, on_delete=models.PROTECT, null=True, blank=True, related_name="receipts"
    )
    supplier = TenantForeignKey(
        Supplier, on_delete=models.PROTECT, null=True, blank=True, related_name="receipts"
    )
    location = TenantForeignKey(
        Location,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The dock, or where goods go straight away.",
    )
    state = models.CharField(max_length=12, choices=ReceiptState.choices, default=ReceiptState.OPEN)
    delivery_note = models.CharField(_("delivery note"), max_length=64, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_by_label = models.CharField(max_length=160, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, help_text="When the goods arrived.")

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="receipt_number_unique"),
            models.CheckConstraint(
                condition=Q(state__in=ReceiptState.values), name="receipt_state_known"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="receipt_by_state")]

    def __str__(self) -> str:
        return self.number


class DifferenceReason(models.TextChoices):
    """Why a line differs from what was ordered."""

    NONE = "", _("None")
    OVER_DELIVERED = "over_delivered", _("Over-delivered")
    SHORT_DELIVERED = "short_delivered", _("Short-delivered")
    DAMAGED = "damaged", _("Damaged")
    WRONG_PRODUCT = "wrong_product", _("Wrong product")
    WRONG_LOT = "wrong_lot", _("Wrong lot or too old")

    @classmethod
    def of_too_little(cls) -> list[DifferenceReason]:
        """Return why less may have been taken in than was open."""
        return [cls.SHORT_DELIVERED, cls.DAMAGED, cls.WRONG_PRODUCT, cls.WRONG_LOT]


class ReceiptLine(TenantOwned):
    """One product and lot of a delivery; ``damaged`` of ``quantity`` goes to the damaged place.

    When the receipt is completed the line knows its movements, so that it can be taken back.
    """

    receipt = TenantForeignKey(Receipt, on_delete=models.CASCADE, related_name="lines")
    order_line = TenantForeignKey(
        PurchaseOrderLine, on_delete=models.PROTECT, null=True, related_name="receipt_lines"
    )
    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = quantity_field()
    damaged = quantity_field(default=0)
    lot_code = models.CharField(max_length=64, blank=True)
    expires_on = models.DateField(null=True)
    unit_cost = money_field(null=True)
    difference_reason = models.CharField(
        max_length=16, choices=DifferenceReason.choices, blank=True, default=DifferenceReason.NONE
    )
    note = models.CharField(max_length=200, blank=True)
    movement = TenantForeignKey(
        StockMovement,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Of the sound goods.",
    )
    damaged_movement = TenantForeignKey(
        StockMovement, on_delete=models.PROTECT, null=True, related_name="+"
    )
    reversed_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["receipt_id", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=0, damaged__gte=0, damaged__lte=F("quantity")),
                name="receipt_line_numbers_sane",
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} x {self.quantity}"
