"""A small world for the tests of forecasting: a warehouse, products, demand, a supplier, stock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.utils import timezone

from forecasting.models import ForecastRun, RiskWarning, SeriesForecast
from forecasting.pipeline.series import QUANTILES
from forecasting.queries.series import business_today
from inventory.models import (
    Category,
    Channel,
    DailyDemand,
    Product,
    StockPolicy,
    Supplier,
    SupplierItem,
    Warehouse,
)
from inventory.services.opening_stock import OpeningLine, post_opening_stock
from inventory.services.places import create_warehouse
from tenancy.models import Job
from tenancy.services.jobs import run_job_here
from tests.cast import House

DAYS = 140


@dataclass
class World:
    """What was built, for tests to point at."""

    warehouse: Warehouse
    products: list[Product]
    supplier: Supplier
    items: list[SupplierItem]
    last_day: date


def build_world(*, products: int = 6, days: int = DAYS, mean: float = 6.0) -> World:
    """Build products that sell every day about `mean` units, up to yesterday."""
    warehouse = create_warehouse(code="W1", name="Main", country="DE")
    category = Category.objects.create(name="Tools")
    rows = [
        Product(
            sku=f"P-{number:03d}",
            name=f"Product {number}",
            category=category,
            unit_cost=Decimal(4),
            unit_price=Decimal(10),
        )
        for number in range(1, products + 1)
    ]
    Product.objects.bulk_create(rows)
    last = business_today() - timedelta(days=1)
    sell(rows, warehouse, days=days, mean=mean, last=last)
    supplier = Supplier.objects.create(code="S1", name="Supplier One", lead_time_days=5)
    items = [
        SupplierItem(supplier=supplier, product=row, price=Decimal(4), is_preferred=True)
        for row in rows
    ]
    SupplierItem.objects.bulk_create(items)
    StockPolicy.objects.create(review_period_days=7, cycle_service_level=Decimal("0.95"))
    return World(warehouse, rows, supplier, items, last)


def sell(
    products: list[Product],
    warehouse: Warehouse,
    *,
    days: int,
    mean: float,
    last: date,
    channel: Channel | None = None,
) -> None:
    """Record Poisson demand for each product and day, the same in every run."""
    rng = np.random.default_rng(7)
    rows = []
    for product in products:
        for back in range(days):
            day = last - timedelta(days=back)
            lift = 1.5 if day.weekday() == 5 else 1.0
            quantity = int(rng.poisson(mean * lift))
            if quantity or back in (0, days - 1):
                rows.append(
                    DailyDemand(
                        product=product,
                        warehouse=warehouse,
                        channel=channel,
                        business_day=day,
                        quantity=Decimal(max(quantity, 1)),
                    )
                )
    DailyDemand.objects.bulk_create(rows)


def stock(world: World, quantities: dict[str, int]) -> None:
    """Put opening stock into storage, by SKU."""
    by_sku = {product.sku: product for product in world.products}
    post_opening_stock(
        warehouse_id=world.warehouse.pk,
        lines=[
            OpeningLine(product_id=by_sku[sku].pk, quantity=Decimal(quantity))
            for sku, quantity in quantities.items()
        ],
    )


def flat_forecast(world: World, per_day: float, *, origin: date | None = None) -> ForecastRun:
    """Store a forecast that says the same for every product and day, with no doubt at all."""
    run = ForecastRun.objects.create(
        origin=origin or world.last_day,
        horizon_days=28,
        quantiles=[round(float(level), 4) for level in QUANTILES],
        series_count=len(world.products),
        methods={"flat": len(world.products)},
    )
    SeriesForecast.objects.bulk_create(
        SeriesForecast(
            run=run,
            product=product,
            warehouse=world.warehouse,
            mean=[per_day] * 28,
            quantile_values=[per_day] * 28 * len(QUANTILES),
            method="flat",
            reason="contest",
            demand_class="smooth",
            total_mean=per_day * 28,
        )
        for product in world.products
    )
    return run


def warn(run: ForecastRun, world: World, kind: str, days_ago: int, **fields: Any) -> None:
    """Store a warning that was first given so many days ago, of the first product by default."""
    row = RiskWarning.objects.create(
        run=run,
        kind=kind,
        warehouse=world.warehouse,
        **{"product": world.products[0], "evidence": {}, **fields},
    )
    seen = timezone.now() - timedelta(days=days_ago)
    RiskWarning.objects.filter(pk=row.pk).update(first_seen_at=seen)


def world_with_a_run(house: House) -> World:
    """Return three products with a forecast run, for rows that point at it."""
    with house.scope():
        world = build_world(products=3, days=20)
        flat_forecast(world, 1.0)
    return world


def train(house: House) -> Job:
    """Train a network in a second, as a job."""
    return run_job_here(tenant=house.tenant, kind="train_network", payload={"budget_seconds": 1})
