"""What grows and may go: idempotency keys that nobody will repeat any more."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from tenancy.models import IdempotencyKey

KEEP_KEYS_DAYS = 7


def forget_old_idempotency_keys() -> int:
    """Delete the active tenant's keys older than a week; return how many."""
    oldest = timezone.now() - dt.timedelta(days=KEEP_KEYS_DAYS)
    deleted, _by_model = IdempotencyKey.objects.filter(created_at__lt=oldest).delete()
    return int(deleted)
