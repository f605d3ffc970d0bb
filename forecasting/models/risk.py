"""Risk warnings: what may go wrong, when, what it costs, and the evidence."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from forecasting.models.forecasts import ForecastRun
from inventory.models import Lot, Product, PurchaseOrder, Warehouse
from inventory.models.fields import money_field
from tenancy.models import Membership, TenantForeignKey, TenantOwned


class RiskKind(models.TextChoices):
    STOCKOUT = "stockout", _("Stock-out")
    EXCESS = "excess", _("Excess stock")
    DEAD_STOCK = "dead_stock", _("Dead stock")
    EXPIRY = "expiry", _("Will expire unsold")
    ABNORMAL_SALES = "abnormal_sales", _("Abnormal sales")
    TREND_DECLINE = "trend_decline", _("Declining trend")
    LATE_SUPPLIER = "late_supplier", _("Late supplier")
    FORECAST_DRIFT = "forecast_drift", _("Forecast drift")
    CHANNEL_IMBALANCE = "channel_imbalance", _("Uneven stock")
    COUNT_ANOMALY = "count_anomaly", _("Count anomaly")


class WarningState(models.TextChoices):
    OPEN = "open", _("Open")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    SNOOZED = "snoozed", _("Snoozed")
    RESOLVED = "resolved", _("Resolved")

    @classmethod
    def live(cls) -> list[WarningState]:
        """Return the states in which the risk still stands."""
        return [cls.OPEN, cls.ACKNOWLEDGED, cls.SNOOZED]


class RiskWarning(TenantOwned):
    run = TenantForeignKey(ForecastRun, on_delete=models.PROTECT, related_name="warnings")
    kind = models.CharField(max_length=20, choices=RiskKind.choices)
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="risk_warnings")
    warehouse = TenantForeignKey(Warehouse, on_delete=models.CASCADE, related_name="risk_warnings")
    lot = TenantForeignKey(Lot, on_delete=models.CASCADE, null=True, related_name="+")
    order = TenantForeignKey(
        PurchaseOrder, on_delete=models.CASCADE, null=True, related_name="risk_warnings"
    )
    assigned_to = TenantForeignKey(
        Membership, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    state = models.CharField(max_length=12, choices=WarningState.choices, default=WarningState.OPEN)
    severity_money = money_field(default=0, help_text="What it costs if nothing is done.")
    probability = models.FloatField(null=True)
    happens_on = models.DateField(null=True)
    evidence = models.JSONField()
    suggested_action = models.CharField(max_length=32, blank=True)
    snoozed_until = models.DateField(null=True)
    decided_by_label = models.CharField(max_length=160, blank=True)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(auto_now=True)
    resolved_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta(TenantOwned.Meta):
        ordering = ["-severity_money", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "product", "warehouse", "lot", "order"],
                condition=~Q(state="resolved"),
                name="risk_warning_one_live",
                nulls_distinct=False,
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "state", "-severity_money", "id"], name="warning_worklist"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.product_id}"


class WarningDigest(TenantOwned):
    """A member who asked for the warnings by mail, and the day they were sent last."""

    membership = TenantForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    sent_on = models.DateField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "membership"], name="warning_digest_once_per_member"
            )
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}"
