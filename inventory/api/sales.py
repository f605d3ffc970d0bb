"""Sales orders, one by one and by the hundred, and sales over the counter."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import SalesOrder, SalesOrderLine, SalesOrderState
from inventory.queries.sales import get_sales_order, sales_orders, sales_orders_with_lines
from inventory.services.sales import (
    DeliveryFields,
    cancel_sales_order,
    change_delivery,
    change_priority,
    close_sales_order,
    confirm_sales_order,
    confirm_sales_orders,
)
from inventory.services.sales_bulk import take_sales_orders
from inventory.services.sales_entry import (
    LONGEST_ADDRESS,
    EntryOutcome,
    NewSalesOrder as EnteredOrder,
    SalesOrderFields,
    create_sales_order,
)
from inventory.services.sales_lines import SalesLine
from inventory.services.stock import Sale, SaleLine, ship_sale
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, InstantField, MoneyField, QuantityField, Shown, Strict, many
from tenancy.api.parameters import choice_filter, date_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class SalesOrderShown(Shown[SalesOrder]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(choices=SalesOrderState.choices)
    warehouse_id = serializers.IntegerField()
    channel_id = serializers.IntegerField()
    customer_id = serializers.IntegerField(allow_null=True)
    segment_id = serializers.IntegerField(allow_null=True)
    priority = serializers.IntegerField()
    promised_on = serializers.DateField(allow_null=True)
    ship_to_name = serializers.CharField()
    ship_to_address = serializers.CharField()
    note = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    demand_day = serializers.DateField(allow_null=True)
    shipped_at = serializers.DateTimeField(allow_null=True)


class SalesOrderLineShown(Shown[SalesOrderLine]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    quantity = QuantityField()
    unit_price = MoneyField()
    quantity_allocated = QuantityField(help_text="Promised where it lies.")
    quantity_picked = QuantityField(help_text="Waits at packing or shipping.")
    quantity_shipped = QuantityField()
    quantity_open = QuantityField(help_text="Nothing is promised: backordered once confirmed.")


class SalesOrderDetailShown(SalesOrderShown):
    lines = SalesOrderLineShown(many=True)


class NewSalesOrderLine(Strict):
    product_id = IdField()
    quantity = QuantityField()
    unit_price = MoneyField(required=False, allow_null=True, min_value=0)


class Delivery(Strict):
    reference = serializers.CharField(required=False, allow_blank=True, max_length=64)
    priority = serializers.IntegerField(required=False, min_value=1, max_value=9)
    promised_on = serializers.DateField(required=False, allow_null=True)
    ship_to_name = serializers.CharField(required=False, allow_blank=True, max_length=160)
    ship_to_address = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_ADDRESS
    )
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)


class SalesOrderEntry(Delivery):
    warehouse_id = IdField()
    channel_id = IdField()
    customer_id = IdField(required=False, allow_null=True)
    segment_id = IdField(
        required=False, allow_null=True, help_text="Left out: that of the customer."
    )
    lines = many(NewSalesOrderLine, least=0, required=False)


class NewSalesOrder(SalesOrderEntry):
    confirm = serializers.BooleanField(
        required=False, help_text="Confirm it at once: record the demand, promise stock."
    )


class NewSalesOrders(Strict):
    orders = many(SalesOrderEntry)
    confirm = serializers.BooleanField(required=False)
    all_or_nothing = serializers.BooleanField(
        required=False, help_text="One order that cannot be taken refuses all of them."
    )


class RefusalShown(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField(source="message")
    numbers = serializers.JSONField(source="data", help_text="The same as data: ids, numbers.")


class EntryOutcomeShown(Shown[EntryOutcome]):
    order = SalesOrderShown(allow_null=True)
    refusal = RefusalShown(allow_null=True, help_text="Why the order was not taken.")


class EntryOutcomesShown(Shown[Any]):
    items = EntryOutcomeShown(many=True)


class SalesOrderCancel(Strict):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)
    take_back_demand = serializers.BooleanField(
        required=False, help_text="It was never asked for: forget its demand."
    )


class SalesOrderClose(Strict):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class SaleShown(Shown[Sale]):
    shipped = serializers.ListField(child=QuantityField(), help_text="By line of the sale.")
    movement_ids = serializers.ListField(child=serializers.IntegerField())


class NewSaleLine(Strict):
    product_id = IdField()
    quantity = QuantityField()
    unit_price = MoneyField(required=False, allow_null=True, min_value=0)
    channel_id = IdField(required=False, allow_null=True)
    segment_id = IdField(required=False, allow_null=True)


class NewSale(Strict):
    warehouse_id = IdField()
    lines = many(NewSaleLine)
    sold_at = InstantField(required=False)
    allow_short = serializers.BooleanField(
        required=False, help_text="Ship what is there; record the demand in full."
    )


class SalesOrderList(TenantView):
    @listing(
        Endpoint("list_sales_orders", Permission.READ, "Sales orders"),
        Listing(
            SalesOrderShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "state": choice_filter("state", SalesOrderState.choices),
                "number": text_filter("number"),
                "reference": text_filter("reference"),
                "warehouse_id": id_filter("warehouse_id"),
                "channel_id": id_filter("channel_id"),
                "customer_id": id_filter("customer_id"),
                "promised_before": date_filter("promised_on__lt"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return sales_orders()

    @writing(
        Endpoint("create_sales_order", Permission.SELL, "Take a sales order"),
        Writing(SalesOrderDetailShown, NewSalesOrder, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        confirm = data.pop("confirm", False)
        entered = _entered(data)
        order = create_sales_order(fields=entered.fields, lines=entered.lines)
        if confirm:
            confirm_sales_orders(sales_order_ids=[order.pk])
        return get_sales_order(order.pk)


class SalesOrderBulk(TenantView):
    @writing(
        Endpoint("create_sales_orders", Permission.SELL, "Take up to 500 sales orders at once"),
        Writing(EntryOutcomesShown, NewSalesOrders, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        outcomes = take_sales_orders(
            orders=[_entered(order) for order in data["orders"]],
            confirm=data.get("confirm", False),
            all_or_nothing=data.get("all_or_nothing", False),
        )
        now = sales_orders_with_lines([o.order.pk for o in outcomes if o.order is not None])
        return {
            "items": [
                EntryOutcome(order=now[one.order.pk]) if one.order is not None else one
                for one in outcomes
            ]
        }


class SalesOrderDetail(TenantView):
    @reading(Endpoint("get_sales_order", Permission.READ, "A sales order"), SalesOrderDetailShown)
    def get(self, request: Request, sales_order_id: int) -> Any:
        return get_sales_order(sales_order_id)

    @writing(
        Endpoint("change_sales_order", Permission.SELL, "Change where and when it is delivered"),
        Writing(SalesOrderDetailShown, Delivery, versioned=True, partial=True),
    )
    def patch(
        self, request: Request, sales_order_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        known = get_sales_order(sales_order_id)
        priority = data.pop("priority", known.priority)
        before = {name: getattr(known, name) for name in DeliveryFields.__dataclass_fields__}
        changed = change_delivery(
            sales_order_id=sales_order_id, fields=DeliveryFields(**(before | data)), version=version
        )
        change_priority(sales_order_id=sales_order_id, priority=priority, version=changed.version)
        return get_sales_order(sales_order_id)


class SalesOrderConfirmation(TenantView):
    @writing(
        Endpoint("confirm_sales_order", Permission.SELL, "Confirm a draft and promise stock to it"),
        Writing(SalesOrderDetailShown, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, sales_order_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        confirm_sales_order(sales_order_id=sales_order_id, version=version)
        return get_sales_order(sales_order_id)


class SalesOrderCancellation(TenantView):
    @writing(
        Endpoint("cancel_sales_order", Permission.SELL, "Cancel an order of which nothing left"),
        Writing(SalesOrderDetailShown, SalesOrderCancel, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, sales_order_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        cancel_sales_order(sales_order_id=sales_order_id, version=version, **data)
        return get_sales_order(sales_order_id)


class SalesOrderClosing(TenantView):
    @writing(
        Endpoint("close_sales_order", Permission.SELL, "Close an order: no more will leave"),
        Writing(SalesOrderDetailShown, SalesOrderClose, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, sales_order_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        close_sales_order(sales_order_id=sales_order_id, version=version, **data)
        return get_sales_order(sales_order_id)


class SaleList(TenantView):
    @writing(
        Endpoint("ship_sale", Permission.FLOOR_WORK, "Ship a sale at once and record its demand"),
        Writing(SaleShown, NewSale, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        data["lines"] = [SaleLine(**line) for line in data["lines"]]
        return ship_sale(**data)


def _entered(data: dict[str, Any]) -> EnteredOrder:
    lines = [SalesLine(**line) for line in data.pop("lines", [])]
    return EnteredOrder(SalesOrderFields(**data), lines)
