"""The stock cycle: ages of stock, what sells until the season ends, and what will be left."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forecasting.queries.forecasts import latest_run
from forecasting.queries.series import business_today
from forecasting.queries.stock_ages import arrived_since, by_age
from forecasting.queries.stock_cycle import stock_cycle
from inventory.models import Product, StockPolicy
from tests.cast import House
from tests.forecasting.test_replenishment import world_of
from tests.forecasting.world import build_world, flat_forecast, sell, stock

pytestmark = pytest.mark.django_db(transaction=True)


def season_of(house: House, days: int) -> None:
    with house.scope():
        StockPolicy.objects.update(season_ends_on=business_today() + timedelta(days=days))


def test_what_will_not_sell_before_the_season_ends_is_named_with_its_money(north: House) -> None:
    """5 a day for today and four more days: 25 of 40 sell, 15 at 4 are left. Nothing to buy."""
    world_of(north)
    season_of(north, 4)
    with north.scope():
        cycle = stock_cycle(latest_run())  # type: ignore[arg-type]
        assert cycle is not None
        [plan] = cycle.seasons
        assert (plan.name, plan.days, plan.sells, plan.position) == ("Tools", 5, 25, 40)
        assert (plan.low, plan.left_even_so) == (None, None)  # thirty days are no last year
        assert (plan.order_up_to, plan.to_buy, plan.left) == (100, 0, 60)
        [left] = cycle.leftovers
        assert (left.product.sku, left.left, left.value) == ("P-001", 15, 60)


def test_a_longer_season_asks_for_more_and_leaves_nothing(north: House) -> None:
    """20 days of 5 are 100: 60 more at 4."""
    world_of(north)
    season_of(north, 19)
    with north.scope():
        cycle = stock_cycle(latest_run())  # type: ignore[arg-type]
        assert cycle is not None
        [plan] = cycle.seasons
        assert (plan.order_up_to, plan.to_buy, plan.left) == (400, 240, 0)
        assert cycle.leftovers == ()


def test_stock_has_the_age_of_what_arrived_last(north: House) -> None:
    """25 there; 10 came within 30 days, 8 before that, 5 before that: 2 are older."""
    arrived = (Decimal(10), Decimal(8), Decimal(5))
    assert by_age(Decimal(25), arrived) == (10, 8, 5, 2)
    assert by_age(Decimal(12), arrived) == (10, 2, 0, 0)
    assert by_age(Decimal(12), ()) == (0, 0, 0, 12)
    world = world_of(north)
    with north.scope():
        pair = (world.products[0].pk, world.warehouse.pk)
        assert arrived_since(business_today())[pair] == (40, 0, 0)
        assert arrived_since(business_today() + timedelta(days=45))[pair] == (0, 40, 0)
        assert pair not in arrived_since(business_today() + timedelta(days=90))
        [category] = stock_cycle(latest_run()).categories  # type: ignore[union-attr, arg-type]
        assert category.ages == [(40, 160), (0, 0), (0, 0), (0, 0)]


def test_the_page_asks_no_more_questions_for_more_products(north: House) -> None:
    client = north.client("viewer")

    def page() -> tuple[int, str]:
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(north.path("stock-cycle/"))
        return len(seen.captured_queries), answer.content.decode()

    with north.scope():
        world = build_world(products=2, days=30)
        stock(world, {"P-001": 400})
        flat_forecast(world, 5.0)
    season_of(north, 4)
    page()  # what is asked once per process
    few, text = page()
    assert "Until the season ends" in text
    assert "Mark down" in text
    assert "€1,500.00" in text  # 375 left at 4
    with north.scope():
        more = [
            Product(sku=f"Q-{n}", name=f"More {n}", unit_cost=Decimal(4), unit_price=Decimal(9))
            for n in range(6)
        ]
        Product.objects.bulk_create(more)
        sell(more, world.warehouse, days=30, mean=5, last=world.last_day)
        world.products += more
        stock(world, {"Q-0": 90, "Q-1": 90, "Q-2": 90})
        flat_forecast(world, 5.0)
    many, text = page()
    assert "Q-2" in text
    assert many == few
