"""Whose lateness is believed: the arithmetic of promises kept and missed."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.decisions.delays import (
    DelaySetting,
    PastDeliveries,
    choose_rule,
    delay_settings,
    fit_delays,
)

TODAY = 2000.0
SETTINGS = delay_settings([("supplier",)])


def every_week(late_days: dict[str, float]) -> PastDeliveries:
    """An order a week with each supplier for 1,900 days, promised in 10 days."""
    placed = np.tile(np.arange(0.0, 1900.0, 7), len(late_days))
    names = np.repeat(np.array(sorted(late_days)), len(placed) // len(late_days))
    late = np.array([late_days[str(name)] for name in names])
    promised = np.full(len(placed), 10.0)
    orders = np.char.add(np.char.add(names, "|"), placed.astype(str))
    return PastDeliveries(placed, placed + promised + late, promised, orders, {"supplier": names})


def test_a_supplier_that_is_always_late_is_believed_to_be_late_again() -> None:
    """B comes five days after its ten promised ones: 15. A keeps its promise: 10."""
    past = every_week({"A": 0.0, "B": 5.0})
    rule = choose_rule(past, TODAY, 0.9, SETTINGS)
    assert rule is not None
    assert rule.trusted == {"B"}
    new = {"supplier": np.array(["A", "B", "new"])}
    assert rule.said(past, TODAY, new).tolist() == [0, 5, 0]
    table = rule.lead_times(past, TODAY, new, np.array([10.0, 10.0, 8.0]))
    assert table.quantile(0.9).tolist() == [10, 15, 8]
    assert table.probabilities.sum(axis=1) == pytest.approx([1, 1, 1])


def test_lateness_that_ended_is_not_believed_any_more() -> None:
    """B was five days late until day 1000 and has kept its promise since: at the later cuts its
    past lost against the promise, so the promise stands."""
    past = every_week({"A": 0.0, "B": 5.0})
    kept_since = np.where(past.placed > 1000, past.placed + past.promised, past.received)
    rule = choose_rule(replace(past, received=kept_since), TODAY, 0.9, SETTINGS)
    assert rule is not None
    assert rule.trusted == frozenset()


def test_too_few_deliveries_judge_nobody() -> None:
    past = every_week({"A": 0.0, "B": 5.0})
    assert choose_rule(past.select(past.placed > 1700), TODAY, 0.9, SETTINGS) is None


def test_an_order_counts_once_however_many_lines_it_has() -> None:
    """One order of 9 lines ten days late, three punctual ones of one line: late with 1/4."""
    late = np.array([10.0] * 9 + [0.0] * 3)
    orders = np.array(["one"] * 9 + ["two", "three", "four"])
    placed, promised = np.zeros(12), np.full(12, 7.0)
    past = PastDeliveries(
        placed, promised + late, promised, orders, {"supplier": np.array(["S"] * 12)}
    )
    model = fit_delays(past, 17.0, DelaySetting(("supplier",), 1e-9, 1e9))
    values, shares = model.distribution([np.array(["S"])])
    assert values.tolist() == [0, 10]
    assert shares[0] == pytest.approx([3 / 4, 1 / 4])
