"""A budget is spent where a unit of money saves the most margin."""

import pytest

from forecasting.decisions.budget import BudgetError, spend_budget
from forecasting.decisions.reorder import decide_reorder
from forecasting.decisions.reorder_inputs import ReorderPolicy, StockPosition, SupplyTerms
from tests.worked_examples.decision_makers import inputs, uniform_demand


def order(key, *, price, margin, **terms):
    return decide_reorder(
        inputs(
            key=key,
            position=StockPosition(0),
            demand=uniform_demand(0, 100),
            policy=ReorderPolicy(
                service_level=0.9, lost_margin_per_unit=margin, holding_rate_per_year=0.0
            ),
            terms=SupplyTerms(price, **terms),
        )
    )


def test_money_goes_first_where_it_saves_most():
    # both want 90. The first 45: shortage falls from 50 to 55^2/200 = 15.125, so 34.875 * margin
    # cheap: 34.875 * 4 / (45 * 2) = 1.55 per money; dear: 34.875 * 4 / (45 * 10) = 0.31 per money
    plan = spend_budget(
        [
            order("dear", price=10, margin=4, minimum_order_quantity=45, order_multiple=45),
            order("cheap", price=2, margin=4, minimum_order_quantity=45, order_multiple=45),
        ],
        budget=540,
    )
    assert [one.key for one in plan.lines] == ["cheap", "dear"]
    assert plan.lines[0].gain_per_money == pytest.approx(1.55)
    assert plan.lines[1].gain_per_money == pytest.approx(0.31)
    # cheap: 45 more save 15.125 - 10^2/200 = 14.625 * 4 / 90 = 0.65 > 0.31: 2 * 90 = 180 spent
    # dear: 45 for 450 no longer fit into the 360 that are left
    assert [one.granted for one in plan.lines] == [90, 0]
    assert plan.spent == 180
    assert plan.lines[1].cut


def test_a_line_that_does_not_fit_is_passed_over_not_the_end():
    plan = spend_budget(
        [
            order("big", price=2, margin=9, minimum_order_quantity=90, order_multiple=90),
            order("small", price=2, margin=1, minimum_order_quantity=10, order_multiple=10),
        ],
        budget=60,
    )
    assert {one.key: one.granted for one in plan.lines} == {"big": 0, "small": 30}


def test_enough_money_grants_everything():
    plan = spend_budget([order("a", price=1, margin=2), order("b", price=3, margin=2)], 1e6)
    assert [one.granted for one in plan.lines] == [one.wanted for one in plan.lines]
    assert not any(one.cut for one in plan.lines)


def test_no_money_grants_nothing_and_a_negative_budget_is_refused():
    plan = spend_budget([order("a", price=1, margin=2)], 0)
    assert plan.spent == 0
    assert plan.lines[0].granted == 0
    with pytest.raises(BudgetError):
        spend_budget([], -1)


def test_orders_without_known_costs_are_named_not_ranked():
    plan = spend_budget([order("a", price=None, margin=2), order("b", price=2, margin=None)], 100)
    assert plan.excluded == ("a", "b")
    assert plan.lines == ()
