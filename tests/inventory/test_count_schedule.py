"""Counts by risk: what makes a place risky, and how many are requested a day."""

from __future__ import annotations

import datetime as dt
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from inventory.models import (
    CycleCount,
    InventorySettings,
    Location,
    LocationKind,
    MovementReason,
    Product,
)
from inventory.queries.count_risk import RiskyPlace, count_risks, riskiest
from inventory.services.adjustments import Adjustment, adjust_stock, take_back_movement
from inventory.services.count_schedule import request_riskiest, request_scheduled_counts
from inventory.services.counting import request_count
from inventory.services.demand import DemandLine, record_demand
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.places import create_location
from tenancy.errors import Invalid, NotFound
from tenancy.models import AuditEvent, Job, JobState, Tenant
from tenancy.permissions import PermissionRefused
from tenancy.scope import Actor, tenant_scope
from tenancy.services.jobs import run_job
from tenancy.services.schedules import start_due_jobs
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site
from tests.inventory.counts import counted, entry


def shelf(site: Site, code: str, product: Product, quantity: int) -> Location:
    """Return a new place with that much of the product on it."""
    place = create_location(warehouse_id=site.warehouse.pk, code=code)
    supplier = site.at("supplier")
    reason = MovementReason.RECEIPT
    post_movements(lines=[MovementLine(product.pk, supplier, place.pk, Decimal(quantity), reason)])
    return place


def risk_at(site: Site, code: str) -> RiskyPlace:
    return next(place for place in count_risks(site.warehouse.pk) if place.code == code)


def test_value_is_measured_by_the_mean_of_the_stocked_places(site: Site) -> None:
    """300 and 100 on two shelves: a mean of 200, so 1.5 and 0.5; an empty place is left out."""
    gold, tin = make_product("GOLD", unit_cost=Decimal(30)), make_product("TIN")
    shelf(site, "A-1", gold, 10)
    shelf(site, "A-2", gold, 3)
    shelf(site, "A-3", gold, 1)
    places = {place.code: place for place in count_risks(site.warehouse.pk)}
    assert set(places) == {"A-1", "A-2", "A-3"}
    # 300 + 90 + 30 = 420, a mean of 140
    assert places["A-1"].risk.value == Decimal("2.1429")
    assert places["A-3"].facts.value == 30
    assert (places["A-1"].products, places["A-1"].facts.days_since_count) == (1, None)
    shelf(site, "A-4", tin, 50)
    assert risk_at(site, "A-4").risk.value == Decimal("0.1")  # without a cost: the least


def test_docks_and_places_outside_are_not_ranked(site: Site) -> None:
    apple = make_product(unit_cost=Decimal(1))
    post_movements(lines=[site.line(apple, 5, "supplier", "receiving")])
    assert count_risks(site.warehouse.pk) == []


def test_variability_is_that_of_daily_demand_weighted_by_value(site: Site) -> None:
    """90 days: 9 on one day, 1 on another. Mean 10/90 a day, mean square (81 + 1)/90.

    CV^2 = 90 x 82 / 10^2 - 1 = 72.8, CV = 8.53: capped at a factor of 4. Steady demand of 1 a day
    on 90 days has a CV of 0.
    """
    wild, calm = make_product("WILD", unit_cost=Decimal(1)), make_product("CALM")
    Product.objects.filter(pk=calm.pk).update(unit_cost=1)
    shelf(site, "A-1", wild, 10)
    shelf(site, "A-2", calm, 10)
    today = timezone.now().astimezone().date()

    def sold(product: Product, days_ago: int, quantity: int) -> DemandLine:
        day = today - timedelta(days=days_ago)
        return DemandLine(product.pk, site.warehouse.pk, day, Decimal(quantity))

    record_demand(lines=[sold(wild, 3, 9), sold(wild, 30, 1)])
    record_demand(lines=[sold(calm, n, 1) for n in range(1, 89)])
    assert risk_at(site, "A-1").risk.variability == 4
    assert 8 < risk_at(site, "A-1").facts.variability < 9
    assert risk_at(site, "A-2").risk.variability < Decimal("1.3")


def test_anomalies_are_corrections_and_reversals_of_the_last_days(site: Site) -> None:
    apple = make_product(unit_cost=Decimal(1))
    place = shelf(site, "A-1", apple, 10)
    shelf(site, "A-2", apple, 10)

    def adjust(change: int, reason: MovementReason, **more: Any) -> int:
        line = Adjustment(apple.pk, place.pk, Decimal(change), reason)
        [pk] = adjust_stock(warehouse_id=site.warehouse.pk, adjustments=[line], **more)
        return pk

    adjust(-1, MovementReason.COUNT)
    adjust(1, MovementReason.FOUND)
    scrapped = adjust(-1, MovementReason.SCRAP)  # known and said: no anomaly
    assert risk_at(site, "A-1").facts.anomalies == 2
    take_back_movement(movement_id=scrapped)
    assert risk_at(site, "A-1").facts.anomalies == 3
    long_ago = timezone.now() - timedelta(days=91)
    adjust(-1, MovementReason.COUNT, effective_at=long_ago)
    assert risk_at(site, "A-1").facts.anomalies == 3
    assert risk_at(site, "A-2").facts.anomalies == 0


def test_a_count_makes_a_place_safe_and_time_makes_it_risky_again(north: House) -> None:
    with north.scope():
        site, apple = make_site(), make_product(unit_cost=Decimal(1))
        site.receive(apple, 10)
    count = counted(north, site, entry(apple, 10))
    with north.scope("manager"):
        from inventory.services.count_review import approve_count

        place = risk_at(site, "STORAGE")
        assert (place.open_count_id, place.open_count) == (count.pk, count.number)
        approve_count(cycle_count_id=count.pk, then_post=True)
        place = risk_at(site, "STORAGE")
        assert (place.facts.days_since_count, place.risk.risk, place.open_count_id) == (0, 0, None)
        assert riskiest([place], 5) == []
        CycleCount.objects.update(posted_at=timezone.now() - timedelta(days=45))
        assert risk_at(site, "STORAGE").risk.age == Decimal("0.5")


def three_shelves(site: Site) -> None:
    gold = make_product("GOLD", unit_cost=Decimal(10))
    for number, quantity in ((1, 1), (2, 3), (3, 2)):
        shelf(site, f"A-{number}", gold, quantity)


def requested() -> list[str]:
    rows = CycleCount.objects.select_related("location").order_by("id")
    return [row.location.code for row in rows]


def test_the_riskiest_are_requested_and_open_counts_are_passed(north: House) -> None:
    with north.scope():
        site = make_site()
        three_shelves(site)
    with north.scope("manager"):
        request_count(location_id=Location.objects.get(code="A-2").pk)
        made = request_riskiest(warehouse_id=site.warehouse.pk, most=2)
        assert requested() == ["A-2", "A-3", "A-1"]
        assert [count.number for count in made] == ["CC-000002", "CC-000003"]
        assert made[0].risk > made[1].risk > 0
        assert {count.reason for count in made} == {"scheduled"}
        assert request_riskiest(warehouse_id=site.warehouse.pk, most=2) == []
        assert AuditEvent.objects.filter(action="cycle_count.requested").count() == 3
        for most in (0, -1, 201):
            with pytest.raises(Invalid):
                request_riskiest(warehouse_id=site.warehouse.pk, most=most)
        with pytest.raises(NotFound):
            request_riskiest(warehouse_id=987654321, most=1)
    with north.scope("operator"), pytest.raises(PermissionRefused):
        request_riskiest(warehouse_id=site.warehouse.pk, most=1)


def test_a_day_has_its_number_of_counts_in_each_warehouse_however_often_asked(
    north: House,
) -> None:
    with north.scope():
        for code in ("ONE", "TWO"):
            site = make_site(code)
            gold = make_product(f"GOLD-{code}", unit_cost=Decimal(10))
            for number in range(4):
                shelf(site, f"{code}-{number}", gold, number + 1)
        InventorySettings.objects.create(counts_per_day=3)
        assert request_scheduled_counts() == {"ONE": 3, "TWO": 3}
        assert request_scheduled_counts() == {"ONE": 0, "TWO": 0}
        InventorySettings.objects.update(counts_per_day=4)
        assert request_scheduled_counts() == {"ONE": 1, "TWO": 1}
        CycleCount.objects.update(requested_at=timezone.now() - timedelta(days=1), state="posted")
        assert request_scheduled_counts() == {"ONE": 4, "TWO": 4}  # never posted: still due
        InventorySettings.objects.update(counts_per_day=0)
        assert request_scheduled_counts() == {"ONE": 0, "TWO": 0}


def test_two_beats_start_the_night_once(north: House) -> None:
    """Beats at 03:00 and 03:01 on the tenant's clock queue one job, and it requests once."""
    Tenant.objects.update(created_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    north.tenant.refresh_from_db()
    with north.scope():
        three_shelves(make_site())
        InventorySettings.objects.create(counts_per_day=2)
    night = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)  # 03:00 in Berlin
    for minutes in (0, 1, 2):
        start_due_jobs(north.tenant, now=night + timedelta(minutes=minutes))
    with north.scope():
        keys = Job.objects.filter(kind="request_counts").values_list("schedule_key", flat=True)
        assert list(keys) == ["request_counts:2026-11-24"]
        [job_id] = Job.objects.filter(kind="request_counts").values_list("pk", flat=True)
        job = Job.objects.get(pk=job_id)
    run_job(job)
    with north.scope():
        job.refresh_from_db()
        assert job.state == JobState.DONE
        assert job.result == {"requested": {"MAIN": 2}, "total": 2}
        assert requested() == ["A-2", "A-3"]
        assert CycleCount.objects.first().requested_by_label.startswith("schedule")


def test_the_ranking_is_one_statement_for_any_number_of_places(
    site: Site, django_assert_num_queries: Any
) -> None:
    three_shelves(site)
    with django_assert_num_queries(1):
        assert len(count_risks(site.warehouse.pk)) == 3


def test_requesting_takes_the_same_statements_for_any_number(north: House) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def statements(code: str, most: int) -> int:
        with tenant_scope(north.tenant, actor=Actor.system("test")):
            site = make_site(code)
            gold = make_product(code, unit_cost=Decimal(10))
            for number in range(12):
                shelf(site, f"{code}-{number}", gold, 1)
            with CaptureQueriesContext(connection) as caught:
                request_riskiest(warehouse_id=site.warehouse.pk, most=most)
            return len(caught)

    assert statements("A", 1) == statements("B", 12)


def test_places_of_quarantine_and_damage_are_counted_too(site: Site) -> None:
    apple = make_product(unit_cost=Decimal(1))
    site.receive(apple, 10)
    for kind in (LocationKind.QUARANTINE, LocationKind.DAMAGED):
        post_movements(lines=[site.line(apple, 2, "storage", kind)])
    assert {place.code for place in count_risks(site.warehouse.pk)} == {
        "STORAGE",
        "QUARANTINE",
        "DAMAGED",
    }


def test_by_api_the_ranking_tells_its_factors_and_the_riskiest_are_requested(north: House) -> None:
    from tests.api.calls import by_session

    with north.scope():
        site = make_site()
        three_shelves(site)
    path = f"warehouses/{site.warehouse.pk}/count-risks"
    manager = by_session(north, "manager")
    items = manager.get(path).json()["items"]
    assert [item["location"] for item in items] == ["A-2", "A-3", "A-1"]
    first = items[0]
    # 30 of a mean of 20, never counted
    assert (first["value"], first["value_factor"], first["days_since_count"]) == ("30", "1.5", None)
    made = manager.post(path, {"most": 1})
    assert (made.status_code, len(made.json()["count_ids"])) == (201, 1)
    assert manager.get(path).json()["items"][0]["open_count_id"] == made.json()["count_ids"][0]
    assert manager.post(path, {"most": 0}).status_code == 400
    assert by_session(north, "operator").post(path, {"most": 1}).status_code == 403
    assert manager.get("warehouses/987654321/count-risks").status_code == 404
