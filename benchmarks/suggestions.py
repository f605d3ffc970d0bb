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
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np

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
        figures = {"small": small, "large": measure("large", options.pairs, options.days)}
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


def build(pairs: int, days: int) -> None:
    """Create the catalogue, demand, stock, offers and a forecast of the active tenant."""
    from forecasting.models import ForecastRun, SeriesForecast
    from forecasting.pipeline.series import QUANTILES
    from forecasting.queries.series import business_today
    from inventory.models import DailyDemand, Product, StockBalance, Supplier, SupplierItem
    from inventory.services.places import create_warehouse

    rng = np.random.default_rng(7)
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
    levels = rng.gamma(1.0, 2.0, size=pairs) + 0.05
    own = [(product, place) for product in products for place in places]
    last = business_today() - timedelta(days=1)
    sold = rng.poisson(levels[:, None], size=(pairs, days))
    for start in range(0, pairs, 1000):
        DailyDemand.objects.bulk_create(
            [
                DailyDemand(
                    product=own[k][0],
                    warehouse=own[k][1],
                    business_day=last - timedelta(days=back),
                    quantity=Decimal(int(sold[k, back])),
                )
                for k in range(start, min(start + 1000, pairs))
                for back in range(0, days, 3)
            ],
            batch_size=5000,
        )
    storage = [place.locations.get(kind="storage") for place in places]
    StockBalance.objects.bulk_create(
        [
            StockBalance(
                product=product,
                location=storage[k % 2],
                on_hand=Decimal(int(rng.poisson(levels[k] * 15)) + 1),
            )
            for k, (product, _place) in enumerate(own)
        ],
        batch_size=2000,
    )
    run = ForecastRun.objects.create(
        origin=last, horizon_days=HORIZON_DAYS, series_count=pairs, methods={"poisson": pairs},
        quantiles=[round(float(level), 4) for level in QUANTILES],
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
            for k, (product, place) in enumerate(own)
        ],
        batch_size=1000,
    )


if __name__ == "__main__":
    main()
