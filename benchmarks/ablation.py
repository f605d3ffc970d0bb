"""What each idea in the networks is worth, on days before the first origin of the public tasks.

    python -m benchmarks.ablation [--task online_retail] [--seeds 0,1] [--only "all,16 bins"]

Each row is the default LSTM with one thing changed, trained once without a contest on days up to
84 days before the task's first origin, and scored by the shared scorer on the three spans of 28
days that follow; a row "+ MLP" blends two networks equally. Nothing after the first origin is used,
so what is chosen here says nothing about the scores published in `benchmarks/forecast.py`.
"""

import argparse
import json
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from benchmarks.forecast import RESULTS, TASKS, load_shared
from forecasting.pipeline.cleaning import CleaningConfig
from forecasting.pipeline.engine import EngineConfig, fit
from forecasting.pipeline.frames import Tables, panel_from_tables
from forecasting.pipeline.scaling import ScaleKind
from forecasting.pipeline.series import QUANTILES, Forecast, SeriesPanel
from forecasting.pipeline.training import TrainingConfig

HORIZON = 28
SPANS = 3
WINDOWS = TrainingConfig().windows
OF_ENGINE = ("networks", "scaling", "cleaning")
VARIANTS: dict[str, dict[str, Any]] = {
    "all": {},
    "all + MLP": {"networks": ("lstm", "mlp")},
    "MLP": {"networks": ("mlp",)},
    "no bins": {"bins": 0},
    "16 bins": {"bins": 16},
    "decoder of 64": {"decoder": 64},
    "no bins and a decoder of 64": {"bins": 0, "decoder": 64},
    "all 28 days ahead per step": {"windows": replace(WINDOWS, ahead=HORIZON)},
    "one origin per window": {"windows": replace(WINDOWS, emits=1)},
    "every series drawn by its days alone": {"windows": replace(WINDOWS, draw_power=0.0)},
    "AdamW": {"optimizer": "adamw"},
    "no averaged weights": {"ema": 0.0},
    "no weight by volume": {"volume_share": 0.0, "mean_volume_share": 0.0},
    "GRU": {"networks": ("gru",)},
    "RNN": {"networks": ("rnn",)},
    "CNN": {"networks": ("cnn",)},
    "linear": {"networks": ("linear",)},
    "the article's": {"networks": ("article",)},
    "divided by the mean": {"scaling": ScaleKind.MEAN},
    "divided by the standard deviation": {"scaling": ScaleKind.STANDARD},
    "divided by the largest (min-max)": {"scaling": ScaleKind.MIN_MAX},
    "divided by nothing (log1p)": {"scaling": ScaleKind.LOG1P},
    "jitter of .05": {"windows": replace(WINDOWS, jitter=0.05)},
    "rescaled by .3": {"windows": replace(WINDOWS, rescale=0.3)},
    "outliers not cut": {"cleaning": CleaningConfig(outliers=None)},
}


def panel_of(task: str) -> tuple[SeriesPanel, pd.DataFrame, date]:
    """Return a task's panel, its history and the first pseudo-origin."""
    history, origins, extra = load_shared("benchmark_tasks").load_task(task)
    history["series_id"] = history["series_id"].astype(str)
    first = origins[0].date()
    known = history[history.date <= pd.Timestamp(first)]
    tables = Tables(known, extra.get("calendar"), extra.get("prices"), extra.get("series"))
    panel, _ = panel_from_tables(tables, HORIZON)
    return panel, known, first - timedelta(days=SPANS * HORIZON)


def as_table(forecast: Forecast, origin: date) -> pd.DataFrame:
    """Return a forecast in the columns the shared scorer reads."""
    days = [pd.Timestamp(origin + timedelta(days=1 + step)) for step in range(HORIZON)]
    parts = {
        "series_id": [name for name in forecast.series_ids for _ in days],
        "date": days * len(forecast.series_ids),
        "origin": pd.Timestamp(origin),
        "mean": forecast.mean.reshape(-1),
    }
    flat = forecast.quantiles.reshape(-1, len(QUANTILES))
    return pd.DataFrame(parts | {f"q{q:.2g}": flat[:, k] for k, q in enumerate(QUANTILES)})


def run_variant(task: str, name: str, seed: int) -> dict[str, Any]:
    """Train one variant and score it."""
    panel, history, origin = panel_of(task)
    changed = dict(VARIANTS[name])
    usual = EngineConfig(networks=("lstm",), contest=False, seed=seed)
    of_engine = {name: changed.pop(name) for name in OF_ENGINE if name in changed}
    config = replace(usual, **of_engine, training=replace(usual.training, **changed))
    started = time.process_time()
    fitted = fit(panel, origin, config)
    trained = time.process_time() - started
    origins = [origin + timedelta(days=HORIZON * span) for span in range(SPANS)]
    made = pd.concat([as_table(fitted.forecast(panel, day), day) for day in origins])
    known = set(zip(history.series_id, history.date, strict=True))
    # series that are not on sale yet have no actual to be scored by
    there = [key in known for key in zip(made.series_id, made.date, strict=True)]
    scores, _, _ = load_shared("score_forecasts").score(history, history, made[there])
    columns = ("spl", "wspl", "wql", "rmsse", "wrmsse", "bias")
    return {
        "task": task, "variant": name, "seed": seed,
        **{column: round(float(scores[column]), 5) for column in columns},
        "training_cpu_seconds": round(trained, 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="What each idea in the networks is worth.")
    parser.add_argument("--task", action="append", choices=TASKS)
    parser.add_argument("--seeds", default="0", help="separated by commas")
    parser.add_argument("--only", default=",".join(VARIANTS), help="variants, separated by commas")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    RESULTS.mkdir(exist_ok=True)
    for task in options.task or TASKS:
        for name in options.only.split(","):
            rows += [run_variant(task, name, int(seed)) for seed in options.seeds.split(",")]
            table = pd.DataFrame(rows).groupby(["task", "variant"], sort=False).mean()
            text = table.drop(columns="seed").to_string(float_format="%.4f")
            (RESULTS / "ablation.txt").write_text(text + "\n")
            (RESULTS / "ablation.json").write_text(json.dumps(rows, indent=1) + "\n")
            print(text, flush=True)


if __name__ == "__main__":
    main()
