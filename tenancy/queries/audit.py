"""Read the audit trail of the active tenant."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from tenancy.models import AuditEvent


def audit_events() -> QuerySet[AuditEvent]:
    """Return every event, newest first."""
    return AuditEvent.objects.order_by("-id")


def events_about(subject_kind: str, subject_id: int) -> QuerySet[AuditEvent]:
    """Return what happened to one row, newest first."""
    return audit_events().filter(subject_kind=subject_kind, subject_id=subject_id)


def search_audit_events(*, text: str = "", subject_kind: str = "") -> QuerySet[AuditEvent]:
    """Return events whose action starts with, or whose actor's name contains, ``text``."""
    rows = audit_events()
    if text:
        rows = rows.filter(Q(action__istartswith=text) | Q(actor_label__icontains=text))
    return rows.filter(subject_kind=subject_kind) if subject_kind else rows
