"""The API's OpenAPI description as it is served: made once per process, format and language.

Making it walks every address and takes seconds of CPU, and anybody may ask for it. What is kept
lives in the process, so new code never answers with an old description; and it is kept under
names of ours alone (four formats, the site's languages), so no caller can make it be made again.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpResponse, HttpResponseNotModified
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import parse_etags
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


@dataclass(frozen=True)
class Description:
    """A description in one format and language, ready to be sent."""

    body: bytes
    etag: str


_kept: dict[tuple[str, str], Description] = {}
_making = threading.Lock()


class ApiDescription(SpectacularAPIView):
    """The OpenAPI description of this API, as YAML or JSON.

    The API's version is part of its addresses, so there is one description: the library's
    parameter ``version``, which would write any text of a caller into it, is not read.
    """

    permission_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Send what is kept; make it first where this process has not yet."""
        renderer = request.accepted_renderer
        description = _description(renderer, _language(request.query_params.get("lang", "")))
        response: HttpResponse
        if description.etag in parse_etags(request.headers.get("If-None-Match", "")):
            response = HttpResponseNotModified()
        else:
            response = HttpResponse(description.body, content_type=renderer.media_type)
            name = f"{settings.SPECTACULAR_SETTINGS['TITLE']}.{renderer.format}"
            response["Content-Disposition"] = f'inline; filename="{name}"'
        response["ETag"] = description.etag
        return response


def _language(asked: str) -> str:
    """Return the language asked for where the site speaks it, else that of the request."""
    if asked in dict(settings.LANGUAGES):
        return asked
    return translation.get_language() or settings.LANGUAGE_CODE


def _description(renderer: BaseRenderer, language: str) -> Description:
    """Return the description; of those who ask at once, one makes it and the others wait."""
    name = (renderer.media_type, language)
    with _making:
        if name not in _kept:
            with translation.override(language):
                generator = SchemaGenerator()  # type: ignore[no-untyped-call]
                schema = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
                body = force_bytes(renderer.render(schema, renderer.media_type, {}))
            _kept[name] = Description(body, f'"{hashlib.sha256(body).hexdigest()}"')
        return _kept[name]
