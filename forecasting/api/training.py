"""Trained networks: listed with their contest, trained on demand, rolled back."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import ForecastSettings, NetworkState, TrainedNetwork
from forecasting.queries.cleaning import readable_cleaning
from forecasting.queries.compute import forecast_settings, read_spending
from forecasting.queries.training import get_network, networks
from forecasting.services.compute import update_forecast_settings
from forecasting.services.networks import roll_back_network
from forecasting.services.training import request_training, resume_training
from tenancy.api.endpoints import Endpoint, Listing, Writing, listing, reading, writing
from tenancy.api.fields import Shown, Strict
from tenancy.api.jobs import JobShown
from tenancy.api.parameters import choice_filter
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class NetworkShown(Shown[TrainedNetwork]):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=NetworkState.choices)
    origin = serializers.DateField()
    series_count = serializers.IntegerField()
    gate_reason = serializers.CharField()
    cpu_seconds = serializers.FloatField()
    device = serializers.CharField(help_text="CPU, or the model of the GPU it was trained on.")
    artefact_sha256 = serializers.CharField()
    trained_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)


class ClosureShown(serializers.Serializer[Any]):
    warehouse_id = serializers.IntegerField(
        allow_null=True, help_text="Null: all warehouses together."
    )
    days = serializers.ListField(child=serializers.DateField())


class CutShown(serializers.Serializer[Any]):
    product_id = serializers.IntegerField()
    warehouse_id = serializers.IntegerField()
    day = serializers.DateField()
    recorded = serializers.FloatField()
    used = serializers.FloatField()


class CleaningShown(serializers.Serializer[Any]):
    """What older trainings did not keep is left out."""

    series = serializers.IntegerField(required=False)
    days = serializers.IntegerField(required=False)
    series_days = serializers.IntegerField(required=False)
    out_of_stock_days = serializers.IntegerField(required=False)
    closures = ClosureShown(
        many=True, required=False, help_text="Days on which a warehouse sold next to nothing."
    )
    outliers = serializers.IntegerField(required=False, help_text="Values that were cut.")
    outlier_series = serializers.IntegerField(required=False)
    outlier_threshold = serializers.FloatField(
        required=False, allow_null=True, help_text="Robust deviations; null: never cut."
    )
    filled = serializers.IntegerField(required=False, help_text="Unseen days that were filled.")
    missing = serializers.ChoiceField(
        choices=["drop", "mean", "median", "nearest", "model"], required=False
    )
    examples = CutShown(many=True, required=False, help_text="The largest cuts, at most 20.")
    spoiled_series = serializers.IntegerField(required=False)
    left_to_baselines = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="Series by reason."
    )


class NetworkDetailShown(NetworkShown):
    config = serializers.DictField(help_text="The settings of the training.")
    league = serializers.DictField(
        help_text="The contest: scores of every method by class of demand (SPL, RMSSE, MASE, WAPE, "
        "MAE, RMSE, bias, coverage), who serves, who judged."
    )
    epochs = serializers.ListField(child=serializers.DictField())
    cleaning = serializers.SerializerMethodField()
    importance = serializers.ListField(
        child=serializers.DictField(), help_text="Growth of the loss without a feature."
    )

    @extend_schema_field(CleaningShown)
    def get_cleaning(self, network: TrainedNetwork) -> Any:
        return CleaningShown(readable_cleaning(network)).data


class TrainingOrder(Strict):
    budget_seconds = serializers.FloatField(
        required=False,
        min_value=1,
        max_value=3600,
        help_text="CPU seconds the training may take, within the tenant's limits.",
    )


class NetworkList(TenantView):
    @listing(
        Endpoint("list_networks", Permission.READ, "Trained networks"),
        Listing(
            NetworkShown,
            orders={"-number": ("-number",)},
            filters={"state": choice_filter("state", NetworkState.choices)},
        ),
    )
    def get(self, request: Request) -> Any:
        return networks()


class NetworkDetail(TenantView):
    @reading(
        Endpoint("get_network", Permission.READ, "A network with its contest and loss curve"),
        NetworkDetailShown,
    )
    def get(self, request: Request, network_id: int) -> Any:
        return get_network(network_id)


class Training(TenantView):
    @writing(
        Endpoint("train_network", Permission.PLAN, "Queue a training"),
        Writing(JobShown, TrainingOrder, status=202),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return request_training(**data)


class TrainingResumption(TenantView):
    @writing(
        Endpoint("resume_training", Permission.PLAN, "Go on with a cancelled or failed training"),
        Writing(JobShown, status=202),
    )
    def post(self, request: Request, job_id: int, *, data: dict[str, Any]) -> Any:
        return resume_training(job_id=job_id)


class LimitsShown(serializers.Serializer[Any]):
    cpu_minutes_per_month = serializers.IntegerField(allow_null=True)
    training_seconds = serializers.IntegerField(allow_null=True)
    training_minutes_spent = serializers.FloatField(help_text="CPU minutes of this month.")
    minutes_spent = serializers.FloatField(help_text="Forecasts and explanations included.")
    version = serializers.IntegerField()


class NewLimits(Strict):
    cpu_minutes_per_month = serializers.IntegerField(
        allow_null=True, min_value=0, max_value=100_000
    )
    training_seconds = serializers.IntegerField(
        allow_null=True,
        min_value=5,
        max_value=3600,
        help_text="The most that any training takes, whoever asks for it.",
    )


class Limits(TenantView):
    @reading(
        Endpoint("get_training_limits", Permission.READ, "What training costs and may cost"),
        LimitsShown,
    )
    def get(self, request: Request) -> Any:
        return _limits(forecast_settings())

    @writing(
        Endpoint("set_training_limits", Permission.APPROVE, "Limit what training may cost"),
        Writing(LimitsShown, NewLimits, versioned=True),
    )
    def put(self, request: Request, *, data: dict[str, Any], version: int) -> Any:
        return _limits(update_forecast_settings(**data, version=version))


def _limits(known: ForecastSettings) -> dict[str, Any]:
    spending = read_spending()
    return {
        "cpu_minutes_per_month": known.cpu_minutes_per_month,
        "training_seconds": known.training_seconds,
        "training_minutes_spent": spending.training,
        "minutes_spent": spending.everything,
        "version": known.version,
    }


class NetworkRollBack(TenantView):
    @writing(
        Endpoint("roll_back_network", Permission.PLAN, "Put an earlier network back in use"),
        Writing(NetworkShown),
    )
    def post(self, request: Request, network_id: int, *, data: dict[str, Any]) -> Any:
        return roll_back_network(network_id=network_id)
