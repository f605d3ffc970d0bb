"""The guarded statements of packing and shipping: arrays go in, the row count decides."""

from __future__ import annotations

# never more in packages than was picked
PACK_ALLOCATIONS = """
    UPDATE inventory_allocation a SET quantity_packed = a.quantity_packed + more.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS more (id, quantity)
    WHERE a.tenant_id = %s AND a.id = more.id AND a.state = 'picked'
        AND a.quantity_packed + more.quantity <= a.quantity
"""

UNPACK_ALLOCATIONS = """
    UPDATE inventory_allocation a SET quantity_packed = a.quantity_packed - less.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS less (id, quantity)
    WHERE a.tenant_id = %s AND a.id = less.id AND a.state = 'picked'
        AND a.quantity_packed >= less.quantity
"""

ADD_PACKAGE_LINES = """
    INSERT INTO inventory_packageline AS line (tenant_id, package_id, allocation_id, quantity)
    SELECT %s, %s, more.id, more.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS more (id, quantity)
    ON CONFLICT (tenant_id, package_id, allocation_id)
    DO UPDATE SET quantity = line.quantity + EXCLUDED.quantity
"""

EMPTY_PACKAGE_LINES = """
    DELETE FROM inventory_packageline line
    USING unnest(%s::bigint[], %s::numeric[]) AS less (id, quantity)
    WHERE line.tenant_id = %s AND line.id = less.id AND line.quantity = less.quantity
"""

LESSEN_PACKAGE_LINES = """
    UPDATE inventory_packageline line SET quantity = line.quantity - less.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS less (id, quantity)
    WHERE line.tenant_id = %s AND line.id = less.id AND line.quantity > less.quantity
"""

STAGE_ALLOCATIONS = """
    UPDATE inventory_allocation a SET picked_into_id = %s
    FROM unnest(%s::bigint[], %s::bigint[]) AS moved (id, place)
    WHERE a.tenant_id = %s AND a.id = moved.id AND a.state = 'picked'
        AND a.picked_into_id = moved.place AND a.quantity_packed = a.quantity
"""

# a package leaves once: of two that send it, the second changes nothing
SHIP_PACKAGES = """
    UPDATE inventory_package SET state = 'shipped', shipment_id = %s
    WHERE tenant_id = %s AND id = ANY(%s::bigint[]) AND state = 'closed'
"""

# what is picked is shipped once; a part that stays behind was given a row of its own before
SHIP_ALLOCATIONS = """
    UPDATE inventory_allocation a
    SET state = 'shipped', quantity = gone.quantity, quantity_packed = gone.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS gone (id, quantity)
    WHERE a.tenant_id = %s AND a.id = gone.id AND a.state = 'picked'
        AND a.quantity_packed >= gone.quantity
"""

# the packages that stay behind hold goods of the row that stays behind
REPOINT_PACKAGE_LINES = """
    UPDATE inventory_packageline line SET allocation_id = kept.new_id
    FROM unnest(%s::bigint[], %s::bigint[]) AS kept (old_id, new_id)
    WHERE line.tenant_id = %s AND line.allocation_id = kept.old_id
        AND line.package_id <> ALL(%s::bigint[])
"""

# what stays behind keeps a task of its own, so that its pick can be undone; what was missing of a
# short pick stays with the task that fell short
SPLIT_TASKS = """
    WITH left_behind AS (
        UPDATE inventory_picktask task
        SET quantity = task.quantity - kept.rest,
            quantity_picked = task.quantity_picked - kept.rest
        FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[]) AS kept (old_id, new_id, rest)
        WHERE task.tenant_id = %s AND task.allocation_id = kept.old_id
            AND task.state IN ('picked', 'short') AND task.quantity_picked > kept.rest
        RETURNING task.*, kept.new_id, kept.rest
    )
    INSERT INTO inventory_picktask
        (tenant_id, wave_id, allocation_id, sales_order_id, product_id, location_id, lot_id,
         sequence, quantity, quantity_picked, short_reason, state, picked_by_label, picked_at)
    SELECT tenant_id, wave_id, new_id, sales_order_id, product_id, location_id, lot_id,
        sequence, rest, rest, '', 'picked', picked_by_label, picked_at
    FROM left_behind
"""

SHIP_LINES = """
    UPDATE inventory_salesorderline line
    SET quantity_picked = line.quantity_picked - gone.quantity,
        quantity_shipped = line.quantity_shipped + gone.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS gone (id, quantity)
    WHERE line.tenant_id = %s AND line.id = gone.id AND line.quantity_picked >= gone.quantity
"""
