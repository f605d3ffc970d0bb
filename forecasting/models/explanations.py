"""Explanations: why a forecast is what it is, kept beside the run it explains."""

from __future__ import annotations

from django.db import models

from forecasting.models.forecasts import ForecastRun
from inventory.models import Product, Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class ForecastExplanation(TenantOwned):
    """One per run, product and warehouse; made when somebody asks. ``content`` holds the parts."""

    run = TenantForeignKey(
        ForecastRun, on_delete=models.CASCADE, tenant_index=False, related_name="explanations"
    )
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.CASCADE, tenant_index=False, related_name="+"
    )
    content = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "product", "warehouse"], name="explanation_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.warehouse_id}"
