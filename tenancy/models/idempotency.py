"""Idempotency keys: the row commits with the effect, so a repetition gets the stored answer."""

from __future__ import annotations

from django.db import models

from tenancy.models.base import TenantOwned


class IdempotencyKey(TenantOwned):
    principal = models.CharField(
        max_length=64, help_text='Who asked, e.g. "user:7" or "api_key:3".'
    )
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(null=True)
    response = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "principal", "key"], name="idempotency_key_unique"
            )
        ]
        indexes = [models.Index(fields=["tenant", "created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"
