"""Checks of the book about value: entries, projection, layers and stock say the same."""

from __future__ import annotations

from inventory.queries.differences import Check, Difference, find_differences as _differences

# each closing and the one before it: what is checked step by step is right by induction
CLOSINGS = """
    closing AS (
        SELECT through AS day, lag(through) OVER (ORDER BY through) AS before
        FROM inventory_periodclosing WHERE tenant_id = %(tenant)s
    )
"""


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


def closings_are_what_is_closed() -> list[Difference]:
    """The last closing that stands is the day the settings say the books are closed through."""
    return _differences(
        "closings_are_what_is_closed",
        """
        SELECT settings.closed_through, max(closing.through) AS last_closing
        FROM inventory_periodclosing closing
        LEFT JOIN inventory_inventorysettings settings ON settings.tenant_id = closing.tenant_id
        WHERE closing.tenant_id = %(tenant)s
        GROUP BY settings.closed_through
        HAVING settings.closed_through IS NULL OR max(closing.through) > settings.closed_through
        """,
    )


def stock_snapshots_equal_the_ledger() -> list[Difference]:
    """A snapshot of stock is the one before it and the movements of the days between."""
    return _differences(
        "stock_snapshots_equal_the_ledger",
        f"""
        WITH {CLOSINGS}, expected AS (
            SELECT day, product_id, location_id, lot_id, sum(quantity) AS quantity
            FROM (
                SELECT c.day, s.product_id, s.location_id, s.lot_id, s.quantity
                FROM closing c
                JOIN inventory_stocksnapshot s ON s.tenant_id = %(tenant)s AND s.day = c.before
                UNION ALL
                SELECT c.day, m.product_id, side.location_id, m.lot_id, side.sign * m.quantity
                FROM closing c
                JOIN inventory_stockmovement m ON m.tenant_id = %(tenant)s
                    AND m.business_day <= c.day
                    AND m.business_day > coalesce(c.before, '-infinity')
                CROSS JOIN LATERAL (VALUES (m.from_location_id, -1), (m.to_location_id, 1))
                    AS side (location_id, sign)
                JOIN inventory_location l ON l.tenant_id = m.tenant_id AND l.id = side.location_id
                WHERE l.kind NOT IN ('supplier', 'customer', 'loss')
            ) AS part
            GROUP BY day, product_id, location_id, lot_id HAVING sum(quantity) <> 0
        ), kept AS (
            SELECT * FROM inventory_stocksnapshot WHERE tenant_id = %(tenant)s
        )
        SELECT coalesce(e.day, k.day) AS day, coalesce(e.product_id, k.product_id) AS product_id,
            coalesce(e.location_id, k.location_id) AS location_id,
            coalesce(e.lot_id, k.lot_id) AS lot_id, coalesce(e.quantity, 0) AS ledger,
            coalesce(k.quantity, 0) AS snapshot
        FROM expected e FULL JOIN kept k ON k.day = e.day AND k.product_id = e.product_id
            AND k.location_id = e.location_id AND coalesce(k.lot_id, 0) = coalesce(e.lot_id, 0)
        WHERE coalesce(e.quantity, 0) <> coalesce(k.quantity, 0)
        ORDER BY 1, 2, 3
        """,  # noqa: S608 - constants only
    )


def value_snapshots_equal_the_ledger() -> list[Difference]:
    """A snapshot of value is the one before it and the entries of the days between."""
    return _differences(
        "value_snapshots_equal_the_ledger",
        f"""
        WITH {CLOSINGS}, expected AS (
            SELECT day, product_id, warehouse_id, sum(quantity) AS quantity, sum(value) AS value
            FROM (
                SELECT c.day, s.product_id, s.warehouse_id, s.quantity, s.value
                FROM closing c
                JOIN inventory_valuesnapshot s ON s.tenant_id = %(tenant)s AND s.day = c.before
                UNION ALL
                SELECT c.day, e.product_id, e.warehouse_id, e.quantity_change, e.value_change
                FROM closing c
                JOIN inventory_valueentry e ON e.tenant_id = %(tenant)s
                    AND e.business_day <= c.day
                    AND e.business_day > coalesce(c.before, '-infinity')
            ) AS part
            GROUP BY day, product_id, warehouse_id
            HAVING sum(quantity) <> 0 OR sum(value) <> 0
        ), kept AS (
            SELECT * FROM inventory_valuesnapshot WHERE tenant_id = %(tenant)s
        )
        SELECT day, product_id, warehouse_id, coalesce(e.quantity, 0) AS ledger_quantity,
            coalesce(k.quantity, 0) AS quantity, coalesce(e.value, 0) AS ledger_value,
            coalesce(k.value, 0) AS value
        FROM expected e FULL JOIN kept k USING (day, product_id, warehouse_id)
        WHERE coalesce(e.quantity, 0) <> coalesce(k.quantity, 0)
            OR coalesce(e.value, 0) <> coalesce(k.value, 0)
        ORDER BY 1, 2, 3
        """,  # noqa: S608 - constants only
    )


VALUE_CHECKS: tuple[Check, ...] = (
    values_equal_their_entries,
    nothing_is_worth_nothing,
    values_cover_the_stock,
    layers_equal_the_value,
    entries_mirror_their_movements,
    closings_are_what_is_closed,
    stock_snapshots_equal_the_ledger,
    value_snapshots_equal_the_ledger,
)
