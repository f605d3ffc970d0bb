"""Replay of real demand under our reorder policy, the textbook's, min-max and perfect foresight.

    python -m benchmarks.decisions [--task m5|online_retail] [--days 364] [--seed 0]
                                   [--series N] [--forecast BASELINE ...] [--out FILE]

Demand: the shared series beside the checkout (../shared/data). Lead times: drawn from the days
between order and delivery of the shared SCMS deliveries, divided by 9: every item is given a vendor
with 30 or more deliveries, every order one of that vendor's lead times, independently.
Review once a week, no minimum order. Unit cost = 0.7 of the price, lost margin 0.3 of it. Policies
see demand up to the evening of the review, open orders, and the same lead-time distribution; none
has seen a lead time before the goods are there. Stock is the mean value in the evening; the first
70 days are not counted. Fill rate is the share of units sold; "margin" rows are also compared at
equal share of margin, so that serving cheap goods well does not count for more than it earns.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from forecasting.decisions.demand_paths import DemandForecast, demand_forecast, level_correlation
from forecasting.decisions.lead_time_demand import IntervalDemand
from forecasting.decisions.lead_times import LeadTimes, lead_times_from_observations
from forecasting.decisions.policies import (
    ForecastLevels,
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
from forecasting.pipeline.baselines import BASELINES

SHARED = Path(__file__).resolve().parents[2] / "shared"
LEAD_TIME_SCALE = 9.0
HORIZON_DAYS = 28
HISTORY_DAYS = 730
WARM_UP_DAYS = 70
SERVICE_LEVELS = (0.5, 0.6, 0.7, 0.8, 0.86, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
FILL_RATES = (0.85, 0.90, 0.93, 0.95, 0.97)
FORECAST = ("exponential_smoothing", "empirical_quantiles")
"""What ours forecasts with: the mean of these baselines."""
RATIOS = (0.65, 0.8, 0.9, 0.96, 0.99)
PRIORITIES = (1.5, 3.0, 6.0, 14.0, 60.0)
"""Worth of a unit not lost, in mean unit costs held for a review period."""


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


def vendor_lead_times() -> list[np.ndarray]:
    """Return the scaled lead times of every vendor with at least 30 deliveries of known length."""
    lines = pd.read_csv(
        SHARED / "data" / "scms_deliveries" / "deliveries.csv.gz",
        parse_dates=["order_date", "delivered"],
    )
    lines["days"] = (lines.delivered - lines.order_date).dt.days
    known = lines[lines.days >= 0]
    scaled = [
        np.rint(days.to_numpy() / LEAD_TIME_SCALE).astype(int)
        for _, days in known.groupby("vendor").days
    ]
    return [days for days in scaled if len(days) >= 30]


def build_world(
    task: str, days: int, seed: int, most: int | None = None
) -> tuple[World, LeadTimes]:
    """Return the world of a task and the lead-time distribution that policies may know.

    most: a random sample of that many series, all where None.
    """
    table, prices = load_demand(task)
    first_day = table.shape[1] - days
    demand = table.to_numpy(float)
    usable = np.isfinite(demand[:, max(first_day - 120, 0) :]).all(axis=1)
    demand, price = demand[usable], prices.to_numpy(float)[usable]
    generator = np.random.default_rng(seed)
    if most is not None and most < len(demand):
        kept = np.sort(generator.choice(len(demand), most, replace=False))
        demand, price = demand[kept], price[kept]
    vendors = vendor_lead_times()
    of_vendor = generator.integers(len(vendors), size=len(demand))
    lead = np.stack([generator.choice(vendors[v], size=demand.shape[1]) for v in of_vendor])
    known = lead_times_from_observations(
        [days.tolist() for days in vendors], [None] * len(vendors), prior_weight=1e-9
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
        review_period_days=7,
        first_day=first_day,
        warm_up_days=WARM_UP_DAYS,
    )
    return world, known


def forecaster(world: World, methods: tuple[str, ...]) -> Callable[[int], DemandForecast]:
    """Return what forecasts from a day, the mean of some baselines; each day is made once."""
    history = world.demand[:, : world.first_day]
    correlation = level_correlation(history, np.isfinite(history))

    @cache
    def forecast_at(day: int) -> DemandForecast:
        known = world.demand[:, max(day + 1 - HISTORY_DAYS, 0) : day + 1]
        made = [BASELINES[one](known, np.isfinite(known), HORIZON_DAYS) for one in methods]
        mean = np.mean([one.mean for one in made], axis=0)
        return demand_forecast(mean, np.mean([one.quantiles for one in made], axis=0), correlation)

    return forecast_at


def run_curves(
    world: World, lead: LeadTimes, methods: tuple[str, ...]
) -> dict[str, list[SimulationResult]]:
    """Return every policy's results over its range of settings."""
    curves: dict[str, list[SimulationResult]] = {}

    def run(name: str, policies: list[Policy]) -> None:
        started = time.perf_counter()
        curves[name] = [simulate(world, one) for one in policies]
        print(f"{name}: {time.perf_counter() - started:.1f} s", flush=True)

    made = forecaster(world, methods)
    relative_cost = world.unit_cost / world.unit_cost.mean()
    run("ours, for units", [
        ProjectedNeedPolicy(made, lead, one / (one + relative_cost)) for one in PRIORITIES
    ])  # fmt: skip
    run("ours, for margin", [ProjectedNeedPolicy(made, lead, ratio) for ratio in RATIOS])
    known: dict[int, IntervalDemand] = {}
    run(
        "quantile of position",
        [ForecastLevels(made, lead, level, known) for level in SERVICE_LEVELS],
    )
    for window in (28, 91, 364):
        run(
            f"textbook, {window} days",
            [TextbookLevels(lead, level, window) for level in SERVICE_LEVELS],
        )
    run("min-max", [MinMaxLevels(d, d + 7) for d in (14, 18, 22, 26, 32, 40, 50, 65)])
    run("perfect foresight", [PerfectForesight()])
    return curves


def compare(curves: dict[str, list[SimulationResult]], world: World) -> list[dict[str, object]]:
    """Return stock value of each policy at each fill rate, by units and by margin."""
    rows = []
    for name, results in curves.items():
        stocks = np.array([one.total_stock_value for one in results])
        for measure, fills in (
            ("units", [one.fill_rate for one in results]),
            ("margin", [margin_fill_rate(one, world) for one in results]),
        ):
            row: dict[str, object] = {"policy": name, "fill by": measure}
            for wanted in FILL_RATES:
                stock = stock_at_fill_rate(np.array(fills), stocks, wanted)
                row[f"{wanted:.0%}"] = stock
            rows.append(row)
    return sorted(rows, key=lambda row: str(row["fill by"]), reverse=True)


def margin_fill_rate(result: SimulationResult, world: World) -> float:
    """Return the share of margin that was earned."""
    asked = float((result.demanded * world.unit_margin).sum())
    return 1 - float(result.lost_margin.sum()) / asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--task", default="m5", choices=["m5", "online_retail"])
    parser.add_argument("--days", type=int, default=364)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--forecast", nargs="+", default=FORECAST, choices=sorted(BASELINES))
    parser.add_argument("--series", type=int, help="a random sample of so many series")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    world, lead = build_world(arguments.task, arguments.days, arguments.seed, arguments.series)
    print(f"{arguments.task}: {world.n_series} series, {arguments.days} days")
    curves = run_curves(world, lead, tuple(arguments.forecast))
    rows = compare(curves, world)
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda v: f"{v:,.0f}"))
    best = curves["perfect foresight"][0]
    print(f"perfect foresight: fill {best.fill_rate:.4f}, stock {best.total_stock_value:,.0f}")
    if arguments.out:
        points = {
            name: [
                {
                    "fill_rate": one.fill_rate,
                    "stock_value": one.total_stock_value,
                    "lost_margin": float(one.lost_margin.sum()),
                    "orders": int(one.orders.sum()),
                }
                for one in results
            ]
            for name, results in curves.items()
        }
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps({"table": rows, "points": points}, indent=1))


if __name__ == "__main__":
    main()
