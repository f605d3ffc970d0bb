"""Explanations: parts that add up, causes that are found, and a reason for every odd series."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forecasting.pipeline import attribution
from forecasting.pipeline.channels import map_channels
from forecasting.pipeline.contest import ALL_CLASSES, Blend, ContestResult
from forecasting.pipeline.engine import EngineConfig, FittedForecaster, fit
from forecasting.pipeline.explanation import explain
from forecasting.pipeline.features import FeatureStore
from forecasting.pipeline.importance import Importance, permutation_importance
from forecasting.pipeline.series import Reason, SeriesPanel, Signal
from forecasting.pipeline.similar import similar_weeks
from forecasting.pipeline.training import Callbacks
from tests.forecasting.pipeline.test_degenerate import CASES, DAYS, nan
from tests.forecasting.pipeline.worlds import TINY, TINY_ENGINE, day, make_panel

ORIGIN = day(171)


@pytest.fixture(scope="module")
def panel() -> SeriesPanel:
    """Promotions of some series, an event with labels, a price, two attributes' worth of rows."""
    plain = make_panel()
    promotion = np.tile(plain.signals[0].values, (plain.n_series, 1))
    promotion[:, 172:] = 0
    promotion[4:8, 176:181] = 1
    event = np.full(228, nan, np.float32)
    event[[20, 90, 180]] = 0
    price = np.where(np.arange(228) % 60 < 10, 3.0, 4.0).astype(np.float32)
    signals = (
        Signal("promotion", promotion, True, "flag"),
        Signal("fair", event, True, "category", ("Spring fair",)),
        Signal("price", price, True),
    )
    return replace(plain, signals=signals)


@pytest.fixture(scope="module")
def fitted(panel) -> FittedForecaster:
    """Trained for long enough to have learned what a promotion does."""
    training = replace(TINY, hidden=12, decoder=16, epochs=6, learning_rate=1e-2)
    config = EngineConfig(networks=("lstm", "mlp"), contest=False, training=training)
    return fit(panel, ORIGIN, replace(config, budget_seconds=10.0))


def test_the_parts_add_up_to_the_forecast_that_is_served(panel, fitted):
    served = fitted.forecast(panel, ORIGIN)
    for row in (0, 1, 5, 9):
        found = explain(fitted, panel, ORIGIN, row)
        np.testing.assert_allclose(found.prediction, served.mean[row], rtol=1e-4, atol=1e-4)
        missed = found.prediction - found.last_month - found.parts.sum(axis=1)
        assert np.abs(missed).sum() <= 0.01 * np.abs(found.prediction - found.last_month).sum()
        assert found.gap <= 0.01
        assert found.parts.shape == (28, len(found.features))


def test_control_one_step_instead_of_an_integral_does_not_add_up(panel, fitted, monkeypatch):
    monkeypatch.setattr(attribution, "STEPS", 1)
    monkeypatch.setattr(attribution, "FINER", 1)
    assert max(explain(fitted, panel, ORIGIN, row).gap for row in (0, 1, 5, 9)) > 0.01


def test_a_promotion_explains_its_own_days_and_only_where_it_is(panel, fitted):
    promoted, other = explain(fitted, panel, ORIGIN, 5), explain(fitted, panel, ORIGIN, 9)
    column = promoted.features.index("signal:promotion")
    on = np.zeros(28, dtype=bool)
    on[4:9] = True
    assert promoted.parts[on, column].min() > 0.1 * promoted.last_month
    assert promoted.parts[on, column].mean() > 5 * np.abs(promoted.parts[~on, column]).mean()
    (event,) = [one for one in promoted.events if one.name == "promotion"]
    assert (event.first_day, event.last_day) == (day(176), day(180))
    assert event.units == pytest.approx(promoted.parts[on, column].sum())
    assert not [one for one in other.events if one.name == "promotion"]


def test_an_event_has_its_label_and_its_day(panel, fitted):
    found = explain(fitted, panel, ORIGIN, 2)
    (fair,) = [one for one in found.events if one.name == "fair"]
    assert (fair.label, fair.first_day, fair.last_day) == ("Spring fair", day(180), day(180))


def test_the_map_of_channels_has_every_channel_of_the_store(panel, fitted):
    for yearly in (False, True):
        plan = replace(fitted.plan, yearly=yearly)
        known = panel.up_to(ORIGIN)
        assert map_channels(plan).fits(FeatureStore(known, plan).channels)


def test_a_blend_of_network_and_rule_adds_both_up(panel, fitted):
    blend = Blend(("lstm", "theta", "seasonal_naive"), (0.5, 0.3, 0.2), Reason.CONTEST)
    mixed = replace(fitted, contest=ContestResult({ALL_CLASSES: blend}, ()))
    served = mixed.forecast(panel, ORIGIN)
    found = explain(mixed, panel, ORIGIN, 3)
    np.testing.assert_allclose(found.prediction, served.mean[3], rtol=1e-4, atol=1e-4)
    assert [rule.method for rule in found.rules] == ["lstm", "theta", "seasonal_naive"]
    assert sum(rule.weight for rule in found.rules) == pytest.approx(1)
    assert len(found.looked_back) > 0


@pytest.mark.parametrize("method", ["seasonal_naive", "moving_average", "croston", "theta"])
def test_a_rule_explains_itself_exactly(panel, fitted, method):
    alone = ContestResult({ALL_CLASSES: Blend((method,), (1.0,), Reason.GATE)}, ())
    ruled = replace(fitted, contest=alone)
    found = explain(ruled, panel, ORIGIN, 3)
    np.testing.assert_allclose(found.prediction, ruled.forecast(panel, ORIGIN).mean[3], rtol=1e-4)
    assert found.gap == 0
    (rule,) = found.rules
    reach = {"seasonal_naive": 7, "moving_average": 28}.get(method, 172)
    assert (rule.days_seen, rule.last_day) == (reach, ORIGIN)
    if method == "moving_average":  # 28 days, and the last month is those 28 days
        np.testing.assert_allclose(found.parts, 0, atol=1e-6)


def test_weeks_that_looked_alike_are_found_wherever_they_lie():
    rng = np.random.default_rng(3)
    demand = rng.poisson(5, (3, 300)).astype(np.float32)
    pattern = np.resize([0, 0, 9, 1, 4, 0, 20], 28).astype(np.float32)
    demand[0, -28:] = 2 * pattern
    planted = 300 - 56 - 7 * 10
    demand[0, planted : planted + 28] = 5 * pattern  # the same shape at another level
    demand[0, planted + 28 : planted + 56] = 30
    panel = SeriesPanel(("a", "b", "c"), day(0), demand, np.ones(demand.shape, dtype=bool))
    nearest = similar_weeks(panel, 0)[0]
    assert nearest.first_day == day(planted)
    assert nearest.distance == pytest.approx(0, abs=1e-6)
    assert nearest.followed == pytest.approx(30 / (5 * pattern.mean()))
    assert all(one.last_day <= day(300 - 29) for one in similar_weeks(panel, 0))


def test_every_second_degenerate_series_is_explained_too(monkeypatch):
    monkeypatch.setattr(attribution, "FINER", 1)  # the sum is not at stake here
    rows = [np.concatenate([np.full(DAYS - len(v), nan), v]) for v, _ in CASES.values()]
    healthy = make_panel(n_days=DAYS)
    with np.errstate(over="ignore"):
        demand = np.concatenate([np.array(rows).astype(np.float32), healthy.demand])
    ids = (*CASES, *healthy.series_ids)
    panel = SeriesPanel(ids, day(0), demand, ~np.isnan(demand))
    with np.errstate(over="ignore"):  # the store also holds the series no network may serve
        fitted = fit(panel, day(DAYS - 1), replace(TINY_ENGINE, contest=False))
        served = fitted.forecast(panel, day(DAYS - 1))
    for row, name in list(enumerate(CASES))[::2]:
        found = explain(fitted, panel, day(DAYS - 1), row, level_factor=served.level_factor)
        json.dumps(found.to_json(), allow_nan=False)  # refuses NaN and infinity
        assert found.reason == served.reason[row], name
        assert found.rules, name
        scale = max(float(np.abs(served.mean[row]).max()), 1e-6)
        np.testing.assert_allclose(
            np.maximum(found.prediction, 0) / scale, served.mean[row] / scale, atol=2e-3,
            err_msg=name,
        )  # fmt: skip


def test_a_tenant_without_a_day_is_explained_by_its_rule():
    panel = SeriesPanel(("a",), day(0), np.zeros((1, 0), np.float32), np.zeros((1, 0), bool))
    fitted = fit(panel, day(0), TINY_ENGINE)
    found = explain(fitted, panel, day(0), 0)
    assert found.reason == "empty"
    assert found.prediction.tolist() == [0.0] * 28
    assert found.similar == ()


@pytest.mark.parametrize("scope", ["each series", "everybody"])
def test_shuffling_what_drives_demand_costs_most_and_what_does_nothing_costs_nothing(scope):
    rng = np.random.default_rng(1)
    n_series, n_days = 30, 240
    shape = (n_days + 28,) if scope == "everybody" else (n_series, n_days + 28)
    driver = (rng.random(shape) < 0.2).astype(np.float32)
    idle = (rng.random(shape) < 0.2).astype(np.float32)
    mean = np.broadcast_to(6 * (1 + 3 * driver[..., :n_days]), (n_series, n_days))
    demand = rng.poisson(mean).astype(np.float32)
    panel = SeriesPanel(
        tuple(str(k) for k in range(n_series)), day(0), demand, np.ones(demand.shape, bool),
        signals=(Signal("driver", driver, True, "flag"), Signal("idle", idle, True, "flag")),
    )  # fmt: skip
    found: list[Importance] = []

    def on_judged(*what: Any) -> None:
        found.extend(permutation_importance(*what))

    training = replace(TINY, hidden=8, decoder=16, epochs=6, learning_rate=1e-2)
    config = EngineConfig(networks=("mlp",), training=training, budget_seconds=8.0)
    fit(panel, panel.last_day, config, Callbacks(on_judged=on_judged))
    by_feature = {one.feature: one.increase for one in found}
    assert max(by_feature, key=by_feature.__getitem__) == "signal:driver"
    assert by_feature["signal:driver"] > 0.1
    assert abs(by_feature["signal:idle"]) < 0.02
    assert {one.network for one in found} == {"mlp"}


def test_an_explanation_reads_demand_cleaned_as_its_forecast_did(monkeypatch):
    panel = make_panel(n_days=172)
    spoiled = replace(panel, demand=panel.demand.copy())
    spoiled.demand[3, -5] = 1e6
    baselines = fit(spoiled, spoiled.last_day, replace(TINY_ENGINE, networks=()))
    forecast = baselines.forecast(spoiled, spoiled.last_day).mean[3]
    told = explain(baselines, spoiled, spoiled.last_day, 3).prediction
    np.testing.assert_allclose(told, forecast, rtol=1e-4)
    # control: read as recorded it explains another forecast
    monkeypatch.setattr("forecasting.pipeline.explanation.clean", lambda panel, _config: panel)
    assert explain(baselines, spoiled, spoiled.last_day, 3).prediction.max() > 10 * forecast.max()
