"""Work lists: who has taken which piece of work, so that two people do not do it at once."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models.places import Warehouse
from tenancy.models import Membership, TenantForeignKey, TenantOwned


class WorkKind(models.TextChoices):
    """The work lists; ``subject_id`` of a claim is the id of the row named here."""

    RECEIVE = "receive", _("To receive")  # PurchaseOrder, TransferOrder has a kind of its own
    RECEIVE_TRANSFER = "receive_transfer", _("Transfers to receive")  # TransferOrder
    PUT_AWAY = "put_away", _("To put away")  # StockBalance
    ALLOCATE = "allocate", _("To allocate")  # SalesOrder
    PICK = "pick", _("To pick")  # Wave
    PACK = "pack", _("To pack")  # SalesOrder
    SHIP = "ship", _("To ship")  # SalesOrder
    SEND_TRANSFER = "send_transfer", _("Transfers to send")  # TransferOrder
    COUNT = "count", _("To count")  # CycleCount
    INSPECT = "inspect", _("To inspect")  # CustomerReturn


class WorkClaim(TenantOwned):
    """A piece of work one person has taken. It lapses, so that forgotten work comes back."""

    kind = models.CharField(max_length=20, choices=WorkKind.choices)
    subject_id = models.BigIntegerField()
    actor_kind = models.CharField(max_length=12)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=160)
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        ordering = ["kind", "subject_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "subject_id"], name="work_claim_one_person"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=WorkKind.values), name="work_claim_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}: {self.actor_label}"


class WarehouseAccess(TenantOwned):
    """A member with rows here works only in these warehouses; without any, in all."""

    membership = TenantForeignKey(
        Membership, on_delete=models.CASCADE, related_name="warehouse_access"
    )
    # never cascading: without its last row a member would work everywhere
    warehouse = TenantForeignKey(Warehouse, on_delete=models.PROTECT, related_name="+")

    class Meta(TenantOwned.Meta):
        ordering = ["membership_id", "warehouse_id", "id"]
        verbose_name_plural = _("warehouse access")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "membership", "warehouse"], name="warehouse_access_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.warehouse_id}"
