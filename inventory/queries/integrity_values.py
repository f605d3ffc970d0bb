"""Checks of the book about value: entries, projection, layers and stock say the same."""

from __future__ import annotations

from inventory.queries.differences import Check, Difference, find_differences as _differences


def values_equal_their_entries() -> list[Difference]:
    """Every value is the sum of its entries, in quantity and in money."""
    return _differences(
        "values_equal_their_entries",
        """
        WITH ledger AS (
            SELECT product_id, warehouse_id, sum(quantity_change) AS quantity,
                sum(value_change) AS value
            FROM inventory_valueentry WHERE tenant_id = %(tenant)s
            GROUP BY product_id, warehouse_id
        ), kept AS (
            SELECT product_id, warehouse_id, quantity, value FROM inventory_stockvalue
            WHERE tenant_id = %(tenant)s
        )
        SELECT product_id, warehouse_id, coalesce(ledger.quantity, 0) AS ledger_quantity,
            coalesce(kept.quantity, 0) AS quantity, coalesce(ledger.value, 0) AS ledger_value,
            coalesce(kept.value, 0) AS value
        FROM ledger FULL JOIN kept USING (product_id, warehouse_id)
        WHERE coalesce(ledger.quantity, 0) <> coalesce(kept.quantity, 0)
            OR coalesce(ledger.value, 0) <> coalesce(kept.value, 0)
        ORDER BY 1, 2
        """,
    )


def nothing_is_worth_nothing() -> list[Difference]:
    """Quantity zero is worth zero, and nothing is worth less."""
    return _differences(
        "nothing_is_worth_nothing",
        """
        SELECT id AS value_id, product_id, warehouse_id, quantity, value
        FROM inventory_stockvalue
        WHERE tenant_id = %(tenant)s
            AND (value < 0 OR quantity < 0 OR (quantity = 0 AND value <> 0))
        ORDER BY id
        """,
    )


def values_cover_the_stock() -> list[Difference]:
    """What is valued in a warehouse is what its balances say lies there."""
    return _differences(
        "values_cover_the_stock",
        """
        WITH lying AS (
            SELECT b.product_id, l.warehouse_id, sum(b.on_hand) AS on_hand
            FROM inventory_stockbalance b
            JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
            WHERE b.tenant_id = %(tenant)s GROUP BY b.product_id, l.warehouse_id
        ), kept AS (
            SELECT product_id, warehouse_id, quantity FROM inventory_stockvalue
            WHERE tenant_id = %(tenant)s
        )
        SELECT product_id, warehouse_id, coalesce(on_hand, 0) AS on_hand,
            coalesce(quantity, 0) AS valued
        FROM lying FULL JOIN kept USING (product_id, warehouse_id)
        WHERE coalesce(on_hand, 0) <> coalesce(quantity, 0)
        ORDER BY 1, 2
        """,
    )


def layers_equal_the_value() -> list[Difference]:
    """First in, first out: the layers sum to the value. Moving average: there are none."""
    return _differences(
        "layers_equal_the_value",
        """
        SELECT kept.product_id, kept.warehouse_id, kept.method, kept.quantity,
            coalesce(layers.quantity, 0) AS layer_quantity, kept.value,
            coalesce(layers.value, 0) AS layer_value
        FROM inventory_stockvalue kept
        LEFT JOIN (
            SELECT product_id, warehouse_id, sum(remaining_quantity) AS quantity,
                sum(remaining_value) AS value
            FROM inventory_costlayer WHERE tenant_id = %(tenant)s
            GROUP BY product_id, warehouse_id
        ) AS layers USING (product_id, warehouse_id)
        WHERE kept.tenant_id = %(tenant)s AND CASE WHEN kept.method = 'fifo'
            THEN (kept.quantity, kept.value)
                <> (coalesce(layers.quantity, 0), coalesce(layers.value, 0))
            ELSE coalesce(layers.quantity, 0) <> 0 END
        ORDER BY 1, 2
        """,
    )


def entries_mirror_their_movements() -> list[Difference]:
    """An entry moves the quantity of its movement; between warehouses no value is won or lost."""
    return _differences(
        "entries_mirror_their_movements",
        """
        SELECT e.movement_id, m.quantity AS moved, min(e.quantity_change) AS least,
            max(e.quantity_change) AS most, sum(e.value_change) AS value
        FROM inventory_valueentry e
        JOIN inventory_stockmovement m ON m.tenant_id = e.tenant_id AND m.id = e.movement_id
        WHERE e.tenant_id = %(tenant)s
        GROUP BY e.movement_id, m.quantity
        HAVING bool_or(abs(e.quantity_change) <> m.quantity)
            OR (count(*) = 2 AND (sum(e.quantity_change) <> 0 OR sum(e.value_change) <> 0))
            OR count(*) > 2
        ORDER BY 1
        """,
    )


VALUE_CHECKS: tuple[Check, ...] = (
    values_equal_their_entries,
    nothing_is_worth_nothing,
    values_cover_the_stock,
    layers_equal_the_value,
    entries_mirror_their_movements,
)
