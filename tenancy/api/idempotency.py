"""Repeat without fear: a write with an ``Idempotency-Key`` happens once, however often it is sent.

The key's row, with the request's hash and the answer, commits in the transaction of the effect. A
second request with the same key waits for the first on the unique index, then gets its answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.db import connection, transaction
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from tenancy.api.problems import (
    ApiProblem,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    StillRunning,
)
from tenancy.models import IdempotencyKey
from tenancy.scope import active_scope
from tenancy.services.idempotency import FirstRequestStillRunning, claim_key, remembered

LONGEST_KEY = 255
REDACTED = "(shown once)"


def once(
    request: Request,
    effect: Callable[[], Response],
    *,
    required: bool,
    redact: tuple[str, ...] = (),
) -> Response:
    """Run ``effect`` in a savepoint, at most once a key; refusals are not remembered.

    ``redact`` names members of the answer that are never stored (a secret shown once). Raises
    ``IdempotencyKeyMissing`` (400), ``IdempotencyKeyReused`` (422), ``StillRunning`` (409).
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key and not required:
        return _checked(effect)
    _check_key(key)
    with transaction.atomic():
        row = _take(request, key)
        if row is None:
            return _replay(request, key)
        response = _checked(effect)
        stored = {
            name: REDACTED if name in redact else value for name, value in response.data.items()
        }
        row.status_code = response.status_code
        row.response = {"body": stored, "etag": response.headers.get("ETag")}
        row.save(update_fields=["status_code", "response"])
    return response


def _checked(effect: Callable[[], Response]) -> Response:
    with transaction.atomic():
        response = effect()
        # deferred foreign keys speak here, where the answer can still be a problem body
        connection.check_constraints()
    return response


def _check_key(key: str) -> None:
    if not key:
        message = _("Send an Idempotency-Key header: a new random value for each new request.")
        raise IdempotencyKeyMissing(message)
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        message = _("An Idempotency-Key has at most %(most)d printable ASCII characters.")
        raise ApiProblem(message % {"most": LONGEST_KEY})


def _principal() -> str:
    actor = active_scope().actor
    return f"{actor.kind}:{actor.id}"


def _request_hash(request: Request) -> str:
    digest = hashlib.sha256()
    for part in (request.method or "", request.get_full_path()):
        digest.update(part.encode("utf-8", "replace") + b"\n")
    digest.update(request._request.body)  # noqa: SLF001 - the bytes as they were sent
    return digest.hexdigest()


def _take(request: Request, key: str) -> IdempotencyKey | None:
    """Claim the key's row; None when it is taken by an earlier request that has committed."""
    try:
        return claim_key(principal=_principal(), key=key, request_hash=_request_hash(request))
    except FirstRequestStillRunning:
        message = _("The first request with this key is still running. Ask again shortly.")
        raise StillRunning(message) from None


def _replay(request: Request, key: str) -> Response:
    row = remembered(principal=_principal(), key=key)
    if row.request_hash != _request_hash(request):
        message = _("This Idempotency-Key was used for another request. Take a new one.")
        raise IdempotencyKeyReused(message)
    stored = row.response or {}
    headers = {"Idempotent-Replayed": "true"}
    if stored.get("etag"):
        headers["ETag"] = stored["etag"]
    return Response(stored.get("body"), status=row.status_code, headers=headers)
