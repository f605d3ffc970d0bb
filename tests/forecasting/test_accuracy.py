"""Accuracy of stored forecasts: worked figures, what counts, what is kept, page, CSV and API."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client

from forecasting.models import AccuracySum, ForecastRun, OverrideKind, SeriesForecast
from forecasting.pipeline.metrics import bias, coverage, mean_pinball, wape
from forecasting.pipeline.series import QUANTILES
from forecasting.queries.accuracy import (
    AccuracyFilter,
    planners_changes,
    read_accuracy,
    series_figures,
)
from forecasting.services.forecasts import _kept_runs
from forecasting.services.overrides import OverrideWish, create_override
from inventory.models import DailyDemand
from tenancy.models import JobState
from tenancy.services.jobs import run_job_here
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast

pytestmark = pytest.mark.django_db(transaction=True)


def score(house: House) -> dict[str, Any]:
    job = run_job_here(tenant=house.tenant, kind="score_forecasts", payload={})
    assert job.state == JobState.DONE
    return job.result or {}


def demand_of(world: World, number: int, first: date, days: int) -> np.ndarray:
    rows = DailyDemand.objects.filter(product=world.products[number]).values_list(
        "business_day", "quantity"
    )
    known = {day: float(units) for day, units in rows}
    return np.array([known.get(first + timedelta(days=step), 0.0) for step in range(days)])


def passed_forecast(house: House, *, days_ago: int = 15, products: int = 2) -> tuple[World, Any]:
    """A run of some days ago whose quantiles differ from day to day."""
    with house.scope():
        world = build_world(products=products, days=60)
        run = flat_forecast(world, 6.0, origin=world.last_day - timedelta(days=days_ago))
        rng = np.random.default_rng(5)
        quantiles = np.sort(rng.integers(0, 14, (28, len(QUANTILES))), axis=1).astype(float)
        SeriesForecast.objects.update(
            quantile_values=quantiles.reshape(-1).tolist(), demand_class="smooth"
        )
    return world, (run, quantiles)


def test_figures_are_those_of_the_pipeline_on_the_whole_weeks_that_passed(north: House) -> None:
    world, (run, quantiles) = passed_forecast(north)
    assert score(north) == {"weeks_scored": 2}  # 15 days have passed: two whole weeks
    with north.scope():
        found = read_accuracy().total
        first = run.origin + timedelta(days=1)
        actual = np.stack([demand_of(world, number, first, 14) for number in (0, 1)])
        before = [demand_of(world, n, run.origin - timedelta(days=6), 7) for n in (0, 1)]
        naive = np.stack([np.tile(week, 2) for week in before])
    q = np.broadcast_to(quantiles[:14], (2, 14, len(QUANTILES)))
    assert found.days == 28
    assert found.wape == pytest.approx(wape(actual, q[..., 9]))
    assert found.naive_wape == pytest.approx(wape(actual, naive))
    assert found.bias == pytest.approx(bias(actual, np.full((2, 14), 6.0)))
    assert found.wql == pytest.approx(2 * mean_pinball(actual, q).sum() / actual.sum())
    assert found.coverage_80 == pytest.approx(coverage(actual, q[..., 1], q[..., 17]))
    assert found.value_added == pytest.approx(1 - wape(actual, q[..., 9]) / wape(actual, naive))
    weeks = actual.reshape(2, 2, 7).sum(axis=2)
    assert found.week_wape == pytest.approx(np.abs(weeks - 7 * 6.0).sum() / actual.sum())


def test_scoring_again_adds_nothing_and_late_demand_is_counted_with_the_next_week(
    north: House,
) -> None:
    world, (run, _quantiles) = passed_forecast(north, days_ago=13)
    assert score(north) == {"weeks_scored": 1}
    assert score(north) == {"weeks_scored": 0}
    with north.scope():
        before = AccuracySum.objects.get(product=world.products[0], week=1).actual
        late = run.origin + timedelta(days=2)
        row = DailyDemand.objects.filter(product=world.products[0], business_day=late)
        row.update(quantity=Decimal(500))
        ForecastRun.objects.filter(pk=run.pk).update(origin=run.origin - timedelta(days=1))
    assert score(north) == {"weeks_scored": 1}
    with north.scope():
        assert AccuracySum.objects.filter(product=world.products[0]).count() == 2
        after = AccuracySum.objects.get(product=world.products[0], week=1).actual
    assert after > before + 400


def test_days_out_of_stock_do_not_count(north: House, monkeypatch: pytest.MonkeyPatch) -> None:
    world, (run, _quantiles) = passed_forecast(north, days_ago=8)
    blind = [(world.products[0].pk, world.warehouse.pk, [run.origin + timedelta(days=3)])]
    monkeypatch.setattr("forecasting.queries.blind_days.out_of_stock_days", lambda *_, **__: blind)
    score(north)
    with north.scope():
        days = dict(AccuracySum.objects.values_list("product_id", "days"))
    assert days == {world.products[0].pk: 6, world.products[1].pk: 7}


def test_the_trend_compares_the_same_week_ahead_of_every_run(north: House) -> None:
    world, (older, _quantiles) = passed_forecast(north, days_ago=21)
    with north.scope():
        newer = flat_forecast(world, 2.0, origin=world.last_day - timedelta(days=7))
    score(north)
    with north.scope():
        found = read_accuracy()
        second = read_accuracy(AccuracyFilter(week=2))
    assert [(day, one.days) for day, one in found.by_run] == [
        (older.origin, 42),
        (newer.origin, 14),
    ]
    assert [(day, one.days) for day, one in found.trend] == [(older.origin, 14), (newer.origin, 14)]
    assert [(day, one.days) for day, one in second.trend] == [(older.origin, 14)]


def test_filters_and_worst_series(north: House) -> None:
    world, _run = passed_forecast(north)
    with north.scope():
        SeriesForecast.objects.filter(product=world.products[1]).update(
            quantile_values=[40.0] * 28 * len(QUANTILES), demand_class="lumpy"
        )
    score(north)
    with north.scope():
        assert [row.sku for row in series_figures(AccuracyFilter())] == ["P-002", "P-001"]
        assert read_accuracy(AccuracyFilter(demand_class="lumpy")).total.days == 14
        assert read_accuracy(AccuracyFilter(text="P-001", week=2)).total.days == 7
        assert read_accuracy(AccuracyFilter(text="nothing")).runs == 0
        chart = read_accuracy(AccuracyFilter(week=2)).chart
        begin = world.last_day - timedelta(days=15)
        assert chart is not None
        assert chart["labels"] == [begin + timedelta(days=n) for n in range(8, 15)]
        assert chart["actual"] == [
            sum(demand_of(world, number, day, 1)[0] for number in (0, 1)) for day in chart["labels"]
        ]
        assert len((read_accuracy().chart or {})["labels"]) == 15


def test_planners_changes_shown_are_those_of_what_is_looked_at(north: House) -> None:
    world, (run, _quantiles) = passed_forecast(north)
    with north.scope():
        SeriesForecast.objects.filter(product=world.products[1]).update(demand_class="lumpy")
        for product in world.products:
            create_override(
                product_id=product.pk,
                warehouse_id=world.warehouse.pk,
                wish=OverrideWish(
                    run.origin + timedelta(days=1), run.origin + timedelta(days=7),
                    OverrideKind.PERCENT, Decimal(10), "A fair",
                ),
                made_at=datetime.combine(run.origin, time(19), tzinfo=UTC),
            )  # fmt: skip
    score(north)
    with north.scope():
        for wanted, skus in (
            (AccuracyFilter(), ["P-002", "P-001"]),
            (AccuracyFilter(text="P-001"), ["P-001"]),
            (AccuracyFilter(demand_class="lumpy"), ["P-002"]),
            (AccuracyFilter(demand_class="erratic"), []),
            (AccuracyFilter(warehouse_id=world.warehouse.pk + 1), []),
        ):
            found = planners_changes(wanted, most=10)
            assert [one.override.product.sku for one in found] == skus
            assert all(one.days == 7 for one in found)


def test_one_run_of_each_week_is_kept_until_all_its_days_are_known() -> None:
    newest = date(2026, 6, 30)
    runs = [(1000 - back, newest - timedelta(days=back)) for back in range(120)]
    kept = _kept_runs(runs)
    origins = [newest - timedelta(days=1000 - pk) for pk in kept]
    assert len(kept) == 8 + 8  # the last eight days touch two weeks; eight more keep one each
    assert any((newest - origin).days > 28 + 7 for origin in origins)
    assert all((newest - origin).days <= 63 for origin in origins)
    # planned three times a day the same origins are kept, each by its newest run
    often = [(3 * pk + again, origin) for pk, origin in runs for again in (2, 1, 0)]
    assert _kept_runs(often) == [3 * pk + 2 for pk in kept]


def test_what_planning_forgets_after_a_long_rest_is_scored_before(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasting.services.forecasts.KEPT_ORIGINS", 1)
    with north.scope():
        world = build_world(products=1, days=120)
        old = flat_forecast(world, 6.0, origin=world.last_day - timedelta(days=70))
    done = run_job_here(tenant=north.tenant, kind="run_planning", payload={})
    assert done.state == JobState.DONE, done.reason
    with north.scope():
        assert not old.series.exists()
        weeks = AccuracySum.objects.filter(run=old).values_list("week", flat=True)
        assert sorted(weeks) == [1, 2, 3, 4]


def test_no_day_of_a_series_looks_through_the_demand_of_all(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has counted the tables of a test: 300 series took six seconds, and 1,000 seventy."""
    passed_forecast(north)
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "WITH taken" in sql:
            execute(f"EXPLAIN {sql}", params, many, context)
            plans.append("".join(row[0] for row in context["cursor"].fetchall()))
        return execute(sql, params, many, context)

    looks_through = re.compile(r"Join Filter: \(\((a|n|b)\.product_id")
    with connection.execute_wrapper(explain):
        score(north)
        assert plans
        assert not looks_through.search(plans.pop())
        monkeypatch.setattr("tenancy.database.JOIN_BY_HASHING", "SELECT 1")
        with north.scope():
            AccuracySum.objects.all().delete()
        score(north)
    assert looks_through.search(plans.pop())  # left to the planner it would


def test_the_page_costs_the_same_however_many_series(
    north: House, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    passed_forecast(north, products=8)
    score(north)
    client = north.client("planner")
    client.get(north.path("accuracy/"))
    with django_assert_max_num_queries(22):
        text = client.get(north.path("accuracy/")).content.decode()
    assert "Worst series" in text
    assert "%%" not in text
    assert 'data-chart="line"' in text
    assert client.get(north.path("accuracy/?q=zzz")).content.decode().count("Nothing matches") == 1


def test_csv_and_api_say_the_same(north: House) -> None:
    passed_forecast(north)
    score(north)
    client: Client = north.client("viewer")
    lines = client.get(north.path("accuracy/csv?q=P-001")).content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("sku,product,warehouse")
    assert len(lines) == 2
    asked = client.get(f"/api/v1/{north.tenant.slug}/accuracy?week=1")
    assert asked.status_code == 200
    body = asked.json()
    assert body["total"]["days"] == 14
    assert [one["week"] for one in body["by_week"]] == [1]
    assert body["trend"] == body["by_run"]
    assert len(body["worst"]) == 2


def test_before_any_week_has_passed_the_page_says_so(north: House) -> None:
    with north.scope():
        flat_forecast(build_world(products=1, days=30), 5.0)
    assert score(north) == {"weeks_scored": 0}
    text = north.client("viewer").get(north.path("accuracy/")).content.decode()
    assert "Nothing to compare yet" in text
