"""A signal that a network knows and the tenant has no more: forecast without it, and said so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from forecasting.models import ExternalSignal, NetworkState, SignalValue, TrainedNetwork
from forecasting.pipeline.engine import EngineConfig, fit
from forecasting.queries.series import load_panel
from forecasting.services import artefacts
from tenancy.models import AuditEvent, JobState
from tenancy.services.jobs import run_job_here
from tests.cast import House
from tests.forecasting.world import World, build_world

pytestmark = pytest.mark.django_db(transaction=True)


def weather(world: World, days: int) -> ExternalSignal:
    signal = ExternalSignal.objects.create(name="sunshine", kind="weather", is_known_ahead=True)
    SignalValue.objects.bulk_create(
        SignalValue(signal=signal, day=world.last_day - timedelta(days=back), value=back % 9)
        for back in range(-28, days)
    )
    return signal


def test_the_audit_names_signals_that_say_nothing(
    north: House, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    with north.scope():
        signal = weather(build_world(products=2, days=60), 60)
        demand = load_panel()
        assert demand is not None
        fitted = fit(demand.panel, demand.origin, EngineConfig(networks=()))
        assert "sunshine" in {name for name, _, _ in fitted.plan.signals}
        data = fitted.to_bytes()
        TrainedNetwork.objects.create(
            number=1, state=NetworkState.REJECTED, origin=demand.origin, config={}, league={},
            series_count=2, artefact_path=artefacts.write_artefact(north.tenant, 1, data),
            artefact_sha256=artefacts.sha256(data), artefact_bytes=len(data),
        )  # fmt: skip
    said = []
    for _round in range(2):
        done = run_job_here(tenant=north.tenant, kind="make_forecasts", payload={})
        assert done.state == JobState.DONE, done.reason
        with north.scope():
            event = AuditEvent.objects.filter(action="forecasts.made").latest("id")
            said.append(event.data["silent_signals"])
            SignalValue.objects.all().delete()
            ExternalSignal.objects.filter(pk=signal.pk).delete()
    assert said == [[], ["sunshine"]]
