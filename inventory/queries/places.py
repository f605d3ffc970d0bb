"""Where things are by default: the first location of each kind in a warehouse."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DecimalField, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from inventory.models import OUTSIDE_KINDS, Location, LocationKind, StockValue, Warehouse, Zone
from inventory.queries.access import in_allowed
from tenancy.errors import Conflict, NotFound

MONEY: DecimalField[Decimal, Decimal] = DecimalField(max_digits=30, decimal_places=6)


class NoSuchPlace(Conflict):
    """The warehouse has no location of a kind that is needed, or none in use."""

    code = "no_such_place"

    def __init__(self, warehouse_id: int, kind: LocationKind) -> None:
        message = _("This warehouse has no place of the kind %(kind)s in use. Add one.")
        super().__init__(message % {"kind": kind.label}, warehouse_id=warehouse_id, kind=kind.value)


def standard_locations(warehouse_id: int) -> dict[LocationKind, Location]:
    """Return the first active location of every kind, by walking order."""
    rows = Location.objects.filter(warehouse_id=warehouse_id, is_active=True)
    first_of_kind = rows.order_by("kind", "walking_order", "id").distinct("kind")
    return {LocationKind(location.kind): location for location in first_of_kind}


def standard_location(warehouse_id: int, kind: LocationKind) -> Location:
    """Return the first active location of that kind; raise ``NoSuchPlace`` when there is none."""
    found = standard_locations(warehouse_id).get(kind)
    if found is None:
        raise NoSuchPlace(warehouse_id, kind)
    return found


def warehouses() -> QuerySet[Warehouse]:
    """Return every warehouse the actor works in, by code."""
    return in_allowed(Warehouse.objects.order_by("code", "id"), "pk")


def get_warehouse(warehouse_id: int) -> Warehouse:
    """Return the warehouse; raise ``NotFound``."""
    found = warehouses().filter(pk=warehouse_id).first()
    if found is None:
        raise NotFound("warehouse", warehouse_id)
    return found


def get_location(location_id: int) -> Location:
    """Return the location with its warehouse; raise ``NotFound``."""
    found = locations().filter(pk=location_id).first()
    if found is None:
        raise NotFound("location", location_id)
    return found


def find_location(warehouse_id: int, code: str) -> Location | None:
    """Return the location of that code (in any case) in the warehouse, or None."""
    rows = Location.objects.filter(warehouse_id=warehouse_id)
    return rows.filter(code=code).first() or rows.filter(code__iexact=code).first()


def codes_in_use(warehouse_id: int, codes: Collection[str]) -> list[str]:
    """Return those of the codes that locations of the warehouse have already, in order."""
    rows = Location.objects.filter(warehouse_id=warehouse_id, code__in=codes)
    return list(rows.order_by("code").values_list("code", flat=True))


def zones() -> QuerySet[Zone]:
    """Return every zone with its warehouse, by warehouse and code."""
    rows = Zone.objects.select_related("warehouse").order_by("warehouse__code", "code", "id")
    return in_allowed(rows, "warehouse_id")


def zones_of(warehouse_id: int) -> QuerySet[Zone]:
    """Return the zones of a warehouse by code, each with its parent and its number of places."""
    rows = Zone.objects.filter(warehouse_id=warehouse_id).select_related("parent")
    return rows.annotate(places=Count("locations")).order_by("code", "id")


def get_zone(zone_id: int) -> Zone:
    """Return the zone with its warehouse; raise ``NotFound``."""
    rows = in_allowed(Zone.objects.select_related("warehouse", "parent"), "warehouse_id")
    found = rows.filter(pk=zone_id).first()
    if found is None:
        raise NotFound("zone", zone_id)
    return found


def packing_places(warehouse_id: int) -> QuerySet[Location]:
    """Return where picks may be brought: packing places, then shipping places."""
    kinds = [LocationKind.PACKING, LocationKind.SHIPPING]
    rows = Location.objects.filter(warehouse_id=warehouse_id, kind__in=kinds, is_active=True)
    return rows.order_by("kind", "walking_order", "code", "id")


def receiving_places(warehouse_id: int) -> QuerySet[Location]:
    """Return where goods may arrive: docks, then storage, by walking order."""
    kinds = [LocationKind.RECEIVING, LocationKind.STORAGE]
    rows = Location.objects.filter(warehouse_id=warehouse_id, kind__in=kinds, is_active=True)
    return rows.order_by("kind", "walking_order", "code", "id")


def locations() -> QuerySet[Location]:
    """Return every location with its warehouse, where the actor works."""
    rows = Location.objects.select_related("warehouse", "zone").order_by("id")
    return in_allowed(rows, "warehouse_id")


@dataclass(frozen=True)
class WarehouseTotals:
    """Products on hand, and what the ledger says that they are worth."""

    products: int
    value: Decimal


def warehouse_totals() -> dict[int, WarehouseTotals]:
    """Return products on hand and stock value by warehouse: one statement."""
    rows = (
        in_allowed(StockValue.objects.filter(quantity__gt=0), "warehouse_id")
        .order_by()
        .values("warehouse_id")
        .annotate(products=Count("id"), total=Sum("value"))
        .values_list("warehouse_id", "products", "total")
    )
    return {row[0]: WarehouseTotals(row[1], row[2]) for row in rows}


def working_locations(warehouse_id: int) -> QuerySet[Location]:
    """Return the locations inside a warehouse with how many products lie there."""
    return (
        locations()
        .filter(warehouse_id=warehouse_id)
        .exclude(kind__in=OUTSIDE_KINDS)
        .annotate(
            products=Count("balances__product_id", filter=Q(balances__on_hand__gt=0), distinct=True)
        )
    )
