"""Read the audit trail of the active tenant."""

from __future__ import annotations

from django.db.models import QuerySet

from tenancy.models import AuditEvent


def audit_events() -> QuerySet[AuditEvent]:
    """Return every event, newest first."""
    return AuditEvent.objects.order_by("-id")
