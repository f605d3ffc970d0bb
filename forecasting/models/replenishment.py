"""Reorder suggestions: what to buy, from whom, and why exactly this number."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from forecasting.models.forecasts import ForecastRun
from inventory.models import Product, PurchaseOrderLine, SupplierItem, TransferLine, Warehouse
from inventory.models.fields import money_field, quantity_field
from tenancy.models import TenantForeignKey, TenantOwned


class SuggestionState(models.TextChoices):
    NEW = "new", _("New")
    ACCEPTED = "accepted", _("Accepted")
    EDITED = "edited", _("Accepted with changes")
    DISMISSED = "dismissed", _("Dismissed")
    SNOOZED = "snoozed", _("Snoozed")
    SUPERSEDED = "superseded", _("Superseded")

    @classmethod
    def open(cls) -> list[SuggestionState]:
        """Return the states that still wait for a planner."""
        return [cls.NEW, cls.SNOOZED]


class SuggestionSource(models.TextChoices):
    BUY = "buy", _("Buy")
    TRANSFER = "transfer", _("Transfer")
    BOTH = "both", _("Transfer and buy")


class PlanningSettings(TenantOwned):
    """What moving and ordering cost, as planning reckons with it. One row, or the defaults."""

    transfer_cost = money_field(default=Decimal(25), verbose_name=_("cost of a transfer"))
    transfer_cost_per_unit = money_field(
        default=Decimal(0), verbose_name=_("transfer cost per unit")
    )
    transfer_days = models.PositiveSmallIntegerField(_("days a transfer takes"), default=2)
    order_line_cost = money_field(default=Decimal(0), verbose_name=_("cost of an order line"))
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta(TenantOwned.Meta):
        verbose_name = _("planning settings")
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="planning_settings_one_row"),
            models.CheckConstraint(
                condition=Q(
                    transfer_cost__gte=0, transfer_cost_per_unit__gte=0, order_line_cost__gte=0
                ),
                name="planning_settings_costs_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.transfer_cost}"


class BlockedNeed(TenantOwned):
    """A need that no order could be suggested for, and why. Replaced by every planning."""

    run = TenantForeignKey(ForecastRun, on_delete=models.CASCADE, related_name="blocked")
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    warehouse = TenantForeignKey(Warehouse, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=32)
    steps = models.JSONField(help_text="The reasons with their numbers.")

    class Meta(TenantOwned.Meta):
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "product", "warehouse"], name="blocked_need_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.reason}"


class ReorderSuggestion(TenantOwned):
    run = TenantForeignKey(ForecastRun, on_delete=models.PROTECT, related_name="suggestions")
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="suggestions")
    warehouse = TenantForeignKey(Warehouse, on_delete=models.CASCADE, related_name="suggestions")
    supplier_item = TenantForeignKey(
        SupplierItem, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    source = models.CharField(
        max_length=8, choices=SuggestionSource.choices, default=SuggestionSource.BUY
    )
    from_warehouse = TenantForeignKey(
        Warehouse, on_delete=models.CASCADE, null=True, related_name="+"
    )
    state = models.CharField(
        max_length=12, choices=SuggestionState.choices, default=SuggestionState.NEW
    )
    quantity = quantity_field()
    transfer_quantity = quantity_field(
        null=True, help_text="Of what is transferred and bought: the part that is transferred."
    )
    quantity_accepted = quantity_field(null=True)
    unit_price = money_field(null=True)
    order_value = money_field(null=True)
    order_by_on = models.DateField(
        null=True, help_text="Ordered later, the stock-out chance is above target."
    )
    stockout_probability = models.FloatField(
        null=True, help_text="Over the protection interval, if not ordered."
    )
    reorder_point = models.FloatField()
    order_up_to = models.FloatField()
    safety_stock = models.FloatField()
    inventory_position = quantity_field()
    binding_constraint = models.CharField(max_length=32, blank=True)
    reason_code = models.CharField(max_length=32)
    inputs = models.JSONField(
        help_text="Everything the number came from: enough to compute it again."
    )
    priority = models.FloatField(default=0, help_text="Expected gain in money; higher first.")
    snoozed_until = models.DateField(null=True)
    decided_by_label = models.CharField(max_length=160, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=200, blank=True)
    order_line = TenantForeignKey(
        PurchaseOrderLine, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    transfer_line = TenantForeignKey(
        TransferLine, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-priority", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    source="buy", from_warehouse__isnull=True, transfer_quantity__isnull=True
                )
                | Q(
                    source="transfer",
                    from_warehouse__isnull=False,
                    supplier_item__isnull=True,
                    transfer_quantity__isnull=True,
                )
                | Q(
                    source="both",
                    from_warehouse__isnull=False,
                    transfer_quantity__gt=0,
                    transfer_quantity__lt=F("quantity"),
                ),
                name="suggestion_source_known",
            ),
            models.UniqueConstraint(
                fields=["tenant", "product", "warehouse"],
                condition=Q(state__in=["new", "snoozed"]),
                name="suggestion_one_open",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="suggestion_quantity_positive"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-priority", "id"], name="suggestion_worklist")
        ]

    def __str__(self) -> str:
        return f"{self.product_id} x {self.quantity}"
