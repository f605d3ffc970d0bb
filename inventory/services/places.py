"""Warehouses with their standard locations, zones and further locations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    OUTSIDE_KINDS,
    Location,
    LocationKind,
    MixingRule,
    Warehouse,
    Zone,
)
from inventory.queries.places import codes_in_use
from inventory.rules.location_codes import PatternFault, expand_pattern
from inventory.services.access import require_every_warehouse
from inventory.services.place_errors import (
    CodesTaken,
    LastOfItsKind,
    LocationNotEmpty,
    ZonesInCircle,
)
from inventory.services.rows import check_fields, check_version, load, save
from tenancy.errors import Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope
from tenancy.services import audit

STANDARD_LOCATIONS = {
    LocationKind.RECEIVING: "RECEIVING",
    LocationKind.STORAGE: "STORAGE",
    LocationKind.PACKING: "PACKING",
    LocationKind.SHIPPING: "SHIPPING",
    LocationKind.QUARANTINE: "QUARANTINE",
    LocationKind.DAMAGED: "DAMAGED",
    LocationKind.IN_TRANSIT: "IN-TRANSIT",
    LocationKind.SUPPLIER: "SUPPLIER",
    LocationKind.CUSTOMER: "CUSTOMER",
    LocationKind.LOSS: "LOSS",
}


def create_warehouse(
    *, code: str, name: str, time_zone: str | None = None, country: str = ""
) -> Warehouse:
    """Create a warehouse with one location of every kind, so that stock can move at once.

    The time zone (default: the tenant's) decides the business day. Raises ``Invalid``, and
    ``BeyondOwnAccess`` for a member who works in some warehouses only.
    """
    require(Permission.EDIT_CATALOG)
    require_every_warehouse()
    zone = time_zone or active_scope().tenant.time_zone
    warehouse = save(Warehouse(code=code, name=name, time_zone=zone, country=country))
    Location.objects.bulk_create(
        [
            Location(warehouse=warehouse, code=location_code, kind=kind, walking_order=order)
            for order, (kind, location_code) in enumerate(STANDARD_LOCATIONS.items())
        ]
    )
    audit.record("warehouse.created", warehouse, code=code)
    return warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a place takes; None: no limit is known."""

    max_volume_l: Decimal | None = None
    max_weight_kg: Decimal | None = None
    mixing_rule: str = MixingRule.ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyLocations:
    """What many new places have in common; each stands ``walking_step`` behind the one before."""

    kind: LocationKind = LocationKind.STORAGE
    zone_id: int | None = None
    first_walking_order: int = 0
    walking_step: int = 1
    limits: Limits = Limits()


CHANGEABLE = frozenset(
    {
        "code",
        "zone_id",
        "walking_order",
        "max_volume_l",
        "max_weight_kg",
        "mixing_rule",
        "is_active",
    }
)
LARGEST_ORDER = 2**31 - 1
MOST_TOLD = 20


def create_zone(
    *, warehouse_id: int, code: str, name: str = "", parent_id: int | None = None
) -> Zone:
    """Create an area of a warehouse; goods go to its parent when it is full.

    Raises ``NotFound``, ``Invalid``.
    """
    require(Permission.EDIT_CATALOG)
    warehouse = load(Warehouse, warehouse_id)
    parent = _zone_of(warehouse.pk, parent_id)
    zone = save(Zone(warehouse=warehouse, code=code, name=name, parent=parent))
    audit.record("zone.created", zone, code=code)
    return zone


def change_zone(*, zone_id: int, name: str, parent_id: int | None) -> Zone:
    """Rename a zone and say where goods go when it is full.

    Raises ``NotFound``, ``Invalid``, ``ZonesInCircle``.
    """
    require(Permission.EDIT_CATALOG)
    zone = load(Zone, zone_id, lock=True)
    parent = _zone_of(zone.warehouse_id, parent_id)
    above, passed = parent, {zone.pk}
    while above is not None:
        if above.pk in passed:
            raise ZonesInCircle(zone, above)
        passed.add(above.pk)
        above = above.parent
    before = {"name": zone.name, "parent_id": zone.parent_id}
    zone.name, zone.parent = name, parent
    save(zone)
    after = {"name": zone.name, "parent_id": zone.parent_id}
    audit.record("zone.changed", zone, before=before, after=after)
    return zone


def create_location(
    *,
    warehouse_id: int,
    code: str,
    kind: LocationKind = LocationKind.STORAGE,
    zone_id: int | None = None,
    walking_order: int = 0,
    limits: Limits = Limits(),
) -> Location:
    """Create an addressable place. Each outside kind and in-transit exist once per warehouse."""
    require(Permission.EDIT_CATALOG)
    warehouse = load(Warehouse, warehouse_id)
    location = save(
        Location(
            warehouse=warehouse,
            zone=_zone_of(warehouse.pk, zone_id),
            code=code,
            kind=kind,
            walking_order=walking_order,
            max_volume_l=limits.max_volume_l,
            max_weight_kg=limits.max_weight_kg,
            mixing_rule=limits.mixing_rule,
        )
    )
    audit.record("location.created", location, code=code, kind=str(kind))
    return location


def create_locations(*, warehouse_id: int, pattern: str, fields: ManyLocations) -> list[Location]:
    """Create many places from a pattern such as ``A-[01-20]-[1-4]``, all or none.

    Raises ``NotFound``, ``Invalid`` for the pattern or a field, ``CodesTaken``.
    """
    require(Permission.EDIT_CATALOG)
    warehouse = load(Warehouse, warehouse_id)
    zone = _zone_of(warehouse.pk, fields.zone_id)
    codes = codes_of(pattern)
    _check_many(fields, len(codes))
    if taken := codes_in_use(warehouse.pk, codes):
        raise CodesTaken(taken)
    rows = [
        Location(
            warehouse=warehouse,
            zone=zone,
            code=code,
            kind=fields.kind,
            walking_order=fields.first_walking_order + number * fields.walking_step,
            max_volume_l=fields.limits.max_volume_l,
            max_weight_kg=fields.limits.max_weight_kg,
            mixing_rule=fields.limits.mixing_rule,
        )
        for number, code in enumerate(codes)
    ]
    check_fields(rows[0])  # the others differ by code and order only
    try:
        with transaction.atomic():
            created = Location.objects.bulk_create(rows)
    except IntegrityError as error:
        if '"location_code_unique"' not in str(error):
            raise
        raise CodesTaken(codes_in_use(warehouse.pk, codes)) from error
    audit.record("locations.created", warehouse, pattern=pattern, count=len(created))
    return created


def change_location(
    *, location_id: int, changes: Mapping[str, Any], version: int | None = None
) -> Location:
    """Change zone, limits, walking order, code or use of a place (names as in ``CHANGEABLE``).

    Raises ``NotFound``, ``StaleVersion``, ``Invalid``, ``LocationNotEmpty`` when a place that holds
    stock is to be taken out of use, ``LastOfItsKind`` when work needs it.
    """
    require(Permission.EDIT_CATALOG)
    _refuse_unknown(changes)
    location = load(Location, location_id, lock=True)
    check_version(location, version)
    changed = {name: value for name, value in changes.items() if getattr(location, name) != value}
    if not changed:
        return location
    if "zone_id" in changed:
        _zone_of(location.warehouse_id, changed["zone_id"])
    if changed.get("is_active") is False:
        _refuse_needed(location)
    before = {name: str(getattr(location, name)) for name in changed}
    for name, value in changed.items():
        setattr(location, name, value)
    location.version += 1
    save(location)
    after = {name: str(value) for name, value in changed.items()}
    audit.record("location.changed", location, code=location.code, before=before, after=after)
    return location


def codes_of(pattern: str) -> list[str]:
    """Return the codes a pattern names; raise ``Invalid`` with the reason in words."""
    try:
        return expand_pattern(pattern)
    except PatternFault as fault:
        message = PATTERN_FAULTS[fault.code] % {"part": fault.part}
        raise Invalid.field("pattern", fault.code, message) from fault


PATTERN_FAULTS = {
    "empty": _("Name the places, e.g. A-[01-20]-[1-4]."),
    "bad_range": _("[%(part)s] is no range: write [01-20] or [A-F]."),
    "backwards": _("[%(part)s] counts backwards: write the smaller first."),
    "uneven": _("[%(part)s]: write both ends equally long, e.g. [01-20]."),
    "bracket": _("A bracket is open or closed that has no other: %(part)s"),
    "too_many": _("This names more than 5,000 places: split it."),
    "too_long": _("%(part)s is longer than 48 characters."),
    "twice": _("%(part)s is named twice: separate the ranges, e.g. by a dash."),
}


def _zone_of(warehouse_id: int, zone_id: int | None) -> Zone | None:
    if zone_id is None:
        return None
    zone = load(Zone, zone_id)
    if zone.warehouse_id != warehouse_id:
        raise NotFound("zone", zone_id)
    return zone


def _check_many(fields: ManyLocations, count: int) -> None:
    last = fields.first_walking_order + (count - 1) * fields.walking_step
    if min(fields.first_walking_order, last) < 0 or last > LARGEST_ORDER or fields.walking_step < 0:
        message = _("The walking order leaves the range from 0 to 2,147,483,647.")
        raise Invalid.field("first_walking_order", "out_of_range", message)
    if fields.kind in {*OUTSIDE_KINDS, LocationKind.IN_TRANSIT}:
        message = _("A warehouse has one place of this kind.")
        raise Invalid.field("kind", "only_one", message)


def _refuse_unknown(changes: Mapping[str, Any]) -> None:
    problems = [
        Problem(name, "unknown_field", _("%(name)s of a place cannot be changed.") % {"name": name})
        for name in changes
        if name not in CHANGEABLE
    ]
    if problems:
        raise Invalid(problems)


def _refuse_needed(location: Location) -> None:
    """Refuse to close a place that holds stock, or the last one of a kind that work needs."""
    lying = list(
        location.balances.filter(on_hand__gt=0)
        .select_related("product", "lot")
        .order_by("product__sku", "id")[:MOST_TOLD]
    )
    if lying:
        raise LocationNotEmpty(location, lying)
    others = Location.objects.filter(
        warehouse_id=location.warehouse_id, kind=location.kind, is_active=True
    ).exclude(pk=location.pk)
    if not others.exists():
        raise LastOfItsKind(location)
