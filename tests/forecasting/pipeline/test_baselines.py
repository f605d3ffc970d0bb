"""Baselines: hand-computed cases, masked days, and forecasts that hold for any input."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from forecasting.pipeline.baselines import BASELINES, CROSTON_ALPHA, BaselineForecast

every_baseline = pytest.mark.parametrize("name", sorted(BASELINES))


def run(name: str, demand: object, observed: object = None, horizon: int = 7) -> BaselineForecast:
    values = np.atleast_2d(np.asarray(demand, dtype=float))
    seen = np.isfinite(values) if observed is None else np.atleast_2d(np.asarray(observed))
    return BASELINES[name](values, seen, horizon, first_weekday=0)


def is_sound(forecast: BaselineForecast) -> bool:
    return bool(
        np.isfinite(forecast.mean).all()
        and np.isfinite(forecast.quantiles).all()
        and (forecast.mean >= 0).all()
        and (forecast.quantiles >= 0).all()
        and (np.diff(forecast.quantiles, axis=2) >= 0).all()
    )


def test_seasonal_naive_repeats_the_last_week_and_spreads_like_weekly_changes():
    two_weeks = [1, 2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6, 7, 8]  # every weekly change is +1
    forecast = run("seasonal_naive", two_weeks, horizon=9)
    assert forecast.mean[0].tolist() == [2, 3, 4, 5, 6, 7, 8, 2, 3]
    assert forecast.quantiles[0, 0].tolist() == [3] * 19


def test_moving_average_is_the_mean_of_the_last_28_days():
    demand = [100] * 30 + [1, 3] * 14
    assert run("moving_average", demand).mean[0, 0] == pytest.approx(2)


def test_empirical_quantiles_are_order_statistics_of_the_last_91_days():
    demand = [1000] * 50 + list(
        range(1, 92)
    )  # 91 values: the 0.5 quantile is number ceil(45.5) = 46
    forecast = run("empirical_quantiles", demand)
    assert forecast.quantiles[0, 0, 9] == 46
    assert forecast.quantiles[0, 0, 18] == 87  # ceil(0.95 * 91) = ceil(86.45)


def test_empirical_weekday_gives_each_weekday_its_own_distribution():
    week = [10, 0, 0, 0, 0, 0, 3]
    forecast = run("empirical_weekday", week * 10, horizon=7)
    assert forecast.mean[0].tolist() == week
    assert forecast.quantiles[0, :, 9].tolist() == week


def test_the_weekday_of_the_first_column_only_names_the_days():
    week = np.array([[10, 0, 0, 0, 0, 0, 3] * 10], dtype=float)
    shifted = BASELINES["empirical_weekday"](week, np.isfinite(week), 7, first_weekday=3)
    assert shifted.mean[0].tolist() == [10, 0, 0, 0, 0, 0, 3]


def test_croston_divides_size_by_interval_and_sba_takes_off_its_bias():
    # sales of 4 every second day: size stays 4, interval stays 2 -> 2 per day
    demand = [0, 4] * 10
    assert run("croston", demand).mean[0, 0] == pytest.approx(2)
    assert run("sba", demand).mean[0, 0] == pytest.approx(2 * (1 - CROSTON_ALPHA / 2))


def test_tsb_forgets_a_product_that_stopped_selling_and_croston_does_not():
    demand = [4] * 60 + [0] * 120
    assert run("tsb", demand).mean[0, 0] < 0.05
    assert run("croston", demand).mean[0, 0] == pytest.approx(4)


def test_theta_follows_half_of_the_trend_and_smoothing_none():
    demand = np.arange(1, 200) / 2.0
    smoothed = run("exponential_smoothing", demand, horizon=14).mean[0]
    trended = run("theta", demand, horizon=14).mean[0]
    assert smoothed[7:] == pytest.approx(smoothed[:7])
    # the slope is 0.5 a day, half of it counts: 7 days later 7 * 0.25 more
    assert trended[7:] - trended[:7] == pytest.approx(np.full(7, 1.75), rel=0.02)


@every_baseline
def test_out_of_stock_days_are_left_out(name):
    steady = np.full(140, 6.0)
    demand = np.where(np.arange(140) < 110, 6.0, 0.0)  # nothing on the shelf in the last 30 days
    forecast = run(name, demand, demand > 0)
    assert forecast.mean[0] == pytest.approx(run(name, steady).mean[0])
    # Croston only counts days between sales: an end without sales never reaches it
    control = run(name, demand, np.ones(140, dtype=bool))
    assert name in {"croston", "sba"} or control.mean[0, 0] < 5.5


@every_baseline
def test_a_series_does_not_depend_on_its_neighbours(name):
    generator = np.random.default_rng(1)
    demand = generator.poisson(2, (5, 200)).astype(float)
    together = run(name, demand)
    alone = run(name, demand[3])
    assert together.mean[3] == pytest.approx(alone.mean[0])
    assert together.quantiles[3] == pytest.approx(alone.quantiles[0])


@every_baseline
@pytest.mark.parametrize(
    "demand",
    [
        np.zeros((2, 0)),
        np.zeros((2, 1)),
        np.full((2, 40), np.nan),
        np.full((1, 40), np.inf),
        np.full((1, 40), -5.0),
        np.full((1, 40), 3e38),
        np.r_[np.zeros(99), 1e30][None],
        np.full((1, 5), 7.0),
    ],
    ids=["no day", "one day", "nan", "infinite", "negative", "huge", "spike", "short"],
)
def test_degenerate_series_end_in_a_sound_forecast(name, demand):
    forecast = BASELINES[name](demand, np.ones(demand.shape, dtype=bool), 3, first_weekday=6)
    assert forecast.mean.shape == (demand.shape[0], 3)
    assert forecast.quantiles.shape == (demand.shape[0], 3, 19)
    assert is_sound(forecast)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_input_ends_in_a_sound_forecast(data):
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(0, 40)))
    demand = data.draw(hnp.arrays(np.float32, shape))
    observed = data.draw(hnp.arrays(np.bool_, shape))
    for name, method in BASELINES.items():
        assert is_sound(method(demand, observed, 5, first_weekday=2)), name
