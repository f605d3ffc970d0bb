"""How the engine carries a large tenant: memory and CPU of a large panel, and a stored forecast.

    python -m benchmarks.scale [--part panel] [--part stored] [--series 30000] [--days 1900]
        [--seconds 120] [--stored-series 10000]

`panel`: trains (within a budget of CPU seconds), holds the contest and forecasts a simulated panel
in a process of its own. Memory is read from /proc: `anonymous` cannot be taken back by the system,
`mapped` are pages of files (arrays on disk, libraries) that it can; the peak of both together
is what tools call resident memory.

`stored`: the job `make_forecasts` of a simulated tenant on a throwaway PostgreSQL, with networks
that serve in a blend: demand read, forecasts of 28 days and 19 quantiles computed, totals of groups
drawn, everything stored under row level security. CPU seconds are of the job's process, database
seconds those it waited for PostgreSQL. Wall seconds mean something only where the load average
beside them is low: with more at work than the machine has cores, everything waits.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from forecasting.pipeline.series import SeriesPanel, Signal

RESULTS = Path(__file__).resolve().parent / "results" / "scale.json"
HORIZON = 28
FIRST_DAY = date(2021, 1, 4)
SALES_DAYS = 400


def main() -> None:
    """Run the parts asked for and write their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=("panel", "stored"))
    parser.add_argument("--series", type=int, default=30_000)
    parser.add_argument("--days", type=int, default=1900)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--stored-series", type=int, default=10_000)
    parser.add_argument("--here", action="store_true", help="measure the panel in this process")
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measure_panel(options.series, options.days, options.seconds)))
        return
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for part in options.part or ("panel", "stored"):
        if part == "panel":
            found[part] = panel_in_own_process(options)
        else:
            found[part] = measure_stored(options.stored_series)
        print(part, json.dumps(found[part], indent=1))
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def panel_in_own_process(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the panel where nothing else has taken memory before."""
    command = [sys.executable, "-m", "benchmarks.scale", "--here"]
    command += ["--series", str(options.series), "--days", str(options.days)]
    command += ["--seconds", str(options.seconds)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# -- a large panel --------------------------------------------------------------------------------
def simulated_panel(n_series: int, n_days: int, seed: int = 0) -> SeriesPanel:
    """Slow and fast movers with a week, a year, promotions for all and a price for each."""
    from forecasting.pipeline.arrays import new_array, row_chunks

    rng = np.random.default_rng(seed)
    days = np.arange(n_days + HORIZON)
    promotion = (days % 45 < 4).astype(np.float32)
    shape = (1 + 0.4 * np.sin(2 * np.pi * days / 7)) * (1 + 0.3 * np.sin(2 * np.pi * days / 364))
    demand = new_array((n_series, n_days), np.float32)
    observed = new_array((n_series, n_days), np.bool_)
    price = new_array((n_series, n_days + HORIZON), np.float32)
    for rows in row_chunks(n_series, n_days):
        count = rows.stop - rows.start
        level = np.exp(rng.normal(-0.3, 1.2, (count, 1)))
        steps = 1 - 0.2 * (rng.random((count, len(days) // 28 + 1)) < 0.15)
        price[rows] = 5 * np.repeat(steps, 28, axis=1)[:, : len(days)]
        mean = level * shape * (1 + 0.8 * promotion) * (price[rows] / 5) ** -2
        units = rng.poisson(mean[:, :n_days]).astype(np.float32)
        units[np.arange(n_days) < rng.integers(0, n_days * 2 // 3, count)[:, None]] = np.nan
        demand[rows] = units
        observed[rows] = np.isfinite(units) & (rng.random(units.shape) > 0.02)
    return SeriesPanel(
        series_ids=tuple(str(row) for row in range(n_series)),
        first_day=FIRST_DAY,
        demand=demand,
        observed=observed,
        categories={"category": np.array([f"C{row % 40}" for row in range(n_series)])},
        signals=(
            Signal("promotion", promotion, known_ahead=True, kind="flag"),
            Signal("price", price, known_ahead=True),
        ),
    )


def measure_panel(n_series: int, n_days: int, seconds: float) -> dict[str, Any]:
    """Train and forecast; return memory and seconds of each step."""
    from forecasting.pipeline.arrays import mapping_to
    from forecasting.pipeline.engine import EngineConfig, fit

    steps: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, mapping_to(Path(name)):
        with watched(steps, "read"):
            panel = simulated_panel(n_series, n_days)
        with watched(steps, "train"):
            fitted = fit(panel, panel.last_day, EngineConfig(budget_seconds=seconds))
        with watched(steps, "forecast"):
            forecast = fitted.forecast(panel, panel.last_day, HORIZON)
    methods, counts = np.unique(forecast.method, return_counts=True)
    return {
        "data": "simulated",
        "series": n_series,
        "days": n_days,
        "budget_seconds": seconds,
        "panel_mb": (panel.demand.nbytes * 2 + panel.observed.nbytes) >> 20,
        "steps": steps,
        "peak_anonymous_mb": max(step["anonymous_mb"] for step in steps.values()),
        "peak_resident_mb": max(step["resident_mb"] for step in steps.values()),
        "finite": bool(np.isfinite(forecast.quantiles).all()),
        "load_average": round(os.getloadavg()[0], 1),
        "served_by": dict(zip(methods.tolist(), counts.tolist(), strict=True)),
    }


@contextmanager
def watched(steps: dict[str, Any], name: str) -> Iterator[None]:
    """Note seconds and peak memory of a step."""
    ended = threading.Event()
    peak = {"anonymous_mb": 0, "mapped_mb": 0, "resident_mb": 0}

    def look() -> None:
        while not ended.wait(0.02):
            anonymous, mapped = memory_mb()
            now = {"anonymous_mb": anonymous, "mapped_mb": mapped}
            now["resident_mb"] = anonymous + mapped
            for key, value in now.items():
                peak[key] = max(peak[key], value)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        ended.set()
        thread.join()
    steps[name] = {"cpu_seconds": round(cpu, 1), "wall_seconds": round(wall, 1), **peak}


def memory_mb() -> tuple[int, int]:
    """Return this process's resident memory: anonymous, and mapped from files or shared."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {
        line.partition(":")[0]: int(line.split()[1]) >> 10 for line in lines if line[:3] == "Rss"
    }
    return found["RssAnon"], found["RssFile"] + found["RssShmem"]


# -- a stored forecast ----------------------------------------------------------------------------
PRODUCTS = """
    INSERT INTO inventory_product (tenant_id, sku, name, description, category_id, base_unit,
        whole_units, lot_tracking, unit_cost, attributes, is_active, version, created_at)
    SELECT %(tenant)s, 'P' || lpad(n::text, 6, '0'), 'Product ' || n, '',
        (%(categories)s::bigint[])[1 + n %% cardinality(%(categories)s)], 'pcs', true, 'none',
        round((exp(random() * 5) / 4)::numeric, 2), '{}', true, 1, now()
    FROM generate_series(1, %(products)s) AS n
"""
DEMAND = """
    INSERT INTO inventory_dailydemand (tenant_id, product_id, warehouse_id, business_day, quantity,
        revenue, order_lines)
    SELECT %(tenant)s, p.id, %(warehouse)s, current_date - age, 1 + (random() * 6)::int, 0, 1
    FROM inventory_product p CROSS JOIN generate_series(1, %(days)s) AS age
    WHERE p.tenant_id = %(tenant)s AND random() + 0 * age < 0.15 + 0.5 * (p.id %% 7) / 7
"""


def measure_stored(products: int) -> dict[str, Any]:
    """Run the job that forecasts and stores; return its seconds and statements."""
    from tests import engines

    engines.point_environment_here()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    engines.start()
    try:
        import django

        django.setup()
        engines.create_database()
        return forecast_tenant(products)
    finally:
        engines.finish()


def forecast_tenant(products: int) -> dict[str, Any]:
    """Fill a tenant, let networks serve it, and forecast twice: the second run is measured."""
    from django.db import connection

    from forecasting.models import ForecastRun, SeriesForecast
    from tenancy.models import Tenant
    from tenancy.scope import Actor, tenant_scope
    from tenancy.services.jobs import run_job_here

    tenant = Tenant.objects.create(slug="bench", name="Bench", time_zone="Europe/Berlin")
    actor = Actor.system("benchmark")
    with tenant_scope(tenant, actor=actor):
        rows = fill(products)
    gather_statistics()
    with tenant_scope(tenant, actor=actor):
        publish_network(tenant)
    figures: dict[str, Any] = {}
    for _round in range(2):
        statements, waited = 0, 0.0

        def count(execute: Any, *arguments: Any) -> Any:
            nonlocal statements, waited
            began = time.perf_counter()
            try:
                return execute(*arguments)
            finally:
                statements += 1
                waited += time.perf_counter() - began

        steps: dict[str, Any] = {}
        with connection.execute_wrapper(count), watched(steps, "job"):
            job = run_job_here(tenant=tenant, kind="make_forecasts", payload={})
        figures = {
            **steps["job"], "statements": statements, "database_seconds": round(waited, 1),
            "state": job.state, "methods": (job.result or {}).get("methods"),
        }  # fmt: skip
    with tenant_scope(tenant, actor=actor):
        newest = ForecastRun.objects.order_by("-id")[0]
        stored = SeriesForecast.objects.filter(run=newest).count()
    return {
        "data": "simulated", "demand_rows": rows, "series_stored": stored, **figures,
        "load_average": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def fill(products: int) -> int:
    """Give the active tenant products and their daily demand; return the rows of demand."""
    from django.db import connection

    from inventory.models import Category
    from inventory.services.places import create_warehouse
    from tenancy.scope import active_tenant_id

    warehouse = create_warehouse(code="W1", name="Main")
    names = [Category(name=f"Category {number:02}") for number in range(24)]
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "products": products,
        "categories": [category.pk for category in Category.objects.bulk_create(names)],
        "warehouse": warehouse.pk,
        "days": SALES_DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(PRODUCTS, arguments)
        cursor.execute(DEMAND, arguments)
        return int(cursor.rowcount)


def publish_network(tenant: Any) -> None:
    """Train briefly on some series, and let both networks and a rule serve every class together."""
    from forecasting.models import NetworkState, TrainedNetwork
    from forecasting.pipeline.contest import ALL_CLASSES, Blend, ContestResult
    from forecasting.pipeline.engine import EngineConfig, fit
    from forecasting.pipeline.series import Reason
    from forecasting.queries.series import load_panel
    from forecasting.services import artefacts

    demand = load_panel()
    assert demand is not None
    config = EngineConfig(contest=False, budget_seconds=10)
    fitted = fit(demand.panel.select(np.arange(500)), demand.origin, config)
    blend = Blend(
        (*config.networks, "empirical_weekday"), (0.5, 0.25, 0.25), Reason.CONTEST
    )  # fmt: skip
    data = replace(fitted, contest=ContestResult({ALL_CLASSES: blend}, ())).to_bytes()
    TrainedNetwork.objects.create(
        number=1,
        state=NetworkState.PUBLISHED,
        origin=demand.origin,
        config=fitted.config.to_json(),
        series_count=demand.panel.n_series,
        artefact_path=artefacts.write_artefact(tenant, 0, data),
        artefact_sha256=artefacts.sha256(data),
        artefact_bytes=len(data),
        league={},
    )


def gather_statistics() -> None:
    """Let the planner know the tables, as autovacuum would a little later."""
    import psycopg

    from tests import engines

    address = engines.superuser_url(engines.database_name())
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
