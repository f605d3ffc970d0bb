"""What is there, what may be promised, and what is on its way: per product and warehouse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from inventory.models import PROMISABLE_KINDS, PurchaseOrderState, SalesOrderState
from inventory.queries.access import allowed_warehouses
from tenancy.scope import active_tenant_id


@dataclass(frozen=True, slots=True)
class Availability:
    """Base units. ``unusable`` is on hand, but damaged, in quarantine, expired or held.

    ``allocated`` is promised, to customers or to transfers. ``owed``: accepted orders have not been
    shipped it yet; ``backordered`` of that has nothing promised, the rest is still on hand.
    """

    product_id: int
    warehouse_id: int
    on_hand: Decimal
    allocated: Decimal
    available: Decimal
    unusable: Decimal
    in_transit: Decimal
    on_order: Decimal
    backordered: Decimal = Decimal(0)
    owed: Decimal = Decimal(0)

    @property
    def inventory_position(self) -> Decimal:
        """Return what will serve further demand without a further order.

        Unusable stock will not, nor what customers are owed already, though it is still on hand.
        """
        return self.on_hand - self.unusable + self.in_transit + self.on_order - self.owed


# "good": the lot is neither held nor expired on the business day of the warehouse
AVAILABILITY = """
    WITH stock AS (
        SELECT b.product_id, l.warehouse_id, l.kind, b.on_hand, b.allocated,
            l.is_active AND l.kind = ANY(%(promisable)s) AS promisable,
            lot.id IS NULL OR (lot.status = 'available' AND (lot.expires_on IS NULL
                OR lot.expires_on >= coalesce(%(on)s::date,
                    (statement_timestamp() AT TIME ZONE w.time_zone)::date))) AS good
        FROM inventory_stockbalance b
        JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
        JOIN inventory_warehouse w ON w.tenant_id = l.tenant_id AND w.id = l.warehouse_id
        LEFT JOIN inventory_lot lot ON lot.tenant_id = b.tenant_id AND lot.id = b.lot_id
        WHERE b.tenant_id = %(tenant)s AND b.on_hand > 0
            AND (%(products)s::bigint[] IS NULL OR b.product_id = ANY(%(products)s::bigint[]))
            AND (%(warehouse)s::bigint IS NULL OR l.warehouse_id = %(warehouse)s)
            AND (%(allowed)s::bigint[] IS NULL OR l.warehouse_id = ANY(%(allowed)s::bigint[]))
    ), totals AS (
        SELECT product_id, warehouse_id,
            sum(on_hand) FILTER (WHERE kind <> 'in_transit') AS on_hand,
            sum(allocated) AS allocated,
            sum(on_hand - allocated) FILTER (WHERE promisable AND good) AS available,
            sum(on_hand) FILTER (WHERE kind IN ('quarantine', 'damaged')
                OR (kind <> 'in_transit' AND NOT good)) AS unusable,
            sum(on_hand) FILTER (WHERE kind = 'in_transit') AS in_transit
        FROM stock GROUP BY product_id, warehouse_id
    ), ordered AS (
        SELECT line.product_id, o.warehouse_id,
            sum(greatest(line.quantity - line.quantity_received, 0)) AS on_order
        FROM inventory_purchaseorderline line
        JOIN inventory_purchaseorder o ON o.tenant_id = line.tenant_id AND o.id = line.order_id
        WHERE line.tenant_id = %(tenant)s AND o.state = ANY(%(open)s)
            AND (%(products)s::bigint[] IS NULL OR line.product_id = ANY(%(products)s::bigint[]))
            AND (%(warehouse)s::bigint IS NULL OR o.warehouse_id = %(warehouse)s)
            AND (%(allowed)s::bigint[] IS NULL OR o.warehouse_id = ANY(%(allowed)s::bigint[]))
        GROUP BY line.product_id, o.warehouse_id
    ), owed AS (
        SELECT line.product_id, o.warehouse_id, sum(line.quantity - line.quantity_allocated
                - line.quantity_picked - line.quantity_shipped) AS backordered,
            sum(line.quantity - line.quantity_shipped) AS owed
        FROM inventory_salesorderline line
        JOIN inventory_salesorder o ON o.tenant_id = line.tenant_id AND o.id = line.order_id
        WHERE line.tenant_id = %(tenant)s AND o.state = ANY(%(owing)s)
            AND line.quantity > line.quantity_shipped
            AND (%(products)s::bigint[] IS NULL OR line.product_id = ANY(%(products)s::bigint[]))
            AND (%(warehouse)s::bigint IS NULL OR o.warehouse_id = %(warehouse)s)
        GROUP BY line.product_id, o.warehouse_id
    )
    SELECT product_id, warehouse_id, coalesce(on_hand, 0), coalesce(allocated, 0),
        coalesce(available, 0), coalesce(unusable, 0), coalesce(in_transit, 0),
        coalesce(on_order, 0), coalesce(backordered, 0), coalesce(owed, 0)
    FROM totals FULL JOIN ordered USING (product_id, warehouse_id)
    FULL JOIN owed USING (product_id, warehouse_id)
    ORDER BY product_id, warehouse_id
"""


def availability(
    *,
    product_ids: Iterable[int] | None = None,
    warehouse_id: int | None = None,
    on: date | None = None,
) -> list[Availability]:
    """Return the availability of some or all products, by product and warehouse: one query.

    Only of warehouses the actor works in.
    Products with nothing on hand, in transit, on order or backordered have no row. ``on`` is the
    day on which lots must not have expired (default: today in each warehouse).
    """
    allowed = allowed_warehouses()
    arguments: dict[str, Any] = {
        "allowed": None if allowed is None else sorted(allowed),
        "tenant": active_tenant_id(),
        "products": None if product_ids is None else list(product_ids),
        "warehouse": warehouse_id,
        "on": on,
        "promisable": sorted(str(kind) for kind in PROMISABLE_KINDS),
        "open": [str(state) for state in PurchaseOrderState.on_order()],
        "owing": [str(state) for state in SalesOrderState.owing()],
    }
    with connection.cursor() as cursor:
        cursor.execute(AVAILABILITY, arguments)
        return [Availability(*row) for row in cursor.fetchall()]
