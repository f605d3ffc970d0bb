"""Landed cost of two offers, with the arithmetic."""

import pytest

from forecasting.decisions.reorder_inputs import PriceBreak, SupplyTerms
from forecasting.decisions.suppliers import (
    ItemNeed,
    OfferObstacle,
    SupplierOffer,
    compare_offers,
    landed_cost,
)
from tests.worked_examples.decision_makers import fixed_lead_times

NEED = ItemNeed(quantity=70, mean_daily=10, daily_deviation=0.0, holding_rate_per_year=0.365)


def offer(supplier, price, days, **terms):
    return SupplierOffer(supplier, SupplyTerms(price, **terms), fixed_lead_times([days]).one(0))


def test_every_part_of_the_landed_cost():
    # value 10 + 1 = 11; a day costs 11 * 0.365 / 365 = 0.011; 70 units last 7 days
    near = SupplierOffer(
        "near",
        SupplyTerms(10, transport_cost_per_unit=1, fixed_order_cost=35),
        fixed_lead_times([20]).one(0),
        reject_share=0.2,
    )
    cost = landed_cost(near, NEED)
    assert cost.ordering == pytest.approx(35 / 70)
    assert cost.rejects == pytest.approx(11 * 0.2 / 0.8)
    assert cost.in_transit == pytest.approx(0.011 * 20)
    assert cost.cycle_stock == pytest.approx(0.011 * 70 / 20)
    assert cost.safety_stock == 0
    assert cost.total == pytest.approx(10 + 1 + 0.5 + 2.75 + 0.22 + 0.0385)


def test_the_cheaper_price_can_be_the_dearer_unit():
    # far: 9.5, but 100 days under way 9.5 * 0.001 * 100 = 0.95; near: 10 and 0.05
    ranked = compare_offers([offer("far", 9.5, 100), offer("near", 10, 5)], NEED)
    assert [one.supplier for one in ranked] == ["near", "far"]


def test_uncertain_delivery_costs_safety_stock():
    # 10 or 30 days, even odds: deviation 10 days, 1.645 * 10 * 10 = 164.5 units more to hold
    from forecasting.decisions.lead_times import lead_times_from_observations

    wobbly = SupplierOffer(
        "wobbly",
        SupplyTerms(10),
        lead_times_from_observations([[10.0, 30.0]], [None], prior_weight=1e-9).one(0),
    )
    assert landed_cost(wobbly, NEED).safety_stock == pytest.approx(0.01 * 16.45, rel=0.01)
    assert landed_cost(offer("steady", 10, 20), NEED).safety_stock == 0


def test_the_price_is_that_of_the_quantity_the_supplier_would_sell():
    # 70 needed, boxes of 100: 100 bought, for which 8 is asked
    boxes = offer("boxes", 10, 5, order_multiple=100, price_breaks=(PriceBreak(100, 8),))
    cost = landed_cost(boxes, NEED)
    assert (cost.order_quantity, cost.price) == (100, 8)


@pytest.mark.parametrize(
    ("given", "obstacle"),
    [
        (offer("a", None, 5), OfferObstacle.NO_PRICE),
        (offer("a", 1, 5, lead_time_known=False), OfferObstacle.NO_LEAD_TIME),
        (offer("a", 1, 5, currency="USD"), OfferObstacle.CURRENCY_MIXED),
    ],
)
def test_an_offer_that_cannot_be_compared_says_why_and_comes_last(given, obstacle):
    need = ItemNeed(quantity=70, mean_daily=10, daily_deviation=1, currency="EUR")
    ranked = compare_offers([given, offer("z", 99, 5)], need)
    assert [one.supplier for one in ranked] == ["z", "a"]
    assert ranked[1].obstacle is obstacle
    assert ranked[1].total is None


def test_nothing_is_cheap_for_what_nobody_wants():
    nothing = ItemNeed(quantity=1, mean_daily=0, daily_deviation=0)
    assert landed_cost(offer("a", 1, 5), nothing).obstacle is OfferObstacle.NO_DEMAND
