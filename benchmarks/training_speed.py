"""How fast a network learns, against the loop that is usually written, to the same quality.

    python -m benchmarks.training_speed [--steps 300] [--most 8] [--seed 0] [--limit 1000]

Data: the m5 task of the shared benchmark where it lies beside the checkout, else simulated. All
read the same features with the same losses and are scored on the same days held out:

- ours: the LSTM as a tenant gets it; a window trains on many origins;
- single: the same in everything (decoder, averaged weights, planned learning rate) but that a
  window trains on one origin, its last day; with three times ours' CPU seconds;
- plain: `nn.LSTM`, one linear layer, Adam, one window per sample; until it is as good as ours, or
  has used `--most` times ours' CPU seconds.

A window is one history with the forecast that follows it. The share of the matrix rate counts the
multiplications of linear and recurrent layers, forward and backward, against `torch.mm` of two
1024 x 1024 matrices measured in the same run, on one thread. CPU seconds are of training only,
without scoring. Two trainings side by side on one core make each other slower: run it alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from forecasting.pipeline import training, windows
from forecasting.pipeline.backtest import make_holdout, stores_at, validator
from forecasting.pipeline.compute import computing_on, use_one_core
from forecasting.pipeline.feature_plan import plan_features
from forecasting.pipeline.features import Block, FeatureStore
from forecasting.pipeline.frames import Tables, panel_from_tables
from forecasting.pipeline.networks import ForecastNetwork
from forecasting.pipeline.series import QUANTILES, SeriesPanel
from forecasting.pipeline.settings import EngineConfig, holdout_days
from forecasting.pipeline.training import TrainingConfig, train_network
from forecasting.pipeline.triage import sanitise

RESULTS = Path(__file__).resolve().parent / "results" / "training_speed.json"
HORIZON = 28
SIZE = 1024
STEPS_TO_SCORE = 50
SINGLE_STEPS = 6
"""Steps of one origin each, for one of ours: about three times the CPU seconds."""


def main() -> None:
    """Measure both and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300, help="steps of our training")
    parser.add_argument("--most", type=float, default=8.0, help="times our CPU the other may take")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, default=1000, help="series at most")
    options = parser.parse_args()
    use_one_core()
    with computing_on("cpu"):  # CPU seconds are compared
        found = measure(options.steps, options.most, options.seed, options.limit)
    print(json.dumps(found, indent=1))
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def measure(steps: int, most: float, seed: int, limit: int) -> dict[str, Any]:
    """Train ours, then both others."""
    name, panel = load_panel(limit)
    task = Task.cut(panel)
    rate = matrix_rate()
    per_epoch = steps // TrainingConfig().epochs
    config = replace(TrainingConfig(), steps_per_epoch=per_epoch, seed=seed, patience=99)
    ours = run(task, config)
    single_config = replace(
        config, windows=one_forecast_each(config), steps_per_epoch=per_epoch * SINGLE_STEPS
    )
    single = run(task, single_config)
    whole = replace(single_config.windows, ahead=HORIZON)  # it has no other way
    plain_config = replace(single_config, windows=whole)
    plain = run_plain(task, plain_config, ours.loss, most * ours.cpu_seconds)
    network = PlainNetwork(task.store, config.hidden)
    reached = first_as_good(plain, ours.loss)
    return {
        "data": name,
        "series": panel.n_series,
        "days": task.store.n_days,
        "matrix_gflops": round(rate / 1e9, 1),
        "matrix_gflops_after": round(matrix_rate() / 1e9, 1),
        "ours": report(ours, config, flops_of_step(task.store, config), rate),
        "single": report(single, single_config, flops_of_step(task.store, single_config), rate),
        "plain": report(
            plain, plain_config, flops_of_step(task.store, plain_config, network), rate
        ),
        "single_is_as_good_after_cpu_seconds": first_as_good(single, ours.loss),
        "plain_is_as_good_after_cpu_seconds": reached,
        "times_less_cpu_than_plain": round((reached or plain.cpu_seconds) / ours.cpu_seconds, 1),
        "that_is_a_lower_bound": reached is None,
    }


# -- what is learned ------------------------------------------------------------------------------
def load_panel(limit: int) -> tuple[str, SeriesPanel]:
    """Return the m5 task's panel up to its first origin, or a simulated one."""
    from benchmarks.forecast import SHARED, load_shared, write_inputs
    from benchmarks.scale import simulated_panel
    from forecasting.management.commands.forecast_files import read_table

    if not (SHARED / "data").is_dir():
        return "simulated", simulated_panel(limit, 1000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs("m5", folder)
        paths = {
            part: folder / f"{part}.csv" for part in ("history", "calendar", "prices", "series")
        }
        history, calendar, prices, series = (
            read_table(str(path) if path.exists() else None, part) for part, path in paths.items()
        )
    panel, _notes = panel_from_tables(Tables(history, calendar, prices, series), HORIZON)
    _, origins, _ = load_shared("benchmark_tasks").load_task("m5")
    known = panel.up_to(min(origins).date(), HORIZON)
    return "m5", known.select(np.arange(min(limit, known.n_series)))


@dataclass(frozen=True)
class Task:
    """Windows to learn from, and the score of the days held out."""

    store: FeatureStore
    score: Callable[[TrainingConfig], Callable[[ForecastNetwork], float]]

    @classmethod
    def cut(cls, panel: SeriesPanel) -> Task:
        known, _ = sanitise(panel)
        plan = plan_features(known, HORIZON)
        origins = holdout_days(known, EngineConfig())
        store = FeatureStore(known.up_to(origins[0], HORIZON), plan)
        config = TrainingConfig()
        holdout = make_holdout(known, origins, HORIZON)
        stores = stores_at(known, origins, plan, config.reading_days)
        return cls(store, lambda one: validator(holdout, stores, one))


# -- training -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Run:
    """A training: its CPU seconds without scoring, and the score after each epoch."""

    cpu_seconds: float
    loss: float
    steps: int
    curve: tuple[tuple[float, float], ...]


def run(task: Task, config: TrainingConfig) -> Run:
    """Train with this config; scoring does not count."""
    curve: list[tuple[float, float]] = []
    scoring = 0.0
    began = time.process_time()
    score = task.score(config)

    def validate(network: ForecastNetwork) -> float:
        nonlocal scoring
        before = time.process_time()
        found = score(network)
        spent = before - began - scoring
        scoring += time.process_time() - before
        curve.append((round(spent, 2), round(found, 5)))
        return found

    with one_at_the_end(config) if config.windows.emits == 1 else nullcontext():
        train_network(task.store, config, validate=validate)
    best = min(loss for _, loss in curve)
    return Run(curve[-1][0], best, len(curve) * config.steps_per_epoch, tuple(curve))


def one_forecast_each(config: TrainingConfig) -> windows.WindowConfig:
    """Return windows of the length a forecast reads, with one origin each: their last day."""
    return replace(config.windows, context_days=config.reading_days, span_days=1, emits=1)


@contextmanager
def one_at_the_end(config: TrainingConfig) -> Iterator[None]:
    """Score a network as it was trained: having read as many days."""
    reading = config.windows.context_days
    with mock.patch.object(TrainingConfig, "reading_days", reading):
        yield


class PlainNetwork(nn.Module):
    """The last state of `nn.LSTM` and what is known of the days ahead, through one layer."""

    def __init__(self, store: FeatureStore, hidden: int) -> None:
        super().__init__()
        channels = store.channels
        self.cells = nn.LSTM(channels.past, hidden, batch_first=True)
        inputs = hidden + channels.origin + HORIZON * channels.ahead
        self.out = nn.Linear(inputs, HORIZON * (len(QUANTILES) + 1))

    def forward(
        self, past: Tensor, origin: Tensor, ahead: Tensor, attributes: Tensor, emits: Tensor
    ) -> tuple[Tensor, Tensor]:
        state = self.cells(past)[0][:, -1]
        known = torch.cat([state, origin[:, 0], ahead[:, 0].flatten(1)], dim=1)
        out = nn.functional.softplus(self.out(known)).view(len(past), 1, HORIZON, -1)
        return out[..., -1], out[..., :-1].cumsum(dim=-1)


def run_plain(task: Task, config: TrainingConfig, wanted: float, most_seconds: float) -> Run:
    """Train the plain network with Adam until it is as good as wanted or the time is used up."""
    torch.manual_seed(config.seed)
    network = PlainNetwork(task.store, config.hidden)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    weigh = training._weigher(task.store, config.windows)  # noqa: SLF001  the very weights
    curve: list[tuple[float, float]] = []
    spent, steps = 0.0, 0
    with one_at_the_end(config):
        score = task.score(config)
        while spent < most_seconds and not (curve and min(curve, key=_loss)[1] <= wanted):
            rng = np.random.default_rng((config.seed, steps))
            network.train()
            began = time.process_time()
            for block in windows.draw_windows(task.store, config.windows, STEPS_TO_SCORE, rng):
                loss = training._loss(  # noqa: SLF001  the very loss of ours
                    cast("ForecastNetwork", network), block, weigh, config
                )
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            spent += time.process_time() - began
            steps += STEPS_TO_SCORE
            reached = score(cast("ForecastNetwork", network))
            curve.append((round(spent, 2), round(reached, 5)))
    return Run(curve[-1][0], min(curve, key=_loss)[1], steps, tuple(curve))


def _loss(point: tuple[float, float]) -> float:
    return point[1]


def first_as_good(one: Run, loss: float) -> float | None:
    """Return the CPU seconds after which a training was as good first."""
    return min((spent for spent, reached in one.curve if reached <= loss), default=None)


# -- counting -------------------------------------------------------------------------------------
def matrix_rate() -> float:
    """Return the multiplications and additions per CPU second of a large matrix product."""
    one, other = torch.rand(SIZE, SIZE), torch.rand(SIZE, SIZE)
    for _ in range(3):
        torch.mm(one, other)
    began, count = time.process_time(), 30
    for _ in range(count):
        torch.mm(one, other)
    return count * 2 * SIZE**3 / (time.process_time() - began)


def flops_of_step(
    store: FeatureStore, config: TrainingConfig, network: nn.Module | None = None
) -> float:
    """Return what the layers of one step multiply and add, forward and twice that backward."""
    network = network or training.new_network(store, config)
    total = 0.0

    def linear(module: nn.Linear, _inputs: Any, output: torch.Tensor) -> None:
        nonlocal total
        total += 2.0 * module.in_features * output.numel()

    def recurrent(module: nn.RNNBase, inputs: Any, _output: Any) -> None:
        nonlocal total
        steps = inputs[0].shape[0] * inputs[0].shape[1]
        total += steps * sum(2.0 * w.numel() for w in module.parameters() if w.dim() == 2)

    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(linear)
        elif isinstance(module, nn.RNNBase):
            module.register_forward_hook(recurrent)
    block: Block = next(windows.draw_windows(store, config.windows, 1, np.random.default_rng(0)))
    with torch.no_grad():
        network(*training.as_tensors(block))
    return 3 * total


def report(one: Run, config: TrainingConfig, flops: float, rate: float) -> dict[str, Any]:
    forecasts = one.steps * config.windows.batch * config.windows.emits
    return {
        "cpu_seconds": one.cpu_seconds,
        "steps": one.steps,
        "windows_per_cpu_second": round(forecasts / one.cpu_seconds),
        "share_of_matrix_rate": round(flops * one.steps / one.cpu_seconds / rate, 3),
        "best_validation_loss": one.loss,
        "curve": one.curve,
    }


if __name__ == "__main__":
    main()
