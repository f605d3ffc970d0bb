"""Where demand comes from: channels, customers and their segments."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenancy.models import TenantForeignKey, TenantOwned


class ChannelKind(models.TextChoices):
    ONLINE = "online", _("Online")
    OFFLINE = "offline", _("Offline")


class Channel(TenantOwned):
    code = models.CharField(max_length=32)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=ChannelKind.choices, default=ChannelKind.OFFLINE)
    is_active = models.BooleanField(default=True)

    class Meta(TenantOwned.Meta):
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="channel_code_unique")
        ]

    def __str__(self) -> str:
        return self.name


class CustomerSegment(TenantOwned):
    code = models.CharField(max_length=32)
    name = models.CharField(max_length=120)

    class Meta(TenantOwned.Meta):
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="segment_code_unique")
        ]

    def __str__(self) -> str:
        return self.name


class Customer(TenantOwned):
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=160)
    country = models.CharField(max_length=80, blank=True)
    segment = TenantForeignKey(
        CustomerSegment, on_delete=models.PROTECT, null=True, blank=True, related_name="customers"
    )
    is_active = models.BooleanField(default=True)

    class Meta(TenantOwned.Meta):
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="customer_code_unique")
        ]

    def __str__(self) -> str:
        return self.name
