"""The price of the ledger: postings through the service against the same SQL by bare psycopg.

    python -m benchmarks.ledger [--seconds 5] [--lines 500] [--out FILE]

Both run in the same run, on the same tables, as the application role, under row level security, one
committed transaction a posting: BEGIN, set the tenant, insert the movements, lock the values,
ensure, lock and change the balances, write entries and values, COMMIT. What the service adds is
Django, the checks of every line, the facts they need and the rule of valuation. Rates are medians
of rounds that alternate between the two. At last sixteen threads post one product at once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg


def main() -> None:
    """Run the benchmark in a throwaway database and print or write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each side, for the rate")
    parser.add_argument("--lines", type=int, default=500, help="of the long receipt")
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
        figures = measure(options.seconds, options.lines)
    finally:
        engines.finish()
    text = json.dumps(figures, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


def measure(seconds: float, lines: int) -> dict[str, Any]:
    """Return rates of one-line postings, times of a long receipt, and statement counts."""
    bench = Bench(lines)
    one = alternate(seconds, bench.service(1), bench.bare(1))
    many = alternate(seconds, bench.service(lines), bench.bare(lines))
    return {
        "one line": {
            "service_per_second": round(1 / one[0], 1),
            "bare_sql_per_second": round(1 / one[1], 1),
            "ratio": round(one[1] / one[0], 3),
        },
        f"{lines} lines": {
            "service_ms": round(many[0] * 1000, 2),
            "bare_sql_ms": round(many[1] * 1000, 2),
            "times_bare_sql": round(many[0] / many[1], 2),
            "movements_per_second": round(lines / many[0]),
        },
        "sixteen writers on one product": bench.hot(seconds),
        "statements": {"one line": bench.statements(1), f"{lines} lines": bench.statements(lines)},
    }


def alternate(
    seconds: float, service: Callable[[], None], bare: Callable[[], None]
) -> tuple[float, float]:
    """Return the median seconds a call of each; alternating rounds share the noise."""
    times: tuple[list[float], list[float]] = ([], [])
    for work in (service, bare):
        for _ in range(4):
            work()
    analyze()
    end = time.perf_counter() + 2 * seconds
    while time.perf_counter() < end:
        for work, taken in zip((service, bare), times, strict=True):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def analyze() -> None:
    """Tell the planner how large the tables are, as autovacuum does sooner or later.

    Without it a session goes on checking foreign keys by the plan it made for an empty table.
    """
    from tests import engines

    url = engines.superuser_url(engines.database_name())
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute("ANALYZE")


class Bench:
    """A tenant with products, and both ways to receive them."""

    def __init__(self, lines: int) -> None:
        from inventory.models import LocationKind, Product
        from inventory.queries.places import standard_locations
        from inventory.services.places import create_warehouse
        from tenancy.models import Tenant
        from tenancy.scope import Actor, tenant_scope

        self.actor = Actor.system("benchmark")
        self.tenant = Tenant.objects.create(slug="bench", name="Bench", time_zone="Europe/Berlin")
        with tenant_scope(self.tenant, actor=self.actor):
            self.warehouse = create_warehouse(code="A", name="A").pk
            places = standard_locations(self.warehouse)
            self.supplier = places[LocationKind.SUPPLIER].pk
            self.storage = places[LocationKind.STORAGE].pk
            rows = [Product(sku=f"P{n:05}", name=f"P{n}") for n in range(lines)]
            self.products = [product.pk for product in Product.objects.bulk_create(rows)]

    def service(self, count: int) -> Callable[[], None]:
        """Return a posting of ``count`` lines through the service, committed."""
        from inventory.models import MovementReason
        from inventory.services.ledger import MovementLine, post_movements
        from tenancy.scope import tenant_scope

        def post() -> None:
            lines = [
                MovementLine(
                    product_id, self.supplier, self.storage, Decimal(3), MovementReason.RECEIPT
                )
                for product_id in self.products[:count]
            ]
            with tenant_scope(self.tenant, actor=self.actor):
                post_movements(lines=lines)

        return post

    def bare(self, count: int) -> Callable[[], None]:
        """Return the same posting by the ledger's own statements, without Django."""
        from inventory.services.ledger_sql import (
            CHANGE_BALANCES,
            ENSURE_BALANCES,
            INSERT_MOVEMENTS,
            LOCK_BALANCES,
        )
        from inventory.services.ledger_values_sql import LOCK_VALUES, WRITE_VALUES

        connection = psycopg.connect(
            os.environ["DATABASE_URL"], autocommit=True, cursor_factory=psycopg.ClientCursor
        )
        products, places = self.products[:count], [self.storage] * count
        nothing: list[None] = [None] * count
        warehouses = [self.warehouse] * count
        quantities = [Decimal(3)] * count
        tenant_id = self.tenant.pk

        def post() -> None:
            now = datetime.now(UTC)
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant_id)])
                columns = [products, nothing, [self.supplier] * count, places, quantities, nothing]
                more = [[20] * count, [""] * count, [now.date()] * count]
                origin = [tenant_id, "", None, None, "benchmark", now]
                cursor.execute(INSERT_MOVEMENTS, [*origin, *columns, *more])
                movement_ids = [row[0] for row in cursor.fetchall()]
                cursor.execute(LOCK_VALUES, [products, warehouses, tenant_id])
                value_ids = [row[2] for row in cursor.fetchall()]
                cursor.execute(ENSURE_BALANCES, [tenant_id, products, places, nothing])
                cursor.execute(LOCK_BALANCES, [products, places, nothing, tenant_id])
                ids = [row[0] for row in cursor.fetchall()]
                zero = [Decimal(0)] * count
                cursor.execute(CHANGE_BALANCES, [ids, quantities, zero, tenant_id])
                entries = [movement_ids, products, warehouses, quantities, zero]
                flags = [[True] * count, [now.date()] * count]
                changes = [value_ids, quantities, zero, tenant_id]
                cursor.execute(WRITE_VALUES, [tenant_id, now, *entries, *flags, *changes])

        return post

    def hot(self, seconds: float, writers: int = 16) -> dict[str, Any]:
        """Receive one product from many threads; say how fast, and whether all of it counted."""
        from django.db import connection

        from inventory.models import StockBalance, StockValue
        from inventory.queries.integrity import check_book
        from tenancy.scope import tenant_scope

        post, posted = self.service(1), [0] * writers
        with tenant_scope(self.tenant, actor=self.actor):
            before = StockBalance.objects.get(product_id=self.products[0]).on_hand
        end = time.perf_counter() + seconds
        errors: list[str] = []

        def work(number: int) -> None:
            try:
                while time.perf_counter() < end:
                    post()
                    posted[number] += 1
            except Exception as error:  # noqa: BLE001 - reported as a figure
                errors.append(str(error))
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with tenant_scope(self.tenant, actor=self.actor):
            balance = StockBalance.objects.get(product_id=self.products[0]).on_hand
            value = StockValue.objects.get(product_id=self.products[0])
            differences = [str(difference) for difference in check_book()]
        return {
            "postings_per_second": round(sum(posted) / seconds, 1),
            "errors_and_deadlocks": errors,
            "lost_updates": str(before + 3 * sum(posted) - balance),
            "value_out_of_step": str(balance - value.quantity),
            "differences_in_the_book": differences,
        }

    def statements(self, count: int) -> int:
        """Return how many statements the service sends inside the transaction."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            self.service(count)()
        return len(captured)


if __name__ == "__main__":
    main()
