"""API keys: 256 random bits bound to one tenant, stored as a hash, shown once."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from tenancy.models.base import TenantOwned
from tenancy.models.member import Role, User


class ApiKey(TenantOwned):
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, help_text="The visible start of the key.")
    key_hash = models.CharField(max_length=64, help_text="SHA-256 of the whole key, in hex.")
    role = models.CharField(max_length=16, choices=Role.choices)
    scopes = ArrayField(models.CharField(max_length=32), default=list)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key_hash"], name="api_key_hash_unique")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"
