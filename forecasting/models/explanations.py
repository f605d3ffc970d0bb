"""Explanations: why a forecast is what it is, kept beside the run it explains."""

from __future__ import annotations

from django.db import models

from forecasting.models.forecasts import ForecastRun
from inventory.models import Channel, CustomerSegment, Product, Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class ForecastExplanation(TenantOwned):
    """One per run and forecast; made when somebody asks. ``content`` holds the parts.

    With a channel or a segment it is of that part of the demand alone.
    """

    run = TenantForeignKey(
        ForecastRun, on_delete=models.CASCADE, tenant_index=False, related_name="explanations"
    )
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.CASCADE, tenant_index=False, related_name="+"
    )
    channel = TenantForeignKey(
        Channel, on_delete=models.CASCADE, null=True, tenant_index=False, related_name="+"
    )
    segment = TenantForeignKey(
        CustomerSegment, on_delete=models.CASCADE, null=True, tenant_index=False, related_name="+"
    )
    content = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "product", "warehouse", "channel", "segment"],
                name="explanation_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(channel=None) | models.Q(segment=None),
                name="explanation_of_one_part",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.warehouse_id}"
