"""How good stored forecasts turned out: sums per run, series and week ahead."""

from __future__ import annotations

from django.db import models

from forecasting.models.forecasts import ForecastRun
from inventory.models import Product, Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class AccuracySum(TenantOwned):
    """Sums over the days of one week ahead that were seen; every measure is a quotient of them.

    Days out of stock and closed days do not count. Errors are units: of the median, and of the
    naive forecast that repeats each weekday as it was last seen in the four weeks before the
    origin. ``pinball`` is the mean loss over the quantiles.
    """

    run = TenantForeignKey(
        ForecastRun, on_delete=models.CASCADE, tenant_index=False, related_name="accuracy"
    )
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.CASCADE, tenant_index=False, related_name="+"
    )
    week = models.PositiveSmallIntegerField(help_text="1 = the first seven days after the origin.")
    demand_class = models.CharField(max_length=16, blank=True)
    method = models.CharField(max_length=32)
    days = models.PositiveSmallIntegerField()
    actual = models.FloatField()
    predicted = models.FloatField(help_text="Sum of the means.")
    error = models.FloatField(help_text="Sum of |actual - median|.")
    naive_error = models.FloatField(help_text="Sum of |actual - last week's same day|.")
    pinball = models.FloatField()
    inside_80 = models.PositiveSmallIntegerField(help_text="Days inside the 80 % range.")

    class Meta(TenantOwned.Meta):
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "product", "warehouse", "week"], name="accuracy_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.warehouse_id}, week {self.week}"
