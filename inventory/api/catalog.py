"""Products and categories."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Barcode, Category, LotTracking, Packaging, Product
from inventory.queries.catalog import (
    categories,
    get_product,
    product_barcodes,
    product_packagings,
    search_products,
)
from inventory.services.catalog import (
    ProductFields,
    add_barcode,
    add_packaging,
    create_category,
    create_product,
    update_product,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, MoneyField, ObjectField, QuantityField, Shown, Strict
from tenancy.api.parameters import choice_filter, flag_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class ProductShown(Shown[Product]):
    id = serializers.IntegerField()
    sku = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    category_id = serializers.IntegerField(allow_null=True)
    base_unit = serializers.CharField()
    whole_units = serializers.BooleanField()
    lot_tracking = serializers.ChoiceField(choices=LotTracking.choices)
    shelf_life_days = serializers.IntegerField(allow_null=True)
    unit_cost = MoneyField(allow_null=True)
    unit_price = MoneyField(allow_null=True)
    weight_kg = QuantityField(allow_null=True)
    volume_l = QuantityField(allow_null=True)
    attributes = ObjectField()
    introduced_on = serializers.DateField(allow_null=True)
    discontinued_on = serializers.DateField(allow_null=True)
    is_active = serializers.BooleanField()
    version = serializers.IntegerField()


class NewProduct(Strict):
    sku = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    category_id = IdField(required=False, allow_null=True)
    base_unit = serializers.CharField(required=False, max_length=16)
    whole_units = serializers.BooleanField(required=False)
    lot_tracking = serializers.ChoiceField(required=False, choices=LotTracking.choices)
    shelf_life_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=36_500
    )
    unit_cost = MoneyField(required=False, allow_null=True, min_value=0)
    unit_price = MoneyField(required=False, allow_null=True, min_value=0)
    weight_kg = QuantityField(required=False, allow_null=True, min_value=0)
    volume_l = QuantityField(required=False, allow_null=True, min_value=0)
    attributes = ObjectField(required=False)
    introduced_on = serializers.DateField(required=False, allow_null=True)
    discontinued_on = serializers.DateField(required=False, allow_null=True)
    is_active = serializers.BooleanField(required=False)


class CategoryShown(Shown[Category]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    parent_id = serializers.IntegerField(allow_null=True)


class NewCategory(Strict):
    name = serializers.CharField(max_length=120)
    parent_id = IdField(required=False, allow_null=True)


def _search(products: QuerySet[Product], text: str) -> QuerySet[Product]:
    return products & search_products(text=text)


class ProductList(TenantView):
    @listing(
        Endpoint("list_products", Permission.READ, "Products"),
        Listing(
            ProductShown,
            orders={"sku": ("sku", "id"), "-id": ("-id",), "id": ("id",)},
            filters={
                "search": text_filter(_search, help="Start of the SKU, part of the name, barcode."),
                "sku": text_filter("sku"),
                "category_id": id_filter("category_id"),
                "lot_tracking": choice_filter("lot_tracking", LotTracking.choices),
                "is_active": flag_filter("is_active"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return search_products()

    @writing(
        Endpoint("create_product", Permission.EDIT_CATALOG, "Create a product"),
        Writing(ProductShown, NewProduct, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_product(fields=ProductFields(**data))


class ProductDetail(TenantView):
    @reading(Endpoint("get_product", Permission.READ, "A product"), ProductShown)
    def get(self, request: Request, product_id: int) -> Any:
        return get_product(product_id)

    @writing(
        Endpoint("change_product", Permission.EDIT_CATALOG, "Change a product"),
        Writing(ProductShown, NewProduct, versioned=True, partial=True),
    )
    def patch(
        self, request: Request, product_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        return update_product(product_id=product_id, changes=data, version=version)


class CategoryList(TenantView):
    @listing(
        Endpoint("list_categories", Permission.READ, "Categories"),
        Listing(
            CategoryShown,
            orders={"name": ("name", "id"), "id": ("id",)},
            filters={"parent_id": id_filter("parent_id")},
        ),
    )
    def get(self, request: Request) -> Any:
        return categories()

    @writing(
        Endpoint("create_category", Permission.EDIT_CATALOG, "Create a category"),
        Writing(CategoryShown, NewCategory, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_category(**data)


class PackagingShown(Shown[Packaging]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    units = QuantityField()


class NewPackaging(Strict):
    name = serializers.CharField(max_length=40)
    units = QuantityField(min_value=0)


class BarcodeShown(Shown[Barcode]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    packaging_id = serializers.IntegerField(allow_null=True)


class NewBarcode(Strict):
    code = serializers.CharField(max_length=80)
    packaging_id = IdField(required=False, allow_null=True)


class ProductPackagings(TenantView):
    @listing(
        Endpoint("list_packagings", Permission.READ, "Packagings of a product"),
        Listing(PackagingShown, orders={"id": ("id",)}, filters={}),
    )
    def get(self, request: Request, product_id: int) -> Any:
        return product_packagings(get_product(product_id).pk)

    @writing(
        Endpoint("add_packaging", Permission.EDIT_CATALOG, "Add a packaging"),
        Writing(PackagingShown, NewPackaging, status=201),
    )
    def post(self, request: Request, product_id: int, *, data: dict[str, Any]) -> Any:
        return add_packaging(product_id=product_id, **data)


class ProductBarcodes(TenantView):
    @listing(
        Endpoint("list_barcodes", Permission.READ, "Barcodes of a product"),
        Listing(BarcodeShown, orders={"id": ("id",)}, filters={}),
    )
    def get(self, request: Request, product_id: int) -> Any:
        return product_barcodes(get_product(product_id).pk)

    @writing(
        Endpoint("add_barcode", Permission.EDIT_CATALOG, "Put a barcode on a product"),
        Writing(BarcodeShown, NewBarcode, status=201),
    )
    def post(self, request: Request, product_id: int, *, data: dict[str, Any]) -> Any:
        return add_barcode(product_id=product_id, **data)
