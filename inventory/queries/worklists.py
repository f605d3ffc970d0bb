"""Who has taken which piece of work."""

from __future__ import annotations

from collections.abc import Collection

from django.utils import timezone

from inventory.models import WorkClaim, WorkKind


def live_claims(kind: WorkKind, subject_ids: Collection[int]) -> dict[int, WorkClaim]:
    """Return the claims that have not lapsed, by subject: one statement for a page of a list."""
    rows = WorkClaim.objects.filter(
        kind=kind, subject_id__in=subject_ids, expires_at__gte=timezone.now()
    )
    return {row.subject_id: row for row in rows}
