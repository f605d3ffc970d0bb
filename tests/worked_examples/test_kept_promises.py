"""Whose lateness is believed: the arithmetic of promises kept and missed."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.decisions.delays import (
    LEAST_BEFORE,
    LEVELS,
    REPLAYS,
    DelayModel,
    DelaySetting,
    PastDeliveries,
    choose_rule,
    delay_settings,
    fit_delays,
    nested_keys,
    recency_weights,
)
from forecasting.pipeline.metrics import pinball

TODAY = 2000.0
LAST_ORDER = 1900.0
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
    rule = choose_rule(past, TODAY, SETTINGS)
    assert rule is not None
    assert rule.setting is not None
    assert rule.loss < rule.promise_loss
    new, promised = {"supplier": np.array(["A", "B"])}, np.array([10.0, 10.0])
    assert rule.quantiles(past, LAST_ORDER, new, promised)[:, 2].tolist() == [0, 5]
    table = rule.lead_times(past, LAST_ORDER, new, promised)
    assert table.quantile(0.9).tolist() == [10, 15]
    assert table.probabilities.sum(axis=1) == pytest.approx([1, 1])


def test_lateness_that_ended_is_not_believed_any_more() -> None:
    """B was five days late until day 1000 and has kept its promise since: so it is taken to."""
    past = every_week({"A": 0.0, "B": 5.0})
    kept_since = np.where(past.placed > 1000, past.placed + past.promised, past.received)
    since = replace(past, received=kept_since)
    rule = choose_rule(since, TODAY, SETTINGS)
    assert rule is not None
    late = rule.quantiles(since, TODAY, {"supplier": np.array(["B"])}, np.array([10.0]))
    assert late.tolist() == [[0, 0, 0]]


def test_evidence_fades_until_the_order_is_placed() -> None:
    """Two orders ten days late weigh 2 today and half of it a half-life later; the promise has 2.

    With nothing wider: late with 2 / 4 of the first mixture, twice over: (2 + 2 * 2/4) / 4 = 3/4.
    A half-life later 1 of 3, then (1 + 2 * 1/3) / 3 = 5/9; ten half-lives later next to nothing.
    """
    placed = np.zeros(2)
    past = PastDeliveries(
        placed,
        placed + 20,
        np.full(2, 10.0),
        np.array(["1", "2"]),
        {"supplier": np.array(["S"] * 2)},
    )
    setting = DelaySetting(("supplier",), 2.0, 100.0)

    def late(today: float) -> float:
        values, shares = fit_delays(past, today, setting).distribution([np.array(["S"])])
        return float(shares[0][values == 10][0])

    assert late(20) == pytest.approx(3 / 4)
    assert late(120) == pytest.approx(5 / 9)
    assert late(1020) < 0.01


def test_all_settings_at_once_are_judged_as_each_alone() -> None:
    """Every setting learns anew each week from what was there before: the plain way, by hand."""
    rng = np.random.default_rng(3)
    placed, promised = rng.integers(0, 300, 600).astype(float), rng.integers(2, 30, 600) * 1.0
    names = {key: rng.integers(0, n, 600).astype(str) for key, n in (("a", 5), ("b", 40))}
    late = np.where(names["a"] == "1", rng.integers(0, 20, 600), rng.integers(-3, 2, 600))
    received, orders = (
        placed + np.maximum(promised + late, 0),
        rng.integers(0, 300, 600).astype(str),
    )
    past = PastDeliveries(placed, received, promised, orders, names)
    settings = delay_settings([("a",), ("a", "b")])
    shares = 1 / np.array([(orders == one).sum() for one in orders])
    losses, judged = np.zeros(len(settings)), 0
    for cut in (300.0 - 7 * number for number in range(REPLAYS, 0, -1)):
        before, week = received < cut, (placed >= cut) & (placed < cut + 7)
        if before.sum() < LEAST_BEFORE or not week.any():
            continue
        judged += int(week.sum())
        seen, new = past.select(before), past.select(week)
        for at, one in enumerate(settings):
            weights = recency_weights(cut - seen.received, one.half_life_days) * shares[before]
            keys = nested_keys(seen.groups, one.groups)
            model = DelayModel(seen.delays, keys, weights, one.prior_orders)
            said = model.quantiles(nested_keys(new.groups, one.groups), LEVELS)
            loss = pinball(
                new.delays[:, None], np.maximum(said, -new.promised[:, None]), np.array(LEVELS)
            )
            losses[at] += loss.mean(axis=1).sum()
    rule = choose_rule(past, 300.0, settings)
    assert rule is not None
    assert rule.setting == settings[int(np.argmin(losses))]
    assert rule.loss == pytest.approx(losses.min() / judged, rel=1e-12)


def test_where_promises_are_kept_the_promise_stands() -> None:
    past = every_week({"A": 0.0, "C": 0.0})
    rule = choose_rule(past, TODAY, SETTINGS)
    assert rule is not None
    assert rule.setting is None
    table = rule.lead_times(past, TODAY, {"supplier": np.array(["A"])}, np.array([8.0]))
    assert table.quantile(0.9).tolist() == [8]


def test_too_few_deliveries_judge_nobody() -> None:
    past = every_week({"A": 0.0, "B": 5.0})
    assert choose_rule(past.select(past.placed > 1700), TODAY, SETTINGS) is None


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
