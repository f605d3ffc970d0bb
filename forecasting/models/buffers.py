"""Suggested buffers: how many of the last units to keep from a channel."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from forecasting.models.forecasts import ForecastRun
from forecasting.models.replenishment import SuggestionState
from inventory.models import Channel, Product, Warehouse
from inventory.models.fields import quantity_field
from tenancy.models import TenantForeignKey, TenantOwned


class BufferSuggestion(TenantOwned):
    """What to keep of a product from a channel, and what that saves until goods can come again."""

    run = TenantForeignKey(ForecastRun, on_delete=models.PROTECT, related_name="buffers")
    channel = TenantForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    product = TenantForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    warehouse = TenantForeignKey(Warehouse, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(
        max_length=12, choices=SuggestionState.choices, default=SuggestionState.NEW
    )
    buffer = quantity_field()
    buffer_before = quantity_field(default=0, help_text="What was kept when it was suggested.")
    gain = models.FloatField(help_text="Margin expected to be saved until goods can come again.")
    inputs = models.JSONField(help_text="Everything the number came from.")
    decided_by_label = models.CharField(max_length=160, blank=True)
    decided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-gain", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(buffer__gte=0, buffer_before__gte=0), name="buffer_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["new", "accepted", "dismissed", "superseded"]),
                name="buffer_state_known",
            ),
            models.UniqueConstraint(
                fields=["tenant", "product", "warehouse", "channel"],
                condition=Q(state="new"),
                name="buffer_one_open",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-gain", "id"], name="buffer_worklist")]

    def __str__(self) -> str:
        return f"{self.channel_id}: {self.product_id} {self.buffer}"
