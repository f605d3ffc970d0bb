"""What sells until the season ends: last year's days at this year's level, with its arithmetic."""

import numpy as np
import pytest

from forecasting.decisions.season import LEVEL_WEEKS, YEAR_DAYS, season_sales

QUARTER = 7 * LEVEL_WEEKS


def two_years(last_year: float, this_year: float) -> np.ndarray:
    """A quarter at one pace, three at 3 a day after it, the same quarter this year at another."""
    return np.concatenate(
        [
            np.full(QUARTER, last_year),
            np.full(YEAR_DAYS - QUARTER, 3.0),
            np.full(QUARTER, this_year),
        ]
    )


def test_the_rest_of_last_years_season_is_taken_at_this_years_level() -> None:
    """Last quarter 6 a day after 4 the year before: half more. The 20 days after it sold 3 a day
    last year: 60 x 1.5 = 90."""
    sales = season_sales(two_years(4, 6)[None, :], np.array([9.0]), np.array([20]), np.array([0]))
    assert sales.from_last_year.all()
    assert sales.expected[0] == pytest.approx(90)
    assert (sales.low[0], sales.high[0]) == pytest.approx((90, 90))


def test_the_range_is_that_of_the_quarters_weeks() -> None:
    """A quarter of 1.5 with one week at 3 and one at none: (11 x 1.5 + 3) / 13 = 1.5, and a tenth
    of the weeks lies beyond 1.5 on either side only by those two: the range stays around it."""
    demand = two_years(4, 6)
    demand[-7:], demand[-14:-7] = 12, 0
    sales = season_sales(demand[None, :], np.array([9.0]), np.array([20]), np.array([0]))
    assert sales.expected[0] == pytest.approx(60 * (11 * 1.5 + 3) / 13)
    assert sales.low[0] <= sales.expected[0] <= sales.high[0]


def test_items_of_a_category_share_the_level() -> None:
    """4 + 4 a day became 6 + 2: the same altogether, so both sell what they sold last year."""
    demand = np.stack([two_years(4, 6), two_years(4, 2)])
    sales = season_sales(demand, np.zeros(2), np.array([10, 10]), np.array([0, 0]))
    assert sales.expected.tolist() == pytest.approx([30, 30])
    alone = season_sales(demand, np.zeros(2), np.array([10, 10]), np.array([0, 1]))
    assert alone.expected.tolist() == pytest.approx([45, 15])


def test_without_last_year_the_forecasts_pace_goes_on_and_no_range_is_claimed() -> None:
    sales = season_sales(np.ones((1, 200)), np.array([2.5]), np.array([10]), np.array([0]))
    assert not sales.from_last_year.any()
    assert sales.expected[0] == 25
    assert np.isnan(sales.low[0])
    assert np.isnan(sales.high[0])
