"""The contest: the better method wins its class, blends where that helps, and gates networks."""

import numpy as np
import pytest

from forecasting.pipeline.contest import (
    ALL_CLASSES,
    Blend,
    ContestResult,
    choose_blend,
    hold_contest,
)
from forecasting.pipeline.judging import Cases, Entry, Holdout
from forecasting.pipeline.series import QUANTILES, Reason

ORIGINS, SERIES, DAYS = 2, 80, 14
rng = np.random.default_rng(0)
ACTUAL = rng.normal(100, 10, (ORIGINS, SERIES, DAYS))
EVERYONE = np.ones(SERIES, dtype=bool)
HALF = np.arange(SERIES) < SERIES // 2


def entry(method: str, centre: np.ndarray, is_network: bool, width: float = 10.0) -> Entry:
    spread = width * (QUANTILES - 0.5) * 2.5
    return Entry(method, is_network, centre, centre[..., None] + spread)


def holdout() -> Holdout:
    ones = np.ones((ORIGINS, SERIES))
    return Holdout(
        actual=ACTUAL,
        seen=np.ones(ACTUAL.shape, dtype=bool),
        scale=10 * ones,
        square_scale=100 * ones,
        season_scale=20 * ones,
        volume=2800 * ones,
        demand_class=np.where(HALF, "smooth", "lumpy"),
        whole=np.zeros(SERIES, dtype=bool),
    )


GOOD = entry("good", np.full(ACTUAL.shape, 100.0), is_network=False)
POOR = entry("poor", np.full(ACTUAL.shape, 150.0), is_network=True)


def test_a_network_that_is_worse_than_a_baseline_is_stopped_at_the_gate():
    chosen = choose_blend([POOR, GOOD], holdout(), EVERYONE)
    assert chosen == Blend(("good",), (1.0,), Reason.GATE, ("good",), (1.0,))


def test_a_network_that_is_better_serves():
    network = entry("lstm", 100 + 0.7 * (ACTUAL - 100), is_network=True, width=3.0)
    chosen = choose_blend([network, GOOD], holdout(), EVERYONE)
    assert chosen.methods[0] == "lstm"
    assert chosen.reason == Reason.CONTEST


def test_a_network_that_is_only_as_good_does_not_serve_alone():
    twin = Entry("lstm", True, GOOD.mean, GOOD.quantiles)
    chosen = choose_blend([twin, GOOD], holdout(), EVERYONE)
    assert chosen.reason == Reason.GATE
    assert "lstm" not in chosen.methods


def test_two_methods_that_err_to_opposite_sides_are_blended():
    low = entry("low", np.full(ACTUAL.shape, 92.0), is_network=False, width=6.0)
    high = entry("high", np.full(ACTUAL.shape, 108.0), is_network=False, width=6.0)
    chosen = choose_blend([low, high], holdout(), EVERYONE)
    assert set(chosen.methods) == {"low", "high"}
    assert sum(chosen.weights) == pytest.approx(1)


def test_the_mean_may_come_from_another_method_than_the_quantiles():
    sharp = Entry("sharp", False, np.full(ACTUAL.shape, 140.0), GOOD.quantiles)
    right = entry("right", np.full(ACTUAL.shape, 100.0), is_network=False, width=60.0)
    chosen = choose_blend([sharp, right], holdout(), EVERYONE)
    assert chosen.methods == ("sharp",)
    assert chosen.mean_methods == ("right",)
    assert chosen.every_method == ("right", "sharp")
    # the league scores what serves: the quantiles of one with the mean of the other
    rows = {row.method: row for row in hold_contest([sharp, right], holdout()).league[:3]}
    assert rows["blend"].wspl == rows["sharp"].wspl
    assert rows["blend"].rmsse == rows["right"].rmsse
    assert rows["blend"].bias == rows["right"].bias


def test_a_blend_is_judged_by_distances_as_the_crps_of_its_pooled_points():
    """CRPS = E|X - y| - E|X - X'| / 2 with X drawn from both methods' points, 1 to 3."""
    low = entry("low", ACTUAL - 5, is_network=False, width=6.0)
    high = entry("high", ACTUAL + 8, is_network=False, width=9.0)
    cases = Cases.gather([low, high], holdout(), EVERYONE, most=50)
    points = np.concatenate([one[:, 0] for one in cases.quantiles], axis=1)
    mass = np.repeat([0.25, 0.75], len(QUANTILES)) / len(QUANTILES)
    off = np.abs(points - cases.actual[:, None]) @ mass
    apart = np.abs(points[:, :, None] - points[:, None]) @ mass @ mass
    crps = np.average(off - apart / 2, weights=cases.weight)
    assert cases.energies().loss([0, 1, 1, 1]) == pytest.approx(crps)


def test_each_class_chooses_for_itself_and_small_classes_follow_all():
    first = np.where(HALF[None, :, None], 100.0, 160.0) * np.ones(ACTUAL.shape)
    second = np.where(HALF[None, :, None], 160.0, 100.0) * np.ones(ACTUAL.shape)
    result = hold_contest([entry("first", first, False), entry("second", second, False)], holdout())
    assert result.blend_for("smooth").methods == ("first",)
    assert result.blend_for("lumpy").methods == ("second",)
    assert result.blend_for("erratic") == result.blends[ALL_CLASSES]


def test_the_league_scores_as_the_benchmark_does():
    """Every error is 50 and every step 10: RMSSE = 50 / 10 = 5; the mean is half as much again."""
    exact = Entry("off", False, ACTUAL + 50, (ACTUAL + 50)[..., None] * np.ones(19))
    result = hold_contest([exact], holdout())
    row = next(r for r in result.league if r.demand_class == ALL_CLASSES)
    assert row.rmsse == pytest.approx(5)
    # pinball 50 * (1 - q), mean over q of (1 - q) = 0.5: 25 / 10
    assert row.spl == pytest.approx(2.5)
    assert row.bias == pytest.approx(50 / ACTUAL.mean())
    assert row.coverage_80 == 0
    # a week changes a value by 20: 50 / 20
    assert row.mase == pytest.approx(2.5)
    assert (row.mae, row.rmse) == (pytest.approx(50), pytest.approx(50))
    assert row.wape == pytest.approx(50 / ACTUAL.mean())


def test_a_result_survives_json():
    result = hold_contest([POOR, GOOD], holdout())
    kept = result.to_json()
    assert ContestResult.from_json(kept) == result
    for row in kept["league"]:  # as contests before WAPE was measured
        for name in ("wape", "mase", "mae", "rmse"):
            del row[name]
    old = ContestResult.from_json(kept)
    assert old.blends == result.blends
    assert all(np.isnan(row.wape) and row.spl > 0 for row in old.league)


def test_labels_fit_the_column_they_are_stored_in():
    blend = Blend(("exponential_smoothing", "lstm", "mlp"), (0.5, 0.25, 0.25), Reason.CONTEST)
    assert blend.label() == "blend:exponential_smoothing+2"
    assert len(blend.label()) <= 32
