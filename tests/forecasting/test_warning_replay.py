"""Warnings of every kind against what became of them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasting.models import RiskKind
from forecasting.queries.series import business_today
from forecasting.queries.warning_replay import (
    abnormal_sales_figures,
    other_figures,
    too_much_figures,
)
from inventory.models import DailyDemand
from tests.cast import House
from tests.forecasting.world import build_world, flat_forecast, warn

pytestmark = pytest.mark.django_db(transaction=True)


def test_before_anything_happened_nothing_is_claimed(north: House) -> None:
    with north.scope():
        figures = other_figures()
        assert [one.kind for one in figures] == [
            "late_supplier", "excess", "dead_stock", "abnormal_sales",
        ]  # fmt: skip
        assert {(one.precision, one.recall, one.f1) for one in figures} == {(None, None, None)}


def test_excess_is_judged_by_what_was_asked_for_since(north: House) -> None:
    """About 600 were asked for in 13 weeks: of 10,000 there was too much, of 10 there was not; and
    stock that sold was not dead."""
    with north.scope():
        world = build_world(products=2, days=140)
        run = flat_forecast(world, 5.0)
        first, second = world.products
        warn(run, world, RiskKind.EXCESS, 120, product=first, evidence={"position": 10000.0})
        warn(run, world, RiskKind.EXCESS, 120, product=second, evidence={"position": 10.0})
        warn(run, world, RiskKind.DEAD_STOCK, 120, product=second, evidence={"on_hand": 10.0})
        excess, dead = too_much_figures(business_today())
        assert (excess.warnings, excess.came_true, excess.recall) == (2, 1, None)
        assert (dead.warnings, dead.precision) == (1, 0)


def test_spikes_put_into_a_real_week_are_found_by_the_forecast_before_it(north: House) -> None:
    """Eight a day were forecast and six sold. Where 168 more are put in, that is a spike; the
    rest sold less than forecast and is none."""
    with north.scope():
        world = build_world(products=20, days=60)
        flat_forecast(world, 8.0, origin=world.last_day - timedelta(days=10))
        DailyDemand.objects.filter(business_day__gt=world.last_day - timedelta(days=14)).update(
            quantity=6  # what was drawn for these days depends on today's weekday
        )
        found = abnormal_sales_figures(business_today())
        struck = int((np.random.default_rng(0).random(20) < 0.2).sum())
        assert struck > 1
        assert (found.warnings, found.came_true, found.happened) == (struck, struck, struck)
        assert found.simulated
    text = north.client("viewer").get(north.path("warnings/quality/")).content.decode()
    assert "Simulated" in text
    assert "100%" in text
