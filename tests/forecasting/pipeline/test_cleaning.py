"""Cleaning: each strategy by hand, and a report that accounts for every changed day."""

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from forecasting.pipeline.cleaning import (
    ChangeReason,
    CleaningConfig,
    CleaningError,
    DuplicateStrategy,
    MissingStrategy,
    NegativeStrategy,
    clean,
    merge_duplicates,
)

NAN = np.nan


def cleaned(values, config=None, observed=None, censored=None):
    demand = np.atleast_2d(np.asarray(values, dtype=float))
    seen = np.isfinite(demand) if observed is None else np.atleast_2d(observed)
    return clean(demand, seen, config, None if censored is None else np.atleast_2d(censored))


def test_good_demand_comes_back_unchanged_with_an_empty_report():
    result = cleaned([[NAN, 1, 2, 3]])
    assert np.array_equal(result.demand, [[NAN, 1, 2, 3]], equal_nan=True)
    assert result.observed.tolist() == [[False, True, True, True]]
    assert result.report.counts == {}
    assert result.report.series_changed == ()


@pytest.mark.parametrize(
    ("strategy", "value"),
    [
        (MissingStrategy.MEAN, (2 + 9 + 4) / 3),
        (MissingStrategy.MEDIAN, 4),
        (MissingStrategy.NEAREST, 9),
    ],
)
def test_a_missing_day_is_filled_as_the_tenant_chose(strategy, value):
    result = cleaned([[2, 9, NAN, NAN, 4]], CleaningConfig(missing=strategy))
    assert result.demand[0, 2] == pytest.approx(value)
    assert result.observed.all()
    assert result.report.counts == {ChangeReason.MISSING: 2}


def test_the_model_fills_a_gap_with_the_local_level_of_its_weekday():
    week = [10.0, 1, 1, 1, 1, 1, 6]
    demand = week * 20
    demand[70] = NAN  # a day of 10
    result = cleaned([demand], CleaningConfig(missing=MissingStrategy.MODEL))
    assert 8 < result.demand[0, 70] < 11
    by_mean = cleaned([demand], CleaningConfig(missing=MissingStrategy.MEAN))
    assert by_mean.demand[0, 70] < 4


def test_dropped_days_stay_unobserved_and_are_reported():
    result = cleaned([[2, NAN, 4]])
    assert result.observed.tolist() == [[True, False, True]]
    assert result.demand.tolist() == [[2, 0, 4]]
    assert result.report.of_series(0)[0].reason is ChangeReason.MISSING


def test_out_of_stock_days_are_never_filled():
    config = CleaningConfig(missing=MissingStrategy.MEAN)
    observed = [[True, False, True]]
    kept = cleaned([[2, 0, 4]], config, observed, censored=[[False, True, False]])
    assert kept.observed.tolist() == observed
    control = cleaned([[2, 0, 4]], config, observed)
    assert control.demand.tolist() == [[2, 3, 4]]


def test_days_before_a_series_begins_are_no_gaps():
    result = cleaned([[NAN, NAN, 4, 4]], CleaningConfig(missing=MissingStrategy.MEAN))
    assert np.isnan(result.demand[0, :2]).all()
    assert not result.observed[0, :2].any()


@pytest.mark.parametrize(
    ("strategy", "seen"), [(NegativeStrategy.MASK, False), (NegativeStrategy.ZERO, True)]
)
def test_negative_values_are_masked_or_zero(strategy, seen):
    result = cleaned([[3, -2, 5]], CleaningConfig(negatives=strategy))
    assert result.demand[0, 1] == 0
    assert result.observed[0, 1] == seen
    change = result.report.of_series(0)[0]
    assert (change.column, change.before, change.reason) == (1, -2, ChangeReason.NEGATIVE)
    assert change.after == (0 if seen else None)


def test_infinite_values_are_left_out():
    result = cleaned([[3, np.inf, 5]], observed=[[True, True, True]])
    assert result.observed.tolist() == [[True, False, True]]
    assert result.report.counts == {ChangeReason.NOT_A_NUMBER: 1}


def test_an_outlier_is_cut_to_the_limit_of_its_series():
    # sales of 3: log(4) = 1.386, spread at its floor of 0.25: limit exp(1.386 + 4 * 0.25) - 1 = 9.87
    demand = [3.0] * 30 + [80995.0]
    result = cleaned([demand], CleaningConfig(outlier_threshold=4))
    assert result.demand[0, -1] == pytest.approx(4 * np.e - 1)
    assert result.report.counts == {ChangeReason.OUTLIER: 1}
    untouched = cleaned([demand], CleaningConfig(outlier_threshold=None))
    assert untouched.demand[0, -1] == 80995


def test_a_series_with_few_sales_has_no_outliers():
    assert cleaned([[1.0] * 5 + [500.0]]).demand[0, -1] == 500


@pytest.mark.parametrize(
    ("strategy", "value"),
    [
        (DuplicateStrategy.SUM, 9),
        (DuplicateStrategy.FIRST, 2),
        (DuplicateStrategy.LAST, 7),
        (DuplicateStrategy.MEAN, 4.5),
    ],
)
def test_rows_of_one_day_are_merged_as_the_tenant_chose(strategy, value):
    rows, columns = np.array([0, 1, 0]), np.array([3, 3, 3])
    config = CleaningConfig(duplicates=strategy)
    merged = merge_duplicates(rows, columns, np.array([2.0, 1.0, 7.0]), config)
    assert merged[0].tolist() == [0, 1]
    assert merged[2].tolist() == [value, 1]
    assert merged[3].counts == {ChangeReason.DUPLICATE: 1}


def test_no_rows_merge_to_no_rows():
    empty = np.array([], dtype=np.intp)
    merged = merge_duplicates(empty, empty, np.array([]))
    assert merged[2].tolist() == []
    assert merged[3].counts == {}


def test_a_threshold_that_cannot_be_used_is_refused_with_its_name():
    with pytest.raises(CleaningError) as refused:
        CleaningConfig(outlier_threshold=0)
    assert refused.value.field == "outlier_threshold"


def test_the_report_can_be_stored_as_json_and_read_as_sentences():
    result = cleaned([[3, np.inf, -1, NAN, 5]], observed=np.ones((1, 5), dtype=bool))
    stored = json.loads(json.dumps(result.report.to_dict(["A-1"]), allow_nan=False))
    assert stored["counts"] == {"not_a_number": 1, "negative": 1, "missing": 1}
    assert stored["examples"]["not_a_number"][0]["before"] == "inf"
    assert [text.format(**values) for _, text, values in result.report.sentences()][1] == (
        "1 negative values were treated as mask."
    )


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_input_ends_finite_and_every_change_is_reported(data):
    shape = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 30)))
    demand = data.draw(hnp.arrays(np.float32, shape)).astype(float)
    observed = data.draw(hnp.arrays(np.bool_, shape))
    config = CleaningConfig(
        missing=data.draw(st.sampled_from(MissingStrategy)),
        negatives=data.draw(st.sampled_from(NegativeStrategy)),
        outlier_threshold=data.draw(st.sampled_from([None, 3.0])),
    )
    result = clean(demand, observed, config)
    assert np.isfinite(result.demand[result.observed]).all()
    assert (result.demand[result.observed] >= 0).all()
    reported = {(r, c.column) for r in range(shape[0]) for c in result.report.of_series(r)}
    changed = ~np.isnan(demand) & observed & (result.demand != demand)
    assert {(int(r), int(c)) for r, c in np.argwhere(changed)} <= reported
