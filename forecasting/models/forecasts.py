"""Forecasts: one row per series, with arrays over days and quantiles."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from forecasting.models.training import TrainedNetwork
from inventory.models import Channel, Product, Warehouse
from tenancy.models import Job, TenantForeignKey, TenantOwned


class ForecastRun(TenantOwned):
    """All forecasts of a tenant made at one moment. The newest completed run is the one in use."""

    network = TenantForeignKey(
        TrainedNetwork, on_delete=models.PROTECT, null=True, related_name="runs"
    )
    job = TenantForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    origin = models.DateField()
    horizon_days = models.PositiveSmallIntegerField()
    quantiles = ArrayField(models.FloatField(), help_text="The levels, ascending.")
    series_count = models.PositiveIntegerField(default=0)
    methods = models.JSONField(default=dict, help_text="Series served by each method.")
    level_factor = models.FloatField(
        default=1.0, help_text="What forecasts by networks were multiplied by."
    )
    part_level_factors = models.JSONField(
        default=dict, help_text="The same for forecasts by channel and by segment, by that word."
    )
    silent_signals = models.JSONField(
        default=list, help_text="Names of signals its forecaster knows and that said nothing."
    )
    closed_days = models.JSONField(
        default=list, help_text="Days on which whole warehouses were closed, in what was read."
    )
    simple_forecaster = models.BinaryField(
        null=True, help_text="What made the forecasts where no network did, sealed."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "job"], name="forecast_run_one_per_job")
        ]

    def __str__(self) -> str:
        return f"{self.origin} + {self.horizon_days} d"


class SeriesForecast(TenantOwned):
    """``mean`` has H values; ``quantile_values`` H x Q values, day after day. Units per day."""

    run = TenantForeignKey(
        ForecastRun, on_delete=models.CASCADE, tenant_index=False, related_name="series"
    )
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    warehouse = TenantForeignKey(
        Warehouse, on_delete=models.CASCADE, tenant_index=False, related_name="+"
    )
    channel = TenantForeignKey(
        Channel, on_delete=models.CASCADE, null=True, tenant_index=False, related_name="+"
    )
    mean = ArrayField(models.FloatField())
    quantile_values = ArrayField(models.FloatField())
    method = models.CharField(max_length=32)
    reason = models.CharField(
        max_length=48, blank=True, help_text="Why no network serves this series."
    )
    demand_class = models.CharField(max_length=16, blank=True)
    total_mean = models.FloatField(help_text="Sum of the means over the horizon.")
    basis = models.JSONField(
        null=True, help_text="Of a product that has hardly sold: which similar ones it was told by."
    )

    class Meta(TenantOwned.Meta):
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "product", "warehouse", "channel"],
                name="series_forecast_unique",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.warehouse_id}"
