"""Shipments: orders are sent, and what has left is listed."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Package, Shipment, ShipmentLine
from inventory.queries.packing import get_order
from inventory.queries.shipping import get_shipment, shipments
from inventory.services.shipping import ShipmentFields, ship_order
from inventory.services.staging import stage_order
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, MoneyField, QuantityField, Shown, Strict
from tenancy.api.parameters import id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

MOST_PACKAGES = 500


class ShipmentShown(Shown[Shipment]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    sales_order_id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    carrier = serializers.CharField()
    tracking_number = serializers.CharField()
    transport_cost = MoneyField(allow_null=True)
    shipped_by = serializers.CharField(source="shipped_by_label")
    shipped_at = serializers.DateTimeField()


class ShipmentLineShown(Shown[ShipmentLine]):
    id = serializers.IntegerField()
    order_line_id = serializers.IntegerField()
    package_id = serializers.IntegerField(allow_null=True)
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    lot_id = serializers.IntegerField(allow_null=True)
    lot_code = serializers.CharField(source="lot.code", allow_null=True, default=None)
    quantity = QuantityField()
    quantity_returned = QuantityField()


class ShippedPackageShown(Shown[Package]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    weight_kg = QuantityField(allow_null=True)


class ShipmentDetailShown(ShipmentShown):
    packages = ShippedPackageShown(many=True)
    lines = ShipmentLineShown(many=True)


class NewShipment(Strict):
    carrier = serializers.CharField(required=False, allow_blank=True, max_length=80)
    tracking_number = serializers.CharField(required=False, allow_blank=True, max_length=80)
    transport_cost = MoneyField(required=False, allow_null=True, min_value=0)
    package_ids = serializers.ListField(
        child=IdField(),
        required=False,
        allow_null=True,
        max_length=MOST_PACKAGES,
        help_text="Closed packages that leave. Left out: all of them.",
    )
    pack_all = serializers.BooleanField(
        required=False, help_text="Put picked goods outside closed packages into one, and send it."
    )


class Staging(Strict):
    to_location_id = IdField(
        required=False, allow_null=True, help_text="Left out: the warehouse's shipping place."
    )


class StagedShown(Shown[Any]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    state = serializers.CharField()


class ShipmentList(TenantView):
    @listing(
        Endpoint("list_shipments", Permission.READ, "Shipments"),
        Listing(
            ShipmentShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "sales_order_id": id_filter("sales_order_id"),
                "warehouse_id": id_filter("warehouse_id"),
                "number": text_filter("number"),
                "tracking_number": text_filter("tracking_number"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return shipments()


class ShipmentOne(TenantView):
    @reading(
        Endpoint("get_shipment", Permission.READ, "A shipment, its packages and goods"),
        ShipmentDetailShown,
    )
    def get(self, request: Request, shipment_id: int) -> Any:
        return get_shipment(shipment_id)


class OrderShipping(TenantView):
    @writing(
        Endpoint("ship_order", Permission.FLOOR_WORK, "Send an order's packages to the customer"),
        Writing(ShipmentDetailShown, NewShipment, status=201, key_required=True),
    )
    def post(self, request: Request, sales_order_id: int, *, data: dict[str, Any]) -> Any:
        how = ("carrier", "tracking_number", "transport_cost")
        sent = ship_order(
            sales_order_id=sales_order_id,
            shipment=ShipmentFields(**{name: data[name] for name in how if name in data}),
            package_ids=data.get("package_ids"),
            pack_all=data.get("pack_all", False),
        )
        return get_shipment(sent.pk)


class OrderStaging(TenantView):
    @writing(
        Endpoint("stage_order", Permission.FLOOR_WORK, "Bring packed goods to the shipping place"),
        Writing(StagedShown, Staging, key_required=True),
    )
    def post(self, request: Request, sales_order_id: int, *, data: dict[str, Any]) -> Any:
        return get_order(stage_order(sales_order_id=sales_order_id, **data).pk)
