"""What a GPU brings: the same training and the same forecast on the CPU and on a CUDA device.

    python -m benchmarks.device [--steps 300] [--cpu-steps 30] [--series 30000] [--days 1000]
        [--out device.json]

Needs torch, numpy and safetensors, no database and no Django. Simulated demand; the LSTM of the
usual size and batch, trained for a fixed number of steps without scoring, on the CPU with one
thread (as a tenant is served), on the CPU with torch's usual number of threads, and on the GPU. A
window is one history with the forecasts that follow it. `making` is the share of the seconds that
go to making batches, which is numpy on one core whatever the device. `difference` compares
forecasts of networks trained for the same few steps on both devices, as a share of the mean
forecast. Without a GPU only the CPU is measured.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from benchmarks.scale import HORIZON, simulated_panel
from forecasting.pipeline import training
from forecasting.pipeline.backtest import Member, run_networks, store_to_forecast
from forecasting.pipeline.compute import computing_on, device_name, use_one_core
from forecasting.pipeline.feature_plan import plan_features
from forecasting.pipeline.features import Block, FeatureStore
from forecasting.pipeline.series import SeriesPanel
from forecasting.pipeline.training import TrainedNetwork, TrainingConfig, train_network
from forecasting.pipeline.windows import draw_windows

SMALL = (3000, 730)
FORECAST_SERIES = 10_000
COMPARED_STEPS = 24


def main() -> None:
    """Measure both devices and print, and write where asked, what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300, help="training steps on the GPU")
    parser.add_argument("--cpu-steps", type=int, default=30)
    parser.add_argument("--series", type=int, default=30_000, help="of the large panel; 0: none")
    parser.add_argument("--days", type=int, default=1000)
    parser.add_argument("--forecast-series", type=int, default=FORECAST_SERIES)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    usual_threads = torch.get_num_threads()
    use_one_core()
    runs = [
        ("cpu_one_thread", "cpu", 1, options.cpu_steps),
        ("cpu", "cpu", usual_threads, options.cpu_steps),
    ]
    has_gpu = torch.cuda.is_available()
    found: dict[str, Any] = {
        "torch": torch.__version__,
        "machine": platform.processor() or platform.machine(),
        "threads": usual_threads,
        "gpu": torch.cuda.get_device_name() if has_gpu else None,
    }
    if has_gpu:
        runs.append(("gpu", "cuda", 1, options.steps))
    panel = simulated_panel(*SMALL)
    found["small"] = {name: measure(panel, *how) for name, *how in runs}
    if has_gpu:
        found["difference"] = difference(panel)
    if options.series:
        large = simulated_panel(options.series, options.days)
        chosen = [run for run in runs if run[0] != "cpu"]
        found["large"] = {name: measure(large, *how) for name, *how in chosen}
        few = large.select(np.arange(min(options.forecast_series, large.n_series)))
        found["forecast"] = {name: forecast(few, device, n) for name, device, n, _ in runs}
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def config_of(steps: int) -> TrainingConfig:
    """Return the usual training, in one epoch of so many steps."""
    return replace(TrainingConfig(), epochs=1, steps_per_epoch=steps, patience=99)


def measure(panel: SeriesPanel, device: str, threads: int, steps: int) -> dict[str, Any]:
    """Train for so many steps and return seconds, windows per second and the loss."""
    store = FeatureStore(panel, plan_features(panel, HORIZON))
    torch.set_num_threads(threads)
    making = [0.0]

    def timed(*args: Any) -> Iterator[Block]:
        blocks = draw_windows(*args)
        while True:
            began = time.perf_counter()
            block = next(blocks, None)
            making[0] += time.perf_counter() - began
            if block is None:
                return
            yield block

    with computing_on(device):
        train_network(store, config_of(3))  # warm up: kernels are loaded, pages taken
        with mock.patch.object(training, "draw_windows", timed):
            began, cpu = time.perf_counter(), time.process_time()
            trained = train_network(store, config_of(steps))  # its weights come to the CPU
            seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        name = device_name()
    torch.set_num_threads(1)
    windows = config_of(steps).windows.batch * steps
    return {
        "device": name,
        "threads": threads,
        "series": panel.n_series,
        "days": panel.n_days,
        "steps": steps,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "windows_per_second": round(windows / seconds),
        "making": round(making[0] / seconds, 3),
        "loss": round(trained.history[-1].training_loss, 6),
    }


def predict(panel: SeriesPanel, trained: TrainedNetwork) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and quantiles of all series after the panel's last day, on the device in use."""
    plan = plan_features(panel, HORIZON)
    store = store_to_forecast(panel, plan, trained.config.reading_days)
    return run_networks([Member("lstm", trained)], store)["lstm"]


def difference(panel: SeriesPanel) -> dict[str, float]:
    """Return how far forecasts of the two devices lie apart, relative to the mean forecast."""
    store = FeatureStore(panel, plan_features(panel, HORIZON))
    some = panel.select(np.arange(500))
    made: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
    for device in ("cpu", "cuda"):
        with computing_on(device):
            trained = train_network(store, config_of(COMPARED_STEPS))
        for other in ("cpu", "cuda"):
            with computing_on(other):
                made[device, other] = predict(some, trained)
    size = float(made["cpu", "cpu"][0].mean())

    def apart(one: tuple[str, str], two: tuple[str, str]) -> float:
        gaps = [np.abs(a - b).max() for a, b in zip(made[one], made[two], strict=True)]
        return float(f"{max(gaps) / size:.2g}")

    return {
        "served_on_the_other": apart(("cuda", "cuda"), ("cuda", "cpu")),
        "trained_on_the_other": apart(("cpu", "cpu"), ("cuda", "cuda")),
    }


def forecast(panel: SeriesPanel, device: str, threads: int) -> dict[str, Any]:
    """Return the seconds of a forecast of all series by an LSTM of the usual size."""
    store = FeatureStore(panel, plan_features(panel, HORIZON))
    torch.set_num_threads(threads)
    with computing_on(device):
        trained = train_network(store, config_of(3))
        predict(panel.select(np.arange(300)), trained)  # warm up
        began = time.perf_counter()
        predict(panel, trained)
        seconds = time.perf_counter() - began
    torch.set_num_threads(1)
    return {"series": panel.n_series, "horizon": HORIZON, "seconds": round(seconds, 2)}


if __name__ == "__main__":
    main()
