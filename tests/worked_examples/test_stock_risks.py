"""Stock-out, excess, dead stock and expiry on demand that is certain, so that paper suffices."""

import numpy as np
import pytest

from forecasting.decisions.risk import (
    ANY_SHORTAGE,
    RiskKind,
    StockOutRule,
    SuggestedAction,
    find_stock_outs,
)
from forecasting.decisions.surplus_risk import Lot, find_dead_stock, find_excess, find_expiry
from tests.worked_examples.decision_makers import steady_forecast


def arrivals(units=0.0, day=1, days=14):
    table = np.zeros((1, days))
    table[0, day - 1] = units
    return table


def test_stock_of_ten_at_three_a_day_is_out_on_the_fourth_day():
    # 14 days * 3 = 42 asked for, 10 there: 32 lost at a margin of 2 = 64
    (found,) = find_stock_outs(
        ["P"], steady_forecast([3]), np.array([10.0]), arrivals(), np.array([2.0])
    )
    assert (found.day, found.probability, found.action) == (4, 1, SuggestedAction.ORDER_NOW)
    assert found.lost_units == pytest.approx(32, rel=1e-5)
    assert found.severity == pytest.approx(64, rel=1e-5)
    assert found.evidence["on_hand"] == 10
    assert found.kind is RiskKind.STOCK_OUT


def test_goods_that_arrive_in_time_save_later_sales_but_not_earlier_ones():
    # out after 10/3 days; 100 arrive on day 6: lost until then 5 * 3 - 10 = 5
    (found,) = find_stock_outs(
        ["P"], steady_forecast([3]), np.array([10.0]), arrivals(100, 6), np.array([2.0])
    )
    assert found.lost_units == pytest.approx(5, rel=1e-5)
    assert found.action is SuggestedAction.EXPEDITE


def test_enough_stock_is_no_warning():
    assert not find_stock_outs(
        ["P"], steady_forecast([3]), np.array([43.0]), arrivals(), np.array([2.0])
    )


def test_four_tenths_of_a_unit_are_short_only_where_tenths_are_sold():
    # 14 days * 3 = 42 asked for, 41.6 there
    known = ["P"], steady_forecast([3]), np.array([41.6]), arrivals(), np.array([2.0])
    assert not find_stock_outs(*known)
    (found,) = find_stock_outs(*known, rule=StockOutRule(least_short=np.array([ANY_SHORTAGE])))
    assert (found.day, found.lost_units) == (14, pytest.approx(0.4, rel=1e-3))


def test_excess_is_what_exceeds_the_level_and_its_cover():
    # level 50 + 90 days * 1 = 140; 200 there: 60 too many, worth 600, held 90 + 60/2 = 120 days
    (found,) = find_excess(
        ["P"], np.array([200.0]), np.array([50.0]), np.array([1.0]), np.array([10.0])
    )
    assert found.excess_units == 60
    assert found.excess_value == 600
    assert found.severity == pytest.approx(600 * 0.25 * 120 / 365)
    assert found.cover_days == 200


def test_excess_without_any_demand_is_held_for_a_year():
    (found,) = find_excess(
        ["P"], np.array([8.0]), np.array([0.0]), np.array([0.0]), np.array([10.0])
    )
    assert found.severity == pytest.approx(80 * 0.25 * (90 + 365 / 2) / 365)
    assert found.cover_days is None


def test_stock_that_nobody_asks_for_is_dead_after_the_limit():
    found = find_dead_stock(
        ["a", "b", "c"], np.array([5.0, 5, 0]), np.array([180, 179, 400]), np.array([3.0, 3, 3])
    )
    assert [(one.key, one.severity) for one in found] == [("a", 15)]


def test_units_that_do_not_sell_before_they_expire_are_lost():
    # 2 a day. Lot A: 10 units, 3 days: sells 6, loses 4. Lot B: 20 units, 10 days:
    # by day 10 20 are asked for, 30 there, 4 lost already -> 30 - 20 = 10 in all, 6 of B
    lots = [Lot(0, "B", 20, 10), Lot(0, "A", 10, 3)]
    found = find_expiry(["P"], steady_forecast([2]), lots, np.array([5.0]))
    assert [(one.lot, round(one.units, 3), round(one.severity, 2)) for one in found] == [
        ("B", 6.0, 30.0),
        ("A", 4.0, 20.0),
    ]


def test_a_lot_that_has_expired_is_lost_whole_and_one_that_lasts_is_not_judged():
    lots = [Lot(0, "old", 7, 0), Lot(0, "fresh", 1000, 181), Lot(0, "empty", 0, 1)]
    found = find_expiry(["P"], steady_forecast([2]), lots, np.array([5.0]))
    assert [(one.lot, one.units) for one in found] == [("old", 7)]


def test_no_lots_no_expiry():
    assert find_expiry(["P"], steady_forecast([2]), [], np.array([5.0])) == ()


def test_findings_come_most_expensive_first():
    found = find_dead_stock(["cheap", "dear"], np.ones(2), np.full(2, 999), np.array([1.0, 9.0]))
    assert [one.key for one in found] == ["dear", "cheap"]
