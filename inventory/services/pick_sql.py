"""The guarded statements of picking: arrays go in through unnest, the row count decides."""

from __future__ import annotations

CLOSE_TASKS = """
    UPDATE inventory_picktask task
    SET state = CASE WHEN found.quantity < task.quantity THEN 'short' ELSE 'picked' END,
        quantity_picked = found.quantity,
        short_reason = CASE WHEN found.quantity < task.quantity THEN %s ELSE '' END,
        picked_by_label = %s, picked_at = statement_timestamp()
    FROM unnest(%s::bigint[], %s::numeric[]) AS found (id, quantity)
    WHERE task.tenant_id = %s AND task.id = found.id AND task.state = 'open'
"""

# an allocation ends once; one that no longer has the task's quantity was changed in the meantime
END_ALLOCATIONS = """
    UPDATE inventory_allocation a
    SET state = CASE WHEN found.quantity > 0 THEN 'picked' ELSE 'released' END,
        picked_into_id = CASE WHEN found.quantity > 0 THEN %s::bigint END,
        quantity = CASE WHEN found.quantity > 0 THEN found.quantity ELSE a.quantity END,
        ended_at = statement_timestamp()
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS found (id, quantity, wanted)
    WHERE a.tenant_id = %s AND a.id = found.id AND a.state = 'allocated'
        AND a.quantity = found.wanted
"""

# the part of a short pick that was not found, as a row of its own
SPLIT_RELEASED = """
    INSERT INTO inventory_allocation
        (tenant_id, order_line_id, transfer_line_id, product_id, location_id, lot_id,
         quantity, quantity_packed, state, created_at, ended_at)
    SELECT a.tenant_id, a.order_line_id, a.transfer_line_id, a.product_id, a.location_id, a.lot_id,
        missing.quantity, 0, 'released', a.created_at, statement_timestamp()
    FROM unnest(%s::bigint[], %s::numeric[]) AS missing (id, quantity)
    JOIN inventory_allocation a ON a.tenant_id = %s AND a.id = missing.id
"""

PICK_LINES = """
    UPDATE inventory_salesorderline line
    SET quantity_allocated = line.quantity_allocated - found.asked,
        quantity_picked = line.quantity_picked + found.picked
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS found (id, asked, picked)
    WHERE line.tenant_id = %s AND line.id = found.id AND line.quantity_allocated >= found.asked
"""

UNPICK_LINES = """
    UPDATE inventory_salesorderline line
    SET quantity_allocated = line.quantity_allocated + back.quantity,
        quantity_picked = line.quantity_picked - back.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS back (id, quantity)
    WHERE line.tenant_id = %s AND line.id = back.id AND line.quantity_picked >= back.quantity
"""

PROMISE_LINES = """
    UPDATE inventory_salesorderline line
    SET quantity_allocated = line.quantity_allocated + more.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS more (id, quantity)
    WHERE line.tenant_id = %s AND line.id = more.id
        AND line.quantity_allocated + line.quantity_picked + line.quantity_shipped + more.quantity
            <= line.quantity
"""

# what is in a package, or was shipped, is not taken back here
UNPICK_ALLOCATIONS = """
    UPDATE inventory_allocation a
    SET state = 'allocated', picked_into_id = NULL, ended_at = NULL
    FROM unnest(%s::bigint[], %s::numeric[]) AS back (id, quantity)
    WHERE a.tenant_id = %s AND a.id = back.id AND a.state = 'picked'
        AND a.quantity_packed = 0 AND a.quantity = back.quantity
"""

REOPEN_TASKS = """
    UPDATE inventory_picktask task
    SET state = CASE WHEN wave.state = 'cancelled' THEN 'cancelled' ELSE 'open' END,
        quantity_picked = 0, picked_by_label = '', picked_at = NULL
    FROM inventory_wave wave
    WHERE task.tenant_id = %s AND task.id = ANY(%s::bigint[]) AND task.state = 'picked'
        AND wave.tenant_id = task.tenant_id AND wave.id = task.wave_id
"""

# of a short pick what was missing stays on record, and what was found becomes a task again
REOPEN_SHORT_TASKS = """
    WITH found AS (
        UPDATE inventory_picktask task
        SET quantity = task.quantity - short.quantity, quantity_picked = 0
        FROM unnest(%s::bigint[], %s::numeric[]) AS short (id, quantity)
        WHERE task.tenant_id = %s AND task.id = short.id AND task.state = 'short'
            AND task.quantity_picked = short.quantity
        RETURNING task.*, short.quantity AS back
    )
    INSERT INTO inventory_picktask
        (tenant_id, wave_id, allocation_id, sales_order_id, product_id, location_id, lot_id,
         sequence, quantity, quantity_picked, short_reason, state, picked_by_label)
    SELECT found.tenant_id, found.wave_id, found.allocation_id, found.sales_order_id,
        found.product_id, found.location_id, found.lot_id, found.sequence, found.back, 0, '',
        CASE WHEN wave.state = 'cancelled' THEN 'cancelled' ELSE 'open' END, ''
    FROM found
    JOIN inventory_wave wave ON wave.tenant_id = found.tenant_id AND wave.id = found.wave_id
"""

REOPEN_WAVE = """
    UPDATE inventory_wave
    SET state = 'released', completed_at = NULL, version = version + 1
    WHERE tenant_id = %s AND id = %s AND state = 'completed'
"""

COMPLETE_WAVE = """
    UPDATE inventory_wave wave
    SET state = 'completed', completed_at = statement_timestamp(), version = wave.version + 1
    WHERE wave.tenant_id = %s AND wave.id = %s AND wave.state = 'released'
        AND NOT EXISTS (
            SELECT FROM inventory_picktask task
            WHERE task.tenant_id = wave.tenant_id AND task.wave_id = wave.id
                AND task.state = 'open'
        )
"""

# new tasks of a short pick come where the way goes on, so the open ones are numbered anew
NUMBER_TASKS = """
    UPDATE inventory_picktask task SET sequence = way.number
    FROM unnest(%s::bigint[], %s::int[]) AS way (id, number)
    WHERE task.tenant_id = %s AND task.id = way.id AND task.state = 'open'
"""

# all balances of a product in a warehouse, in the order in which the ledger locks
LOCK_STOCK = """
    SELECT b.id
    FROM inventory_stockbalance b
    JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
    WHERE b.tenant_id = %s AND b.product_id = %s AND l.warehouse_id = %s
    ORDER BY b.product_id, b.location_id, coalesce(b.lot_id, 0)
    FOR UPDATE OF b
"""
