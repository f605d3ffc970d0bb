"""Forecasts: by product, warehouse and channel, with every day and quantile; planning on demand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

import numpy as np
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import SeriesForecast
from forecasting.pipeline.series import FloatArray
from forecasting.queries.forecasts import (
    age_days,
    forecast_days,
    get_series,
    is_stale,
    series_in_use,
    silent_signals,
)
from forecasting.queries.neighbours import neighbours_of
from forecasting.queries.overrides import Changed, changed_forecasts
from forecasting.queries.parts import PartShown as Part, parts_of
from forecasting.services.forecasts import request_planning
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import Shown
from tenancy.api.jobs import JobShown
from tenancy.api.parameters import id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class ForecastsShown(serializers.ListSerializer[Any]):
    """Forecasts of one page: what planners changed of all of them is read at once."""

    def to_representation(self, data: Any) -> list[Any]:
        rows = list(data)
        cast("ForecastShown", self.child).changed_by_id = changed_forecasts(rows)
        return super().to_representation(rows)


class ForecastShown(Shown[SeriesForecast]):
    class Meta:
        list_serializer_class = ForecastsShown

    changed_by_id: dict[int, Changed] | None = None
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField()
    channel_id = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField(source="product.base_unit")
    origin = serializers.DateField(source="run.origin", help_text="The last day known.")
    horizon_days = serializers.IntegerField(source="run.horizon_days")
    total_mean = serializers.FloatField(help_text="Expected demand over the horizon, as forecast.")
    changed_total_mean = serializers.SerializerMethodField(
        help_text="With planners' changes, as orders reckon; null where nobody changed anything."
    )
    method = serializers.CharField()
    reason = serializers.CharField(help_text="Why this method serves the series.")
    demand_class = serializers.CharField()

    def get_changed_total_mean(self, series: SeriesForecast) -> float | None:
        found = self._changed(series)
        return None if found is None else found.total_mean

    def _changed(self, series: SeriesForecast) -> Changed | None:
        if self.changed_by_id is None:  # one alone
            self.changed_by_id = changed_forecasts([series])
        return self.changed_by_id.get(series.pk)


class ForecastDayShown(serializers.Serializer[Any]):
    day = serializers.DateField()
    mean = serializers.FloatField()
    quantiles = serializers.ListField(child=serializers.FloatField())


class ChangedDayShown(ForecastDayShown):
    changed_mean = serializers.FloatField(
        allow_null=True,
        help_text="As planners changed it and orders reckon; null on days nobody changed.",
    )
    changed_quantiles = serializers.ListField(child=serializers.FloatField(), allow_null=True)


def changed_days(
    days: Sequence[date], mean: Sequence[float], quantiles: FloatArray, changed: Changed | None
) -> list[dict[str, Any]]:
    """Return the days of a forecast, those that planners changed with what they became."""
    found = []
    for place, day in enumerate(days):
        other = changed if changed is not None and changed.days[place] else None
        found.append(
            {
                "day": day,
                "mean": mean[place],
                "quantiles": quantiles[place].tolist(),
                "changed_mean": None if other is None else float(other.mean[place]),
                "changed_quantiles": None if other is None else other.quantiles[place].tolist(),
            }
        )
    return found


class NeighbourShown(serializers.Serializer[Any]):
    product_id = serializers.IntegerField(source="product.pk")
    sku = serializers.CharField(source="product.sku")
    name = serializers.CharField(source="product.name")
    weight = serializers.FloatField()


class ForecastDetailShown(ForecastShown):
    network_id = serializers.IntegerField(source="run.network_id", allow_null=True)
    made_at = serializers.DateTimeField(source="run.created_at")
    age_days = serializers.SerializerMethodField()
    is_stale = serializers.SerializerMethodField()
    levels = serializers.ListField(child=serializers.FloatField(), source="run.quantiles")
    days = serializers.SerializerMethodField()
    silent_signals = serializers.SerializerMethodField(
        help_text="Signals the network learned from that said nothing to this forecast."
    )
    similar_products = serializers.SerializerMethodField()
    told_by = serializers.SerializerMethodField(
        help_text="Of a product that has hardly sold: what each source counts, adding up to 1."
    )

    @extend_schema_field(NeighbourShown(many=True))
    def get_similar_products(self, series: SeriesForecast) -> Any:
        return NeighbourShown(neighbours_of(series), many=True).data

    def get_told_by(self, series: SeriesForecast) -> dict[str, float]:
        shares: dict[str, float] = (series.basis or {}).get("shares", {})
        return shares

    def get_age_days(self, series: SeriesForecast) -> int:
        return age_days(series.run)

    def get_silent_signals(self, series: SeriesForecast) -> list[str]:
        return silent_signals(series.run)

    def get_is_stale(self, series: SeriesForecast) -> bool:
        return is_stale(series.run)

    @extend_schema_field(ChangedDayShown(many=True))
    def get_days(self, series: SeriesForecast) -> list[dict[str, Any]]:
        run = series.run
        table = np.reshape(series.quantile_values, (run.horizon_days, len(run.quantiles)))
        return changed_days(forecast_days(run), series.mean, table, self._changed(series))


class ForecastList(TenantView):
    @listing(
        Endpoint("list_forecasts", Permission.READ, "Forecasts in use"),
        Listing(
            ForecastShown,
            orders={"-total_mean": ("-total_mean", "id"), "id": ("id",)},
            filters={
                "product_id": id_filter("product_id"),
                "warehouse_id": id_filter("warehouse_id"),
                "channel_id": id_filter("channel_id"),
                "sku": text_filter("product__sku"),
                "method": text_filter("method"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return series_in_use()


class ForecastDetail(TenantView):
    @reading(
        Endpoint("get_forecast", Permission.READ, "The forecast of a product in a warehouse"),
        ForecastDetailShown,
        channel_id=id_filter(),
    )
    def get(
        self, request: Request, product_id: int, warehouse_id: int, *, asked: dict[str, Any]
    ) -> Any:
        return get_series(product_id, warehouse_id, asked.get("channel_id"))


class PartShown(serializers.Serializer[Part]):
    kind = serializers.CharField(help_text="channel or segment")
    part_id = serializers.IntegerField(allow_null=True, help_text="Null: demand of nobody known.")
    name = serializers.CharField(allow_blank=True)
    total_mean = serializers.FloatField()
    share = serializers.FloatField(help_text="Of the forecast of all of them.")
    mean = serializers.ListField(child=serializers.FloatField(), help_text="By day.")
    quantiles = serializers.ListField(
        child=serializers.FloatField(),
        source="quantile_values",
        help_text="By day, then by level; empty for demand of nobody known.",
    )


class PartsShown(serializers.Serializer[Any]):
    parts = PartShown(many=True)


class ForecastParts(TenantView):
    @reading(
        Endpoint("get_forecast_parts", Permission.READ, "A forecast by channel and segment"),
        PartsShown,
    )
    def get(self, request: Request, product_id: int, warehouse_id: int) -> Any:
        return {"parts": parts_of(get_series(product_id, warehouse_id))}


class Planning(TenantView):
    @writing(
        Endpoint("plan", Permission.PLAN, "Queue forecasts, suggestions and warnings"),
        Writing(JobShown, status=202),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return request_planning()
