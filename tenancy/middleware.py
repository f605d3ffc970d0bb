"""Open the tenant scope for every address that names a tenant; name the request in every log line."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase

from tenancy.models import Tenant
from tenancy.permissions import Permission, allows
from tenancy.queries.tenants import find_membership, find_tenant
from tenancy.scope import Actor, active_scope, recognise, run_in_scope

View = Callable[..., HttpResponseBase]


class RequestLogMiddleware:
    """Give each request an id, and the log its tenant."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, path=request.path)
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


class TenantMiddleware:
    """Run the view of ``/t/<tenant>/`` and ``/api/v1/<tenant>/`` inside the tenant's scope.

    The response is rendered inside as well. A stranger's tenant answers like a missing one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        slug = kwargs.get("tenant")
        if slug is None:
            return None
        is_api = request.path.startswith("/api/")
        if not is_api and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        tenant = find_tenant(slug)
        if tenant is None:
            raise Http404
        structlog.contextvars.bind_contextvars(tenant=tenant.slug)

        def work() -> HttpResponseBase:
            if not is_api:
                self._enter_as_member(request, tenant)
            response = view(request, *args, **kwargs)
            render = getattr(response, "render", None)
            if callable(render) and not getattr(response, "is_rendered", True):
                response = render()
            response.setdefault("Cache-Control", "private, no-store")  # type: ignore[attr-defined]
            if getattr(response, "status_code", 200) >= 500:
                raise _Rollback(response)
            return response

        try:
            return run_in_scope(tenant, Actor.anonymous(), work)
        except _Rollback as rollback:
            return rollback.response

    def _enter_as_member(self, request: HttpRequest, tenant: Tenant) -> None:
        membership = find_membership(request.user.pk)
        if membership is None:
            raise Http404
        recognise(
            Actor(kind="user", id=request.user.pk, label=str(request.user), role=membership.role)
        )
        request.tenant = tenant  # type: ignore[attr-defined]
        request.membership = membership  # type: ignore[attr-defined]


class _Rollback(Exception):
    """Carry an error response out of the transaction, so that nothing half done is committed."""

    def __init__(self, response: HttpResponseBase) -> None:
        self.response = response


def tenant_context(request: HttpRequest) -> dict[str, Any]:
    """Give templates the tenant and the member (a context processor)."""
    tenant = getattr(request, "tenant", None)
    if tenant is None:
        return {"tenant": None, "membership": None, "rights": {}}
    actor = active_scope().actor
    rights = {permission.value: allows(actor, permission) for permission in Permission}
    return {"tenant": tenant, "membership": getattr(request, "membership", None), "rights": rights}

