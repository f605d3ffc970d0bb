"""Shipping: packed goods leave for the customer, once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Allocation,
    AllocationState,
    LocationKind,
    MovementReason,
    Package,
    PackageLine,
    SalesOrder,
    SalesOrderState,
    Shipment,
    ShipmentLine,
    WorkKind,
)
from inventory.queries.places import standard_locations
from inventory.queries.shipping import contents, unshippable_allocations
from inventory.rules.business_day import business_day
from inventory.rules.units import quantity_fault
from inventory.services.allocation_sql import LOCK_GOOD_LOTS
from inventory.services.ledger import AllocationLine, MovementLine, post_movements
from inventory.services.ledger_balances import execute, fetch
from inventory.services.numbers import take_numbers
from inventory.services.order_states import WrongSalesOrderState, advance_orders, lock_orders
from inventory.services.pack_sql import (
    REPOINT_PACKAGE_LINES,
    SHIP_ALLOCATIONS,
    SHIP_LINES,
    SHIP_PACKAGES,
    SPLIT_TASKS,
)
from inventory.services.packing_errors import PackageNotClosed
from inventory.services.pick_work import LinesOutOfStep
from inventory.services.rows import load
from inventory.services.shipment_packages import packages_leaving
from inventory.services.shipping_errors import EmptyShipment, LotNotShippable
from inventory.services.worklists import claim_work, finish_work
from tenancy.errors import Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope, active_tenant_id
from tenancy.services import audit

__all__ = ["ShipmentFields", "ship_order"]

ZERO = Decimal(0)
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ShipmentFields:
    """How it travels; the cost is in the tenant's currency, None when not known."""

    carrier: str = ""
    tracking_number: str = ""
    transport_cost: Decimal | None = None


def ship_order(
    *,
    sales_order_id: int,
    shipment: ShipmentFields | None = None,
    package_ids: Sequence[int] | None = None,
    pack_all: bool = False,
) -> Shipment:
    """Send the order's closed packages, or those named, to the customer.

    What is not picked yet stays owed. ``pack_all`` puts picked goods that are in no package into
    one and closes what is open. Raises ``NotFound``, ``WrongSalesOrderState``, ``EmptyShipment``
    (also for the second of two), ``UnpackedGoods``, ``PackageNotClosed``, ``LotNotShippable``,
    ``Invalid``, ``ClaimedByOther``.
    """
    require(Permission.FLOOR_WORK)
    known = shipment or ShipmentFields()
    if problems := list(_problems(known)):
        raise Invalid(problems)
    with transaction.atomic():
        load(SalesOrder, sales_order_id)
        claim_work(kind=WorkKind.SHIP, subject_id=sales_order_id)
        order = lock_orders([sales_order_id])[sales_order_id]
        if order.state not in SalesOrderState.owing():
            raise WrongSalesOrderState(order, *SalesOrderState.owing())
        leaving = packages_leaving(order, package_ids, pack_all=pack_all)
        lines = contents([package.pk for package in leaving])
        if not lines:
            raise EmptyShipment(order)
        _refuse_bad_lots(order, lines)
        sent = _write(order, known, leaving, lines)
        _ship(order, sent, lines)
        advance_orders([order.pk])
        finish_work(kind=WorkKind.SHIP, subject_id=order.pk)
        finish_work(kind=WorkKind.PACK, subject_id=order.pk)
        audit.record(
            "order.shipped",
            order,
            number=order.number,
            shipment=sent.number,
            packages=[package.number for package in leaving],
            lines=len(lines),
        )
    return sent


def _problems(shipment: ShipmentFields) -> Iterator[Problem]:
    longest = 80
    too_long = _("This is longer than 80 characters.")
    for field in fields(shipment):
        value = getattr(shipment, field.name)
        if isinstance(value, str) and len(value) > longest:
            yield Problem(field.name, "too_long", too_long)
    cost = shipment.transport_cost
    if cost is not None and cost != 0 and quantity_fault(cost, whole_units=False):
        message = _("The cost is not an amount of money from zero up.")
        yield Problem("transport_cost", "not_an_amount", message)


def _refuse_bad_lots(order: SalesOrder, lines: Sequence[PackageLine]) -> None:
    # from here on nobody holds or recalls the good ones until this is posted
    lots = sorted({line.allocation.lot_id for line in lines if line.allocation.lot_id is not None})
    if not lots:
        return
    fetch(LOCK_GOOD_LOTS, [active_tenant_id(), lots])
    today = business_day(timezone.now(), order.warehouse.time_zone)
    bad = list(unshippable_allocations([line.allocation_id for line in lines], today))
    if bad:
        raise LotNotShippable(bad)


def _write(
    order: SalesOrder,
    known: ShipmentFields,
    leaving: Sequence[Package],
    lines: Sequence[PackageLine],
) -> Shipment:
    """Write the shipment; the packages leave once, which the conditional update decides."""
    [number] = take_numbers("SH")
    sent: Shipment = Shipment.objects.create(
        number=number,
        sales_order=order,
        warehouse_id=order.warehouse_id,
        carrier=known.carrier.strip(),
        tracking_number=known.tracking_number.strip(),
        transport_cost=known.transport_cost,
        shipped_by_label=active_scope().actor.label[:160],
        shipped_at=timezone.now(),
    )
    package_ids = [package.pk for package in leaving]
    if execute(SHIP_PACKAGES, [sent.pk, active_tenant_id(), package_ids]) != len(leaving):
        raise PackageNotClosed(leaving[0])
    ShipmentLine.objects.bulk_create(
        [
            ShipmentLine(
                shipment=sent,
                order_line_id=line.allocation.order_line_id,
                package_id=line.package_id,
                product_id=line.allocation.product_id,
                lot_id=line.allocation.lot_id,
                quantity=line.quantity,
            )
            for line in lines
        ]
    )
    return sent


def _ship(order: SalesOrder, sent: Shipment, lines: Sequence[PackageLine]) -> None:
    gone = _sums((line.allocation_id, line.quantity) for line in lines)
    ids = sorted(gone)
    locked = Allocation.objects.filter(pk__in=ids).select_for_update(of=("self",)).order_by("pk")
    allocations = {row.pk: row for row in locked}
    _keep_rest(allocations, gone, sorted({line.package_id for line in lines}))
    tenant_id = active_tenant_id()
    if execute(SHIP_ALLOCATIONS, [ids, [gone[pk] for pk in ids], tenant_id]) != len(ids):
        raise EmptyShipment(order)
    moved = _sums((allocations[pk].order_line_id or 0, gone[pk]) for pk in ids)
    if execute(SHIP_LINES, [list(moved), list(moved.values()), tenant_id]) != len(moved):
        raise LinesOutOfStep(moved)
    _post(order, sent, allocations, gone)


def _keep_rest(
    allocations: Mapping[int, Allocation], gone: Mapping[int, Decimal], leaving: Sequence[int]
) -> None:
    """Give what stays behind of an allocation a row of its own, with its packages and its pick."""
    parts = [(row, row.quantity - gone[pk]) for pk, row in allocations.items()]
    parts = [(row, rest) for row, rest in parts if rest > 0]
    if not parts:
        return
    kept = Allocation.objects.bulk_create(
        [
            Allocation(
                order_line_id=row.order_line_id,
                product_id=row.product_id,
                location_id=row.location_id,
                lot_id=row.lot_id,
                quantity=rest,
                quantity_packed=row.quantity_packed - gone[row.pk],
                state=AllocationState.PICKED,
                picked_into_id=row.picked_into_id,
                ended_at=row.ended_at,
            )
            for row, rest in parts
        ]
    )
    old, new = [row.pk for row, _rest in parts], [row.pk for row in kept]
    tenant_id = active_tenant_id()
    execute(REPOINT_PACKAGE_LINES, [old, new, tenant_id, list(leaving)])
    execute(SPLIT_TASKS, [old, new, [rest for _row, rest in parts], tenant_id])


def _post(
    order: SalesOrder,
    sent: Shipment,
    allocations: Mapping[int, Allocation],
    gone: Mapping[int, Decimal],
) -> None:
    customer = standard_locations(order.warehouse_id)[LocationKind.CUSTOMER].pk
    sums = _sums(
        ((row.product_id, row.picked_into_id or 0, row.lot_id), gone[pk])
        for pk, row in allocations.items()
    )
    post_movements(
        lines=[
            MovementLine(product_id, place, customer, quantity, MovementReason.SHIPMENT, lot_id)
            for (product_id, place, lot_id), quantity in sums.items()
        ],
        document=sent,
        releases=[
            AllocationLine(product_id, place, quantity, lot_id)
            for (product_id, place, lot_id), quantity in sums.items()
        ],
    )


def _sums(parts: Iterable[tuple[K, Decimal]]) -> dict[K, Decimal]:
    sums: dict[K, Decimal] = {}
    for key, quantity in parts:
        sums[key] = sums.get(key, ZERO) + quantity
    return sums
