"""Audit events: who did what to what, written with the change itself, never edited."""

from __future__ import annotations

from django.db import models

from tenancy.models.base import TenantOwned


class AuditEvent(TenantOwned):
    """Example: ``purchase_order.placed``, subject ``PurchaseOrder 17``, data ``{"lines": 3}``."""

    at = models.DateTimeField(db_default=models.functions.Now())
    actor_kind = models.CharField(max_length=16)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=160)
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=64)
    subject_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["tenant", "subject_kind", "subject_id"], name="audit_subject"),
            models.Index(fields=["tenant", "-id"], name="audit_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind} {self.subject_id}"
