"""Put-away: what waits at the docks, where it belongs, and the rules behind that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.api.movements import MovementShown
from inventory.models import PutAwayRule, StockBalance
from inventory.queries.movements import get_movement
from inventory.queries.put_away import (
    WORK_ORDER,
    SuggestedPlace,
    get_put_away_rule,
    get_put_away_work,
    put_away_rules,
    put_away_work,
    suggestions,
)
from inventory.rules.put_away import Why
from inventory.services.put_away import put_away
from inventory.services.put_away_rules import (
    RuleFields,
    change_put_away_rule,
    create_put_away_rule,
    delete_put_away_rule,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, QuantityField, Shown, Strict
from tenancy.api.parameters import flag_filter, id_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class WaitingShown(Shown[StockBalance]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    lot_id = serializers.IntegerField(allow_null=True)
    lot_code = serializers.CharField(source="lot.code", allow_null=True, default=None)
    warehouse_id = serializers.IntegerField(source="location.warehouse_id")
    location_id = serializers.IntegerField()
    location_code = serializers.CharField(source="location.code")
    quantity = QuantityField(source="free", help_text="On hand and not promised.")
    arrived_at = serializers.DateTimeField(help_text="When the last of it came here.")
    is_wanted = serializers.BooleanField(help_text="An order waits for the product here.")


class SuggestedPlaceShown(Shown[SuggestedPlace]):
    location_id = serializers.IntegerField(source="location.pk")
    location_code = serializers.CharField(source="location.code")
    quantity = QuantityField()
    why = serializers.ChoiceField(choices=[(str(why), str(why)) for why in Why])


@dataclass(frozen=True)
class Waiting:
    """A piece of the work list with where it belongs."""

    balance: StockBalance
    places: list[SuggestedPlace]


class WaitingDetailShown(Shown[Waiting]):
    id = serializers.IntegerField(source="balance.pk")
    product_id = serializers.IntegerField(source="balance.product_id")
    sku = serializers.CharField(source="balance.product.sku")
    lot_id = serializers.IntegerField(source="balance.lot_id", allow_null=True)
    location_id = serializers.IntegerField(source="balance.location_id")
    quantity = QuantityField(source="balance.free")
    is_wanted = serializers.BooleanField(source="balance.is_wanted")
    suggestions = SuggestedPlaceShown(many=True, source="places")


class NewPutAway(Strict):
    to_location_id = IdField()
    quantity = QuantityField(help_text="In base units, or in the packaging named.")
    packaging_id = IdField(required=False, allow_null=True)
    override_reason = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Why it goes there although the place does not take it.",
    )


class RuleShown(Shown[PutAwayRule]):
    id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    product_id = serializers.IntegerField(allow_null=True)
    category_id = serializers.IntegerField(allow_null=True)
    location_id = serializers.IntegerField(allow_null=True)
    zone_id = serializers.IntegerField(allow_null=True)
    priority = serializers.IntegerField()


class RuleSaid(Strict):
    product_id = IdField(required=False, allow_null=True)
    category_id = IdField(required=False, allow_null=True)
    location_id = IdField(required=False, allow_null=True)
    zone_id = IdField(required=False, allow_null=True)
    priority = serializers.IntegerField(required=False, min_value=0, max_value=32767)


class NewRule(RuleSaid):
    warehouse_id = IdField()


class PutAwayList(TenantView):
    @listing(
        Endpoint("list_put_away_work", Permission.READ, "What waits to be put away"),
        Listing(
            WaitingShown,
            orders={"urgency": WORK_ORDER, "id": ("id",)},
            filters={
                "warehouse_id": id_filter("location__warehouse_id"),
                "zone_id": id_filter("location__zone_id"),
                "location_id": id_filter("location_id"),
                "product_id": id_filter("product_id"),
                "is_wanted": flag_filter("is_wanted"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return put_away_work()


class PutAwayDetail(TenantView):
    @reading(
        Endpoint("get_put_away_work", Permission.READ, "Where waiting goods belong"),
        WaitingDetailShown,
    )
    def get(self, request: Request, stock_balance_id: int) -> Any:
        balance = get_put_away_work(stock_balance_id)
        return Waiting(balance, suggestions([balance])[balance.pk])

    @writing(
        Endpoint("put_away", Permission.FLOOR_WORK, "Put waiting goods away"),
        Writing(MovementShown, NewPutAway, status=201, key_required=True),
    )
    def post(self, request: Request, stock_balance_id: int, *, data: dict[str, Any]) -> Any:
        return get_movement(put_away(stock_balance_id=stock_balance_id, **data).pk)


class PutAwayRuleList(TenantView):
    @listing(
        Endpoint("list_put_away_rules", Permission.READ, "Rules of put-away"),
        Listing(
            RuleShown,
            orders={"id": ("id",), "-id": ("-id",)},
            filters={
                "warehouse_id": id_filter("warehouse_id"),
                "product_id": id_filter("product_id"),
                "category_id": id_filter("category_id"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return put_away_rules()

    @writing(
        Endpoint("create_put_away_rule", Permission.EDIT_CATALOG, "Add a rule of put-away"),
        Writing(RuleShown, NewRule, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        warehouse_id = data.pop("warehouse_id")
        return create_put_away_rule(warehouse_id=warehouse_id, fields=RuleFields(**data))


class PutAwayRuleDetail(TenantView):
    @reading(Endpoint("get_put_away_rule", Permission.READ, "A rule of put-away"), RuleShown)
    def get(self, request: Request, put_away_rule_id: int) -> Any:
        return get_put_away_rule(put_away_rule_id)

    @writing(
        Endpoint("change_put_away_rule", Permission.EDIT_CATALOG, "Replace what a rule says"),
        Writing(RuleShown, RuleSaid),
    )
    def put(self, request: Request, put_away_rule_id: int, *, data: dict[str, Any]) -> Any:
        fields = RuleFields(**data)
        return change_put_away_rule(put_away_rule_id=put_away_rule_id, fields=fields)

    @writing(
        Endpoint("delete_put_away_rule", Permission.EDIT_CATALOG, "Take a rule away"),
        Writing(RuleShown),
    )
    def delete(self, request: Request, put_away_rule_id: int, *, data: dict[str, Any]) -> Any:
        return delete_put_away_rule(put_away_rule_id=put_away_rule_id)
