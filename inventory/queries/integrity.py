"""The book is checked as a whole: a list of functions, each returning every difference it finds.

Nothing is repaired here. ``manage.py check_ledger`` runs them, and tests do after every step.
"""

from __future__ import annotations

from collections.abc import Iterable

from inventory.queries.differences import (
    Check,
    Difference,
    find_differences as _differences,
)
from inventory.queries.integrity_orders import ORDER_CHECKS
from inventory.queries.integrity_returns import RETURN_CHECKS
from inventory.queries.integrity_transfers import TRANSFER_CHECKS
from inventory.queries.integrity_values import VALUE_CHECKS

# every end of every movement at a place that carries a balance
INSIDE_ENDS = """
    SELECT m.tenant_id, m.product_id, side.location_id, m.lot_id, side.sign * m.quantity AS delta
    FROM inventory_stockmovement m
    CROSS JOIN LATERAL (VALUES (m.from_location_id, -1), (m.to_location_id, 1))
        AS side (location_id, sign)
    JOIN inventory_location l ON l.tenant_id = m.tenant_id AND l.id = side.location_id
    WHERE m.tenant_id = %(tenant)s AND l.kind NOT IN ('supplier', 'customer', 'loss')
"""


def balances_equal_the_ledger() -> list[Difference]:
    """Every balance is the sum of its movements, and every sum that is not zero has a balance."""
    return _differences(
        "balances_equal_the_ledger",
        f"""
        WITH ledger AS (
            SELECT product_id, location_id, lot_id, sum(delta) AS total
            FROM ({INSIDE_ENDS}) AS ends GROUP BY product_id, location_id, lot_id
        ), balance AS (
            SELECT product_id, location_id, lot_id, on_hand FROM inventory_stockbalance
            WHERE tenant_id = %(tenant)s
        )
        SELECT coalesce(ledger.product_id, balance.product_id) AS product_id,
            coalesce(ledger.location_id, balance.location_id) AS location_id,
            coalesce(ledger.lot_id, balance.lot_id) AS lot_id,
            coalesce(total, 0) AS ledger, coalesce(on_hand, 0) AS on_hand
        FROM ledger FULL JOIN balance ON ledger.product_id = balance.product_id
            AND ledger.location_id = balance.location_id
            AND coalesce(ledger.lot_id, 0) = coalesce(balance.lot_id, 0)
        WHERE coalesce(total, 0) <> coalesce(on_hand, 0)
        ORDER BY 1, 2, 3
        """,  # noqa: S608 - constants only
    )


def stock_is_never_negative() -> list[Difference]:
    """Nothing lies below zero."""
    return _differences(
        "stock_is_never_negative",
        """
        SELECT id AS balance_id, product_id, location_id, lot_id, on_hand
        FROM inventory_stockbalance WHERE tenant_id = %(tenant)s AND on_hand < 0 ORDER BY id
        """,
    )


def allocations_are_covered() -> list[Difference]:
    """What is promised lies there."""
    return _differences(
        "allocations_are_covered",
        """
        SELECT id AS balance_id, product_id, location_id, lot_id, on_hand, allocated
        FROM inventory_stockbalance
        WHERE tenant_id = %(tenant)s AND (allocated < 0 OR allocated > on_hand) ORDER BY id
        """,
    )


def outside_places_carry_no_balance() -> list[Difference]:
    """Suppliers, customers and losses have no stock of ours."""
    return _differences(
        "outside_places_carry_no_balance",
        """
        SELECT b.id AS balance_id, b.product_id, b.location_id, l.kind, b.on_hand
        FROM inventory_stockbalance b
        JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
        WHERE b.tenant_id = %(tenant)s AND l.kind IN ('supplier', 'customer', 'loss')
        ORDER BY b.id
        """,
    )


def reversals_mirror_their_movement() -> list[Difference]:
    """A reversal moves the same back, and no movement is taken back twice."""
    return _differences(
        "reversals_mirror_their_movement",
        """
        SELECT back.id AS movement_id, back.reverses_id, back.quantity, m.quantity AS original
        FROM inventory_stockmovement back
        JOIN inventory_stockmovement m ON m.tenant_id = back.tenant_id AND m.id = back.reverses_id
        WHERE back.tenant_id = %(tenant)s AND (
            (back.product_id, back.quantity, back.from_location_id, back.to_location_id)
                <> (m.product_id, m.quantity, m.to_location_id, m.from_location_id)
            OR back.lot_id IS DISTINCT FROM m.lot_id
            OR EXISTS (
                SELECT FROM inventory_stockmovement twice
                WHERE twice.tenant_id = back.tenant_id AND twice.reverses_id = back.reverses_id
                    AND twice.id <> back.id
            )
        ) ORDER BY back.id
        """,
    )


def movements_carry_their_business_day() -> list[Difference]:
    """The business day is the date on the wall of the warehouse when it happened."""
    return _differences(
        "movements_carry_their_business_day",
        """
        SELECT m.id AS movement_id, m.business_day, (m.effective_at AT TIME ZONE w.time_zone)::date
            AS local_day
        FROM inventory_stockmovement m
        JOIN inventory_location f ON f.tenant_id = m.tenant_id AND f.id = m.from_location_id
        JOIN inventory_location t ON t.tenant_id = m.tenant_id AND t.id = m.to_location_id
        JOIN inventory_warehouse w ON w.tenant_id = m.tenant_id AND w.id = CASE
            WHEN f.kind IN ('supplier', 'customer', 'loss') THEN t.warehouse_id
            ELSE f.warehouse_id END
        WHERE m.tenant_id = %(tenant)s
            AND m.business_day <> (m.effective_at AT TIME ZONE w.time_zone)::date
        ORDER BY m.id
        """,
    )


def serials_are_single() -> list[Difference]:
    """A serial number lies in one place, once."""
    return _differences(
        "serials_are_single",
        """
        SELECT b.product_id, b.lot_id, sum(b.on_hand) AS on_hand
        FROM inventory_stockbalance b
        JOIN inventory_product p ON p.tenant_id = b.tenant_id AND p.id = b.product_id
        WHERE b.tenant_id = %(tenant)s AND p.lot_tracking = 'serial'
        GROUP BY b.product_id, b.lot_id HAVING sum(b.on_hand) > 1 ORDER BY 1, 2
        """,
    )


def receipts_are_in_the_ledger() -> list[Difference]:
    """What completed receipts say arrived, and was not taken back, is what their movements say."""
    return _differences(
        "receipts_are_in_the_ledger",
        """
        WITH said AS (
            SELECT line.receipt_id, line.product_id, sum(line.quantity) AS total
            FROM inventory_receiptline line
            JOIN inventory_receipt r ON r.tenant_id = line.tenant_id AND r.id = line.receipt_id
            WHERE line.tenant_id = %(tenant)s AND r.state = 'completed'
                AND line.reversed_at IS NULL
            GROUP BY line.receipt_id, line.product_id
        ), came AS (
            SELECT m.document_id AS receipt_id, m.product_id,
                sum(CASE WHEN m.reverses_id IS NULL THEN m.quantity ELSE -m.quantity END) AS total
            FROM inventory_stockmovement m
            WHERE m.tenant_id = %(tenant)s AND m.document_kind = 'Receipt'
            GROUP BY m.document_id, m.product_id
        )
        SELECT receipt_id, product_id, coalesce(said.total, 0) AS receipt,
            coalesce(came.total, 0) AS ledger
        FROM said FULL JOIN came USING (receipt_id, product_id)
        WHERE coalesce(said.total, 0) <> coalesce(came.total, 0)
        ORDER BY 1, 2
        """,
    )


def receipts_are_on_their_order() -> list[Difference]:
    """An order line has received what its completed receipts say, and no more than is allowed.

    Before there were receipts, movements named the order; one taken back then was not counted off.
    """
    return _differences(
        "receipts_are_on_their_order",
        """
        WITH receipts AS (
            SELECT line.order_line_id, sum(line.quantity) AS total
            FROM inventory_receiptline line
            JOIN inventory_receipt r ON r.tenant_id = line.tenant_id AND r.id = line.receipt_id
            WHERE line.tenant_id = %(tenant)s AND r.state = 'completed'
                AND line.reversed_at IS NULL AND line.order_line_id IS NOT NULL
            GROUP BY line.order_line_id
        ), older AS (
            SELECT m.document_id AS order_id, m.product_id, sum(m.quantity) FILTER (
                WHERE m.reverses_id IS NULL AND NOT EXISTS (
                    SELECT FROM inventory_stockmovement back
                    WHERE back.tenant_id = m.tenant_id AND back.reverses_id = m.id
                )
            ) AS total
            FROM inventory_stockmovement m
            WHERE m.tenant_id = %(tenant)s AND m.document_kind = 'PurchaseOrder'
            GROUP BY m.document_id, m.product_id
        )
        SELECT coalesce(line.order_id, older.order_id) AS order_id,
            coalesce(line.product_id, older.product_id) AS product_id,
            coalesce(receipts.total, 0) + coalesce(older.total, 0) AS came,
            line.quantity_received, line.quantity AS ordered
        FROM (SELECT * FROM inventory_purchaseorderline WHERE tenant_id = %(tenant)s) AS line
        LEFT JOIN receipts ON receipts.order_line_id = line.id
        FULL JOIN older ON older.order_id = line.order_id AND older.product_id = line.product_id
        WHERE line.id IS NULL
            OR line.quantity_received > line.quantity + line.over_receipt_tolerance
            OR coalesce(receipts.total, 0) + coalesce(older.total, 0) > line.quantity_received
            OR (older.order_id IS NULL AND coalesce(receipts.total, 0) < line.quantity_received)
        ORDER BY 1, 2
        """,
    )


LEDGER_CHECKS: tuple[Check, ...] = (
    balances_equal_the_ledger,
    stock_is_never_negative,
    allocations_are_covered,
    outside_places_carry_no_balance,
    reversals_mirror_their_movement,
    movements_carry_their_business_day,
    serials_are_single,
    receipts_are_in_the_ledger,
    receipts_are_on_their_order,
    *VALUE_CHECKS,
)
"""What holds of stock and its movements, whatever documents there are."""

CHECKS: tuple[Check, ...] = (*LEDGER_CHECKS, *TRANSFER_CHECKS, *RETURN_CHECKS, *ORDER_CHECKS)


def check_book(checks: Iterable[Check] = CHECKS) -> list[Difference]:
    """Return every difference that every check finds in the active tenant's book."""
    return [difference for check in checks for difference in check()]
