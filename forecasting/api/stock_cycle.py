"""The stock cycle: how fast stock turns by category, and the worst offenders."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.queries.forecasts import latest_run
from forecasting.queries.stock_cycle import (
    CategoryCycle,
    Offender,
    SeasonPlan,
    stock_cycle,
)
from tenancy.api.endpoints import Endpoint, reading
from tenancy.api.fields import Shown
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class CategoryCycleShown(Shown[CategoryCycle]):
    """Money at cost; turnover is per year."""

    name = serializers.CharField(help_text="Empty: products without a category.")
    products = serializers.IntegerField()
    stock = serializers.FloatField()
    target = serializers.FloatField(help_text="The mean stock that policies aim at.")
    turnover = serializers.FloatField(allow_null=True)
    target_turnover = serializers.FloatField(allow_null=True)
    cover_days = serializers.FloatField(allow_null=True)
    idle = serializers.FloatField(help_text="Stock of what has not sold for 90 days.")
    season = serializers.FloatField(
        allow_null=True, help_text="The next four weeks over the same of last year."
    )
    age_units = serializers.ListField(
        child=serializers.FloatField(), help_text="Arrived 0-30, 31-60, 61-90, more days ago."
    )
    age_values = serializers.ListField(child=serializers.FloatField())


class SeasonPlanShown(Shown[SeasonPlan]):
    """What still sells until a season ends; units, and money at cost."""

    name = serializers.CharField(help_text="Of the category; empty: without one.")
    ends_on = serializers.DateField()
    days = serializers.IntegerField()
    products = serializers.IntegerField()
    sells = serializers.FloatField()
    low = serializers.FloatField(
        allow_null=True, help_text="In a weak season; null where last year is not known."
    )
    high = serializers.FloatField(allow_null=True)
    position = serializers.FloatField(help_text="Free stock and what is on its way.")
    order_up_to = serializers.FloatField()
    to_buy = serializers.FloatField()
    left = serializers.FloatField(help_text="Will not sell: to be marked down.")
    left_even_so = serializers.FloatField(allow_null=True, help_text="Not even in a strong season.")


class OffenderShown(Shown[Offender]):
    product_id = serializers.IntegerField(source="product.pk")
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField()
    stock = serializers.FloatField()
    target = serializers.FloatField()
    too_much = serializers.FloatField()
    cover_days = serializers.FloatField(allow_null=True)


class StockCycleShown(serializers.Serializer[Any]):
    origin = serializers.DateField(
        allow_null=True, help_text="Last day the forecast knows; null without a forecast."
    )
    categories = CategoryCycleShown(many=True)
    seasons = SeasonPlanShown(many=True)
    offenders = OffenderShown(many=True)


class StockCycleDetail(TenantView):
    @reading(
        Endpoint("get_stock_cycle", Permission.READ, "How fast stock turns, by category"),
        StockCycleShown,
    )
    def get(self, request: Request) -> Any:
        run = latest_run()
        cycle = None if run is None else stock_cycle(run)
        return {
            "origin": None if run is None else run.origin,
            "categories": () if cycle is None else cycle.categories,
            "seasons": () if cycle is None else cycle.seasons,
            "offenders": () if cycle is None else cycle.offenders,
        }
