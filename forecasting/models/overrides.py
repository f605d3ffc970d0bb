"""Overrides: what planners know better than a forecast, kept beside it and scored against it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import Product, Warehouse
from inventory.models.fields import quantity_field
from tenancy.models import TenantForeignKey, TenantOwned

MOST_DAYS = 366


class OverrideKind(models.TextChoices):
    PERCENT = "percent", _("Percent more or less")
    PER_DAY = "per_day", _("Units a day")


class OverrideState(models.TextChoices):
    ACTIVE = "active", _("Active")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ForecastOverride(TenantOwned):
    """Holds for every later run too. Where several concern a day, the latest counts."""

    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="overrides")
    warehouse = TenantForeignKey(Warehouse, on_delete=models.CASCADE, related_name="overrides")
    first_day = models.DateField()
    last_day = models.DateField()
    kind = models.CharField(max_length=8, choices=OverrideKind.choices)
    value = quantity_field(help_text="Percent, or units of each day.")
    reason = models.CharField(max_length=200)
    base_mean = ArrayField(
        models.FloatField(null=True),
        help_text="What was forecast for each day when it was made, or first after that; "
        "days that no forecast has reached are empty.",
    )
    state = models.CharField(
        max_length=10, choices=OverrideState.choices, default=OverrideState.ACTIVE
    )
    created_by_label = models.CharField(max_length=160)
    created_at = models.DateTimeField(default=timezone.now)
    withdrawn_by_label = models.CharField(max_length=160, blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="override_days_in_order"
            ),
            models.CheckConstraint(
                condition=Q(kind="percent", value__gte=-100) | Q(kind="per_day", value__gte=0),
                name="override_value_possible",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OverrideState.values), name="override_state_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="override_reason_given"),
        ]
        indexes = [models.Index(fields=["tenant", "state", "last_day"], name="override_in_force")]

    def __str__(self) -> str:
        return f"{self.first_day} - {self.last_day}: {self.value} {self.kind}"
