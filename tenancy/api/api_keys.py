"""API keys: listed, created (the secret is in this answer only), revoked."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, writing
from tenancy.api.fields import Shown, Strict
from tenancy.api.views import TenantView
from tenancy.models import ApiKey, Role
from tenancy.permissions import Permission
from tenancy.queries.api_keys import api_keys
from tenancy.services.api_keys import NewApiKey, create_api_key, revoke_api_key

SCOPES = [permission.value for permission in Permission]


class ApiKeyShown(Shown[ApiKey]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewApiKeyShown(Shown[NewApiKey]):
    api_key = ApiKeyShown()
    secret = serializers.CharField(help_text="Shown once; a repeated request shows it no more.")


class NewKey(Strict):
    name = serializers.CharField(max_length=80)
    role = serializers.ChoiceField(choices=Role.choices)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=SCOPES), min_length=1, max_length=len(SCOPES)
    )
    expires_at = serializers.DateTimeField(required=False)


class ApiKeyList(TenantView):
    @listing(
        Endpoint("list_api_keys", Permission.MANAGE_KEYS, "API keys"),
        Listing(ApiKeyShown, orders={"-id": ("-id",), "id": ("id",)}),
    )
    def get(self, request: Request) -> Any:
        return api_keys()

    @writing(
        Endpoint("create_api_key", Permission.MANAGE_KEYS, "Create an API key"),
        Writing(NewApiKeyShown, NewKey, status=201, redact=("secret",)),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return create_api_key(**data)


class ApiKeyRevocation(TenantView):
    @writing(
        Endpoint("revoke_api_key", Permission.MANAGE_KEYS, "Revoke an API key"),
        Writing(ApiKeyShown),
    )
    def post(self, request: Request, api_key_id: int, *, data: dict[str, Any]) -> Any:
        return revoke_api_key(api_key_id=api_key_id)
