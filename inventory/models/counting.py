"""Cycle counts: part of the stock counted by plan, blind, recounted and approved by another."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.catalog import Lot, Product
from inventory.models.fields import money_field, quantity_field
from inventory.models.places import Location, Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class CountState(models.TextChoices):
    REQUESTED = "requested", _("Requested")
    COUNTING = "counting", _("Counting")
    RECOUNT = "recount", _("Recount")
    COUNTED = "counted", _("Counted")
    APPROVED = "approved", _("Approved")
    POSTED = "posted", _("Posted")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def open(cls) -> list[CountState]:
        """Return the states in which a count is still to be finished."""
        return [*cls.to_count(), cls.COUNTED, cls.APPROVED]

    @classmethod
    def to_count(cls) -> list[CountState]:
        """Return the states in which somebody has to go and count."""
        return [cls.REQUESTED, cls.COUNTING, cls.RECOUNT]


class CountReason(models.TextChoices):
    MANUAL = "manual", _("Asked for")
    SCHEDULED = "scheduled", _("By risk")
    SHORT_PICK = "short_pick", _("Short pick")
    ANOMALY = "anomaly", _("Something is odd")


class CycleCount(TenantOwned):
    """The counting of one location, or of one product there."""

    number = models.CharField(max_length=32)
    warehouse = TenantForeignKey(Warehouse, on_delete=models.PROTECT, related_name="counts")
    location = TenantForeignKey(Location, on_delete=models.PROTECT, related_name="counts")
    product = TenantForeignKey(Product, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(
        max_length=12, choices=CountState.choices, default=CountState.REQUESTED
    )
    reason = models.CharField(
        max_length=12, choices=CountReason.choices, default=CountReason.MANUAL
    )
    is_blind = models.BooleanField(default=True)
    due_on = models.DateField(null=True)
    risk = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    round_number = models.PositiveSmallIntegerField(default=1)
    note = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    requested_by_label = models.CharField(max_length=160, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    counted_at = models.DateTimeField(null=True)
    approved_by_label = models.CharField(max_length=160, blank=True)
    approved_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="cycle_count_number_unique"),
            models.CheckConstraint(
                condition=Q(state__in=CountState.values), name="cycle_count_state_known"
            ),
            # one open count of a place (and product): two would post the same variance twice
            models.UniqueConstraint(
                fields=["tenant", "location", "product"],
                condition=Q(state__in=["requested", "counting", "recount", "counted", "approved"]),
                name="cycle_count_one_open",
                nulls_distinct=False,
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "due_on"], name="cycle_count_by_state")]

    @property
    def hides_expected(self) -> bool:
        """Tell whether nobody may see what the book expects: blind, and not counted yet."""
        return self.is_blind and self.state in CountState.to_count()

    def __str__(self) -> str:
        return self.number


class CountLine(TenantOwned):
    """What was counted of one product and lot in one round. Earlier rounds stay beside it.

    ``expected`` and ``on_hand_version`` are of the balance when it was counted: another version at
    posting means that stock moved since, and the line is stale. Rebased, ``moved_since`` is what
    moved after it was counted, and the version is that of then: the variance stays. With
    ``to_recount`` a later round counts the goods again.
    """

    count = TenantForeignKey(CycleCount, on_delete=models.CASCADE, related_name="lines")
    product = TenantForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    lot = TenantForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="+")
    round_number = models.PositiveSmallIntegerField(default=1)
    counted = quantity_field()
    expected = quantity_field()
    on_hand_version = models.BigIntegerField()
    unit_cost = money_field(null=True)
    counted_by_kind = models.CharField(max_length=12)
    counted_by_id = models.BigIntegerField(null=True)
    counted_by_label = models.CharField(max_length=160)
    counted_at = models.DateTimeField(db_default=models.functions.Now())
    moved_since = quantity_field(db_default=0)
    to_recount = models.BooleanField(db_default=False)

    class Meta(TenantOwned.Meta):
        ordering = ["count_id", "round_number", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "count", "product", "lot", "round_number"],
                name="count_line_once_a_round",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(counted__gte=0, expected__gte=0), name="count_line_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(counted__gte=-F("moved_since"), expected__gte=-F("moved_since")),
                name="count_line_rebased_not_negative",
            ),
        ]

    @property
    def variance(self) -> Decimal:
        """Return counted minus on hand at that moment; a rebase does not change it."""
        difference: Decimal = self.counted - self.expected
        return difference

    def __str__(self) -> str:
        return f"{self.product_id}: {self.counted}"
