"""Recorded demand by product, warehouse, channel, segment and business day."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import DailyDemand
from inventory.queries.demand_history import demand_rows
from tenancy.api.endpoints import Endpoint, Listing, listing
from tenancy.api.fields import MoneyField, QuantityField, Shown
from tenancy.api.parameters import date_filter, id_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class DemandShown(Shown[DailyDemand]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    channel_id = serializers.IntegerField(allow_null=True)
    segment_id = serializers.IntegerField(allow_null=True)
    business_day = serializers.DateField()
    quantity = QuantityField()
    revenue = MoneyField()
    order_lines = serializers.IntegerField()


class DemandList(TenantView):
    @listing(
        Endpoint("list_demand", Permission.READ, "Daily demand"),
        Listing(
            DemandShown,
            orders={
                "id": ("id",),
                "business_day": ("business_day", "id"),
                "-business_day": ("-business_day", "-id"),
            },
            filters={
                "product_id": id_filter("product_id"),
                "warehouse_id": id_filter("warehouse_id"),
                "channel_id": id_filter("channel_id"),
                "segment_id": id_filter("segment_id"),
                "from": date_filter("business_day__gte", help="First business day."),
                "to": date_filter("business_day__lte", help="Last business day."),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return demand_rows()
