"""Every refusal of the API as a problem body (RFC 9457), from one table of exceptions.

    {"type": "urn:stockcast:problem:invalid", "title": "...", "status": 400, "code": "invalid",
     "detail": "...", "request_id": "...", "problems": [{"field": "quantity", ...}], ...}

``code`` is for programs and never changes; ``title`` and ``detail`` are for people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig
from django.core.serializers.json import DjangoJSONEncoder
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    OperationalError,
    connection,
    transaction,
)
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from tenancy.errors import Conflict, Invalid, NotFound, Refused, StaleVersion
from tenancy.permissions import PermissionRefused
from tenancy.scope import is_retryable

CONTENT_TYPE = "application/problem+json"
NOT_FOUND = gettext_lazy("There is nothing at this address.")


class ApiProblem(exceptions.APIException):
    """A refusal of the API itself, as opposed to one of a service."""

    status_code = 400
    code: ClassVar[str] = "invalid"

    def __init__(self, detail: Any, **data: Any) -> None:
        super().__init__(detail, self.code)
        self.data = data


class IdempotencyKeyMissing(ApiProblem):
    code = "idempotency_key_missing"


class IdempotencyKeyReused(ApiProblem):
    status_code = 422
    code = "idempotency_key_reused"


class StillRunning(ApiProblem):
    status_code = 409
    code = "still_running"


class VersionMissing(ApiProblem):
    status_code = 428
    code = "version_missing"


class BodyTooLarge(ApiProblem):
    status_code = 413
    code = "body_too_large"


class Unsupported(ApiProblem):
    status_code = 415
    code = "unsupported_media_type"


def problem_body(status: int, code: str, detail: object, **extra: Any) -> dict[str, Any]:
    """Return the members of a problem body; ``None`` members are left out."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    body = {
        "type": f"urn:stockcast:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": str(detail),
        "request_id": request_id,
    } | extra
    return {name: value for name, value in body.items() if value is not None}


def problem_response(status: int, code: str, detail: object) -> HttpResponse:
    """Return a problem as a plain response, for whoever answers outside a view of the API."""
    body = json.dumps(problem_body(status, code, detail), cls=DjangoJSONEncoder)
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE)


def unknown_tenant(request: HttpRequest) -> HttpResponse:
    """Answer for a tenant that does not exist just as for one the caller may not know of."""
    if "Authorization" not in request.headers and request.user.is_authenticated:
        return problem_response(404, "not_found", NOT_FOUND)
    response = problem_response(401, "not_authenticated", not_authenticated_detail())
    response["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def not_authenticated_detail() -> str:
    """Return the one sentence for a missing, wrong, expired or revoked credential."""
    return _("Send a valid API key of this tenant: Authorization: Bearer sc_...")


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn any exception of a view into a problem response (DRF's EXCEPTION_HANDLER).

    Returns None, so that the exception goes on, only where the transaction is to be repeated.
    """
    if is_retryable(error):
        return None
    status, code, detail, extra = _describe(error)
    headers = _headers(error)
    if status >= 500:
        structlog.get_logger().error("api_error", exc_info=error)
    if isinstance(error, DatabaseError) and connection.in_atomic_block:
        # the transaction is broken: nothing of it may be kept
        transaction.set_rollback(True)
    return Response(
        problem_body(status, code, detail, **extra),
        status=status,
        headers=headers,
        content_type=CONTENT_TYPE,
    )


Description = tuple[int, str, object, dict[str, Any]]


def _describe(error: Exception) -> Description:
    """Return status, code, detail and further members for an exception."""
    if isinstance(error, Refused):
        return _describe_refused(error)
    if isinstance(error, exceptions.APIException):
        return _describe_rest(error)
    if isinstance(error, PermissionRefused):
        detail = _("This needs the right %(right)s.") % {"right": error.permission.value}
        return 403, "permission_refused", detail, {"permission": error.permission.value}
    if isinstance(error, PermissionDenied):
        return 403, "permission_refused", _("This is not allowed."), {}
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return 404, "not_found", NOT_FOUND, {}
    return _describe_trouble(error)


def _describe_rest(error: exceptions.APIException) -> Description:
    if isinstance(error, exceptions.ValidationError):
        problems = list(_flatten(error.detail))
        return 400, "invalid", _("The request has errors."), {"problems": problems}
    if isinstance(error, ApiProblem):
        return error.status_code, error.code, error.detail, error.data
    if isinstance(error, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        return 401, "not_authenticated", not_authenticated_detail(), {}
    if isinstance(error, exceptions.UnsupportedMediaType):
        return 415, "unsupported_media_type", _("Send JSON: Content-Type: application/json."), {}
    return error.status_code, str(error.get_codes()), error.detail, {}


def _describe_refused(error: Refused) -> Description:
    if isinstance(error, NotFound):
        # what was named in the body is in `data`; an address answers the same for all ids
        return 404, "not_found", error.message, dict(error.data)
    if isinstance(error, StaleVersion):
        return 412, error.code, error.message, dict(error.data)
    if isinstance(error, Conflict):
        return 409, error.code, error.message, dict(error.data)
    if isinstance(error, Invalid):
        return 400, error.code, _("The request has errors."), dict(error.data)
    return 409, error.code, error.message, dict(error.data)


def _describe_trouble(error: Exception) -> Description:
    """What the database refused although no check did: never a 500 for what a client sent."""
    if isinstance(error, RequestDataTooBig):
        return 413, "body_too_large", _("The request is too large."), {}
    if isinstance(error, RecursionError):
        return 400, "parse_error", _("This JSON is nested too deeply."), {}
    if isinstance(error, DataError | UnicodeEncodeError):
        return 400, "invalid", _("A value is out of range."), {}
    if isinstance(error, IntegrityError):
        return 409, "conflict", _("This conflicts with what is already there."), {}
    if isinstance(error, OperationalError):
        return 503, "unavailable", _("The database does not answer. Try again shortly."), {}
    return 500, "error", _("Something went wrong here. It has been recorded."), {}


def _headers(error: Exception) -> dict[str, str]:
    headers = {}
    wait = getattr(error, "wait", None)
    if isinstance(wait, int | float):
        headers["Retry-After"] = str(max(1, int(wait)))
    if isinstance(error, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return headers


def _flatten(detail: Any, field: str = "") -> Any:
    """Yield one problem a message from DRF's nested error details."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _flatten(inner, ".".join(filter(None, (field, own))))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _flatten(inner, f"{field}.{index}".lstrip(".") if nested else field)
    else:
        yield {"field": field, "code": getattr(detail, "code", "invalid"), "message": str(detail)}


@csrf_exempt  # it changes nothing, and a refusal for a missing token would be a page
def no_such_address(request: HttpRequest) -> HttpResponse:
    """Answer for every address under ``/api/`` that leads nowhere."""
    return problem_response(404, "not_found", NOT_FOUND)
