"""Warnings of every kind against what became of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.utils import timezone

from forecasting.models import ForecastRun, RiskKind, RiskWarning
from forecasting.queries.series import business_today
from forecasting.queries.warning_replay import (
    abnormal_sales_figures,
    late_supplier_figures,
    other_figures,
    too_much_figures,
)
from inventory.models import PurchaseOrder, PurchaseOrderLine
from inventory.services.purchase_lines import OrderLine
from inventory.services.purchasing import create_draft_order, place_order
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast

pytestmark = pytest.mark.django_db(transaction=True)


def warn(run: ForecastRun, world: World, kind: str, days_ago: int, **fields: object) -> None:
    row = RiskWarning.objects.create(
        run=run,
        kind=kind,
        product=fields.pop("product", world.products[0]),
        warehouse=world.warehouse,
        evidence=fields.pop("evidence", {}),
        **fields,
    )
    seen = timezone.now() - timedelta(days=days_ago)
    RiskWarning.objects.filter(pk=row.pk).update(first_seen_at=seen)


def test_before_anything_happened_nothing_is_claimed(north: House) -> None:
    with north.scope():
        figures = other_figures()
        assert [one.kind for one in figures] == [
            "late_supplier", "excess", "dead_stock", "abnormal_sales",
        ]  # fmt: skip
        assert {(one.precision, one.recall, one.f1) for one in figures} == {(None, None, None)}


def test_late_suppliers_are_judged_by_receipts(north: House) -> None:
    """Four orders were promised ten days ago. Warned and late, warned and punctual, late without a
    warning, late and warned of only afterwards: precision 1 of 2. Whether the two without a warning
    were missed is not known, so recall stays open."""
    with north.scope():
        world = build_world(products=1, days=30)
        run = flat_forecast(world, 5.0)
        today = business_today()
        orders = []
        for _number in range(4):
            order = create_draft_order(
                supplier_id=world.supplier.pk,
                warehouse_id=world.warehouse.pk,
                lines=[OrderLine(product_id=world.products[0].pk, quantity=Decimal(10))],
            )
            orders.append(place_order(order_id=order.pk))
        PurchaseOrderLine.objects.update(promised_on=today - timedelta(days=10))
        punctual = timezone.now() - timedelta(days=12)
        PurchaseOrder.objects.filter(pk=orders[1].pk).update(received_at=punctual, state="received")
        for order, days_ago in ((orders[0], 15), (orders[1], 15), (orders[3], 5)):
            warn(run, world, RiskKind.LATE_SUPPLIER, days_ago, order=order)
        found = late_supplier_figures(today)
        assert (found.warnings, found.came_true, found.happened) == (2, 1, None)
        assert (found.precision, found.recall, found.f1) == (1 / 2, None, None)


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
    """Eight a day were forecast and about six sold. Where 168 more are put in, that is a spike; the
    rest sold less than forecast and is none."""
    with north.scope():
        world = build_world(products=20, days=60)
        flat_forecast(world, 8.0, origin=world.last_day - timedelta(days=10))
        found = abnormal_sales_figures(business_today())
        struck = int((np.random.default_rng(0).random(20) < 0.2).sum())
        assert struck > 1
        assert (found.warnings, found.came_true, found.happened) == (struck, struck, struck)
        assert found.simulated
    text = north.client("viewer").get(north.path("warnings/quality/")).content.decode()
    assert "Simulated" in text
    assert "100%" in text
