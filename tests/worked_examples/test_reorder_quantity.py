"""Reorder point, newsvendor, MOQ and multiple rounding, price break: with the arithmetic."""

import math
from decimal import Decimal

import pytest

from forecasting.decisions.reorder import ReorderStatus, decide_reorder, replay
from forecasting.decisions.reorder_inputs import (
    PriceBreak,
    ReorderPolicy,
    StockPosition,
    SupplyTerms,
)
from forecasting.decisions.reorder_reasons import Reason, explain_parts
from forecasting.decisions.safety_stock import (
    CostError,
    critical_ratio,
    probability_for_fill_rate,
)
from tests.worked_examples.decision_makers import inputs, uniform_demand


def test_the_reorder_point_is_the_demand_quantile_and_safety_stock_what_exceeds_the_mean():
    # demand 0..200 evenly: 90 % of the time at most 180; mean 100; safety stock 80
    # position 60 -> 180 - 60 = 120
    decision = decide_reorder(inputs())
    assert decision.status is ReorderStatus.ORDER
    assert (decision.reorder_point, decision.safety_stock, decision.expected_demand) == (
        180,
        80,
        100,
    )
    assert decision.quantity == 120
    assert isinstance(decision.quantity, int)


def test_the_chance_to_run_out_falls_from_seventy_to_ten_percent():
    # P(demand > 60) = 140/200; P(demand > 180) = 20/200
    decision = decide_reorder(inputs())
    assert decision.stockout_probability_before == pytest.approx(0.7)
    assert decision.stockout_probability_after == pytest.approx(0.1)


def test_why_144_and_not_120():
    # need 120; minimum 100 is met; cases of 24: 120 = 5 cases exactly; cases of 48: 144 = 3 cases
    exact = decide_reorder(
        inputs(terms=SupplyTerms(10, minimum_order_quantity=100, order_multiple=24))
    )
    assert exact.quantity == 120
    assert exact.binding_constraint is None
    rounded = decide_reorder(
        inputs(terms=SupplyTerms(10, minimum_order_quantity=100, order_multiple=48))
    )
    assert rounded.quantity == 144
    assert rounded.binding_constraint is Reason.ORDER_MULTIPLE
    sentences = [str(one) for one in rounded.explain()]
    assert sentences == [
        "Expected demand over the next 21.0 days (14.0 days lead time and 7.0 days until the next order): +100.",
        "Safety stock so that demand is covered with a probability of 0.9: +80.",
        "Minus what is there or coming: 60.0 on hand, 0.0 on order, 0.0 in transit, less 0.0 allocated and 0.0 backordered: -60.",
        "Rounded to a multiple of 48: +24.",
        (
            "An order placed now comes too late for 6.667 of the 66.667 expected until it "
            "arrives: ask for a faster delivery or move stock."
        ),
    ]


def test_the_changes_of_the_reasons_add_up_to_the_quantity():
    decision = decide_reorder(
        inputs(terms=SupplyTerms(10, minimum_order_quantity=130, order_multiple=48))
    )
    assert sum(one.change for one in decision.reasons if one.change) == pytest.approx(144)


def test_a_minimum_above_the_need_is_ordered_in_whole_multiples():
    # need 120, minimum 200, multiples of 48: the least is 5 * 48 = 240
    decision = decide_reorder(
        inputs(terms=SupplyTerms(10, minimum_order_quantity=200, order_multiple=48))
    )
    assert decision.quantity == 240
    assert decision.has_reason(Reason.MINIMUM_ORDER_QUANTITY)


def test_fractional_units_come_in_exact_decimals():
    # need 121.5 kg in sacks of 2.5 kg: 49 sacks = 122.5 kg
    decision = decide_reorder(
        inputs(
            position=StockPosition(on_hand=Decimal("58.5")),
            terms=SupplyTerms(Decimal("10"), order_multiple=Decimal("2.5")),
            policy=ReorderPolicy(service_level=0.9, whole_units=False),
        )
    )
    assert decision.quantity == Decimal("122.5")
    assert isinstance(decision.quantity, Decimal)


def test_goods_on_order_and_backorders_count_in_the_position():
    # 60 on hand + 50 on order + 20 in transit - 30 backordered = 100; 180 - 100 = 80
    position = StockPosition(on_hand=60, on_order=50, in_transit=20, backordered=30)
    assert decide_reorder(inputs(position=position)).quantity == 80


def test_what_is_promised_to_orders_already_is_bought_again():
    # 60 on hand of which 25 are allocated, + 50 on order - 5 backordered = 80; 180 - 80 = 100
    position = StockPosition(on_hand=60, on_order=50, backordered=5, allocated=25)
    decision = decide_reorder(inputs(position=position))
    assert decision.quantity == 100
    [said] = [str(part) for part in explain_parts(decision.reasons) if part.code == "position"]
    assert "less 25.0 allocated and 5.0 backordered" in said


def test_the_newsvendor_orders_up_to_the_critical_ratio():
    # a lost sale costs 0.7, a unit too many for a week 10 * 0.25 * 7 / 365 = 0.04795
    # ratio 0.7 / 0.74795 = 0.93589; demand 0..200: 187.2 -> 188; order 188 - 60 = 128
    policy = ReorderPolicy(service_level=None, lost_margin_per_unit=0.7)
    decision = decide_reorder(inputs(policy=policy))
    ratio = 0.7 / (0.7 + 10 * 0.25 * 7 / 365)
    assert decision.quantile == pytest.approx(ratio)
    assert decision.quantity == math.ceil(200 * ratio) - 60 == 128
    assert decision.cost_of_too_much == pytest.approx(0.04795, abs=1e-5)


def test_costs_that_cannot_decide_are_refused_and_the_decision_says_what_it_used():
    with pytest.raises(CostError):
        critical_ratio(0, 0)
    with pytest.raises(CostError):
        critical_ratio(-1, 2)
    policy = ReorderPolicy(service_level=None, lost_margin_per_unit=0, holding_rate_per_year=0)
    decision = decide_reorder(inputs(policy=policy))
    assert decision.has_reason(Reason.COSTS_UNUSABLE)
    assert decision.quantile == 0.95


def test_a_fill_rate_is_met_by_the_least_stock_that_loses_no_more():
    # demand 0..200, mean 100; 66.67 during the lead time, so 33.33 units between two orders
    # shortage at stock y is (200 - y)^2 / 400; 5 % of 33.33 = 1.667 -> y = 200 - sqrt(666.7) = 174.2
    demand = uniform_demand(0, 200)
    probability = probability_for_fill_rate(demand, 0.95)
    assert demand.at(probability) == pytest.approx(200 - math.sqrt(400 * 0.05 * 100 / 3), abs=0.3)
    assert demand.expected_shortage(demand.at(probability)) == pytest.approx(
        100 / 3 * 0.05, rel=0.01
    )


def test_an_order_cost_makes_orders_rarer():
    # K = 5, d = 100/21 * 365 = 1738.1 a year, h = 0.25 * 10: Q = sqrt(2 * 5 * 1738.1 / 2.5) = 83.38
    # one review takes 33.33, so 50.05 -> 51 more than the reorder point of 180
    decision = decide_reorder(inputs(terms=SupplyTerms(10, fixed_order_cost=5)))
    assert decision.order_up_to == 180 + 51
    assert decision.quantity == 231 - 60


def test_a_price_break_is_taken_when_it_saves_more_than_it_costs_to_hold():
    # need 120 at 10.00; from 150 at 9.50, d = 1738.1 a year, rate 0.25
    # saved (10 - 9.5) * 150 = 75; held more: 0.25 * 150 / (2 * 1738.1) * (9.5 * 150 - 10 * 120) = 2.43
    terms = SupplyTerms(10, price_breaks=(PriceBreak(150, 9.5),))
    decision = decide_reorder(inputs(terms=terms))
    assert decision.quantity == 150
    part = decision.reasons[3]
    assert part.code is Reason.PRICE_BREAK
    assert part.data["saving"] == pytest.approx(75 - 2.43, abs=0.01)
    assert decision.unit_price == 9.5
    assert decision.order_value == pytest.approx(1425)


def test_a_price_break_far_above_the_need_is_left_alone():
    # from 1500 at 9.90: saved 150; held more: 0.25 * 1500 / 3476.2 * (14850 - 1200) = 1472.5
    terms = SupplyTerms(10, price_breaks=(PriceBreak(1500, 9.9),))
    assert decide_reorder(inputs(terms=terms)).quantity == 120


def test_what_cannot_sell_before_it_expires_is_not_bought():
    # arrives after 14 days (66.67 sold until then), sells 10 days * 4.762 = 47.62 more
    # 66.67 + 47.62 - 60 = 54.29 -> rounded down to 54
    policy = ReorderPolicy(service_level=0.9, shelf_life_days=10)
    decision = decide_reorder(inputs(policy=policy))
    assert decision.quantity == 54
    assert decision.has_reason(Reason.SHELF_LIFE)


def test_a_maximum_stock_rounds_down():
    # at most 150: 150 - 60 = 90 -> 3 cases of 24 = 72
    policy = ReorderPolicy(service_level=0.9, maximum_stock=150)
    decision = decide_reorder(inputs(policy=policy, terms=SupplyTerms(10, order_multiple=24)))
    assert decision.quantity == 72


def test_a_minimum_stock_is_restored_even_without_demand():
    policy = ReorderPolicy(service_level=0.9, minimum_stock=3)
    nothing = uniform_demand(0, 0)
    decision = decide_reorder(inputs(position=StockPosition(1), policy=policy, demand=nothing))
    assert decision.status is ReorderStatus.ORDER
    assert decision.quantity == 2  # somebody wants 3 kept, whatever a year sells


def test_what_is_owed_is_bought_beside_a_years_demand():
    """40 owed and nothing there, 2 sell in a year: the 40 and the 2, not 2 for all of them."""
    slow = uniform_demand(0, 4, mean_daily=2 / 365)
    owed = StockPosition(0, backordered=40)
    decision = decide_reorder(inputs(position=owed, demand=slow))
    assert decision.quantity == 42
    assert decision.has_reason(Reason.YEAR_LIMIT)


def test_a_decision_can_be_replayed_from_what_it_keeps():
    decision = decide_reorder(inputs(terms=SupplyTerms(10, 100, 48)))
    assert replay(decision) == decision
