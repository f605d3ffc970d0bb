"""The rows of idempotency keys: the first request with a key claims its row, a repeat finds it."""

from __future__ import annotations

from django.db import IntegrityError, OperationalError, connection, transaction

from tenancy.models import IdempotencyKey

LOCK_NOT_AVAILABLE = "55P03"
WAIT = "3s"


class FirstRequestStillRunning(RuntimeError):
    """The first request with this key has neither committed nor failed yet."""


def claim_key(*, principal: str, key: str, request_hash: str) -> IdempotencyKey | None:
    """Insert the key's row; None when an earlier request that has committed holds it.

    Waits for an earlier one that is still running, then raises ``FirstRequestStillRunning``.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAIT])
            row: IdempotencyKey = IdempotencyKey.objects.create(
                principal=principal, key=key, request_hash=request_hash
            )
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
            return row
    except IntegrityError:
        return None
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        raise FirstRequestStillRunning(key) from None


def remembered(*, principal: str, key: str) -> IdempotencyKey:
    """Return the row of a key that was claimed before."""
    row: IdempotencyKey = IdempotencyKey.objects.get(principal=principal, key=key)
    return row
