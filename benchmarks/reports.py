"""The price of a report: seconds to answer each, for a tenant with a large ledger.

    python -m benchmarks.reports [--products 20000] [--movements 1000000] [--out FILE]

A throwaway tenant is filled by SQL with products, lots, movements of 400 days, their balances and
values, and the daily demand; it has no orders, so inbound and outbound answer from empty tables.
Each report is then asked for its first page (rows, totals and picture: one statement) and for all
its rows (as an export reads them), as the application role under row level security; figures are
the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAREHOUSES = 3
DAYS = 400


def main() -> None:
    """Run the benchmark in a throwaway database and print or write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--movements", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
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
        figures = measure(options.products, options.movements, options.rounds)
    finally:
        engines.finish()
    text = json.dumps(figures, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


def measure(products: int, movements: int, rounds: int) -> dict[str, Any]:
    """Return seconds by report."""
    from inventory.queries.reports import REPORTS
    from tenancy.models import Tenant
    from tenancy.scope import Actor, tenant_scope

    tenant = Tenant.objects.create(slug="bench", name="Bench", time_zone="Europe/Berlin")
    actor = Actor.system("benchmark")
    start = time.perf_counter()
    with tenant_scope(tenant, actor=actor):
        counts = fill(products, movements)
    gather_statistics()
    figures: dict[str, Any] = {
        "rows": counts,
        "seconds_to_fill": round(time.perf_counter() - start, 1),
        "seconds": {},
    }
    for name, report in REPORTS.items():
        for by, _label in report.by or (("", ""),):
            with tenant_scope(tenant, actor=actor):
                figures["seconds"][f"{name} {by}".strip()] = _timed(report, by, rounds)
    return figures


def _timed(report: Any, by: str, rounds: int) -> dict[str, Any]:
    from inventory.queries.reports.asking import ask
    from inventory.queries.reports.running import all_rows, report_page

    question = ask({"by": by}, default_days=report.default_days)
    page, rows = _median(rounds, lambda: report_page(report, question).total)
    every, _rows = _median(1, lambda: sum(1 for _row in all_rows(report, question)))
    return {"page": round(page, 2), "all_rows": round(every, 2), "rows": rows}


def _median(rounds: int, work: Callable[[], int]) -> tuple[float, int]:
    taken, result = [], 0
    for _round in range(rounds):
        start = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken), result


# -- a tenant of that size ------------------------------------------------------------------------
PRODUCTS = """
    INSERT INTO inventory_product (tenant_id, sku, name, description, category_id, base_unit,
        whole_units, lot_tracking, unit_cost, attributes, is_active, version, created_at)
    SELECT %(tenant)s, 'P' || lpad(n::text, 6, '0'), 'Product ' || n, '',
        (%(categories)s::bigint[])[1 + n %% cardinality(%(categories)s)], 'pcs', true,
        CASE WHEN n %% 4 = 0 THEN 'lot' ELSE 'none' END,
        round((exp(random() * 5) / 4)::numeric, 2), '{}', true, 1, now()
    FROM generate_series(1, %(products)s) AS n
"""
LOTS = """
    INSERT INTO inventory_lot (tenant_id, product_id, code, expires_on, status, created_at)
    SELECT p.tenant_id, p.id, 'L' || n, current_date + (n * 60 + (p.id %% 97)::int - 60),
        'available', now()
    FROM inventory_product p CROSS JOIN generate_series(1, 4) AS n
    WHERE p.tenant_id = %(tenant)s AND p.lot_tracking = 'lot'
"""
# Of a product: one opening, then receipts, shipments, a few counts and scraps, by turns. A lot is
# received and shipped under its own name.
MOVEMENTS = """
    INSERT INTO inventory_stockmovement (tenant_id, product_id, lot_id, from_location_id,
        to_location_id, quantity, reason, note, document_kind, actor_label, effective_at,
        business_day)
    SELECT %(tenant)s, product_id, lot_id,
        CASE kind WHEN 'in' THEN place.supplier WHEN 'found' THEN place.loss
            ELSE place.storage END,
        CASE kind WHEN 'out' THEN place.customer WHEN 'lost' THEN place.loss
            ELSE place.storage END,
        quantity, CASE kind WHEN 'in' THEN CASE turn WHEN 0 THEN 10 ELSE 20 END WHEN 'out' THEN 60
            WHEN 'lost' THEN 80 ELSE 92 END,
        '', '', 'benchmark', now() - make_interval(days => age), current_date - age
    FROM (
        SELECT p.id AS product_id, turn, CASE WHEN turn = 0 OR turn %% 6 = 1 THEN 'in'
                WHEN turn %% 50 = 40 THEN 'lost' WHEN turn %% 50 = 41 THEN 'found'
                ELSE 'out' END AS kind,
            CASE WHEN turn = 0 THEN 60 WHEN turn %% 6 = 1 THEN 12 + (random() * 20)::int
                ELSE 1 + (random() * 4)::int END AS quantity,
            CASE WHEN turn = 0 THEN %(days)s
                ELSE (%(days)s * (1 - (turn - random()) / %(turns)s))::int END AS age,
            lots.ids[1 + turn %% cardinality(lots.ids)] AS lot_id, p.id %% %(warehouses)s AS site
        FROM inventory_product p CROSS JOIN generate_series(0, %(turns)s - 1) AS turn
        LEFT JOIN (SELECT product_id, array_agg(id ORDER BY id) AS ids FROM inventory_lot
            WHERE tenant_id = %(tenant)s GROUP BY 1) AS lots ON lots.product_id = p.id
        WHERE p.tenant_id = %(tenant)s AND p.id > %(after)s AND p.id <= %(upto)s
    ) AS drawn
    JOIN (SELECT row_number() OVER (ORDER BY warehouse_id) - 1 AS site,
            max(id) FILTER (WHERE kind = 'supplier') AS supplier,
            max(id) FILTER (WHERE kind = 'customer') AS customer,
            max(id) FILTER (WHERE kind = 'loss') AS loss,
            max(id) FILTER (WHERE kind = 'storage') AS storage
        FROM inventory_location WHERE tenant_id = %(tenant)s GROUP BY warehouse_id
    ) AS place USING (site)
"""
BALANCES = """
    INSERT INTO inventory_stockbalance (tenant_id, product_id, location_id, lot_id, on_hand,
        allocated)
    SELECT %(tenant)s, m.product_id, l.id, m.lot_id, sum(side.sign * m.quantity), 0
    FROM inventory_stockmovement m
    CROSS JOIN LATERAL (VALUES (m.from_location_id, -1), (m.to_location_id, 1))
        AS side (location_id, sign)
    JOIN inventory_location l ON l.tenant_id = m.tenant_id AND l.id = side.location_id
    WHERE m.tenant_id = %(tenant)s AND l.kind = 'storage'
    GROUP BY m.product_id, l.id, m.lot_id HAVING sum(side.sign * m.quantity) > 0
"""
ENTRIES = """
    INSERT INTO inventory_valueentry (tenant_id, kind, movement_id, product_id, warehouse_id,
        quantity_change, value_change, effective_at, business_day)
    SELECT m.tenant_id, 'movement', m.id, m.product_id, l.warehouse_id, side.sign * m.quantity,
        side.sign * m.quantity * p.unit_cost, m.effective_at, m.business_day
    FROM inventory_stockmovement m
    CROSS JOIN LATERAL (VALUES (m.from_location_id, -1), (m.to_location_id, 1))
        AS side (location_id, sign)
    JOIN inventory_location l ON l.tenant_id = m.tenant_id AND l.id = side.location_id
    JOIN inventory_product p ON p.tenant_id = m.tenant_id AND p.id = m.product_id
    WHERE m.tenant_id = %(tenant)s AND l.kind = 'storage'
"""
VALUES = """
    INSERT INTO inventory_stockvalue (tenant_id, product_id, warehouse_id, method, quantity, value)
    SELECT tenant_id, product_id, warehouse_id, 'moving_average',
        greatest(sum(quantity_change), 0), greatest(sum(value_change), 0)
    FROM inventory_valueentry WHERE tenant_id = %(tenant)s GROUP BY 1, 2, 3
"""
DEMAND = """
    INSERT INTO inventory_dailydemand (tenant_id, product_id, warehouse_id, business_day, quantity,
        revenue, order_lines)
    SELECT m.tenant_id, m.product_id, l.warehouse_id, m.business_day, sum(m.quantity), 0, count(*)
    FROM inventory_stockmovement m
    JOIN inventory_location l ON l.tenant_id = m.tenant_id AND l.id = m.from_location_id
    WHERE m.tenant_id = %(tenant)s AND m.reason = 60
    GROUP BY 1, 2, 3, 4
"""
PRODUCTS_AT_A_TIME = 5_000


def fill(products: int, movements: int) -> dict[str, int]:
    """Give the active tenant that many products and about as many movements; return the counts."""
    from django.db import connection

    from inventory.models import Category
    from inventory.services.places import create_warehouse
    from tenancy.scope import active_tenant_id

    for number in range(WAREHOUSES):
        create_warehouse(code=f"W{number}", name=f"Warehouse {number}")
    names = [Category(name=f"Category {number:02}") for number in range(24)]
    categories = [category.pk for category in Category.objects.bulk_create(names)]
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "products": products,
        "categories": categories,
        "turns": max(movements // products, 2),
        "days": DAYS,
        "warehouses": WAREHOUSES,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(PRODUCTS, arguments)
        cursor.execute(LOTS, arguments)
        for after in range(0, products + PRODUCTS_AT_A_TIME, PRODUCTS_AT_A_TIME):
            bounds = {"after": after, "upto": after + PRODUCTS_AT_A_TIME}
            cursor.execute(MOVEMENTS, arguments | bounds)
        cursor.execute(BALANCES, arguments)
        cursor.execute(ENTRIES, arguments)
        cursor.execute(VALUES, arguments)
        cursor.execute(DEMAND, arguments)
        tables = ("product", "lot", "stockmovement", "stockbalance", "valueentry", "dailydemand")
        counts = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM inventory_{table}")
            counts[table] = cursor.fetchone()[0]
    return counts


def gather_statistics() -> None:
    """Let the planner know the tables, as autovacuum would a little later."""
    import psycopg

    from tests import engines

    address = engines.superuser_url(engines.database_name())
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
