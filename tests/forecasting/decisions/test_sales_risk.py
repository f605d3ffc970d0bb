"""Abnormal sales and fading demand: found where they are, silent where they are not."""

import numpy as np
import pytest

from forecasting.decisions.demand_paths import demand_forecast
from forecasting.decisions.risk import RiskKind
from forecasting.decisions.sales_risk import find_abnormal_sales, find_trend_declines


def poisson_forecast(levels, days=7):
    generator = np.random.default_rng(1)
    quantiles = np.stack(
        [np.quantile(generator.poisson(one, 5_000), np.arange(1, 20) / 20) for one in levels]
    )
    mean = np.repeat(np.array(levels, dtype=float)[:, None], days, axis=1)
    return demand_forecast(mean, np.repeat(quantiles[:, None], days, axis=1), np.zeros(len(levels)))


def judged(actual, levels=(5.0,), seen=None):
    table = np.atleast_2d(np.asarray(actual, dtype=float))
    mask = np.ones(table.shape, dtype=bool) if seen is None else np.atleast_2d(seen)
    keys = [f"P{k}" for k in range(len(table))]
    return find_abnormal_sales(
        keys, poisson_forecast(levels), table, mask, np.full(len(table), 2.0)
    )


def test_a_week_of_three_times_the_forecast_is_a_spike():
    # 5 a day: 35 a week, deviation 5.9; 105 came: 70 more at a value of 2
    (found,) = judged([15] * 7)
    assert found.kind is RiskKind.SALES_SPIKE
    assert found.severity == pytest.approx(140, rel=0.03)
    assert found.probability < 0.005
    assert found.low < 35 < found.high < 105


def test_a_week_without_sales_of_a_fast_mover_is_a_drop():
    (found,) = judged([0] * 7)
    assert found.kind is RiskKind.SALES_DROP
    assert found.evidence["actual"] == 0


def test_a_usual_week_is_silent_and_so_is_a_slow_mover_without_sales():
    assert judged([5, 4, 6, 5, 7, 3, 6]) == ()
    assert judged([0] * 7, levels=(0.1,)) == ()


def test_days_out_of_stock_are_no_drop():
    seen = [True] + [False] * 6
    assert judged([5, 0, 0, 0, 0, 0, 0], seen=seen) == ()
    assert len(judged([5, 0, 0, 0, 0, 0, 0])) == 1
    assert judged([0] * 7, seen=[False] * 7) == ()


def test_few_usual_weeks_are_called_abnormal():
    generator = np.random.default_rng(7)
    levels = tuple(generator.uniform(0.5, 20, 300))
    actual = generator.poisson(np.array(levels)[:, None], (300, 7))
    assert len(judged(actual, levels)) <= 6  # 300 * 2 * 0.005 = 3 expected


def declines(demand, observed=None, **options):
    table = np.atleast_2d(np.asarray(demand, dtype=float))
    seen = np.isfinite(table) if observed is None else observed
    keys = [f"P{k}" for k in range(len(table))]
    return find_trend_declines(keys, table, seen, np.ones(len(table)), **options)


def test_demand_that_halves_over_half_a_year_is_declining():
    # weekly 70 down to 35 in a straight line
    (found,) = declines(np.linspace(10, 5, 26 * 7))
    assert found.change_share == pytest.approx(-0.5, abs=0.03)
    assert found.severity == pytest.approx((70 - 35) * 4, rel=0.06)


def test_steady_and_growing_demand_are_silent():
    generator = np.random.default_rng(2)
    assert len(declines(generator.poisson(5, (200, 200)))) <= 2
    assert declines(np.linspace(5, 10, 26 * 7)) == ()


def test_a_season_that_was_the_same_last_year_declines_less():
    days = np.arange(3 * 364)
    seasonal = 10 * (1.5 + np.sin(2 * np.pi * days / 364))
    end = 3 * 364 - 60  # in the falling half of the year
    with_history = declines(seasonal[:end])
    only_recent = declines(seasonal[end - 26 * 7 : end])
    assert len(only_recent) == 1
    assert not with_history or with_history[0].severity < only_recent[0].severity


def test_too_short_a_history_is_silent():
    assert declines(np.linspace(10, 1, 60)) == ()
