"""Lines of sales orders: on and off a draft, and lowered once confirmed."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.api.sales import NewSalesOrderLine, SalesOrderDetailShown
from inventory.queries.sales import get_sales_line, get_sales_order
from inventory.services.sales_amending import amend_sales_line
from inventory.services.sales_lines import (
    SalesLine,
    add_sales_lines,
    change_sales_line,
    remove_sales_line,
)
from tenancy.api.endpoints import Endpoint, Writing, writing
from tenancy.api.fields import IdField, MoneyField, QuantityField, Strict, many
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class NewSalesOrderLines(Strict):
    lines = many(NewSalesOrderLine)


class ChangedSalesOrderLine(Strict):
    product_id = IdField(required=False)
    quantity = QuantityField(required=False)
    unit_price = MoneyField(required=False, min_value=0)


class Amendment(Strict):
    quantity = QuantityField(min_value=0)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)
    take_back_demand = serializers.BooleanField(
        required=False, help_text="It was never asked for: forget its demand."
    )


class SalesOrderLines(TenantView):
    @writing(
        Endpoint("add_sales_order_lines", Permission.SELL, "Add lines to a draft"),
        Writing(SalesOrderDetailShown, NewSalesOrderLines, key_required=True, versioned=True),
    )
    def post(
        self, request: Request, sales_order_id: int, *, data: dict[str, Any], version: int
    ) -> Any:
        lines = [SalesLine(**line) for line in data["lines"]]
        add_sales_lines(sales_order_id=sales_order_id, lines=lines, version=version)
        return get_sales_order(sales_order_id)


class SalesOrderLineDetail(TenantView):
    @writing(
        Endpoint("change_sales_order_line", Permission.SELL, "Change a draft's line"),
        Writing(SalesOrderDetailShown, ChangedSalesOrderLine, versioned=True, partial=True),
    )
    def patch(
        self,
        request: Request,
        sales_order_id: int,
        sales_order_line_id: int,
        *,
        data: dict[str, Any],
        version: int,
    ) -> Any:
        known = get_sales_line(get_sales_order(sales_order_id), sales_order_line_id)
        before = {
            "product_id": known.product_id,
            "quantity": known.quantity,
            "unit_price": known.unit_price,
        }
        change_sales_line(
            sales_order_id=sales_order_id,
            line_id=sales_order_line_id,
            line=SalesLine(**(before | data)),
            version=version,
        )
        return get_sales_order(sales_order_id)

    @writing(
        Endpoint("remove_sales_order_line", Permission.SELL, "Take a line off a draft"),
        Writing(SalesOrderDetailShown, versioned=True),
    )
    def delete(
        self,
        request: Request,
        sales_order_id: int,
        sales_order_line_id: int,
        *,
        data: dict[str, Any],
        version: int,
    ) -> Any:
        remove_sales_line(
            sales_order_id=sales_order_id, line_id=sales_order_line_id, version=version
        )
        return get_sales_order(sales_order_id)


class SalesOrderLineAmendment(TenantView):
    @writing(
        Endpoint("amend_sales_order_line", Permission.SELL, "Lower a confirmed line, down to zero"),
        Writing(SalesOrderDetailShown, Amendment, key_required=True, versioned=True),
    )
    def post(
        self,
        request: Request,
        sales_order_id: int,
        sales_order_line_id: int,
        *,
        data: dict[str, Any],
        version: int,
    ) -> Any:
        amend_sales_line(
            sales_order_id=sales_order_id, line_id=sales_order_line_id, version=version, **data
        )
        return get_sales_order(sales_order_id)
