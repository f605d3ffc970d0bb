"""In which warehouses a member works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from inventory.models import Warehouse
from inventory.queries.access import access_of
from inventory.services.access import set_warehouse_access
from tenancy.api.endpoints import Endpoint, Writing, reading, writing
from tenancy.api.fields import IdField, Shown, Strict
from tenancy.api.views import TenantView
from tenancy.permissions import Permission
from tenancy.queries.members import get_member


@dataclass(frozen=True)
class Access:
    """Where a member works: everywhere, or in the warehouses named."""

    membership_id: int
    warehouses: list[Warehouse]

    @property
    def is_restricted(self) -> bool:
        return bool(self.warehouses)

    @property
    def warehouse_ids(self) -> list[int]:
        return [warehouse.pk for warehouse in self.warehouses]


class AccessShown(Shown[Access]):
    membership_id = serializers.IntegerField()
    is_restricted = serializers.BooleanField()
    warehouse_ids = serializers.ListField(child=serializers.IntegerField())


class NewAccess(Strict):
    warehouse_ids = serializers.ListField(
        child=IdField(), max_length=200, help_text="Empty: every warehouse."
    )


class MemberWarehouses(TenantView):
    @reading(
        Endpoint("get_member_warehouses", Permission.MANAGE_MEMBERS, "Where a member works"),
        AccessShown,
    )
    def get(self, request: Request, membership_id: int) -> Any:
        return Access(membership_id, access_of(get_member(membership_id).pk))

    @writing(
        Endpoint("set_member_warehouses", Permission.MANAGE_MEMBERS, "Choose where a member works"),
        Writing(AccessShown, NewAccess),
    )
    def put(self, request: Request, membership_id: int, *, data: dict[str, Any]) -> Any:
        return Access(membership_id, set_warehouse_access(membership_id=membership_id, **data))
