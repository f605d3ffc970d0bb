"""What a movement line is, and whether it may be posted: every fault of every line at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from inventory.models import LotTracking, MovementReason
from inventory.models.places import OUTSIDE_KINDS, LocationKind
from inventory.queries.access import allowed_warehouses
from inventory.rules.business_day import business_day
from inventory.rules.units import QuantityFault, quantity_fault
from tenancy.errors import Invalid, NotFound, Problem, Text
from tenancy.scope import active_tenant_id

LARGEST_ID = 2**63 - 1
LONGEST_NOTE = 200
EVERYBODYS_KINDS = frozenset({*OUTSIDE_KINDS, LocationKind.IN_TRANSIT})

INSIDE_REASONS = frozenset(
    {
        MovementReason.PUT_AWAY,
        MovementReason.MOVE,
        MovementReason.PICK,
        MovementReason.TRANSFER_OUT,
        MovementReason.TRANSFER_IN,
    }
)
TRANSFER_REASONS = frozenset(
    {MovementReason.TRANSFER_OUT, MovementReason.TRANSFER_IN, MovementReason.TRANSFER_LOSS}
)
QUANTITY_FAULTS = {
    QuantityFault.NOT_A_NUMBER: _("The quantity is not a number. Give it in base units."),
    QuantityFault.NOT_POSITIVE: _("The quantity must be greater than zero."),
    QuantityFault.TOO_LARGE: _("The quantity is larger than can be recorded."),
    QuantityFault.TOO_FINE: _("The quantity has more than six decimal places."),
    QuantityFault.NOT_WHOLE: _("This product is counted in whole units."),
}


@dataclass(frozen=True, slots=True)
class MovementLine:
    """A positive ``quantity`` (base units) of a product to move from one location to another."""

    product_id: int
    from_location_id: int
    to_location_id: int
    quantity: Decimal
    reason: MovementReason
    lot_id: int | None = None
    unit_cost: Decimal | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """A positive ``quantity`` to promise, or to free again, where it lies."""

    product_id: int
    location_id: int
    quantity: Decimal
    lot_id: int | None = None


@dataclass(frozen=True, slots=True)
class ProductFacts:
    sku: str
    lot_tracking: str
    whole_units: bool
    is_active: bool
    unit_cost: Decimal | None
    valued_in: Sequence[int]


@dataclass(frozen=True, slots=True)
class LocationFacts:
    code: str
    kind: str
    is_active: bool
    warehouse_id: int
    time_zone: str

    @property
    def is_outside(self) -> bool:
        return self.kind in OUTSIDE_KINDS


@dataclass(frozen=True)
class LineFacts:
    """What the lines of one posting refer to, as the database has it, and the database's clock."""

    products: dict[int, ProductFacts]
    locations: dict[int, LocationFacts]
    lot_products: dict[int, int]
    clock: datetime

    def time_zone(self, line: MovementLine) -> str:
        """Return the time zone of the warehouse: of the place left, if stock is kept there."""
        left = self.locations[line.from_location_id]
        place = self.locations[line.to_location_id] if left.is_outside else left
        return place.time_zone

    def warehouse_inside(self, location_id: int) -> int | None:
        """Return the warehouse whose stock lies there; None for a place outside."""
        place = self.locations[location_id]
        return None if place.is_outside else place.warehouse_id

    def business_days(self, lines: Sequence[MovementLine], at: datetime) -> list[date]:
        """Return each line's business day, computed once per time zone."""
        zones = [self.time_zone(line) for line in lines]
        days = {zone: business_day(at, zone) for zone in set(zones)}
        return [days[zone] for zone in zones]

    def new_serials(self, lines: Sequence[MovementLine]) -> list[int]:
        """Return the serial numbers (lots) that come in from outside, sorted."""
        return sorted(
            line.lot_id
            for line in lines
            if line.lot_id is not None
            and self.locations[line.from_location_id].is_outside
            and self.products[line.product_id].lot_tracking == LotTracking.SERIAL
        )


def load_facts(lines: Sequence[MovementLine], effective_at: datetime | None = None) -> LineFacts:
    """Read what the lines refer to and hold the days they post to: three statements for any lines.

    ``ledger_periods`` says what holding is for.
    """
    products = _rows(PRODUCT_FACTS, {line.product_id for line in lines})
    ends = {line.from_location_id for line in lines} | {line.to_location_id for line in lines}
    locations = _rows(LOCATION_FACTS, ends, at=effective_at)
    lots = {line.lot_id for line in lines if line.lot_id is not None}
    return LineFacts(
        products={row[0]: ProductFacts(*row[1:]) for row in products},
        locations=_reachable(
            {row[1]: LocationFacts(*row[2:7]) for row in locations if row[1] is not None}
        ),
        lot_products=dict(_rows(LOT_FACTS, lots)) if lots else {},
        clock=locations[0][0],
    )


def _reachable(places: dict[int, LocationFacts]) -> dict[int, LocationFacts]:
    """Leave out where the actor does not work. Goods on the road belong to both ends."""
    allowed = allowed_warehouses()
    if allowed is None:
        return places
    return {
        location_id: place
        for location_id, place in places.items()
        if place.warehouse_id in allowed or place.kind in EVERYBODYS_KINDS
    }


def check_lines(
    lines: Sequence[MovementLine], facts: LineFacts, *, correction: bool = False
) -> None:
    """Refuse lines that cannot be posted: ``NotFound`` for a missing row, else ``Invalid``.

    A ``correction`` may put stock back where new stock may no longer arrive.
    """
    problems: list[Problem] = []
    for number, line in enumerate(lines):
        _check_references(number, line, facts)
        problems += _quantity_problems(number, line, facts)
        problems += _lot_problems(number, line, facts)
        problems += _route_problems(number, line, facts, correction=correction)
    if problems:
        raise Invalid(problems)


def _check_references(number: int, line: MovementLine, facts: LineFacts) -> None:
    if line.product_id not in facts.products:
        raise NotFound("product", line.product_id, line=number)
    for location_id in (line.from_location_id, line.to_location_id):
        if location_id not in facts.locations:
            raise NotFound("location", location_id, line=number)
    if line.lot_id is not None and facts.lot_products.get(line.lot_id) != line.product_id:
        raise NotFound("lot", line.lot_id, line=number)


def _quantity_problems(number: int, line: MovementLine, facts: LineFacts) -> Iterable[Problem]:
    product = facts.products[line.product_id]
    fault = quantity_fault(line.quantity, whole_units=product.whole_units)
    if fault:
        yield Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number)
    elif product.lot_tracking == LotTracking.SERIAL and line.quantity != 1:
        message = _("A serial number moves as a quantity of one.")
        yield Problem("quantity", "serial_is_one", message, number)
    if line.unit_cost and quantity_fault(line.unit_cost, whole_units=False):
        message = _("The unit cost is not an amount of money from zero up.")
        yield Problem("unit_cost", "not_an_amount", message, number)
    if len(line.note) > LONGEST_NOTE:
        message = _("The note is longer than 200 characters.")
        yield Problem("note", "too_long", message, number)


def _lot_problems(number: int, line: MovementLine, facts: LineFacts) -> Iterable[Problem]:
    tracked = facts.products[line.product_id].lot_tracking != LotTracking.NONE
    if tracked and line.lot_id is None:
        message = _("This product is tracked by lot: name the lot.")
        yield Problem("lot_id", "lot_required", message, number)
    if not tracked and line.lot_id is not None:
        message = _("This product is not tracked by lot: leave the lot out.")
        yield Problem("lot_id", "lot_forbidden", message, number)


def _route_problems(
    number: int, line: MovementLine, facts: LineFacts, *, correction: bool
) -> Iterable[Problem]:
    left, reached = facts.locations[line.from_location_id], facts.locations[line.to_location_id]
    message: Text
    if line.from_location_id == line.to_location_id:
        message = _("A movement needs two different locations.")
        yield Problem("to_location_id", "same_location", message, number)
    elif left.is_outside and reached.is_outside:
        message = _("Stock cannot move from one place outside the warehouse to another.")
        yield Problem("to_location_id", "outside_to_outside", message, number)
    elif (
        left.warehouse_id != reached.warehouse_id
        and LocationKind.IN_TRANSIT not in (left.kind, reached.kind)
    ):  # fmt: skip
        message = _("Stock travels between warehouses through the in-transit location.")
        yield Problem("to_location_id", "other_warehouse", message, number)
    elif line.reason not in TRANSFER_REASONS and LocationKind.IN_TRANSIT in (
        left.kind,
        reached.kind,
    ):
        message = _("What is in transit belongs to a transfer: send, receive or write off there.")
        yield Problem("to_location_id", "in_transit", message, number)
    elif line.reason in INSIDE_REASONS and (left.is_outside or reached.is_outside):
        message = _("With this reason stock stays inside the warehouse.")
        yield Problem("reason", "stays_inside", message, number)
    if correction:
        return
    # leaving is always allowed, so that an inactive place or product can be cleared
    if not reached.is_active:
        message = _("The location %(code)s is not in use any more.") % {"code": reached.code}
        yield Problem("to_location_id", "inactive_location", message, number)
    if left.kind == LocationKind.SUPPLIER and not facts.products[line.product_id].is_active:
        message = _("The product is not in use any more: it can leave, but no more can come in.")
        yield Problem("product_id", "inactive_product", message, number)


PRODUCT_FACTS = """
    SELECT p.id, p.sku, p.lot_tracking, p.whole_units, p.is_active, p.unit_cost, ARRAY(
        SELECT v.warehouse_id FROM inventory_stockvalue v
        WHERE v.tenant_id = p.tenant_id AND v.product_id = p.id
    )
    FROM inventory_product p WHERE p.tenant_id = %(tenant)s AND p.id = ANY(%(ids)s::bigint[])
"""
# the clock comes along, one row at least, even when no location is found
LOCATION_FACTS = """
    SELECT clock, l.id, l.code, l.kind, l.is_active AND w.is_active, l.warehouse_id, w.time_zone,
        pg_advisory_xact_lock_shared(hashtextextended('period:' || held.name, l.tenant_id))
    FROM statement_timestamp() AS clock
    LEFT JOIN inventory_location l ON l.tenant_id = %(tenant)s AND l.id = ANY(%(ids)s::bigint[])
    LEFT JOIN inventory_warehouse w ON w.tenant_id = l.tenant_id AND w.id = l.warehouse_id
    CROSS JOIN LATERAL (
        SELECT (coalesce(%(at)s::timestamptz, clock) AT TIME ZONE w.time_zone)::date AS day,
            (clock AT TIME ZONE w.time_zone)::date AS today
    ) AS wall
    CROSS JOIN LATERAL (
        SELECT CASE WHEN wall.day < wall.today THEN 'past'
            ELSE to_char(wall.day, 'YYYY-MM-DD') END AS name
    ) AS held
"""
LOT_FACTS = """
    SELECT id, product_id FROM inventory_lot
    WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::bigint[])
"""


def _rows(sql: str, ids: Iterable[int], **more: Any) -> list[tuple[Any, ...]]:
    known = [row_id for row_id in ids if 0 < row_id <= LARGEST_ID]
    with connection.cursor() as cursor:
        cursor.execute(sql, {"tenant": active_tenant_id(), "ids": known, **more})
        return list(cursor.fetchall())
