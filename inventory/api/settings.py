"""How the tenant runs its warehouses."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import InventorySettings, ValuationMethod
from inventory.queries.settings import inventory_settings
from inventory.services.settings import WarehouseSettings, update_inventory_settings
from tenancy.api.endpoints import Endpoint, Writing, reading, writing
from tenancy.api.fields import MoneyField, Shown, Strict
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

PERCENT = {"max_digits": 5, "decimal_places": 2}


class SettingsShown(Shown[InventorySettings]):
    adjustment_limit = MoneyField(help_text="Value of one adjustment without a manager.")
    blind_counts = serializers.BooleanField()
    count_tolerance_percent = MoneyField(**PERCENT)
    count_tolerance_value = MoneyField()
    counts_per_day = serializers.IntegerField(help_text="Requested by risk, of each warehouse.")
    valuation_method = serializers.ChoiceField(choices=ValuationMethod.choices)
    closed_through = serializers.DateField(allow_null=True)
    version = serializers.IntegerField()


class SettingsChange(Strict):
    adjustment_limit = MoneyField(required=False, min_value=0)
    blind_counts = serializers.BooleanField(required=False)
    count_tolerance_percent = MoneyField(required=False, min_value=0, **PERCENT)
    count_tolerance_value = MoneyField(required=False, min_value=0)
    counts_per_day = serializers.IntegerField(required=False, min_value=0, max_value=1000)


class SettingsDetail(TenantView):
    @reading(
        Endpoint("get_inventory_settings", Permission.READ, "How warehouses are run"), SettingsShown
    )
    def get(self, request: Request) -> Any:
        return inventory_settings()

    @writing(
        Endpoint("update_inventory_settings", Permission.APPROVE, "Change how warehouses are run"),
        Writing(SettingsShown, SettingsChange, versioned=True, partial=True),
    )
    def patch(self, request: Request, *, data: dict[str, Any], version: int) -> Any:
        return update_inventory_settings(fields=WarehouseSettings(**data), version=version)
