"""Where a lot came from, where it lay, and who has it: read off the ledger, in both directions.

Everything that crossed the edge of the house is grouped by document. Goods in warehouses that the
member does not work in are *elsewhere*: they come from there and go there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db import connection

from inventory.models import Location, Lot, MovementReason
from inventory.models.places import LocationKind
from inventory.queries.access import allowed_warehouses
from inventory.queries.lots import LotTotals, get_lot, lot_totals
from inventory.queries.trace_documents import Party, parties_of
from tenancy.scope import active_tenant_id

ZERO = Decimal(0)


class Edge(StrEnum):
    """The six ways over the edge of the house, and the two to warehouses out of reach."""

    RECEIVED = "received"
    RETURNED = "returned"
    FOUND = "found"
    ARRIVED = "arrived"
    SHIPPED = "shipped"
    SENT_BACK = "sent_back"
    LOST = "lost"
    LEFT = "left"


IN = (Edge.RECEIVED, Edge.RETURNED, Edge.FOUND, Edge.ARRIVED)
OUT = (Edge.SHIPPED, Edge.SENT_BACK, Edge.LOST, Edge.LEFT)
EDGES = {
    (LocationKind.SUPPLIER, True): Edge.RECEIVED,
    (LocationKind.CUSTOMER, True): Edge.RETURNED,
    (LocationKind.LOSS, True): Edge.FOUND,
    ("elsewhere", True): Edge.ARRIVED,
    (LocationKind.CUSTOMER, False): Edge.SHIPPED,
    (LocationKind.SUPPLIER, False): Edge.SENT_BACK,
    (LocationKind.LOSS, False): Edge.LOST,
    ("elsewhere", False): Edge.LEFT,
}

# a reversal counts against the way its movement went, so that what was taken back is taken off
CROSSINGS = """
    SELECT CASE WHEN goes_in THEN from_kind ELSE to_kind END AS outside, goes_in,
        document_kind, document_id, min(reason) AS reason,
        sum(CASE WHEN is_reversal THEN -quantity ELSE quantity END) AS quantity,
        min(effective_at), max(effective_at), bool_or(is_reversal)
    FROM (
        SELECT m.quantity, m.reason, m.document_kind, m.document_id, m.effective_at,
            m.reverses_id IS NOT NULL AS is_reversal,
            (f.outside <> 'inside') <> (m.reverses_id IS NOT NULL) AS goes_in,
            CASE WHEN m.reverses_id IS NULL THEN f.outside ELSE t.outside END AS from_kind,
            CASE WHEN m.reverses_id IS NULL THEN t.outside ELSE f.outside END AS to_kind
        FROM inventory_stockmovement m
        JOIN side f ON f.id = m.from_location_id
        JOIN side t ON t.id = m.to_location_id
        WHERE m.tenant_id = %(tenant)s AND m.lot_id = %(lot)s
            AND (f.outside <> 'inside') <> (t.outside <> 'inside')
    ) AS crossing
    GROUP BY 1, 2, 3, 4
    ORDER BY 7, 3, 4
"""
STAYS = """
    SELECT location_id, sum(quantity) FILTER (WHERE quantity > 0),
        -sum(quantity) FILTER (WHERE quantity < 0), min(effective_at), max(effective_at)
    FROM (
        SELECT end_.location_id, end_.sign * m.quantity AS quantity, m.effective_at
        FROM inventory_stockmovement m
        CROSS JOIN LATERAL (VALUES (m.from_location_id, -1), (m.to_location_id, 1))
            AS end_ (location_id, sign)
        JOIN side ON side.id = end_.location_id AND side.outside = 'inside'
        WHERE m.tenant_id = %(tenant)s AND m.lot_id = %(lot)s
    ) AS ends
    GROUP BY location_id
    ORDER BY 4, 1
"""
# each place as this member sees it: inside, one of the kinds outside, or elsewhere
WITH_SIDES = """
    WITH side AS (
        SELECT l.id, CASE
            WHEN l.kind IN ('supplier', 'customer', 'loss') THEN l.kind
            WHEN %(allowed)s::bigint[] IS NULL OR l.warehouse_id = ANY(%(allowed)s::bigint[])
                THEN 'inside'
            ELSE 'elsewhere' END AS outside
        FROM inventory_location l WHERE l.tenant_id = %(tenant)s AND l.id IN (
            SELECT unnest(ARRAY[m.from_location_id, m.to_location_id])
            FROM inventory_stockmovement m WHERE m.tenant_id = %(tenant)s AND m.lot_id = %(lot)s
        )
    )
"""


# of a document that only moved goods inside (a transfer, a wave) there is nothing here
DOCUMENT_LOTS = """
    SELECT lot_id, CASE WHEN goes_in THEN from_kind ELSE to_kind END, goes_in, sum(quantity)
    FROM (
        SELECT m.lot_id,
            CASE WHEN m.reverses_id IS NULL THEN m.quantity ELSE -m.quantity END AS quantity,
            (f.kind IN ('supplier', 'customer', 'loss')) <> (m.reverses_id IS NOT NULL) AS goes_in,
            CASE WHEN m.reverses_id IS NULL THEN f.kind ELSE t.kind END AS from_kind,
            CASE WHEN m.reverses_id IS NULL THEN t.kind ELSE f.kind END AS to_kind
        FROM inventory_stockmovement m
        JOIN inventory_location f ON f.tenant_id = m.tenant_id AND f.id = m.from_location_id
        JOIN inventory_location t ON t.tenant_id = m.tenant_id AND t.id = m.to_location_id
        WHERE m.tenant_id = %(tenant)s AND m.document_kind = %(kind)s
            AND m.document_id = %(document)s AND m.lot_id IS NOT NULL
            AND (f.kind IN ('supplier', 'customer', 'loss'))
                <> (t.kind IN ('supplier', 'customer', 'loss'))
            AND (%(allowed)s::bigint[] IS NULL OR f.warehouse_id = ANY(%(allowed)s::bigint[])
                OR t.warehouse_id = ANY(%(allowed)s::bigint[]))
    ) AS crossing
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class Crossing:
    """What one document (or none) brought in or out. ``quantity`` is net of what was taken back."""

    edge: Edge
    reason: MovementReason
    quantity: Decimal
    first_at: datetime
    last_at: datetime
    was_taken_back: bool
    party: Party

    @property
    def is_in(self) -> bool:
        return self.edge in IN


@dataclass(frozen=True)
class Stay:
    """A place where the lot lies or lay."""

    location: Location
    quantity_in: Decimal
    quantity_out: Decimal
    first_at: datetime
    last_at: datetime

    @property
    def on_hand(self) -> Decimal:
        """Return what is still there."""
        return self.quantity_in - self.quantity_out


@dataclass(frozen=True)
class Trace:
    """The whole way of a lot, as far as the member reaches."""

    lot: Lot
    crossings: list[Crossing]
    stays: list[Stay]
    balances: LotTotals
    is_partial: bool

    def total(self, *edges: Edge) -> Decimal:
        """Return how much went these ways."""
        return sum((c.quantity for c in self.crossings if c.edge in edges), ZERO)

    def over(self, *edges: Edge) -> list[Crossing]:
        """Return the crossings of these ways, oldest first."""
        return [c for c in self.crossings if c.edge in edges]

    @property
    def came_in(self) -> Decimal:
        return self.total(*IN)

    @property
    def went_out(self) -> Decimal:
        return self.total(*OUT)

    @property
    def on_hand(self) -> Decimal:
        """Return what lies here, by the balances: the ledger is checked against them."""
        return self.balances.on_hand

    @property
    def in_transit(self) -> Decimal:
        """Return what is on its way between warehouses; it counts as on hand."""
        return sum(
            (s.on_hand for s in self.stays if s.location.kind == LocationKind.IN_TRANSIT), ZERO
        )

    @property
    def unaccounted(self) -> Decimal:
        """Return what came in and is neither here nor gone: zero, or ledger and balances differ."""
        return self.came_in - self.went_out - self.on_hand


def trace_lot(lot_id: int) -> Trace:
    """Return the whole way of a lot; the same number of statements for any length of it.

    Raises ``NotFound``.
    """
    lot = get_lot(lot_id)
    allowed = allowed_warehouses()
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "lot": lot.pk,
        "allowed": None if allowed is None else sorted(allowed),
    }
    with connection.cursor() as cursor:
        cursor.execute(WITH_SIDES + CROSSINGS, arguments)
        crossings = list(cursor.fetchall())
        cursor.execute(WITH_SIDES + STAYS, arguments)
        stays = list(cursor.fetchall())
    return Trace(
        lot=lot,
        crossings=_crossings(crossings),
        stays=_stays(stays),
        balances=lot_totals([lot.pk])[lot.pk],
        is_partial=allowed is not None and _lies_elsewhere(crossings),
    )


@dataclass(frozen=True)
class Holder:
    """A customer and what of a lot is with them: shipped, less what came back."""

    name: str
    address: str
    shipments: list[Crossing]
    shipped: Decimal
    returned: Decimal
    last_at: datetime

    @property
    def still_there(self) -> Decimal:
        return self.shipped - self.returned


def holders(trace: Trace) -> list[Holder]:
    """Return the customers a lot went to, those who have most of it first.

    Goods sold without a document stand under an empty name.
    """
    shipped: dict[Any, list[Crossing]] = defaultdict(list)
    for crossing in trace.over(Edge.SHIPPED):
        if crossing.quantity > 0:
            shipped[_who(crossing.party)].append(crossing)
    returned: dict[Any, Decimal] = defaultdict(Decimal)
    for crossing in trace.over(Edge.RETURNED):
        returned[_who(crossing.party)] += crossing.quantity
    found = [
        Holder(
            name=rows[-1].party.name,
            address=next((c.party.address for c in rows if c.party.address), ""),
            shipments=rows,
            shipped=sum((c.quantity for c in rows), ZERO),
            returned=returned[who],
            last_at=max(c.last_at for c in rows),
        )
        for who, rows in shipped.items()
    ]
    return sorted(found, key=lambda holder: (-holder.still_there, holder.name))


def _who(party: Party) -> tuple[int | None, str]:
    return (party.customer_id, "" if party.customer_id else party.name)


@dataclass(frozen=True)
class DocumentLot:
    """A lot a document moved over the edge of the house, net of what was taken back."""

    lot: Lot
    edge: Edge
    quantity: Decimal


def lots_of_document(document_kind: str, document_id: int) -> list[DocumentLot]:
    """Return what lots a receipt, shipment, return or order brought in or out: two statements."""
    allowed = allowed_warehouses()
    arguments: dict[str, Any] = {
        "tenant": active_tenant_id(),
        "kind": document_kind,
        "document": document_id,
        "allowed": None if allowed is None else sorted(allowed),
    }
    with connection.cursor() as cursor:
        cursor.execute(DOCUMENT_LOTS, arguments)
        rows = list(cursor.fetchall())
    known = Lot.objects.select_related("product").in_bulk([row[0] for row in rows])
    return [DocumentLot(known[row[0]], EDGES[row[1], row[2]], row[3]) for row in rows]


def _crossings(rows: Sequence[Any]) -> list[Crossing]:
    parties = parties_of({(row[2], row[3]) for row in rows})
    return [
        Crossing(
            edge=EDGES[row[0], row[1]],
            reason=MovementReason(row[4]),
            quantity=row[5],
            first_at=row[6],
            last_at=row[7],
            was_taken_back=row[8],
            party=parties[row[2], row[3]],
        )
        for row in rows
    ]


def _stays(rows: Sequence[Any]) -> list[Stay]:
    places = Location.objects.select_related("warehouse").in_bulk([row[0] for row in rows])
    return [Stay(places[row[0]], row[1] or ZERO, row[2] or ZERO, row[3], row[4]) for row in rows]


def _lies_elsewhere(rows: Iterable[Any]) -> bool:
    return any(row[0] == "elsewhere" for row in rows)
