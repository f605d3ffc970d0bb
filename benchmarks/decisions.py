"""Replay of real demand under our reorder policy, the textbook's, min-max and perfect foresight.

    python -m benchmarks.decisions [--task m5] [--seeds 0,1,2] [--series N] [--cache FOLDER]

Ours orders from the forecasts that tenants get: networks and simple methods, contest and blend,
trained once on the days before the replay and asked again every week. `--cache` keeps them.

Demand: the shared series beside the checkout (../shared/data). Lead times: drawn from the days
between order and delivery of the shared SCMS deliveries, divided by 9: every item is given a vendor
with 30 or more deliveries, every order one of that vendor's lead times, independently.
Review once a week, no minimum order. Unit cost = 0.7 of the price, lost margin 0.3 of it. Policies
see demand up to the evening of the review, open orders, and the same lead-time distribution; none
has seen a lead time before the goods are there. Stock is the mean value in the evening; the first
70 days are not counted. Fill rate is the share of units sold.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.decision_picture import draw_curves
from benchmarks.forecast import RESULTS, SHARED, load_shared
from forecasting.decisions.demand_paths import DemandForecast, demand_forecast, level_correlation
from forecasting.decisions.lead_times import LeadTimes, lead_times_from_observations
from forecasting.decisions.policies import (
    MinMaxLevels,
    PerfectForesight,
    ProjectedNeedPolicy,
    TextbookLevels,
)
from forecasting.decisions.simulation import (
    Policy,
    SimulationResult,
    World,
    simulate,
    stock_at_fill_rate,
)
from forecasting.pipeline.engine import EngineConfig, fit
from forecasting.pipeline.frames import Tables, panel_from_tables
from forecasting.pipeline.series import FloatArray

OURS = "ours"
FORESIGHT = "perfect foresight"
DAYS = {"m5": 364, "online_retail": 140}
"""How long is replayed: a year, and what the shorter history allows."""
REVIEW_DAYS = 7
WINDOWS = (28, 91, 364)
"""Days of demand that the textbook's mean and deviation come from."""
LEAD_TIME_SCALE = 9.0
HORIZON_DAYS = 28
WARM_UP_DAYS = 70
SERVICE_LEVELS = (0.5, 0.6, 0.7, 0.8, 0.86, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
FILL_RATES = (0.85, 0.90, 0.93, 0.95, 0.97)
PRIORITIES = (0.8, 1.5, 3.0, 6.0, 14.0, 40.0, 120.0)
"""Worth of a unit not lost, in mean unit costs held for a review period."""
Known = tuple[list[str], dict[int, tuple[FloatArray, FloatArray]]]
"""Series ids, and mean and quantiles by how many days are left in the history."""


def load_demand(task: str) -> tuple[pd.DataFrame, pd.Series]:
    """Return demand by series and day, and the unit price of each series."""
    chosen = pd.read_csv(SHARED / "bench" / f"{task}_series.csv", dtype=str).series_id
    if task == "m5":
        folder = SHARED / "data" / "m5_walmart_daily"
        sales = pd.read_csv(folder / "sales.csv.gz", parse_dates=["date"])
        table = _by_day(sales, "series_id", "units").reindex(chosen)
        prices = pd.read_csv(folder / "prices.csv.gz").groupby("series_id").sell_price.mean()
        return table, prices.reindex(table.index)
    folder = SHARED / "data" / "online_retail"
    daily = pd.read_csv(folder / "daily_demand.csv.gz", parse_dates=["date"], dtype={"sku": str})
    table = _by_day(daily, "sku", "demand").reindex(chosen)
    table = table.reindex(columns=pd.date_range(daily.date.min(), daily.date.max()))
    begun = table.notna().cummax(axis=1)
    prices = daily.groupby("sku").revenue_gbp.sum() / daily.groupby("sku").demand.sum()
    return table.fillna(0).where(begun), prices.reindex(table.index)


def _by_day(table: pd.DataFrame, key: str, values: str) -> pd.DataFrame:
    """One row per series, one column per day; pivot_table would average a million rows for it."""
    return table.set_index([key, "date"])[values].unstack()  # noqa: PD010


def vendor_orders() -> list[np.ndarray]:
    """Return the scaled lead times, taken and promised, of every vendor with 30 deliveries: [2, n].

    A delivery counts whose length is known; each has a promise.
    """
    lines = pd.read_csv(
        SHARED / "data" / "scms_deliveries" / "deliveries.csv.gz",
        parse_dates=["order_date", "scheduled_delivery", "delivered"],
    )
    lines["days"] = (lines.delivered - lines.order_date).dt.days
    lines["promised"] = (lines.scheduled_delivery - lines.order_date).dt.days
    known = lines[lines.days >= 0]
    scaled = [
        np.rint(own[["days", "promised"]].to_numpy().T / LEAD_TIME_SCALE).astype(int)
        for _, own in known.groupby("vendor")
    ]
    return [orders for orders in scaled if orders.shape[1] >= 30]


class Drawn(NamedTuple):
    """A world to replay, its series, the lead times that policies may know, and the days promised.

    promised: for an order of each item placed on each day: [S, D].
    """

    world: World
    ids: list[str]
    lead_times: LeadTimes
    promised: NDArray[np.intp]


def build_world(task: str, days: int, seed: int, most: int | None = None) -> Drawn:
    """Return the world of a task; most: a random sample of that many series, all where None."""
    table, prices = load_demand(task)
    first_day = table.shape[1] - days
    demand = table.to_numpy(float)
    usable = np.isfinite(demand[:, max(first_day - 120, 0) :]).all(axis=1)
    demand, price = demand[usable], prices.to_numpy(float)[usable]
    ids = np.array([str(one) for one in table.index])[usable]
    generator = np.random.default_rng(seed)
    if most is not None and most < len(demand):
        kept = np.sort(generator.choice(len(demand), most, replace=False))
        demand, price, ids = demand[kept], price[kept], ids[kept]
    vendors = vendor_orders()
    of_vendor = generator.integers(len(vendors), size=len(demand))
    lead, promised = np.stack(
        [vendors[v][:, generator.integers(vendors[v].shape[1], size=demand.shape[1])]
         for v in of_vendor], axis=1,
    )  # fmt: skip
    known = lead_times_from_observations(
        [orders[0].tolist() for orders in vendors], [None] * len(vendors), prior_weight=1e-9
    ).select(of_vendor)
    ones = np.ones(len(demand))
    world = World(
        demand=demand,
        lead_times=lead,
        starting_stock=np.ceil(demand[:, first_day - 28 : first_day].sum(axis=1)),
        unit_cost=0.7 * price,
        unit_margin=0.3 * price,
        minimum_order_quantity=ones,
        order_multiple=ones,
        review_period_days=REVIEW_DAYS,
        first_day=first_day,
        warm_up_days=WARM_UP_DAYS,
    )
    return Drawn(world, ids.tolist(), known, promised)


def forecasts_of(task: str, days: int, cache_folder: Path | None) -> Known:
    """Return the weekly forecasts of all series of a task, trained on the days before them all."""
    path = cache_folder / f"net_{task}.npz" if cache_folder else None
    if path and path.is_file():
        kept = np.load(path)
        left = [int(kept["n_days"]) - int(day) for day in kept["at"]]
        return list(kept["ids"]), dict(
            zip(left, zip(kept["mean"], kept["q"], strict=True), strict=True)
        )
    history, _, extra = load_shared("benchmark_tasks").load_task(task)
    tables = Tables(history, *(extra.get(name) for name in ("calendar", "prices", "series")))
    panel, _ = panel_from_tables(tables, HORIZON_DAYS)
    first = panel.n_days - days
    fitted = fit(panel, panel.first_day + timedelta(days=first - 1), EngineConfig())
    made: dict[int, tuple[FloatArray, FloatArray]] = {}
    for day in range(first, panel.n_days, REVIEW_DAYS):
        forecast = fitted.forecast(panel, panel.first_day + timedelta(days=day))
        made[panel.n_days - day] = (forecast.mean, forecast.quantiles)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            path,
            ids=np.array(panel.series_ids),
            at=np.array([panel.n_days - one for one in made]),
            n_days=panel.n_days,
            mean=np.array([mean for mean, _ in made.values()], dtype="f4"),
            q=np.array([quantiles for _, quantiles in made.values()], dtype="f4"),
        )
    return list(panel.series_ids), made


def forecaster(world: World, ids: Sequence[str], known: Known) -> Callable[[int], DemandForecast]:
    """Return what looks a day's forecasts of the world's series up."""
    history = world.demand[:, : world.first_day]
    correlation = level_correlation(history, np.isfinite(history))
    place = {series: row for row, series in enumerate(known[0])}
    rows = np.array([place[one] for one in ids])

    def forecast_at(day: int) -> DemandForecast:
        mean, quantiles = known[1][world.n_days - day]
        return demand_forecast(mean[rows], quantiles[rows], correlation)

    return forecast_at


def run_curves(
    world: World, lead: LeadTimes, made: Callable[[int], DemandForecast]
) -> dict[str, list[SimulationResult]]:
    """Return every policy's results over its range of settings."""
    curves: dict[str, list[SimulationResult]] = {}

    def run(name: str, policies: list[Policy]) -> None:
        started = time.perf_counter()
        curves[name] = [simulate(world, one) for one in policies]
        print(f"  {name}: {time.perf_counter() - started:.1f} s", flush=True)

    relative_cost = world.unit_cost / world.unit_cost.mean()
    run(OURS, [ProjectedNeedPolicy(made, lead, one / (one + relative_cost)) for one in PRIORITIES])
    for window in WINDOWS:
        levels: list[Policy] = [TextbookLevels(lead, level, window) for level in SERVICE_LEVELS]
        run(f"textbook, {window} days", levels)
    run("min-max", [MinMaxLevels(d, d + 7) for d in (14, 18, 22, 26, 32, 40, 50, 65)])
    run(FORESIGHT, [PerfectForesight(share) for share in (0.7, 0.8, 0.9, 0.95, 0.98, 1.0)])
    return curves


def compare(
    task: str, seed: int, curves: dict[str, list[SimulationResult]]
) -> list[dict[str, Any]]:
    """Return, for each fill rate and textbook window, what ours saves and how far it closes in.

    less stock: at the same fill rate; fewer lost: with the same stock; closed: of the distance
    from the textbook's stock to that of perfect foresight at the same fill rate.
    """
    rows = []
    for name in [one for one in curves if one.startswith("textbook")]:
        for wanted in FILL_RATES:
            ours, theirs = _stock_at(curves[OURS], wanted), _stock_at(curves[name], wanted)
            perfect = _stock_at(curves[FORESIGHT], wanted)
            if ours is None or theirs is None or perfect is None:
                continue
            lost, lost_there = _lost_at(curves[OURS], theirs), _lost_at(curves[name], theirs)
            rows.append(
                {
                    "task": task,
                    "seed": seed,
                    "against": name,
                    "fill rate": wanted,
                    "stock ours": ours,
                    "stock theirs": theirs,
                    "less stock": 1 - ours / theirs,
                    "fewer lost": 1 - lost / lost_there if lost and lost_there else None,
                    "stock foresight": perfect,
                    "closed": (theirs - ours) / (theirs - perfect),
                }
            )
    return rows


def _stock_at(results: list[SimulationResult], wanted: float) -> float | None:
    fills = np.array([one.fill_rate for one in results])
    return stock_at_fill_rate(fills, np.array([one.total_stock_value for one in results]), wanted)


def _lost_at(results: list[SimulationResult], stock: float) -> float | None:
    """Return the units lost by a policy that holds a stock value, between its runs."""
    values = np.array([one.total_stock_value for one in results])
    lost = np.array([one.lost_units for one in results])
    order = np.argsort(values)
    if not values[order[0]] <= stock <= values[order[-1]]:
        return None
    return float(np.interp(stock, values[order], lost[order]))


def report(task: str, rows: list[dict[str, Any]], n_series: int) -> None:
    """Print and keep the table: means over seeds, and the range of what is saved."""
    table = pd.DataFrame(rows)
    grouped = table.groupby(["against", "fill rate"])
    numbers = [
        "stock ours",
        "stock theirs",
        "stock foresight",
        "less stock",
        "fewer lost",
        "closed",
    ]
    shown = grouped[numbers].mean()
    shown["range of less stock"] = grouped["less stock"].max() - grouped["less stock"].min()
    seeds = sorted(int(seed) for seed in table.seed.unique())
    text = f"{task}: {n_series} series, {DAYS[task]} days, seeds {seeds}\n"
    text += shown.reset_index().to_string(index=False, float_format=lambda v: f"{v:,.3f}")
    print(text)
    (RESULTS / f"decisions_{task}.txt").write_text(text + "\n")
    (RESULTS / f"decisions_{task}.json").write_text(json.dumps(rows, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Replay of real demand under several policies.")
    parser.add_argument("--task", action="append", choices=sorted(DAYS))
    parser.add_argument("--seeds", default="0", help="separated by commas")
    parser.add_argument("--series", type=int, help="a random sample of so many series")
    parser.add_argument("--cache", type=Path, help="folder that keeps the forecasts")
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for task in options.task or sorted(DAYS):
        known = forecasts_of(task, DAYS[task], options.cache)
        rows: list[dict[str, Any]] = []
        for number, seed in enumerate(int(one) for one in options.seeds.split(",")):
            world, ids, lead, _ = build_world(task, DAYS[task], seed, options.series)
            print(f"{task}, seed {seed}: {world.n_series} series, {DAYS[task]} days", flush=True)
            curves = run_curves(world, lead, forecaster(world, ids, known))
            rows += compare(task, seed, curves)
            if number == 0:
                picture = draw_curves(curves, OURS, f"{task}: fill rate against stock")
                (RESULTS / f"decisions_{task}.svg").write_text(picture)
            report(task, rows, world.n_series)


if __name__ == "__main__":
    main()
