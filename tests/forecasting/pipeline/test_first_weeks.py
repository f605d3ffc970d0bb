"""Before a network can be trained, the simple methods that did best lately serve."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from forecasting.pipeline import settings
from forecasting.pipeline.engine import EngineConfig, fit
from forecasting.pipeline.metrics import mean_pinball
from forecasting.pipeline.series import Reason
from forecasting.pipeline.settings import simple_holdout
from tests.forecasting.pipeline.worlds import FIRST_DAY, day, panel_of

KNOWN, AHEAD = 63, 28
WEEK = np.array([0.2, 0.4, 0.6, 0.8, 1.0, 2.5, 1.5])
UNJUDGED = {"all": ("empirical_quantiles",)}


def weekly_panel(n_series, n_days=KNOWN + AHEAD, seed=0):
    """Counts around a level of its own for each series, with the same strong week for all."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(2, 20, (n_series, 1))
    return panel_of(rng.poisson(level * WEEK[np.arange(n_days) % 7]))


def serving(fitted):
    return {name: blend.methods for name, blend in fitted.contest.blends.items()}


def test_a_tenant_of_nine_weeks_is_served_by_what_did_best_in_the_last_four():
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
    assert serving(fit(panel, origin)) == UNJUDGED
    monkeypatch.setattr(settings, "SIMPLE_CASES", 10)  # control
    assert serving(fit(panel, origin)) != UNJUDGED


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
    found, judged = simple_holdout(panel, EngineConfig())
    assert (len(found), judged) == (origins, horizon)
    last = FIRST_DAY + timedelta(days=days - 1)
    assert found == [last - timedelta(days=horizon * k) for k in range(origins, 0, -1)]


def test_what_comes_after_the_origin_chooses_nobody():
    panel, origin = weekly_panel(40), day(KNOWN - 1)
    spoiled = panel.demand.copy()
    spoiled[:, KNOWN:] = 1e6
    assert fit(replace(panel, demand=spoiled), origin).contest == fit(panel, origin).contest


def test_a_tenant_without_any_usable_series_is_not_judged():
    assert serving(fit(panel_of(np.zeros((40, 60))), day(59))) == UNJUDGED
