"""What planning reckons with: costs of moving and ordering."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import PlanningSettings
from forecasting.queries.settings import planning_settings
from forecasting.services.settings import SettingsFields, change_settings
from tenancy.api.endpoints import Endpoint, Writing, reading, writing
from tenancy.api.fields import MoneyField, Shown, Strict
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

NAMES = ("transfer_cost", "transfer_cost_per_unit", "transfer_days", "order_line_cost")


class PlanningSettingsShown(Shown[PlanningSettings]):
    transfer_cost = MoneyField()
    transfer_cost_per_unit = MoneyField()
    transfer_days = serializers.IntegerField()
    order_line_cost = MoneyField()
    version = serializers.IntegerField()


class ChangedPlanningSettings(Strict):
    transfer_cost = MoneyField(required=False)
    transfer_cost_per_unit = MoneyField(required=False)
    transfer_days = serializers.IntegerField(required=False, min_value=0, max_value=365)
    order_line_cost = MoneyField(required=False)


class PlanningSettingsDetail(TenantView):
    @reading(
        Endpoint("get_planning_settings", Permission.READ, "What planning reckons with"),
        PlanningSettingsShown,
    )
    def get(self, request: Request) -> Any:
        return planning_settings()

    @writing(
        Endpoint("change_planning_settings", Permission.PLAN, "Change what planning reckons with"),
        Writing(PlanningSettingsShown, ChangedPlanningSettings, versioned=True, partial=True),
    )
    def patch(self, request: Request, *, data: dict[str, Any], version: int) -> Any:
        before = {name: getattr(planning_settings(), name) for name in NAMES}
        return change_settings(fields=SettingsFields(**(before | data)), version=version)
