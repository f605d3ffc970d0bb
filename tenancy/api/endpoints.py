"""The four shapes of an endpoint, as decorators: listing, reading, writing, and what they share.

A decorated method makes one domain call. The decorator checks the right, filters, pages, validates,
keeps idempotency keys and versions, serializes, and describes all of it in the OpenAPI schema.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tenancy.api import parameters
from tenancy.api.idempotency import once
from tenancy.api.pagination import paginate
from tenancy.api.parameters import Filter
from tenancy.api.problems import VersionMissing
from tenancy.api.schema import page_of, problems
from tenancy.errors import Invalid
from tenancy.permissions import Permission, require_one

Serializer = type[serializers.Serializer[Any]]
Method = Callable[..., Any]


@dataclass(frozen=True)
class Endpoint:
    """What every endpoint declares. ``name`` is its operation id and never changes.

    ``also`` names a second right that is enough by itself.
    """

    name: str
    permission: Permission
    summary: str = ""
    also: Permission | None = None

    def require(self) -> None:
        """Raise ``PermissionRefused`` unless the active actor has one of the rights."""
        require_one(self.permission, self.also or self.permission)


@dataclass(frozen=True)
class Listing:
    """A list: its filters and orders by name; the first order is the usual one."""

    shows: Serializer
    orders: Mapping[str, tuple[str, ...]]
    filters: Mapping[str, Filter] = field(default_factory=dict)


@dataclass(frozen=True)
class Writing:
    """A write. ``key_required``: it moves stock or orders, so it must carry an idempotency key."""

    shows: Serializer
    takes: Serializer | None = None
    status: int = 200
    key_required: bool = False
    versioned: bool = False
    partial: bool = False
    redact: tuple[str, ...] = ()


def listing(endpoint: Endpoint, shape: Listing) -> Callable[[Method], Method]:
    """Make a method that returns a queryset a filtered, ordered, paged list."""

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def handle(view: Any, request: Request, **ids: Any) -> Response:
            endpoint.require()
            asked = parameters.parse(request, shape.filters, shape.orders)
            rows = parameters.apply(method(view, request, **ids), shape.filters, asked)
            page, next_url = paginate(request, rows, asked.order)
            items = shape.shows(page.items, many=True).data
            return Response({"items": items, "next": next_url})

        described = extend_schema(
            operation_id=endpoint.name,
            summary=endpoint.summary or None,
            parameters=parameters.describe(shape.filters, shape.orders),
            responses={200: page_of(shape.shows), **problems(400, 401, 403, 404, 429)},
        )
        return _declare(described(handle), endpoint)

    return decorate


def reading(endpoint: Endpoint, shows: Serializer, **query: Filter) -> Callable[[Method], Method]:
    """Make a method that returns one thing an endpoint; ``version`` becomes its ETag.

    Query parameters named here are parsed and handed to the method as ``asked``.
    """

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def handle(view: Any, request: Request, **ids: Any) -> Response:
            endpoint.require()
            asked = parameters.parse(request, query, {}, paged=False)
            extra = {"asked": asked.values} if query else {}
            return answer(shows, method(view, request, **ids, **extra))

        described = extend_schema(
            operation_id=endpoint.name,
            summary=endpoint.summary or None,
            parameters=parameters.describe(query, {}, paged=False),
            responses={200: shows, **problems(400, 401, 403, 404, 429)},
        )
        return _declare(described(handle), endpoint)

    return decorate


def writing(endpoint: Endpoint, shape: Writing) -> Callable[[Method], Method]:
    """Make a method an idempotent write: it gets ``data`` (and ``version``), returns the result."""

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def handle(view: Any, request: Request, **ids: Any) -> Response:
            endpoint.require()
            parameters.parse(request, {}, {}, paged=False)
            extra: dict[str, Any] = {}
            if shape.versioned:
                extra["version"] = _version(request)
            extra["data"] = _validated(shape, request)

            def effect() -> Response:
                return answer(shape.shows, method(view, request, **ids, **extra), shape.status)

            return once(request, effect, required=shape.key_required, redact=shape.redact)

        codes = [400, 401, 403, 404, 409, 413, 415, 422, 429]
        codes += [412, 428] if shape.versioned else []
        described = extend_schema(
            operation_id=endpoint.name,
            summary=endpoint.summary or None,
            request=shape.takes,
            parameters=_write_headers(shape),
            responses={shape.status: shape.shows, **problems(*codes)},
        )
        return _declare(described(handle), endpoint)

    return decorate


def answer(shows: Serializer, result: Any, status: int = 200) -> Response:
    """Return the result serialized, with its version as ETag if it has one."""
    version = getattr(result, "version", None)
    headers = {} if version is None else {"ETag": f'"{version}"'}
    return Response(shows(result).data, status=status, headers=headers)


def _declare(handle: Method, endpoint: Endpoint) -> Method:
    handle.endpoint = endpoint  # type: ignore[attr-defined]
    return handle


def _validated(shape: Writing, request: Request) -> dict[str, Any]:
    if shape.takes is None:
        if request.data not in ({}, None, ""):
            raise Invalid.field("", "unexpected_body", _("This address takes no body."))
        return {}
    serializer = shape.takes(data=request.data, partial=shape.partial)
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data


def _version(request: Request) -> int:
    text = request.headers.get("If-Match", "")
    if not text:
        message = _("Send the ETag you read as If-Match, so that nobody's change is overwritten.")
        raise VersionMissing(message)
    number = text.strip().removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Invalid.field("If-Match", "invalid", _("Send the ETag exactly as it was read."))
    return int(number)


def _write_headers(shape: Writing) -> list[OpenApiParameter]:
    headers = [
        OpenApiParameter(
            "Idempotency-Key",
            str,
            OpenApiParameter.HEADER,
            required=shape.key_required,
            description="A new random value for each new request; repeat it to repeat safely.",
        )
    ]
    if shape.versioned:
        described = "The ETag that was read."
        headers.append(
            OpenApiParameter(
                "If-Match", str, OpenApiParameter.HEADER, required=True, description=described
            )
        )
    return headers
