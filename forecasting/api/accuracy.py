"""Accuracy of stored forecasts, and planners' overrides with how they turned out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from functools import cached_property
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import ForecastOverride, OverrideKind, OverrideState
from forecasting.queries.accuracy import AccuracyFilter, Figures, read_accuracy
from forecasting.queries.forecasts import last_day_of, latest_run
from forecasting.queries.overrides import overrides, score_overrides
from forecasting.services.overrides import OverrideWish, create_override, withdraw_override
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, QuantityField, Shown, Strict
from tenancy.api.parameters import Filter, choice_filter, id_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class FiguresShown(serializers.Serializer[Any]):
    days = serializers.IntegerField()
    actual = serializers.FloatField()
    predicted = serializers.FloatField()
    wape = serializers.FloatField(allow_null=True, help_text="Of days, by the median.")
    week_wape = serializers.FloatField(
        allow_null=True, help_text="Of whole weeks of a series, by the mean."
    )
    naive_wape = serializers.FloatField(allow_null=True)
    wql = serializers.FloatField(allow_null=True)
    bias = serializers.FloatField(allow_null=True)
    coverage_80 = serializers.FloatField(allow_null=True)
    value_added = serializers.FloatField(
        allow_null=True, help_text="Share of the naive forecast's error that is saved."
    )


class RunFiguresShown(FiguresShown):
    origin = serializers.DateField()


class ClassFiguresShown(FiguresShown):
    demand_class = serializers.CharField()


class WeekFiguresShown(FiguresShown):
    week = serializers.IntegerField(help_text="1 = the first seven days after the origin.")


class SeriesFiguresShown(FiguresShown):
    product_id = serializers.IntegerField()
    sku = serializers.CharField()
    warehouse_id = serializers.IntegerField()


class AccuracyShown(serializers.Serializer[Any]):
    runs = serializers.IntegerField(help_text="The newest scored runs the figures are over.")
    total = FiguresShown()
    by_run = RunFiguresShown(many=True)
    trend = RunFiguresShown(
        many=True,
        help_text="Of each run the first week ahead, or the week asked for: these compare.",
    )
    by_class = ClassFiguresShown(many=True)
    by_week = WeekFiguresShown(many=True)
    worst = SeriesFiguresShown(many=True)


def _shown(figures: Figures, **more: Any) -> dict[str, Any]:
    measures = ("wape", "week_wape", "naive_wape", "wql", "bias", "coverage_80", "value_added")
    return asdict(figures) | {name: getattr(figures, name) for name in measures} | more


class AccuracyDetail(TenantView):
    @reading(
        Endpoint("get_accuracy", Permission.READ, "How good stored forecasts turned out"),
        AccuracyShown,
        product_id=id_filter(),
        warehouse_id=id_filter(),
        demand_class=Filter(
            serializers.ChoiceField(choices=["smooth", "erratic", "intermittent", "lumpy"])
        ),
        week=Filter(serializers.IntegerField(min_value=1, max_value=52)),
    )
    def get(self, request: Request, *, asked: dict[str, Any]) -> Any:
        found = read_accuracy(AccuracyFilter(**asked))
        return {
            "runs": found.runs,
            "total": _shown(found.total),
            "by_run": [_shown(one, origin=origin) for origin, one in found.by_run],
            "trend": [_shown(one, origin=origin) for origin, one in found.trend],
            "by_class": [_shown(one, demand_class=name) for name, one in found.by_class],
            "by_week": [_shown(one, week=week) for week, one in found.by_week],
            "worst": [
                _shown(
                    row.figures, product_id=row.product_id, sku=row.sku,
                    warehouse_id=row.warehouse_id,
                )
                for row in found.worst
            ],
        }  # fmt: skip


class OverrideShown(Shown[ForecastOverride]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField()
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    kind = serializers.ChoiceField(choices=OverrideKind.choices)
    value = QuantityField()
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=OverrideState.choices)
    created_by = serializers.CharField(source="created_by_label")
    created_at = serializers.DateTimeField()
    withdrawn_by = serializers.CharField(source="withdrawn_by_label")
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    waits_for_forecast = serializers.SerializerMethodField(
        help_text="The newest forecast ends before its first day: it counts once one reaches that."
    )
    version = serializers.IntegerField()

    def get_waits_for_forecast(self, row: ForecastOverride) -> bool:
        return self._forecast_until is None or row.first_day > self._forecast_until

    @cached_property
    def _forecast_until(self) -> date | None:
        """The last day of the newest forecast, read once for a whole list."""
        run = latest_run()
        return last_day_of(run) if run else None


class ScoreShown(serializers.Serializer[Any]):
    days = serializers.IntegerField()
    actual = serializers.FloatField()
    error = serializers.FloatField()
    base_error = serializers.FloatField()
    gain = serializers.FloatField(allow_null=True)


class OverrideScoredShown(OverrideShown):
    score = serializers.SerializerMethodField()

    @extend_schema_field(ScoreShown(allow_null=True))
    def get_score(self, row: ForecastOverride) -> Any:
        scored = score_overrides([row])
        return ScoreShown(scored[0]).data if scored else None


class NewOverride(Strict):
    product_id = IdField()
    warehouse_id = IdField()
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    kind = serializers.ChoiceField(choices=OverrideKind.choices)
    value = serializers.DecimalField(max_digits=18, decimal_places=4)
    reason = serializers.CharField(max_length=200)


class OverrideList(TenantView):
    @listing(
        Endpoint("list_overrides", Permission.READ, "Planners' changes of forecasts"),
        Listing(
            OverrideShown,
            orders={"-id": ("-id",)},
            filters={
                "product_id": id_filter("product_id"),
                "warehouse_id": id_filter("warehouse_id"),
                "state": choice_filter("state", OverrideState.choices),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return overrides()

    @writing(
        Endpoint("create_override", Permission.PLAN, "Change a forecast, with a reason"),
        Writing(OverrideScoredShown, NewOverride, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        product, warehouse = data.pop("product_id"), data.pop("warehouse_id")
        wish = OverrideWish(**data)
        return create_override(product_id=product, warehouse_id=warehouse, wish=wish)


class OverrideWithdrawal(TenantView):
    @writing(
        Endpoint("withdraw_override", Permission.PLAN, "Take a change of a forecast back"),
        Writing(OverrideScoredShown),
    )
    def post(self, request: Request, forecast_override_id: int, *, data: dict[str, Any]) -> Any:
        return withdraw_override(forecast_override_id=forecast_override_id)
