"""Which places come into question for put-away, with what lies there: two statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection

from inventory.rules.put_away import Mixing, Place, Rule
from tenancy.scope import active_tenant_id

MOST_PLACES = 200
"""How many places with room are looked at in each zone, and in the warehouse, along the way."""
MOST_PLACES_OF_A_PRODUCT = 200

# where the goods of interest lie already, nearest first
HOLDING = """
    SELECT location_id, product_id, lot_id FROM (
        SELECT b.location_id, b.product_id, b.lot_id, row_number() OVER (
            PARTITION BY b.product_id ORDER BY l.walking_order, l.code, b.id
        ) AS place
        FROM inventory_stockbalance b
        JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
        WHERE b.tenant_id = %(tenant)s AND b.on_hand > 0 AND l.kind = 'storage' AND l.is_active
            AND b.product_id = ANY(%(products)s::bigint[])
            AND l.warehouse_id = ANY(%(warehouses)s::bigint[])
            AND (%(only)s::bigint IS NULL OR l.id = %(only)s)
    ) AS held WHERE place <= %(most_of_a_product)s OR %(only)s::bigint IS NOT NULL
"""
# of each zone and of the warehouse the first places with room; those named; and one at least
PLACES = """
    WITH load AS (
        SELECT b.location_id, count(*) AS lots, count(DISTINCT b.product_id) AS products,
            sum(b.on_hand * coalesce(p.volume_l, 0)) AS volume,
            sum(b.on_hand * coalesce(p.weight_kg, 0)) AS weight
        FROM inventory_stockbalance b
        JOIN inventory_product p ON p.tenant_id = b.tenant_id AND p.id = b.product_id
        JOIN inventory_location l ON l.tenant_id = b.tenant_id AND l.id = b.location_id
        WHERE b.tenant_id = %(tenant)s AND b.on_hand > 0 AND l.kind = 'storage'
            AND l.warehouse_id = ANY(%(warehouses)s::bigint[])
            AND (%(only)s::bigint IS NULL OR l.id = %(only)s)
        GROUP BY b.location_id
    ), place AS (
        SELECT l.id, l.warehouse_id, l.zone_id, l.walking_order, l.code, l.mixing_rule,
            l.max_volume_l, l.max_weight_kg, coalesce(load.volume, 0) AS volume,
            coalesce(load.weight, 0) AS weight, coalesce(load.products, 0) AS products,
            coalesce(load.lots, 0) AS lots,
            (l.max_volume_l IS NULL OR coalesce(load.volume, 0) < l.max_volume_l)
                AND (l.max_weight_kg IS NULL OR coalesce(load.weight, 0) < l.max_weight_kg)
                AND (l.mixing_rule = 'any' OR load.lots IS NULL) AS is_open
        FROM inventory_location l
        LEFT JOIN load ON load.location_id = l.id
        WHERE l.tenant_id = %(tenant)s AND l.kind = 'storage'
            AND l.warehouse_id = ANY(%(warehouses)s::bigint[])
            AND (l.is_active AND %(only)s::bigint IS NULL OR l.id = %(only)s)
    ), numbered AS (
        SELECT place.*,
            row_number() OVER (PARTITION BY warehouse_id, is_open, zone_id
                ORDER BY walking_order, code, id) AS in_zone,
            row_number() OVER (PARTITION BY warehouse_id, is_open
                ORDER BY walking_order, code, id) AS in_warehouse
        FROM place
    )
    SELECT warehouse_id, id, zone_id, walking_order, code, mixing_rule, max_volume_l,
        max_weight_kg, volume, weight, products, lots
    FROM numbered
    WHERE id = ANY(%(named)s::bigint[])
        OR is_open AND in_warehouse <= %(most)s
        OR is_open AND zone_id = ANY(%(zones)s::bigint[]) AND in_zone <= %(most)s
        OR in_warehouse = 1
        OR zone_id = ANY(%(zones)s::bigint[]) AND in_zone = 1
    ORDER BY warehouse_id, walking_order, code, id
"""


def candidate_places(
    *,
    warehouse_ids: Collection[int],
    product_ids: Collection[int],
    rules: Sequence[Rule] = (),
    parents: Mapping[int, int | None] | None = None,
    only_location_id: int | None = None,
) -> dict[int, list[Place]]:
    """Return, by warehouse, the storage places in question, along the way.

    ``only_location_id``: this one, whether in use or not.
    """
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "warehouses": list(warehouse_ids),
        "products": list(product_ids),
        "only": only_location_id,
        "zones": sorted(_zones(rules, parents or {})),
        "most": MOST_PLACES,
        "most_of_a_product": MOST_PLACES_OF_A_PRODUCT,
    }
    with connection.cursor() as cursor:
        cursor.execute(HOLDING, arguments)
        holds: dict[int, set[tuple[int, int | None]]] = {}
        for location_id, product_id, lot_id in cursor.fetchall():
            holds.setdefault(location_id, set()).add((product_id, lot_id))
        fixed = {rule.location_id for rule in rules if rule.location_id is not None}
        cursor.execute(PLACES, arguments | {"named": sorted(fixed | holds.keys())})
        rows = cursor.fetchall()
    found: dict[int, list[Place]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(_place(row, holds))
    return found


def _place(row: tuple[Any, ...], holds: Mapping[int, set[tuple[int, int | None]]]) -> Place:
    return Place(
        location_id=row[1],
        zone_id=row[2],
        walking_order=row[3],
        code=row[4],
        mixing=Mixing(row[5]),
        max_volume_l=row[6],
        max_weight_kg=row[7],
        used_volume_l=row[8],
        used_weight_kg=row[9],
        products=row[10],
        lots=row[11],
        holds=frozenset(holds.get(row[1], ())),
    )


def _zones(rules: Sequence[Rule], parents: Mapping[int, int | None]) -> set[int]:
    """Return the zones of the rules and those they overflow into."""
    zones: set[int] = set()
    for rule in rules:
        zone_id = rule.zone_id
        while zone_id is not None and zone_id not in zones:
            zones.add(zone_id)
            zone_id = parents.get(zone_id)
    return zones
