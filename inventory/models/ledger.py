"""The ledger: immutable movements, and the balances that are their projection.

Only ``inventory.services.ledger`` writes here.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Lot, Product
from inventory.models.fields import money_field, quantity_field
from inventory.models.places import Location
from tenancy.models import TenantForeignKey, TenantOwned


class MovementReason(models.IntegerChoices):
    """Each kind of stock event has a stable number and a reader's label."""

    OPENING = 10, _("Opening stock")
    RECEIPT = 20, _("Receipt")
    PUT_AWAY = 30, _("Put-away")
    MOVE = 40, _("Move")
    PICK = 50, _("Pick")
    UNPICK = 55, _("Back from picking")
    SHIPMENT = 60, _("Shipment")
    TRANSFER_OUT = 70, _("Transfer out")
    TRANSFER_IN = 75, _("Transfer in")
    TRANSFER_LOSS = 77, _("Lost in transit")
    COUNT = 80, _("Count variance")
    DAMAGE = 90, _("Damage")
    SCRAP = 91, _("Scrap")
    FOUND = 92, _("Found")
    EXPIRED = 93, _("Expired")
    CUSTOMER_RETURN = 100, _("Customer return")
    SUPPLIER_RETURN = 110, _("Return to supplier")


class StockMovement(TenantOwned):
    """A positive quantity moved between two locations, once. Corrected by a reversing movement."""

    product = TenantForeignKey(
        Product, on_delete=models.PROTECT, related_name="+", tenant_index=False
    )
    lot = TenantForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="+")
    from_location = TenantForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    to_location = TenantForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    quantity = quantity_field()
    unit_cost = money_field(null=True)
    reason = models.PositiveSmallIntegerField(choices=MovementReason.choices)
    note = models.CharField(max_length=200, blank=True)
    document_kind = models.CharField(max_length=32, blank=True)
    document_id = models.BigIntegerField(null=True)
    reverses = TenantForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    actor_label = models.CharField(max_length=160, blank=True)
    effective_at = models.DateTimeField(help_text="When it happened.")
    posted_at = models.DateTimeField(
        db_default=models.functions.Now(), help_text="When it was recorded."
    )
    business_day = models.DateField(help_text="Day of effective_at in the warehouse's time zone.")

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="movement_quantity_positive"),
            models.CheckConstraint(
                condition=~Q(from_location=F("to_location")), name="movement_moves"
            ),
            models.UniqueConstraint(fields=["tenant", "reverses"], name="movement_reversed_once"),
        ]
        indexes = [
            models.Index(fields=["tenant", "product", "-id"], name="movement_by_product"),
            models.Index(
                fields=["tenant", "product", "business_day"], name="movement_by_product_day"
            ),
            models.Index(fields=["tenant", "business_day"], name="movement_by_day"),
            models.Index(
                fields=["tenant", "document_kind", "document_id"], name="movement_by_document"
            ),
            # what went wrong somewhere, few of many: counts found, goods found, reversals
            models.Index(
                fields=["tenant", "business_day"],
                condition=Q(reason__in=[80, 92]) | Q(reverses__isnull=False),
                name="movement_corrections",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.quantity}"


class StockBalance(TenantOwned):
    """What lies at a location inside a warehouse: provably the sum of its movements."""

    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="balances")
    location = TenantForeignKey(Location, on_delete=models.PROTECT, related_name="balances")
    lot = TenantForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="balances")
    on_hand = quantity_field(default=0)
    allocated = quantity_field(default=0)
    on_hand_version = models.BigIntegerField(
        db_default=0, help_text="Counts the changes of on hand: a count made before one is stale."
    )

    class Meta(TenantOwned.Meta):
        ordering = ["product_id", "location_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "product", "location", "lot"],
                name="balance_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0), name="balance_on_hand_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(allocated__gte=0) & Q(allocated__lte=F("on_hand")),
                name="balance_allocated_within_on_hand",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.location_id}: {self.on_hand}"


class DocumentKind(models.TextChoices):
    """What carries a number. A new kind needs a migration: the database knows them too."""

    PURCHASE_ORDER = "PO", _("Purchase order")
    RECEIPT = "RC", _("Receipt")
    SALES_ORDER = "SO", _("Sales order")
    WAVE = "WV", _("Wave")
    PACKAGE = "PK", _("Package")
    SHIPMENT = "SH", _("Shipment")
    TRANSFER = "TO", _("Transfer")
    CYCLE_COUNT = "CC", _("Cycle count")
    CUSTOMER_RETURN = "CR", _("Customer return")
    SUPPLIER_RETURN = "SR", _("Return to supplier")


class DocumentNumber(TenantOwned):
    """Where a tenant's numbers of a kind begin; the counting itself is a sequence's.

    Numbers that were given before there were sequences are continued from here.
    """

    kind = models.CharField(max_length=8, choices=DocumentKind.choices)
    last_number = models.BigIntegerField(
        default=0, help_text="Numbers go on after this one when the kind is first used."
    )

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kind"], name="document_number_kind_unique")
        ]

    def __str__(self) -> str:
        return f"{self.kind}-{self.last_number}"
