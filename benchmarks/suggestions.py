"""All suggestions of a tenant of 20,000 product x warehouse pairs: seconds, memory, statements.

    python -m benchmarks.suggestions [--pairs 20000] [--days 60]

Products in two warehouses with demand, stock, two suppliers each and a stored forecast; the job
that makes suggestions runs whole, as the application role under row level security. Statements are
those of the reading and deciding half, beside those of a twentieth of the pairs: they must be as
many. Memory is the peak of the process, the making of the data included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from forecasting.pipeline.series import FloatArray
    from inventory.models import Product, Supplier, Warehouse

HORIZON_DAYS = 28


def main() -> None:
    """Run the benchmark in a throwaway database and keep the figures."""
    parser = argparse.ArgumentParser(description="Suggestions of a large tenant.")
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=60)
    options = parser.parse_args()
    from tests import engines

    engines.point_environment_here()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    engines.start()
    try:
        import django

        django.setup()
        engines.create_database()
        small = measure("small", options.pairs // 20, options.days)
        figures: dict[str, Any] = {
            "small": small,
            "large": measure("large", options.pairs, options.days),
        }
    finally:
        engines.finish()
    figures["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    text = json.dumps(figures, indent=1)
    print(text)
    from benchmarks.forecast import RESULTS

    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "suggestions.json").write_text(text + "\n")


def measure(slug: str, pairs: int, days: int) -> dict[str, Any]:
    """Return seconds and statements of one tenant's suggestions."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from forecasting.queries.forecasts import latest_run
    from forecasting.queries.planning import read_world
    from forecasting.services.replenishment import decide_all
    from tenancy.models import Tenant
    from tenancy.scope import Actor, tenant_scope
    from tenancy.services.jobs import run_job_here

    tenant = Tenant.objects.create(slug=slug, name=slug, time_zone="Europe/Berlin", currency="EUR")
    with tenant_scope(tenant, actor=Actor.system("benchmark")):
        build(pairs, days)
    started, worked = time.perf_counter(), time.process_time()
    job = run_job_here(tenant=tenant, kind="make_suggestions", payload={})
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    with (
        tenant_scope(tenant, actor=Actor.system("benchmark")),
        CaptureQueriesContext(connection) as seen,
    ):
        run = latest_run()
        world = None if run is None else read_world(run)
        decided = decide_all(world) if world else []
    return {
        "pairs": len(decided),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "suggestions": (job.result or {}).get("suggestions_new"),
        "statements to read and decide": len(seen.captured_queries),
    }


@dataclass(frozen=True)
class Market:
    """What is sold where, by which supplier, and how much of it a day on average."""

    pairs: list[tuple[Product, Warehouse]]
    suppliers: list[Supplier]
    levels: FloatArray
    last_day: date


def build(pairs: int, days: int) -> None:
    """Create the catalogue, demand, stock, offers and a forecast of the active tenant."""
    rng = np.random.default_rng(7)
    market = build_market(pairs, rng)
    build_demand(market, days, rng)
    build_stock(market, rng)
    build_forecast(market, rng)


def build_market(pairs: int, rng: np.random.Generator) -> Market:
    """Create two warehouses, products, and two offers for each of them."""
    from forecasting.queries.series import business_today
    from inventory.models import Product, Supplier, SupplierItem
    from inventory.services.places import create_warehouse

    places = [create_warehouse(code=code, name=code, country="DE") for code in ("A", "B")]
    products = Product.objects.bulk_create(
        [
            Product(sku=f"P{n:05}", name=f"P{n}", unit_cost=Decimal(4), unit_price=Decimal(10))
            for n in range(pairs // 2)
        ],
        batch_size=2000,
    )
    suppliers = [
        Supplier.objects.create(code=f"S{n}", name=f"S{n}", lead_time_days=5 + 3 * n)
        for n in range(20)
    ]
    SupplierItem.objects.bulk_create(
        [
            SupplierItem(supplier=suppliers[(n + k) % 20], product=product, price=Decimal(4 + k))
            for n, product in enumerate(products)
            for k in (0, 1)
        ],
        batch_size=2000,
    )
    return Market(
        [(product, place) for product in products for place in places],
        suppliers,
        rng.gamma(1.0, 2.0, size=pairs) + 0.05,
        business_today() - timedelta(days=1),
    )


def build_demand(market: Market, days: int, rng: np.random.Generator) -> None:
    """Record demand of every third day."""
    from inventory.models import DailyDemand

    sold = rng.poisson(market.levels[:, None], size=(len(market.pairs), days))
    for start in range(0, len(market.pairs), 1000):
        DailyDemand.objects.bulk_create(
            [
                DailyDemand(
                    product=product,
                    warehouse=place,
                    business_day=market.last_day - timedelta(days=back),
                    quantity=Decimal(int(sold[start + k, back])),
                )
                for k, (product, place) in enumerate(market.pairs[start : start + 1000])
                for back in range(0, days, 3)
            ],
            batch_size=5000,
        )


def build_stock(market: Market, rng: np.random.Generator) -> None:
    """Put about 15 days of demand into storage."""
    from inventory.models import StockBalance

    storage = {place.pk: place.locations.get(kind="storage") for _, place in market.pairs[:2]}
    StockBalance.objects.bulk_create(
        [
            StockBalance(
                product=product,
                location=storage[place.pk],
                on_hand=Decimal(int(rng.poisson(level * 15)) + 1),
            )
            for (product, place), level in zip(market.pairs, market.levels, strict=True)
        ],
        batch_size=2000,
    )


def build_forecast(market: Market, rng: np.random.Generator) -> None:
    """Store a forecast of four weeks for every pair."""
    from forecasting.models import ForecastRun, SeriesForecast
    from forecasting.pipeline.series import QUANTILES

    pairs, levels = len(market.pairs), market.levels
    run = ForecastRun.objects.create(
        origin=market.last_day, horizon_days=HORIZON_DAYS, series_count=pairs,
        methods={"poisson": pairs}, quantiles=[round(float(level), 4) for level in QUANTILES],
    )  # fmt: skip
    spread = np.sort(rng.poisson(levels[:, None], size=(pairs, len(QUANTILES))), axis=1)
    SeriesForecast.objects.bulk_create(
        [
            SeriesForecast(
                run=run,
                product=product,
                warehouse=place,
                mean=[float(levels[k])] * HORIZON_DAYS,
                quantile_values=[float(v) for v in spread[k]] * HORIZON_DAYS,
                method="poisson",
                reason="contest",
                demand_class="smooth",
                total_mean=float(levels[k]) * HORIZON_DAYS,
            )
            for k, (product, place) in enumerate(market.pairs)
        ],
        batch_size=1000,
    )


if __name__ == "__main__":
    main()
