"""What networks are trained, and how."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import ForecastSettings, MissingDays, Scaling
from forecasting.models.compute import (
    LARGEST_SEED,
    LEAST_THRESHOLD,
    MOST_NETWORKS,
    MOST_THRESHOLD,
    NETWORK_NAMES,
)
from forecasting.queries.compute import forecast_settings
from forecasting.services.training_choices import TrainingChoices, change_training_choices
from tenancy.api.endpoints import Endpoint, Writing, reading, writing
from tenancy.api.fields import Shown, Strict
from tenancy.api.views import TenantView
from tenancy.permissions import Permission

NETWORKS_HELP = "Trained and judged together; `article` is a preset of the LSTM."
MISSING_HELP = "What becomes of days nobody saw: out of stock, closed, without a usable value."
SCALING_HELP = "What a product's demand is divided by before a network reads it."
OUTLIERS_HELP = "Usual deviations above which a day's demand is cut; null: never."


class ChoicesShown(Shown[ForecastSettings]):
    networks = serializers.ListField(child=serializers.CharField(), help_text=NETWORKS_HELP)
    missing_days = serializers.ChoiceField(choices=MissingDays.choices, help_text=MISSING_HELP)
    outlier_threshold = serializers.FloatField(allow_null=True, help_text=OUTLIERS_HELP)
    scaling = serializers.ChoiceField(choices=Scaling.choices, help_text=SCALING_HELP)
    seed = serializers.IntegerField()
    version = serializers.IntegerField()


class NewChoices(Strict):
    networks = serializers.ListField(
        child=serializers.ChoiceField(choices=NETWORK_NAMES),
        min_length=1,
        max_length=MOST_NETWORKS,
        help_text=NETWORKS_HELP,
    )
    missing_days = serializers.ChoiceField(choices=MissingDays.choices, help_text=MISSING_HELP)
    outlier_threshold = serializers.FloatField(
        allow_null=True,
        min_value=LEAST_THRESHOLD,
        max_value=MOST_THRESHOLD,
        help_text=OUTLIERS_HELP,
    )
    scaling = serializers.ChoiceField(choices=Scaling.choices, help_text=SCALING_HELP)
    seed = serializers.IntegerField(min_value=0, max_value=LARGEST_SEED)


class Choices(TenantView):
    @reading(
        Endpoint("get_training_choices", Permission.READ, "What networks are trained, and how"),
        ChoicesShown,
    )
    def get(self, request: Request) -> Any:
        return forecast_settings()

    @writing(
        Endpoint("set_training_choices", Permission.APPROVE, "Choose what is trained from now on"),
        Writing(ChoicesShown, NewChoices, versioned=True),
    )
    def put(self, request: Request, *, data: dict[str, Any], version: int) -> Any:
        choices = TrainingChoices(**data | {"networks": tuple(data["networks"])})
        return change_training_choices(choices=choices, version=version)
