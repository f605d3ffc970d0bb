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
    strange_signals,
)
from forecasting.pipeline.engine import FittedForecaster, fit
from forecasting.pipeline.features import plan_channels
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


def test_a_holiday_the_plan_does_not_name_is_another_holiday():
    values = np.array([0, np.nan, 1, 2, np.nan, np.nan, np.nan], dtype=float)
    found = _encode(values, "category", ("Fair", "New one", "Tet"), ("Tet", OTHER_HOLIDAY), 0, 3)
    assert found[:, 0].tolist() == [0, 0, 0, 1]
    assert found[:, 1].tolist() == [1, 0, 1, 0]
    without = _encode(values, "category", ("Fair", "New one", "Tet"), ("Tet",), 0, 3)
    assert without[:, 0].tolist() == [0, 0, 0, 1]
