"""Stock-out warnings 14 days ahead, in replay: ours beside a days-of-cover rule.

    python -m benchmarks.stockouts [--series 150] [--seeds 0,1,2] [--cache FOLDER]

The M5 replay of `benchmarks.decisions` under the textbook policy (91 days, 93 %) makes the stock.
Every week, the order of the evening placed, each item in stock is judged: will it lose sales within
14 days? Ours: the share of
sample paths, with open orders arriving as their age says, that do. The rule: on hand and what is on
order and due within the lead time, over mean daily demand of 28 days. Both thresholds are
chosen on the first half of the weeks, precision, recall and F1 are those of the second half. Beside
them stands what the product's own threshold gives, which is the same for everybody.
"""

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decisions import DAYS, build_world, forecaster, forecasts_of
from benchmarks.forecast import RESULTS
from forecasting.decisions.policies import TextbookLevels
from forecasting.decisions.projected_need import OpenOrder, Supply, stock_out_probability
from forecasting.decisions.risk import WARN_FROM
from forecasting.decisions.simulation import StockState, World, simulate
from forecasting.pipeline.series import FloatArray

AHEAD_DAYS = 14
TASK = "m5"


@dataclass
class Recorded:
    """A policy that keeps what it saw."""

    policy: TextbookLevels
    states: dict[int, StockState] = field(default_factory=dict)

    def need(self, world: World, day: int, state: StockState) -> FloatArray:
        need = self.policy.need(world, day, state)
        tonight = OpenOrder(0, np.ceil(need - 1e-9))
        self.states[day] = StockState(state.on_hand, (*state.open_orders, tonight))
        return need


def judge(seed: int, series: int | None, cache: Path | None) -> dict[str, Any]:
    """Return precision, recall and F1 of both on the second half of the weeks."""
    known = forecasts_of(TASK, DAYS[TASK], cache)
    world, ids, lead = build_world(TASK, DAYS[TASK], seed, series)
    made = forecaster(world, ids, known)
    policy = Recorded(TextbookLevels(lead, 0.93, 91))
    short = simulate(world, policy).short
    days = [day for day in policy.states if day + AHEAD_DAYS < world.n_days]
    truth, ours, cover, halves = [], [], [], []
    for number, day in enumerate(days):
        state = policy.states[day]
        there = state.on_hand > 0
        begin = day - world.first_day + 1
        truth.append(short[there, begin : begin + AHEAD_DAYS].any(axis=1))
        supply = Supply(state.on_hand, state.open_orders, lead)
        ours.append(stock_out_probability(made(day), supply, AHEAD_DAYS)[there])
        pace = world.demand[:, day - 27 : day + 1].mean(axis=1)
        due = sum(
            (order.quantity * (lead.mean_days - order.age_days <= AHEAD_DAYS)
             for order in state.open_orders),
            start=np.zeros(world.n_series),
        )  # fmt: skip
        cover.append(-((state.on_hand + due) / np.maximum(pace, 1e-9))[there])
        halves.append(np.full(int(there.sum()), number >= len(days) / 2))
    late = np.concatenate(halves)
    true = np.concatenate(truth)
    result: dict[str, Any] = {"seed": seed, "judged": int(late.sum()),
                              "share that runs out": float(true[late].mean())}  # fmt: skip
    for name, parts in (("ours", ours), ("days of cover", cover)):
        score = np.concatenate(parts)
        threshold = best_threshold(score[~late], true[~late])
        result[name] = {**figures(score[late] >= threshold, true[late]),
                        "threshold": round(abs(threshold), 3)}  # fmt: skip
    fixed = figures(np.concatenate(ours)[late] >= WARN_FROM, true[late])
    result["ours at the product's threshold"] = {**fixed, "threshold": WARN_FROM}
    result["gain"] = result["ours"]["f1"] - result["days of cover"]["f1"]
    return result


def best_threshold(score: FloatArray, true: np.ndarray) -> float:
    """Return the threshold with the best F1 among a hundred quantiles of the scores."""
    tried = np.unique(np.quantile(score, np.linspace(0.01, 0.99, 99)))
    return float(max(tried, key=lambda one: figures(score >= one, true)["f1"]))


def figures(warned: np.ndarray, true: np.ndarray) -> dict[str, float]:
    hits = float((warned & true).sum())
    precision, recall = hits / max(warned.sum(), 1), hits / max(true.sum(), 1)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def main() -> None:
    parser = argparse.ArgumentParser(description="Stock-out warnings in replay.")
    parser.add_argument("--series", type=int)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    seeds = [int(one) for one in options.seeds.split(",")]
    runs = [judge(seed, options.series, options.cache) for seed in seeds]
    gains = [run["gain"] for run in runs]
    kept = {"series": options.series, "runs": runs, "mean gain of F1": float(np.mean(gains)),
            "range": max(gains) - min(gains)}  # fmt: skip
    text = json.dumps(kept, indent=1)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "stockouts.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
