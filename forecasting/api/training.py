"""Trained networks: listed with their contest, trained on demand, rolled back."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.models import NetworkState, TrainedNetwork
from forecasting.queries.training import get_network, networks
from forecasting.services.training import request_training, roll_back_network
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
    artefact_sha256 = serializers.CharField()
    trained_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)


class NetworkDetailShown(NetworkShown):
    league = serializers.DictField()
    epochs = serializers.ListField(child=serializers.DictField())
    cleaning = serializers.DictField()
    importance = serializers.ListField(
        child=serializers.DictField(), help_text="Growth of the loss without a feature."
    )


class TrainingOrder(Strict):
    budget_seconds = serializers.FloatField(
        required=False,
        min_value=1,
        max_value=3600,
        help_text="CPU seconds the training may take.",
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


class NetworkRollBack(TenantView):
    @writing(
        Endpoint("roll_back_network", Permission.PLAN, "Put an earlier network back in use"),
        Writing(NetworkShown),
    )
    def post(self, request: Request, network_id: int, *, data: dict[str, Any]) -> Any:
        return roll_back_network(network_id=network_id)
