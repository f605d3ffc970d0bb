"""Tuning: a search for better settings, its trials, and what the next training uses."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from forecasting.queries.compute import forecast_settings
from forecasting.queries.tuning import TrialShown as Trial, read_trials, searches, tuned_settings
from forecasting.services.tuning import (
    LEAST_MINUTES,
    MOST_MINUTES,
    NETWORKS,
    forget_settings,
    request_tuning,
    use_settings,
)
from tenancy.api.endpoints import Endpoint, Writing, reading, writing
from tenancy.api.fields import IdField, Strict
from tenancy.api.jobs import JobShown
from tenancy.api.views import TenantView
from tenancy.permissions import Permission


class TrialShown(serializers.Serializer[Trial]):
    number = serializers.IntegerField()
    settings = serializers.DictField()
    state = serializers.CharField(help_text="complete, pruned or diverged")
    loss = serializers.FloatField(allow_null=True, help_text="On the weeks held out.")
    epochs = serializers.IntegerField()
    cpu_seconds = serializers.FloatField()
    gain = serializers.FloatField(allow_null=True, help_text="Loss saved against the usual.")
    is_best = serializers.BooleanField()


class TuningShown(serializers.Serializer[Any]):
    job_id = serializers.IntegerField(allow_null=True)
    state = serializers.CharField(allow_null=True)
    network = serializers.CharField(allow_null=True)
    trials = TrialShown(many=True)
    in_use = serializers.DictField(help_text="Settings of the next training, by network.")


class TuningOrder(Strict):
    budget_minutes = serializers.IntegerField(min_value=LEAST_MINUTES, max_value=MOST_MINUTES)
    network = serializers.ChoiceField(
        choices=NETWORKS,
        required=False,
        help_text="One that takes part in your trainings; without it, the first of them.",
    )


class ChosenTrial(Strict):
    job_id = IdField()
    number = serializers.IntegerField(min_value=0, max_value=1000)


class UsualNetwork(Strict):
    network = serializers.ChoiceField(choices=NETWORKS)


class Tuning(TenantView):
    @reading(
        Endpoint("get_tuning", Permission.READ, "The newest search with its trials"), TuningShown
    )
    def get(self, request: Request) -> Any:
        return _shown()

    @writing(
        Endpoint("tune_network", Permission.APPROVE, "Queue a search for better settings"),
        Writing(JobShown, TuningOrder, status=202),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        return request_tuning(**data)


class TuningUse(TenantView):
    @writing(
        Endpoint("use_tuned_settings", Permission.APPROVE, "Train with the settings of a trial"),
        Writing(TuningShown, ChosenTrial),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        use_settings(**data)
        return _shown()


class TuningForget(TenantView):
    @writing(
        Endpoint("forget_tuned_settings", Permission.APPROVE, "Train with the usual settings"),
        Writing(TuningShown, UsualNetwork),
    )
    def post(self, request: Request, *, data: dict[str, Any]) -> Any:
        forget_settings(**data)
        return _shown()


def _shown() -> dict[str, Any]:
    found = searches()
    job = found[0] if found else None
    return {
        "job_id": job.pk if job else None,
        "state": job.state if job else None,
        "network": job.payload.get("network") if job else None,
        "trials": read_trials(job) if job else [],
        "in_use": {
            name: one["settings"] for name, one in tuned_settings(forecast_settings()).items()
        },
    }
