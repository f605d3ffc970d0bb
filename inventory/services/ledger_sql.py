"""The statements of the ledger. Arrays go in through unnest, so each is one round trip.

The benchmark runs the same statements without Django.
"""

from __future__ import annotations

INSERT_MOVEMENTS = """
    INSERT INTO inventory_stockmovement
        (tenant_id, document_kind, document_id, reverses_id, actor_label, effective_at,
         product_id, lot_id, from_location_id, to_location_id, quantity, unit_cost, reason, note,
         business_day)
    SELECT %s, %s, %s, %s, %s, %s, line.*
    FROM unnest(
        %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[],
        %s::smallint[], %s::text[], %s::date[]
    ) AS line
    RETURNING id
"""

# sorted, so that two postings of new rows wait for each other in one order
ENSURE_BALANCES = """
    INSERT INTO inventory_stockbalance
        (tenant_id, product_id, location_id, lot_id, on_hand, allocated)
    SELECT %s, product_id, location_id, lot_id, 0, 0
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS key (product_id, location_id, lot_id)
    ORDER BY product_id, location_id, coalesce(lot_id, 0)
    ON CONFLICT DO NOTHING
"""

LOCK_BALANCES = """
    SELECT b.id, b.product_id, b.location_id, b.lot_id, b.on_hand, b.allocated
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS key (product_id, location_id, lot_id)
    JOIN inventory_stockbalance b
        ON b.tenant_id = %s AND b.product_id = key.product_id AND b.location_id = key.location_id
        AND b.lot_id IS NOT DISTINCT FROM key.lot_id
    ORDER BY b.product_id, b.location_id, coalesce(b.lot_id, 0)
    FOR UPDATE OF b
"""

# the guard: a row that would go below zero, or below what is promised, is not changed
CHANGE_BALANCES = """
    UPDATE inventory_stockbalance b
    SET on_hand = b.on_hand + change.on_hand, allocated = b.allocated + change.allocated,
        on_hand_version = b.on_hand_version + (change.on_hand <> 0)::int
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS change (id, on_hand, allocated)
    WHERE b.tenant_id = %s AND b.id = change.id
        AND b.on_hand + change.on_hand >= 0
        AND b.allocated + change.allocated BETWEEN 0 AND b.on_hand + change.on_hand
"""

LOCK_LOTS = """
    SELECT id FROM inventory_lot WHERE tenant_id = %s AND id = ANY(%s::bigint[])
    ORDER BY id FOR UPDATE
"""

DOUBLED_SERIALS = """
    SELECT lot.code
    FROM inventory_stockbalance b
    JOIN inventory_lot lot ON lot.tenant_id = b.tenant_id AND lot.id = b.lot_id
    WHERE b.tenant_id = %s AND b.lot_id = ANY(%s::bigint[])
    GROUP BY lot.code HAVING sum(b.on_hand) > 1 ORDER BY lot.code
"""

SKUS = "SELECT id, sku FROM inventory_product WHERE tenant_id = %s AND id = ANY(%s::bigint[])"
CODES = "SELECT id, code FROM inventory_location WHERE tenant_id = %s AND id = ANY(%s::bigint[])"
