"""Demand over the protection interval: sums of days, uncertain lead times, joint days."""

import numpy as np
import pytest

from forecasting.decisions.demand_paths import demand_forecast
from forecasting.decisions.lead_time_demand import interval_demand
from forecasting.decisions.lead_times import (
    LeadTimeError,
    LeadTimeHistory,
    lead_times_from_levels,
    lead_times_from_observations,
)
from tests.worked_examples.decision_makers import fixed_lead_times, steady_forecast

WEEKLY = np.array([7])


def test_certain_demand_and_lead_time_add_up():
    # 3 a day, 5 days lead time, 7 days review: 36, and 15 until the order arrives
    demand = interval_demand(steady_forecast([3]), fixed_lead_times([5]), WEEKLY).item(0)
    assert demand.mean == pytest.approx(36)
    assert demand.at(0.01) == pytest.approx(36)
    assert demand.at(0.99) == pytest.approx(36)
    assert demand.lead_time_demand == pytest.approx(15)
    assert demand.protection_days == 12


def test_an_uncertain_lead_time_spreads_certain_demand():
    # 2 a day; 4 or 14 days, even odds; review 7: demand 22 or 42, mean 32
    lead = lead_times_from_observations([[4.0, 14.0]], [None], prior_weight=1e-9)
    demand = interval_demand(steady_forecast([2]), lead, WEEKLY).item(0)
    assert demand.mean == pytest.approx(32, rel=0.01)
    assert demand.at(0.45) == pytest.approx(22)
    assert demand.at(0.55) == pytest.approx(42)
    assert demand.stockout_probability(30) == pytest.approx(0.5, abs=0.05)


def poisson_like(correlation, days=28, level=4.0):
    history = np.random.default_rng(5).poisson(level, 200_000)
    quantiles = np.quantile(history, np.arange(1, 20) / 20, method="inverted_cdf").astype(float)
    return demand_forecast(
        np.full((1, days), level), np.tile(quantiles, (1, days, 1)), np.array([correlation])
    )


def test_independent_days_spread_with_the_root_of_their_number():
    # variance of 21 Poisson days of 4: 84, deviation 9.2; the sum of daily 0.9 quantiles would be 147
    demand = interval_demand(poisson_like(0.0), fixed_lead_times([14]), WEEKLY).item(0)
    assert demand.mean == pytest.approx(84, rel=0.01)
    assert demand.at(0.9) == pytest.approx(84 + 1.2816 * np.sqrt(84), rel=0.03)
    sum_of_quantiles = 21 * float(poisson_like(0.0).quantiles[0, 0, 17])
    assert demand.at(0.9) < sum_of_quantiles * 0.75


def test_days_that_err_together_need_more_safety_stock():
    free = interval_demand(poisson_like(0.0), fixed_lead_times([14]), WEEKLY).item(0)
    tied = interval_demand(poisson_like(0.2), fixed_lead_times([14]), WEEKLY).item(0)
    # variance of the sum: n (1 + (n - 1) r) = 21 * (1 + 20 * 0.2) = 5 times as much
    assert tied.mean == pytest.approx(free.mean, rel=0.01)
    ratio = (tied.at(0.95) - tied.mean) / (free.at(0.95) - free.mean)
    assert ratio == pytest.approx(np.sqrt(5), rel=0.12)


def test_a_slow_mover_is_not_normal():
    # sells one unit every 50 days: 14 + 7 days -> P(no sale) about 0.65, so the 0.5 quantile is 0
    days = 28
    forecast = demand_forecast(np.full((1, days), 0.02), np.zeros((1, days, 19)))
    demand = interval_demand(forecast, fixed_lead_times([14]), WEEKLY).item(0)
    assert demand.mean == pytest.approx(0.42, rel=0.25)
    assert demand.at(0.3) == pytest.approx(0, abs=0.05)
    assert demand.at(0.99) > 1


def test_an_interval_beyond_the_forecast_repeats_its_last_weeks_and_says_so():
    # 10 on Mondays only: 4 in 28 days; 35 + 7 days: 6
    week = np.tile([10.0, 0, 0, 0, 0, 0, 0], 4)[None]
    forecast = demand_forecast(week, np.repeat(week[..., None], 19, axis=2))
    demand = interval_demand(forecast, fixed_lead_times([35]), WEEKLY).item(0)
    assert demand.mean == pytest.approx(60)
    assert demand.beyond_horizon


def test_receipts_move_the_promise_of_a_supplier_without_receipts():
    # promised 10, took 15 every time: another item of promise 20 is expected at 30
    lead = lead_times_from_observations([[15.0] * 20, []], [10.0, 20.0])
    assert lead.mean_days[1] == pytest.approx(30)


@pytest.mark.parametrize("days", [-1.0, float("nan"), 10_000.0])
def test_a_lead_time_that_cannot_be_is_refused_with_its_row(days):
    with pytest.raises(LeadTimeError) as refused:
        lead_times_from_levels([LeadTimeHistory(3.0), LeadTimeHistory(days)])
    assert refused.value.row == 1


def test_an_item_without_promise_and_receipt_is_refused():
    with pytest.raises(LeadTimeError):
        lead_times_from_observations([[]], [None])
