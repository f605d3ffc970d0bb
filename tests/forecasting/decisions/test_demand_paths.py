"""Sample paths: faithful to the daily quantiles, reproducible, and correlated as history was."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from forecasting.decisions.demand_paths import (
    CORRELATIONS,
    DEFAULT_CORRELATION,
    ForecastShapeError,
    demand_forecast,
    level_correlation,
    path_chunks,
)
from forecasting.decisions.lead_time_demand import LEVELS, interval_demand
from tests.worked_examples.decision_makers import fixed_lead_times


def forecast_of(series=3, days=28, seed=0):
    generator = np.random.default_rng(seed)
    history = generator.gamma(2.0, 3.0, (series, 400)) * generator.uniform(0.2, 4, (series, 1))
    quantiles = np.quantile(history, np.arange(1, 20) / 20, axis=1).T
    mean = np.repeat(history.mean(axis=1)[:, None], days, axis=1)
    return demand_forecast(
        mean, np.repeat(quantiles[:, None], days, axis=1), np.linspace(0, 0.4, series)
    )


def daily_paths(forecast, days=28):
    paths = np.empty((forecast.n_series, 512, days))
    for rows, cumulative in path_chunks(forecast, np.full(forecast.n_series, days)):
        paths[rows] = np.diff(cumulative, axis=2)
    return paths


def test_the_days_of_the_paths_keep_the_forecast_quantiles():
    forecast = forecast_of()
    drawn = np.quantile(daily_paths(forecast), np.arange(1, 20) / 20, axis=1)
    expected = forecast.quantiles.transpose(2, 0, 1)
    assert np.abs(drawn / expected - 1).max() < 0.15
    assert np.abs((drawn / expected).mean() - 1) < 0.02


def test_the_paths_keep_the_forecast_mean():
    forecast = forecast_of()
    assert daily_paths(forecast).mean(axis=(1, 2)) == pytest.approx(
        forecast.mean.mean(axis=1), rel=0.02
    )


def test_paths_do_not_depend_on_the_other_series():
    forecast = forecast_of(6)
    lead = fixed_lead_times([3, 30, 4, 9, 11, 2])
    review = np.full(6, 7)
    together = interval_demand(forecast, lead, review)
    rows = np.array([4])
    alone = interval_demand(forecast.select(rows), lead.select(rows), review[rows])
    assert together.values[4] == pytest.approx(alone.values[0], rel=1e-5)


def test_another_seed_gives_other_paths_of_the_same_demand():
    forecast, lead, review = forecast_of(2), fixed_lead_times([10, 10]), np.full(2, 7)
    one = interval_demand(forecast, lead, review, seed=1)
    two = interval_demand(forecast, lead, review, seed=2)
    assert not np.array_equal(one.values, two.values)
    assert one.quantile(0.9) == pytest.approx(two.quantile(0.9), rel=0.05)


def test_the_quantile_of_all_items_agrees_with_that_of_each():
    demand = interval_demand(forecast_of(), fixed_lead_times([3, 8, 20]), np.full(3, 7))
    for probability in (0.03, 0.5, 0.955):
        each = [demand.item(row).at(probability) for row in range(3)]
        assert demand.quantile(probability) == pytest.approx(each)
    stock = demand.quantile(0.8)
    each = [demand.item(row).expected_shortage(float(stock[row])) for row in range(3)]
    assert demand.expected_shortage(stock) == pytest.approx(each)


def test_correlation_is_found_where_levels_wander_and_not_where_days_are_independent():
    generator = np.random.default_rng(3)
    level = np.exp(np.cumsum(generator.normal(0, 0.03, (60, 900)), axis=1)) * 10
    wandering = generator.poisson(level)
    steady = generator.poisson(10, (60, 900))
    seen = np.ones(steady.shape, dtype=bool)
    assert np.median(level_correlation(wandering, seen)) > 0.2
    assert np.median(level_correlation(steady, seen)) < 0.03


def test_too_little_history_takes_the_default_correlation():
    demand = np.ones((2, 60))
    assert level_correlation(demand, demand > 0).tolist() == [DEFAULT_CORRELATION] * 2


def test_a_forecast_that_is_no_forecast_is_refused():
    good = forecast_of()
    with pytest.raises(ForecastShapeError):
        demand_forecast(good.mean, good.quantiles[:, :, :5])
    with pytest.raises(ForecastShapeError):
        demand_forecast(-good.mean, good.quantiles)
    with pytest.raises(ForecastShapeError):
        demand_forecast(good.mean * np.nan, good.quantiles)
    with pytest.raises(ForecastShapeError):
        demand_forecast(good.mean[:, :0], good.quantiles[:, :0])


@settings(max_examples=40, deadline=None)
@given(
    quantiles=hnp.arrays(np.float64, (2, 3, 19), elements=st.floats(0, 1e9)),
    mean=hnp.arrays(np.float64, (2, 3), elements=st.floats(0, 1e9)),
    correlation=st.floats(0, 1),
    lead=st.floats(0, 60),
)
def test_any_forecast_ends_in_a_finite_ordered_distribution(quantiles, mean, correlation, lead):
    forecast = demand_forecast(mean, np.sort(quantiles, axis=2), np.full(2, correlation))
    demand = interval_demand(forecast, fixed_lead_times([lead, lead]), np.array([0, 7]))
    assert np.isfinite(demand.values).all()
    assert (demand.values >= 0).all()
    assert (np.diff(demand.values, axis=1) >= 0).all()
    assert demand.values.shape == (2, len(LEVELS))


def test_correlations_on_offer_start_at_independence():
    assert CORRELATIONS[0] == 0
