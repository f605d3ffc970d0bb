"""Warnings of late orders against what ran out while an order was late.

Every order here is placed 20 days ago and promised 10 days ago, of a product of which five came 30
days ago; days count backwards from today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from forecasting.models import ForecastRun, RiskKind, RiskWarning
from forecasting.queries.late_orders import late_order_figures
from forecasting.queries.series import business_today
from forecasting.queries.warning_quality import KindFigures, warning_figures
from inventory.models import PurchaseOrder
from inventory.queries.places import standard_locations
from inventory.services.purchase_lines import OrderLine
from inventory.services.purchasing import (
    cancel_order,
    close_order,
    create_draft_order,
    place_order,
)
from inventory.services.receiving import ReceiptLine, receive_order
from tests.cast import House
from tests.forecasting.world import World, build_world, flat_forecast, warn
from tests.inventory.book import Site

pytestmark = pytest.mark.django_db

PLACED, PROMISED = 20, 10


def ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


@dataclass
class Story:
    """Orders of one product each, and what became of them."""

    world: World
    site: Site
    run: ForecastRun

    def order(
        self,
        number: int,
        *,
        sold_out: int | None = None,
        came: int | None = None,
        warned: int | None = None,
    ) -> PurchaseOrder:
        """Order ten of a product; days ago the shelf was emptied, they came, it was warned of."""
        product = self.world.products[number]
        self.site.receive(product, 5, effective_at=ago(30))
        if sold_out is not None:
            self.site.ship(product, 5, effective_at=ago(sold_out))
        promised_on = business_today() - timedelta(days=PROMISED)
        draft = create_draft_order(
            supplier_id=self.world.supplier.pk,
            warehouse_id=self.world.warehouse.pk,
            lines=[OrderLine(product.pk, Decimal(10), promised_on=promised_on)],
        )
        order = place_order(order_id=draft.pk, placed_at=ago(PLACED))
        if came is not None:
            self.receive(order, 10, came)
        if warned is not None:
            warn(
                self.run,
                self.world,
                RiskKind.LATE_SUPPLIER,
                warned,
                product=product,
                order=order,
            )
        return order

    def receive(self, order: PurchaseOrder, quantity: int, days_ago: int) -> None:
        receive_order(
            order_id=order.pk,
            lines=[ReceiptLine(order.lines.get().pk, Decimal(quantity))],
            received_at=ago(days_ago),
            to_location_id=self.site.at("storage"),
        )


def counted() -> tuple[int, int, int | None]:
    found = late_order_figures(business_today())
    return found.warnings, found.came_true, found.happened


@pytest.fixture
def story(in_north: House) -> Story:
    world = build_world(products=7, days=3)
    site = Site(world.warehouse, standard_locations(world.warehouse.pk))
    told = Story(world, site, flat_forecast(world, 5.0))
    warn(told.run, world, RiskKind.DEAD_STOCK, 18)  # since then risks have been looked for
    return told


def test_a_warning_comes_true_where_stock_ran_out_before_the_late_order_came(story: Story) -> None:
    """Warned in time: 0 and 1 came true, 2 outlasted the wait, 3 came as promised: 2 of 4.

    Missed for being late: 0, 1, 4 and 5; of 4 nobody was warned, of 5 only when it had run out: 2
    of 4. F1 = 2 * 0.5 * 0.5 / (0.5 + 0.5) = 0.5.
    """
    story.order(0, warned=15, sold_out=8, came=6)
    story.order(1, warned=9, sold_out=8, came=6)
    story.order(2, warned=15, came=6)
    story.order(3, warned=15, sold_out=8, came=11)
    story.order(4, sold_out=8, came=6)
    story.order(5, warned=8, sold_out=8, came=6)
    found = late_order_figures(business_today())
    assert found == KindFigures(RiskKind.LATE_SUPPLIER, warnings=4, came_true=2, happened=4)
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)


def test_what_is_still_out_counts_once_it_is_missed(story: Story) -> None:
    story.order(0, warned=15, sold_out=8)
    assert counted() == (1, 1, 1)
    story.order(1, warned=15)  # there is stock: it may come true yet
    assert counted() == (1, 1, 1)


def test_what_was_out_of_stock_all_the_time_from_the_order_on_is_not_missed_for_lateness(
    story: Story,
) -> None:
    story.order(0, sold_out=25, came=6)
    assert counted() == (0, 0, 0)
    # there was stock for eight days after it was ordered: what is missing since is missing for it
    story.order(1, sold_out=12, came=6)
    assert counted() == (0, 0, 1)


def test_what_ran_out_only_after_the_order_came_was_not_missed(story: Story) -> None:
    story.order(0, warned=15, came=6)
    story.site.ship(story.world.products[0], 15, effective_at=ago(5))
    assert counted() == (1, 0, 0)


def test_an_order_received_in_part_is_late_until_the_rest_has_come(story: Story) -> None:
    """Four came on the promised day; nine were sold eight days ago, and the rest came two later."""
    order = story.order(0, warned=15)
    story.receive(order, 4, PROMISED)
    story.site.ship(story.world.products[0], 9, effective_at=ago(8))
    story.receive(order, 6, 6)
    assert counted() == (1, 1, 1)


def test_orders_that_were_cancelled_or_closed_before_they_came_are_left_out(story: Story) -> None:
    cancelled = story.order(0, warned=15, sold_out=8)
    given_up = story.order(1, warned=15)
    story.receive(given_up, 4, PROMISED)
    story.site.ship(story.world.products[1], 9, effective_at=ago(8))
    assert counted() == (2, 2, 2)
    cancel_order(order_id=cancelled.pk)
    close_order(order_id=given_up.pk)
    assert counted() == (0, 0, 0)
    done = story.order(2, warned=15, sold_out=8, came=6)
    close_order(order_id=done.pk)
    assert counted() == (1, 1, 1)


def test_orders_not_due_yet_or_long_ago_are_not_judged(story: Story) -> None:
    story.order(0, warned=15, sold_out=8, came=6)
    promised_on = business_today() - timedelta(days=PROMISED)
    assert late_order_figures(promised_on).happened == 0
    assert late_order_figures(promised_on + timedelta(days=91)).happened == 1
    assert late_order_figures(promised_on + timedelta(days=92)).happened == 0


def test_what_ran_out_before_risks_were_looked_for_was_not_missed(story: Story) -> None:
    """Neither for a late order nor as a stock-out; on the very day of the first warning it was."""
    story.order(0, sold_out=8, came=6)
    for first_warning, missed in ((9, 1), (8, 1), (7, 0)):
        RiskWarning.objects.update(first_seen_at=ago(first_warning))
        assert counted() == (0, 0, missed)
        assert warning_figures().stockouts == missed
    RiskWarning.objects.all().delete()
    assert counted() == (0, 0, 0)
    assert warning_figures().recall is None


def test_a_warning_of_one_line_says_nothing_of_another_of_the_same_order(story: Story) -> None:
    order = story.order(0, sold_out=8, came=6)
    other = story.world.products[1]
    warn(story.run, story.world, RiskKind.LATE_SUPPLIER, 15, product=other, order=order)
    assert counted() == (0, 0, 1)


def test_many_orders_take_as_many_queries_as_one(
    story: Story, django_assert_num_queries: Any
) -> None:
    story.order(0, warned=15, sold_out=8, came=6)
    with django_assert_num_queries(4):
        assert counted() == (1, 1, 1)
    for number in range(1, 7):
        story.order(number, warned=15, sold_out=8, came=6)
    with django_assert_num_queries(4):
        assert counted() == (7, 7, 7)
