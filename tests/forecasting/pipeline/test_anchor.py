"""The anchor of a young tenant: where it holds, how far, and that it looks back only."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.pipeline import forecaster
from forecasting.pipeline.anchor import anchor_factor, knows_no_turn, last_level
from forecasting.pipeline.engine import fit
from forecasting.pipeline.explanation import explain
from forecasting.pipeline.feature_plan import PlannedSignal
from tests.forecasting.pipeline.test_engine import NETWORK_ONLY, ORIGIN, corrupt_after
from tests.forecasting.pipeline.worlds import make_panel


def each(units):
    """Return fifty series that sell or are forecast the same."""
    return np.full(50, units)


def test_a_slip_of_the_keys_moves_no_other_product():
    level, forecast = each(100.0), each(80.0)
    level[7] = forecast[7] = 1e12
    # it counts as 100 median ones: log((4,900 + 10,000) / (3,920 + 10,000)) = 0.068, less 0.05
    assert anchor_factor(level, forecast) == pytest.approx(1.018, abs=0.001)


def test_a_fall_of_the_whole_is_drawn_back_to_the_tolerance():
    # log(100 / 80) = 0.223; less 0.05 leaves 0.173, and exp(0.173) = 1.189: 95.1 per day
    assert anchor_factor(each(100.0), each(80.0)) == pytest.approx(1.189, abs=0.001)


def test_a_rise_of_the_whole_is_drawn_back_likewise():
    # log(100 / 130) = -0.262; plus 0.05 leaves -0.212, and exp(-0.212) = 0.809: 105.1 per day
    assert anchor_factor(each(100.0), each(130.0)) == pytest.approx(0.809, abs=0.001)


def test_within_the_tolerance_nothing_changes():
    assert anchor_factor(each(100.0), each(96.0)) == 1.0
    assert anchor_factor(each(100.0), each(104.0)) == 1.0


def test_the_factor_ends_at_two():
    assert anchor_factor(each(900.0), each(100.0)) == pytest.approx(2.0)
    assert anchor_factor(each(100.0), each(900.0)) == pytest.approx(0.5)


@pytest.mark.parametrize(("level", "forecast"), [(0.0, 10.0), (10.0, 0.0), (0.0, 0.0)])
def test_without_sales_or_forecasts_there_is_no_anchor(level, forecast):
    assert anchor_factor(each(level), each(forecast)) == 1.0


def test_the_last_level_counts_observed_days_only():
    demand, observed = np.full((1, 40), 90.0), np.ones((1, 40), bool)
    demand[0, -28:] = 4.0
    demand[0, -3:] = np.nan
    observed[0, -14:] = False
    assert last_level(demand, observed).tolist() == [4.0]


def plain(panel):
    """The panel without its signals: nothing announces a turn."""
    return replace(panel, signals=())


@pytest.fixture(scope="module")
def fitted():
    return fit(plain(make_panel()), ORIGIN, NETWORK_ONLY)


@pytest.fixture(scope="module")
def risen():
    """Everything sold three times as much in the last week before the origin."""
    panel = plain(make_panel())
    demand = panel.demand.copy()
    last = panel.index_of(ORIGIN) + 1
    demand[:, last - 28 : last] *= 3
    return replace(panel, demand=demand)


def test_all_forecasts_move_together_towards_the_last_month(fitted, risen, monkeypatch):
    anchored = fitted.forecast(risen, ORIGIN)
    monkeypatch.setattr(forecaster, "anchor_factor", lambda level, forecast: 1.0)
    control = fitted.forecast(risen, ORIGIN)
    last = risen.index_of(ORIGIN) + 1
    level = float(risen.demand[:, last - 28 : last].mean(axis=1).sum())
    before, after = (float(one.mean.mean(axis=1).sum()) for one in (control, anchored))
    assert control.level_factor == 1.0
    assert abs(np.log(before / level)) > 0.05
    assert abs(np.log(after / level)) == pytest.approx(0.05, abs=1e-3)
    np.testing.assert_allclose(anchored.mean, anchored.level_factor * control.mean, rtol=1e-5)


def test_with_signals_or_a_whole_year_networks_may_see_a_turn(fitted):
    plan = fitted.plan
    assert knows_no_turn(plan)
    assert knows_no_turn(
        replace(plan, signals=(PlannedSignal("holiday", "category", ("New Year",)),))
    )
    assert not knows_no_turn(replace(plan, signals=(PlannedSignal("promotion", "flag"),)))
    assert not knows_no_turn(replace(plan, yearly=True))


def test_the_anchor_sees_nothing_after_the_origin(fitted, risen):
    kept = fitted.forecast(risen, ORIGIN)
    corrupted = fitted.forecast(corrupt_after(risen, ORIGIN), ORIGIN)
    assert corrupted.level_factor == kept.level_factor != 1.0
    np.testing.assert_array_equal(corrupted.quantiles, kept.quantiles)


def test_the_explanation_names_the_anchor_and_still_adds_up(fitted, risen):
    served = fitted.forecast(risen, ORIGIN)
    found = explain(fitted, risen, ORIGIN, 3, level_factor=served.level_factor)
    np.testing.assert_allclose(found.prediction, served.mean[3], rtol=1e-4, atol=1e-4)
    moved = (1 - 1 / served.level_factor) * found.prediction.sum()
    assert found.total("anchor") == pytest.approx(moved, rel=1e-6)
