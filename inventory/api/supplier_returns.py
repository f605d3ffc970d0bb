"""Returns to suppliers: drafted, sent, closed, called back, cancelled."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import SupplierReturn, SupplierReturnLine, SupplierReturnState
from inventory.queries.returns import get_supplier_return, supplier_returns
from inventory.services.supplier_returns import (
    ReturningLine,
    SupplierReturnFields,
    add_supplier_return_lines,
    call_back_supplier_return,
    cancel_supplier_return,
    close_supplier_return,
    create_supplier_return,
    remove_supplier_return_line,
    send_supplier_return,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import (
    IdField,
    InstantField,
    MoneyField,
    QuantityField,
    Shown,
    Strict,
    many,
)
from tenancy.api.parameters import choice_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class SupplierReturnShown(Shown[SupplierReturn]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    supplier_id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    purchase_order_id = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=SupplierReturnState.choices)
    reference = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class SupplierReturnLineShown(Shown[SupplierReturnLine]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    location_id = serializers.IntegerField()
    lot_id = serializers.IntegerField(allow_null=True)
    return_line_id = serializers.IntegerField(allow_null=True)
    quantity = QuantityField()
    unit_cost = MoneyField(allow_null=True)


class SupplierReturnDetailShown(SupplierReturnShown):
    lines = SupplierReturnLineShown(many=True)


class NewSupplierReturnLine(Strict):
    product_id = IdField()
    location_id = IdField()
    quantity = QuantityField()
    lot_id = IdField(required=False, allow_null=True)
    unit_cost = MoneyField(required=False, allow_null=True, min_value=0)


class NewSupplierReturnLines(Strict):
    lines = many(NewSupplierReturnLine)


class NewSupplierReturn(Strict):
    supplier_id = IdField()
    warehouse_id = IdField()
    purchase_order_id = IdField(required=False, allow_null=True)
    reference = serializers.CharField(required=False, allow_blank=True, max_length=64)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)
    lines = many(NewSupplierReturnLine, least=0, required=False)


class SupplierReturnSent(Strict):
    sent_at = InstantField(required=False)


class SupplierReturnCalledBack(Strict):
    reason = serializers.CharField(max_length=200)


class SupplierReturnCancelled(Strict):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class SupplierReturnList(TenantView):
    @listing(
        Endpoint("list_supplier_returns", Permission.READ, "Returns to suppliers"),
        Listing(
            SupplierReturnShown,
            orders={"-id": ("-id",), "id": ("id",)},
            filters={
                "state": choice_filter("state", SupplierReturnState.choices),
                "supplier_id": id_filter("supplier_id"),
                "warehouse_id": id_filter("warehouse_id"),
                "number": text_filter("number"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return supplier_returns()

    @writing(
        Endpoint("create_supplier_return", Permission.BUY, "Draft a return to a supplier"),
        Writing(SupplierReturnDetailShown, NewSupplierReturn, status=201, key_required=True),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        lines = [ReturningLine(**line) for line in data.pop("lines", [])]
        ends = {name: data.pop(name) for name in ("supplier_id", "warehouse_id")}
        back = create_supplier_return(fields=SupplierReturnFields(**data), lines=lines, **ends)
        return get_supplier_return(back.pk)


class SupplierReturnDetail(TenantView):
    @reading(
        Endpoint("get_supplier_return", Permission.READ, "A return to a supplier"),
        SupplierReturnDetailShown,
    )
    def get(self, request: Request, supplier_return_id: int) -> Any:
        return get_supplier_return(supplier_return_id)


class SupplierReturnLines(TenantView):
    @writing(
        Endpoint("add_supplier_return_lines", Permission.BUY, "Add lines to a draft"),
        Writing(
            SupplierReturnDetailShown,
            NewSupplierReturnLines,
            status=201,
            key_required=True,
            versioned=True,
        ),
    )
    def post(
        self, request: Request, supplier_return_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        lines = [ReturningLine(**line) for line in data["lines"]]
        add_supplier_return_lines(
            supplier_return_id=supplier_return_id, lines=lines, version=version
        )
        return get_supplier_return(supplier_return_id)


class SupplierReturnLineDetail(TenantView):
    @writing(
        Endpoint("remove_supplier_return_line", Permission.BUY, "Take a line off a draft"),
        Writing(SupplierReturnDetailShown, versioned=True),
    )
    def delete(
        self,
        request: Request,
        supplier_return_id: int,
        supplier_return_line_id: int,
        *,
        data: dict[str, Any],
        version: int,
    ) -> Any:
        remove_supplier_return_line(
            supplier_return_id=supplier_return_id,
            supplier_return_line_id=supplier_return_line_id,
            version=version,
        )
        return get_supplier_return(supplier_return_id)


class SupplierReturnSending(TenantView):
    @writing(
        Endpoint("send_supplier_return", Permission.FLOOR_WORK, "Send a draft to the supplier"),
        Writing(SupplierReturnDetailShown, SupplierReturnSent, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, supplier_return_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        send_supplier_return(supplier_return_id=supplier_return_id, version=version, **data)
        return get_supplier_return(supplier_return_id)


class SupplierReturnCallingBack(TenantView):
    @writing(
        Endpoint("call_back_supplier_return", Permission.FLOOR_WORK, "Make it a draft again"),
        Writing(
            SupplierReturnDetailShown, SupplierReturnCalledBack, key_required=True, versioned=True
        ),
    )
    def post(
        self, request: Request, supplier_return_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        call_back_supplier_return(supplier_return_id=supplier_return_id, version=version, **data)
        return get_supplier_return(supplier_return_id)


class SupplierReturnClosing(TenantView):
    @writing(
        Endpoint("close_supplier_return", Permission.BUY, "Close: the supplier has settled it"),
        Writing(SupplierReturnDetailShown, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, supplier_return_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        close_supplier_return(supplier_return_id=supplier_return_id, version=version)
        return get_supplier_return(supplier_return_id)


class SupplierReturnCancelling(TenantView):
    @writing(
        Endpoint("cancel_supplier_return", Permission.BUY, "Cancel a draft"),
        Writing(
            SupplierReturnDetailShown, SupplierReturnCancelled, key_required=True, versioned=True
        ),
    )
    def post(
        self, request: Request, supplier_return_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        cancel_supplier_return(supplier_return_id=supplier_return_id, version=version, **data)
        return get_supplier_return(supplier_return_id)
