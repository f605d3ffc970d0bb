"""The statements of returns: arrays go in through unnest, one round trip for all lines."""

from __future__ import annotations

# the guard: no more is expected back than was shipped, also by two returns at once
ADD_RETURNED = """
    UPDATE inventory_shipmentline line
    SET quantity_returned = line.quantity_returned + back.quantity
    FROM unnest(%s::bigint[], %s::numeric[]) AS back (id, quantity)
    WHERE line.tenant_id = %s AND line.id = back.id
        AND line.quantity_returned + back.quantity BETWEEN 0 AND line.quantity
"""

# what a shipment's goods were worth when they left, by product and lot
SHIPPED_VALUE = """
    SELECT m.document_id, m.product_id, m.lot_id,
        sum(entry.value_change), sum(entry.quantity_change)
    FROM inventory_stockmovement m
    JOIN inventory_valueentry entry ON entry.tenant_id = m.tenant_id AND entry.movement_id = m.id
    WHERE m.tenant_id = %s AND m.document_kind = 'Shipment' AND m.document_id = ANY(%s::bigint[])
    GROUP BY m.document_id, m.product_id, m.lot_id
"""

# the guard: no more comes back than is expected; the lot is that of the first goods
ADD_RECEIVED = """
    UPDATE inventory_customerreturnline line
    SET quantity_received = line.quantity_received + came.quantity,
        lot_id = coalesce(line.lot_id, came.lot_id)
    FROM unnest(%s::bigint[], %s::numeric[], %s::bigint[]) AS came (id, quantity, lot_id)
    WHERE line.tenant_id = %s AND line.id = came.id
        AND line.quantity_received + came.quantity <= line.quantity
"""

# the guard: no more is inspected than came, also by two at once
ADD_INSPECTED = """
    UPDATE inventory_customerreturnline line
    SET quantity_restocked = line.quantity_restocked + seen.restocked,
        quantity_quarantined = line.quantity_quarantined + seen.quarantined,
        quantity_scrapped = line.quantity_scrapped + seen.scrapped,
        quantity_to_supplier = line.quantity_to_supplier + seen.to_supplier,
        note = coalesce(nullif(seen.note, ''), line.note)
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[],
        %s::text[]) AS seen (id, restocked, quarantined, scrapped, to_supplier, note)
    WHERE line.tenant_id = %s AND line.id = seen.id
        AND line.quantity_restocked + line.quantity_quarantined + line.quantity_scrapped
            + line.quantity_to_supplier + seen.restocked + seen.quarantined + seen.scrapped
            + seen.to_supplier <= line.quantity_received
"""

# how much came of what is expected, and how much of that was inspected
STANDING = """
    SELECT coalesce(sum(quantity), 0), coalesce(sum(quantity_received), 0),
        coalesce(sum(quantity_restocked + quantity_quarantined + quantity_scrapped
            + quantity_to_supplier), 0)
    FROM inventory_customerreturnline WHERE tenant_id = %s AND customer_return_id = %s
"""

# goods that do not go to the supplier after all stay where they lie, in quarantine
KEEP_IN_QUARANTINE = """
    UPDATE inventory_customerreturnline line
    SET quantity_to_supplier = line.quantity_to_supplier - kept.quantity,
        quantity_quarantined = line.quantity_quarantined + kept.quantity
    FROM (
        SELECT return_line_id AS id, sum(quantity) AS quantity
        FROM inventory_supplierreturnline
        WHERE tenant_id = %s AND id = ANY(%s::bigint[]) AND return_line_id IS NOT NULL
        GROUP BY return_line_id
    ) AS kept
    WHERE line.tenant_id = %s AND line.id = kept.id
"""
