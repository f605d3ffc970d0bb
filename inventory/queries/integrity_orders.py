"""Checks of the book about sales orders: promises, lines, demand and states say the same."""

from __future__ import annotations

from inventory.queries.differences import Check, Difference, find_differences


def promises_equal_their_allocations() -> list[Difference]:
    """What a balance has promised is the sum of the live allocations there.

    Allocated goods are promised where they lie, picked ones where they were brought.
    """
    return find_differences(
        "promises_equal_their_allocations",
        """
        WITH promised AS (
            SELECT product_id, coalesce(lot_id, 0) AS lot_id, sum(quantity) AS total,
                CASE state WHEN 'picked' THEN picked_into_id ELSE location_id END AS location_id
            FROM inventory_allocation
            WHERE tenant_id = %(tenant)s AND state IN ('allocated', 'picked')
            GROUP BY product_id, 2, 4
        ), kept AS (
            SELECT product_id, coalesce(lot_id, 0) AS lot_id, location_id, allocated
            FROM inventory_stockbalance WHERE tenant_id = %(tenant)s AND allocated <> 0
        )
        SELECT product_id, location_id, lot_id, coalesce(promised.total, 0) AS allocations,
            coalesce(kept.allocated, 0) AS allocated
        FROM promised FULL JOIN kept USING (product_id, location_id, lot_id)
        WHERE coalesce(promised.total, 0) <> coalesce(kept.allocated, 0)
        ORDER BY 1, 2, 3
        """,
    )


def order_lines_equal_their_allocations() -> list[Difference]:
    """What a line says is allocated and picked is the sum of its allocations in that state."""
    return find_differences(
        "order_lines_equal_their_allocations",
        """
        SELECT line.id AS line_id, line.order_id, line.quantity_allocated, line.quantity_picked,
            coalesce(sums.allocated, 0) AS allocations, coalesce(sums.picked, 0) AS picked
        FROM inventory_salesorderline line
        LEFT JOIN (
            SELECT order_line_id, sum(quantity) FILTER (WHERE state = 'allocated') AS allocated,
                sum(quantity) FILTER (WHERE state = 'picked') AS picked
            FROM inventory_allocation
            WHERE tenant_id = %(tenant)s AND state IN ('allocated', 'picked')
            GROUP BY order_line_id
        ) AS sums ON sums.order_line_id = line.id
        WHERE line.tenant_id = %(tenant)s AND (line.quantity_allocated, line.quantity_picked)
            <> (coalesce(sums.allocated, 0), coalesce(sums.picked, 0))
        ORDER BY line.id
        """,
    )


def only_owing_orders_hold_stock() -> list[Difference]:
    """A draft, closed or cancelled order has nothing promised, and a shipped one nothing left."""
    return find_differences(
        "only_owing_orders_hold_stock",
        """
        SELECT o.id AS order_id, o.state, sum(line.quantity_allocated) AS allocated,
            sum(line.quantity_picked) AS picked
        FROM inventory_salesorder o
        JOIN inventory_salesorderline line ON line.tenant_id = o.tenant_id AND line.order_id = o.id
        WHERE o.tenant_id = %(tenant)s AND o.state IN ('draft', 'shipped', 'closed', 'cancelled')
            AND line.quantity_allocated + line.quantity_picked > 0
        GROUP BY o.id, o.state ORDER BY o.id
        """,
    )


def orders_follow_their_lines() -> list[Difference]:
    """The coarse states agree with the lines: shipped, allocated in full, nothing at all."""
    return find_differences(
        "orders_follow_their_lines",
        """
        WITH told AS (
            SELECT o.id AS order_id, o.state, bool_and(line.quantity_shipped = line.quantity)
                    AS all_shipped,
                bool_and(line.quantity = line.quantity_allocated + line.quantity_picked
                    + line.quantity_shipped) AS all_served,
                bool_or(line.quantity_allocated > 0) AS some_allocated,
                bool_or(line.quantity_picked > 0) AS some_picked
            FROM inventory_salesorder o
            JOIN inventory_salesorderline line
                ON line.tenant_id = o.tenant_id AND line.order_id = o.id
            WHERE o.tenant_id = %(tenant)s AND o.state NOT IN ('draft', 'closed', 'cancelled')
            GROUP BY o.id, o.state
        )
        SELECT order_id, state, all_shipped, all_served, some_allocated, some_picked FROM told
        WHERE (state = 'shipped') <> all_shipped
            OR some_picked AND state NOT IN ('picking', 'packed', 'shipped')
            OR state = 'packed' AND (some_allocated OR NOT some_picked)
            OR state = 'allocated' AND NOT all_served
            OR state = 'partially_allocated' AND (all_served OR NOT some_allocated)
            OR state IN ('confirmed', 'backordered') AND (some_allocated OR all_served)
        ORDER BY order_id
        """,
    )


def demand_covers_its_sources() -> list[Difference]:
    """The demand of a day is at least what imported sales and confirmed orders of it say."""
    return find_differences(
        "demand_covers_its_sources",
        """
        WITH asked AS (
            SELECT product_id, warehouse_id, business_day, channel_id, segment_id, quantity
            FROM inventory_importedsale
            WHERE tenant_id = %(tenant)s AND NOT is_cancelled AND quantity > 0
            UNION ALL
            SELECT line.product_id, o.warehouse_id, o.demand_day, o.channel_id, o.segment_id,
                line.quantity
            FROM inventory_salesorder o
            JOIN inventory_salesorderline line
                ON line.tenant_id = o.tenant_id AND line.order_id = o.id
            WHERE o.tenant_id = %(tenant)s AND o.demand_day IS NOT NULL
        ), sources AS (
            SELECT product_id, warehouse_id, business_day, channel_id, segment_id,
                sum(quantity) AS total
            FROM asked GROUP BY product_id, warehouse_id, business_day, channel_id, segment_id
        )
        SELECT sources.product_id, sources.warehouse_id, sources.business_day, sources.channel_id,
            sources.segment_id, sources.total AS asked, demand.quantity AS demand
        FROM sources
        LEFT JOIN inventory_dailydemand demand ON demand.tenant_id = %(tenant)s
            AND demand.product_id = sources.product_id
            AND demand.warehouse_id = sources.warehouse_id
            AND demand.business_day = sources.business_day
            AND coalesce(demand.channel_id, 0) = coalesce(sources.channel_id, 0)
            AND coalesce(demand.segment_id, 0) = coalesce(sources.segment_id, 0)
        WHERE coalesce(demand.quantity, 0) < sources.total
        ORDER BY 1, 2, 3
        """,
    )


def shipments_equal_their_movements() -> list[Difference]:
    """What a shipment says has left is what moved to the customer, by product and lot."""
    return find_differences(
        "shipments_equal_their_movements",
        """
        WITH moved AS (
            SELECT document_id AS shipment_id, product_id, lot_id,
                sum(CASE WHEN reverses_id IS NULL THEN quantity ELSE -quantity END) AS quantity
            FROM inventory_stockmovement
            WHERE tenant_id = %(tenant)s AND document_kind = 'Shipment'
            GROUP BY document_id, product_id, lot_id
        ), said AS (
            SELECT shipment_id, product_id, lot_id, sum(quantity) AS quantity
            FROM inventory_shipmentline WHERE tenant_id = %(tenant)s
            GROUP BY shipment_id, product_id, lot_id
        )
        SELECT coalesce(moved.shipment_id, said.shipment_id) AS shipment_id,
            coalesce(moved.product_id, said.product_id) AS product_id,
            coalesce(moved.lot_id, said.lot_id) AS lot_id,
            coalesce(moved.quantity, 0) AS moved, coalesce(said.quantity, 0) AS shipped
        FROM moved FULL JOIN said ON moved.shipment_id = said.shipment_id
            AND moved.product_id = said.product_id
            AND coalesce(moved.lot_id, 0) = coalesce(said.lot_id, 0)
        WHERE coalesce(moved.quantity, 0) <> coalesce(said.quantity, 0)
        ORDER BY 1, 2, 3
        """,
    )


ORDER_CHECKS: tuple[Check, ...] = (
    promises_equal_their_allocations,
    order_lines_equal_their_allocations,
    only_owing_orders_hold_stock,
    orders_follow_their_lines,
    demand_covers_its_sources,
    shipments_equal_their_movements,
)
