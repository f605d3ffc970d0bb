"""Networks compute on the device that was asked for, and what they learned belongs to none.

What needs a GPU is skipped where there is none. The others put networks on `meta`, a device without
numbers: torch refuses there, as on a GPU, what mixes it with tensors of the CPU.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from forecasting.pipeline import attribution, compute, training
from forecasting.pipeline.artifact import checkpoint_from_bytes, checkpoint_to_bytes
from forecasting.pipeline.channels import map_channels
from forecasting.pipeline.compute import DeviceMissing, computing_on, device
from forecasting.pipeline.engine import FittedForecaster, fit
from forecasting.pipeline.explanation import explain
from forecasting.pipeline.feature_plan import plan_features
from forecasting.pipeline.features import FeatureStore
from forecasting.pipeline.networks import ENCODERS, build_network
from forecasting.pipeline.training import Callbacks, TrainingStopped, new_network, train_network
from forecasting.pipeline.windows import draw_windows
from tests.forecasting.pipeline.worlds import TINY, TINY_ENGINE, day, make_panel

CONFIG = replace(TINY, epochs=2, steps_per_epoch=6)
ORIGIN = day(171)
CLOSE = 1e-3
"""Sums are added up in another order on a GPU."""
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")


@pytest.fixture(scope="module")
def store():
    panel = make_panel().up_to(ORIGIN)
    return FeatureStore(panel, plan_features(panel, 7))


def test_auto_is_a_gpu_where_there_is_one_and_another_name_is_refused():
    assert device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    with computing_on("cpu"):
        assert device().type == "cpu"
    with pytest.raises(ValueError, match="choose from auto, cpu, cuda"), computing_on("gpu"):
        pass


def test_a_gpu_that_is_not_there_is_named_and_nothing_is_computed_elsewhere(monkeypatch):
    monkeypatch.setattr(compute, "_has_cuda", lambda: False)
    with pytest.raises(DeviceMissing, match="choose auto or cpu"), computing_on("cuda"):
        raise AssertionError("must not begin")
    assert device().type == "cpu"


def take_step(store, config):
    """Take one step of a training as `train_network` does, but for its report."""
    shape = new_network(store, config).shape
    network, average = (build_network(shape).to(compute.device()) for _ in range(2))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, foreach=True)
    (block,) = draw_windows(store, config.windows, 1, np.random.default_rng(0))
    loss = training._loss(network, block, training._weigher(store, config.windows), config)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    training._follow(average, network, 0.9)
    return loss


@pytest.mark.parametrize("name", ["lstm", "mlp", "cnn", "linear"])
def test_every_tensor_of_a_training_step_is_on_the_device(store, monkeypatch, name):
    monkeypatch.setattr(compute, "device", lambda: torch.device("meta"))
    short = replace(TINY.windows, context_days=2, span_days=3, ahead=2)  # meta LSTMs are slow
    config = replace(CONFIG, network=name, l1=1e-6, dropout=0.1, windows=short)
    loss = take_step(store, config)
    assert loss.device.type == "meta"


def test_control_a_tensor_left_behind_is_refused(store, monkeypatch):
    monkeypatch.setattr(compute, "device", lambda: torch.device("meta"))
    monkeypatch.setattr(training, "to_device", torch.from_numpy)
    with pytest.raises(RuntimeError, match="device"):
        take_step(store, CONFIG)


def test_every_tensor_of_an_attribution_is_on_the_device(store, monkeypatch):
    trained = train_network(store, replace(CONFIG, network="mlp", epochs=1, steps_per_epoch=1))
    monkeypatch.setattr(attribution, "STEPS", 2)
    monkeypatch.setattr(attribution, "FINER", 1)
    monkeypatch.setattr(compute, "device", lambda: torch.device("meta"))
    monkeypatch.setattr(training, "device", compute.device)
    fetched = []

    def fetch(tensor):
        fetched.append(tensor.device.type)
        return np.zeros(tensor.shape, dtype=np.float32)

    monkeypatch.setattr(attribution, "from_device", fetch)
    attribution.attribute(trained, store, 3, map_channels(store.plan))
    assert set(fetched) == {"meta"}


NOBODY = Callbacks()


# -- on a GPU -------------------------------------------------------------------------------------
def trained_on(name, store, config=CONFIG, callbacks=NOBODY):
    with computing_on(name):
        return train_network(store, config, callbacks)


@needs_gpu
@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_a_gpu_learns_what_the_cpu_learns(store, name):
    config = replace(CONFIG, network=name)
    here, there = trained_on("cpu", store, config), trained_on("cuda", store, config)
    losses = [[report.training_loss for report in one.history] for one in (here, there)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=CLOSE)
    assert {value.device.type for value in there.weights.values()} == {"cpu"}


@needs_gpu
def test_what_a_gpu_learned_serves_and_is_explained_on_a_cpu():
    panel, engine = make_panel(), replace(TINY_ENGINE, contest=False)
    with computing_on("cuda"):
        fitted = fit(panel, ORIGIN, engine)
        there = fitted.forecast(panel, ORIGIN)
        why_there = explain(fitted, panel, ORIGIN, 3)
    with computing_on("cpu"):
        restored = FittedForecaster.from_bytes(fitted.to_bytes())
        here = restored.forecast(panel, ORIGIN)
        why_here = explain(restored, panel, ORIGIN, 3)
    np.testing.assert_allclose(there.mean, here.mean, rtol=CLOSE, atol=CLOSE)
    off = np.abs(there.quantiles - here.quantiles)  # whole units: a hair may round up
    assert (off > CLOSE).mean() < 0.01
    np.testing.assert_allclose(why_there.parts, why_here.parts, rtol=0.01, atol=CLOSE)


@needs_gpu
@pytest.mark.parametrize(("first", "then"), [("cuda", "cpu"), ("cpu", "cuda")])
def test_a_training_goes_on_on_another_device(store, first, then):
    kept = {}
    watch = Callbacks(
        save_checkpoint=lambda name, made: kept.update({name: checkpoint_to_bytes(made)}),
        should_stop=lambda: bool(kept),
    )
    with pytest.raises(TrainingStopped):
        trained_on(first, store, callbacks=watch)
    go_on = Callbacks(load_checkpoint=lambda name: checkpoint_from_bytes(kept[name]))
    resumed = trained_on(then, store, callbacks=go_on)
    whole = trained_on(first, store)
    np.testing.assert_allclose(
        [report.training_loss for report in resumed.history],
        [report.training_loss for report in whole.history],
        rtol=CLOSE,
    )
