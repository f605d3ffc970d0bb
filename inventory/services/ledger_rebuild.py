"""Rebuilding balances and values from the ledger: explicit, audited, never done silently.

Locks are taken in the order of a posting: values, then balances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction

from inventory.queries.differences import Difference
from inventory.queries.integrity import INSIDE_ENDS, balances_equal_the_ledger
from inventory.queries.integrity_orders import promises_equal_their_allocations
from inventory.queries.integrity_values import (
    layers_equal_the_value,
    nothing_is_worth_nothing,
    values_cover_the_stock,
    values_equal_their_entries,
)
from inventory.services.ledger_balances import execute, fetch
from inventory.services.ledger_values import take_on
from inventory.services.ledger_values_sql import LOCK_ALL_VALUES
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope, active_tenant_id
from tenancy.services import audit

# a posting that is under way has its movements uncommitted and waits here
LOCK_ALL_BALANCES = """
    SELECT id FROM inventory_stockbalance WHERE tenant_id = %(tenant)s
    ORDER BY product_id, location_id, coalesce(lot_id, 0) FOR UPDATE
"""
REBUILD_BALANCES = f"""
    INSERT INTO inventory_stockbalance AS known
        (tenant_id, product_id, location_id, lot_id, on_hand, allocated)
    SELECT %(tenant)s, product_id, location_id, lot_id, sum(on_hand), sum(allocated)
    FROM (
        SELECT product_id, location_id, lot_id, delta AS on_hand, 0 AS allocated
        FROM ({INSIDE_ENDS}) AS ends
        UNION ALL
        SELECT product_id, CASE state WHEN 'picked' THEN picked_into_id ELSE location_id END,
            lot_id, 0, quantity
        FROM inventory_allocation
        WHERE tenant_id = %(tenant)s AND state IN ('allocated', 'picked')
        UNION ALL
        SELECT product_id, location_id, lot_id, 0, 0 FROM inventory_stockbalance
        WHERE tenant_id = %(tenant)s
    ) AS parts
    GROUP BY product_id, location_id, lot_id
    ON CONFLICT (tenant_id, product_id, location_id, lot_id)
    DO UPDATE SET on_hand = EXCLUDED.on_hand, allocated = EXCLUDED.allocated,
        on_hand_version = known.on_hand_version + (known.on_hand <> EXCLUDED.on_hand)::int
    WHERE (known.on_hand, known.allocated) <> (EXCLUDED.on_hand, EXCLUDED.allocated)
"""  # noqa: S608 - constants only

NEVER_VALUED = """
    SELECT DISTINCT b.product_id, l.warehouse_id
    FROM inventory_stockbalance b
    JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
    WHERE b.tenant_id = %(tenant)s AND NOT EXISTS (
        SELECT FROM inventory_stockvalue v WHERE v.tenant_id = b.tenant_id
            AND v.product_id = b.product_id AND v.warehouse_id = l.warehouse_id
    )
    ORDER BY 1, 2
"""
# where the entries do not add up to the stock, one more entry says by how much they did not
CORRECT_ENTRIES = """
    WITH stock AS (
        SELECT v.product_id, v.warehouse_id, coalesce(lying.on_hand, 0) AS on_hand,
            coalesce(known.quantity, 0) AS quantity, coalesce(known.value, 0) AS value
        FROM inventory_stockvalue v
        LEFT JOIN (
            SELECT b.product_id, l.warehouse_id, sum(b.on_hand) AS on_hand
            FROM inventory_stockbalance b
            JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
            WHERE b.tenant_id = %(tenant)s GROUP BY b.product_id, l.warehouse_id
        ) AS lying USING (product_id, warehouse_id)
        LEFT JOIN (
            SELECT product_id, warehouse_id, sum(quantity_change) AS quantity,
                sum(value_change) AS value
            FROM inventory_valueentry WHERE tenant_id = %(tenant)s
            GROUP BY product_id, warehouse_id
        ) AS known USING (product_id, warehouse_id)
        WHERE v.tenant_id = %(tenant)s
    ), target AS (
        SELECT stock.*, w.time_zone, CASE
            WHEN on_hand = 0 THEN 0
            WHEN quantity = on_hand AND value >= 0 THEN value
            WHEN quantity > 0 AND value >= 0 THEN round(value * on_hand / quantity, 6)
            ELSE round(on_hand * coalesce(p.unit_cost, 0), 6) END AS worth
        FROM stock
        JOIN inventory_product p ON p.tenant_id = %(tenant)s AND p.id = stock.product_id
        JOIN inventory_warehouse w ON w.tenant_id = %(tenant)s AND w.id = stock.warehouse_id
    )
    INSERT INTO inventory_valueentry (tenant_id, kind, product_id, warehouse_id, quantity_change,
        value_change, is_estimated, effective_at, business_day, note)
    SELECT %(tenant)s, 'taken_on', product_id, warehouse_id, on_hand - quantity, worth - value,
        true, now(), (now() AT TIME ZONE time_zone)::date, 'rebuilt'
    FROM target WHERE (on_hand, worth) <> (quantity, value)
    ORDER BY product_id, warehouse_id
"""
REBUILD_VALUES = """
    UPDATE inventory_stockvalue v SET quantity = ledger.quantity, value = ledger.value
    FROM (
        SELECT known.id, coalesce(sum(e.quantity_change), 0) AS quantity,
            coalesce(sum(e.value_change), 0) AS value
        FROM inventory_stockvalue known
        LEFT JOIN inventory_valueentry e ON e.tenant_id = known.tenant_id
            AND e.product_id = known.product_id AND e.warehouse_id = known.warehouse_id
        WHERE known.tenant_id = %(tenant)s GROUP BY known.id
    ) AS ledger
    WHERE v.tenant_id = %(tenant)s AND v.id = ledger.id
        AND (v.quantity, v.value) <> (ledger.quantity, ledger.value)
"""
# layers that do not add up cannot say which delivery they are of: they become one
REBUILD_LAYERS = """
    WITH wrong AS (
        SELECT v.* FROM inventory_stockvalue v
        LEFT JOIN (
            SELECT product_id, warehouse_id, sum(remaining_quantity) AS quantity,
                sum(remaining_value) AS value
            FROM inventory_costlayer WHERE tenant_id = %(tenant)s
            GROUP BY product_id, warehouse_id
        ) AS layers USING (product_id, warehouse_id)
        WHERE v.tenant_id = %(tenant)s
            AND (coalesce(layers.quantity, 0), coalesce(layers.value, 0)) <> (
                CASE v.method WHEN 'fifo' THEN v.quantity ELSE 0 END,
                CASE v.method WHEN 'fifo' THEN v.value ELSE 0 END
            )
    ), emptied AS (
        UPDATE inventory_costlayer l SET remaining_quantity = 0, remaining_value = 0
        FROM wrong WHERE l.tenant_id = %(tenant)s AND l.product_id = wrong.product_id
            AND l.warehouse_id = wrong.warehouse_id AND l.remaining_quantity > 0
    )
    INSERT INTO inventory_costlayer (tenant_id, product_id, warehouse_id, received_at,
        received_quantity, remaining_quantity, remaining_value)
    SELECT tenant_id, product_id, warehouse_id, now(), quantity, quantity, value
    FROM wrong WHERE method = 'fifo' AND quantity > 0
"""
VALUE_CHECKS: tuple[Callable[[], list[Difference]], ...] = (
    values_cover_the_stock,
    values_equal_their_entries,
    nothing_is_worth_nothing,
    layers_equal_the_value,
)


def rebuild_book() -> list[Difference]:
    """Make balances and values agree with what was posted; return the differences there were.

    What a balance has promised becomes the sum of its live allocations.
    Stock that was never valued is taken on at its product's unit cost. What the value entries lack
    is added as one more entry, marked as estimated; nothing that is written is changed. A balance
    that would fall below what is promised stops the rebuild: ``IntegrityError``.
    """
    require(Permission.APPROVE)
    arguments = {"tenant": active_tenant_id()}
    with transaction.atomic():
        missing = _take_on_everything()
        fetch(LOCK_ALL_VALUES, arguments)
        fetch(LOCK_ALL_BALANCES, arguments)
        found = [*balances_equal_the_ledger(), *promises_equal_their_allocations()]
        if found:
            execute(REBUILD_BALANCES, arguments)
            _record("balances.rebuilt", found)
        worth = missing + [difference for check in VALUE_CHECKS for difference in check()]
        if worth:
            for statement in (CORRECT_ENTRIES, REBUILD_VALUES, REBUILD_LAYERS):
                execute(statement, arguments)
            _record("values.rebuilt", worth)
    return [*found, *worth]


def _take_on_everything() -> list[Difference]:
    """Take on what was never valued, and return the differences that made."""
    keys = fetch(NEVER_VALUED, {"tenant": active_tenant_id()})
    if not keys:
        return []
    before = values_cover_the_stock()
    take_on([(product_id, warehouse_id) for product_id, warehouse_id in keys])
    after = values_cover_the_stock()
    return [difference for difference in before if difference not in after]


def _record(action: str, found: Sequence[Difference]) -> None:
    audit.record(
        action,
        active_scope().tenant,
        differences=[str(difference) for difference in found[:100]],
        count=len(found),
    )
