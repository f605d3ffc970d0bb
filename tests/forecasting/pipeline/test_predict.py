"""Distributions are blended, not quantiles, and what is presented is always sound."""

import numpy as np
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from forecasting.pipeline.predict import blend, present, whole_units
from forecasting.pipeline.series import QUANTILES

anything = hnp.arrays(
    np.float64, (2, 3, 19), elements=st.floats(allow_nan=True, allow_infinity=True, width=32)
)
numbers = hnp.arrays(np.float64, (2, 3, 19), elements=st.floats(0, 1e9))


@settings(max_examples=60, deadline=None)
@given(anything, st.booleans())
def test_presented_quantiles_never_cross_and_are_finite_and_not_negative(quantiles, whole):
    mean, shown = present(quantiles[..., 9], quantiles, np.array([whole, whole]))
    assert np.isfinite(shown).all()
    assert np.isfinite(mean).all()
    assert (shown >= 0).all()
    assert (mean >= 0).all()
    assert (np.diff(shown, axis=-1) >= 0).all()
    if whole:
        np.testing.assert_array_equal(shown, np.rint(shown))


@settings(max_examples=60, deadline=None)
@given(numbers, numbers, st.floats(0.01, 0.99))
def test_a_blend_never_crosses_and_stays_between_its_parts(one, other, share):
    one, other = np.sort(one, axis=-1), np.sort(other, axis=-1)
    mixed = blend([one, other], np.array([share, 1 - share]))
    assert (np.diff(mixed, axis=-1) >= -1e-6 * np.abs(mixed[..., 1:])).all()
    assert (mixed >= np.minimum(one.min(-1), other.min(-1))[..., None] - 1e-6).all()
    assert (mixed <= np.maximum(one.max(-1), other.max(-1))[..., None] * (1 + 1e-9) + 1e-6).all()


def test_a_blend_of_one_distribution_with_itself_is_that_distribution():
    part = np.linspace(0, 18, 19).reshape(1, 1, 19)
    np.testing.assert_allclose(blend([part, part], np.array([0.5, 0.5])), part, atol=0.51)


def test_a_blend_of_two_certain_forecasts_keeps_both_and_not_their_average():
    """Half the probability at 0 and half at 10: every quantile is near 0 or 10, except the median."""
    low, high = np.zeros((1, 1, 19)), np.full((1, 1, 19), 10.0)
    mixed = blend([low, high], np.array([0.5, 0.5]))[0, 0]
    assert (mixed[:9] == 0).all()
    assert (mixed[10:] == 10).all()


def test_whole_units_are_recognised_by_what_was_observed():
    demand = np.array([[1.0, 2.0, 3.0], [1.0, 2.5, 3.0], [1.0, 2.5, 3.0]])
    observed = np.array([[True] * 3, [True] * 3, [True, False, True]])
    assert whole_units(demand, observed).tolist() == [True, False, True]
    assert len(QUANTILES) == 19
