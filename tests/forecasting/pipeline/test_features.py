"""Features: by hand where small enough, blind to what comes after a step, the same from less history."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.pipeline.feature_plan import plan_features
from forecasting.pipeline.features import FeatureStore
from forecasting.pipeline.scaling import (
    LEVEL_FLOOR,
    ScaleKind,
    recent_level,
    scale_of,
    step_scale,
)
from tests.forecasting.pipeline.worlds import day, make_panel

ROWS = np.arange(12)


def block(panel, plan, start, emits):
    return FeatureStore(panel, plan).block(ROWS, np.full(12, start), 40, np.array(emits))


def test_a_step_knows_nothing_of_later_days():
    panel = make_panel().up_to(day(171))
    plan = plan_features(panel, 7)
    changed = panel.demand.copy()
    changed[:, 121:] += 50
    one = block(panel, plan, 90, [30])  # day 120
    other = block(replace(panel, demand=changed), plan, 90, [30])
    np.testing.assert_array_equal(one.past[:, :31], other.past[:, :31])
    np.testing.assert_array_equal(one.origin, other.origin)
    np.testing.assert_array_equal(one.ahead, other.ahead)
    np.testing.assert_array_equal(one.level, other.level)
    np.testing.assert_array_equal(one.scale, other.scale)
    # control: the targets do see it
    assert not np.array_equal(one.target, other.target)


def test_targets_after_the_last_day_are_unseen():
    panel = make_panel().up_to(day(171))
    cut = block(panel, plan_features(panel, 7), 132, [36])  # day 168: three days are known
    assert cut.target_seen[2, 0].tolist() == [True] * 3 + [False] * 4


def test_days_out_of_stock_count_neither_as_input_nor_as_target():
    panel = make_panel().up_to(day(171))
    cut = block(panel, plan_features(panel, 7), 30, [29])  # series 1 is out of stock on 60..65
    assert cut.target_seen[1, 0].tolist() == [False] * 6 + [True]
    assert cut.past[1, 30:36, 1].tolist() == [0] * 6


def test_short_histories_get_no_yearly_channels_and_no_long_means():
    short = plan_features(make_panel(n_days=200), 28)
    long = plan_features(make_panel(n_days=800), 28)
    assert not short.yearly
    assert long.yearly
    assert max(short.means) <= 50
    assert max(long.means) == 182


def test_the_level_is_the_mean_of_the_recent_means_by_hand():
    """Ten days of 4, one window of 28 days: (10 * 4 + 7 * 4) / (10 + 7) = 4; never sold: the floor."""
    demand = np.array([[4.0] * 10, [0.0] * 10])
    level = recent_level(demand, np.ones((2, 10), bool), ((28, 1.0),))
    np.testing.assert_allclose(level[:, -1], [4.0, LEVEL_FLOOR])


def test_the_step_scale_of_a_day_knows_only_earlier_changes():
    """2 4 2 4: changes of 2; 14 prior changes of 1.5 times the mean 3: (3 * 2 + 14 * 4.5) / 17."""
    demand = np.array([[0.0, 2, 4, 2, 4, 900]])
    scale = step_scale(demand, np.ones((1, 6), bool))
    np.testing.assert_allclose(scale[0, 4], (3 * 2 + 14 * 1.5 * 3) / 17, rtol=1e-6)


def test_the_last_days_are_enough_to_forecast():
    panel = make_panel(n_days=900).up_to(day(871))
    plan = plan_features(panel, 7)
    less = panel.last_days(plan.days_to_read + 40)
    whole = FeatureStore(panel, plan).block(ROWS, np.full(12, 872 - 40), 40, np.array([39]))
    part = FeatureStore(less, plan).block(ROWS, np.full(12, less.n_days - 40), 40, np.array([39]))
    for name in ("past", "origin", "ahead", "level"):
        np.testing.assert_allclose(getattr(whole, name), getattr(part, name), atol=1e-5)


def test_some_days_of_the_horizon_are_those_of_the_whole_forecast():
    panel = make_panel().up_to(day(171))
    store = FeatureStore(panel, plan_features(panel, 7))
    where = (ROWS, np.full(12, 90), 40, np.array([20, 30]))
    whole, some = store.block(*where), store.block(*where, ahead=np.array([1, 4]))
    np.testing.assert_array_equal(some.ahead, whole.ahead[:, :, [1, 4]])
    np.testing.assert_array_equal(some.target, whole.target[..., [1, 4]])
    np.testing.assert_array_equal(some.target_seen, whole.target_seen[..., [1, 4]])
    np.testing.assert_array_equal(some.past, whole.past)


@pytest.mark.parametrize(
    ("kind", "by_hand"),
    [
        (ScaleKind.MEAN, (2 + 4 + 0 + 10) / 4),
        (ScaleKind.STANDARD, (((2**2 + 4**2 + 0 + 10**2) / 4) - 4**2) ** 0.5),
        (ScaleKind.MIN_MAX, 10),
        (ScaleKind.LOG1P, 1),
    ],
)
def test_every_kind_of_scale_by_hand_and_from_what_was_observed_so_far(kind, by_hand):
    demand = np.array([[2.0, 4.0, 0.0, 99.0, 10.0, 50.0]])
    observed = np.array([[True, True, True, False, True, True]])
    scale = scale_of(kind, demand, observed, ((28, 1.0),))
    np.testing.assert_allclose(scale[0, 4], by_hand, rtol=1e-6)
    assert (scale >= LEVEL_FLOOR).all()


@pytest.mark.parametrize("kind", ScaleKind)
def test_no_kind_of_scale_knows_a_later_day_and_targets_come_back_in_units(kind):
    panel = make_panel().up_to(day(171))
    plan = plan_features(panel, 7, kind)
    changed = panel.demand.copy()
    changed[:, 121:] += 50
    one = block(panel, plan, 90, [30])  # day 120
    other = block(replace(panel, demand=changed), plan, 90, [30])
    np.testing.assert_array_equal(one.level, other.level)
    np.testing.assert_array_equal(
        one.target, block(panel, plan_features(panel, 7), 90, [30]).target
    )
