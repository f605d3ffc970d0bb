"""How long a wave takes to be promised its stock: order lines against locations, in set-based SQL.

    python -m benchmarks.allocation [--lines 1000] [--locations 10000] [--rounds 5] [--out FILE]

Every location holds one product, of which half are in lots with an expiry; a wave is order lines of
four to an order, a tenth of them of one hot product. Each round allocates a fresh wave through the
service, as the application role under row level security, and takes it back. The statements of a
wave of ten lines are counted beside it: they must be as many.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

LINES_OF_AN_ORDER = 4
PRODUCTS = 250


def main() -> None:
    """Run the benchmark in a throwaway database and print or write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--locations", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    from tests import engines

    engines.point_environment_here()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    engines.start()
    try:
        import django

        django.setup()
        engines.create_database()
        figures = measure(options.lines, options.locations, options.rounds)
    finally:
        engines.finish()
    text = json.dumps(figures, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


def measure(lines: int, locations: int, rounds: int) -> dict[str, Any]:
    """Return times and statement counts of whole waves, with and without rules of channels."""
    bench = Bench(locations)
    figures: dict[str, Any] = {"lines": lines, "locations": locations, "products": PRODUCTS}
    for name, ruled in (("free for all", False), ("with stock kept for channels", True)):
        bench.keep_for_channels(ruled=ruled)
        bench.allocate(lines)  # warm
        seconds, allocations = [], 0
        for _round in range(rounds):
            took, allocations, _statements = bench.allocate(lines)
            seconds.append(took)
        figures[name] = {
            "seconds": round(statistics.median(seconds), 3),
            "slowest_seconds": round(max(seconds), 3),
            "lines_per_second": round(lines / statistics.median(seconds)),
            "allocations": allocations,
            "statements": bench.allocate(lines)[2],
            "statements of ten lines": bench.allocate(10)[2],
        }
    return figures


class Bench:
    """A tenant with a warehouse full of stock."""

    def __init__(self, locations: int) -> None:
        from inventory.models import Channel, Location, Lot, Product, StockBalance
        from inventory.services.places import create_warehouse
        from tenancy.models import Tenant
        from tenancy.scope import Actor, tenant_scope

        self.random = random.Random(7)
        self.actor = Actor.system("benchmark")
        self.tenant = Tenant.objects.create(slug="bench", name="Bench", time_zone="Europe/Berlin")
        with tenant_scope(self.tenant, actor=self.actor):
            self.warehouse = create_warehouse(code="A", name="A")
            channels = [Channel(code=code, name=code) for code in ("WEB", "STORE")]
            self.channels = Channel.objects.bulk_create(channels)
            rows = [
                Product(sku=f"P{n:04}", name=f"P{n}", lot_tracking="lot" if n % 2 else "none")
                for n in range(PRODUCTS)
            ]
            self.products = Product.objects.bulk_create(rows)
            places = Location.objects.bulk_create(
                Location(warehouse=self.warehouse, code=f"L{n:05}", kind="storage", walking_order=n)
                for n in range(locations)
            )
            soon = date(2030, 1, 1)
            lots = Lot.objects.bulk_create(
                Lot(
                    product=product,
                    code=f"{n}",
                    expires_on=soon + timedelta(days=self.random.randrange(90)),
                )
                for product in self.products[1::2]
                for n in range(8)
            )
            of_product: dict[int, list[Any]] = {}
            for lot in lots:
                of_product.setdefault(lot.product_id, []).append(lot)
            StockBalance.objects.bulk_create(
                StockBalance(
                    product=product,
                    location=place,
                    lot=self.random.choice(of_product.get(product.pk, [None])),
                    on_hand=self.random.randint(1, 12),
                )
                for n, place in enumerate(places)
                for product in [self.products[n % PRODUCTS]]
            )
        self.analyze()

    def analyze(self) -> None:
        """Let the planner know the tables, as autovacuum does."""
        import psycopg

        from tests import engines

        url = engines.superuser_url(engines.database_name())
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("ANALYZE")

    def keep_for_channels(self, *, ruled: bool) -> None:
        """Keep some of every product for one channel and from the other, or nothing."""
        from inventory.models import ChannelStock
        from tenancy.scope import tenant_scope

        web, store = self.channels
        with tenant_scope(self.tenant, actor=self.actor):
            ChannelStock.objects.all().delete()
            if not ruled:
                return
            kept = ((store, 5, 0), (web, 0, 2))
            ChannelStock.objects.bulk_create(
                ChannelStock(
                    channel=channel,
                    product=product,
                    warehouse=self.warehouse,
                    ring_fenced=ring_fenced,
                    buffer=buffer,
                )
                for product in self.products
                for channel, ring_fenced, buffer in kept
            )

    def wave(self, lines: int) -> list[int]:
        """Write confirmed orders with so many lines; return their ids."""
        from inventory.models import SalesOrder, SalesOrderLine
        from inventory.services.numbers import take_numbers

        numbers = take_numbers("SO", -(-lines // LINES_OF_AN_ORDER))
        orders = SalesOrder.objects.bulk_create(
            SalesOrder(
                number=number,
                warehouse=self.warehouse,
                channel=self.random.choice(self.channels),
                state="confirmed",
                priority=self.random.randint(1, 9),
            )
            for number in numbers
        )
        SalesOrderLine.objects.bulk_create(
            SalesOrderLine(
                order=orders[n // LINES_OF_AN_ORDER],
                product=self.products[0] if n % 10 == 0 else self.random.choice(self.products),
                quantity=Decimal(self.random.randint(1, 15)),
            )
            for n in range(lines)
        )
        return [order.pk for order in orders]

    def allocate(self, lines: int) -> tuple[float, int, int]:
        """Allocate a fresh wave, committed; return seconds, allocations and statements."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from inventory.services.allocation import allocate_orders, release_allocations
        from tenancy.scope import tenant_scope

        with tenant_scope(self.tenant, actor=self.actor):
            orders = self.wave(lines)
        start = time.perf_counter()
        with (
            tenant_scope(self.tenant, actor=self.actor),
            CaptureQueriesContext(connection) as captured,
        ):
            made = allocate_orders(order_ids=orders)
        seconds = time.perf_counter() - start
        with tenant_scope(self.tenant, actor=self.actor):
            release_allocations(allocation_ids=made.allocation_ids)
        return seconds, len(made.allocation_ids), len(captured)


if __name__ == "__main__":
    main()
