"""Stock-out warnings 14 days ahead, in replay: ours beside a days-of-cover rule.

    python -m benchmarks.stockouts [--series 150] [--seeds 0,1,2] [--cache FOLDER]

The M5 replay of `benchmarks.decisions` under the textbook policy (91 days, 93 %) makes the stock.
Every week, the order of the evening placed, each item in stock is judged: will it lose sales within
14 days? Twice, with the same stock, orders and demand:

- *with promises*, as tenants have them: each order has the date its SCMS delivery had been promised
  for. Ours is the product's own search (`find_stock_outs`); both count on the promised day, and on
  tomorrow for what is overdue. This is what the goal is measured by.
- *without*: nobody knows a date. Ours lets open orders arrive as their age says, the rule counts
  what is due within the mean lead time.

The rule: on hand and what is due, over mean daily demand of 28 days. All thresholds are chosen on
the first half of the weeks, precision, recall and F1 are those of the second half. Beside them
stands what the product's own threshold gives, which is the same for everybody.
"""

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decisions import DAYS, Drawn, build_world, forecaster, forecasts_of
from benchmarks.forecast import RESULTS
from forecasting.decisions.demand_paths import DemandForecast
from forecasting.decisions.policies import TextbookLevels
from forecasting.decisions.projected_need import OpenOrder, Supply, stock_out_probability
from forecasting.decisions.risk import WARN_FROM, StockOutRule, find_stock_outs
from forecasting.decisions.simulation import StockState, World, simulate
from forecasting.pipeline.series import BoolArray, FloatArray

AHEAD_DAYS = 14
TASK = "m5"
OURS, COVER = "ours", "days of cover"
OURS_BY_AGE, COVER_BY_MEAN = "ours without promises", "days of cover without promises"
WAYS = (OURS, COVER, OURS_BY_AGE, COVER_BY_MEAN)


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


@dataclass
class Scores:
    """What each way of judging said of every item in stock, week by week, and what came true."""

    said: dict[str, list[FloatArray]] = field(default_factory=lambda: {name: [] for name in WAYS})
    true: list[BoolArray] = field(default_factory=list)
    late: list[BoolArray] = field(default_factory=list)


def judge(seed: int, series: int | None, cache: Path | None) -> dict[str, Any]:
    """Return precision, recall and F1 of every way on the second half of the weeks."""
    known = forecasts_of(TASK, DAYS[TASK], cache)
    drawn = build_world(TASK, DAYS[TASK], seed, series)
    world = drawn.world
    made = forecaster(world, drawn.ids, known)
    policy = Recorded(TextbookLevels(drawn.lead_times, 0.93, 91))
    short = simulate(world, policy).short
    days = [day for day in policy.states if day + AHEAD_DAYS < world.n_days]
    scores = Scores()
    for number, day in enumerate(days):
        state = policy.states[day]
        there = state.on_hand > 0
        begin = day - world.first_day + 1
        scores.true.append(np.asarray(short[there, begin : begin + AHEAD_DAYS].any(axis=1)))
        scores.late.append(np.full(int(there.sum()), number >= len(days) / 2))
        for name, score in say(drawn, state, day, made(day)).items():
            scores.said[name].append(score[there])
    return {"seed": seed, **rate(scores)}


def say(
    drawn: Drawn, state: StockState, day: int, forecast: DemandForecast
) -> dict[str, FloatArray]:
    """Return what each way says of every item, the higher the likelier it runs out: [S]."""
    lead, n_series = drawn.lead_times, drawn.world.n_series
    pace = np.maximum(drawn.world.demand[:, day - 27 : day + 1].mean(axis=1), 1e-9)
    arrivals, due = np.zeros((n_series, AHEAD_DAYS + 1)), np.zeros(n_series)
    for order in state.open_orders:
        left = drawn.promised[:, day - order.age_days] - order.age_days
        # column 0 is tomorrow (lead times count from the next day), also hoped for when overdue
        arrivals[np.arange(n_series), np.clip(left, 0, AHEAD_DAYS)] += order.quantity
        due += order.quantity * (lead.mean_days - order.age_days <= AHEAD_DAYS)
    promised = arrivals[:, :AHEAD_DAYS]
    found = find_stock_outs(
        drawn.ids,
        forecast,
        state.on_hand,
        promised,
        np.ones(n_series),
        StockOutRule(min_probability=0.0),
    )
    chance = {one.key: one.probability for one in found}
    supply = Supply(state.on_hand, state.open_orders, lead)
    said = (
        np.array([chance[one] for one in drawn.ids]),
        -(state.on_hand + promised.sum(axis=1)) / pace,
        stock_out_probability(forecast, supply, AHEAD_DAYS),
        -(state.on_hand + due) / pace,
    )
    return dict(zip(WAYS, said, strict=True))


def rate(scores: Scores) -> dict[str, Any]:
    """Return the figures of the later weeks, thresholds from the earlier ones."""
    late, true = np.concatenate(scores.late), np.concatenate(scores.true)
    result: dict[str, Any] = {"judged": int(late.sum()),
                              "share that runs out": float(true[late].mean())}  # fmt: skip
    for name, parts in scores.said.items():
        score = np.concatenate(parts)
        threshold = best_threshold(score[~late], true[~late])
        result[name] = {**figures(score[late] >= threshold, true[late]),
                        "threshold": round(abs(threshold), 3)}  # fmt: skip
    fixed = figures(np.concatenate(scores.said[OURS])[late] >= WARN_FROM, true[late])
    result["ours at the product's threshold"] = {**fixed, "threshold": WARN_FROM}
    result["gain"] = result[OURS]["f1"] - result[COVER]["f1"]
    result["gain without promises"] = result[OURS_BY_AGE]["f1"] - result[COVER_BY_MEAN]["f1"]
    return result


def best_threshold(score: FloatArray, true: BoolArray) -> float:
    """Return the threshold with the best F1 among a hundred quantiles of the scores."""
    tried = np.unique(np.quantile(score, np.linspace(0.01, 0.99, 99)))
    return float(max(tried, key=lambda one: figures(score >= one, true)["f1"]))


def figures(warned: BoolArray, true: BoolArray) -> dict[str, float]:
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
            "without promises": float(np.mean([run["gain without promises"] for run in runs])),
            "range": max(gains) - min(gains)}  # fmt: skip
    text = json.dumps(kept, indent=1)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "stockouts.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
