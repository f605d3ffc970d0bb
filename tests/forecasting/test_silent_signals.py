"""A signal that a network knows and the tenant has no more: forecast without it, and said so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from forecasting.models import (
    ExternalSignal,
    ForecastRun,
    NetworkState,
    SignalValue,
    TrainedNetwork,
)
from forecasting.pipeline.engine import EngineConfig, fit
from forecasting.queries.series import load_panel
from forecasting.services import artefacts
from forecasting.services.signals import set_known_ahead
from tenancy.models import AuditEvent, JobState
from tenancy.services.jobs import run_job_here
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast

pytestmark = pytest.mark.django_db(transaction=True)


PAGES = ("forecasts/", "signals/")


def weather(world: World, days: int) -> ExternalSignal:
    signal = ExternalSignal.objects.create(name="sunshine", kind="weather", is_known_ahead=True)
    SignalValue.objects.bulk_create(
        SignalValue(signal=signal, day=world.last_day - timedelta(days=back), value=back % 9)
        for back in range(-28, days)
    )
    return signal


def test_run_and_audit_name_signals_that_say_nothing(
    north: House, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    with north.scope():
        signal = weather(build_world(products=2, days=60), 60)
        demand = load_panel()
        assert demand is not None
        fitted = fit(demand.panel, demand.origin, EngineConfig(networks=()))
        assert "sunshine" in {one.name for one in fitted.plan.signals}
        data = fitted.to_bytes()
        TrainedNetwork.objects.create(
            number=1, state=NetworkState.REJECTED, origin=demand.origin, config={}, league={},
            series_count=2, artefact_path=artefacts.write_artefact(north.tenant, 1, data),
            artefact_sha256=artefacts.sha256(data), artefact_bytes=len(data),
        )  # fmt: skip
    said = []
    for _round in range(3):
        done = run_job_here(tenant=north.tenant, kind="make_forecasts", payload={})
        assert done.state == JobState.DONE, done.reason
        with north.scope():
            event = AuditEvent.objects.filter(action="forecasts.made").latest("id")
            said.append(event.data["silent_signals"])
            assert ForecastRun.objects.latest("id").silent_signals == said[-1]
            if len(said) == 1:
                set_known_ahead(external_signal_id=signal.pk, is_known_ahead=False)
            else:
                SignalValue.objects.all().delete()
                ExternalSignal.objects.filter(pk=signal.pk).delete()
    assert said == [[], ["sunshine"], ["sunshine"]]


def test_pages_and_api_name_what_the_network_misses(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=5)
        run = flat_forecast(world, 2.0)
        run.silent_signals = ["sunshine", "petrol <price>"]
        run.save()
    client, api = north.client("viewer"), by_key(north, "viewer")
    where = f"forecasts/{world.products[0].pk}/{world.warehouse.pk}"

    def told() -> list[bool]:
        pages = [client.get(north.path(page)).content.decode() for page in PAGES]
        return [
            "The network misses signals" in text and "sunshine, petrol &lt;price&gt;" in text
            for text in pages
        ]

    # a simple method listens to no signal: it misses none
    assert told() == [False, False]
    assert api.get(where).json()["silent_signals"] == []
    with north.scope():
        run.network = TrainedNetwork.objects.create(
            number=1, state=NetworkState.PUBLISHED, origin=run.origin, config={}, league={},
            series_count=1, artefact_bytes=0,
        )  # fmt: skip
        run.save()
    assert told() == [True, True]
    assert api.get(where).json()["silent_signals"] == ["sunshine", "petrol <price>"]


def test_the_page_of_a_signal_tells_what_the_network_makes_of_it_not_being_known_ahead(
    north: House,
) -> None:
    with north.scope():
        world = build_world(products=1, days=5)
        signal = weather(world, 5)
        set_known_ahead(external_signal_id=signal.pk, is_known_ahead=False)
        run = flat_forecast(world, 2.0)
        run.network = TrainedNetwork.objects.create(
            number=1, state=NetworkState.PUBLISHED, origin=run.origin, config={}, league={},
            series_count=1, artefact_bytes=0,
            importance=[{"network": "lstm", "feature": "signal:sunshine", "increase": 0.1,
                         "spread": 0.0}],
        )  # fmt: skip
        run.save()
    page, client = north.path(f"signals/{signal.pk}/"), north.client("viewer")
    assert "it reads the past ones" in client.get(page).content.decode()
    run.silent_signals = ["sunshine"]
    with north.scope():
        run.save()
    assert "which are not known any more" in client.get(page).content.decode()
