"""Who calls: an API key of the tenant, or a member's browser session.

The tenant is the path's, and its scope is open already: a key is looked up among the tenant's own
keys, so another tenant's key is simply unknown.
"""

from __future__ import annotations

from django.http import Http404
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tenancy.models import User
from tenancy.queries.tenants import find_membership
from tenancy.scope import Actor, recognise
from tenancy.services.api_keys import recognise_api_key


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer sc_...``. Whoever sends this header is judged by it alone."""

    def authenticate(self, request: Request) -> tuple[None, object] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _space, secret = header.partition(" ")
        key = recognise_api_key(secret.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise AuthenticationFailed
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class MemberSessionAuthentication(SessionAuthentication):
    """The site's own pages: the member's session, with CSRF protection on writes."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        user = request._request.user  # noqa: SLF001 - DRF's own way to the session's user
        if not isinstance(user, User) or not user.is_active:
            return None
        membership = find_membership(user.pk)
        if membership is None:
            raise Http404
        self.enforce_csrf(request)
        recognise(Actor(kind="user", id=user.pk, label=str(user), role=membership.role))
        return user, None
