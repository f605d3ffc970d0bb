"""Who the caller is, and which tenant this is."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from tenancy.api.endpoints import Endpoint, reading
from tenancy.api.fields import Shown
from tenancy.api.views import TenantView
from tenancy.models import Role, Tenant
from tenancy.permissions import Permission, allows
from tenancy.scope import Actor, active_scope


class MeShown(Shown[Actor]):
    kind = serializers.ChoiceField(choices=["user", "api_key"])
    id = serializers.IntegerField(allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]
    role = serializers.ChoiceField(choices=Role.choices)
    rights = serializers.SerializerMethodField()

    def get_rights(self, actor: Actor) -> list[str]:
        return [right.value for right in Permission if allows(actor, right)]


class TenantShown(Shown[Tenant]):
    slug = serializers.CharField()
    name = serializers.CharField()
    time_zone = serializers.CharField()
    currency = serializers.CharField()
    country = serializers.CharField()


class Me(TenantView):
    @reading(Endpoint("get_me", Permission.READ, "The caller and its rights"), MeShown)
    def get(self, request: Request) -> Any:
        return active_scope().actor


class TenantDetail(TenantView):
    @reading(Endpoint("get_tenant", Permission.READ, "The tenant"), TenantShown)
    def get(self, request: Request) -> Any:
        return active_scope().tenant
