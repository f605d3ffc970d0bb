"""The panel's cut at an origin: the past, and only what is known ahead of the future."""

import numpy as np
import pytest

from forecasting.pipeline.series import PanelError, SeriesPanel
from tests.forecasting.pipeline.worlds import day, make_panel


def test_the_cut_keeps_the_origin_and_drops_the_day_after():
    panel = make_panel(n_days=100)
    cut = panel.up_to(day(59))
    assert cut.n_days == 60
    assert cut.last_day == day(59)
    np.testing.assert_array_equal(cut.demand, panel.demand[:, :60])


def test_known_ahead_signals_keep_the_horizon_and_others_end_at_the_origin():
    cut = make_panel(n_days=100).up_to(day(59), horizon=10)
    promotion, weather = cut.signals
    assert promotion.values.shape == weather.values.shape == (70,)
    assert np.isfinite(promotion.values).all()
    assert np.isfinite(weather.values[:60]).all()
    assert np.isnan(weather.values[60:]).all()


def test_an_origin_after_the_last_day_adds_unobserved_days():
    cut = make_panel(n_days=100).up_to(day(104))
    assert cut.n_days == 105
    assert not cut.observed[:, 100:].any()


def test_an_origin_before_the_first_day_knows_nothing():
    assert make_panel(n_days=100).up_to(day(-5)).n_days == 0


def test_arrays_that_do_not_fit_are_refused_by_name():
    with pytest.raises(PanelError, match="observed"):
        SeriesPanel(("a",), day(0), np.ones((1, 3), np.float32), np.ones((1, 2), bool))


def test_select_keeps_the_signals_of_the_chosen_series():
    panel = make_panel()
    chosen = panel.select(np.array([3, 1]))
    assert chosen.series_ids == ("S03", "S01")
    assert list(chosen.categories["category"]) == ["tools", "tools"]
