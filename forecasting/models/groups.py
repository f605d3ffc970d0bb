"""Forecasts of groups: all products, one warehouse, one category."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from forecasting.models.forecasts import ForecastRun
from inventory.models import Category, Warehouse
from tenancy.models import TenantForeignKey, TenantOwned


class GroupForecast(TenantOwned):
    """``mean`` is the sum of the members' means, day by day; quantiles come from joint paths.

    Without category and warehouse: everything. ``total_quantiles`` are of the sum over all days.
    """

    run = TenantForeignKey(
        ForecastRun, on_delete=models.CASCADE, tenant_index=False, related_name="groups"
    )
    category = TenantForeignKey(
        Category, on_delete=models.CASCADE, null=True, tenant_index=False, related_name="+"
    )
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.CASCADE, null=True, tenant_index=False, related_name="+"
    )
    series_count = models.PositiveIntegerField()
    mean = ArrayField(models.FloatField())
    quantile_values = ArrayField(models.FloatField())
    total_mean = models.FloatField()
    total_quantiles = ArrayField(models.FloatField())

    class Meta(TenantOwned.Meta):
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "category", "warehouse"],
                name="group_forecast_unique",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(category=None) | Q(warehouse=None), name="group_forecast_one_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category_id or '-'} / {self.warehouse_id or '-'}"
