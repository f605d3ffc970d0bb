"""Buy or move, late orders, misses of promises and freight: the arithmetic in full."""

from typing import Any

import numpy as np
import pytest

from forecasting.decisions.delays import DelayModel, recency_weights
from forecasting.decisions.demand_paths import demand_forecast
from forecasting.decisions.lead_times import LeadTimes
from forecasting.decisions.order_risk import (
    OpenLine,
    expected_lateness,
    find_drift,
    find_late_orders,
    late_probability,
    weekly_swing,
)
from forecasting.decisions.order_value import reach_order_value
from forecasting.decisions.reorder import decide_reorder
from forecasting.decisions.reorder_inputs import PriceBreak, ReorderPolicy, SupplyTerms
from forecasting.decisions.reorder_reasons import Reason
from forecasting.decisions.sourcing import (
    MoveCost,
    Need,
    Surplus,
    both_option,
    buy_option,
    compare_sources,
    transfer_option,
    worth_where_it_lies,
)
from forecasting.decisions.suppliers import LandedCost
from forecasting.decisions.transport_cost import (
    Deliveries,
    TransportCostError,
    fit_transport_cost,
)
from forecasting.pipeline.series import QUANTILES, FloatArray
from tests.worked_examples.decision_makers import inputs

NEED = Need(
    units=50, unit_cost=10, unit_margin=4, mean_daily=5, position=0, holding_rate_per_year=0.2
)
MOVE = MoveCost(per_transfer=30, per_unit=0.4, days=2)


def test_a_surplus_unit_is_worth_the_purchase_it_saves_later() -> None:
    """730 there at 2 a day: the last is sold in a year, 10 - 0.2 x 1 year x 10 = 8."""
    assert worth_where_it_lies(NEED, Surplus(1, 100, 730, 2)) == pytest.approx(8)
    assert worth_where_it_lies(NEED, Surplus(1, 100, 730, 0)) == 0


def test_moving_adds_the_ride_the_capital_and_the_waiting() -> None:
    """Goods 8, ride 0.4 + 30 / 50 = 1, capital 10 x 0.2 x 2 / 365, waiting 4 x 5 x 2 / 50 = 0.8."""
    option = transfer_option(NEED, Surplus(1, 100, 730, 2), MOVE)
    assert (option.quantity, option.obstacle) == (50, "")
    assert option.goods == pytest.approx(8)
    assert option.moving == pytest.approx(1)
    assert option.waiting == pytest.approx(0.8)
    assert option.total == pytest.approx(8 + 1 + 10 * 0.2 * 2 / 365 + 0.8)


def test_a_surplus_that_covers_a_part_is_shown_after_all_that_cover_it() -> None:
    part = transfer_option(NEED, Surplus(1, 20, 730, 0), MOVE)
    whole = transfer_option(NEED, Surplus(2, 60, 60, 2), MOVE)
    assert part.obstacle == "covers_part"
    assert [one.key for one in compare_sources([part, whole])] == [2, 1]


def test_a_part_moved_and_the_rest_bought_cost_what_each_costs_by_its_units() -> None:
    """20 of 50 lie where nobody wants them, 30 are bought at 10 and come in 10 days.

    Goods (20 x 0 + 30 x 10) / 50 = 6, moving 20 x (0.4 + 30 / 20) / 50 = 0.76. Waiting: 5 a day are
    short for 2 days, 10; in the next 8 days 40 are asked for and 20 there, 20; 30 x 4 / 50 = 2.4,
    where buying all 50 would lose 5 x 10 x 4 / 50 = 4.
    """
    part = transfer_option(NEED, Surplus(1, 20, 730, 0), MOVE)
    rest = buy_option(NEED, 7, LandedCost("7", order_quantity=30, price=10, lead_time_days=10))
    both = both_option(NEED, part, rest)
    assert (both.key, both.bought_from, both.moved, both.quantity) == (1, 7, 20, 50)
    assert both.goods == pytest.approx(6)
    assert both.moving == pytest.approx(0.76)
    assert both.waiting == pytest.approx(2.4)
    assert both.keeping == pytest.approx(10 * 0.2 * 2 / 365 * 20 / 50)
    all_bought = buy_option(
        NEED, 7, LandedCost("7", order_quantity=50, price=10, lead_time_days=10)
    )
    assert all_bought.waiting == pytest.approx(4)
    assert [one.kind for one in compare_sources([all_bought, part, both])] == [
        "both",
        "buy",
        "transfer",
    ]


def test_an_open_order_is_late_by_what_is_left_of_its_lead_time() -> None:
    """5, 10 or 20 days at a third each. Seven days old and promised in 10: one of two is late."""
    table = np.zeros(21)
    table[[5, 10, 20]] = 1 / 3
    assert late_probability(table, 0, 10) == pytest.approx(1 / 3)
    assert late_probability(table, 7, 10) == pytest.approx(1 / 2)
    assert expected_lateness(table, 7, 10) == pytest.approx(5)  # (0 + 10) / 2
    assert late_probability(table, 12, 10) == 1
    assert late_probability(table, 30, 40) == 1  # older than anything seen


def late_orders(free: float, line: OpenLine, demand: FloatArray | None = None) -> list[Any]:
    """The findings of one line of a supplier who takes 20 days for sure; 5 a day are asked for."""
    table = np.zeros((1, 21))
    table[0, 20] = 1
    quantiles = np.full((1, 28, len(QUANTILES)), 5.0) if demand is None else demand
    forecast = demand_forecast(quantiles.mean(axis=2), quantiles)
    margin = np.array([4.0])
    return list(
        find_late_orders(["P"], [line], LeadTimes(table), forecast, np.array([free]), margin)
    )


@pytest.mark.parametrize(
    ("age", "free", "short"),
    [
        (5, 50.0, 25),  # comes in 15 days instead of 5: 75 are asked for, 50 are there
        (5, 10.0, 50),  # 65 are short, but 15 would be if it came as promised, too
        (12, 30.0, 10),  # two of the ten days late have passed: 8 days of 5 are 40
    ],
)
def test_a_late_order_costs_the_margin_of_what_its_lateness_leaves_short(
    age: int, free: float, short: float
) -> None:
    [risk] = late_orders(free, OpenLine(0, 7, "PO-7", 100, age, 10, 0))
    assert risk.expected_days_late == 10
    assert risk.short_units == pytest.approx(short)
    assert risk.severity == pytest.approx(4 * short)


def test_no_more_is_short_for_its_lateness_than_is_on_the_order() -> None:
    [risk] = late_orders(50, OpenLine(0, 7, "PO-7", 3, 5, 10, 0))
    assert risk.short_units == pytest.approx(3)


def test_a_late_order_that_stock_outlasts_is_no_warning() -> None:
    """75 are asked for before it comes. Of 75 nothing is short; of 74 one unit is."""
    line = OpenLine(0, 7, "PO-7", 100, 5, 10, 0)
    assert late_orders(75, line) == []
    assert len(late_orders(74, line)) == 1
    # where days swing between 0 and 19 (9 in the mean, 135 in 15 days), 200 last in seven futures
    # of ten and more, 135 do not; what is expected to be missing is more than nothing in both
    swing = np.broadcast_to(np.arange(19.0), (1, 28, 19))
    assert len(late_orders(135, line, swing)) == 1
    assert late_orders(200, line, swing) == []


def test_errors_of_one_sign_add_up_to_a_tracking_signal() -> None:
    """Five weeks, 120 said and 100 asked: 100 / 20 = 5; with a week of 60 said 40 / 24 = 1.7."""
    said, asked = np.full((1, 5), 120.0), np.full((1, 5), 100.0)
    calm, value = np.array([0.5]), np.array([3.0])
    [risk] = find_drift(["P"], said, asked, calm, value)
    assert (risk.signal, risk.bias, risk.severity) == (5, 0.2, 300)
    said[0, 0] = 60
    assert find_drift(["P"], said, asked, calm, value) == ()


def test_errors_that_demand_explains_by_itself_are_no_drift() -> None:
    """Four weeks, 60 said and 50 asked: 40 too much. A week swings by 7: four by 14, and 2.576 x 14
    is 36; by 8: 41. Of 0.2 said and nothing asked, 0.8: 2.576 x sqrt(0.8) is 2.3, single units."""
    value = np.array([1.0])
    said, asked = np.full((1, 4), 60.0), np.full((1, 4), 50.0)
    assert [risk.signal for risk in find_drift(["P"], said, asked, np.array([7.0]), value)] == [4]
    assert find_drift(["P"], said, asked, np.array([8.0]), value) == ()
    assert find_drift(["P"], said, asked, np.array([np.nan]), value) == ()
    slow = np.full((1, 4), 0.2)
    assert find_drift(["P"], slow, np.zeros((1, 4)), np.array([0.0]), value) == ()


def test_a_week_swings_as_far_as_its_days_seen_say() -> None:
    """Weeks of 7, 14, 7, 14: a mean of 10.5, squares of 4 x 12.25 over 3, 4.04. With three days of a
    week unseen the other four stand for it; with four unseen it does not count, and three weeks are
    too few."""
    demand = np.repeat([1.0, 2.0, 1.0, 2.0], 7)[None, :]
    observed = np.ones((1, 28), dtype=bool)
    assert weekly_swing(demand, observed) == pytest.approx(np.sqrt(49 / 3))
    observed[0, :3] = False
    demand[0, :3] = np.nan
    assert weekly_swing(demand, observed) == pytest.approx(np.sqrt(49 / 3))
    observed[0, 3] = False
    assert np.isnan(weekly_swing(demand, observed)[0])


def test_a_rise_by_half_that_lasts_four_weeks_is_a_drift() -> None:
    """Weeks of 7 and 13 in turn, then four of 15, 10 said: 20 too little. 22 x (9 + .59) + 4 x 17.9
    over 25 is 11.3; 2.576 x 2 x sqrt(11.3) is 17.3, and that of single units 16.3."""
    weeks = np.array([7.0, 13.0] * 11 + [15.0] * 4)
    demand = np.repeat(weeks / 7, 7)[None, :]
    swing = weekly_swing(demand, np.ones(demand.shape, dtype=bool))
    assert swing == pytest.approx(np.sqrt(11.3), rel=0.01)
    [risk] = find_drift(["P"], np.full((1, 4), 10.0), weeks[None, -4:], swing, np.array([1.0]))
    assert risk.severity == 20


def test_a_missing_order_value_goes_to_what_is_sold_soonest() -> None:
    """Both lines need 120 x 10; 3,000 is the least: 600 more. 60 there against 120 there, so the
    first has the shorter cover and takes steps of a week (100 / 21 x 7 = 34) until 60 are added."""
    policy = ReorderPolicy(service_level=0.9)
    first = decide_reorder(inputs(policy=policy))
    assert (first.quantity, first.order_value) == (120, 1200)
    second = decide_reorder(inputs(key="P-2", policy=policy, terms=SupplyTerms(unit_price=10)))
    raised = reach_order_value([first, second], 3000)
    assert sum(float(one.quantity) for one in raised) == 300
    assert sum(one.order_value or 0 for one in raised) == 3000
    assert reach_order_value([first, second], 2000) == (first, second)


def test_a_price_break_on_the_way_to_a_least_order_value_does_not_stop_short_of_it() -> None:
    """120 at 10 are 1,200; 80 more would make 2,000, but from 200 on a unit costs 9: 1,800. Then
    100 more are 1,980, 102 are 1,998, and with 103 it is 223 x 9 = 2,007."""
    terms = SupplyTerms(unit_price=10, price_breaks=(PriceBreak(200, 9),))
    # so dear to hold that the cheaper price alone does not pay
    policy = ReorderPolicy(service_level=0.9, holding_rate_per_year=20)
    line = decide_reorder(inputs(policy=policy, terms=terms))
    assert line.quantity == 120
    [raised] = reach_order_value([line], 2000)
    assert (raised.quantity, raised.order_value) == (223, 2007)
    [enough_beside_others] = reach_order_value([line], 2000, 800)
    assert enough_beside_others is line


def test_the_season_caps_what_is_bought() -> None:
    """18 days of 100 / 21 sell 85.7, as cautiously as 180 for 100: 154.2; less 60 there: 94."""
    decision = decide_reorder(inputs(policy=ReorderPolicy(service_level=0.9, season_days=18)))
    assert decision.quantity == int(18 * 100 / 21 * 1.8 - 60) == 94
    assert decision.has_reason(Reason.SEASON_END)
    over = decide_reorder(inputs(policy=ReorderPolicy(service_level=0.9, season_days=14)))
    assert (over.quantity, over.status) == (0, "enough")
    assert over.has_reason(Reason.SEASON_OVER)


def test_delays_of_a_group_are_shrunk_to_all() -> None:
    """Four punctual deliveries of A, four of B ten days late, and the promise counts as four more:
    ten days with 4/12. For B with a prior of 4 its own four weigh 1/2: (1 + 1/3) / 2 = 2/3."""
    groups = [np.array(["A"] * 4 + ["B"] * 4)]
    model = DelayModel(np.array([0.0] * 4 + [10.0] * 4), groups, np.ones(8), prior_weight=4)
    assert model.quantiles([np.array(["B"])], (0.3, 0.35, 0.9)).tolist() == [[0, 10, 10]]
    assert model.quantiles([np.array(["C"])], (0.6, 0.7)).tolist() == [[0, 10]]
    assert recency_weights(np.array([0.0, 365.0]), 365).tolist() == [1, 0.5]


def test_transport_cost_finds_the_rate_of_each_mode() -> None:
    """Air costs 8 a kilogram and road 2, whatever the value: 100 kg cost 800 and 200."""
    rng = np.random.default_rng(0)
    weight, value = rng.uniform(10, 1000, 200), rng.uniform(100, 10_000, 200)
    mode = np.array(["air", "road"])[np.arange(200) % 2]
    cost = weight * np.where(mode == "air", 8.0, 2.0)
    model = fit_transport_cost(Deliveries(weight, value, {"mode": mode}), cost, np.ones(200))
    two = Deliveries(np.full(2, 100.0), np.full(2, 1000.0), {"mode": np.array(["air", "road"])})
    assert model.predict(two) == pytest.approx([800, 200], rel=0.1)
    with pytest.raises(TransportCostError):
        Deliveries(np.array([0.0]), np.array([1.0]), {})
