"""The statements that keep the value of stock; arrays go in through unnest."""

from __future__ import annotations

# held while something is taken on; who changes the method waits for it, and the other way round
METHOD_STAYS = "SELECT pg_advisory_xact_lock_shared(hashtextextended('valuation_method', %s))"
METHOD_CHANGES = "SELECT pg_advisory_xact_lock(hashtextextended('valuation_method', %s))"

# a product that is valued for the first time in a warehouse begins with what the balances say is
# there, at its usual cost: nothing as a rule, everything when it lay there before values were kept
TAKE_ON_VALUES = """
    WITH taken AS (
        INSERT INTO inventory_stockvalue
            (tenant_id, product_id, warehouse_id, method, quantity, value)
        SELECT p.tenant_id, p.id, key.warehouse_id, coalesce((
                SELECT valuation_method FROM inventory_inventorysettings
                WHERE tenant_id = %(tenant)s
            ), 'moving_average'), held.quantity,
            round(held.quantity * coalesce(p.unit_cost, 0), 6)
        FROM unnest(%(products)s::bigint[], %(warehouses)s::bigint[])
            AS key (product_id, warehouse_id)
        JOIN inventory_product p ON p.tenant_id = %(tenant)s AND p.id = key.product_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(b.on_hand), 0) AS quantity
            FROM inventory_stockbalance b
            JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
            WHERE b.tenant_id = p.tenant_id AND b.product_id = p.id
                AND l.warehouse_id = key.warehouse_id
        ) AS held
        ORDER BY p.id, key.warehouse_id
        ON CONFLICT DO NOTHING
        RETURNING *
    ), entry AS (
        INSERT INTO inventory_valueentry (tenant_id, kind, product_id, warehouse_id,
            quantity_change, value_change, is_estimated, effective_at, business_day)
        SELECT taken.tenant_id, 'taken_on', product_id, warehouse_id, quantity, value, true, now(),
            (now() AT TIME ZONE w.time_zone)::date
        FROM taken
        JOIN inventory_warehouse w ON w.tenant_id = taken.tenant_id AND w.id = taken.warehouse_id
        WHERE quantity > 0
    )
    INSERT INTO inventory_costlayer (tenant_id, product_id, warehouse_id, received_at,
        received_quantity, remaining_quantity, remaining_value)
    SELECT tenant_id, product_id, warehouse_id, now(), quantity, quantity, value
    FROM taken WHERE quantity > 0 AND method = 'fifo'
"""

LOCK_VALUES = """
    SELECT v.product_id, v.warehouse_id, v.id, v.method, v.quantity, v.value
    FROM unnest(%s::bigint[], %s::bigint[]) AS key (product_id, warehouse_id)
    JOIN inventory_stockvalue v ON v.tenant_id = %s AND v.product_id = key.product_id
        AND v.warehouse_id = key.warehouse_id
    ORDER BY v.product_id, v.warehouse_id
    FOR UPDATE OF v
"""

LOCK_ALL_VALUES = """
    SELECT id FROM inventory_stockvalue WHERE tenant_id = %(tenant)s
    ORDER BY product_id, warehouse_id FOR UPDATE
"""

# the lock on the value covers its layers; the oldest are enough as a rule
OPEN_LAYERS = """
    SELECT key.product_id, key.warehouse_id, layer.*
    FROM unnest(%(products)s::bigint[], %(warehouses)s::bigint[])
        AS key (product_id, warehouse_id)
    CROSS JOIN LATERAL (
        SELECT id, movement_id, received_at, remaining_quantity, remaining_value
        FROM inventory_costlayer l
        WHERE l.tenant_id = %(tenant)s AND l.product_id = key.product_id
            AND l.warehouse_id = key.warehouse_id AND l.remaining_quantity > 0
        ORDER BY received_at, id LIMIT %(most)s
    ) AS layer
    ORDER BY key.product_id, key.warehouse_id, layer.received_at, layer.id
"""

# changes, not results: should a lock ever be missing, the constraints refuse what does not add up
WRITE_VALUES = """
    WITH entry AS (
        INSERT INTO inventory_valueentry (tenant_id, kind, effective_at, movement_id, product_id,
            warehouse_id, quantity_change, value_change, is_estimated, business_day)
        SELECT %s, 'movement', %s, line.*
        FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[],
            %s::boolean[], %s::date[]) AS line
    )
    UPDATE inventory_stockvalue v
    SET quantity = v.quantity + change.quantity, value = v.value + change.value
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS change (id, quantity, value)
    WHERE v.tenant_id = %s AND v.id = change.id
"""

WRITE_LAYERS = """
    WITH used AS (
        UPDATE inventory_costlayer l
        SET remaining_quantity = change.quantity, remaining_value = change.value
        FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS change (id, quantity, value)
        WHERE l.tenant_id = %s AND l.id = change.id
    )
    INSERT INTO inventory_costlayer (tenant_id, product_id, warehouse_id, movement_id, received_at,
        received_quantity, remaining_quantity, remaining_value)
    SELECT %s, layer.*
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::numeric[],
        %s::numeric[], %s::numeric[]) AS layer
"""

MOVED_VALUE = """
    SELECT abs(value_change) FROM inventory_valueentry
    WHERE tenant_id = %s AND movement_id = %s LIMIT 1
"""
