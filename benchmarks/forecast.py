"""Forecast accuracy on the public tasks beside the checkout, next to the peers' figures.

    python -m benchmarks.forecast [--task m5] [--seeds 0,1,2] [--networks lstm,mlp] [--name tried]

Each run is `manage.py forecast_files` as a process of its own; its forecasts are scored by the
shared scorer. CPU seconds and peak memory are those of the whole process. Protocol: trained once on
days up to the first origin, forecasts from three origins, nothing known but the past and what is
known ahead. The peers' figures (`peers.csv`) were measured on the same tasks and protocol.

Each task has result files of its own, `m5.txt` and `m5.json`; what is only tried goes beside them
by --name, as `tried_m5.txt`.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
RESULTS = Path(__file__).resolve().parent / "results"
PEERS = Path(__file__).resolve().parent / "peers.csv"
TASKS = ("m5", "online_retail")
COLUMNS = ["spl", "wspl", "wql", "rmsse", "wrmsse", "wape", "bias", "cal"]


class DataMissing(SystemExit):
    """The shared data is not beside the checkout."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is missing. The benchmark needs the public data in a folder named 'shared' "
            "beside the checkout (shared/bench and shared/data)."
        )


def load_shared(name: str) -> ModuleType:
    """Import a module of the shared benchmark by its file."""
    path = SHARED / "bench" / f"{name}.py"
    if not path.is_file():
        raise DataMissing(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DataMissing(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_inputs(task: str, folder: Path) -> tuple[list[str], pd.DataFrame]:
    """Write a task's tables as files; return the arguments naming them, and the history."""
    tasks = load_shared("benchmark_tasks")
    if not (SHARED / "data").is_dir():
        raise DataMissing(SHARED / "data")
    history, origins, extra = tasks.load_task(task)
    arguments = []
    for option, table in {
        "history": history,
        "calendar": extra.get("calendar"),
        "prices": extra.get("prices"),
        "series": extra.get("series"),
    }.items():
        if table is not None:
            path = folder / f"{option}.csv"
            table.to_csv(path, index=False)
            arguments += [f"--{option}", str(path)]
    for origin in origins:
        arguments += ["--origin", f"{origin:%Y-%m-%d}"]
    return [*arguments, "--horizon", str(tasks.HORIZON)], history


def run_forecast(arguments: list[str]) -> tuple[float, float]:
    """Run the command; return its CPU seconds and peak memory in MB."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "manage.py"), "forecast_files", *arguments]
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"forecast_files failed with status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def run_task(task: str, seed: int, networks: str, seconds: float | None) -> dict[str, Any]:
    """Forecast and score one task with one seed."""
    scorer = load_shared("score_forecasts")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments, history = write_inputs(task, folder)
        out = folder / "forecasts.csv.gz"
        arguments += ["--out", str(out), "--seed", str(seed)]
        arguments += ["--networks", networks] if networks else []
        arguments += ["--seconds", str(seconds)] if seconds else []
        cpu_seconds, peak_mb = run_forecast(arguments)
        history["series_id"] = history["series_id"].astype(str)
        mean, _, _ = scorer.score(history, history, scorer.read_table(out))
    kept = {column: round(float(mean[column]), 5) for column in [*COLUMNS, "cover80", "crossing"]}
    return {
        "task": task, "seed": seed, **kept,
        "cpu_seconds": round(cpu_seconds, 1), "peak_mb": round(peak_mb),
    }  # fmt: skip


def compare(task: str, runs: pd.DataFrame) -> str:
    """Return the table of a task: our mean and spread over seeds, then the peers by wSPL."""
    peers = pd.read_csv(PEERS)
    columns = [*COLUMNS, "cpu_seconds"]
    ours = runs[columns].mean().to_frame().T.assign(peer=f"Stockcast, mean of {len(runs)} seeds")
    spread = (
        (runs[columns].max() - runs[columns].min()).to_frame().T.assign(peer="  range over seeds")
    )
    table = pd.concat([ours, spread, peers[peers.task == task].sort_values("wspl")])
    return str(table[["peer", *columns]].to_string(index=False, na_rep="-", float_format="%.4f"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Forecast accuracy on the public tasks.")
    parser.add_argument("--task", action="append", choices=TASKS)
    parser.add_argument("--seeds", default="0", help="separated by commas")
    parser.add_argument("--networks", default="")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--name", help="put before the task in the names of the result files")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for task in options.task or TASKS:
        rows = [
            run_task(task, int(seed), options.networks, options.seconds)
            for seed in options.seeds.split(",")
        ]
        text = f"{task}\n{compare(task, pd.DataFrame(rows))}"
        print(text, end="\n\n", flush=True)
        name = f"{options.name}_{task}" if options.name else task
        (RESULTS / f"{name}.txt").write_text(text + "\n")
        (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
