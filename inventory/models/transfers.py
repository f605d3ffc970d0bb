"""Transfers between warehouses: sent, on the way, received, with what got lost stated."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Lot, Product
from inventory.models.fields import money_field, quantity_field
from inventory.models.places import Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class TransferState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    RELEASED = "released", _("Released")
    IN_TRANSIT = "in_transit", _("In transit")
    RECEIVED = "received", _("Received")
    CANCELLED = "cancelled", _("Cancelled")


class TransferOrder(TenantOwned):
    """On the way, its goods lie at the in-transit location of the warehouse they go to."""

    number = models.CharField(max_length=32)
    from_warehouse = TenantForeignKey(
        Warehouse, on_delete=models.PROTECT, related_name="transfers_out"
    )
    to_warehouse = TenantForeignKey(
        Warehouse, on_delete=models.PROTECT, related_name="transfers_in"
    )
    state = models.CharField(
        max_length=12, choices=TransferState.choices, default=TransferState.DRAFT
    )
    expected_on = models.DateField(_("expected"), null=True, blank=True)
    transport_cost = money_field(null=True, blank=True, verbose_name=_("transport cost"))
    note = models.CharField(_("note"), max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="transfer_number_unique"),
            models.CheckConstraint(
                condition=~Q(from_warehouse=F("to_warehouse")), name="transfer_between_two"
            ),
            models.CheckConstraint(
                condition=Q(state__in=TransferState.values), name="transfer_state_known"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="transfer_by_state")]

    def __str__(self) -> str:
        return self.number


class TransferLine(TenantOwned):
    order = TenantForeignKey(TransferOrder, on_delete=models.CASCADE, related_name="lines")
    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = quantity_field()
    quantity_sent = quantity_field(default=0)
    quantity_received = quantity_field(default=0)
    quantity_lost = quantity_field(default=0)

    class Meta(TenantOwned.Meta):
        ordering = ["order_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "order", "product"], name="transfer_line_product_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    quantity__gt=0,
                    quantity_sent__lte=F("quantity"),
                    quantity_received__gte=0,
                    quantity_lost__gte=0,
                    quantity_sent__gte=F("quantity_received") + F("quantity_lost"),
                ),
                name="transfer_line_numbers_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} x {self.quantity}"


class TransferPiece(TenantOwned):
    """What was sent of one lot (or of goods without lots), and what became of it."""

    line = TenantForeignKey(TransferLine, on_delete=models.CASCADE, related_name="pieces")
    lot = TenantForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="+")
    quantity = quantity_field()
    quantity_received = quantity_field(default=0)
    quantity_lost = quantity_field(default=0)

    class Meta(TenantOwned.Meta):
        ordering = ["line_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "line", "lot"],
                name="transfer_piece_lot_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(
                    quantity__gt=0,
                    quantity_received__gte=0,
                    quantity_lost__gte=0,
                    quantity__gte=F("quantity_received") + F("quantity_lost"),
                ),
                name="transfer_piece_numbers_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot_id}: {self.quantity}"
