"""Returns of customers: expected, received, inspected, closed, taken back."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    CustomerReturnState,
    ReturnOutcome,
)
from inventory.queries.returns import customer_returns, get_return
from inventory.services.returns import (
    BlindLine,
    ExpectedLine,
    InspectedGoods,
    ReturnedGoods,
    add_return_lines,
    cancel_return,
    close_return,
    expect_blind_return,
    expect_return,
    inspect_return,
    receive_return,
    reverse_return_movement,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, InstantField, QuantityField, Shown, Strict, many
from tenancy.api.parameters import choice_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class CustomerReturnShown(Shown[CustomerReturn]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    warehouse_id = serializers.IntegerField()
    sales_order_id = serializers.IntegerField(allow_null=True)
    customer_id = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=CustomerReturnState.choices)
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField(allow_null=True)
    inspected_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class CustomerReturnLineShown(Shown[CustomerReturnLine]):
    id = serializers.IntegerField()
    shipment_line_id = serializers.IntegerField(allow_null=True)
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    lot_id = serializers.IntegerField(allow_null=True)
    quantity = QuantityField()
    quantity_received = QuantityField()
    quantity_restocked = QuantityField()
    quantity_quarantined = QuantityField()
    quantity_scrapped = QuantityField()
    quantity_to_supplier = QuantityField()
    note = serializers.CharField()


class CustomerReturnDetailShown(CustomerReturnShown):
    lines = CustomerReturnLineShown(many=True)


class ExpectedBack(Strict):
    shipment_line_id = IdField()
    quantity = QuantityField()


class NewReturn(Strict):
    sales_order_id = IdField()
    lines = many(ExpectedBack)
    warehouse_id = IdField(
        required=False, allow_null=True, help_text="Left out: the order's warehouse."
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class UnknownBack(Strict):
    product_id = IdField()
    quantity = QuantityField()
    lot_id = IdField(required=False, allow_null=True)


class NewBlindReturn(Strict):
    warehouse_id = IdField()
    lines = many(UnknownBack)
    customer_id = IdField(required=False, allow_null=True)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class MoreReturnLines(Strict):
    lines = many(UnknownBack)


class CameBack(Strict):
    line_id = IdField()
    quantity = QuantityField()
    lot_code = serializers.CharField(required=False, allow_blank=True, max_length=64)
    expires_on = serializers.DateField(required=False, allow_null=True)


class ReturnReceived(Strict):
    goods = many(CameBack)
    received_at = InstantField(required=False)


class Decided(Strict):
    line_id = IdField()
    outcome = serializers.ChoiceField(choices=ReturnOutcome.choices)
    quantity = QuantityField()
    note = serializers.CharField(required=False, allow_blank=True, max_length=200)
    to_location_id = IdField(required=False, allow_null=True, help_text="For restocked goods.")
    supplier_id = IdField(required=False, allow_null=True, help_text="Left out: the usual one.")
    hold_lot = serializers.BooleanField(required=False)


class ReturnInspected(Strict):
    goods = many(Decided)


class ReturnCancelled(Strict):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class ReturnReversal(Strict):
    reason = serializers.CharField(max_length=200)


class CustomerReturnList(TenantView):
    @listing(
        Endpoint("list_customer_returns", Permission.READ, "Returns of customers"),
        Listing(
            CustomerReturnShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "state": choice_filter("state", CustomerReturnState.choices),
                "warehouse_id": id_filter("warehouse_id"),
                "sales_order_id": id_filter("sales_order_id"),
                "number": text_filter("number"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return customer_returns()

    @writing(
        Endpoint(
            "expect_customer_return",
            Permission.FLOOR_WORK,
            "Expect shipped goods back",
            also=Permission.SELL,
        ),
        Writing(CustomerReturnDetailShown, NewReturn, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        lines = [ExpectedLine(**line) for line in data.pop("lines")]
        return get_return(expect_return(lines=lines, **data).pk)


class BlindReturnList(TenantView):
    @writing(
        Endpoint(
            "expect_blind_return",
            Permission.FLOOR_WORK,
            "Expect goods of unknown origin",
            also=Permission.SELL,
        ),
        Writing(CustomerReturnDetailShown, NewBlindReturn, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        lines = [BlindLine(**line) for line in data.pop("lines")]
        return get_return(expect_blind_return(lines=lines, **data).pk)


class CustomerReturnDetail(TenantView):
    @reading(
        Endpoint("get_customer_return", Permission.READ, "A return"), CustomerReturnDetailShown
    )
    def get(self, request: Request, customer_return_id: int) -> Any:
        return get_return(customer_return_id)


class CustomerReturnLines(TenantView):
    @writing(
        Endpoint(
            "add_customer_return_lines",
            Permission.FLOOR_WORK,
            "Add what came along",
            also=Permission.SELL,
        ),
        Writing(
            CustomerReturnDetailShown,
            MoreReturnLines,
            status=201,
            key_required=True,
            versioned=True,
        ),
    )
    def post(
        self, request: Request, customer_return_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        lines = [BlindLine(**line) for line in data["lines"]]
        add_return_lines(customer_return_id=customer_return_id, lines=lines, version=version)
        return get_return(customer_return_id)


class CustomerReturnReceiving(TenantView):
    @writing(
        Endpoint("receive_customer_return", Permission.FLOOR_WORK, "Take goods into quarantine"),
        Writing(CustomerReturnDetailShown, ReturnReceived, status=201, key_required=True),
    )
    def post(self, request: Request, customer_return_id: int, *, data: dict[str, Any]) -> Any:
        goods = [ReturnedGoods(**part) for part in data.pop("goods")]
        receive_return(customer_return_id=customer_return_id, goods=goods, **data)
        return get_return(customer_return_id)


class CustomerReturnInspection(TenantView):
    @writing(
        Endpoint("inspect_customer_return", Permission.FLOOR_WORK, "Decide what becomes of goods"),
        Writing(CustomerReturnDetailShown, ReturnInspected, status=201, key_required=True),
    )
    def post(self, request: Request, customer_return_id: int, *, data: dict[str, Any]) -> Any:
        goods = [
            InspectedGoods(**part | {"outcome": ReturnOutcome(part["outcome"])})
            for part in data["goods"]
        ]
        inspect_return(customer_return_id=customer_return_id, goods=goods)
        return get_return(customer_return_id)


class CustomerReturnClosing(TenantView):
    @writing(
        Endpoint(
            "close_customer_return",
            Permission.FLOOR_WORK,
            "State that no more will come",
            also=Permission.SELL,
        ),
        Writing(CustomerReturnDetailShown, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, customer_return_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        close_return(customer_return_id=customer_return_id, version=version)
        return get_return(customer_return_id)


class CustomerReturnCancelling(TenantView):
    @writing(
        Endpoint(
            "cancel_customer_return",
            Permission.FLOOR_WORK,
            "Cancel before anything came",
            also=Permission.SELL,
        ),
        Writing(CustomerReturnDetailShown, ReturnCancelled, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, customer_return_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        cancel_return(customer_return_id=customer_return_id, version=version, **data)
        return get_return(customer_return_id)


class CustomerReturnMovementReversal(TenantView):
    @writing(
        Endpoint("reverse_return_movement", Permission.FLOOR_WORK, "Take a movement back"),
        Writing(CustomerReturnDetailShown, ReturnReversal, status=201, key_required=True),
    )
    def post(
        self, request: Request, customer_return_id: int, movement_id: int, *, data: dict[str, Any]
    ) -> Any:
        reverse_return_movement(
            customer_return_id=customer_return_id, movement_id=movement_id, **data
        )
        return get_return(customer_return_id)
