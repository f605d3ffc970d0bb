"""Shipping: which orders are ready to leave, and what has left."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Sum

from inventory.models import (
    Allocation,
    AllocationState,
    LotStatus,
    Package,
    PackageLine,
    PackageState,
    SalesOrder,
    Shipment,
    ShipmentLine,
    WorkKind,
)
from inventory.queries.access import in_allowed
from inventory.queries.packing import DUE_ON, QUANTITY, orders_with_due
from inventory.queries.worklists import of_assignee
from tenancy.errors import NotFound

LATEST_SHIPMENTS = 200


@dataclass(frozen=True)
class ShipmentTotals:
    """``weight_kg`` of the packages that were weighed; None when none was."""

    lines: int = 0
    packages: int = 0
    weight_kg: Decimal | None = None


def orders_to_ship(
    *, warehouse_id: int | None = None, text: str = "", assignee: str = ""
) -> QuerySet[SalesOrder]:
    """Return orders with closed packages that have not left, the latest first."""
    closed = Package.objects.filter(sales_order=OuterRef("pk"), state=PackageState.CLOSED)
    rows = orders_with_due(warehouse_id, text).filter(Exists(closed))
    return of_assignee(rows, WorkKind.SHIP, assignee).order_by(DUE_ON, "priority", "id")


def late_orders(rows: QuerySet[SalesOrder], today: date) -> QuerySet[SalesOrder]:
    """Keep the orders that were promised for a day before ``today``."""
    return rows.filter(promised_on__lt=today)


def unshippable_allocations(allocation_ids: Collection[int], on: date) -> QuerySet[Allocation]:
    """Return those of these allocations whose lot may not leave: held, recalled or expired."""
    bad = ~Q(lot__status=LotStatus.AVAILABLE) | Q(lot__expires_on__lt=on)
    rows = Allocation.objects.filter(bad, pk__in=allocation_ids, lot__isnull=False)
    return rows.select_related("product", "lot").order_by("pk")


def picked_allocations(order_id: int) -> QuerySet[Allocation]:
    """Return what was picked for an order and has not left."""
    rows = Allocation.objects.filter(order_line__order_id=order_id, state=AllocationState.PICKED)
    return rows.select_related("product", "lot", "picked_into").order_by("pk")


def contents(package_ids: Collection[int]) -> list[PackageLine]:
    """Return what is in these packages, in one statement."""
    rows = PackageLine.objects.filter(package_id__in=package_ids)
    return list(rows.select_related("allocation__product").order_by("package_id", "id"))


def known_carriers(warehouse_id: int) -> list[str]:
    """Return the carriers of the warehouse's latest shipments, by name."""
    latest = Shipment.objects.filter(warehouse_id=warehouse_id).exclude(carrier="").order_by("-id")
    return sorted(set(latest.values_list("carrier", flat=True)[:LATEST_SHIPMENTS]))


def shipments() -> QuerySet[Shipment]:
    """Return every shipment with its order and warehouse, newest first."""
    related = ("sales_order__customer", "sales_order__channel", "warehouse")
    rows = Shipment.objects.select_related(*related).order_by("-id")
    return in_allowed(rows, "warehouse_id")


def search_shipments(*, text: str = "", warehouse_id: int | None = None) -> QuerySet[Shipment]:
    """Return shipments whose number, order number or tracking number starts with ``text``."""
    rows = shipments()
    if text:
        rows = rows.filter(
            Q(number__istartswith=text)
            | Q(sales_order__number__istartswith=text)
            | Q(tracking_number__istartswith=text)
        )
    if warehouse_id is not None:
        rows = rows.filter(warehouse_id=warehouse_id)
    return rows


def shipments_of(order_id: int) -> QuerySet[Shipment]:
    """Return an order's shipments, the first one first."""
    return shipments().filter(sales_order_id=order_id).order_by("id")


def get_shipment(shipment_id: int) -> Shipment:
    """Return the shipment with its lines and packages; raise ``NotFound``."""
    lines = ShipmentLine.objects.select_related("product", "lot", "package", "order_line")
    rows = shipments().prefetch_related(
        Prefetch("lines", lines.order_by("id")),
        Prefetch("packages", Package.objects.order_by("id")),
    )
    found = rows.filter(pk=shipment_id).first()
    if found is None:
        raise NotFound("shipment", shipment_id)
    return found


def shipment_totals(shipment_ids: Collection[int]) -> dict[int, ShipmentTotals]:
    """Return the totals of each shipment: two statements for a page of a list."""
    lines = dict(
        ShipmentLine.objects.filter(shipment_id__in=shipment_ids)
        .order_by()
        .values("shipment_id")
        .annotate(lines=Count("id"))
        .values_list("shipment_id", "lines")
    )
    rows = (
        Package.objects.filter(shipment_id__in=shipment_ids)
        .order_by()
        .values("shipment_id")
        .annotate(number=Count("id"), weight=Sum("weight_kg", output_field=QUANTITY))
        .values_list("shipment_id", "number", "weight")
    )
    packages = {row[0]: (row[1], row[2]) for row in rows}
    return {
        pk: ShipmentTotals(lines.get(pk, 0), *packages.get(pk, (0, None))) for pk in shipment_ids
    }
