"""Risk warnings: listed with their evidence, acknowledged, snoozed, resolved."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import RiskKind, RiskWarning, WarningState
from forecasting.queries.risk import WarningFilter, warnings
from forecasting.services.risk import (
    acknowledge_warnings,
    assign_warnings,
    resolve_warnings,
    snooze_warnings,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, writing
from tenancy.api.fields import IdField, MoneyField, Shown, Strict
from tenancy.api.parameters import choice_filter, id_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class WarningShown(Shown[RiskWarning]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=RiskKind.choices)
    state = serializers.ChoiceField(choices=WarningState.choices)
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField()
    lot_id = serializers.IntegerField(allow_null=True)
    order_id = serializers.IntegerField(allow_null=True)
    assigned_to_id = serializers.IntegerField(allow_null=True, help_text="A membership.")
    severity_money = MoneyField()
    probability = serializers.FloatField(allow_null=True)
    happens_on = serializers.DateField(allow_null=True)
    evidence = serializers.DictField()
    suggested_action = serializers.CharField()
    snoozed_until = serializers.DateField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class WarningChoice(Strict):
    warning_ids = serializers.ListField(child=IdField(), min_length=1, max_length=500)


class WarningSnoozing(WarningChoice):
    until = serializers.DateField()


class WarningAssigning(WarningChoice):
    membership_id = IdField(required=False, allow_null=True, help_text="Left out: nobody.")


class WarningsDecidedShown(serializers.Serializer[Any]):
    warnings = WarningShown(many=True)


class WarningList(TenantView):
    @listing(
        Endpoint("list_warnings", Permission.READ, "Risk warnings"),
        Listing(
            WarningShown,
            orders={"-severity_money": ("-severity_money", "id"), "-id": ("-id",)},
            filters={
                "state": choice_filter("state", WarningState.choices),
                "kind": choice_filter("kind", RiskKind.choices),
                "product_id": id_filter("product_id"),
                "warehouse_id": id_filter("warehouse_id"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return warnings(WarningFilter(state=""))


class WarningAcknowledgement(TenantView):
    @writing(
        Endpoint("acknowledge_warnings", Permission.PLAN, "Note that warnings were seen"),
        Writing(WarningsDecidedShown, WarningChoice),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return {"warnings": acknowledge_warnings(**data)}


class WarningSnooze(TenantView):
    @writing(
        Endpoint("snooze_warnings", Permission.PLAN, "Put warnings off until a day"),
        Writing(WarningsDecidedShown, WarningSnoozing),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return {"warnings": snooze_warnings(**data)}


class WarningResolution(TenantView):
    @writing(
        Endpoint("resolve_warnings", Permission.PLAN, "Close warnings"),
        Writing(WarningsDecidedShown, WarningChoice),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return {"warnings": resolve_warnings(**data)}


class WarningAssignment(TenantView):
    @writing(
        Endpoint("assign_warnings", Permission.PLAN, "Say who takes care of warnings"),
        Writing(WarningsDecidedShown, WarningAssigning),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return {"warnings": assign_warnings(**({"membership_id": None} | data))}
