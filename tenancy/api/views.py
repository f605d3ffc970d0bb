"""The base of every API view: tenant from the path, credentials, limits, default deny."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotAuthenticated
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenancy.api import schema  # noqa: F401 - registers the security schemes
from tenancy.api.authentication import ApiKeyAuthentication, MemberSessionAuthentication
from tenancy.api.problems import BodyTooLarge, Unsupported
from tenancy.api.throttling import throttle
from tenancy.scope import active_scope

HTTP_METHODS = ("get", "post", "put", "patch", "delete")
TENANT = OpenApiParameter("tenant", str, OpenApiParameter.PATH, description="The tenant's slug.")


class AlwaysJson(BaseContentNegotiation):
    """There is one representation; an Accept header changes nothing."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        for parser in parsers:
            if request.content_type.split(";")[0].strip().lower() == parser.media_type:
                return parser  # type: ignore[no-any-return]
        return None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


@extend_schema(parameters=[TENANT])
class TenantView(APIView):
    """A view under ``/api/v1/<tenant>/``. Its methods are decorated with an endpoint's shape."""

    authentication_classes: ClassVar[list[type[BaseAuthentication]]] = [  # type: ignore[misc]
        ApiKeyAuthentication,
        MemberSessionAuthentication,
    ]
    permission_classes: ClassVar[list[Any]] = []  # type: ignore[misc]
    content_negotiation_class = AlwaysJson

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a method that declares no endpoint, and so no right: default deny."""
        super().__init_subclass__(**options)
        for name in HTTP_METHODS:
            method = cls.__dict__.get(name)
            if method is not None and not hasattr(method, "endpoint"):
                raise TypeError(f"{cls.__name__}.{name} declares no endpoint")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check size and format, recognise the caller, count the call."""
        self._check_body(request)
        super().initial(request, *args, **kwargs)
        if active_scope().actor.kind == "anonymous":
            raise NotAuthenticated
        throttle()

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("tenant")
        return super().dispatch(request, *args, **kwargs)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer OPTIONS like any method that is not allowed: the schema tells more."""
        return self.http_method_not_allowed(request, *args, **kwargs)

    def _check_body(self, request: Request) -> None:
        message = _("A request has at most %(most)d bytes.") % {"most": settings.API_MOST_BYTES}
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > settings.API_MOST_BYTES:
            raise BodyTooLarge(message)
        # read once: hashed for idempotency, parsed, and read again when the transaction repeats
        body = request._request.body  # noqa: SLF001
        if len(body) > settings.API_MOST_BYTES:
            raise BodyTooLarge(message)
        charset = (request._request.content_params or {}).get("charset", "utf-8")  # noqa: SLF001
        if charset.lower() not in {"utf-8", "utf8"}:
            raise Unsupported(_("Send JSON as UTF-8."))
