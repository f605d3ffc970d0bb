"""Fit and forecast: sound forecasts, no leak, the same after a round trip, baselines when in doubt."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.pipeline.contest import GATE_GAIN
from forecasting.pipeline.engine import FittedForecaster, ForecastRefused, fit
from forecasting.pipeline.series import Forecast, Reason, Signal
from forecasting.pipeline.training import Callbacks, TrainingStopped
from tests.forecasting.pipeline.worlds import TINY_ENGINE, day, make_panel

ORIGIN = day(171)
NETWORK_ONLY = replace(TINY_ENGINE, contest=False)


@pytest.fixture(scope="module")
def panel():
    return make_panel()


@pytest.fixture(scope="module")
def fitted(panel):
    return fit(panel, ORIGIN, NETWORK_ONLY)


def is_sound(forecast: Forecast) -> bool:
    return bool(
        np.isfinite(forecast.quantiles).all()
        and np.isfinite(forecast.mean).all()
        and (forecast.quantiles >= 0).all()
        and (forecast.mean >= 0).all()
        and (np.diff(forecast.quantiles, axis=-1) >= 0).all()
    )


def test_every_series_gets_28_days_and_19_rising_quantiles(panel, fitted):
    forecast = fitted.forecast(panel, ORIGIN)
    assert forecast.mean.shape == (12, 28)
    assert forecast.quantiles.shape == (12, 28, 19)
    assert forecast.days[0] == day(172)
    assert is_sound(forecast)
    assert all("lstm" in method or "mlp" in method for method in forecast.method)


def corrupt_after(panel, origin):
    """Return the panel with every value after the origin replaced, but for what is known ahead."""
    last = panel.index_of(origin)
    demand, observed = panel.demand.copy(), panel.observed.copy()
    demand[:, last + 1 :] = 1e6
    observed[:, last + 1 :] = ~observed[:, last + 1 :]
    signals = []
    for signal in panel.signals:
        values = signal.values.copy()
        values[..., last + 1 + (28 if signal.known_ahead else 0) :] = -77.0
        signals.append(replace(signal, values=values))
    return replace(panel, demand=demand, observed=observed, signals=tuple(signals))


def test_corrupting_every_value_after_the_origin_changes_nothing(panel):
    corrupted = corrupt_after(panel, ORIGIN)
    with_contest = TINY_ENGINE
    one = fit(panel, ORIGIN, with_contest).forecast(panel, ORIGIN)
    other = fit(corrupted, ORIGIN, with_contest).forecast(corrupted, ORIGIN)
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.quantiles, other.quantiles)


def test_control_corrupting_the_origin_itself_changes_the_forecast(panel, fitted):
    corrupted = corrupt_after(panel, day(170))
    one, other = fitted.forecast(panel, ORIGIN), fitted.forecast(corrupted, ORIGIN)
    assert not np.array_equal(one.mean, other.mean)


def test_a_promotion_known_ahead_reaches_the_forecast(panel, fitted):
    promotion = panel.signals[0]
    turned = replace(promotion, values=1 - promotion.values)
    changed = replace(panel, signals=(turned, *panel.signals[1:]))
    assert not np.array_equal(
        fitted.forecast(panel, ORIGIN).mean, fitted.forecast(changed, ORIGIN).mean
    )


def test_an_artefact_forecasts_exactly_as_the_original(panel):
    original = fit(panel, ORIGIN, TINY_ENGINE)
    restored = FittedForecaster.from_bytes(original.to_bytes())
    one, other = original.forecast(panel, ORIGIN), restored.forecast(panel, ORIGIN)
    np.testing.assert_array_equal(one.quantiles, other.quantiles)
    assert restored.contest.blends == original.contest.blends
    assert restored.config == original.config
    assert restored.to_bytes() == original.to_bytes()


def test_a_later_origin_and_new_series_need_no_new_training(panel, fitted):
    later = fitted.forecast(panel, day(199))
    assert later.days[0] == day(200)
    other = make_panel(n_series=20, seed=5)
    unseen = replace(other, categories={"category": np.array(["toys"] * 20)}, signals=())
    assert is_sound(fitted.forecast(unseen, ORIGIN))


@pytest.mark.parametrize("horizon", [1, 7, 28, 90])
def test_any_horizon_is_served_and_later_days_repeat_the_last_weeks(panel, fitted, horizon):
    forecast = fitted.forecast(panel, ORIGIN, horizon)
    assert forecast.mean.shape == (12, horizon)
    whole = fitted.forecast(panel, ORIGIN).mean
    np.testing.assert_array_equal(forecast.mean[:, : min(horizon, 28)], whole[:, :horizon])
    if horizon == 90:
        np.testing.assert_array_equal(forecast.mean[:, 28:56], whole)


def test_a_horizon_of_no_days_is_refused(panel, fitted):
    with pytest.raises(ForecastRefused, match="at least one day"):
        fitted.forecast(panel, ORIGIN, 0)


def test_a_network_that_is_no_better_than_the_baselines_does_not_serve(panel):
    untrained = replace(TINY_ENGINE, training=replace(TINY_ENGINE.training, learning_rate=1e-9))
    served = fit(panel, ORIGIN, untrained)
    assert "lstm" not in served.contest.methods
    assert served.members == ()
    assert {b.reason for b in served.contest.blends.values()} == {Reason.GATE}
    assert {row.method for row in served.contest.league} >= {"lstm", "seasonal_naive"}
    assert GATE_GAIN > 0


def test_too_little_history_is_served_by_a_baseline_with_its_reason():
    short = make_panel(n_series=6, n_days=40)
    served = fit(short, day(39), TINY_ENGINE)
    forecast = served.forecast(short, day(39))
    assert is_sound(forecast)
    assert Reason.NO_NETWORK in forecast.reason
    assert "lstm" not in forecast.method


def test_stages_epochs_and_cost_are_reported(panel):
    stages, epochs, clock = [], [], iter([10.0, 14.5])
    callbacks = Callbacks(
        on_stage=stages.append, on_epoch=epochs.append, cpu_seconds=lambda: next(clock)
    )
    served = fit(panel, ORIGIN, TINY_ENGINE, callbacks)
    assert stages[:3] == ["holdout lstm", "holdout mlp", "contest"]
    assert len(epochs) >= 2
    assert served.cpu_seconds == 4.5


def test_a_stop_ends_the_fit(panel):
    with pytest.raises(TrainingStopped):
        fit(panel, ORIGIN, TINY_ENGINE, Callbacks(should_stop=lambda: True))


@pytest.mark.parametrize("name", ["gru", "rnn", "cnn", "mlp", "linear", "article"])
def test_every_kind_of_network_trains_and_serves(panel, name):
    served = fit(panel, ORIGIN, NETWORK_ONLY.with_networks((name,)))
    assert is_sound(served.forecast(panel, ORIGIN))


def test_a_signal_with_holes_and_labels_is_taken(panel):
    codes = np.full(228, np.nan, np.float32)
    codes[::50] = 0
    codes[25::50] = 1
    event = Signal("event", codes, True, "category", ("fair", "sale"))
    price = Signal(
        "price", np.where(np.arange(228) % 9 == 0, np.nan, 3.0 + np.arange(228) % 2), True
    )
    richer = replace(panel, signals=(*panel.signals, event, price))
    served = fit(richer, ORIGIN, NETWORK_ONLY)
    assert {one.name for one in served.plan.signals} == {"promotion", "event", "price"}
    assert is_sound(served.forecast(richer, ORIGIN))
