"""Write the audit trail. Every service that changes something calls ``record`` once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from django.db.models import Model

from tenancy.models import AuditEvent
from tenancy.scope import active_scope


def record(action: str, subject: Model, **data: Any) -> AuditEvent:
    """Record that the active actor did ``action``, e.g. ``purchase_order.placed``, to it."""
    event = _event(action, subject, data)
    event.save()
    return event


def record_each(action: str, told: Sequence[tuple[Model, dict[str, Any]]]) -> None:
    """Record the same action on several subjects, each with its data, in one statement."""
    AuditEvent.objects.bulk_create([_event(action, subject, data) for subject, data in told])


def _event(action: str, subject: Model, data: dict[str, Any]) -> AuditEvent:
    actor = active_scope().actor
    return AuditEvent(
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        subject_kind=type(subject).__name__,
        subject_id=subject.pk,
        data=data,
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", "")),
    )
