"""Checks of the book about transfers: nothing vanishes between two warehouses."""

from __future__ import annotations

from inventory.queries.differences import Check, Difference, find_differences as _differences


def transfers_equal_their_movements() -> list[Difference]:
    """What was sent, received and lost of each lot is what moved, less what was taken back."""
    return _differences(
        "transfers_equal_their_movements",
        """
        WITH moved AS (
            SELECT m.document_id AS order_id, m.product_id, m.lot_id,
                sum(sign * m.quantity) FILTER (WHERE m.reason = 70) AS sent,
                sum(sign * m.quantity) FILTER (WHERE m.reason = 75) AS received,
                sum(sign * m.quantity) FILTER (WHERE m.reason = 77) AS lost
            FROM inventory_stockmovement m
            CROSS JOIN LATERAL (SELECT CASE WHEN m.reverses_id IS NULL THEN 1 ELSE -1 END)
                AS way (sign)
            WHERE m.tenant_id = %(tenant)s AND m.document_kind = 'TransferOrder'
            GROUP BY m.document_id, m.product_id, m.lot_id
        ), said AS (
            SELECT line.order_id, line.product_id, piece.lot_id, piece.quantity AS sent,
                piece.quantity_received AS received, piece.quantity_lost AS lost
            FROM inventory_transferpiece piece
            JOIN inventory_transferline line
                ON line.tenant_id = piece.tenant_id AND line.id = piece.line_id
            WHERE piece.tenant_id = %(tenant)s
        )
        SELECT coalesce(moved.order_id, said.order_id) AS order_id,
            coalesce(moved.product_id, said.product_id) AS product_id,
            coalesce(moved.lot_id, said.lot_id) AS lot_id,
            coalesce(moved.sent, 0) AS moved_out, coalesce(said.sent, 0) AS sent,
            coalesce(moved.received, 0) AS moved_in, coalesce(said.received, 0) AS received,
            coalesce(moved.lost, 0) AS moved_to_loss, coalesce(said.lost, 0) AS lost
        FROM moved FULL JOIN said ON moved.order_id = said.order_id
            AND moved.product_id = said.product_id
            AND coalesce(moved.lot_id, 0) = coalesce(said.lot_id, 0)
        WHERE coalesce(moved.sent, 0) <> coalesce(said.sent, 0)
            OR coalesce(moved.received, 0) <> coalesce(said.received, 0)
            OR coalesce(moved.lost, 0) <> coalesce(said.lost, 0)
        ORDER BY 1, 2, 3
        """,
    )


def in_transit_is_what_transfers_say() -> list[Difference]:
    """What lies in transit to a warehouse is what was sent there and has not arrived."""
    return _differences(
        "in_transit_is_what_transfers_say",
        """
        WITH lying AS (
            SELECT l.warehouse_id, b.product_id, b.lot_id, sum(b.on_hand) AS on_hand
            FROM inventory_stockbalance b
            JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
            WHERE b.tenant_id = %(tenant)s AND l.kind = 'in_transit'
            GROUP BY l.warehouse_id, b.product_id, b.lot_id
        ), said AS (
            SELECT o.to_warehouse_id AS warehouse_id, line.product_id, piece.lot_id,
                sum(piece.quantity - piece.quantity_received - piece.quantity_lost) AS on_the_way
            FROM inventory_transferpiece piece
            JOIN inventory_transferline line
                ON line.tenant_id = piece.tenant_id AND line.id = piece.line_id
            JOIN inventory_transferorder o
                ON o.tenant_id = line.tenant_id AND o.id = line.order_id
            WHERE piece.tenant_id = %(tenant)s
            GROUP BY o.to_warehouse_id, line.product_id, piece.lot_id
        )
        SELECT coalesce(lying.warehouse_id, said.warehouse_id) AS warehouse_id,
            coalesce(lying.product_id, said.product_id) AS product_id,
            coalesce(lying.lot_id, said.lot_id) AS lot_id,
            coalesce(on_hand, 0) AS on_hand, coalesce(on_the_way, 0) AS on_the_way
        FROM lying FULL JOIN said ON lying.warehouse_id = said.warehouse_id
            AND lying.product_id = said.product_id
            AND coalesce(lying.lot_id, 0) = coalesce(said.lot_id, 0)
        WHERE coalesce(on_hand, 0) <> coalesce(on_the_way, 0)
        ORDER BY 1, 2, 3
        """,
    )


def transfer_lines_are_the_sum_of_their_pieces() -> list[Difference]:
    """A line says of its lots together what each says of itself."""
    return _differences(
        "transfer_lines_are_the_sum_of_their_pieces",
        """
        SELECT line.order_id, line.product_id, line.quantity_sent, line.quantity_received,
            line.quantity_lost, coalesce(sum(piece.quantity), 0) AS sent,
            coalesce(sum(piece.quantity_received), 0) AS received,
            coalesce(sum(piece.quantity_lost), 0) AS lost
        FROM inventory_transferline line
        LEFT JOIN inventory_transferpiece piece
            ON piece.tenant_id = line.tenant_id AND piece.line_id = line.id
        WHERE line.tenant_id = %(tenant)s
        GROUP BY line.tenant_id, line.id
        HAVING line.quantity_sent <> coalesce(sum(piece.quantity), 0)
            OR line.quantity_received <> coalesce(sum(piece.quantity_received), 0)
            OR line.quantity_lost <> coalesce(sum(piece.quantity_lost), 0)
        ORDER BY line.order_id, line.id
        """,
    )


def transfers_are_promised_what_is_still_to_go() -> list[Difference]:
    """A transfer holds no more stock than it will still send, and none when it is over."""
    return _differences(
        "transfers_are_promised_what_is_still_to_go",
        """
        SELECT line.order_id, line.product_id, o.state, line.quantity, line.quantity_sent,
            sum(a.quantity) AS promised
        FROM inventory_transferline line
        JOIN inventory_transferorder o ON o.tenant_id = line.tenant_id AND o.id = line.order_id
        JOIN inventory_allocation a ON a.tenant_id = line.tenant_id
            AND a.transfer_line_id = line.id AND a.state = 'allocated'
        WHERE line.tenant_id = %(tenant)s
        GROUP BY line.tenant_id, line.id, o.state
        HAVING sum(a.quantity) > line.quantity - line.quantity_sent
            OR o.state NOT IN ('released', 'in_transit')
        ORDER BY line.order_id, line.id
        """,
    )


TRANSFER_CHECKS: tuple[Check, ...] = (
    transfers_equal_their_movements,
    in_transit_is_what_transfers_say,
    transfer_lines_are_the_sum_of_their_pieces,
    transfers_are_promised_what_is_still_to_go,
)
