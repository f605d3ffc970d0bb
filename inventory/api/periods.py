"""Closed periods and the method of valuation: shown, closed, opened again, chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import InventorySettings, PeriodClosing, ValuationMethod
from inventory.queries.periods import latest_day_over, period_closings
from inventory.queries.settings import inventory_settings
from inventory.services.periods import close_period, reopen_period
from inventory.services.valuation import change_valuation_method
from tenancy.api.endpoints import Endpoint, Writing, reading, writing
from tenancy.api.fields import Shown, Strict
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

LATEST_CLOSINGS = 60


@dataclass(frozen=True)
class Periods:
    settings: InventorySettings
    latest_day_over: date
    closings: list[PeriodClosing]

    @property
    def version(self) -> int:
        """Return the version of the settings, which closing and choosing change."""
        return self.settings.version


class ClosingShown(Shown[PeriodClosing]):
    through = serializers.DateField()
    closed_at = serializers.DateTimeField()
    closed_by = serializers.CharField(source="closed_by_label")


class PeriodsShown(Shown[Periods]):
    closed_through = serializers.DateField(source="settings.closed_through", allow_null=True)
    valuation_method = serializers.ChoiceField(
        source="settings.valuation_method", choices=ValuationMethod.choices
    )
    latest_day_over = serializers.DateField(help_text="The latest day that can be closed.")
    closings = ClosingShown(many=True, help_text="The latest 60 that stand.")
    version = serializers.IntegerField()


class NewClosing(Strict):
    through = serializers.DateField()


class Reopening(Strict):
    closed_through = serializers.DateField(
        allow_null=True, help_text="What stays closed; null opens every day."
    )
    reason = serializers.CharField(max_length=200)


class MethodChoice(Strict):
    method = serializers.ChoiceField(choices=ValuationMethod.choices)


def _shown() -> Periods:
    return Periods(
        inventory_settings(), latest_day_over(), list(period_closings()[:LATEST_CLOSINGS])
    )


class PeriodDetail(TenantView):
    @reading(
        Endpoint("get_periods", Permission.READ, "What is closed, and how stock is valued"),
        PeriodsShown,
    )
    def get(self, request: Request) -> Any:
        return _shown()


class PeriodClose(TenantView):
    @writing(
        Endpoint("close_period", Permission.APPROVE, "Close all days up to one"),
        Writing(PeriodsShown, NewClosing, versioned=True),
    )
    def post(self, request: Request, *, data: dict[str, Any], version: int) -> Any:
        close_period(version=version, **data)
        return _shown()


class PeriodReopen(TenantView):
    @writing(
        Endpoint("reopen_period", Permission.APPROVE, "Open closed days again"),
        Writing(PeriodsShown, Reopening, versioned=True),
    )
    def post(self, request: Request, *, data: dict[str, Any], version: int) -> Any:
        reopen_period(version=version, **data)
        return _shown()


class MethodDetail(TenantView):
    @writing(
        Endpoint("change_valuation_method", Permission.APPROVE, "Choose how stock is valued"),
        Writing(PeriodsShown, MethodChoice, versioned=True),
    )
    def post(self, request: Request, *, data: dict[str, Any], version: int) -> Any:
        change_valuation_method(method=ValuationMethod(data["method"]), version=version)
        return _shown()
