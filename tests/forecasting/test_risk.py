"""Warnings: found in small worlds, one live per risk, gone when the risk is gone, decided by people."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from forecasting.models import RiskKind, RiskWarning, WarningState
from forecasting.queries.series import business_today
from forecasting.services.risk import (
    WarningClosed,
    acknowledge_warnings,
    resolve_warnings,
    snooze_warnings,
)
from forecasting.templatetags.evidence import evidence_sentence
from inventory.models import DailyDemand
from tenancy.errors import Invalid, NotFound
from tenancy.models import JobState
from tenancy.permissions import PermissionRefused
from tenancy.services.jobs import run_job_here
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast, stock
from tests.inventory.selling import confirmed

pytestmark = pytest.mark.django_db(transaction=True)


def look(house: House) -> dict[str, Any]:
    job = run_job_here(tenant=house.tenant, kind="make_warnings", payload={})
    assert job.state == JobState.DONE, job.reason
    return dict(job.result)


def short_of_stock(house: House) -> World:
    """Five a day for the next days, twelve in stock, nothing ordered, five days lead time."""
    with house.scope():
        world = build_world(products=1, days=30, mean=5)
        stock(world, {"P-001": 12})
        flat_forecast(world, 5.0)
    return world


def stockout() -> RiskWarning:
    return RiskWarning.objects.select_related("product").get(kind=RiskKind.STOCKOUT)


def test_what_is_promised_to_orders_does_not_serve_what_is_forecast(north: House) -> None:
    """40 last 8 days at 5 a day, beyond the 6 to look at; with 28 owed, 12 are free: 18 lost."""
    with north.scope():
        world = build_world(products=1, days=30, mean=5)
        stock(world, {"P-001": 40})
        flat_forecast(world, 5.0)
    look(north)
    with north.scope():
        assert not RiskWarning.objects.filter(kind=RiskKind.STOCKOUT).exists()
        confirmed(world.warehouse, (world.products[0], 28))
    look(north)
    with north.scope():
        found = stockout()
        assert found.severity_money == 108  # 18 x 6 margin
        assert "12 pcs free" in evidence_sentence(found, "EUR")


def test_stock_that_ends_before_an_order_can_come_is_a_warning_with_its_day_and_cost(
    north: House,
) -> None:
    """12 last 2 days at 5 a day; within 6 days (5 lead + 1) 30 are asked for: 18 lost x 6 margin."""
    world = short_of_stock(north)
    look(north)
    with north.scope():
        found = stockout()
        assert found.probability == 1.0
        assert found.happens_on == world.last_day + timedelta(days=3)
        assert found.severity_money == 108
        assert found.suggested_action == "order_now"
        assert "18" in evidence_sentence(found, "EUR")


def test_without_recorded_stock_nothing_is_said_about_stock(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=30)
        flat_forecast(world, 5.0)
    look(north)
    with north.scope():
        assert not RiskWarning.objects.filter(kind=RiskKind.STOCKOUT).exists()


def test_far_too_much_stock_is_excess(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=30, mean=5)
        stock(world, {"P-001": 5000})
        flat_forecast(world, 5.0)
    look(north)
    with north.scope():
        found = RiskWarning.objects.get(kind=RiskKind.EXCESS)
        # 5000 - 60 order-up-to - 120 days x 5
        assert found.evidence["excess_units"] == pytest.approx(4340, abs=1)


def test_stock_nobody_asks_for_is_dead(north: House) -> None:
    with north.scope():
        world = build_world(products=2, days=250, mean=5)
        idle = world.products[0]
        recent = world.last_day - timedelta(days=200)
        DailyDemand.objects.filter(product=idle, business_day__gt=recent).delete()
        stock(world, {"P-001": 10})
        flat_forecast(world, 0.0)
    look(north)
    with north.scope():
        found = RiskWarning.objects.get(kind=RiskKind.DEAD_STOCK)
        assert found.product_id == idle.pk
        assert found.severity_money == 40  # 10 x 4


def test_a_spike_of_the_last_week_is_abnormal_sales(north: House) -> None:
    with north.scope():
        world = build_world(products=1, days=120, mean=5)
        DailyDemand.objects.filter(business_day=world.last_day).update(quantity=300)
        flat_forecast(world, 5.0)
    look(north)
    with north.scope():
        found = RiskWarning.objects.get(kind=RiskKind.ABNORMAL_SALES)
        assert found.evidence["finding"] == "sales_spike"


def test_looking_twice_keeps_one_warning_per_risk(north: House) -> None:
    short_of_stock(north)
    look(north)
    with north.scope():
        first = stockout().pk
    result = look(north)
    assert result["warnings_new"] == 0
    with north.scope():
        assert stockout().pk == first


def test_a_risk_that_is_gone_resolves_by_itself(north: House) -> None:
    world = short_of_stock(north)
    look(north)
    with north.scope():
        stock(world, {"P-001": 100})
    look(north)
    with north.scope():
        found = stockout()
        assert found.state == WarningState.RESOLVED
        assert found.decided_by_label == ""


def test_what_somebody_resolved_rests_until_it_has_grown(north: House) -> None:
    world = short_of_stock(north)
    look(north)
    with north.scope("planner"):
        resolve_warnings(warning_ids=[stockout().pk])
    assert look(north)["warnings_new"] == 0
    with north.scope():
        flat_forecast(world, 9.0)  # 54 - 12 = 42 lost instead of 18
    assert look(north)["warnings_new"] == 1


def test_a_snoozed_warning_opens_again_on_its_day(north: House) -> None:
    short_of_stock(north)
    look(north)
    with north.scope("planner"):
        until = business_today() + timedelta(days=2)
        snooze_warnings(warning_ids=[stockout().pk], until=until)
    look(north)
    with north.scope():
        assert stockout().state == WarningState.SNOOZED
        RiskWarning.objects.update(snoozed_until=business_today())
    look(north)
    with north.scope():
        assert stockout().state == WarningState.OPEN


def test_an_acknowledged_warning_stays_acknowledged_and_is_kept_fresh(north: House) -> None:
    world = short_of_stock(north)
    look(north)
    with north.scope("planner"):
        acknowledge_warnings(warning_ids=[stockout().pk])
    with north.scope():
        flat_forecast(world, 6.0)
    look(north)
    with north.scope():
        found = stockout()
        assert found.state == WarningState.ACKNOWLEDGED
        assert found.severity_money == Decimal(144)  # (36 - 12) x 6


def test_operators_foreign_ids_and_closed_warnings_are_refused(north: House, south: House) -> None:
    short_of_stock(north)
    look(north)
    with north.scope():
        wanted = [stockout().pk]
    with north.scope("operator"), pytest.raises(PermissionRefused):
        acknowledge_warnings(warning_ids=wanted)
    with south.scope("planner"), pytest.raises(NotFound):
        acknowledge_warnings(warning_ids=wanted)
    with north.scope("planner"):
        with pytest.raises(Invalid):
            resolve_warnings(warning_ids=[])
        resolve_warnings(warning_ids=wanted)
        with pytest.raises(WarningClosed):
            acknowledge_warnings(warning_ids=wanted)
