"""Explanations of forecasts: the parts per day and cause, in words and numbers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.queries.explanations import forecast_days_of, get_explanation, similar_for_reader
from forecasting.queries.parts import get_forecast
from forecasting.services.cold_start_words import whole_sentences
from forecasting.services.explanation_words import rule_sentences, sentences
from forecasting.services.explanations import request_explanation
from tenancy.api.endpoints import Endpoint, Writing, reading, writing
from tenancy.api.fields import Strict
from tenancy.api.jobs import JobShown
from tenancy.api.parameters import id_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class SignalRunShown(serializers.Serializer[Any]):
    name = serializers.CharField()
    text = serializers.CharField(source="label", help_text="Name of the holiday, or the price.")
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    units = serializers.FloatField()


class MethodUseShown(serializers.Serializer[Any]):
    method = serializers.CharField()
    is_network = serializers.BooleanField()
    weight = serializers.FloatField()
    per_day = serializers.FloatField()
    first_day = serializers.DateField(allow_null=True)
    last_day = serializers.DateField(allow_null=True)
    days_seen = serializers.IntegerField()
    sales_days = serializers.IntegerField()


class SimilarShown(serializers.Serializer[Any]):
    series_id = serializers.CharField(help_text="Product and warehouse, as 17:3.")
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    distance = serializers.FloatField()
    mean = serializers.FloatField()
    followed = serializers.FloatField(help_text="Demand after over demand in the weeks.")


class ExplanationShown(serializers.Serializer[Any]):
    sentences = serializers.ListField(child=serializers.CharField())
    rule_sentences = serializers.ListField(child=serializers.CharField())
    origin = serializers.DateField()
    method = serializers.CharField()
    reason = serializers.CharField()
    demand_class = serializers.CharField()
    last_month = serializers.FloatField(help_text="Units per day the parts start from.")
    days = serializers.ListField(child=serializers.DateField())
    prediction = serializers.ListField(child=serializers.FloatField())
    features = serializers.ListField(child=serializers.CharField())
    parts = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        help_text="Per day, per feature; a day adds up to prediction - last_month.",
    )
    events = SignalRunShown(many=True)
    rules = MethodUseShown(many=True)
    similar = SimilarShown(many=True)
    gap = serializers.FloatField(help_text="What the parts miss, as a share of what moved.")
    differs = serializers.BooleanField(
        help_text="Demand known now would make another forecast than the one stored."
    )


class PartToExplain(Strict):
    """Nothing: the forecast of all channels and segments together."""

    channel_id = serializers.IntegerField(required=False)
    segment_id = serializers.IntegerField(required=False)


class Explanation(TenantView):
    @reading(
        Endpoint("get_explanation", Permission.READ, "Why a forecast is what it is"),
        ExplanationShown,
        channel_id=id_filter(),
        segment_id=id_filter(),
    )
    def get(
        self, request: Request, product_id: int, warehouse_id: int, *, asked: dict[str, Any]
    ) -> Any:
        series = get_forecast(
            product_id, warehouse_id, asked.get("channel_id"), asked.get("segment_id")
        )
        content = get_explanation(series).content
        unit = series.product.base_unit
        return content | {
            "days": forecast_days_of(content),
            "similar": similar_for_reader(content),
            "sentences": sentences(content, unit),
            "rule_sentences": [
                *rule_sentences(content, unit),
                *whole_sentences(series),
            ],
        }

    @writing(
        Endpoint("explain_forecast", Permission.PLAN, "Queue the explanation of a forecast"),
        Writing(JobShown, PartToExplain, status=202),
    )
    def post(
        self, request: Request, product_id: int, warehouse_id: int, *, data: dict[str, Any]
    ) -> Any:
        return request_explanation(product_id=product_id, warehouse_id=warehouse_id, **data)
