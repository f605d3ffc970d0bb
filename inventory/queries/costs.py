"""What a unit costs where it lies."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from django.db import connection

from tenancy.scope import active_tenant_id

UNIT_COSTS = """
    SELECT p.id, coalesce(round(nullif(v.value, 0) / nullif(v.quantity, 0), 6), p.unit_cost)
    FROM inventory_product p
    LEFT JOIN inventory_stockvalue v
        ON v.tenant_id = p.tenant_id AND v.product_id = p.id AND v.warehouse_id = %s
    WHERE p.tenant_id = %s AND p.id = ANY(%s::bigint[])
"""


def unit_costs(warehouse_id: int, product_ids: Collection[int]) -> dict[int, Decimal | None]:
    """Return what a unit of each product is worth in the warehouse: one statement.

    That is the value of its stock by its quantity; without a valued stock the product's usual cost,
    or None.
    """
    with connection.cursor() as cursor:
        cursor.execute(UNIT_COSTS, [warehouse_id, active_tenant_id(), list(product_ids)])
        return dict(cursor.fetchall())
