"""How suppliers keep what they promise."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.queries.scorecard import ModeScore, SupplierScore, supplier_scores
from tenancy.api.endpoints import Endpoint, reading
from tenancy.api.fields import MoneyField, Shown
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class ModeScoreShown(Shown[ModeScore]):
    transport_mode = serializers.CharField(source="mode", help_text="Empty where nobody said.")
    deliveries = serializers.IntegerField()
    early_days = serializers.FloatField()
    usual_days = serializers.FloatField()
    late_days = serializers.FloatField()
    on_time = serializers.FloatField(allow_null=True)


class SupplierScoreShown(Shown[SupplierScore]):
    """A year. Shares are of one; null where nothing was delivered or bought."""

    supplier_id = serializers.IntegerField()
    name = serializers.CharField()
    deliveries = serializers.IntegerField()
    early_days = serializers.FloatField(allow_null=True, help_text="A tenth took no longer.")
    usual_days = serializers.FloatField(allow_null=True)
    late_days = serializers.FloatField(allow_null=True, help_text="A tenth took longer.")
    promised_days = serializers.FloatField(allow_null=True)
    on_time = serializers.FloatField(allow_null=True)
    in_full = serializers.FloatField(allow_null=True)
    reject_share = serializers.FloatField(allow_null=True)
    price_trend = serializers.FloatField(allow_null=True)
    freight_share = serializers.FloatField(
        allow_null=True, help_text="Of the value of orders whose transport cost is known."
    )
    spent = MoneyField()
    modes = ModeScoreShown(many=True)


class ScorecardShown(serializers.Serializer[Any]):
    suppliers = SupplierScoreShown(many=True, help_text="Those most is bought from first.")


class Scorecard(TenantView):
    @reading(
        Endpoint("get_supplier_scorecard", Permission.READ, "How suppliers keep their promises"),
        ScorecardShown,
    )
    def get(self, request: Request) -> Any:
        return {"suppliers": supplier_scores()}
