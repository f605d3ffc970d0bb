"""How a tenant runs its warehouses: valuation, closed periods, limits, counting."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from inventory.models.fields import money_field
from tenancy.models import TenantOwned


class ValuationMethod(models.TextChoices):
    MOVING_AVERAGE = "moving_average", _("Moving average")
    FIFO = "fifo", _("First in, first out")


class InventorySettings(TenantOwned):
    """One row per tenant."""

    valuation_method = models.CharField(
        _("valuation"),
        max_length=16,
        choices=ValuationMethod.choices,
        default=ValuationMethod.MOVING_AVERAGE,
    )
    closed_through = models.DateField(_("closed through"), null=True, blank=True)
    adjustment_limit = money_field(
        default=0,
        verbose_name=_("adjustments without a manager, up to"),
        validators=[MinValueValidator(0)],
        help_text=_("Value of one adjustment. Zero: a manager makes every adjustment."),
    )
    blind_counts = models.BooleanField(_("blind counts"), default=True)
    count_tolerance_percent = models.DecimalField(
        _("count tolerance in percent"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(2),
        validators=[MinValueValidator(0)],
    )
    count_tolerance_value = money_field(
        default=10, verbose_name=_("count tolerance in value"), validators=[MinValueValidator(0)]
    )
    counts_per_day = models.PositiveSmallIntegerField(
        _("counts requested a day"), default=5, help_text=_("Of each warehouse, by risk.")
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta(TenantOwned.Meta):
        verbose_name_plural = _("inventory settings")
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="inventory_settings_one"),
            models.CheckConstraint(
                condition=Q(
                    adjustment_limit__gte=0,
                    count_tolerance_percent__gte=0,
                    count_tolerance_value__gte=0,
                ),
                name="inventory_settings_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_valuation_method_display())
