"""Waves of picks: what is to be fetched where, in walking order."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.allocation import Allocation
from inventory.models.catalog import Lot, Product
from inventory.models.fields import quantity_field
from inventory.models.places import Location, Warehouse, Zone
from inventory.models.sales import SalesOrder
from tenancy.models import TenantForeignKey, TenantOwned


class WaveKind(models.TextChoices):
    SINGLE = "single", _("One order")
    BATCH = "batch", _("Several orders together")
    ZONE = "zone", _("One zone")


class WaveState(models.TextChoices):
    RELEASED = "released", _("Released")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class Wave(TenantOwned):
    """Picks released together. A wave is worked on by one person at a time (a claim)."""

    number = models.CharField(max_length=32)
    warehouse = TenantForeignKey(Warehouse, on_delete=models.PROTECT, related_name="waves")
    kind = models.CharField(max_length=8, choices=WaveKind.choices)
    zone = TenantForeignKey(Zone, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=12, choices=WaveState.choices, default=WaveState.RELEASED)
    to_location = TenantForeignKey(
        Location, on_delete=models.PROTECT, related_name="+", help_text="Where picks are brought."
    )
    version = models.PositiveIntegerField(default=1)
    released_at = models.DateTimeField(db_default=models.functions.Now())
    completed_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="wave_number_unique"),
            models.CheckConstraint(
                condition=Q(state__in=WaveState.values), name="wave_state_known"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="wave_by_state")]

    def __str__(self) -> str:
        return self.number


class PickState(models.TextChoices):
    OPEN = "open", _("Open")
    PICKED = "picked", _("Picked")
    SHORT = "short", _("Short")
    CANCELLED = "cancelled", _("Cancelled")


class ShortReason(models.TextChoices):
    NONE = "", _("None")
    NOT_FOUND = "not_found", _("Not found")
    DAMAGED = "damaged", _("Damaged")
    EXPIRED = "expired", _("Expired")
    WRONG_GOODS = "wrong_goods", _("Other goods there")


class PickTask(TenantOwned):
    """One allocation to fetch. Done once: the row is closed by a conditional update."""

    wave = TenantForeignKey(Wave, on_delete=models.PROTECT, related_name="tasks")
    allocation = TenantForeignKey(Allocation, on_delete=models.PROTECT, related_name="pick_tasks")
    sales_order = TenantForeignKey(SalesOrder, on_delete=models.PROTECT, related_name="pick_tasks")
    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    location = TenantForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    lot = TenantForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="+")
    sequence = models.PositiveIntegerField()
    quantity = quantity_field()
    quantity_picked = quantity_field(default=0)
    short_reason = models.CharField(
        max_length=12, choices=ShortReason.choices, blank=True, default=ShortReason.NONE
    )
    state = models.CharField(max_length=12, choices=PickState.choices, default=PickState.OPEN)
    picked_by_label = models.CharField(max_length=160, blank=True)
    picked_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["wave_id", "sequence", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "allocation"],
                condition=Q(state="open"),
                name="pick_task_one_open",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, quantity_picked__gte=0)
                & Q(quantity_picked__lte=F("quantity")),
                name="pick_task_numbers_sane",
            ),
            models.CheckConstraint(
                condition=Q(state__in=PickState.values), name="pick_task_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "wave", "sequence"],
                condition=Q(state="open"),
                name="pick_task_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.wave_id}/{self.sequence}"
