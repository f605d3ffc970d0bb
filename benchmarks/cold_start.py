"""Forecasts of products that have hardly sold, on the shared data: products left out, then scored.

    python -m benchmarks.cold_start

Series are grouped by the week they begin in. All of them lose what comes later than 0, 7 or 21
days after the beginning of that week; their next 28 days are forecast from what everybody had sold
by then and from what is known of them (the words of the name; on m5 store, category, department and
item). SPL is over the mean change from day to day of all series
that have begun by the origin: a new product has no scale of its own yet, and one taken from what it
sold later weighs series the less the better they sell, so that forecasting nothing would win (the
column spl_hindsight shows that). Beside ours: the
distribution of all beginnings (tenant), of those of the same department (category), what triage did
before (empirical quantiles of the series' own days), and ours without the text.
"""

import json
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.forecast import RESULTS, load_shared
from forecasting.pipeline.baselines import empirical_quantiles
from forecasting.pipeline.cold_start import find_donors, forecast_cold
from forecasting.pipeline.descriptions import Descriptions
from forecasting.pipeline.predict import present, whole_units
from forecasting.pipeline.series import QUANTILES, FloatArray, SeriesPanel

HORIZON = 28
REACH = HORIZON + 6
AGES = (0, 7, 21)
WEEKS_APART = {"m5": 3, "online_retail": 1}
FROM_DAY = {"m5": date(2012, 1, 1), "online_retail": date(2011, 3, 1)}


def read_panel(task: str) -> SeriesPanel:
    """Return all series of a task with what is known of their products."""
    history, _, extra = load_shared("benchmark_tasks").load_task(task, all_series=True)
    days = pd.date_range(history.date.min(), history.date.max())
    codes, ids = pd.factorize(history.series_id.astype(str), sort=True)
    demand = np.full((len(ids), len(days)), np.nan, dtype=np.float32)
    demand[codes, (history.date - days[0]).dt.days] = history.demand
    return SeriesPanel(
        tuple(ids), days[0].date(), demand, ~np.isnan(demand), descriptions=describe(ids, extra)
    )


def describe(ids: Any, extra: dict[str, pd.DataFrame]) -> Descriptions:
    """Return the words and attributes of each series."""
    n = len(ids)
    if "skus" in extra:
        names = extra["skus"].drop_duplicates("sku").set_index("sku").description.reindex(ids)
        text, attributes = tuple(names.fillna("")), {}
    else:
        table = extra["series"].set_index("series_id").reindex(ids)
        text = ("",) * n
        attributes = {
            name: table[name].to_numpy(str) for name in ("store_id", "cat_id", "dept_id", "item_id")
        }
    return Descriptions(text, attributes, is_new=np.ones(n, dtype=bool))


USING: dict[str, dict[str, tuple[str, ...] | None]] = {
    "m5": {
        "ours": None,
        "without item": ("season", "store_id", "cat_id", "dept_id"),
        "category": ("dept_id",),
        "tenant": (),
    },
    "online_retail": {
        "ours": None,
        "without text": ("season",),
        "text only": ("text",),
        "tenant": (),
    },
}
"""Which sources of likeness each variant may use. The item of m5 stands for its text: the same item
in other stores."""


def forecast_group(
    task: str, known: SeriesPanel, rows: np.ndarray
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Forecast some series after the panel's end with every variant: mean [R, H], quantiles."""
    made = {}
    donors = find_donors(known, np.ones(known.n_series, dtype=bool))
    if donors is None:
        return {}
    for name, using in USING[task].items():
        found = forecast_cold(known, rows, donors, REACH, using)
        made[name] = present(found.mean, found.quantiles, np.ones(len(rows), dtype=bool))
    own = known.select(rows)
    plain = empirical_quantiles(own.demand, own.observed, REACH, own.first_day.weekday())
    made["own days"] = present(plain.mean, plain.quantiles, whole_units(own.demand, own.observed))
    return made


def score(
    actual: FloatArray, scales: FloatArray, mean: FloatArray, quantiles: FloatArray
) -> dict[str, float]:
    """Return SPL by both scales [2, N], wQL, WAPE and bias."""
    error = actual[..., None] - quantiles
    loss = np.maximum(QUANTILES * error, (QUANTILES - 1) * error).mean(axis=(1, 2))
    total = actual.sum()
    return {
        "spl": float((loss / scales[0]).mean()),
        "spl_hindsight": float((loss / scales[1]).mean()),
        "wql": float(2 * loss.sum() * HORIZON / total),
        "wape": float(np.abs(actual - mean).sum() / total),
        "bias": float((mean.sum() - total) / total),
    }


def run_task(task: str, ages: Sequence[int] = AGES) -> list[dict[str, Any]]:
    """Return one row per age and variant."""
    panel = read_panel(task)
    jumps = np.abs(np.diff(panel.demand, axis=1))
    hindsight = np.nanmean(jumps, axis=1)
    found = []
    for age in ages:
        began = time.process_time()
        parts: dict[str, list[Any]] = {}
        actual, scales = [], []
        first = (FROM_DAY[task] - panel.first_day).days
        for week in range(first, panel.n_days - age - REACH, WEEKS_APART[task] * 7):
            rows = np.flatnonzero((panel.begins >= week) & (panel.begins < week + 7))
            rows = rows[hindsight[rows] > 0]
            until = week + age
            known = panel.up_to(panel.first_day + timedelta(days=until - 1), REACH)
            made = forecast_group(task, known, rows) if len(rows) else {}
            if not made:
                continue
            # before its first day a product is not there: 28 days from then on, or from the origin
            start = np.maximum(panel.begins[rows] - until, 0)
            ahead = start[:, None] + np.arange(HORIZON)
            line = np.arange(len(rows))[:, None]
            for name, (mean, quantiles) in made.items():
                parts.setdefault(name, []).append((mean[line, ahead], quantiles[line, ahead]))
            actual.append(panel.demand[rows[:, None], until + ahead].astype(float))
            usual = float(np.nanmean(jumps[:, : until - 1]))
            scales.append(np.stack([np.full(len(rows), usual), hindsight[rows]]))
        truth, scale = np.concatenate(actual), np.concatenate(scales, axis=1)
        for name, pairs in parts.items():
            mean, quantiles = (np.concatenate(one) for one in zip(*pairs, strict=True))
            figures = score(truth, scale, mean, quantiles)
            found.append(
                {"task": task, "days_known": age, "series": len(truth), "variant": name}
                | {key: round(value, 4) for key, value in figures.items()}
            )
        print(f"{task} {age} days: {time.process_time() - began:.0f} CPU seconds", flush=True)
    return found


def main() -> None:
    rows = [row for task in FROM_DAY for row in run_task(task)]
    print(pd.DataFrame(rows).to_string(index=False))
    (RESULTS / "cold_start.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
