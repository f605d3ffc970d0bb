"""External signals: promotions, prices, weather, any number per day, each with a scope."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import Category, Product, Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class SignalKind(models.TextChoices):
    PROMOTION = "promotion", _("Promotion")
    PRICE = "price", _("Price")
    WEATHER = "weather", _("Weather")
    MARKET = "market", _("Market index")
    OTHER = "other", _("Other")


class ExternalSignal(TenantOwned):
    """A named signal. Empty product, category and warehouse mean: everywhere."""

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=SignalKind.choices)
    is_known_ahead = models.BooleanField(
        default=False, help_text="Planned, so future days may be used."
    )
    product = TenantForeignKey(
        Product, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    category = TenantForeignKey(
        Category, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )

    class Meta(TenantOwned.Meta):
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name", "product", "category", "warehouse"],
                name="signal_scope_unique",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return self.name


class SignalValue(TenantOwned):
    signal = TenantForeignKey(
        ExternalSignal, on_delete=models.CASCADE, tenant_index=False, related_name="values"
    )
    day = models.DateField()
    value = models.FloatField()

    class Meta(TenantOwned.Meta):
        ordering = ["signal_id", "day", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "signal", "day"], name="signal_value_once_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.value}"
