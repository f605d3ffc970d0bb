"""Groups: means add up exactly, quantiles are honest where sums of quantiles are not."""

from __future__ import annotations

import time

import numpy as np
import pytest

from forecasting.decisions.aggregation import Togetherness, add_up, togetherness
from forecasting.decisions.demand_paths import demand_forecast
from forecasting.pipeline.series import QUANTILES

DAYS, HORIZON = 420, 28


def world(n_series: int, common: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Poisson demand whose rates move together: past [S, DAYS] and what comes [S, HORIZON]."""
    rng = np.random.default_rng(seed)
    shared = np.exp(common * rng.standard_normal(DAYS + HORIZON) - common**2 / 2)
    demand = rng.poisson(rng.uniform(2, 10, n_series)[:, None] * shared).astype(float)
    return demand[:, :DAYS], demand[:, DAYS:]


def marginals(past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The past's own distribution as the forecast of every day."""
    mean = np.repeat(past.mean(axis=1)[:, None], HORIZON, axis=1)
    spread = np.quantile(past, QUANTILES, axis=1, method="inverted_cdf").T
    return mean, np.repeat(spread[:, None], HORIZON, axis=1)


def inside(low: np.ndarray, high: np.ndarray, actual: np.ndarray) -> float:
    return float(((actual >= low) & (actual <= high)).mean())


def test_two_products_worked_by_hand() -> None:
    # each sells 0 or 10, equally likely. Together, without any link: 0, 10, 10 or 20, so half of
    # all days lie at 10. In step: 0 or 20. The sum of the upper quartiles, 20, is right only then.
    mean = np.full((2, 4), 5.0)
    quantiles = np.tile(np.where(QUANTILES <= 0.5, 0.0, 10.0), (2, 4, 1))
    forecast = demand_forecast(mean, quantiles, np.zeros(2))
    groups = [np.array([0, 1]), np.array([1])]
    apart = add_up(forecast, groups, Togetherness(0.0, 0.0, np.zeros(2)))
    in_step = add_up(forecast, groups, Togetherness(0.9, 0.0, np.zeros(2)))
    np.testing.assert_array_equal(apart.mean, [[10.0] * 4, [5.0] * 4])
    upper = list(QUANTILES).index(0.65)
    np.testing.assert_allclose(apart.quantiles[0, :, upper], 10, atol=2.5)
    np.testing.assert_allclose(in_step.quantiles[0, :, upper], 20, atol=2.5)
    np.testing.assert_array_equal(apart.quantiles[1], quantiles[1])  # one alone keeps its own


@pytest.mark.parametrize("common", [0.0, 0.3])
def test_ranges_of_a_total_hold_what_they_promise_and_sums_of_quantiles_do_not(
    common: float,
) -> None:
    covered, summed = [], []
    for seed in range(6):
        past, future = world(60, common, seed)
        mean, quantiles = marginals(past)
        together = togetherness(past, np.ones(past.shape, dtype=bool))
        forecast = demand_forecast(mean, quantiles, together.own)
        found = add_up(forecast, [np.arange(60)], together)
        np.testing.assert_allclose(found.mean[0], mean.sum(axis=0), rtol=1e-12)
        actual = future.sum(axis=0)
        covered.append(inside(found.quantiles[0, :, 1], found.quantiles[0, :, 17], actual))
        whole = quantiles.sum(axis=0)
        summed.append(inside(whole[:, 1], whole[:, 17], actual))
    assert np.mean(covered) == pytest.approx(0.8, abs=0.09)
    if not common:
        assert np.mean(summed) > 0.99  # far too wide: nothing ever falls outside


def test_control_paths_that_ignore_what_is_common_are_far_too_narrow() -> None:
    past, future = world(60, 0.3)
    mean, quantiles = marginals(past)
    forecast = demand_forecast(mean, quantiles, np.zeros(60))
    found = add_up(forecast, [np.arange(60)], Togetherness(0.0, 0.0, np.zeros(60)))
    actual = future.sum(axis=0)
    assert inside(found.quantiles[0, :, 1], found.quantiles[0, :, 17], actual) < 0.45


def test_the_total_over_all_days_is_wider_where_errors_last() -> None:
    past, _future = world(20, 0.3)
    mean, quantiles = marginals(past)
    forecast = demand_forecast(mean, quantiles, np.zeros(20))
    widths = []
    for lasting in (0.0, 0.5):
        found = add_up(forecast, [np.arange(20)], Togetherness(0.3, lasting, np.zeros(20)))
        assert (np.diff(found.totals, axis=-1) >= 0).all()
        widths.append(float(found.totals[0, 17] - found.totals[0, 1]))
    assert widths[1] > 2 * widths[0]


def test_a_range_lies_around_the_mean_where_the_mean_lies_beyond_the_last_quantile() -> None:
    # lumpy: 97 days of 100 sell nothing, the others 100. Every quantile up to 0.95 says 0, and all
    # 500 products together are expected to sell 1,500 a day
    mean = np.full((500, HORIZON), 3.0)
    forecast = demand_forecast(mean, np.zeros((500, HORIZON, 19)), np.zeros(500))
    found = add_up(forecast, [np.arange(500)], Togetherness(0.0, 0.0, np.zeros(500)))
    middle = list(QUANTILES).index(0.5)
    assert found.totals[0, middle] == pytest.approx(1_500 * HORIZON, rel=0.02)
    assert found.totals[0, 0] < 1_500 * HORIZON < found.totals[0, -1]
    # and where quantiles say more than the mean, too
    high = demand_forecast(mean, np.full((500, HORIZON, 19), 9.0), np.zeros(500))
    found = add_up(high, [np.arange(500)], Togetherness(0.0, 0.0, np.zeros(500)))
    assert found.totals[0, middle] == pytest.approx(1_500 * HORIZON, rel=0.02)


def test_days_without_sales_every_week_do_not_hide_how_long_errors_last() -> None:
    """The level of everything wanders; Sundays are closed. Weekdays are no error of the level."""
    rng = np.random.default_rng(3)
    level = np.exp(np.repeat(rng.normal(0, 0.3, DAYS // 28), 28))
    open_days = np.where(np.arange(DAYS) % 7 == 6, 0.0, 1.0)
    past = rng.poisson(20 * level, (30, DAYS)).astype(float)
    seen = np.ones(past.shape, dtype=bool)
    always = togetherness(past, seen).lasting
    closed = togetherness(past * open_days, seen).lasting
    assert always > 0.3
    assert closed == pytest.approx(always, abs=0.15)
    steady = rng.poisson(20, past.shape) * open_days
    assert togetherness(steady, seen).lasting < 0.1


def test_odd_groups_and_pasts_are_survived() -> None:
    nothing = togetherness(np.zeros((3, 0)), np.zeros((3, 0), dtype=bool))
    forecast = demand_forecast(np.zeros((3, 7)), np.zeros((3, 7, 19)), nothing.own)
    found = add_up(forecast, [np.arange(3), np.array([], dtype=int)], nothing)
    assert not found.quantiles.any()
    assert not found.totals.any()
    constant = togetherness(np.full((3, 200), 4.0), np.ones((3, 200), dtype=bool))
    assert 0 <= constant.common <= 0.9


def test_two_thousand_series_take_seconds() -> None:
    rng = np.random.default_rng(0)
    mean = rng.uniform(0, 5, (2000, HORIZON))
    quantiles = np.sort(rng.uniform(0, 10, (2000, HORIZON, 19)), axis=-1)
    forecast = demand_forecast(mean, quantiles)
    groups = [np.arange(2000), *np.array_split(np.arange(2000), 20)]
    began = time.process_time()
    add_up(forecast, groups, Togetherness(0.1, 0.1, np.full(2000, 0.05)))
    assert time.process_time() - began < 20
