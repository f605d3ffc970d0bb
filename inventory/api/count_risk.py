"""Which places to count next, by risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import CycleCount
from inventory.queries.count_risk import RiskyPlace, count_risks
from inventory.queries.places import get_warehouse
from inventory.services.count_schedule import MOST_AT_ONCE, request_riskiest
from tenancy.api.endpoints import Endpoint, Writing, reading, writing
from tenancy.api.fields import MoneyField, QuantityField, Shown, Strict
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

MOST_SHOWN = 200


@dataclass(frozen=True)
class Ranking:
    items: list[RiskyPlace]


class RiskyPlaceShown(Shown[RiskyPlace]):
    location_id = serializers.IntegerField(source="facts.location_id")
    location = serializers.CharField(source="code")
    zone = serializers.CharField()
    products = serializers.IntegerField()
    value = MoneyField(source="facts.value")
    variability = QuantityField(source="facts.variability")
    days_since_count = serializers.IntegerField(source="facts.days_since_count", allow_null=True)
    anomalies = serializers.IntegerField(source="facts.anomalies")
    short_picks = serializers.IntegerField(source="facts.short_picks")
    risk = QuantityField(source="risk.risk", help_text="The product of the factors below.")
    value_factor = QuantityField(source="risk.value")
    variability_factor = QuantityField(source="risk.variability")
    age_factor = QuantityField(source="risk.age")
    anomalies_factor = QuantityField(source="risk.anomalies")
    short_picks_factor = QuantityField(source="risk.short_picks")
    open_count_id = serializers.IntegerField(allow_null=True)


class RankingShown(Shown[Ranking]):
    items = RiskyPlaceShown(many=True)


@dataclass(frozen=True)
class Requested:
    counts: list[CycleCount]

    @property
    def count_ids(self) -> list[int]:
        return [count.pk for count in self.counts]


class RequestedShown(Shown[Requested]):
    count_ids = serializers.ListField(child=serializers.IntegerField())


class RiskiestRequest(Strict):
    most = serializers.IntegerField(min_value=1, max_value=MOST_AT_ONCE)


class CountRisks(TenantView):
    @reading(
        Endpoint("get_count_risks", Permission.READ, "Up to 200 places, the riskiest first"),
        RankingShown,
    )
    def get(self, request: Request, warehouse_id: int) -> Any:
        warehouse = get_warehouse(warehouse_id)
        return Ranking(items=count_risks(warehouse.pk)[:MOST_SHOWN])

    @writing(
        Endpoint("request_riskiest_counts", Permission.APPROVE, "Have the riskiest counted"),
        Writing(RequestedShown, RiskiestRequest, status=201, key_required=True),
    )
    def post(self, request: Request, warehouse_id: int, *, data: dict[str, Any]) -> Any:
        return Requested(request_riskiest(warehouse_id=warehouse_id, **data))
