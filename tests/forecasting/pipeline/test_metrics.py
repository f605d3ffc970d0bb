"""Metrics against cases small enough to check by hand (the same as the scoring tool's self-test)."""

import numpy as np
import pytest

from forecasting.pipeline import metrics
from forecasting.pipeline.metrics import DemandClass, demand_class, history_scales

HISTORY = np.array([[0, 0, 2, 4, 2, 4, 2, 4]], dtype=float)
ACTUAL = np.array([[3, 1]], dtype=float)
MEAN = np.array([[1.0, 1.0]])
LEVELS = np.array([0.1, 0.5, 0.9])
QUANTILES = np.array([[[0, 3, 4], [2, 2, 2]]], dtype=float)


def test_scales_start_at_the_first_sale():
    # leading zeros cut -> 2 4 2 4 2 4: every step is +-2, mean square 4, mean absolute 2
    scales = history_scales(HISTORY, season_days=1)
    assert (scales.sq_step[0], scales.abs_step[0], scales.abs_season[0]) == (4, 2, 2)
    assert scales.recent[0] == 18


def test_control_leading_zeros_left_in_would_change_the_scale():
    shifted = history_scales(HISTORY + 1e-9)
    assert shifted.sq_step[0] != pytest.approx(4)


def test_errors_of_the_mean_agree_with_the_hand_computed_case():
    scales = history_scales(HISTORY, season_days=1)
    assert metrics.rmsse(ACTUAL, MEAN, scales)[0] == pytest.approx(
        np.sqrt(((3 - 1) ** 2 + 0) / 2 / 4)
    )
    assert metrics.bias(ACTUAL, MEAN) == pytest.approx((2 - 4) / 4)
    assert metrics.wape(ACTUAL, MEAN) == pytest.approx(2 / 4)
    assert metrics.rmse(ACTUAL, MEAN) == pytest.approx(np.sqrt((2**2 + 0) / 2))


def test_errors_of_the_median_agree_with_the_hand_computed_case():
    scales = history_scales(HISTORY, season_days=1)
    median = QUANTILES[..., 1]
    assert metrics.mase(ACTUAL, median, scales)[0] == pytest.approx(((0 + 1) / 2) / 2)
    assert metrics.wape(ACTUAL, median) == pytest.approx(1 / 4)
    assert metrics.mae(ACTUAL, median) == pytest.approx((0 + 1) / 2)


def test_errors_of_quantiles_agree_with_the_hand_computed_case():
    # pinball: 0.1: (3-0)*.1=.3 and (2-1)*.9=.9; 0.5: 0 and .5; 0.9: (4-3)*.1 and (2-1)*.1
    scales = history_scales(HISTORY)
    loss = metrics.pinball(ACTUAL[..., None], QUANTILES, LEVELS)
    assert loss[0] == pytest.approx(np.array([[0.3, 0, 0.1], [0.9, 0.5, 0.1]]))
    assert metrics.spl(ACTUAL, QUANTILES, scales, levels=LEVELS)[0] == pytest.approx(
        (1.2 + 0.5 + 0.2) / 3 / 2 / 2
    )


def test_coverage_agrees_with_the_hand_computed_case():
    assert (
        metrics.coverage(ACTUAL, QUANTILES[..., 0], QUANTILES[..., 2]) == 0.5
    )  # 3 in [0,4]; 1 not in [2,2]


def test_weighted_scores_count_series_by_the_units_of_the_last_28_days():
    history = np.concatenate([HISTORY, 2 * HISTORY])
    actual = np.array([[3, 1], [6, 2]], dtype=float)
    mean = np.array([[1, 1], [6, 2]], dtype=float)
    scales = history_scales(history)
    errors = metrics.rmsse(actual, mean, scales)
    assert metrics.weighted_mean(errors, scales.recent) == pytest.approx(
        np.sqrt(0.5) * 18 / (18 + 36)
    )
    assert metrics.weighted_mean(errors, np.array([3.0, 1.0])) == pytest.approx(
        np.sqrt(0.5) * 3 / 4
    )


def test_the_seasonal_scale_compares_with_the_same_weekday():
    history = np.array([[1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 14]], dtype=float)
    scales = history_scales(history)
    assert metrics.mase(np.array([[4.0]]), np.array([[2.0]]), scales)[0] == pytest.approx(
        2 / (7 / 7)
    )


def test_a_constant_history_has_no_scale_and_still_counts_elsewhere():
    errors = metrics.rmsse(ACTUAL, MEAN, history_scales(np.full((1, 8), 5.0)))
    assert np.isnan(errors).all()
    assert np.isnan(metrics.weighted_mean(errors, np.ones(1)))
    assert metrics.wape(ACTUAL, MEAN) == pytest.approx(2 / 4)


def test_days_that_were_not_seen_do_not_count():
    scales = history_scales(HISTORY)
    actual = np.array([[3, 999]], dtype=float)
    seen = np.array([[True, False]])
    assert metrics.rmsse(actual, MEAN, scales, seen)[0] == pytest.approx(2 / 2)
    assert metrics.bias(actual, MEAN, seen) == pytest.approx(-2 / 3)
    control = metrics.rmsse(actual, MEAN, scales)[0]
    assert control > 100


def test_an_out_of_stock_day_breaks_the_steps_around_it():
    demand = np.array([[2, 4, 100, 4, 2]], dtype=float)
    observed = np.array([[True, True, False, True, True]])
    assert history_scales(demand, observed).abs_step[0] == 2


def test_score_of_nothing_is_nan_not_an_error():
    nothing, scales = np.full((1, 2), np.nan), history_scales(HISTORY)
    quantiles = np.zeros((1, 2, 19))
    assert np.isnan(
        [
            metrics.rmsse(nothing, MEAN, scales)[0],
            metrics.spl(nothing, quantiles, scales)[0],
            metrics.mase(nothing, MEAN, scales)[0],
            metrics.coverage(nothing, MEAN, MEAN),
            *(one(nothing, MEAN) for one in (metrics.wape, metrics.mae, metrics.rmse)),
        ]
    ).all()


def test_demand_classes_follow_the_two_cuts():
    steady = [5, 6, 5, 4, 5, 6]  # ADI 1, CV2 small
    erratic = [1, 20, 1, 1, 30, 1]  # ADI 1, CV2 large
    rare = [0, 5, 0, 5, 0, 5]  # ADI 2, CV2 0
    lumpy = [0, 1, 0, 30, 0, 1]  # ADI 2, CV2 large
    never = [0, 0, 0, 0, 0, 0]
    demand = np.array([steady, erratic, rare, lumpy, never], dtype=float)
    assert demand_class(demand, np.isfinite(demand)).tolist() == [
        DemandClass.SMOOTH, DemandClass.ERRATIC, DemandClass.INTERMITTENT, DemandClass.LUMPY,
        DemandClass.INTERMITTENT,
    ]  # fmt: skip


def test_out_of_stock_days_do_not_make_demand_look_intermittent():
    demand = np.array([[5, 0, 5, 0, 5, 0]], dtype=float)
    observed = demand > 0
    assert demand_class(demand, observed)[0] == DemandClass.SMOOTH
    assert demand_class(demand, np.ones_like(observed))[0] == DemandClass.INTERMITTENT
