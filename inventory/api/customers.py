"""Customers and their segments."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Customer, CustomerSegment
from inventory.queries.customers import (
    customers,
    get_customer,
    get_segment,
    search_customers,
    segments,
)
from inventory.services.customers import (
    CustomerFields,
    create_customer,
    create_segment,
    update_customer,
    update_segment,
)
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import IdField, Shown, Strict
from tenancy.api.parameters import flag_filter, id_filter, text_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class SegmentShown(Shown[CustomerSegment]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()


class NewSegment(Strict):
    code = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=120)


class CustomerShown(Shown[Customer]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    country = serializers.CharField()
    segment_id = serializers.IntegerField(allow_null=True)
    is_active = serializers.BooleanField()


class NewCustomer(Strict):
    code = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=160)
    country = serializers.CharField(required=False, allow_blank=True, max_length=80)
    segment_id = IdField(required=False, allow_null=True)
    is_active = serializers.BooleanField(required=False)


def _search(rows: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    return rows & search_customers(text=text)


class SegmentList(TenantView):
    @listing(
        Endpoint("list_segments", Permission.READ, "Customer segments"),
        Listing(SegmentShown, orders={"code": ("code", "id"), "id": ("id",)}),
    )
    def get(self, request: Request) -> Any:
        return segments()

    @writing(
        Endpoint("create_segment", Permission.SELL, "Create a customer segment"),
        Writing(SegmentShown, NewSegment, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_segment(**data)


class SegmentDetail(TenantView):
    @reading(Endpoint("get_segment", Permission.READ, "A customer segment"), SegmentShown)
    def get(self, request: Request, segment_id: int) -> Any:
        return get_segment(segment_id)

    @writing(
        Endpoint("change_segment", Permission.SELL, "Rename a customer segment"),
        Writing(SegmentShown, NewSegment, partial=True),
    )
    def patch(self, request: Request, segment_id: int, *, data: dict[str, Any]) -> Any:
        known = get_segment(segment_id)
        before = {"code": known.code, "name": known.name}
        return update_segment(segment_id=segment_id, **(before | data))


class CustomerList(TenantView):
    @listing(
        Endpoint("list_customers", Permission.READ, "Customers"),
        Listing(
            CustomerShown,
            orders={"code": ("code", "id"), "id": ("id",), "-id": ("-id",)},
            filters={
                "search": text_filter(_search, help="Start of the code or part of the name."),
                "code": text_filter("code"),
                "segment_id": id_filter("segment_id"),
                "is_active": flag_filter("is_active"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return customers()

    @writing(
        Endpoint("create_customer", Permission.SELL, "Create a customer"),
        Writing(CustomerShown, NewCustomer, status=201),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_customer(fields=CustomerFields(**data))


class CustomerDetail(TenantView):
    @reading(Endpoint("get_customer", Permission.READ, "A customer"), CustomerShown)
    def get(self, request: Request, customer_id: int) -> Any:
        return get_customer(customer_id)

    @writing(
        Endpoint("change_customer", Permission.SELL, "Change a customer"),
        Writing(CustomerShown, NewCustomer, partial=True),
    )
    def patch(self, request: Request, customer_id: int, *, data: dict[str, Any]) -> Any:
        known = get_customer(customer_id)
        names = ("code", "name", "country", "segment_id", "is_active")
        before = {name: getattr(known, name) for name in names}
        return update_customer(customer_id=customer_id, fields=CustomerFields(**(before | data)))
