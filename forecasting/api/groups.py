"""Forecasts of groups: everything, warehouses, categories."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from forecasting.api.forecasts import ChangedDayShown, changed_days
from forecasting.models import GroupForecast
from forecasting.queries.forecasts import forecast_days
from forecasting.queries.groups import ChangedGroup, changed_groups, get_group, groups_in_use
from tenancy.api.endpoints import Endpoint, Listing, listing, reading
from tenancy.api.fields import Shown
from tenancy.api.parameters import id_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class GroupsShown(serializers.ListSerializer[Any]):
    """Groups of one page: what planners changed in all of them is read at once."""

    def to_representation(self, data: Any) -> list[Any]:
        rows = list(data)
        cast("GroupShown", self.child).changed_by_id = changed_groups(rows)
        return super().to_representation(rows)


class GroupShown(Shown[GroupForecast]):
    class Meta:
        list_serializer_class = GroupsShown

    changed_by_id: dict[int, ChangedGroup] | None = None
    id = serializers.IntegerField()
    category_id = serializers.IntegerField(allow_null=True)
    warehouse_id = serializers.IntegerField(
        allow_null=True, help_text="Neither category nor warehouse: everything."
    )
    series_count = serializers.IntegerField()
    origin = serializers.DateField(source="run.origin")
    horizon_days = serializers.IntegerField(source="run.horizon_days")
    total_mean = serializers.FloatField(help_text="The sum of the members' total_mean.")
    changed_total_mean = serializers.SerializerMethodField(
        help_text="With planners' changes, as orders reckon; null where nobody changed anything."
    )
    total_quantiles = serializers.ListField(
        child=serializers.FloatField(), help_text="Of the sum over all days, as forecast."
    )
    changed_total_quantiles = serializers.SerializerMethodField(
        help_text="With planners' changes: as wide in percent as forecast; null without any."
    )

    def get_changed_total_mean(self, group: GroupForecast) -> float | None:
        found = self._changed(group)
        return None if found is None else found.total_mean

    @extend_schema_field(serializers.ListField(child=serializers.FloatField(), allow_null=True))
    def get_changed_total_quantiles(self, group: GroupForecast) -> list[float] | None:
        found = self._changed(group)
        return None if found is None else found.total_quantiles

    def _changed(self, group: GroupForecast) -> ChangedGroup | None:
        if self.changed_by_id is None:  # one alone
            self.changed_by_id = changed_groups([group])
        return self.changed_by_id.get(group.pk)


class GroupDetailShown(GroupShown):
    levels = serializers.ListField(child=serializers.FloatField(), source="run.quantiles")
    days = serializers.SerializerMethodField()

    @extend_schema_field(ChangedDayShown(many=True))
    def get_days(self, group: GroupForecast) -> list[dict[str, Any]]:
        run = group.run
        table = np.reshape(group.quantile_values, (run.horizon_days, len(run.quantiles)))
        return changed_days(forecast_days(run), group.mean, table, self._changed(group))


class GroupList(TenantView):
    @listing(
        Endpoint("list_forecast_totals", Permission.READ, "Forecasts of groups in use"),
        Listing(
            GroupShown,
            orders={"id": ("id",)},
            filters={
                "category_id": id_filter("category_id"),
                "warehouse_id": id_filter("warehouse_id"),
            },
        ),
    )
    def get(self, request: Request) -> Any:
        return groups_in_use()


class GroupDetail(TenantView):
    @reading(
        Endpoint("get_forecast_total", Permission.READ, "The forecast of a group, day by day"),
        GroupDetailShown,
    )
    def get(self, request: Request, group_forecast_id: int) -> Any:
        return get_group(group_forecast_id)
