"""Suppliers and what they offer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import PriceBreak, Supplier, SupplierItem, TransportMode
from inventory.queries.suppliers import (
    get_supplier,
    get_supplier_item,
    supplier_items,
    suppliers,
)
from inventory.services.suppliers import (
    LONGEST_LEAD_TIME_DAYS,
    Offer,
    SupplierFields,
    create_supplier,
    set_offer,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, MoneyField, QuantityField, Shown, Strict, many
from tenancy.api.parameters import flag_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class SupplierShown(Shown[Supplier]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    country = serializers.CharField()
    currency = serializers.CharField()
    lead_time_days = serializers.IntegerField(allow_null=True)
    minimum_order_value = MoneyField()
    transport_cost = MoneyField()
    is_active = serializers.BooleanField()


class NewSupplier(Strict):
    code = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=160)
    email = serializers.EmailField(required=False, allow_blank=True)
    country = serializers.RegexField(r"^[A-Z]{2}\Z", required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", required=False)
    lead_time_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=LONGEST_LEAD_TIME_DAYS
    )
    minimum_order_value = MoneyField(required=False, min_value=0)
    transport_cost = MoneyField(required=False, min_value=0)


class PriceBreakShown(Shown[PriceBreak]):
    from_quantity = QuantityField()
    price = MoneyField()


class SupplierItemShown(Shown[SupplierItem]):
    id = serializers.IntegerField()
    supplier_id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    supplier_sku = serializers.CharField()
    price = MoneyField()
    price_breaks = PriceBreakShown(many=True)
    minimum_order_quantity = QuantityField()
    order_multiple = QuantityField()
    lead_time_days = serializers.IntegerField(allow_null=True)
    transport_cost_per_unit = MoneyField()
    transport_mode = serializers.CharField(help_text="How it comes; empty where nobody said.")
    is_preferred = serializers.BooleanField()
    is_active = serializers.BooleanField()


class NewPriceBreak(Strict):
    from_quantity = QuantityField(min_value=0)
    price = MoneyField(min_value=0)


class NewOffer(Strict):
    supplier_id = IdField()
    product_id = IdField()
    price = MoneyField(min_value=0)
    supplier_sku = serializers.CharField(required=False, allow_blank=True, max_length=64)
    minimum_order_quantity = QuantityField(required=False, min_value=0)
    order_multiple = QuantityField(required=False, min_value=0)
    lead_time_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=LONGEST_LEAD_TIME_DAYS
    )
    transport_cost_per_unit = MoneyField(required=False, min_value=0)
    transport_mode = serializers.ChoiceField(
        choices=TransportMode.choices, required=False, allow_blank=True
    )
    is_preferred = serializers.BooleanField(required=False)
    price_breaks = many(NewPriceBreak, least=0, required=False)


class SupplierList(TenantView):
    @listing(
        Endpoint("list_suppliers", Permission.READ, "Suppliers"),
        Listing(
            SupplierShown,
            orders={"code": ("code", "id"), "id": ("id",)},
            filters={"code": text_filter("code"), "is_active": flag_filter("is_active")},
        ),
    )
    def get(self, request: Request) -> Any:
        return suppliers()

    @writing(
        Endpoint("create_supplier", Permission.BUY, "Create a supplier"),
        Writing(SupplierShown, NewSupplier, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_supplier(fields=SupplierFields(**data))


class SupplierDetail(TenantView):
    @reading(Endpoint("get_supplier", Permission.READ, "A supplier"), SupplierShown)
    def get(self, request: Request, supplier_id: int) -> Any:
        return get_supplier(supplier_id)


class SupplierItemList(TenantView):
    @listing(
        Endpoint("list_supplier_items", Permission.READ, "What suppliers offer"),
        Listing(
            SupplierItemShown,
            orders={"id": ("id",), "-id": ("-id",)},
            filters={
                "supplier_id": id_filter("supplier_id"),
                "product_id": id_filter("product_id"),
                "is_preferred": flag_filter("is_preferred"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return supplier_items()

    @writing(
        Endpoint("set_supplier_item", Permission.BUY, "Set what a supplier offers for a product"),
        Writing(SupplierItemShown, NewOffer),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        breaks = data.pop("price_breaks", None)
        prices = None if breaks is None else {row["from_quantity"]: row["price"] for row in breaks}
        ids = {name: data.pop(name) for name in ("supplier_id", "product_id")}
        item = set_offer(**ids, offer=Offer(**data), price_breaks=prices)
        return get_supplier_item(item.pk)
