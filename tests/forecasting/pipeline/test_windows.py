"""Which windows are drawn: series that count for more come more often, and count less each time."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.pipeline import training
from forecasting.pipeline.features import FeatureStore, plan_features
from forecasting.pipeline.windows import draw_rates, draw_windows
from tests.forecasting.pipeline.worlds import TINY_WINDOWS, make_panel

GIANT, DEAD = 9, 5
POWER = TINY_WINDOWS.draw_power


@pytest.fixture(scope="module")
def store():
    panel = make_panel()
    demand = panel.demand.copy()
    demand[GIANT] *= 40
    demand[DEAD] = 0
    panel = replace(panel, demand=demand)
    return FeatureStore(panel, plan_features(panel, 28))


def drawn_share(store, power=POWER):
    windows = replace(TINY_WINDOWS, batch=64, draw_power=power)
    blocks = draw_windows(store, windows, 60, np.random.default_rng(1))
    rows = np.concatenate([block.rows for block in blocks])
    return np.bincount(rows, minlength=store.n_series) / len(rows)


def test_a_giant_is_drawn_more_often_and_a_series_without_sales_seldom_but_still(store):
    share = drawn_share(store)
    usual = np.median(share)
    assert share[GIANT] > 1.3 * usual
    assert 0 < share[DEAD] < 0.7 * usual


def test_what_a_series_counts_in_all_its_windows_stays_the_same(store):
    counts = drawn_share(store) / draw_rates(store, POWER)
    whole = store.begins == 0  # one series began later and has fewer days to draw from
    # 3,840 draws of 12 series: a share of 1/12 is off by 5 % in one case of three
    np.testing.assert_allclose(counts[whole] / counts[whole].mean(), 1, atol=0.25)


def test_control_drawn_by_days_alone_a_giant_is_one_of_many(store):
    share = drawn_share(store, power=0)
    assert share[GIANT] < 1.3 * np.median(share)


def test_training_weighs_a_window_less_by_how_often_it_is_drawn(store):
    (block,) = draw_windows(store, TINY_WINDOWS, 1, np.random.default_rng(2))
    weights = training._weigher(store, TINY_WINDOWS)(block, 0.0).numpy()
    alike = (block.level / block.scale)[..., None] * block.target_seen
    divided = weights * draw_rates(store, POWER)[block.rows][:, None, None]
    np.testing.assert_allclose(divided, alike, rtol=1e-5)
