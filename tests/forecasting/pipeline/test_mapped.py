"""Large panels: arrays on disk, worked through in pieces, and the same result to the last bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from forecasting.pipeline import arrays
from forecasting.pipeline.arrays import DiskFull, mapping_to, new_array, take_rows
from forecasting.pipeline.contest import ALL_CLASSES, Blend, ContestResult
from forecasting.pipeline.engine import fit
from forecasting.pipeline.series import Reason, Signal
from forecasting.pipeline.training import Callbacks
from tests.forecasting.pipeline.worlds import TINY_ENGINE, day, make_panel

ORIGIN = day(171)
ENGINE = replace(TINY_ENGINE, judged_series=9)


@pytest.fixture(scope="module")
def panel():
    """A price of its own per series, and one value that has to be repaired."""
    made = make_panel()
    rng = np.random.default_rng(5)
    price = Signal("price", rng.uniform(2, 4, (12, 228)).astype(np.float32), known_ahead=True)
    demand = made.demand.copy()
    demand[4, 100] = np.inf
    return replace(made, demand=demand, signals=(*made.signals, price))


def served_by_networks(fitted, members, panel):
    """Forecast with the judged networks, whoever won."""
    blend = Blend(("lstm", "theta"), (0.5, 0.5), Reason.CONTEST)
    served = replace(
        fitted, members=tuple(members), contest=ContestResult({ALL_CLASSES: blend}, ())
    )
    return served.forecast(panel, ORIGIN)


def test_on_disk_and_in_pieces_the_weights_and_the_forecast_are_the_same(
    panel, tmp_path, monkeypatch
):
    judged = []
    watch = Callbacks(on_judged=lambda members, *_: judged.append(members))
    whole = fit(panel, ORIGIN, ENGINE, watch)
    expected = served_by_networks(whole, judged[0], panel)
    mapped = []
    as_is = arrays.new_array

    def counted(shape, dtype):
        made = as_is(shape, dtype)
        mapped.append(isinstance(made, np.memmap))
        return made

    for module in ("arrays", "series"):
        monkeypatch.setattr(f"forecasting.pipeline.{module}.new_array", counted)
    monkeypatch.setattr(arrays, "CELLS_AT_ONCE", 500)
    with mapping_to(tmp_path, from_bytes=1):
        other = fit(panel, ORIGIN, ENGINE, watch)
        found = served_by_networks(other, judged[1], panel)
    assert len(mapped) > 5
    assert all(mapped)
    for one, two in zip(*judged, strict=True):
        assert all(torch.equal(v, two.network.weights[k]) for k, v in one.network.weights.items())
    assert whole.contest == other.contest
    np.testing.assert_array_equal(expected.mean, found.mean)
    np.testing.assert_array_equal(expected.quantiles, found.quantiles)
    assert not list(tmp_path.iterdir())


def test_a_small_array_stays_in_memory_and_a_large_one_has_no_name(tmp_path):
    with mapping_to(tmp_path, from_bytes=1000):
        small, large = new_array((9, 10), np.float64), new_array((20, 10), np.float64)
    assert not isinstance(small, np.memmap)
    assert isinstance(large, np.memmap)
    assert (large == 0).all()
    assert not list(tmp_path.iterdir())


def test_no_room_on_the_disk_is_said_before_anything_is_written(tmp_path, monkeypatch):
    def full(descriptor, offset, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(arrays.os, "posix_fallocate", full)
    with mapping_to(tmp_path, from_bytes=1), pytest.raises(DiskFull, match="No space left"):
        new_array((1 << 10, 1 << 10), np.float64)


def test_rows_are_taken_in_the_order_asked_for(monkeypatch):
    monkeypatch.setattr(arrays, "CELLS_AT_ONCE", 4)
    values = np.arange(30).reshape(10, 3)
    np.testing.assert_array_equal(take_rows(values, np.array([7, 0, 0, 9])), values[[7, 0, 0, 9]])


def test_a_jury_of_fewer_series_judges_and_all_are_learned_from(panel):
    fitted = fit(panel, ORIGIN, ENGINE)
    assert {row.series for row in fitted.contest.league if row.demand_class == "all"} == {9}
    everyone = fit(panel, ORIGIN, replace(ENGINE, judged_series=12))
    assert {row.series for row in everyone.contest.league if row.demand_class == "all"} == {12}
