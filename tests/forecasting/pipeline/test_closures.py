"""Closed days: found where a whole warehouse is silent, left where a known holiday explains them."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from forecasting.pipeline import known
from forecasting.pipeline.cleaning import CleaningConfig
from forecasting.pipeline.closures import (
    closed_dates,
    find_closures,
    is_closed,
    without_closed_days,
)
from forecasting.pipeline.engine import EngineConfig, fit
from forecasting.pipeline.series import Signal
from tests.forecasting.pipeline.worlds import FIRST_DAY, panel_of

DAYS = 140


def shop(closed=(), n_series=60, n_days=DAYS, seed=0):
    """Sixty products of which two thirds sell on any day but Sundays, when the shop is shut."""
    rng = np.random.default_rng(seed)
    demand = rng.poisson(1.1, (n_series, n_days)).astype(float)
    demand[:, 6::7] = 0
    demand[:, list(closed)] = 0
    return panel_of(demand)


def found(panel):
    return [(one - FIRST_DAY).days for one in closed_dates(panel, find_closures(panel))]


def opened(panel):
    return without_closed_days(panel, find_closures(panel))


def with_signal(panel, values, *, kind="category", known_ahead=True):
    signal = Signal("event", np.asarray(values, np.float32), known_ahead, kind, ("feast", "fair"))
    return replace(panel, signals=(signal,))


def named(days, code=0, n_days=DAYS + 28):
    values = np.full(n_days, np.nan)
    values[list(days)] = code
    return values


def test_a_day_without_any_sale_is_closed_and_every_sunday_is_not():
    assert found(shop([50])) == [50]
    assert found(shop()) == []


def test_a_closed_day_is_unseen_and_all_else_stays():
    panel = shop([50, 92])
    made = opened(panel)
    assert not made.observed[:, [50, 92]].any()
    assert made.observed.sum() == panel.observed.sum() - 2 * 60
    assert np.array_equal(made.demand, panel.demand)
    assert panel.observed.all()


def test_a_panel_without_closed_days_is_not_copied():
    panel = shop()
    assert opened(panel) is panel


def test_next_to_nothing_is_closed_and_a_poor_day_is_open():
    # of 60 products about 40 sell: a tenth of that is 4
    panel = shop([50, 51])
    panel.demand[:3, 50] = 1
    panel.demand[:5, 51] = 1
    assert found(panel) == [50]


def test_two_weeks_are_a_closure_and_more_is_the_end_of_a_trade():
    assert found(shop(range(56, 70))) == [day for day in range(56, 70) if day % 7 != 6]
    assert found(shop(range(56, 71))) == []


def test_silence_at_the_end_is_a_closure_for_two_weeks():
    assert len(found(shop(range(DAYS - 5, DAYS)))) == 4
    assert found(shop(range(DAYS - 20, DAYS))) == []


def test_where_few_sell_a_day_without_sales_may_be_chance():
    # ten of them would have to sell on a usual day, and two thirds do
    assert found(shop([50], n_series=14)) == []
    assert found(shop([50], n_series=18)) == [50]


def test_a_holiday_known_ahead_explains_its_closed_day():
    panel = shop([50, 92])
    assert found(with_signal(panel, named([50]))) == [92]
    flag = np.nan_to_num(named([50], code=1))
    assert found(with_signal(panel, flag, kind="flag")) == [92]
    assert found(with_signal(panel, named([50]), known_ahead=False)) == [50, 92]


def test_a_name_that_seldom_closes_explains_nothing():
    # a market day every Thursday: one of twenty was closed
    thursdays = range(3, DAYS, 7)
    assert found(with_signal(shop([52]), named(thursdays))) == [52]


def test_a_promotion_of_one_product_explains_nothing():
    values = np.zeros((60, DAYS + 28))
    values[7, 50] = 1
    assert found(with_signal(shop([50]), values, kind="flag")) == [50]
    values[:, 50] = 1
    assert found(with_signal(shop([50]), values, kind="flag")) == []


def test_warehouses_close_on_days_of_their_own():
    panel = shop()
    panel.demand[::2, 50] = 0
    assert found(panel) == []
    names = np.array(["north", "south"] * 30)
    panel = replace(panel, categories={"warehouse": names})
    made = opened(panel)
    assert found(panel) == [50]
    assert not made.observed[::2, 50].any()
    assert made.observed[1::2].all()


def test_days_after_the_origin_do_not_decide():
    panel = shop([DAYS - 30])
    origin = FIRST_DAY + timedelta(days=DAYS - 30)
    cut = known.known_at(panel, origin, 28, CleaningConfig())
    later = replace(panel, demand=panel.demand.copy())
    later.demand[:, DAYS - 29 :] = 0
    assert np.array_equal(
        known.known_at(later, origin, 28, CleaningConfig()).observed, cut.observed
    )
    assert not cut.observed[:, -1].any()


@pytest.mark.parametrize("n_days", [0, 1, 27])
def test_with_too_few_weeks_nothing_is_closed(n_days):
    zeros = np.zeros(n_days, int)
    assert not is_closed(zeros, zeros + 100).any()
    assert found(shop(n_days=n_days)) == []


def test_the_level_after_a_closed_week_is_that_of_open_days(monkeypatch):
    """A shop shut for its last six days sells on as before; taken for demand it would not."""
    panel = shop(range(DAYS - 6, DAYS))
    config = EngineConfig(networks=(), cleaning=CleaningConfig(outliers=None))
    baselines = fit(panel, panel.last_day, config)
    usual = panel.demand[:, :-6].mean()
    assert baselines.forecast(panel, panel.last_day).mean.mean() == pytest.approx(usual, rel=0.08)
    monkeypatch.setattr(known, "find_closures", lambda panel: [])
    control = fit(panel, panel.last_day, config).forecast(panel, panel.last_day)
    assert control.mean.mean() < 0.95 * usual
