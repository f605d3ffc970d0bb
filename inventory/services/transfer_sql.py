"""The statements of transfers: arrays go in through unnest, one round trip for all lines."""

from __future__ import annotations

# how much was sent, how much of it is on the way, and whether anything is still promised
STANDING = """
    SELECT coalesce(sum(line.quantity_sent), 0),
        coalesce(sum(line.quantity_sent - line.quantity_received - line.quantity_lost), 0),
        coalesce(bool_or(EXISTS (
            SELECT FROM inventory_allocation a
            WHERE a.tenant_id = line.tenant_id AND a.transfer_line_id = line.id
                AND a.state = 'allocated'
        )), false)
    FROM inventory_transferline line WHERE line.tenant_id = %s AND line.order_id = %s
"""

INSERT_PROMISES = """
    INSERT INTO inventory_allocation (tenant_id, transfer_line_id, product_id, location_id, lot_id,
        quantity, quantity_packed, state)
    SELECT %s, take.*, 0, 'allocated'
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[]) AS take
"""

LOCK_PROMISES = """
    SELECT a.id, line.id, a.product_id, a.location_id, a.lot_id, a.quantity
    FROM inventory_allocation a
    JOIN inventory_transferline line
        ON line.tenant_id = a.tenant_id AND line.id = a.transfer_line_id
    WHERE a.tenant_id = %s AND line.order_id = %s AND a.state = 'allocated'
    ORDER BY a.id FOR UPDATE OF a
"""

# a promise ends once; one that is kept in part goes on with the rest
CHANGE_PROMISES = """
    UPDATE inventory_allocation a
    SET quantity = change.quantity, state = change.state,
        ended_at = CASE WHEN change.state = 'allocated' THEN NULL ELSE statement_timestamp() END
    FROM unnest(%s::bigint[], %s::numeric[], %s::text[]) AS change (id, quantity, state)
    WHERE a.tenant_id = %s AND a.id = change.id AND a.state = 'allocated'
"""
# the part of a promise that ended while the rest went on
INSERT_ENDED = """
    INSERT INTO inventory_allocation (tenant_id, transfer_line_id, product_id, location_id, lot_id,
        quantity, quantity_packed, state, created_at, ended_at)
    SELECT a.tenant_id, a.transfer_line_id, a.product_id, a.location_id, a.lot_id,
        ended.quantity, 0, ended.state, a.created_at, statement_timestamp()
    FROM unnest(%s::bigint[], %s::numeric[], %s::text[]) AS ended (id, quantity, state)
    JOIN inventory_allocation a ON a.tenant_id = %s AND a.id = ended.id
"""

# shared: a lot's status does not change before the goods are on their way
LOCK_LOTS = """
    SELECT id, code, status, expires_on FROM inventory_lot
    WHERE tenant_id = %s AND id = ANY(%s::bigint[]) ORDER BY id FOR SHARE
"""

# the guard: no more is sent than the transfer asks for, also by two at once
ADD_SENT = """
    UPDATE inventory_transferline line SET quantity_sent = line.quantity_sent + leaving.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS leaving (id, quantity)
    WHERE line.tenant_id = %s AND line.id = leaving.id
        AND line.quantity_sent + leaving.quantity <= line.quantity
"""
ADD_PIECES = """
    INSERT INTO inventory_transferpiece AS known
        (tenant_id, line_id, lot_id, quantity, quantity_received, quantity_lost)
    SELECT %s, line_id, lot_id, sum(quantity), 0, 0
    FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[]) AS leaving (line_id, lot_id, quantity)
    GROUP BY line_id, lot_id
    ON CONFLICT (tenant_id, line_id, lot_id)
    DO UPDATE SET quantity = known.quantity + EXCLUDED.quantity
"""

# the guard: no more arrives or is lost than is on the way, also by two at once
ADD_ARRIVED = """
    UPDATE inventory_transferpiece piece
    SET quantity_received = piece.quantity_received + arrived.received,
        quantity_lost = piece.quantity_lost + arrived.lost
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS arrived (id, received, lost)
    WHERE piece.tenant_id = %s AND piece.id = arrived.id
        AND piece.quantity_received + piece.quantity_lost + arrived.received + arrived.lost
            <= piece.quantity
"""
ADD_ARRIVED_TO_LINES = """
    UPDATE inventory_transferline line
    SET quantity_received = line.quantity_received + arrived.received,
        quantity_lost = line.quantity_lost + arrived.lost
    FROM (
        SELECT piece.line_id, sum(given.received) AS received, sum(given.lost) AS lost
        FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS given (id, received, lost)
        JOIN inventory_transferpiece piece ON piece.tenant_id = %s AND piece.id = given.id
        GROUP BY piece.line_id
    ) AS arrived
    WHERE line.tenant_id = %s AND line.id = arrived.line_id
"""

# taking back: what arrived or was lost of a piece stays sent
TAKE_OFF_PIECE = """
    UPDATE inventory_transferpiece piece
    SET quantity = piece.quantity - %s, quantity_received = piece.quantity_received - %s,
        quantity_lost = piece.quantity_lost - %s
    FROM inventory_transferline line
    WHERE piece.tenant_id = %s AND line.tenant_id = piece.tenant_id AND line.id = piece.line_id
        AND line.order_id = %s AND line.product_id = %s AND piece.lot_id IS NOT DISTINCT FROM %s
        AND piece.quantity - %s >= greatest(piece.quantity_received + piece.quantity_lost, 0.000001)
"""
DROP_PIECE = """
    DELETE FROM inventory_transferpiece piece USING inventory_transferline line
    WHERE piece.tenant_id = %s AND line.tenant_id = piece.tenant_id AND line.id = piece.line_id
        AND line.order_id = %s AND line.product_id = %s AND piece.lot_id IS NOT DISTINCT FROM %s
        AND piece.quantity = %s AND piece.quantity_received = 0 AND piece.quantity_lost = 0
"""
TAKE_OFF_LINE = """
    UPDATE inventory_transferline
    SET quantity_sent = quantity_sent - %s, quantity_received = quantity_received - %s,
        quantity_lost = quantity_lost - %s
    WHERE tenant_id = %s AND order_id = %s AND product_id = %s
"""
