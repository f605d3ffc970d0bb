"""Training: the same seed gives the same network, and an interrupted training the same as a whole."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from forecasting.pipeline import settings
from forecasting.pipeline.artifact import CheckpointFolder
from forecasting.pipeline.feature_plan import plan_features
from forecasting.pipeline.features import FeatureStore
from forecasting.pipeline.networks import ENCODERS
from forecasting.pipeline.settings import (
    CONTINUED_EPOCHS,
    EngineConfig,
    final_config,
    training_config,
)
from forecasting.pipeline.training import (
    Callbacks,
    TrainingConfig,
    TrainingDiverged,
    TrainingStopped,
    new_network,
    train_network,
)
from forecasting.pipeline.windows import WindowConfig
from tests.forecasting.pipeline.worlds import TINY, day, make_panel

CONFIG = replace(TINY, epochs=4, steps_per_epoch=3, dropout=0.1)


@pytest.fixture(scope="module")
def store():
    panel = make_panel().up_to(day(171))
    return FeatureStore(panel, plan_features(panel, 7))


def same(one, other):
    return all(torch.equal(value, other[key]) for key, value in one.items())


def test_the_same_seed_gives_the_same_network_and_another_seed_another(store):
    first, again = train_network(store, CONFIG), train_network(store, CONFIG)
    other = train_network(store, replace(CONFIG, seed=7))
    assert same(first.weights, again.weights)
    assert not same(first.weights, other.weights)


def test_a_checkpoint_of_another_config_is_not_resumed(store, tmp_path):
    folder = CheckpointFolder(tmp_path)
    train_network(store, CONFIG, Callbacks(save_checkpoint=folder.save), name="n")
    changed = replace(CONFIG, hidden=5)
    fresh = train_network(store, changed, Callbacks(load_checkpoint=folder.load), name="n")
    assert same(fresh.weights, train_network(store, changed).weights)


def test_a_damaged_checkpoint_counts_as_none(store, tmp_path):
    folder = CheckpointFolder(tmp_path)
    train_network(store, CONFIG, Callbacks(save_checkpoint=folder.save), name="n")
    path = tmp_path / "n.ckpt"
    path.write_bytes(path.read_bytes()[:-9])
    assert folder.load("n") is None


def test_a_stop_is_obeyed_between_epochs(store):
    seen = []
    callbacks = Callbacks(
        on_epoch=lambda r: seen.append(r.epoch), should_stop=lambda: len(seen) >= 2
    )
    with pytest.raises(TrainingStopped):
        train_network(store, CONFIG, callbacks)
    assert seen == [1, 2]


def test_training_ends_after_patience_and_keeps_the_best_epoch(store):
    scores = iter([3.0, 1.0, 2.0, 2.5, 0.5])
    config = replace(CONFIG, epochs=5, patience=2)
    trained = train_network(store, config, validate=lambda _: next(scores))
    assert [r.epoch for r in trained.history] == [1, 2, 3, 4]
    assert trained.best_epoch == 2
    shorter = train_network(store, replace(config, stop_after=2))
    assert same(trained.weights, shorter.weights)


def test_a_training_goes_on_from_a_network_whose_shape_and_bins_stay(store):
    judged = train_network(store, replace(CONFIG, bins=4))
    goes_on = replace(CONFIG, bins=8, learning_rate=0.0, seed=3)
    assert new_network(store, goes_on).shape != judged.shape
    taught = train_network(store, goes_on, start=judged)
    assert taught.shape == judged.shape
    assert same(taught.weights, judged.weights)
    moved = train_network(store, replace(goes_on, learning_rate=1e-3), start=judged)
    assert not same(moved.weights, judged.weights)


def test_what_was_judged_is_trained_anew_for_its_best_epochs_or_goes_on_briefly(store):
    judged = train_network(store, replace(CONFIG, stop_after=2))
    anew = final_config(judged, goes_on=False)
    assert (anew.stop_after, anew.epochs, anew.seed) == (2, CONFIG.epochs, CONFIG.seed + 1)
    on = final_config(judged, goes_on=True)
    assert (on.epochs, on.seed) == (CONTINUED_EPOCHS, CONFIG.seed + 1)
    assert on.learning_rate == pytest.approx(CONFIG.learning_rate / 3)


def test_a_loss_that_is_not_finite_is_named(store):
    with pytest.raises(TrainingDiverged, match="epoch 1"):
        train_network(store, replace(CONFIG, learning_rate=1e30))


def test_a_config_survives_json():
    assert TrainingConfig.from_json(CONFIG.to_json()) == CONFIG
    assert np.isfinite(CONFIG.learning_rate)


def test_small_data_is_trained_in_small_batches_and_what_somebody_chose_stays():
    small = make_panel()
    engine = EngineConfig()
    fitted = training_config(engine, "lstm", small)
    assert (fitted.windows.batch, fitted.windows.emits) == (16, 7)
    assert fitted.windows.ahead == WindowConfig().ahead
    # some 2,300 days are worth the least number of steps, 112, and 2.04 times as many small ones
    assert fitted.steps_per_epoch * fitted.epochs == 228
    wide = replace(engine.training, windows=WindowConfig(ahead=28))
    ahead = training_config(replace(engine, training=wide), "lstm", small)
    assert (ahead.windows.batch, ahead.windows.ahead) == (16, 28)
    own = replace(engine.training, windows=WindowConfig(batch=128))
    chosen = training_config(replace(engine, training=own), "lstm", small)
    assert (chosen.windows.batch, chosen.steps_per_epoch * chosen.epochs) == (128, 108)


def test_muon_moves_the_matrices_where_there_are_many_days_but_not_of_a_regression(monkeypatch):
    panel, engine = make_panel(), EngineConfig()
    assert training_config(engine, "lstm", panel).optimizer == "adamw"
    monkeypatch.setattr(settings, "FEW_DAYS", 0)
    found = {name: training_config(engine, name, panel).optimizer for name in ENCODERS}
    assert {name for name, one in found.items() if one == "adamw"} == {"linear", "article"}


@pytest.mark.parametrize("horizon", [7, 14, 28])
def test_the_bins_have_seen_every_day_of_the_horizon(horizon):
    panel = make_panel()
    store = FeatureStore(panel, plan_features(panel, horizon))
    windows = replace(TINY.windows, ahead=28)
    network = new_network(store, replace(TINY, windows=windows))
    assert network.ahead_bins is not None
    day = network.shape.ahead - 1  # how far ahead, as a share of the horizon: the last column
    row = network.ahead_bins.at.tolist().index(day)
    low, width = network.ahead_bins.low[row], network.ahead_bins.width[row]
    assert float((low + width)[width < 1].max()) == pytest.approx((horizon - 1) / horizon, abs=1e-6)
