"""The statements of counting. Arrays go in through unnest, so each is one round trip."""

from __future__ import annotations

# what lies there and its version are read with the entry, in one snapshot
ENTER_LINES = """
    INSERT INTO inventory_countline
        (tenant_id, count_id, round_number, counted_by_kind, counted_by_id, counted_by_label,
         counted_at, product_id, lot_id, counted, expected, on_hand_version, unit_cost)
    SELECT %(tenant)s, %(count)s, %(round)s, %(kind)s, %(actor)s, %(label)s, statement_timestamp(),
        entry.product_id, entry.lot_id, entry.counted, coalesce(b.on_hand, 0),
        coalesce(b.on_hand_version, 0),
        coalesce(round(nullif(v.value, 0) / nullif(v.quantity, 0), 6), p.unit_cost)
    FROM unnest(%(products)s::bigint[], %(lots)s::bigint[], %(counted)s::numeric[])
        AS entry (product_id, lot_id, counted)
    JOIN inventory_product p ON p.tenant_id = %(tenant)s AND p.id = entry.product_id
    LEFT JOIN inventory_stockbalance b
        ON b.tenant_id = %(tenant)s AND b.location_id = %(location)s
        AND b.product_id = entry.product_id AND b.lot_id IS NOT DISTINCT FROM entry.lot_id
    LEFT JOIN inventory_stockvalue v
        ON v.tenant_id = %(tenant)s AND v.warehouse_id = %(warehouse)s
        AND v.product_id = entry.product_id
    ORDER BY entry.product_id, coalesce(entry.lot_id, 0)
    ON CONFLICT (tenant_id, count_id, product_id, lot_id, round_number) DO UPDATE SET
        counted = EXCLUDED.counted, expected = EXCLUDED.expected,
        on_hand_version = EXCLUDED.on_hand_version, unit_cost = EXCLUDED.unit_cost,
        counted_by_kind = EXCLUDED.counted_by_kind, counted_by_id = EXCLUDED.counted_by_id,
        counted_by_label = EXCLUDED.counted_by_label, counted_at = EXCLUDED.counted_at
    RETURNING id
"""

# lines whose balance is not where the posting of their variance left it: somebody was quicker
MOVED_MEANWHILE = """
    SELECT line.id
    FROM unnest(%s::bigint[], %s::bigint[]) AS posted (id, on_hand_version)
    JOIN inventory_countline line ON line.tenant_id = %s AND line.id = posted.id
    LEFT JOIN inventory_stockbalance b
        ON b.tenant_id = line.tenant_id AND b.location_id = %s
        AND b.product_id = line.product_id AND b.lot_id IS NOT DISTINCT FROM line.lot_id
    WHERE coalesce(b.on_hand_version, 0) <> posted.on_hand_version
"""

# a balance is the sum of its movements, so what moved since is what it differs by; a line that
# would fall below zero is not changed
REBASE_LINES = """
    UPDATE inventory_countline line
    SET moved_since = moved.on_hand - line.expected, on_hand_version = moved.on_hand_version
    FROM (
        SELECT stale.id, coalesce(b.on_hand, 0) AS on_hand,
            coalesce(b.on_hand_version, 0) AS on_hand_version
        FROM inventory_countline stale
        LEFT JOIN inventory_stockbalance b
            ON b.tenant_id = stale.tenant_id AND b.location_id = %s
            AND b.product_id = stale.product_id AND b.lot_id IS NOT DISTINCT FROM stale.lot_id
        WHERE stale.tenant_id = %s AND stale.id = ANY(%s::bigint[])
    ) AS moved
    WHERE line.tenant_id = %s AND line.id = moved.id
        AND line.counted + moved.on_hand - line.expected >= 0
    RETURNING line.id
"""
