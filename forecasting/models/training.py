"""Trained networks: what was learned, from what, how well, and where the weights lie."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenancy.models import Job, TenantForeignKey, TenantOwned


class NetworkState(models.TextChoices):
    PUBLISHED = "published", _("Published")
    REJECTED = "rejected", _("Rejected by the gate")
    RETIRED = "retired", _("Retired")


class TrainedNetwork(TenantOwned):
    """``rejected`` networks stay for the record; a baseline serves instead of them."""

    number = models.PositiveIntegerField(help_text="1, 2, 3 ... per tenant.")
    state = models.CharField(max_length=12, choices=NetworkState.choices)
    job = TenantForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    origin = models.DateField(help_text="Last day it has seen.")
    config = models.JSONField()
    series_count = models.PositiveIntegerField()
    artefact_path = models.CharField(max_length=255)
    artefact_sha256 = models.CharField(max_length=64)
    artefact_bytes = models.BigIntegerField()
    league = models.JSONField(help_text="Backtest scores per contestant and demand class.")
    epochs = models.JSONField(default=list, help_text="Loss curve.")
    cleaning = models.JSONField(default=dict, help_text="What cleaning changed.")
    importance = models.JSONField(
        default=list, help_text="Loss without a feature, per network, on the days held out."
    )
    gate_reason = models.CharField(max_length=200, blank=True)
    cpu_seconds = models.FloatField(default=0)
    device = models.CharField(
        max_length=80, blank=True, help_text="CPU, or the model of the GPU it was trained on."
    )
    trained_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="network_number_unique"),
            models.UniqueConstraint(
                fields=["tenant"],
                condition=models.Q(state="published"),
                name="network_one_published",
            ),
            # A job publishes at most one network, however often it is retried.
            models.UniqueConstraint(fields=["tenant", "job"], name="network_one_per_job"),
        ]

    def __str__(self) -> str:
        return f"Network {self.number}"
