"""The platform's admin pages of forecasting: all read-only but the signals."""

from __future__ import annotations

from django.contrib import admin

from forecasting import models
from tenancy.admin_base import ReadOnlyTenantAdmin, TenantAdmin


@admin.register(models.TrainedNetwork)
class TrainedNetworkAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "number",
        "state",
        "origin",
        "series_count",
        "cpu_seconds",
        "gate_reason",
        "trained_at",
    )
    list_filter = ("state",)


@admin.register(models.ForecastRun)
class ForecastRunAdmin(ReadOnlyTenantAdmin):
    list_display = ("id", "origin", "horizon_days", "series_count", "network", "created_at")
    list_select_related = ("network",)


@admin.register(models.SeriesForecast)
class SeriesForecastAdmin(ReadOnlyTenantAdmin):
    list_display = ("run", "product", "warehouse", "channel", "method", "reason", "total_mean")
    list_filter = ("method",)
    list_select_related = ("run", "product", "warehouse", "channel")
    search_fields = ("product__sku",)


@admin.register(models.ForecastSettings)
class ForecastSettingsAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "id", "networks", "missing_days", "outlier_threshold", "scaling", "seed",
        "cpu_minutes_per_month",
        "training_seconds",
    )  # fmt: skip


@admin.register(models.ComputeCost)
class ComputeCostAdmin(ReadOnlyTenantAdmin):
    list_display = ("kind", "cpu_seconds", "spent_at", "job")
    list_filter = ("kind",)
    list_select_related = ("job",)


@admin.register(models.GroupForecast)
class GroupForecastAdmin(ReadOnlyTenantAdmin):
    list_display = ("run", "category", "warehouse", "series_count", "total_mean")
    list_select_related = ("run", "category", "warehouse")


@admin.register(models.AccuracySum)
class AccuracySumAdmin(ReadOnlyTenantAdmin):
    list_display = ("run", "product", "warehouse", "week", "actual", "predicted", "error")
    list_filter = ("week", "demand_class")
    list_select_related = ("run", "product", "warehouse")
    search_fields = ("product__sku",)


@admin.register(models.ForecastOverride)
class ForecastOverrideAdmin(ReadOnlyTenantAdmin):
    list_display = ("product", "warehouse", "first_day", "last_day", "kind", "value", "state")
    list_filter = ("state", "kind")
    list_select_related = ("product", "warehouse")
    search_fields = ("product__sku",)


@admin.register(models.ForecastExplanation)
class ForecastExplanationAdmin(ReadOnlyTenantAdmin):
    list_display = ("run", "product", "warehouse", "created_at")
    list_select_related = ("run", "product", "warehouse")
    search_fields = ("product__sku",)


@admin.register(models.PlanningSettings)
class PlanningSettingsAdmin(TenantAdmin):
    list_display = ("transfer_cost", "transfer_cost_per_unit", "transfer_days", "order_line_cost")


@admin.register(models.BlockedNeed)
class BlockedNeedAdmin(ReadOnlyTenantAdmin):
    list_display = ("product", "warehouse", "reason", "run")
    list_filter = ("reason",)
    list_select_related = ("product", "warehouse", "run")


@admin.register(models.BufferSuggestion)
class BufferSuggestionAdmin(ReadOnlyTenantAdmin):
    list_display = ("channel", "product", "warehouse", "buffer", "gain", "state")
    list_filter = ("state",)
    list_select_related = ("channel", "product", "warehouse")


@admin.register(models.ReorderSuggestion)
class ReorderSuggestionAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "product",
        "warehouse",
        "quantity",
        "state",
        "order_value",
        "order_by_on",
        "created_at",
    )
    list_filter = ("state",)
    list_select_related = ("product", "warehouse")
    search_fields = ("product__sku",)


@admin.register(models.RiskWarning)
class RiskWarningAdmin(ReadOnlyTenantAdmin):
    list_display = (
        "kind",
        "product",
        "warehouse",
        "state",
        "severity_money",
        "happens_on",
        "first_seen_at",
    )
    list_filter = ("kind", "state")
    list_select_related = ("product", "warehouse")
    search_fields = ("product__sku",)


@admin.register(models.WarningDigest)
class WarningDigestAdmin(ReadOnlyTenantAdmin):
    list_display = ("membership", "sent_on")
    list_select_related = ("membership__user",)


@admin.register(models.ExternalSignal)
class ExternalSignalAdmin(TenantAdmin):
    list_display = ("name", "kind", "is_known_ahead", "product", "category", "warehouse")
    list_filter = ("kind", "is_known_ahead")
    list_select_related = ("product", "category", "warehouse")
    autocomplete_fields = ("product", "category", "warehouse")


@admin.register(models.SignalValue)
class SignalValueAdmin(TenantAdmin):
    list_display = ("signal", "day", "value")
    list_select_related = ("signal",)


@admin.register(models.ProductEmbedding)
class ProductEmbeddingAdmin(ReadOnlyTenantAdmin):
    list_display = ("product", "updated_at")
    search_fields = ("product__sku",)


@admin.register(models.SegmentForecast)
class SegmentForecastAdmin(ReadOnlyTenantAdmin):
    list_display = ("product", "warehouse", "segment", "total_mean")
    search_fields = ("product__sku",)
