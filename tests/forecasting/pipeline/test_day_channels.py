"""Channels of a day keep their place, whoever a signal is for and whatever became of it."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.pipeline.artifact import ArtifactError, seal, unseal
from forecasting.pipeline.day_channels import (
    DayChannels,
    _encode,
    _Own,
    day_channel_names,
    past_channel_names,
    strange_signals,
)
from forecasting.pipeline.engine import FittedForecaster, fit
from forecasting.pipeline.feature_plan import FeaturePlan, PlannedSignal, plan_features
from forecasting.pipeline.features import FeatureStore, plan_channels
from forecasting.pipeline.series import OTHER_HOLIDAY, Signal
from tests.forecasting.pipeline.worlds import TINY_ENGINE, day, make_panel

ORIGIN = day(171)


@pytest.fixture(scope="module")
def panel():
    """An event for everybody, a price of each series, a promotion for everybody: in that order."""
    made = make_panel()
    rng = np.random.default_rng(2)
    codes = np.full(228, np.nan, np.float32)
    codes[::20] = np.arange(12) % 2
    event = Signal("event", codes, True, "category", ("fair", "sale"))
    price = Signal("price", rng.uniform(2, 4, (12, 228)).astype(np.float32), known_ahead=True)
    return replace(made, signals=(event, price, *made.signals))


@pytest.fixture(scope="module")
def fitted(panel):
    return fit(panel, ORIGIN, replace(TINY_ENGINE, contest=False))


def per_series(panel, name):
    """The same values, now written for each series on its own."""
    return replace(
        panel,
        signals=tuple(
            replace(s, values=np.tile(s.values, (panel.n_series, 1))) if s.name == name else s
            for s in panel.signals
        ),
    )


@pytest.mark.parametrize("name", ["event", "promotion"])
def test_a_signal_that_got_another_scope_fills_the_same_channels(panel, fitted, name):
    expected = fitted.forecast(panel, ORIGIN)
    found = fitted.forecast(per_series(panel, name), ORIGIN)
    np.testing.assert_array_equal(found.quantiles, expected.quantiles)


def test_control_channels_in_the_order_of_scopes_forecast_something_else(
    panel, fitted, monkeypatch
):
    straight = DayChannels.__init__

    def shared_first(self, *args):
        straight(self, *args)
        self._parts.sort(key=lambda part: isinstance(part, _Own))

    expected = fitted.forecast(panel, ORIGIN).quantiles
    monkeypatch.setattr(DayChannels, "__init__", shared_first)
    assert not np.array_equal(fitted.forecast(panel, ORIGIN).quantiles, expected)


def test_a_signal_that_is_gone_or_of_another_kind_says_nothing_and_is_named(panel, fitted):
    without = replace(panel, signals=tuple(s for s in panel.signals if s.name != "event"))
    numbers = Signal("event", np.arange(228, dtype=np.float32), known_ahead=True)
    changed = replace(without, signals=(numbers, *without.signals))
    assert strange_signals(fitted.plan, panel.signals) == ()
    assert strange_signals(fitted.plan, without.signals) == ("event",)
    assert strange_signals(fitted.plan, changed.signals) == ("event",)
    np.testing.assert_array_equal(
        fitted.forecast(changed, ORIGIN).mean, fitted.forecast(without, ORIGIN).mean
    )


def test_names_count_as_many_as_the_channels_made(panel, fitted):
    names = day_channel_names(fitted.plan)
    made = DayChannels.known_ahead(panel.up_to(ORIGIN), fitted.plan).of(
        np.array([3]), np.arange(40)[None]
    )
    assert made.shape == (1, 40, len(names))
    assert len(set(names)) == len(names)
    fair = made[0, :, names.index("event=fair")]
    assert np.flatnonzero(fair).tolist() == [0]
    assert np.flatnonzero(made[0, :, names.index("event soon")]).tolist() == [
        17,
        18,
        19,
        37,
        38,
        39,
    ]


def test_an_artefact_with_other_channels_is_refused(fitted):
    tensors, header = unseal(fitted.to_bytes())
    assert FittedForecaster.from_bytes(seal(tensors, header)).plan == fitted.plan
    renamed = header | {"day_channels": ["moon", *header["day_channels"][1:]]}
    with pytest.raises(ArtifactError, match="channels of a day"):
        FittedForecaster.from_bytes(seal(tensors, renamed))
    fewer = header | {"plan": header["plan"] | {"means": header["plan"]["means"][:-1]}}
    with pytest.raises(ArtifactError, match="other channels"):
        FittedForecaster.from_bytes(seal(tensors, fewer))
    assert plan_channels(fitted.plan).past == fitted.members[0].network.shape.past


def named(*labels):
    return PlannedSignal("holiday", "category", labels)


def test_a_holiday_the_plan_does_not_name_is_another_holiday():
    values = np.array([0, np.nan, 1, 2, np.nan, np.nan, np.nan], dtype=float)
    found = _encode(values, ("Fair", "New one", "Tet"), named("Tet", OTHER_HOLIDAY), 0, 3)
    assert found[:, 0].tolist() == [0, 0, 0, 1]
    assert found[:, 1].tolist() == [1, 0, 1, 0]
    without = _encode(values, ("Fair", "New one", "Tet"), named("Tet"), 0, 3)
    assert without[:, 0].tolist() == [0, 0, 0, 1]


def leading(panel, values=None, name="visits"):
    """The panel with a number that is known only of days that have come."""
    rng = np.random.default_rng(7)
    visits = rng.uniform(200, 900, panel.n_days) if values is None else values
    return replace(panel, signals=(Signal(name, visits.astype(np.float32), known_ahead=False),))


@pytest.mark.parametrize("scope", ["everybody", "each series"])
def test_a_signal_not_known_ahead_is_read_in_the_days_that_have_come_only(panel, scope):
    led = leading(make_panel(n_days=200))
    led = per_series(led, "visits") if scope == "each series" else led
    fitted = fit(led, ORIGIN, replace(TINY_ENGINE, contest=False))
    assert [one.name for one in fitted.plan.past_signals] == ["visits"]
    assert fitted.plan.signals == ()
    there = fitted.forecast(led, ORIGIN).mean

    def changed(days):
        values = led.signals[0].values.copy()
        values[..., days] *= 3
        return replace(led, signals=(replace(led.signals[0], values=values),))

    np.testing.assert_array_equal(fitted.forecast(changed(slice(172, None)), ORIGIN).mean, there)
    assert not np.array_equal(fitted.forecast(changed(slice(165, 172)), ORIGIN).mean, there)
    gone = replace(led, signals=())
    assert strange_signals(fitted.plan, gone.signals) == ("visits",)
    assert not np.array_equal(fitted.forecast(gone, ORIGIN).mean, there)


def test_nothing_that_a_step_reads_of_a_leading_signal_comes_after_it():
    """Also a name of days: the channel that tells of coming ones exists only where they are known."""
    codes = np.full(200, np.nan)
    codes[::9] = 0
    plain = make_panel(n_days=200)
    named_days = Signal("storm", codes.astype(np.float32), False, "category", ("storm",))
    led = replace(leading(plain), signals=(*leading(plain).signals, named_days))
    plan = plan_features(led.up_to(ORIGIN), 28)
    assert past_channel_names(plan)[-1] == "storm=storm"
    step, last = 120, 171

    def past_until(cut):
        block = FeatureStore(led.up_to(day(cut)), plan).block(
            np.arange(12), np.full(12, step - 20), 21, np.array([20])
        )
        return block.past

    np.testing.assert_array_equal(past_until(step), past_until(last))


def test_networks_of_before_know_no_leading_signals():
    plan = plan_features(make_panel().up_to(ORIGIN), 28)
    assert [one.name for one in plan.past_signals] == ["weather"]
    old = {name: value for name, value in plan.to_json().items() if name != "past_signals"}
    old["signals"] = [one[:3] for one in old["signals"]]  # without center and spread
    assert FeaturePlan.from_json(old) == replace(plan, past_signals=())
    assert FeaturePlan.from_json(plan.to_json()) == plan


def test_a_number_that_may_be_below_nothing_is_measured_in_its_spread():
    """-10 and 30 degrees, as often: 10 in the middle, 20 away from it; 50 is two spreads away."""
    degrees = np.tile([-10.0, 30.0], 100)
    led = leading(make_panel(n_days=200), degrees, "degrees")
    (planned,) = plan_features(led, 28).past_signals
    assert (planned.kind, planned.center, planned.spread) == ("plain", 10, 20)
    days = np.array([-10.0, 30.0, 50.0, 10.0, 500.0, np.nan])
    assert _encode(days, (), planned, 0, 0)[:, 0].tolist() == [-1, 1, 2, 0, 3, 0]
    # control: as it comes, all that is not mild would be the same
    as_it_comes = _encode(days, (), planned._replace(center=0.0, spread=1.0), 0, 0)[:, 0]
    assert as_it_comes.tolist() == [-3, 3, 3, 3, 3, 0]


def test_a_share_that_was_seen_is_never_cut():
    """Promotions of one day in fifty: half off is more than a quarter, though both are rare."""
    share = np.zeros(200)
    share[[20, 70, 120, 170]] = [0.1, 0.25, 0.5, 0.25]
    led = leading(make_panel(n_days=200), share, "off")
    (planned,) = plan_features(led, 28).past_signals
    made = _encode(np.array([0, 0.1, 0.25, 0.5]), (), planned, 0, 0)[:, 0]
    assert (np.diff(made) > 0.5).all()
    # control: by the spread of all days alone, a quarter off is as much as can be told
    narrow = _encode(np.array([0.25, 0.5]), (), planned._replace(spread=share.std()), 0, 0)[:, 0]
    assert narrow.tolist() == [3, 3]
