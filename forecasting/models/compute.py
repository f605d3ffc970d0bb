"""What forecasting costs: CPU seconds per job, and the tenant's limits."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenancy.models import Job, TenantForeignKey, TenantOwned

NETWORK_NAMES = ("lstm", "gru", "rnn", "cnn", "mlp", "linear", "article")
"""What a tenant can enter into its contest: the networks of the pipeline."""
MOST_NETWORKS = 4
LARGEST_SEED = 1_000_000
LEAST_THRESHOLD, MOST_THRESHOLD = 2, 50


class MissingDays(models.TextChoices):
    """What becomes of days nobody saw; the pipeline's names."""

    DROP = "drop", _("Leave them out")
    MEAN = "mean", _("Fill with the product's mean")
    MEDIAN = "median", _("Fill with the product's median")
    NEAREST = "nearest", _("Fill with the nearest day that was seen")
    MODEL = "model", _("Estimate from the weeks around and the weekday")


class Scaling(models.TextChoices):
    """What a network's demand is divided by; the pipeline's names."""

    LEVEL = "level", _("The product's recent level")
    MEAN = "mean", _("The product's mean")
    STANDARD = "standard", _("The product's standard deviation")
    MIN_MAX = "min_max", _("The product's largest day (min-max)")
    LOG1P = "log1p", _("Nothing: only the logarithm is taken")


def usual_networks() -> list[str]:
    """Return what is trained before anybody chose."""
    return ["lstm", "mlp"]


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
    networks = ArrayField(
        models.CharField(max_length=16), verbose_name=_("networks"), default=usual_networks
    )
    missing_days = models.CharField(
        _("days nobody saw"), max_length=8, choices=MissingDays, default=MissingDays.DROP
    )
    scaling = models.CharField(
        _("demand is read in multiples of"), max_length=8, choices=Scaling, default=Scaling.LEVEL
    )
    outlier_threshold = models.FloatField(
        _("outliers"),
        null=True,
        blank=True,
        default=8.0,
        validators=[MinValueValidator(LEAST_THRESHOLD), MaxValueValidator(MOST_THRESHOLD)],
        help_text=_("Usual deviations above which a day's demand is cut. Empty: never."),
    )
    seed = models.PositiveIntegerField(
        _("seed"), default=0, validators=[MaxValueValidator(LARGEST_SEED)]
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
            models.CheckConstraint(
                condition=Q(networks__contained_by=list(NETWORK_NAMES))
                & Q(networks__len__gte=1)
                & Q(networks__len__lte=MOST_NETWORKS),
                name="forecast_settings_networks",
            ),
            models.CheckConstraint(
                condition=Q(missing_days__in=MissingDays.values),
                name="forecast_settings_missing_days",
            ),
            models.CheckConstraint(
                condition=Q(scaling__in=Scaling.values), name="forecast_settings_scaling"
            ),
            models.CheckConstraint(
                condition=Q(outlier_threshold=None)
                | Q(outlier_threshold__gte=LEAST_THRESHOLD, outlier_threshold__lte=MOST_THRESHOLD),
                name="forecast_settings_outliers",
            ),
            models.CheckConstraint(
                condition=Q(seed__lte=LARGEST_SEED), name="forecast_settings_seed"
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
