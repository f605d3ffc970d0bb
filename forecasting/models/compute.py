"""What forecasting costs: CPU seconds per job, and the tenant's limits."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenancy.models import Job, TenantForeignKey, TenantOwned


class ForecastSettings(TenantOwned):
    """One row per tenant, made when it is first needed."""

    cpu_minutes_per_month = models.PositiveIntegerField(
        _("CPU minutes a month"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(100_000)],
        help_text=_("For training. Empty: no limit."),
    )
    training_seconds = models.PositiveIntegerField(
        _("CPU seconds of one training"),
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(3600)],
        help_text=_("Fewer seconds, fewer steps. Empty: as many as the data are worth."),
    )
    tuned = models.JSONField(
        default=dict,
        editable=False,
        help_text="By network: settings of a trial, its job and its number.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta(TenantOwned.Meta):
        verbose_name_plural = _("forecast settings")
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="forecast_settings_one"),
            models.CheckConstraint(
                condition=Q(training_seconds=None) | Q(training_seconds__gte=5),
                name="forecast_settings_seconds",
            ),
        ]

    def __str__(self) -> str:
        return "Forecast settings"


class ComputeCost(TenantOwned):
    """CPU seconds of one attempt of a job, however it ended."""

    job = TenantForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=40)
    cpu_seconds = models.FloatField()
    spent_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["tenant", "kind", "spent_at"], name="compute_cost_month")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.cpu_seconds:.0f} s"
