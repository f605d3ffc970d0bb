"""The statements of allocation. Each is one round trip for a whole wave of order lines."""

from __future__ import annotations

OPEN_LINES = """
    SELECT line.id, line.order_id, o.warehouse_id, line.product_id, o.channel_id,
        line.quantity - line.quantity_allocated - line.quantity_picked - line.quantity_shipped
    FROM inventory_salesorderline line
    JOIN inventory_salesorder o ON o.tenant_id = line.tenant_id AND o.id = line.order_id
    WHERE line.tenant_id = %s AND line.order_id = ANY(%s::bigint[]) AND line.quantity
        > line.quantity_allocated + line.quantity_picked + line.quantity_shipped
    ORDER BY o.priority, o.promised_on NULLS LAST, o.id, line.id
"""

OWING_ORDERS = """
    SELECT o.id FROM inventory_salesorder o
    WHERE o.tenant_id = %s AND o.warehouse_id = %s AND o.state = ANY(%s) AND EXISTS (
        SELECT FROM inventory_salesorderline line
        WHERE line.tenant_id = o.tenant_id AND line.order_id = o.id AND line.quantity
            > line.quantity_allocated + line.quantity_picked + line.quantity_shipped
    )
"""

# locked: of two channels that ask for the last units at once, the second sees what the first took
LOCK_CHANNEL_RULES = """
    SELECT rule.warehouse_id, rule.product_id, rule.channel_id, rule.ring_fenced, rule.buffer
    FROM inventory_channelstock rule
    JOIN unnest(%s::bigint[], %s::bigint[]) AS asked (warehouse_id, product_id)
        ON rule.warehouse_id = asked.warehouse_id AND rule.product_id = asked.product_id
    WHERE rule.tenant_id = %s
    ORDER BY rule.warehouse_id, rule.product_id, rule.channel_id FOR UPDATE OF rule
"""

# stock that may be promised and picked: in storage, of lots neither expired nor held today
STOCK_TO_PROMISE = """
    FROM inventory_stockbalance b
    JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
    JOIN inventory_warehouse w ON w.tenant_id = l.tenant_id AND w.id = l.warehouse_id
    LEFT JOIN inventory_lot lot ON lot.tenant_id = b.tenant_id AND lot.id = b.lot_id
    WHERE b.tenant_id = %(tenant)s AND b.on_hand > b.allocated
        AND l.kind = 'storage' AND l.is_active
        AND (lot.id IS NULL OR (lot.status = 'available' AND (lot.expires_on IS NULL
            OR lot.expires_on >= (statement_timestamp() AT TIME ZONE w.time_zone)::date)))
"""

FREE_STOCK = f"""
    SELECT l.warehouse_id, b.product_id, sum(b.on_hand - b.allocated)
    {STOCK_TO_PROMISE}
        AND b.product_id = ANY(%(products)s::bigint[])
        AND l.warehouse_id = ANY(%(warehouses)s::bigint[])
    GROUP BY l.warehouse_id, b.product_id
"""

PROMISED_TO_CHANNELS = """
    SELECT o.warehouse_id, a.product_id, o.channel_id, sum(a.quantity)
    FROM inventory_allocation a
    JOIN inventory_salesorderline line ON line.tenant_id = a.tenant_id AND line.id = a.order_line_id
    JOIN inventory_salesorder o ON o.tenant_id = line.tenant_id AND o.id = line.order_id
    WHERE a.tenant_id = %(tenant)s AND a.state IN ('allocated', 'picked')
        AND a.product_id = ANY(%(products)s::bigint[])
        AND o.warehouse_id = ANY(%(warehouses)s::bigint[])
    GROUP BY o.warehouse_id, a.product_id, o.channel_id
"""

# Lines in their order and places in theirs are laid side by side as running sums. Every sum, of
# either side, is a cut; between two cuts lies one piece: of one line, from one place. The lowest
# rank at or above a cut is found by running down from the top, which takes linear time.
CHOOSE_STOCK = f"""
    WITH wanted AS (
        SELECT line.*, sum(quantity) OVER (PARTITION BY warehouse_id, product_id ORDER BY rank)
            AS upto
        FROM unnest(%(lines)s::bigint[], %(line_warehouses)s::bigint[],
            %(line_products)s::bigint[], %(quantities)s::numeric[])
            WITH ORDINALITY AS line (line_id, warehouse_id, product_id, quantity, rank)
    ), stock AS (
        SELECT l.warehouse_id, b.product_id, b.location_id, b.lot_id,
            row_number() OVER by_urgency AS rank,
            sum(b.on_hand - b.allocated) OVER by_urgency AS upto
        {STOCK_TO_PROMISE}
            AND (l.warehouse_id, b.product_id) IN (SELECT warehouse_id, product_id FROM wanted)
        WINDOW by_urgency AS (
            PARTITION BY l.warehouse_id, b.product_id
            ORDER BY coalesce(lot.expires_on, DATE '9999-12-31'), coalesce(b.lot_id, 0),
                l.walking_order, b.location_id
        )
    ), cuts AS (
        SELECT warehouse_id, product_id, upto, rank AS line_rank, NULL::bigint AS stock_rank
        FROM wanted
        UNION ALL
        SELECT warehouse_id, product_id, upto, NULL, rank FROM stock
    ), pieces AS (
        SELECT warehouse_id, product_id, upto - lead(upto, 1, 0::numeric) OVER down AS quantity,
            min(line_rank) OVER down AS line_rank, min(stock_rank) OVER down AS stock_rank
        FROM cuts
        WINDOW down AS (
            PARTITION BY warehouse_id, product_id ORDER BY upto DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        )
    )
    SELECT wanted.line_id, wanted.product_id, stock.location_id, stock.lot_id, pieces.quantity
    FROM pieces
    JOIN wanted ON wanted.rank = pieces.line_rank
    JOIN stock ON stock.warehouse_id = pieces.warehouse_id
        AND stock.product_id = pieces.product_id AND stock.rank = pieces.stock_rank
    WHERE pieces.quantity > 0
    ORDER BY pieces.line_rank, pieces.stock_rank
"""  # noqa: S608 - constants only

# in the order in which the ledger locks
LOCK_STOCK = """
    SELECT b.id
    FROM inventory_stockbalance b
    JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
    WHERE b.tenant_id = %(tenant)s AND b.product_id = ANY(%(products)s::bigint[])
        AND l.warehouse_id = ANY(%(warehouses)s::bigint[]) AND l.kind = 'storage'
    ORDER BY b.product_id, b.location_id, coalesce(b.lot_id, 0) FOR UPDATE OF b
"""

# shared: many may promise one lot, but its status does not change before they are done
LOCK_GOOD_LOTS = """
    SELECT id FROM inventory_lot
    WHERE tenant_id = %s AND id = ANY(%s::bigint[]) AND status = 'available'
    ORDER BY id FOR SHARE
"""

INSERT_ALLOCATIONS = """
    INSERT INTO inventory_allocation (tenant_id, order_line_id, product_id, location_id, lot_id,
        quantity, quantity_packed, state, expires_at)
    SELECT %s, take.*, 0, 'allocated', %s
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[]) AS take
    RETURNING id
"""

# the guard: a line is not promised more than was asked for
ADD_ALLOCATED = """
    UPDATE inventory_salesorderline line
    SET quantity_allocated = line.quantity_allocated + change.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS change (id, quantity)
    WHERE line.tenant_id = %s AND line.id = change.id
        AND line.quantity_allocated + change.quantity >= 0
        AND line.quantity_allocated + change.quantity + line.quantity_picked
            + line.quantity_shipped <= line.quantity
"""

# an allocation ends once: of two that end it, the second changes nothing
END_ALLOCATIONS = """
    UPDATE inventory_allocation SET state = %s, ended_at = statement_timestamp()
    WHERE tenant_id = %s AND id = ANY(%s::bigint[]) AND state = 'allocated'
    RETURNING id, order_line_id, product_id, location_id, lot_id, quantity
"""

ORDERS_OF_ALLOCATIONS = """
    SELECT DISTINCT line.order_id
    FROM inventory_allocation a
    JOIN inventory_salesorderline line ON line.tenant_id = a.tenant_id AND line.id = a.order_line_id
    WHERE a.tenant_id = %s AND a.id = ANY(%s::bigint[])
"""

EXPIRED_ALLOCATIONS = """
    SELECT a.id FROM inventory_allocation a
    WHERE a.tenant_id = %s AND a.state = 'allocated' AND a.expires_at <= statement_timestamp()
        AND NOT EXISTS (
            SELECT FROM inventory_picktask task
            WHERE task.tenant_id = a.tenant_id AND task.allocation_id = a.id
                AND task.state = 'open'
        )
    ORDER BY a.id LIMIT %s
"""

CANCEL_OPEN_PICKS = """
    UPDATE inventory_picktask SET state = 'cancelled'
    WHERE tenant_id = %s AND allocation_id = ANY(%s::bigint[]) AND state = 'open'
    RETURNING wave_id
"""

# a wave in which nothing is left to pick is over
END_EMPTY_WAVES = """
    UPDATE inventory_wave w
    SET completed_at = statement_timestamp(), version = w.version + 1,
        state = CASE WHEN EXISTS (
            SELECT FROM inventory_picktask task WHERE task.tenant_id = w.tenant_id
                AND task.wave_id = w.id AND task.state IN ('picked', 'short')
        ) THEN 'completed' ELSE 'cancelled' END
    WHERE w.tenant_id = %s AND w.id = ANY(%s::bigint[]) AND w.state = 'released' AND NOT EXISTS (
        SELECT FROM inventory_picktask task
        WHERE task.tenant_id = w.tenant_id AND task.wave_id = w.id AND task.state = 'open'
    )
"""
