"""Forecasts of groups: stored with every run, the sum of their parts, shown to whom they concern."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from forecasting.models import ForecastRun, GroupForecast, SeriesForecast
from forecasting.queries.groups import changed_groups, groups_in_use, read_group_fan
from forecasting.queries.series import business_today
from forecasting.services.overrides import OverrideWish, create_override
from inventory.models import Category, Product
from inventory.services.places import create_warehouse
from tenancy.models import JobState
from tenancy.services.jobs import run_job_here
from tests.api.calls import by_key
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast, sell

pytestmark = pytest.mark.django_db(transaction=True)


def forecast(house: House) -> World:
    """Four products in two categories and two warehouses, forecast by rules."""
    with house.scope():
        world = build_world(products=4, days=60)
        other = create_warehouse(code="W2", name="Second", country="DE")
        sell(world.products[:2], other, days=60, mean=3.0, last=world.last_day)
        toys = Category.objects.create(name="Toys")
        world.products[3].category = toys
        world.products[3].save()
    done = run_job_here(tenant=house.tenant, kind="make_forecasts", payload={})
    assert done.state == JobState.DONE, done.reason
    return world


def test_every_group_is_the_sum_of_its_parts_day_by_day(north: House) -> None:
    forecast(north)
    with north.scope():
        groups = list(GroupForecast.objects.select_related("category", "warehouse"))
        series = list(SeriesForecast.objects.filter(channel=None).select_related("product"))
        assert len(series) == 6
        names = [(g.category and g.category.name, g.warehouse and g.warehouse.code) for g in groups]
        assert sorted(names, key=str) == sorted(
            [(None, None), (None, "W1"), (None, "W2"), ("Tools", None), ("Toys", None)], key=str
        )
        for group in groups:
            parts = [
                row.mean for row in series
                if group.warehouse_id in (None, row.warehouse_id)
                and group.category_id in (None, row.product.category_id)
            ]  # fmt: skip
            assert len(parts) == group.series_count
            np.testing.assert_allclose(group.mean, np.sum(parts, axis=0), atol=1e-3)
            assert group.total_mean == pytest.approx(np.sum(parts), abs=0.05)
        whole = next(g for g in groups if g.category_id is None and g.warehouse_id is None)
        summed = np.sum([row.quantile_values for row in series], axis=0).reshape(28, -1)
        honest = np.reshape(whole.quantile_values, (28, -1))
        assert (honest[:, -1] < summed[:, -1]).all()  # the sum of upper quantiles is too high
        assert (honest[:, 0] > summed[:, 0]).all()
        (toys,) = [g for g in groups if g.category_id is not None and g.series_count == 1]
        (own,) = [row for row in series if row.product.category_id == toys.category_id]
        assert toys.quantile_values == own.quantile_values


def test_pages_and_api_show_the_run_in_use(north: House, south: House) -> None:
    forecast(north)
    with north.scope():  # of runs of one origin only the newest is kept
        ForecastRun.objects.update(origin=F("origin") - timedelta(days=1))
    forecast_again = run_job_here(tenant=north.tenant, kind="make_forecasts", payload={})
    assert forecast_again.state == JobState.DONE
    client = north.client("viewer")
    text = client.get(north.path("forecasts/totals/")).content.decode()
    assert text.count("row-link") == 5
    with north.scope():
        shown = list(groups_in_use())
    kinds = [2 if one.category else 1 if one.warehouse else 0 for one in shown]
    assert kinds == sorted(kinds)
    for kind in set(kinds):
        sizes = [one.total_mean for one, of in zip(shown, kinds, strict=True) if of == kind]
        assert sizes == sorted(sizes, reverse=True)
    with north.scope():
        newest = ForecastRun.objects.latest("id")
        group = GroupForecast.objects.filter(run=newest).earliest("id")
        old = GroupForecast.objects.exclude(run=newest).earliest("id")
    page = client.get(north.path(f"forecasts/totals/{group.pk}/"))
    assert 'data-chart="fan"' in page.content.decode()
    assert client.get(north.path(f"forecasts/totals/{old.pk}/")).status_code == 404
    stranger = south.client("owner")
    assert stranger.get(north.path(f"forecasts/totals/{group.pk}/")).status_code == 404
    listed = client.get(f"/api/v1/{north.tenant.slug}/forecast-totals").json()["items"]
    assert len(listed) == 5
    detail = client.get(f"/api/v1/{north.tenant.slug}/forecast-totals/{group.pk}").json()
    assert len(detail["days"]) == 28


def test_totals_add_up_to_the_series_as_planners_changed_them(north: House) -> None:
    with north.scope():
        world = build_world(products=3, days=30)
        run = flat_forecast(world, 6.0)
        toys = Category.objects.create(name="Toys")
        Product.objects.filter(pk=world.products[0].pk).update(category=toys)
        for category, warehouse, count in (
            (None, None, 3), (toys, None, 1), (world.products[1].category, None, 2),
            (None, world.warehouse, 3),
        ):  # fmt: skip
            GroupForecast.objects.create(
                run=run, category=category, warehouse=warehouse, series_count=count,
                mean=[6.0 * count] * 28, quantile_values=[6.0 * count] * 28 * 19,
                total_mean=168.0 * count, total_quantiles=[168.0 * count] * 19,
            )  # fmt: skip
    api, client = by_key(north, "viewer"), north.client("viewer")
    with CaptureQueriesContext(connection) as before:
        items = api.get("forecast-totals", order="id").json()["items"]
    assert [one["changed_total_mean"] for one in items] == [None] * 4
    with north.scope("planner"):
        for product, percent in ((0, "50"), (1, "-100")):
            create_override(
                product_id=world.products[product].pk,
                warehouse_id=world.warehouse.pk,
                wish=OverrideWish(
                    first_day=business_today() + timedelta(days=1),
                    last_day=business_today() + timedelta(days=7),
                    kind="percent",
                    value=Decimal(percent),
                    reason="Trade fair",
                ),
            )
    with CaptureQueriesContext(connection) as after:
        items = api.get("forecast-totals", order="id").json()["items"]
    # a week of 6 a day: 21 more of the first product, 42 less of the second
    assert [one["total_mean"] for one in items] == [504.0, 168.0, 336.0, 504.0]
    assert [one["changed_total_mean"] for one in items] == [483.0, 189.0, 294.0, 483.0]
    # the ranges keep their width in percent: here they had none
    assert [one["changed_total_quantiles"][-1] for one in items] == [483.0, 189.0, 294.0, 483.0]
    assert [one["total_quantiles"][-1] for one in items] == [504.0, 168.0, 336.0, 504.0]
    assert len(after) <= len(before) + 1  # nothing is asked of no series
    page = " ".join(client.get(north.path("forecasts/totals/")).content.decode().split())
    assert page.count("with changes 483") == 4
    assert "with changes 189" in page
    detail = client.get(north.path(f"forecasts/totals/{items[1]['id']}/")).content.decode()
    assert "With their changes 189 units are expected in the next 28 days instead of 168" in detail
    assert "Expected are 189 units in the next 28 days, with 90% certainty 189 to 189" in detail
    with north.scope():
        whole = groups_in_use().get(category=None, warehouse=None)
        drawn = read_group_fan(whole, changed_groups([whole])[whole.pk]).chart["forecast"]
        days = api.get(f"forecast-totals/{whole.pk}").json()["days"]
        begins = (business_today() - run.origin).days
    # three of 6 a day; one by half more, one gone for a week: 15
    for place, day in enumerate(days):
        changed = 15.0 if begins <= place < begins + 7 else None
        assert (day["mean"], day["changed_mean"]) == (18.0, changed)
        assert drawn["mean"][place] == drawn["bands"][1]["upper"][place] == (changed or 18.0)
        assert drawn["before"][place] == 18.0


def test_before_a_forecast_the_page_says_what_to_do(north: House) -> None:
    text = north.client("viewer").get(north.path("forecasts/totals/")).content.decode()
    assert "No totals yet" in text
