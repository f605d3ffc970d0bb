"""Cleaning: each strategy by hand, what is never touched, and a report that tells every change."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from forecasting.pipeline.cleaning import CleaningConfig, CleaningError, MissingDays, clean, report
from forecasting.pipeline.engine import EngineConfig, FittedForecaster, fit
from tests.forecasting.pipeline.test_engine import ORIGIN
from tests.forecasting.pipeline.worlds import make_panel, panel_of

AS_IT_IS = CleaningConfig(outliers=None)


def filled(strategy, demand, observed):
    panel = clean(panel_of([demand], [observed]), CleaningConfig(strategy, outliers=None))
    return panel.demand[0], panel.observed[0]


def month_with_a_gap():
    """Return 30 days: 27 of 2, one of 9 on the 28th, a gap on the 29th, and 4 at last."""
    demand = np.array([2.0] * 27 + [9, 0, 4])
    return demand, np.arange(30) != 28


@pytest.mark.parametrize(
    ("strategy", "value"),
    [
        (MissingDays.MEAN, (27 * 2 + 9 + 4) / 29),
        (MissingDays.MEDIAN, 2),
        (MissingDays.NEAREST, 9),
    ],
)
def test_an_unseen_day_is_filled_as_the_tenant_chose(strategy, value):
    demand, observed = filled(strategy, *month_with_a_gap())
    assert demand[28] == pytest.approx(value)
    assert observed.all()


def test_the_model_fills_a_gap_with_the_local_level_of_its_weekday():
    demand = np.array([10.0, 1, 1, 1, 1, 1, 6] * 20)
    seen = np.arange(140) != 70  # a day of 10
    assert 8 < filled(MissingDays.MODEL, demand, seen)[0][70] < 11
    assert filled(MissingDays.MEAN, demand, seen)[0][70] < 4


def test_dropped_days_stay_unseen():
    demand, observed = filled(MissingDays.DROP, *month_with_a_gap())
    assert not observed[28]
    assert demand[28] == 0


def test_a_series_of_a_few_days_is_not_filled():
    observed = np.arange(60) < 27
    assert filled(MissingDays.MEAN, np.full(60, 3.0), observed)[1].sum() == 27
    assert filled(MissingDays.MEAN, np.full(60, 3.0), np.arange(60) < 28)[1].all()


def test_days_before_a_series_begins_are_no_gaps():
    demand = np.array([np.nan] * 5 + [4.0] * 40)
    made, observed = filled(MissingDays.MEAN, demand, np.isfinite(demand))
    assert np.isnan(made[:5]).all()
    assert not observed[:5].any()


def test_an_outlier_is_cut_to_the_limit_of_its_series():
    # sales of 3: log(4) = 1.386, spread at its floor of 0.25: exp(1.386 + 4 * 0.25) - 1 = 9.87
    demand = np.array([[3.0] * 30 + [80995.0]])
    panel = panel_of(demand, np.ones(demand.shape, bool))
    cut = clean(panel, CleaningConfig(outliers=4))
    assert cut.demand[0].tolist() == [3.0] * 30 + [9.0]
    assert panel.demand[0, -1] == 80995
    assert clean(panel, AS_IT_IS).demand[0, -1] == 80995
    told = report(panel, CleaningConfig(outliers=4))
    assert (told["outliers"], told["outlier_series"]) == (1, 1)
    assert told["examples"] == [{"row": 0, "day": 30, "recorded": 80995.0, "used": 9.0}]


def test_what_is_large_for_one_series_is_usual_for_another():
    demand = np.array([[3.0] * 30 + [50.0], [50.0] * 31])
    made = clean(panel_of(demand, np.ones(demand.shape, bool)), CleaningConfig(outliers=4))
    assert made.demand[:, -1].tolist() == [9.0, 50.0]


def test_a_series_with_few_sales_has_no_outliers():
    panel = panel_of([[1.0] * 5 + [500.0]], [[True] * 6])
    assert clean(panel, CleaningConfig()).demand[0, -1] == 500


def test_a_quick_look_finds_the_same_outliers_as_all_limits(monkeypatch):
    """Series that no limit can touch are passed over; what is cut stays the same."""
    rng = np.random.default_rng(3)
    demand = rng.negative_binomial(1, 0.2, (200, 120)) * rng.choice([1, 1, 1, 40], (200, 120))
    panel = panel_of(demand.astype(float), np.ones(demand.shape, bool))
    quick = clean(panel, CleaningConfig(outliers=3)).demand
    monkeypatch.setattr("forecasting.pipeline.cleaning._least_limit", lambda threshold: 0.0)
    assert np.array_equal(clean(panel, CleaningConfig(outliers=3)).demand, quick)
    assert (quick < panel.demand).any()


@pytest.mark.parametrize("threshold", [0, -1.0, float("nan")])
def test_a_threshold_that_cannot_be_used_is_refused_with_its_name(threshold):
    with pytest.raises(CleaningError) as refused:
        CleaningConfig(outliers=threshold)
    assert refused.value.field == "outliers"


def test_an_unknown_strategy_is_refused():
    with pytest.raises(ValueError, match="guess"):
        CleaningConfig("guess")


def test_the_report_counts_what_was_filled_and_can_be_stored():
    demand, observed = month_with_a_gap()
    told = report(panel_of([demand], [observed]), CleaningConfig(MissingDays.MODEL))
    assert json.loads(json.dumps(told, allow_nan=False))["filled"] == 1
    assert told["missing"] == "model"
    assert report(panel_of([demand], [observed]), CleaningConfig())["filled"] == 0


def test_a_forecaster_goes_on_cleaning_as_it_was_trained():
    """What baselines say of a series with one absurd day: the config travels in the artefact."""
    panel = make_panel(n_series=8, n_days=60)
    spoiled = replace(panel, demand=panel.demand.copy())
    spoiled.demand[0, -3] = 1e6
    config = EngineConfig(networks=(), cleaning=CleaningConfig("mean", outliers=5.0))
    fitted = FittedForecaster.from_bytes(fit(spoiled, ORIGIN, config).to_bytes())
    assert fitted.config.cleaning == config.cleaning
    kept = fit(spoiled, ORIGIN, replace(config, cleaning=AS_IT_IS))
    assert kept.forecast(spoiled, spoiled.last_day).mean[0].max() > 1e4
    assert fitted.forecast(spoiled, spoiled.last_day).mean[0].max() < 1e3


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_input_keeps_its_shape_and_only_gains_usable_days(data):
    shape = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 60)))
    demand = data.draw(hnp.arrays(np.float32, shape))
    observed = data.draw(hnp.arrays(np.bool_, shape))
    config = CleaningConfig(
        data.draw(st.sampled_from(MissingDays)), data.draw(st.sampled_from([None, 3.0]))
    )
    panel = panel_of(demand, observed)
    made = clean(panel, config)
    usable = np.isfinite(demand) & (demand >= 0) & observed
    assert (made.demand[usable] <= demand[usable]).all()
    new = made.observed & ~observed
    assert np.isfinite(made.demand[new]).all()
    assert (made.demand[new] >= 0).all()
    assert not (observed & ~made.observed).any()
    assert report(panel, config)["outliers"] == (made.demand[usable] < demand[usable]).sum()
