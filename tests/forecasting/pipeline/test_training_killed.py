"""Kill -9 after every epoch, of real processes: the training that goes on ends the same."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from forecasting.pipeline.artifact import CheckpointFolder
from forecasting.pipeline.engine import fit
from forecasting.pipeline.optimizer import Optimizer
from forecasting.pipeline.training import Callbacks
from tests.forecasting.pipeline.worlds import TINY_ENGINE, day, make_panel

ORIGIN = day(171)
ENGINE = replace(TINY_ENGINE, baselines=(), training=replace(TINY_ENGINE.training, dropout=0.1))
"""Without baselines the networks win, and are trained again on all days."""


def train(folder: Path, *, die_after: int | None, while_writing: bool = False) -> None:
    """Train in a child; it kills itself after so many epochs, else leaves its artefact."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if die_after is None:
            assert os.waitstatus_to_exitcode(status) == 0
        else:
            assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        return
    try:
        done = 0

        def count(_report):
            nonlocal done
            done += 1
            if done == die_after and not while_writing:
                os.kill(os.getpid(), signal.SIGKILL)

        move = Path.replace

        def move_or_die(self, target):
            if done + 1 == die_after and while_writing:
                os.kill(os.getpid(), signal.SIGKILL)
            return move(self, target)

        Path.replace = move_or_die
        kept = CheckpointFolder(folder)
        watch = Callbacks(on_epoch=count, save_checkpoint=kept.save, load_checkpoint=kept.load)
        data = fit(make_panel(), ORIGIN, ENGINE, watch).to_bytes()
        (folder / "artefact").write_bytes(data)
        os._exit(0)
    finally:
        os._exit(1)


@pytest.fixture(scope="module")
def undisturbed():
    return fit(make_panel(), ORIGIN, ENGINE)


def test_killed_after_every_epoch_the_training_ends_with_exactly_the_same_artefact(
    undisturbed, tmp_path
):
    epochs = len(undisturbed.history)
    assert epochs >= 5  # of both networks, judged and on all days
    for _epoch in range(epochs):
        train(tmp_path, die_after=1)
    train(tmp_path, die_after=None)
    assert (tmp_path / "artefact").read_bytes() == undisturbed.to_bytes()


def test_killed_while_a_checkpoint_is_written_the_one_before_is_used(undisturbed, tmp_path):
    train(tmp_path, die_after=2, while_writing=True)
    assert CheckpointFolder(tmp_path).load("holdout-lstm").epoch == 1
    train(tmp_path, die_after=None)
    assert (tmp_path / "artefact").read_bytes() == undisturbed.to_bytes()


def test_control_a_resume_that_forgets_the_optimizer_ends_elsewhere(
    undisturbed, tmp_path, monkeypatch
):
    train(tmp_path, die_after=1)
    monkeypatch.setattr(Optimizer, "restore", lambda *_: None)
    train(tmp_path, die_after=None)
    assert (tmp_path / "artefact").read_bytes() != undisturbed.to_bytes()
