"""What if, and the pages that look at stock, channels and suppliers: figures from a worked world."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from forecasting.models import ReorderSuggestion, RiskKind, RiskWarning
from forecasting.queries.channels import channel_figures, moves_that_pay, rebalancings
from forecasting.queries.forecasts import latest_run
from forecasting.queries.planning import read_world
from forecasting.queries.scorecard import supplier_scores
from forecasting.queries.series import business_today
from forecasting.queries.stock_cycle import stock_cycle
from forecasting.queries.warning_quality import warning_figures
from forecasting.services.risk import assign_warnings
from forecasting.services.what_if import NothingToCompare, Scenario, compare_scenario
from inventory.models import LeadTimeObservation, PurchaseOrder
from inventory.services.purchase_lines import OrderLine
from inventory.services.purchasing import create_draft_order, place_order
from tenancy.errors import Invalid, NotFound
from tenancy.models import JobState, Membership
from tenancy.services.jobs import run_job_here
from tests.cast import House
from tests.forecasting.test_replenishment import world_of
from tests.forecasting.test_sources import second_warehouse

pytestmark = pytest.mark.django_db(transaction=True)


def test_assumptions_change_the_orders_and_nothing_is_written(north: House) -> None:
    """60 - 40 = 20 ordered at 4; with a fifth more demand 72 - 40 = 32; 3 days longer 75 - 40."""
    world_of(north)
    with north.scope("viewer"):
        more = compare_scenario(Scenario(uplift=0.2))
        assert (more.before.order_value, more.after.order_value) == (80, 128)
        assert [(one.before, one.after) for one in more.lines] == [(20, 32)]
        longer = compare_scenario(Scenario(lead_time_days=3))
        assert longer.after.order_value == 35 * 4
        dearer = compare_scenario(Scenario(price_change=0.5))
        assert dearer.after.order_value == 20 * 6
        short = compare_scenario(Scenario(budget=Decimal(40)))
        assert short.after.order_value <= 40
        nothing = compare_scenario(Scenario(budget=Decimal(0)))
        assert (nothing.after.orders, nothing.after.order_value) == (0, 0)
        assert nothing.after.lost_margin > nothing.before.lost_margin
        assert len(more.before.path) == 28
        assert not ReorderSuggestion.objects.exists()
        with pytest.raises(Invalid):
            compare_scenario(Scenario(service_level=1.5))
        with pytest.raises(Invalid):
            compare_scenario(Scenario(budget=Decimal(-1)))


def test_a_price_break_is_taken_where_it_pays(north: House) -> None:
    """30 at half the price cost 60 instead of 80 for 20."""
    world_of(north)
    with north.scope("viewer"):
        found = compare_scenario(Scenario(break_from=Decimal(30), break_discount=0.5))
        assert found.after.order_value == 60


def test_without_a_forecast_there_is_nothing_to_compare(north: House) -> None:
    with north.scope("viewer"), pytest.raises(NothingToCompare):
        compare_scenario(Scenario(uplift=0.1))


def test_an_order_that_is_late_by_its_suppliers_past_is_warned_of(north: House) -> None:
    """All ten deliveries took 20 days; promised after 5, it will come 15 late: 40 - 100 are short."""
    world = world_of(north)
    with north.scope():
        today = business_today()
        LeadTimeObservation.objects.bulk_create(
            LeadTimeObservation(
                supplier=world.supplier,
                product=world.products[0],
                placed_on=today - timedelta(days=60 + n),
                received_on=today - timedelta(days=40 + n),
                promised_days=5,
                lead_time_days=20,
            )
            for n in range(10)
        )
        order = create_draft_order(
            supplier_id=world.supplier.pk,
            warehouse_id=world.warehouse.pk,
            lines=[OrderLine(product_id=world.products[0].pk, quantity=Decimal(100))],
        )
        place_order(order_id=order.pk)
    job = run_job_here(tenant=north.tenant, kind="make_warnings", payload={})
    assert job.state == JobState.DONE, job.reason
    with north.scope("planner"):
        warning = RiskWarning.objects.get(kind=RiskKind.LATE_SUPPLIER)
        assert warning.order_id == order.pk
        assert warning.probability == pytest.approx(1, abs=0.1)
        assert warning.evidence["expected_days_late"] == pytest.approx(15, abs=3)
        assert warning.severity_money > 0
        member = Membership.objects.filter(is_active=True).earliest("id")
        [assigned] = assign_warnings(warning_ids=[warning.pk], membership_id=member.pk)
        assert assigned.assigned_to_id == member.pk
        with pytest.raises(NotFound):
            assign_warnings(warning_ids=[warning.pk], membership_id=10**9)
        score = supplier_scores()[0]
        assert (score.usual_days, score.on_time, score.spent) == (20, 0, 400)
    with north.scope():
        PurchaseOrder.objects.update(state="cancelled")
    run_job_here(tenant=north.tenant, kind="make_warnings", payload={})
    with north.scope():
        warning.refresh_from_db()
        assert warning.state == "resolved"


def test_stock_in_the_wrong_place_is_warned_of_and_its_category_judged(north: House) -> None:
    world = world_of(north, per_day=10.0)
    with north.scope():
        other = second_warehouse(world, units=500, per_day=0.1)
        run = latest_run()
        assert run is not None
        planning = read_world(run)
        assert planning is not None
        move = rebalancings(planning)[0]
        assert (move.from_warehouse_id, move.to_warehouse_id) == (other.pk, world.warehouse.pk)
        assert 0 < move.units <= 60
        cycle = stock_cycle(run)
        assert cycle is not None
        [category] = cycle.categories
        assert (category.name, category.stock) == ("Tools", (500 + 40) * 4)
        assert cycle.offenders[0].warehouse_id == other.pk
        assert channel_figures(business_today(), run) == []
    run_job_here(tenant=north.tenant, kind="make_warnings", payload={})
    with north.scope():
        warning = RiskWarning.objects.get(kind=RiskKind.CHANNEL_IMBALANCE)
        assert warning.suggested_action == "transfer"
        assert warning.evidence["from_name"] == "Outlet"
        [found] = moves_that_pay()
        assert (found.from_warehouse_id, found.to_warehouse_id) == (other.pk, world.warehouse.pk)
        assert (found.units, found.saving) == (move.units, pytest.approx(move.saving, abs=0.01))
    assert b"Outlet" in north.client().get(north.path("channel-demand/")).content


def test_warnings_are_judged_by_what_happened(north: House) -> None:
    """One warning, no stock-out since: too young to say at ten days, precision 0 after four weeks,
    and a recall that nobody can know."""
    world_of(north)
    with north.scope():
        before = warning_figures()
        assert (before.precision, before.recall, before.f1) == (None, None, None)
        run = latest_run()
        product = run.series.first()  # type: ignore[union-attr]
        RiskWarning.objects.create(
            run=run,
            kind=RiskKind.STOCKOUT,
            product_id=product.product_id,
            warehouse_id=product.warehouse_id,
            evidence={},
        )
        RiskWarning.objects.update(first_seen_at=timezone.now() - timedelta(days=10))
        young = warning_figures()
        assert (young.warnings, young.young, young.precision) == (0, 1, None)
        RiskWarning.objects.update(first_seen_at=timezone.now() - timedelta(days=30))
        after = warning_figures()
        assert (after.warnings, after.came_true, after.precision) == (1, 0, 0)
