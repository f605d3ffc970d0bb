"""Checks of the book about returns: what came back, what became of it, and what went on."""

from __future__ import annotations

from inventory.queries.differences import Check, Difference, find_differences as _differences


def returns_equal_their_movements() -> list[Difference]:
    """What came back, went to stock and was scrapped is what moved, less what was taken back."""
    return _differences(
        "returns_equal_their_movements",
        """
        WITH moved AS (
            SELECT m.document_id AS return_id, m.product_id, m.lot_id,
                sum(sign * m.quantity) FILTER (WHERE m.reason = 100) AS received,
                sum(sign * m.quantity) FILTER (WHERE m.reason = 40) AS restocked,
                sum(sign * m.quantity) FILTER (WHERE m.reason = 91) AS scrapped
            FROM inventory_stockmovement m
            CROSS JOIN LATERAL (SELECT CASE WHEN m.reverses_id IS NULL THEN 1 ELSE -1 END)
                AS way (sign)
            WHERE m.tenant_id = %(tenant)s AND m.document_kind = 'CustomerReturn'
            GROUP BY m.document_id, m.product_id, m.lot_id
        ), said AS (
            SELECT customer_return_id AS return_id, product_id, lot_id,
                sum(quantity_received) AS received, sum(quantity_restocked) AS restocked,
                sum(quantity_scrapped) AS scrapped
            FROM inventory_customerreturnline WHERE tenant_id = %(tenant)s
            GROUP BY customer_return_id, product_id, lot_id
        )
        SELECT coalesce(moved.return_id, said.return_id) AS return_id,
            coalesce(moved.product_id, said.product_id) AS product_id,
            coalesce(moved.lot_id, said.lot_id) AS lot_id,
            coalesce(moved.received, 0) AS moved_in, coalesce(said.received, 0) AS received,
            coalesce(moved.restocked, 0) AS moved_on, coalesce(said.restocked, 0) AS restocked,
            coalesce(moved.scrapped, 0) AS moved_to_loss, coalesce(said.scrapped, 0) AS scrapped
        FROM moved FULL JOIN said ON moved.return_id = said.return_id
            AND moved.product_id = said.product_id
            AND coalesce(moved.lot_id, 0) = coalesce(said.lot_id, 0)
        WHERE coalesce(moved.received, 0) <> coalesce(said.received, 0)
            OR coalesce(moved.restocked, 0) <> coalesce(said.restocked, 0)
            OR coalesce(moved.scrapped, 0) <> coalesce(said.scrapped, 0)
        ORDER BY 1, 2, 3
        """,
    )


def shipments_count_their_returns() -> list[Difference]:
    """A shipment line says how much of it is expected or back: what its returns say together."""
    return _differences(
        "shipments_count_their_returns",
        """
        SELECT line.id AS shipment_line_id, line.product_id, line.quantity,
            line.quantity_returned, coalesce(said.total, 0) AS returns
        FROM inventory_shipmentline line
        LEFT JOIN (
            SELECT back.shipment_line_id, sum(back.quantity) AS total
            FROM inventory_customerreturnline back
            JOIN inventory_customerreturn r
                ON r.tenant_id = back.tenant_id AND r.id = back.customer_return_id
            WHERE back.tenant_id = %(tenant)s AND r.state <> 'cancelled'
            GROUP BY back.shipment_line_id
        ) AS said ON said.shipment_line_id = line.id
        WHERE line.tenant_id = %(tenant)s
            AND line.quantity_returned <> coalesce(said.total, 0)
        ORDER BY line.id
        """,
    )


def supplier_returns_equal_their_movements() -> list[Difference]:
    """What a sent return says is what left, and of a draft or cancelled one nothing did."""
    return _differences(
        "supplier_returns_equal_their_movements",
        """
        WITH ends AS (
            SELECT m.document_id AS return_id, m.product_id, m.lot_id, m.quantity,
                CASE WHEN m.reverses_id IS NULL THEN m.from_location_id
                    ELSE m.to_location_id END AS location_id,
                CASE WHEN m.reverses_id IS NULL THEN 1 ELSE -1 END AS sign
            FROM inventory_stockmovement m
            WHERE m.tenant_id = %(tenant)s AND m.document_kind = 'SupplierReturn'
        ), moved AS (
            SELECT return_id, product_id, location_id, lot_id, sum(sign * quantity) AS total
            FROM ends GROUP BY return_id, product_id, location_id, lot_id
        ), said AS (
            SELECT line.supplier_return_id AS return_id, line.product_id, line.location_id,
                line.lot_id, sum(line.quantity) AS total
            FROM inventory_supplierreturnline line
            JOIN inventory_supplierreturn r
                ON r.tenant_id = line.tenant_id AND r.id = line.supplier_return_id
            WHERE line.tenant_id = %(tenant)s AND r.state IN ('sent', 'closed')
            GROUP BY line.supplier_return_id, line.product_id, line.location_id, line.lot_id
        )
        SELECT coalesce(moved.return_id, said.return_id) AS return_id,
            coalesce(moved.product_id, said.product_id) AS product_id,
            coalesce(moved.location_id, said.location_id) AS location_id,
            coalesce(moved.total, 0) AS moved, coalesce(said.total, 0) AS said
        FROM moved FULL JOIN said ON moved.return_id = said.return_id
            AND moved.product_id = said.product_id AND moved.location_id = said.location_id
            AND coalesce(moved.lot_id, 0) = coalesce(said.lot_id, 0)
        WHERE coalesce(moved.total, 0) <> coalesce(said.total, 0)
        ORDER BY 1, 2, 3
        """,
    )


def returns_are_handed_on_once() -> list[Difference]:
    """What an inspection gave to suppliers stands on their returns."""
    return _differences(
        "returns_are_handed_on_once",
        """
        SELECT line.id AS return_line_id, line.product_id, line.quantity_to_supplier,
            coalesce(said.total, 0) AS on_supplier_returns
        FROM inventory_customerreturnline line
        LEFT JOIN (
            SELECT going.return_line_id, sum(going.quantity) AS total
            FROM inventory_supplierreturnline going
            JOIN inventory_supplierreturn r
                ON r.tenant_id = going.tenant_id AND r.id = going.supplier_return_id
            WHERE going.tenant_id = %(tenant)s AND r.state <> 'cancelled'
            GROUP BY going.return_line_id
        ) AS said ON said.return_line_id = line.id
        WHERE line.tenant_id = %(tenant)s
            AND line.quantity_to_supplier <> coalesce(said.total, 0)
        ORDER BY line.id
        """,
    )


RETURN_CHECKS: tuple[Check, ...] = (
    returns_equal_their_movements,
    shipments_count_their_returns,
    supplier_returns_equal_their_movements,
    returns_are_handed_on_once,
)
