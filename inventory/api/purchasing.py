"""Purchase orders: listed, drafted, placed, cancelled, closed."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState, TransportMode
from inventory.queries.purchasing import get_purchase_order, purchase_orders
from inventory.services.purchase_amendments import Amendment, amend_order_line
from inventory.services.purchase_transport import set_transport
from inventory.services.purchasing import (
    OrderLine,
    cancel_order,
    close_order,
    create_draft_order,
    place_order,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, MoneyField, QuantityField, Shown, Strict, many
from tenancy.api.parameters import choice_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class OrderShown(Shown[PurchaseOrder]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    supplier_id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=PurchaseOrderState.choices)
    note = serializers.CharField()
    expected_on = serializers.DateField(allow_null=True)
    transport_mode = serializers.CharField(help_text="How it comes; empty where nobody said.")
    transport_cost = MoneyField(allow_null=True, help_text="Of all its deliveries.")
    created_at = serializers.DateTimeField()
    placed_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class OrderLineShown(Shown[PurchaseOrderLine]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    quantity = QuantityField()
    unit_price = MoneyField()
    quantity_received = QuantityField()
    over_receipt_tolerance = QuantityField()
    promised_on = serializers.DateField(allow_null=True)


class OrderDetailShown(OrderShown):
    lines = OrderLineShown(many=True)


class NewOrderLine(Strict):
    product_id = IdField()
    quantity = QuantityField()
    unit_price = MoneyField(
        required=False, allow_null=True, min_value=0, help_text="Left out: the supplier's price."
    )
    promised_on = serializers.DateField(required=False, allow_null=True)
    over_receipt_tolerance = QuantityField(required=False, min_value=0)


class NewOrder(Strict):
    supplier_id = IdField()
    warehouse_id = IdField()
    lines = many(NewOrderLine, least=0, required=False)
    expected_on = serializers.DateField(required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)
    transport_mode = serializers.ChoiceField(
        choices=TransportMode.choices,
        required=False,
        allow_blank=True,
        help_text="Left out: that of the offers, once placed.",
    )


class OrderTransport(Strict):
    transport_mode = serializers.ChoiceField(choices=TransportMode.choices, allow_blank=True)
    transport_cost = MoneyField(
        allow_null=True, min_value=0, help_text="Of all deliveries; null while unknown."
    )


class Placing(Strict):
    accept_below_minimum = serializers.BooleanField(required=False)


class Cancellation(Strict):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class NewAmendment(Strict):
    quantity = QuantityField(required=False, allow_null=True)
    unit_price = MoneyField(required=False, allow_null=True, min_value=0)
    promised_on = serializers.DateField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=200, help_text="What was agreed with the supplier.")


class OrderList(TenantView):
    @listing(
        Endpoint("list_purchase_orders", Permission.READ, "Purchase orders"),
        Listing(
            OrderShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "state": choice_filter("state", PurchaseOrderState.choices),
                "supplier_id": id_filter("supplier_id"),
                "warehouse_id": id_filter("warehouse_id"),
                "number": text_filter("number"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return purchase_orders()

    @writing(
        Endpoint("create_purchase_order", Permission.BUY, "Draft a purchase order"),
        Writing(OrderDetailShown, NewOrder, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        data["lines"] = [OrderLine(**_line(line)) for line in data.get("lines", [])]
        return get_purchase_order(create_draft_order(**data).pk)


class OrderDetail(TenantView):
    @reading(Endpoint("get_purchase_order", Permission.READ, "A purchase order"), OrderDetailShown)
    def get(self, request: Request, order_id: int) -> Any:
        return get_purchase_order(order_id)


class OrderPlacing(TenantView):
    @writing(
        Endpoint("place_purchase_order", Permission.BUY, "Place a draft with its supplier"),
        Writing(OrderDetailShown, Placing, key_required=True, versioned=True),
    )
    def post(self, request: Request, order_id: int, *, data: dict[str, Any], version: int) -> Any:
        return get_purchase_order(place_order(order_id=order_id, version=version, **data).pk)


class OrderCancellation(TenantView):
    @writing(
        Endpoint("cancel_purchase_order", Permission.BUY, "Cancel an order of which nothing came"),
        Writing(OrderDetailShown, Cancellation, key_required=True, versioned=True),
    )
    def post(self, request: Request, order_id: int, *, data: dict[str, Any], version: int) -> Any:
        return get_purchase_order(cancel_order(order_id=order_id, version=version, **data).pk)


class OrderClosing(TenantView):
    @writing(
        Endpoint("close_purchase_order", Permission.BUY, "Close an order: no more will come"),
        Writing(OrderDetailShown, key_required=True, versioned=True),
    )
    def post(self, request: Request, order_id: int, *, data: dict[str, Any], version: int) -> Any:
        return get_purchase_order(close_order(order_id=order_id, version=version).pk)


class OrderTransportSet(TenantView):
    @writing(
        Endpoint("set_purchase_order_transport", Permission.BUY, "Say how an order comes"),
        Writing(OrderDetailShown, OrderTransport, key_required=True, versioned=True),
    )
    def post(self, request: Request, order_id: int, *, data: dict[str, Any], version: int) -> Any:
        return get_purchase_order(set_transport(order_id=order_id, version=version, **data).pk)


class OrderLineAmendment(TenantView):
    @writing(
        Endpoint("amend_purchase_order_line", Permission.BUY, "Amend a line of a placed order"),
        Writing(OrderDetailShown, NewAmendment, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, order_id: int, line_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        reason = data.pop("reason")
        amend_order_line(
            order_id=order_id,
            line_id=line_id,
            amendment=Amendment(**data),
            reason=reason,
            version=version,
        )
        return get_purchase_order(order_id)


def _line(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value is not None}
