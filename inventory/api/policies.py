"""Stock policies: how much service a product, a class or everything deserves."""

from __future__ import annotations

from dataclasses import dataclass, fields as fields_of
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import AbcClass, PolicyTarget, StockPolicy, XyzClass
from inventory.queries.policies import get_policy, policies
from inventory.services.policies import (
    PolicyFields,
    PolicyScope,
    add_class_policies,
    remove_policy,
    set_policy,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, MoneyField, QuantityField, Shown, Strict
from tenancy.api.parameters import choice_filter, id_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

LEVEL: dict[str, Any] = {"max_digits": 5, "decimal_places": 4, "min_value": 0, "max_value": 1}
RATE: dict[str, Any] = {"max_digits": 6, "decimal_places": 4, "min_value": 0}


class PolicyShown(Shown[StockPolicy]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField(allow_null=True)
    warehouse_id = serializers.IntegerField(allow_null=True)
    abc_class = serializers.CharField()
    xyz_class = serializers.CharField()
    target = serializers.ChoiceField(choices=PolicyTarget.choices)
    cycle_service_level = serializers.DecimalField(**LEVEL)
    lost_sale_cost = MoneyField(allow_null=True)
    holding_cost_per_year = serializers.DecimalField(**RATE)
    review_period_days = serializers.IntegerField()
    minimum_stock = QuantityField(allow_null=True)
    maximum_stock = QuantityField(allow_null=True)
    excess_cover_days = serializers.IntegerField()
    season_ends_on = serializers.DateField(allow_null=True)
    do_not_stock = serializers.BooleanField()
    version = serializers.IntegerField()


class ChangedPolicy(Strict):
    target = serializers.ChoiceField(choices=PolicyTarget.choices, required=False)
    cycle_service_level = serializers.DecimalField(**LEVEL, required=False)
    lost_sale_cost = MoneyField(required=False, allow_null=True)
    holding_cost_per_year = serializers.DecimalField(**RATE, required=False)
    review_period_days = serializers.IntegerField(required=False, min_value=1, max_value=365)
    minimum_stock = QuantityField(required=False, allow_null=True)
    maximum_stock = QuantityField(required=False, allow_null=True)
    excess_cover_days = serializers.IntegerField(required=False, min_value=0, max_value=3650)
    season_ends_on = serializers.DateField(required=False, allow_null=True)
    do_not_stock = serializers.BooleanField(required=False)


class NewPolicy(ChangedPolicy):
    product_id = IdField(required=False, allow_null=True)
    warehouse_id = IdField(required=False, allow_null=True)
    abc_class = serializers.ChoiceField(choices=["", *AbcClass.values], required=False)
    xyz_class = serializers.ChoiceField(choices=["", *XyzClass.values], required=False)


@dataclass(frozen=True)
class Removed:
    id: int


class PolicyRemovedShown(Shown[Removed]):
    id = serializers.IntegerField()


@dataclass(frozen=True)
class Added:
    policies: list[StockPolicy]


class PoliciesAddedShown(Shown[Added]):
    policies = PolicyShown(many=True)


SCOPE = tuple(one.name for one in fields_of(PolicyScope))
FIELDS = tuple(one.name for one in fields_of(PolicyFields))


class PolicyList(TenantView):
    @listing(
        Endpoint("list_policies", Permission.READ, "Stock policies"),
        Listing(
            PolicyShown,
            orders={"id": ("id",)},
            filters={
                "product_id": id_filter("product_id"),
                "warehouse_id": id_filter("warehouse_id"),
                "abc_class": choice_filter("abc_class", AbcClass.choices),
                "xyz_class": choice_filter("xyz_class", XyzClass.choices),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return policies()

    @writing(
        Endpoint(
            "set_policy", Permission.PLAN, "Say what holds for a product, class or everything"
        ),
        Writing(PolicyShown, NewPolicy),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        scope = {name: data.pop(name) for name in SCOPE if name in data}
        return set_policy(scope=PolicyScope(**scope), fields=PolicyFields(**data))


class PolicyDetail(TenantView):
    @reading(Endpoint("get_policy", Permission.READ, "A stock policy"), PolicyShown)
    def get(self, request: Request, stock_policy_id: int) -> Any:
        return get_policy(stock_policy_id)

    @writing(
        Endpoint("change_policy", Permission.PLAN, "Change a stock policy"),
        Writing(PolicyShown, ChangedPolicy, versioned=True, partial=True),
    )
    def patch(
        self, request: Request, stock_policy_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        row = get_policy(stock_policy_id)
        before = {name: getattr(row, name) for name in FIELDS}
        scope = PolicyScope(**{name: getattr(row, name) for name in SCOPE})
        return set_policy(scope=scope, fields=PolicyFields(**(before | data)), version=version)

    @writing(
        Endpoint("remove_policy", Permission.PLAN, "Let the next less specific policy hold"),
        Writing(PolicyRemovedShown, versioned=True),
    )
    def delete(
        self, request: Request, stock_policy_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        get_policy(stock_policy_id)
        remove_policy(stock_policy_id=stock_policy_id, version=version)
        return Removed(stock_policy_id)


class ClassPolicies(TenantView):
    @writing(
        Endpoint("add_class_policies", Permission.PLAN, "Write the usual policies of the classes"),
        Writing(PoliciesAddedShown, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return Added(add_class_policies())
