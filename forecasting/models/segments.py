"""Forecasts by customer segment, where demand says who asked."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from forecasting.models.forecasts import ForecastRun
from inventory.models import CustomerSegment, Product, Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class SegmentForecast(TenantOwned):
    """``mean`` has H values, ``quantile_values`` H x Q; the means of all segments of a product and
    warehouse, and of demand without one, add up to the mean of the series.
    """

    run = TenantForeignKey(
        ForecastRun, on_delete=models.CASCADE, tenant_index=False, related_name="segments"
    )
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.CASCADE, tenant_index=False, related_name="+"
    )
    segment = TenantForeignKey(
        CustomerSegment, on_delete=models.CASCADE, tenant_index=False, related_name="+"
    )
    mean = ArrayField(models.FloatField())
    quantile_values = ArrayField(models.FloatField())
    total_mean = models.FloatField()

    class Meta(TenantOwned.Meta):
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "product", "warehouse", "segment"],
                name="segment_forecast_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.warehouse_id}: {self.segment_id}"
