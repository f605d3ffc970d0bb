"""Forecasts of a tenant: who serves, what is stored, what is refused, what channels add up to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage

from forecasting.models import ForecastRun, NetworkState, SeriesForecast, TrainedNetwork
from forecasting.pipeline.parts import recent_shares, reconcile
from forecasting.queries import series
from forecasting.queries.forecasts import latest_run, read_arrays
from forecasting.queries.parts import parts_of
from forecasting.queries.series import load_panel
from forecasting.services import forecasts
from inventory.models import Channel, CustomerSegment, DailyDemand, Product
from tenancy.models import Job, JobState
from tenancy.services.jobs import run_job_here
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.world import build_world, flat_forecast, sell, stock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


def forecast(house: House) -> Job:
    return run_job_here(tenant=house.tenant, kind="make_forecasts", payload={})


def train(house: House) -> TrainedNetwork:
    run_job_here(tenant=house.tenant, kind="train_network", payload={"budget_seconds": 1})
    with house.scope():
        return TrainedNetwork.objects.get()


def test_without_demand_there_is_nothing_to_forecast(north: House) -> None:
    job = forecast(north)
    assert job.state == JobState.FAILED
    assert "no demand yet" in job.reason


def test_without_a_network_a_baseline_serves_and_says_so(north: House) -> None:
    with north.scope():
        world = build_world(products=3)
    assert forecast(north).state == JobState.DONE
    with north.scope():
        run = ForecastRun.objects.get()
        assert run.network is None
        assert run.origin == world.last_day
        rows = list(SeriesForecast.objects.all())
        assert {row.reason for row in rows} == {"no_network"}
        assert all(len(row.mean) == 28 and len(row.quantile_values) == 28 * 19 for row in rows)
        # about 6 a day, half as many again on Saturdays: 28 days x 6 x 7.5/7 = 180
        assert all(140 < row.total_mean < 220 for row in rows)


def test_arrays_come_back_as_they_were_stored(north: House) -> None:
    with north.scope():
        build_world(products=3)
    forecast(north)
    with north.scope():
        run = latest_run()
        assert run is not None
        arrays = read_arrays(run)
        row = SeriesForecast.objects.get(product_id=arrays.keys[1].product_id)
        np.testing.assert_allclose(arrays.mean[1], row.mean)
        np.testing.assert_allclose(arrays.quantiles[1].ravel(), row.quantile_values)
        assert (np.diff(arrays.quantiles, axis=2) >= 0).all()


def test_the_published_network_serves(north: House) -> None:
    with north.scope():
        build_world()
    network = train(north)
    with north.scope():
        # whatever the gate thought of one second of training: the artefact itself must serve
        TrainedNetwork.objects.update(state=NetworkState.PUBLISHED)
    forecast(north)
    with north.scope():
        run = ForecastRun.objects.get()
        served = forecasts.artefacts.read_artefact(network)
        assert run.network_id == (network.pk if served.members else None)
        assert set(run.methods) == {b.label() for b in served.contest.blends.values()}


def test_a_damaged_artefact_is_refused_and_a_baseline_serves_with_the_reason(north: House) -> None:
    with north.scope():
        build_world()
    network = train(north)
    Path(default_storage.path(network.artefact_path)).write_bytes(b"STOCKNET rubbish")
    forecast(north)
    with north.scope():
        run = ForecastRun.objects.get()
        assert run.network is None
        assert {row.reason for row in run.series.all()} == {"artefact_refused"}


def test_another_tenants_artefact_in_its_place_is_refused(north: House, south: House) -> None:
    for house in (north, south):
        with house.scope():
            build_world()
    mine, theirs = train(north), train(south)
    stolen = Path(default_storage.path(theirs.artefact_path)).read_bytes()
    Path(default_storage.path(mine.artefact_path)).write_bytes(stolen)
    forecast(north)
    with north.scope():
        assert set(SeriesForecast.objects.values_list("reason", flat=True)) == {"artefact_refused"}


def test_channels_and_segments_add_up_to_the_forecast_of_all(north: House) -> None:
    with north.scope():
        world = build_world(products=2, days=60)
        segments = [CustomerSegment.objects.create(code=c, name=c.title()) for c in ("pro", "home")]
        for code, segment in zip(("web", "store"), segments, strict=True):
            channel = Channel.objects.create(code=code, name=code.title())
            sell(
                world.products,
                world.warehouse,
                days=60,
                mean=3,
                last=world.last_day,
                channel=channel,
            )
            DailyDemand.objects.filter(channel=channel).update(segment=segment)
    forecast(north)
    with north.scope():
        for product in world.products:
            series = SeriesForecast.objects.get(product=product, channel=None)
            parts = parts_of(series)
            for kind in ("channel", "segment"):
                own = [one for one in parts if one.kind == kind]
                # half of the demand has no channel: 6 a day of 12, and 3 for each of the two
                assert len(own) == 3
                assert own[-1].part_id is None
                assert 0.4 < own[-1].share < 0.6
                days = np.sum([one.mean for one in own], axis=0)
                np.testing.assert_allclose(days, series.mean, atol=2e-4)
                assert sum(one.share for one in own) == pytest.approx(1, abs=1e-6)
    page = north.client("viewer").get(
        north.path(f"forecasts/{world.products[0].pk}/{world.warehouse.pk}/")
    )
    assert b"Who will ask for it" in page.content
    told = by_key(north, "viewer").get(
        f"forecasts/{world.products[0].pk}/{world.warehouse.pk}/parts"
    )
    assert {one["name"] for one in told.json()["parts"]} == {"Web", "Store", "Pro", "Home", ""}


def test_parts_share_a_total_exactly_also_where_none_of_them_expects_anything() -> None:
    owner = np.array([0, 0, 1, 1, -1])
    mean = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0], [0.0, 2.0], [7.0, 7.0]])
    total = np.array([[8.0, 4.0], [6.0, 0.0]])
    shares = recent_shares(
        np.array([[np.nan, 1.0], [np.nan, 3.0], [5.0, 0], [0, 0], [1.0, 1.0]]), owner
    )
    np.testing.assert_allclose(shares, [0.25, 0.75, 1, 0, 1])
    found, quantiles = reconcile(mean, np.ones((5, 2, 19)), owner, total, shares)
    # 8 as 1 to 3; 4 by the shares 1/4 and 3/4; 6 by the shares 1 and 0; 0 as 2 to 2
    np.testing.assert_allclose(found, [[2, 1], [6, 3], [6, 0], [0, 0], [7, 7]])
    np.testing.assert_allclose(quantiles[0, :, 0], [2, 1])
    np.testing.assert_allclose(quantiles[2, 1, 0], 0.2)  # never scaled by more than a fifth


def test_a_job_that_runs_again_makes_no_second_forecast(north: House) -> None:
    with north.scope():
        build_world(products=2, days=40)
    job = forecast(north)
    from tenancy.services.jobs import run_job

    with north.scope():
        Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)
    run_job(job)
    with north.scope():
        assert ForecastRun.objects.count() == 1


def test_products_out_of_use_are_not_forecast_and_unsold_stock_is(north: House) -> None:
    with north.scope():
        world = build_world(products=3, days=40)
        world.products[0].is_active = False
        world.products[0].save()
        unsold = Product.objects.create(sku="P-900", name="Never sold")
        world.products.append(unsold)
        stock(world, {"P-900": 5})
    forecast(north)
    with north.scope():
        skus = set(SeriesForecast.objects.values_list("product__sku", flat=True))
        assert skus == {"P-002", "P-003", "P-900"}
        assert SeriesForecast.objects.get(product=unsold).total_mean == 0


def test_days_out_of_stock_are_masked_not_zero(
    in_north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build_world(products=2, days=40)
    gone = [world.last_day - timedelta(days=back) for back in (3, 4)]
    monkeypatch.setattr(
        series,
        "out_of_stock_days",
        lambda first, last: [(world.products[1].pk, world.warehouse.pk, gone)],
    )
    demand = load_panel()
    assert demand is not None
    assert demand.panel.observed[0].all()
    assert list(np.flatnonzero(~demand.panel.observed[1])) == [35, 36]


def test_only_the_last_runs_keep_their_arrays(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasts, "KEPT_ORIGINS", 2)
    with north.scope():
        world = build_world(products=1, days=140)
        old = flat_forecast(world, 6.0, origin=world.last_day - timedelta(days=70))
        before = flat_forecast(world, 6.0, origin=world.last_day - timedelta(days=1))
        ForecastRun.objects.update(simple_forecaster=b"sealed")
    for _ in range(2):
        forecast(north)
    with north.scope():
        runs = ForecastRun.objects.order_by("id")
        assert [run.pk for run in runs[:2]] == [old.pk, before.pk]
        # the first of two with one origin is replaced by the second
        assert [run.series.count() for run in runs] == [0, 1, 0, 1]
        assert [run.simple_forecaster is not None for run in runs] == [False, True, False, True]
