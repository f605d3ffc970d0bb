"""What stock is worth now, what lay where and was worth what at a past moment; corrections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import StockValue, ValuationMethod, ValueEntry
from inventory.queries.as_of import StockThen, ValueThen, stock_as_of, value_as_of
from inventory.queries.valuation import stock_values
from inventory.services.valuation import Revaluation, revalue_stock
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, MoneyField, QuantityField, Shown, Strict
from tenancy.api.parameters import choice_filter, id_filter, ids_filter, instant_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

TOTAL = {"max_digits": 38}
"""Sums and products may be larger than what is entered."""


class ValueShown(Shown[StockValue]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    warehouse_id = serializers.IntegerField()
    method = serializers.ChoiceField(choices=ValuationMethod.choices)
    quantity = QuantityField(**TOTAL)
    value = MoneyField(**TOTAL)
    unit_value = MoneyField(**TOTAL)


class StockThenShown(Shown[StockThen]):
    product_id = serializers.IntegerField()
    location_id = serializers.IntegerField()
    lot_id = serializers.IntegerField(allow_null=True)
    quantity = QuantityField(**TOTAL)


class ValueThenShown(Shown[ValueThen]):
    product_id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    quantity = QuantityField(**TOTAL)
    value = MoneyField(**TOTAL)


@dataclass(frozen=True)
class Then:
    stock: list[StockThen]
    values: list[ValueThen]


class ThenShown(Shown[Then]):
    stock = StockThenShown(many=True)
    values = ValueThenShown(many=True)


class NewRevaluation(Strict):
    product_id = IdField()
    warehouse_id = IdField()
    value = MoneyField(min_value=0, help_text="Of all the stock there.")
    note = serializers.CharField(max_length=200)


class EntryShown(Shown[ValueEntry]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    value_change = MoneyField(**TOTAL)
    note = serializers.CharField()
    business_day = serializers.DateField()


class ValueList(TenantView):
    @listing(
        Endpoint("list_stock_values", Permission.READ, "Value by product and warehouse"),
        Listing(
            ValueShown,
            orders={"id": ("id",), "-id": ("-id",)},
            filters={
                "product_id": id_filter("product_id"),
                "sku": text_filter("product__sku"),
                "warehouse_id": id_filter("warehouse_id"),
                "method": choice_filter("method", ValuationMethod.choices),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return stock_values()


class StockAsOf(TenantView):
    @reading(
        Endpoint("get_stock_as_of", Permission.READ, "Stock and value of a past moment"),
        ThenShown,
        at=instant_filter(required=True, help="By when it happened, not when it was recorded."),
        product_id=ids_filter(required=True),
        warehouse_id=id_filter(),
    )
    def get(self, request: Request, *, asked: dict[str, Any]) -> Any:
        chosen = {"product_ids": asked["product_id"], "warehouse_id": asked.get("warehouse_id")}
        return Then(stock_as_of(asked["at"], **chosen), value_as_of(asked["at"], **chosen))


class RevaluationList(TenantView):
    @writing(
        Endpoint("revalue_stock", Permission.APPROVE, "Correct what stock is worth"),
        Writing(EntryShown, NewRevaluation, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return revalue_stock(revaluation=Revaluation(**data))
