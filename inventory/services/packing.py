"""Packing: picked goods go into packages, which are closed with weight and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Package,
    PackageLine,
    PackageState,
    SalesOrder,
    SalesOrderState,
    WorkKind,
)
from inventory.queries.access import is_reachable
from inventory.queries.packing import unpacked_allocations
from inventory.rules.units import quantity_fault
from inventory.services.ledger_balances import execute
from inventory.services.numbers import take_numbers
from inventory.services.order_states import WrongSalesOrderState, advance_orders, lock_orders
from inventory.services.pack_items import PackItem, from_package, from_picked
from inventory.services.pack_sql import (
    ADD_PACKAGE_LINES,
    EMPTY_PACKAGE_LINES,
    LESSEN_PACKAGE_LINES,
    PACK_ALLOCATIONS,
    UNPACK_ALLOCATIONS,
)
from inventory.services.packing_errors import (
    NothingToPack,
    PackageEmpty,
    PackageNotClosed,
    PackageNotOpen,
)
from inventory.services.rows import load
from inventory.services.worklists import claim_work, finish_work
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.permissions import Permission, require
from tenancy.scope import active_scope, active_tenant_id
from tenancy.services import audit

__all__ = [
    "PackItem",
    "PackageMeasures",
    "close_package",
    "discard_package",
    "open_package",
    "pack",
    "pack_rest",
    "reopen_package",
    "unpack",
]

Amounts = dict[int, Decimal]


@dataclass(frozen=True, slots=True)
class PackageMeasures:
    """What the scales and the tape say; None is not measured."""

    weight_kg: Decimal | None = None
    length_cm: Decimal | None = None
    width_cm: Decimal | None = None
    height_cm: Decimal | None = None


class PackedMeanwhile(Conflict):
    """Somebody else packed or unpacked the same goods in the meantime."""

    code = "packed_meanwhile"

    def __init__(self) -> None:
        super().__init__(_("Somebody else packed these goods in the meantime. Look again."))


def open_package(*, sales_order_id: int) -> Package:
    """Open a package for an order of which picked goods wait; the order is taken for packing.

    Raises ``NotFound``, ``WrongSalesOrderState``, ``NothingToPack``, ``ClaimedByOther``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        load(SalesOrder, sales_order_id)
        claim_work(kind=WorkKind.PACK, subject_id=sales_order_id)
        order = _lock_order(sales_order_id)
        if not unpacked_allocations([order.pk]).exists():
            raise NothingToPack(order)
        package = new_package(order)
        audit.record("package.opened", package, number=package.number, order=order.number)
    return package


def pack(*, package_id: int, items: Sequence[PackItem]) -> Package:
    """Put picked goods into an open package, all items or none.

    Raises ``NotFound``, ``PackageNotOpen``, ``NotPicked``, ``Invalid``, ``ClaimedByOther``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        order, package = _take(package_id)
        put_in(package, from_picked(order, items))
        _follow(order)
        audit.record("package.packed", package, number=package.number, items=_told(items))
    return package


def pack_rest(*, package_id: int) -> Package:
    """Put everything that was picked for the order and is not packed yet into an open package.

    Raises ``NotFound``, ``PackageNotOpen``, ``NothingToPack``, ``ClaimedByOther``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        order, package = _take(package_id)
        amounts = unpacked_amounts(order)
        if not amounts:
            raise NothingToPack(order)
        put_in(package, amounts)
        _follow(order)
        audit.record("package.packed", package, number=package.number, lines=len(amounts))
    return package


def unpack(*, package_id: int, items: Sequence[PackItem]) -> Package:
    """Take goods out of an open package; they wait to be packed again.

    Raises ``NotFound``, ``PackageNotOpen``, ``NotInPackage``, ``Invalid``, ``ClaimedByOther``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        order, package = _take(package_id)
        _take_out(from_package(package, items))
        _follow(order)
        audit.record("package.unpacked", package, number=package.number, items=_told(items))
    return package


def close_package(*, package_id: int, measures: PackageMeasures | None = None) -> Package:
    """Close a filled package; its label can be printed.

    Raises ``NotFound``, ``PackageNotOpen``, ``PackageEmpty``, ``Invalid``, ``ClaimedByOther``.
    """
    require(Permission.FLOOR_WORK)
    known = measures or PackageMeasures()
    problems = list(_measure_problems(known))
    if problems:
        raise Invalid(problems)
    with transaction.atomic():
        order, package = _take(package_id)
        if not package.lines.exists():
            raise PackageEmpty(package)
        package.weight_kg, package.length_cm = known.weight_kg, known.length_cm
        package.width_cm, package.height_cm = known.width_cm, known.height_cm
        seal(package)
        package.save()
        _follow(order)
        _finish_if_packed(order)
        audit.record("package.closed", package, number=package.number)
    return package


def reopen_package(*, package_id: int) -> Package:
    """Open a closed package again, until it is shipped.

    Raises ``NotFound``, ``PackageNotClosed``, ``ClaimedByOther``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        order, package = _lock(package_id)
        claim_work(kind=WorkKind.PACK, subject_id=order.pk)
        if package.state != PackageState.CLOSED:
            raise PackageNotClosed(package)
        package.state, package.closed_at = PackageState.OPEN, None
        package.save(update_fields=["state", "closed_at"])
        _follow(order)
        audit.record("package.reopened", package, number=package.number)
    return package


def discard_package(*, package_id: int) -> SalesOrder:
    """Do away with an open package; what is in it waits to be packed again.

    Raises ``NotFound``, ``PackageNotOpen``, ``ClaimedByOther``.
    """
    require(Permission.FLOOR_WORK)
    with transaction.atomic():
        order, package = _take(package_id)
        lines = {line.pk: line.quantity for line in package.lines.all()}
        if lines:
            _take_out(lines)
        audit.record("package.discarded", package, number=package.number, lines=len(lines))
        package.delete()
        _follow(order)
    return order


# -- shared with shipping --------------------------------------------------------------------------
def new_package(order: SalesOrder) -> Package:
    """Create an open package of a locked order."""
    [number] = take_numbers("PK")
    package: Package = Package.objects.create(
        number=number, sales_order=order, packed_by_label=active_scope().actor.label[:160]
    )
    return package


def unpacked_amounts(order: SalesOrder) -> Amounts:
    """Return what of each picked allocation is in no package yet."""
    rows = unpacked_allocations([order.pk]).select_for_update(of=("self",)).order_by("pk")
    return {row.pk: row.quantity - row.quantity_packed for row in rows}


def put_in(package: Package, amounts: Amounts) -> None:
    """Pack these quantities of picked allocations; the guarded update decides."""
    tenant_id, ids, quantities = active_tenant_id(), list(amounts), list(amounts.values())
    if execute(PACK_ALLOCATIONS, [ids, quantities, tenant_id]) != len(ids):
        raise PackedMeanwhile
    execute(ADD_PACKAGE_LINES, [tenant_id, package.pk, ids, quantities])


def seal(package: Package) -> None:
    """Set the package closed, without saving it."""
    package.state, package.closed_at = PackageState.CLOSED, timezone.now()
    package.packed_by_label = active_scope().actor.label[:160]


def _lock_order(sales_order_id: int) -> SalesOrder:
    order = lock_orders([sales_order_id])[sales_order_id]
    if order.state not in SalesOrderState.owing():
        raise WrongSalesOrderState(order, *SalesOrderState.owing())
    return order


def _lock(package_id: int) -> tuple[SalesOrder, Package]:
    known = _find(package_id)
    order = lock_orders([known.sales_order_id])[known.sales_order_id]
    return order, load(Package, package_id, lock=True)


def _find(package_id: int) -> Package:
    package = load(Package, package_id)
    if not is_reachable(package.sales_order):
        raise NotFound("package", package_id)
    return package


def _take(package_id: int) -> tuple[SalesOrder, Package]:
    """Return the order and its open package, both locked and taken by the active person."""
    known = _find(package_id)
    claim_work(kind=WorkKind.PACK, subject_id=known.sales_order_id)
    order, package = _lock(package_id)
    if package.state != PackageState.OPEN:
        raise PackageNotOpen(package)
    return order, package


def _take_out(amounts: Amounts) -> None:
    """Take these quantities out of package lines, and mark them unpacked."""
    tenant_id, ids, quantities = active_tenant_id(), list(amounts), list(amounts.values())
    rows = PackageLine.objects.filter(pk__in=ids).values_list("pk", "allocation_id")
    allocations = [dict(rows)[pk] for pk in ids]
    taken = execute(EMPTY_PACKAGE_LINES, [ids, quantities, tenant_id])
    taken += execute(LESSEN_PACKAGE_LINES, [ids, quantities, tenant_id])
    unpacked = execute(UNPACK_ALLOCATIONS, [allocations, quantities, tenant_id])
    if taken != len(ids) or unpacked != len(ids):
        raise PackedMeanwhile


def _follow(order: SalesOrder) -> None:
    advance_orders([order.pk])


def _finish_if_packed(order: SalesOrder) -> None:
    has_open = Package.objects.filter(sales_order=order, state=PackageState.OPEN).exists()
    if not has_open and not unpacked_allocations([order.pk]).exists():
        finish_work(kind=WorkKind.PACK, subject_id=order.pk)


def _told(items: Sequence[PackItem]) -> list[dict[str, object]]:
    return [
        {"product": item.product_id, "lot": item.lot_id, "quantity": str(item.quantity)}
        for item in items
    ]


def _measure_problems(measures: PackageMeasures) -> list[Problem]:
    message = _("This must be greater than zero, or left empty.")
    names = ("weight_kg", "length_cm", "width_cm", "height_cm")
    return [
        Problem(name, fault.value, message)
        for name in names
        if (value := getattr(measures, name)) is not None
        and (fault := quantity_fault(value, whole_units=False))
    ]
