"""What if: a scenario is decided beside what is, and nothing is written."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.services.what_if import (
    ChangedLine,
    Comparison,
    Outcome,
    Scenario,
    compare_scenario,
)
from tenancy.api.endpoints import Endpoint, Writing, writing
from tenancy.api.fields import IdField, MoneyField, QuantityField, Shown, Strict
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class ScenarioAsked(Strict):
    """Shares are of one: 0.2 is a fifth more. What is left out stays as it is."""

    service_level = serializers.FloatField(required=False, allow_null=True)
    lead_time_days = serializers.IntegerField(
        required=False,
        help_text="Days that every order takes longer.",
        min_value=-180,
        max_value=180,
    )
    uplift = serializers.FloatField(required=False, help_text="Of demand; a promotion, say.")
    price_change = serializers.FloatField(required=False, help_text="Of buying prices.")
    break_from = QuantityField(required=False, allow_null=True, min_value=0)
    break_discount = serializers.FloatField(required=False)
    budget = MoneyField(required=False, allow_null=True, min_value=0)
    supplier_id = IdField(required=False, allow_null=True, help_text="Buy from this one.")
    warehouse_id = IdField(required=False, allow_null=True, help_text="Left out: all.")


class OutcomeShown(Shown[Outcome]):
    """Money; ``path`` is the expected value of stock on each of the days from ``first_day`` on."""

    orders = serializers.IntegerField()
    unpriced = serializers.IntegerField(help_text="Orders without a price: no value counts them.")
    blocked = serializers.IntegerField(
        help_text="Needs that nothing can be ordered for; under a budget also those without price."
    )
    order_value = serializers.FloatField()
    target_stock = serializers.FloatField()
    holding_per_year = serializers.FloatField()
    lost_margin = serializers.FloatField()
    path = serializers.ListField(child=serializers.FloatField())


class ChangedLineShown(Shown[ChangedLine]):
    product_id = serializers.IntegerField(source="product.pk")
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField()
    before = serializers.FloatField()
    after = serializers.FloatField()
    value_change = serializers.FloatField(allow_null=True, help_text="Null without a price.")


class ComparisonShown(Shown[Comparison]):
    first_day = serializers.DateField()
    is_stale = serializers.BooleanField(help_text="The forecast behind both is out of date.")
    rows = serializers.IntegerField(help_text="Products and warehouses that were decided.")
    all_rows = serializers.IntegerField()
    before = OutcomeShown()
    after = OutcomeShown()
    lines = ChangedLineShown(many=True, help_text="The orders that change most.")


class WhatIf(TenantView):
    @writing(
        Endpoint("compare_scenario", Permission.READ, "Decide as it is and as assumed"),
        Writing(ComparisonShown, ScenarioAsked),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return compare_scenario(Scenario(**data))
