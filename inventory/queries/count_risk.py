"""How risky each place of a warehouse is: the facts in one statement, the ranking by the rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from inventory.models import CountState, LocationKind, MovementReason, PickState
from inventory.queries.access import require_warehouse
from inventory.rules.count_schedule import LOOK_BACK_DAYS, PlaceFacts, PlaceRisk, rank_places
from tenancy.scope import active_tenant_id

COUNTED_KINDS = (LocationKind.STORAGE, LocationKind.QUARANTINE, LocationKind.DAMAGED)
"""Where goods stay. Docks are emptied every day: who works there counts them."""
CORRECTIONS = (MovementReason.COUNT, MovementReason.FOUND)


@dataclass(frozen=True, slots=True)
class RiskyPlace:
    """A place with its risk, the facts behind it, and the count that is open there."""

    code: str
    zone: str
    products: int
    facts: PlaceFacts
    risk: PlaceRisk
    open_count_id: int | None
    open_count: str


# demand: the coefficient of variation of the last days, days without demand included, from sums
PLACE_FACTS = """
    WITH place AS (
        SELECT l.id, l.code, coalesce(z.code, '') AS zone, l.warehouse_id,
            (statement_timestamp() AT TIME ZONE w.time_zone)::date AS today, w.time_zone
        FROM inventory_location l
        JOIN inventory_warehouse w ON w.tenant_id = l.tenant_id AND w.id = l.warehouse_id
        LEFT JOIN inventory_zone z ON z.tenant_id = l.tenant_id AND z.id = l.zone_id
        WHERE l.tenant_id = %(tenant)s AND l.warehouse_id = %(warehouse)s AND l.is_active
            AND l.kind = ANY(%(kinds)s)
    ), demand AS (
        SELECT product_id, sqrt(greatest(
            %(days)s * sum(quantity * quantity) / (sum(quantity) * sum(quantity)) - 1, 0)) AS cv
        FROM (
            SELECT product_id, business_day, sum(quantity) AS quantity
            FROM inventory_dailydemand
            WHERE tenant_id = %(tenant)s AND warehouse_id = %(warehouse)s
                AND business_day > (SELECT min(today) FROM place) - %(days)s
            GROUP BY product_id, business_day
        ) AS daily
        GROUP BY product_id HAVING sum(quantity) > 0
    ), stock AS (
        SELECT b.location_id, b.product_id, coalesce(demand.cv, 0) AS cv,
            sum(b.on_hand)
                * coalesce(nullif(v.value, 0) / nullif(v.quantity, 0), p.unit_cost, 0) AS value
        FROM inventory_stockbalance b
        JOIN place ON place.id = b.location_id
        JOIN inventory_product p ON p.tenant_id = b.tenant_id AND p.id = b.product_id
        LEFT JOIN inventory_stockvalue v ON v.tenant_id = b.tenant_id
            AND v.product_id = b.product_id AND v.warehouse_id = %(warehouse)s
        LEFT JOIN demand ON demand.product_id = b.product_id
        WHERE b.tenant_id = %(tenant)s AND b.on_hand > 0
        GROUP BY b.location_id, b.product_id, demand.cv, v.value, v.quantity, p.unit_cost
    ), held AS (
        SELECT location_id, count(*) AS products, round(sum(value), 6) AS value,
            round(coalesce(sum(value * cv) / nullif(sum(value), 0), avg(cv)), 6) AS variability
        FROM stock GROUP BY location_id
    ), counted AS (
        SELECT c.location_id, max((c.posted_at AT TIME ZONE place.time_zone)::date) AS last_on
        FROM inventory_cyclecount c JOIN place ON place.id = c.location_id
        WHERE c.tenant_id = %(tenant)s AND c.state = 'posted' AND c.product_id IS NULL
        GROUP BY c.location_id
    ), waiting AS (
        SELECT DISTINCT ON (c.location_id) c.location_id, c.id, c.number
        FROM inventory_cyclecount c JOIN place ON place.id = c.location_id
        WHERE c.tenant_id = %(tenant)s AND c.state = ANY(%(open)s) AND c.product_id IS NULL
        ORDER BY c.location_id, c.id
    ), odd AS (
        SELECT side.location_id, count(*) AS anomalies
        FROM inventory_stockmovement m
        CROSS JOIN LATERAL (VALUES (m.from_location_id), (m.to_location_id)) AS side (location_id)
        JOIN place ON place.id = side.location_id
        WHERE m.tenant_id = %(tenant)s
            AND (m.reason = ANY(%(corrections)s::smallint[]) OR m.reverses_id IS NOT NULL)
            AND m.business_day > place.today - %(days)s
        GROUP BY side.location_id
    ), short AS (
        SELECT t.location_id, count(*) AS short_picks
        FROM inventory_picktask t JOIN place ON place.id = t.location_id
        WHERE t.tenant_id = %(tenant)s AND t.state = %(short)s
            AND (t.picked_at AT TIME ZONE place.time_zone)::date > place.today - %(days)s
        GROUP BY t.location_id
    )
    SELECT place.id, place.code, place.zone, held.products, coalesce(held.value, 0),
        coalesce(held.variability, 0), place.today - counted.last_on,
        coalesce(odd.anomalies, 0), coalesce(short.short_picks, 0), waiting.id, waiting.number
    FROM place
    LEFT JOIN held ON held.location_id = place.id
    LEFT JOIN counted ON counted.location_id = place.id
    LEFT JOIN waiting ON waiting.location_id = place.id
    LEFT JOIN odd ON odd.location_id = place.id
    LEFT JOIN short ON short.location_id = place.id
    WHERE held.products > 0 OR odd.anomalies > 0 OR short.short_picks > 0
    ORDER BY place.id
"""


def count_risks(warehouse_id: int) -> list[RiskyPlace]:
    """Return the places of a warehouse worth counting, the riskiest first: one statement.

    Places that hold nothing and where nothing odd happened are left out. Raises ``NotFound`` for a
    warehouse the actor does not work in.
    """
    require_warehouse(warehouse_id)
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "warehouse": warehouse_id,
        "days": LOOK_BACK_DAYS,
        "kinds": [str(kind) for kind in COUNTED_KINDS],
        "open": [str(state) for state in CountState.open()],
        "corrections": [int(reason) for reason in CORRECTIONS],
        "short": str(PickState.SHORT),
    }
    with connection.cursor() as cursor:
        cursor.execute(PLACE_FACTS, arguments)
        rows = {row[0]: row for row in cursor.fetchall()}
    facts = {
        location_id: PlaceFacts(
            location_id=location_id,
            value=row[4],
            variability=row[5],
            days_since_count=row[6],
            anomalies=row[7],
            short_picks=row[8],
        )
        for location_id, row in rows.items()
    }
    return [
        _place(rows[risk.location_id], facts[risk.location_id], risk)
        for risk in rank_places(list(facts.values()))
    ]


def riskiest(places: Sequence[RiskyPlace], most: int) -> list[RiskyPlace]:
    """Return the first ``most`` places that have a risk and no open count."""
    waiting = [p for p in places if p.open_count_id is None and p.risk.risk > Decimal(0)]
    return waiting[: max(most, 0)]


def _place(row: tuple[Any, ...], facts: PlaceFacts, risk: PlaceRisk) -> RiskyPlace:
    return RiskyPlace(
        code=row[1],
        zone=row[2],
        products=row[3] or 0,
        facts=facts,
        risk=risk,
        open_count_id=row[9],
        open_count=row[10] or "",
    )
