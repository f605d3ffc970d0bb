"""A tenant's first weeks: simple methods that did best lately serve, until networks are judged."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from forecasting.pipeline import settings
from forecasting.pipeline.backtest import make_holdout
from forecasting.pipeline.engine import EngineConfig, fit
from forecasting.pipeline.metrics import mean_pinball
from forecasting.pipeline.series import Reason
from forecasting.pipeline.settings import holdout_days, simple_holdout
from forecasting.pipeline.triage import enough_to_train
from tests.forecasting.pipeline.worlds import FIRST_DAY, TINY_ENGINE, day, panel_of

KNOWN, AHEAD = 54, 28
WEEK = np.array([0.2, 0.4, 0.6, 0.8, 1.0, 2.5, 1.5])
UNJUDGED = {"all": ("empirical_quantiles",)}


def weekly_panel(n_series, n_days=KNOWN + AHEAD, seed=0):
    """Counts around a level of its own for each series, with the same strong week for all."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(2, 20, (n_series, 1))
    return panel_of(rng.poisson(level * WEEK[np.arange(n_days) % 7]))


def serving(fitted):
    return {name: blend.methods for name, blend in fitted.contest.blends.items()}


def test_a_tenant_of_seven_weeks_is_served_by_what_did_best_in_the_last_three():
    panel, origin = weekly_panel(60), day(KNOWN - 1)
    chosen = fit(panel, origin, EngineConfig())
    usual = fit(panel, origin, EngineConfig(contest=False))
    assert serving(usual) == UNJUDGED
    assert {row.method for row in chosen.contest.league} >= {"theta", "empirical_quantiles"}
    losses = []
    for fitted in (chosen, usual):
        forecast = fitted.forecast(panel, origin, AHEAD)
        assert set(forecast.reason) == {Reason.NO_NETWORK}
        losses.append(mean_pinball(panel.demand[:, KNOWN:], forecast.quantiles).mean())
    assert losses[0] < 0.8 * losses[1]  # the week is half of the variance


def test_the_luckiest_of_few_series_is_not_chosen(monkeypatch):
    panel, origin = weekly_panel(10), day(KNOWN - 1)
    assert serving(fit(panel, origin, EngineConfig())) == UNJUDGED
    monkeypatch.setattr(settings, "FEWEST_CASES", 10)  # control
    assert serving(fit(panel, origin, EngineConfig())) != UNJUDGED


@pytest.mark.parametrize(
    ("series", "days", "origins", "horizon"),
    [
        (30, 34, 0, 0),  # 6 days after the 28 that are read: not a whole week
        (30, 35, 1, 7),
        (30, 60, 1, 28),  # room for 32 days: four weeks
        (30, 83, 1, 28),
        (30, 84, 2, 28),
        (29, 83, 0, 0),  # 29 series times one origin
        (29, 84, 2, 28),
        (3, 400, 10, 28),  # thirty cases
        (3, 300, 0, 0),  # room for nine origins: 27 cases
        (1, 2000, 30, 28),
    ],
)
def test_simple_methods_are_judged_on_thirty_cases_at_least(series, days, origins, horizon):
    panel = weekly_panel(series, days)
    found = simple_holdout(panel, EngineConfig())
    last = FIRST_DAY + timedelta(days=days - 1)
    assert found == [last - timedelta(days=horizon * k) for k in range(origins, 0, -1)]


def test_what_comes_after_the_origin_chooses_nobody():
    panel, origin = weekly_panel(40), day(KNOWN - 1)
    spoiled = panel.demand.copy()
    spoiled[:, KNOWN:] = 1e6
    assert fit(replace(panel, demand=spoiled), origin).contest == fit(panel, origin).contest


def test_a_tenant_without_any_usable_series_is_not_judged():
    assert serving(fit(panel_of(np.zeros((40, 60))), day(59), EngineConfig())) == UNJUDGED


# -- networks -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("series", "days", "enough"),
    [(4, 400, False), (5, 83, False), (5, 84, True), (29, 56, False), (30, 55, False),
     (30, 56, True)],
)  # fmt: skip
def test_thirty_series_of_eight_weeks_or_five_of_twelve_train_a_network(series, days, enough):
    panel = weekly_panel(series, days)
    assert enough_to_train(panel, np.ones(series, dtype=bool)) is enough


@pytest.mark.parametrize(
    ("days", "back"),
    [(55, []), (56, [14]), (111, [14]), (112, [28]), (139, [28]), (140, [56, 28])],
)
def test_a_network_of_few_days_is_judged_on_two_weeks_and_later_on_eight(days, back):
    panel = weekly_panel(5, days)
    assert holdout_days(panel, EngineConfig()) == [panel.last_day - timedelta(one) for one in back]


def test_days_that_have_not_come_yet_judge_nobody():
    panel = weekly_panel(30, 60)
    held_out = make_holdout(panel, [day(45)], 28)
    assert held_out.seen.shape == (1, 30, 28)
    assert held_out.seen[..., :14].all()
    assert not held_out.seen[..., 14:].any()
    np.testing.assert_array_equal(held_out.actual[0, :, :14], panel.demand[:, 46:])


def test_a_network_of_eight_weeks_is_judged_beside_the_simple_methods_and_knows_no_later_day():
    panel, origin = weekly_panel(30, 60 + AHEAD), day(59)
    fitted = fit(panel, origin, TINY_ENGINE)
    assert {row.method for row in fitted.contest.league} >= {"lstm", "seasonal_naive"}
    assert Reason.NO_NETWORK not in {one.reason for one in fitted.contest.blends.values()}
    spoiled = panel.demand.copy()
    spoiled[:, 60:] = 1e6
    again = fit(replace(panel, demand=spoiled), origin, TINY_ENGINE)
    assert again.contest == fitted.contest
    np.testing.assert_array_equal(
        again.forecast(panel, origin).quantiles, fitted.forecast(panel, origin).quantiles
    )
