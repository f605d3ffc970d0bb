"""Packages: opened, filled, emptied, closed, opened again and discarded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Package, PackageLine, PackageState
from inventory.queries.packing import get_package, packages
from inventory.services.packing import (
    PackageMeasures,
    PackItem,
    close_package,
    discard_package,
    open_package,
    pack,
    pack_rest,
    reopen_package,
    unpack,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, QuantityField, Shown, Strict, many
from tenancy.api.parameters import choice_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

SMALLEST = Decimal("0.000001")


class PackageShown(Shown[Package]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    sales_order_id = serializers.IntegerField()
    shipment_id = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=PackageState.choices)
    weight_kg = QuantityField(allow_null=True)
    length_cm = QuantityField(allow_null=True)
    width_cm = QuantityField(allow_null=True)
    height_cm = QuantityField(allow_null=True)
    packed_by = serializers.CharField(source="packed_by_label")
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class PackageLineShown(Shown[PackageLine]):
    id = serializers.IntegerField()
    allocation_id = serializers.IntegerField()
    order_line_id = serializers.IntegerField(source="allocation.order_line_id")
    product_id = serializers.IntegerField(source="allocation.product_id")
    sku = serializers.CharField(source="allocation.product.sku")
    lot_id = serializers.IntegerField(source="allocation.lot_id", allow_null=True)
    lot_code = serializers.CharField(source="allocation.lot.code", allow_null=True, default=None)
    quantity = QuantityField()


class PackageDetailShown(PackageShown):
    lines = PackageLineShown(many=True)


class NewPackage(Strict):
    sales_order_id = IdField()


class ItemSaid(Strict):
    product_id = IdField()
    quantity = QuantityField()
    lot_id = IdField(required=False, allow_null=True)


class Items(Strict):
    items = many(ItemSaid)


class Measures(Strict):
    weight_kg = QuantityField(required=False, allow_null=True, min_value=SMALLEST)
    length_cm = QuantityField(required=False, allow_null=True, min_value=SMALLEST)
    width_cm = QuantityField(required=False, allow_null=True, min_value=SMALLEST)
    height_cm = QuantityField(required=False, allow_null=True, min_value=SMALLEST)


class DiscardedShown(Shown[dict[str, Any]]):
    sales_order_id = serializers.IntegerField()


class PackageList(TenantView):
    @listing(
        Endpoint("list_packages", Permission.READ, "Packages"),
        Listing(
            PackageShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "sales_order_id": id_filter("sales_order_id"),
                "shipment_id": id_filter("shipment_id"),
                "state": choice_filter("state", PackageState.choices),
                "number": text_filter("number"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return packages()

    @writing(
        Endpoint("open_package", Permission.FLOOR_WORK, "Open a package for an order"),
        Writing(PackageDetailShown, NewPackage, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return get_package(open_package(**data).pk)


class PackageOne(TenantView):
    @reading(
        Endpoint("get_package", Permission.READ, "A package and what is in it"), PackageDetailShown
    )
    def get(self, request: Request, package_id: int) -> Any:
        return get_package(package_id)


class PackagePacking(TenantView):
    @writing(
        Endpoint("pack_items", Permission.FLOOR_WORK, "Put picked goods into an open package"),
        Writing(PackageDetailShown, Items, key_required=True),
    )
    def post(self, request: Request, package_id: int, *, data: dict[str, Any]) -> Any:
        return get_package(pack(package_id=package_id, items=_items(data)).pk)


class PackageRest(TenantView):
    @writing(
        Endpoint("pack_rest", Permission.FLOOR_WORK, "Put all that is left of the order in"),
        Writing(PackageDetailShown, key_required=True),
    )
    def post(self, request: Request, package_id: int, *, data: dict[str, Any]) -> Any:
        return get_package(pack_rest(package_id=package_id).pk)


class PackageUnpacking(TenantView):
    @writing(
        Endpoint("unpack_items", Permission.FLOOR_WORK, "Take goods out of an open package"),
        Writing(PackageDetailShown, Items, key_required=True),
    )
    def post(self, request: Request, package_id: int, *, data: dict[str, Any]) -> Any:
        return get_package(unpack(package_id=package_id, items=_items(data)).pk)


class PackageClosing(TenantView):
    @writing(
        Endpoint("close_package", Permission.FLOOR_WORK, "Close a package, weighed and measured"),
        Writing(PackageDetailShown, Measures, key_required=True),
    )
    def post(self, request: Request, package_id: int, *, data: dict[str, Any]) -> Any:
        closed = close_package(package_id=package_id, measures=PackageMeasures(**data))
        return get_package(closed.pk)


class PackageReopening(TenantView):
    @writing(
        Endpoint("reopen_package", Permission.FLOOR_WORK, "Open a closed package again"),
        Writing(PackageDetailShown, key_required=True),
    )
    def post(self, request: Request, package_id: int, *, data: dict[str, Any]) -> Any:
        return get_package(reopen_package(package_id=package_id).pk)


class PackageDiscarding(TenantView):
    @writing(
        Endpoint("discard_package", Permission.FLOOR_WORK, "Do away with an open package"),
        Writing(DiscardedShown, key_required=True),
    )
    def post(self, request: Request, package_id: int, *, data: dict[str, Any]) -> Any:
        return {"sales_order_id": discard_package(package_id=package_id).pk}


def _items(data: dict[str, Any]) -> list[PackItem]:
    return [PackItem(**item) for item in data["items"]]
