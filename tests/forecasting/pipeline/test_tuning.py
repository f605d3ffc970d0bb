"""The search for better settings: within its budget, never past the origin, the same when resumed."""

from dataclasses import replace

import numpy as np
import pytest

from forecasting.pipeline import tuning
from forecasting.pipeline.settings import EngineConfig, apply_settings, training_config
from forecasting.pipeline.training import TrainingConfig
from forecasting.pipeline.tuning import (
    COMPLETE,
    PRUNED,
    SPACE,
    NothingToTune,
    Search,
    Trial,
    Watch,
    best_trial,
    settings_of,
    tune,
)
from tests.forecasting.pipeline.worlds import TINY, day, make_panel

CONFIG = EngineConfig(training=replace(TINY, epochs=3), budget_seconds=1.0, holdout_origins=1)
SMALL: dict[str, object] = {
    **SPACE,
    "hidden": tuning.CategoricalDistribution((4, 8)),
    "batch": tuning.CategoricalDistribution((8, 16)),
    "context_days": tuning.CategoricalDistribution((14, 21)),
}
PANEL = make_panel(n_series=8, n_days=190)
ORIGIN = day(180)


@pytest.fixture(autouse=True)
def small_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "SPACE", SMALL)


class Clock:
    """A clock of CPU time that only moves when a trial trains: a second an epoch."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def search(panel=PANEL, trials=4, budget=1000.0, earlier=(), stop_after=None):
    clock, told, epochs = Clock(), [], []

    def on_epoch(number, report):
        clock.now += 1
        epochs.append((number, report.epoch))

    watch = Watch(
        clock,
        told.append,
        on_epoch,
        lambda: stop_after is not None and len(epochs) >= stop_after,
    )
    wanted = Search("lstm", budget, CONFIG, earlier=tuple(earlier), most_trials=trials)
    return tune(panel, ORIGIN, wanted, watch), told


@pytest.fixture(scope="module")
def whole():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning, "SPACE", SMALL)
        return search()[0]


def test_the_first_trial_is_the_usual_settings_and_the_best_is_never_worse(whole):
    usual = training_config(CONFIG.with_networks(("lstm",)), "lstm", PANEL)
    assert whole[0].settings == settings_of(usual)
    best = best_trial(whole)
    assert best is not None
    assert best.loss <= whole[0].loss
    assert {tuple(sorted(trial.settings)) for trial in whole} == {tuple(sorted(SPACE))}


def test_a_search_that_was_cut_off_goes_on_as_if_it_had_not_been(whole):
    cut, told = search(stop_after=7)  # in the third trial
    assert told == cut == whole[:2]
    stored = [Trial.from_json(trial.to_json()) for trial in cut]
    resumed, told = search(earlier=stored)
    assert resumed == whole
    assert told == whole[2:]


def test_the_budget_ends_the_search_and_counts_what_was_spent_before(whole):
    found, _ = search(trials=50, budget=6.5)  # two trials of three epochs, a third given up
    assert found == whole[:2]
    assert search(trials=50, budget=6.0, earlier=found)[0] == found


def test_nothing_after_the_origin_changes_the_search(whole):
    spoiled = PANEL.demand.copy()
    spoiled[:, 181:] = 1e6
    assert search(replace(PANEL, demand=spoiled))[0] == whole
    spoiled[:, 150:] = 50  # the control: what comes before it does
    assert search(replace(PANEL, demand=spoiled), trials=1)[0] != whole[:1]


def test_a_trial_worse_than_half_of_the_complete_ones_ends_early():
    good = [Trial(k, settings_of(TINY), COMPLETE, (1.0, 0.9 + k / 10, 0.8), 3.0) for k in range(3)]
    assert not tuning._is_hopeless([5.0], good)  # after one epoch nobody is given up
    assert tuning._is_hopeless([5.0, 1.1], good)  # 1.0 is the middle one of 0.9, 1.0, 1.0
    assert not tuning._is_hopeless([5.0, 0.95], good)
    assert not tuning._is_hopeless([5.0, 4.0], good[:2])
    early = [replace(one, state=PRUNED) for one in good]
    assert not tuning._is_hopeless([5.0, 4.0], early)
    assert best_trial(early) is None


def test_settings_reach_the_training_and_the_windows_seen_stay_as_many():
    config = TrainingConfig(steps_per_epoch=60)
    changed = apply_settings(
        config, {"learning_rate": 1e-3, "batch": 64, "hidden": 96, "context_days": 56}
    )
    assert (changed.learning_rate, changed.hidden) == (1e-3, 96)
    assert (changed.windows.batch, changed.windows.context_days) == (64, 56)
    assert changed.steps_per_epoch == 30  # 60 x 32 / 64
    tuned = replace(EngineConfig(), tuned={"lstm": {"hidden": 32}})
    assert training_config(tuned, "lstm", PANEL).hidden == 32
    assert training_config(tuned, "mlp", PANEL).hidden == 64
    assert EngineConfig.from_json(tuned.to_json()) == tuned


def test_too_little_history_is_said():
    with pytest.raises(NothingToTune):
        search(make_panel(n_series=3, n_days=190))
    with pytest.raises(NothingToTune):
        search(replace(PANEL, demand=np.full_like(PANEL.demand, np.nan)))
