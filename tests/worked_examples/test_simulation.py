"""Replays small enough to follow with a pencil."""

import numpy as np
import pytest

from forecasting.decisions.policies import (
    MinMaxLevels,
    PerfectForesight,
    ProjectedNeedPolicy,
    TextbookLevels,
)
from forecasting.decisions.projected_need import OpenOrder, Supply, projected_need
from forecasting.decisions.simulation import (
    SimulationError,
    World,
    simulate,
    stock_at_fill_rate,
)
from tests.worked_examples.decision_makers import fixed_lead_times, steady_forecast


class OrderEachTime:
    """Orders the same quantity at every review."""

    def __init__(self, quantity):
        self.quantity = quantity

    def need(self, world, day, state):
        return np.full(world.n_series, float(self.quantity))


def world_of(demand_days, *, lead=1, stock=0.0, review=2, first_day=0, **changes):
    table = np.atleast_2d(np.asarray(demand_days, dtype=float))
    ones = np.ones(len(table))
    given = {
        "demand": table,
        "lead_times": np.full(table.shape, lead),
        "starting_stock": ones * stock,
        "unit_cost": ones * 3,
        "unit_margin": ones * 2,
        "minimum_order_quantity": ones,
        "order_multiple": ones,
        "review_period_days": review,
        "first_day": first_day,
    }
    return World(**{**given, **changes})


def test_a_replay_by_hand():
    # 5 there, 2 asked for a day; evening of day 0 and 2: order 3, usable 2 days later (lead time 1)
    # day 0: sell 2, 3 left | 1: sell 2, 1 left | 2: +3, sell 2, 2 left | 3: sell 2, 0 | 4: +3, 2, 1
    result = simulate(world_of([2, 2, 2, 2, 2], stock=5), OrderEachTime(3))
    assert result.sold[0] == 10
    assert result.fill_rate == 1
    assert result.mean_stock[0] == pytest.approx((3 + 1 + 2 + 0 + 1) / 5)
    assert result.total_stock_value == pytest.approx(3 * 7 / 5)
    assert result.orders[0] == 3


def test_what_is_not_there_is_lost_not_owed():
    # 1 there, 2 asked for on each of 3 days: 1 sold, 5 lost at a margin of 2
    result = simulate(world_of([2, 2, 2], stock=1, lead=5), OrderEachTime(9))
    assert result.sold[0] == 1
    assert result.lost_units == 5
    assert result.lost_margin[0] == 10
    assert result.stockout_days[0] == 3


def test_minimum_and_multiple_shape_what_arrives():
    # 3 needed, minimum 4, multiples of 5: 5 arrive for day 2
    world = world_of(
        [0, 0, 9], minimum_order_quantity=np.array([4.0]), order_multiple=np.array([5.0])
    )
    assert simulate(world, OrderEachTime(3)).sold[0] == 5


def test_days_of_the_warm_up_are_not_counted():
    result = simulate(world_of([9, 9, 1, 1], stock=0, lead=0, warm_up_days=2), OrderEachTime(2))
    assert result.days == 2
    assert result.demanded[0] == 2


def test_perfect_foresight_loses_nothing_once_its_orders_arrive():
    generator = np.random.default_rng(0)
    demand = generator.poisson(3, (4, 120))
    world = world_of(demand, lead=4, review=7, warm_up_days=14)
    result = simulate(world, PerfectForesight())
    assert result.fill_rate == 1
    # each order covers seven days; the evening stock is on average three days of demand
    assert result.mean_stock.mean() == pytest.approx(9, rel=0.1)


def test_steady_demand_is_met_by_every_policy_and_ours_hold_no_safety_stock():
    demand = np.full((1, 200), 3.0)
    world = world_of(demand, lead=4, review=7, stock=40, first_day=100, warm_up_days=30)
    lead = fixed_lead_times([4])

    def forecast_at(day):
        return steady_forecast([3])

    policies = [
        TextbookLevels(lead, 0.95),
        ProjectedNeedPolicy(forecast_at, lead, 0.95),
        PerfectForesight(),
    ]
    results = [simulate(world, one) for one in policies]
    assert [one.fill_rate for one in results] == [1, 1, 1]
    assert [one.mean_stock[0] for one in results] == pytest.approx([9, 9, 9], abs=0.7)
    spare = simulate(world, MinMaxLevels(20, 27))
    assert spare.mean_stock[0] > 20


def test_need_is_what_the_window_of_the_order_lacks():
    # 3 a day, 20 there, lead time 4, review 7: window days 5 to 11 asks for 21
    # 20 - 4 * 3 = 8 left for it: 13 needed; 10 that arrive in the window leave 3
    forecast, lead = steady_forecast([3]), fixed_lead_times([4])
    alone = projected_need(forecast, Supply(np.array([20.0]), (), lead), 7)
    assert alone.quantile(0.9)[0] == pytest.approx(13, abs=1e-4)
    coming = OpenOrder(age_days=1, quantity=np.array([10.0]))
    helped = projected_need(forecast, Supply(np.array([20.0]), (coming,), lead), 7)
    assert helped.quantile(0.9)[0] == pytest.approx(3, abs=1e-4)
    assert helped.expected_shortage(np.array([1.0]))[0] == pytest.approx(2, abs=1e-4)


def test_sales_lost_before_the_order_arrives_are_not_bought_again():
    # nothing there: the 12 of the first four days are lost; the window asks for 21, not 33
    supply = Supply(np.array([0.0]), (), fixed_lead_times([4]))
    need = projected_need(steady_forecast([3]), supply, 7)
    assert need.quantile(0.5)[0] == pytest.approx(21, abs=1e-4)


def test_an_order_older_than_any_lead_time_is_expected_tomorrow():
    supply = Supply(np.array([0.0]), (OpenOrder(99, np.array([50.0])),), fixed_lead_times([4]))
    assert projected_need(steady_forecast([3]), supply, 7).quantile(0.5)[0] == 0


def test_a_policy_sees_nothing_of_the_days_after_the_review():
    generator = np.random.default_rng(4)
    demand = generator.poisson(2, (3, 150)).astype(float)
    lead = fixed_lead_times([3, 3, 3])
    for policy in (TextbookLevels(lead, 0.9), MinMaxLevels(7, 14)):
        seen = []
        for future in (demand[:, 101:], demand[:, 101:] * 50):
            world = world_of(
                np.concatenate([demand[:, :101], future], axis=1), review=7, first_day=100
            )
            state_world = simulate_first_order(world, policy)
            seen.append(state_world)
        assert np.array_equal(*seen)


def simulate_first_order(world, policy):
    asked = []

    class Spy:
        def need(self, world, day, state):
            asked.append(policy.need(world, day, state))
            return asked[-1]

    simulate(world, Spy())
    return asked[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"first_day": 9},
        {"review": 0},
        {"lead_times": np.ones((1, 2))},
        {"order_multiple": np.zeros(1)},
        {"demand": np.full((1, 5), np.nan)},
    ],
)
def test_a_world_that_cannot_be_replayed_is_refused(changes):
    with pytest.raises(SimulationError):
        world_of([1, 1, 1, 1, 1], **changes)


def test_the_stock_for_a_fill_rate_lies_between_runs_or_is_unknown():
    fills, stocks = np.array([0.9, 0.95]), np.array([100.0, 200.0])
    assert 100 < stock_at_fill_rate(fills, stocks, 0.93) < 200
    assert stock_at_fill_rate(fills, stocks, 0.99) is None
