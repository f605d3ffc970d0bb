"""Who has taken which piece of work."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone

from inventory.models import WorkClaim, WorkKind
from tenancy.scope import active_scope

M = TypeVar("M", bound=Model)


MINE, FREE = "mine", "free"


def claims() -> QuerySet[WorkClaim]:
    """Return the claims that have not lapsed, the oldest first."""
    return WorkClaim.objects.filter(expires_at__gte=timezone.now()).order_by("id")


def live_claims(kind: WorkKind, subject_ids: Collection[int]) -> dict[int, WorkClaim]:
    """Return the claims that have not lapsed, by subject: one statement for a page of a list."""
    rows = WorkClaim.objects.filter(
        kind=kind, subject_id__in=subject_ids, expires_at__gte=timezone.now()
    )
    return {row.subject_id: row for row in rows}


def of_assignee(rows: QuerySet[M], kind: WorkKind, assignee: str) -> QuerySet[M]:
    """Keep the work that the active person has taken (``mine``), or that nobody has (``free``)."""
    taken = claims().filter(kind=kind, subject_id=OuterRef("pk"))
    if assignee == MINE:
        actor = active_scope().actor
        return rows.filter(Exists(taken.filter(actor_kind=actor.kind, actor_id=actor.id)))
    return rows.filter(~Exists(taken)) if assignee == FREE else rows
