"""What the OpenAPI schema says beside each endpoint: pages, problems, credentials, the tenant."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.utils import OpenApiResponse, inline_serializer
from rest_framework import serializers


class FieldProblem(serializers.Serializer[Any]):
    """One thing wrong with the request; ``line`` counts from 0."""

    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()
    line = serializers.IntegerField(allow_null=True, required=False)


class ProblemBody(serializers.Serializer[Any]):
    """RFC 9457. Further members depend on ``code``."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    request_id = serializers.CharField(required=False)
    problems = FieldProblem(many=True, required=False)


def problems(*codes: int) -> dict[Any, Any]:
    """Return the responses for these statuses."""
    media_type = "application/problem+json"
    return {(code, media_type): OpenApiResponse(ProblemBody) for code in codes}


def page_of(shows: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Return the shape of a page of these."""
    page: serializers.Serializer[Any] = inline_serializer(
        f"{shows.__name__}Page",
        {
            "items": shows(many=True),
            "next": serializers.CharField(allow_null=True, help_text="Address of the next page."),
        },
    )
    return page


class ReasonFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "tenancy.api.fields.ReasonField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the names as an enumeration."""
        return {"type": "string", "enum": list(self.target.by_name)}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tenancy.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme: a key of the tenant as bearer token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "sc_<prefix>_<secret>"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tenancy.api.authentication.MemberSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme: the site's session cookie."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
