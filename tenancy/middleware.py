"""Open the tenant scope for every address that names a tenant; name requests in the log."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from tenancy.api.problems import unknown_tenant
from tenancy.errors import Invalid, NotFound
from tenancy.models import Tenant
from tenancy.permissions import Permission, PermissionRefused, allows
from tenancy.queries.tenants import find_membership, find_tenant
from tenancy.scope import Actor, acting, recognise, run_in_scope

View = Callable[..., HttpResponseBase]

METHOD_NOT_ALLOWED = 405
CHOSEN_TENANT = "admin_tenant"
"""Session key: the tenant a platform admin works in."""


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
        response = self.get_response(request)
        if response.status_code == METHOD_NOT_ALLOWED and not getattr(response, "content", b""):
            page = render(request, "405.html", status=METHOD_NOT_ALLOWED)
            page.headers["Allow"] = response.headers["Allow"]
            return page
        return response

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        is_admin = request.path.startswith("/admin/")
        slug = self._chosen_by_admin(request) if is_admin else kwargs.get("tenant")
        if slug is None:
            return None
        is_page = not is_admin and not request.path.startswith("/api/")
        if is_page and not request.user.is_authenticated:
            return _to_sign_in(request)
        tenant = find_tenant(slug)
        if tenant is None:
            if request.path.startswith("/api/"):
                return unknown_tenant(request)
            raise Http404
        structlog.contextvars.bind_contextvars(tenant=tenant.slug)

        def work() -> HttpResponseBase:
            if not is_page:
                return _rendered(view(request, *args, **kwargs))
            self._enter_as_member(request, tenant)
            # pages tell the time of the company; the API tells instants
            with timezone.override(tenant.time_zone):
                return _rendered(view(request, *args, **kwargs))

        return _answer(tenant, _platform_admin(request) if is_admin else Actor.anonymous(), work)

    def _chosen_by_admin(self, request: HttpRequest) -> str | None:
        if not (request.user.is_authenticated and request.user.is_staff):
            return None
        slug = request.session.get(CHOSEN_TENANT)
        return slug if slug and find_tenant(slug) else None

    def _enter_as_member(self, request: HttpRequest, tenant: Tenant) -> None:
        membership = find_membership(int(request.user.pk or 0))
        if membership is None:
            raise Http404
        recognise(
            Actor(kind="user", id=request.user.pk, label=str(request.user), role=membership.role)
        )
        request.tenant = tenant  # type: ignore[attr-defined]
        request.membership = membership  # type: ignore[attr-defined]


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Send a visitor to the sign-in page, and from there to what was wanted.

    A form's own address is no page: its visitor goes back to where the form was, and is told.
    """
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    words = _("You were signed out, so what you sent was not saved. Sign in and send it again.")
    messages.warning(request, words)
    came_from = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}, request.is_secure()):
        return redirect_to_login("/")
    page = urlsplit(came_from)
    return redirect_to_login(page._replace(scheme="", netloc="").geturl())


def _answer(tenant: Tenant, actor: Actor, work: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Run ``work`` in the tenant's scope; what services refuse becomes a 403, 404 or 400 page."""
    try:
        return run_in_scope(tenant, actor, work)
    except _Rollback as rollback:
        return rollback.response
    except PermissionRefused as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except NotFound as missing:
        raise Http404 from missing
    except Invalid as refusal:
        # not of a form, which shows it at its fields: a tampered address
        raise BadRequest(str(refusal)) from refusal


def _platform_admin(request: HttpRequest) -> Actor:
    return Actor(
        kind="user", id=request.user.pk, label=f"{request.user} (platform admin)", role="owner"
    )


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    """Render inside the scope; an error answer takes everything back that was written before it."""
    render = getattr(response, "render", None)
    if callable(render) and not getattr(response, "is_rendered", True):
        response = render()
    response.headers.setdefault("Cache-Control", "private, no-store")
    if response.status_code >= 400:
        raise _Rollback(response)
    return response


class _Rollback(Exception):
    """Carry an error response out of the transaction, so that nothing half done is committed."""

    def __init__(self, response: HttpResponseBase) -> None:
        self.response = response


def tenant_context(request: HttpRequest) -> dict[str, Any]:
    """Give templates the tenant and the member; error pages are drawn outside and get neither."""
    tenant = getattr(request, "tenant", None)
    actor = acting()
    if tenant is None or actor is None:
        return {"tenant": None, "membership": None, "rights": {}}
    rights = {permission.value: allows(actor, permission) for permission in Permission}
    return {"tenant": tenant, "membership": getattr(request, "membership", None), "rights": rights}
