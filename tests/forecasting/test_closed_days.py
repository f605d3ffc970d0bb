"""Days on which a whole warehouse was closed: told, and neither scored, repeated nor warned of."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from forecasting.models import AccuracySum, ForecastOverride, ForecastRun, RiskKind, RiskWarning
from forecasting.queries.overrides import score_overrides
from forecasting.services.overrides import OverrideWish, create_override
from inventory.models import DailyDemand, Warehouse
from inventory.services.access import set_warehouse_access
from inventory.services.places import create_warehouse
from tenancy.models import Membership
from tenancy.services.jobs import run_job_here
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast

pytestmark = pytest.mark.django_db(transaction=True)


def run(house: House, kind: str) -> None:
    job = run_job_here(tenant=house.tenant, kind=kind, payload={})
    assert job.state == "done", job.reason


def shut(world: World, *back: int) -> list[date]:
    """Close the warehouse on days before the last one, which sells.

    Whatever the date, none of them is a public holiday: those would explain it.
    """
    Warehouse.objects.update(country="XX")
    days = sorted(world.last_day - timedelta(days=days) for days in back)
    DailyDemand.objects.filter(business_day__in=days).delete()
    return days


def kept_closed(world: World, days: list[date]) -> list[dict[str, object]]:
    return [{"warehouse_id": world.warehouse.pk, "days": [day.isoformat() for day in days]}]


def text_of(house: House, path: str, member: str) -> str:
    return " ".join(house.client(member).get(house.path(path)).content.decode().split())


def test_the_forecasts_tell_closed_days_of_the_last_weeks_to_whom_the_warehouse_is_in_reach(
    north: House,
) -> None:
    with north.scope():
        world = build_world(products=12)
        closed = shut(world, 60, 9, 8)
    run(north, "make_forecasts")
    with north.scope():
        assert ForecastRun.objects.get().closed_days == kept_closed(world, closed)
    first, last = (f"{day.day} {day:%b} {day.year}</time>" for day in closed[1:])
    shown = text_of(north, "forecasts/", "planner")
    assert f"{first} to <time" in shown
    assert last in shown
    assert f"{closed[0].day} {closed[0]:%b} {closed[0].year}</time>" not in shown  # long ago
    with north.scope():
        other = create_warehouse(code="W2", name="Other", country="DE")
        member = Membership.objects.get(user=north.members["viewer"])
        set_warehouse_access(membership_id=member.pk, warehouse_ids=[other.pk])
    assert "Main was closed" not in text_of(north, "forecasts/", "viewer")


def test_closed_days_are_neither_scored_nor_repeated_by_the_naive_forecast(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=60)
        scored = flat_forecast(world, 6.0, origin=world.last_day - timedelta(days=8))
        sold = {
            day: float(units)
            for day, units in DailyDemand.objects.values_list("business_day", "quantity")
        }
        ahead, before = (scored.origin + timedelta(days=n) for n in (3, -2))
        DailyDemand.objects.filter(business_day__in=[ahead, before]).delete()
        ForecastRun.objects.update(closed_days=kept_closed(world, [before, ahead]))
    run(north, "score_forecasts")
    with north.scope():
        found = AccuracySum.objects.get()
    days = [scored.origin + timedelta(days=n) for n in (1, 2, 4, 5, 6, 7)]
    week_before = [day - timedelta(days=7) for day in days]
    # the closed day was the weekday of the fifth day ahead: two weeks before it was open
    week_before[3] -= timedelta(days=7)
    naive = np.abs(
        [sold.get(d, 0) - sold.get(b, 0) for d, b in zip(days, week_before, strict=True)]
    )
    assert found.days == 6
    assert found.actual == sum(sold.get(day, 0) for day in days)
    assert found.naive_error == pytest.approx(naive.sum())


def test_another_warehouses_closed_days_are_scored(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=60)
        scored = flat_forecast(world, 6.0, origin=world.last_day - timedelta(days=8))
        other = create_warehouse(code="W2", name="Other", country="DE")
        day = (scored.origin + timedelta(days=3)).isoformat()
        ForecastRun.objects.update(closed_days=[{"warehouse_id": other.pk, "days": [day]}])
    run(north, "score_forecasts")
    with north.scope():
        assert AccuracySum.objects.get().days == 7
        # without a warehouse, all of them were closed
        AccuracySum.objects.all().delete()
        ForecastRun.objects.update(closed_days=[{"warehouse_id": None, "days": [day]}])
    run(north, "score_forecasts")
    with north.scope():
        assert AccuracySum.objects.get().days == 6


def test_a_planners_change_is_not_scored_on_closed_days(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=60)
        flat_forecast(world, 6.0)
        first = world.last_day - timedelta(days=6)
        made = create_override(
            product_id=world.products[0].pk,
            warehouse_id=world.warehouse.pk,
            wish=OverrideWish(
                world.last_day + timedelta(days=2), world.last_day + timedelta(days=8),
                "percent", Decimal(50), "A fair",
            ),
        )  # fmt: skip
        # as if made a week ago
        ForecastOverride.objects.filter(pk=made.pk).update(
            first_day=first, last_day=world.last_day, base_mean=[6.0] * 7
        )
        (score,) = score_overrides(list(ForecastOverride.objects.all()))
        assert score.days == 7
        ForecastRun.objects.update(closed_days=kept_closed(world, [first]))
        (score,) = score_overrides(list(ForecastOverride.objects.all()))
        assert score.days == 6


def test_a_shut_warehouse_is_no_drop_of_every_products_sales(
    north: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with north.scope():
        world = build_world(products=12, mean=20)
        week = DailyDemand.objects.filter(business_day__gt=world.last_day - timedelta(days=7))
        week.update(quantity=20)  # neither a spike nor a drop by chance
        shut(world, 5, 4, 3, 2, 1)
    run(north, "make_forecasts")
    run(north, "make_warnings")
    with north.scope():
        abnormal = RiskWarning.objects.filter(kind=RiskKind.ABNORMAL_SALES)
        assert not abnormal.exists()
    monkeypatch.setattr("forecasting.queries.planning.find_closures", lambda panel: [])
    run(north, "make_warnings")
    with north.scope():
        assert abnormal.all().count() == 12  # what would be said if nobody looked for closed days
