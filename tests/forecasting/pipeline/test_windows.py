"""Which windows are drawn: series that count for more come more often, and count less each time."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.pipeline import training
from forecasting.pipeline.feature_plan import plan_features
from forecasting.pipeline.features import (
    LEVEL_GAIN,
    PAST_LEVEL,
    FeatureStore,
    origin_level,
)
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


def drawn(store, **augmentation):
    windows = replace(TINY_WINDOWS, **augmentation)
    (block,) = draw_windows(store, windows, 1, np.random.default_rng(4))
    return block


def test_jitter_shakes_the_demand_of_days_with_a_sale_and_nothing_else(store):
    plain, shaken = drawn(store), drawn(store, jitter=0.1)
    moved = shaken.past != plain.past
    assert not moved[..., 1:].any()
    assert moved[..., 0].any()
    assert not moved[..., 0][plain.past[..., 0] == 0].any()
    # 0.1 on average, of 8 windows of 28 days that mostly sell
    spread = (shaken.past - plain.past)[..., 0][moved[..., 0]].std()
    assert spread == pytest.approx(0.1, rel=0.3)
    np.testing.assert_array_equal(shaken.target, plain.target)


def test_a_rescaled_window_reads_another_level_everywhere_and_asks_for_the_same(store):
    plain, shaken = drawn(store), drawn(store, rescale=0.5)
    by = (shaken.past - plain.past)[..., PAST_LEVEL]  # [B, L]
    assert np.ptp(by, axis=1).max() < 1e-5
    assert (np.abs(by[:, 0]) > 1e-3).all()
    at_origin = (shaken.origin - plain.origin)[..., origin_level(store.plan)]
    np.testing.assert_allclose(at_origin, np.broadcast_to(by[:, :1], at_origin.shape), atol=1e-5)
    others = np.delete(shaken.past - plain.past, PAST_LEVEL, axis=-1)
    assert not others.any()
    np.testing.assert_array_equal(
        shaken.target / shaken.level[..., None], plain.target / plain.level[..., None]
    )


def test_the_channels_named_for_the_level_hold_it(store):
    block = drawn(store)
    np.testing.assert_allclose(
        block.origin[..., origin_level(store.plan)],
        LEVEL_GAIN * np.log(block.level),
        rtol=1e-4,
        atol=1e-6,
    )


def test_windows_are_cropped_anywhere(store):
    blocks = list(draw_windows(store, TINY_WINDOWS, 40, np.random.default_rng(5)))
    assert len({tuple(block.emits) for block in blocks}) > 30
