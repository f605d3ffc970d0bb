"""Which packages leave: those named, or all of the order when nothing is left outside them."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from inventory.models import Package, PackageLine, PackageState, SalesOrder
from inventory.queries.packing import unpacked_allocations
from inventory.services.packing import new_package, put_in, seal, unpacked_amounts
from inventory.services.packing_errors import PackageNotClosed
from inventory.services.shipping_errors import UnpackedGoods, UnpackedLine
from tenancy.errors import Invalid, NotFound


def packages_leaving(
    order: SalesOrder, package_ids: Sequence[int] | None, *, pack_all: bool
) -> list[Package]:
    """Return the locked, closed packages that leave.

    Raises ``NotFound``, ``PackageNotClosed``, ``Invalid``, ``UnpackedGoods``.
    """
    if package_ids is not None:
        return _named(order, package_ids)
    if pack_all:
        _pack_all(order)
    else:
        _refuse_unpacked(order)
    rows = Package.objects.filter(sales_order=order, state=PackageState.CLOSED)
    return list(rows.select_for_update(of=("self",)).order_by("pk"))


def _named(order: SalesOrder, package_ids: Sequence[int]) -> list[Package]:
    known = [pk for pk in package_ids if 0 < pk < 2**63]
    rows = Package.objects.filter(sales_order=order, pk__in=known)
    found = {row.pk: row for row in rows.select_for_update(of=("self",)).order_by("pk")}
    for number, package_id in enumerate(package_ids):
        if package_id not in found:
            raise NotFound("package", package_id, line=number)
    if len(found) < len(package_ids):
        raise Invalid.field("package_ids", "twice", _("A package is named twice."))
    for package in found.values():
        if package.state != PackageState.CLOSED:
            raise PackageNotClosed(package)
    return list(found.values())


def _pack_all(order: SalesOrder) -> None:
    rows = Package.objects.filter(sales_order=order, state=PackageState.OPEN)
    opened = list(rows.select_for_update(of=("self",)).order_by("pk"))
    amounts = unpacked_amounts(order)
    if amounts:
        target = opened[-1] if opened else new_package(order)
        put_in(target, amounts)
        opened = [*opened[:-1], target]
    filled = set(
        PackageLine.objects.filter(package__in=opened).values_list("package_id", flat=True)
    )
    closing = [package for package in opened if package.pk in filled]
    for package in closing:
        seal(package)
    Package.objects.bulk_update(closing, ["state", "closed_at", "packed_by_label"])
    # an empty box that nobody discarded does not keep the order open
    Package.objects.filter(pk__in=[p.pk for p in opened if p.pk not in filled]).delete()


def _refuse_unpacked(order: SalesOrder) -> None:
    loose = [
        UnpackedLine(row.product.sku, _lot_code(row.lot), row.quantity - row.quantity_packed)
        for row in unpacked_allocations([order.pk]).select_related("product", "lot")
    ]
    inside = PackageLine.objects.filter(
        package__sales_order=order, package__state=PackageState.OPEN
    ).select_related("allocation__product", "allocation__lot")
    loose += [
        UnpackedLine(line.allocation.product.sku, _lot_code(line.allocation.lot), line.quantity)
        for line in inside.order_by("pk")
    ]
    if loose:
        raise UnpackedGoods(order, loose)


def _lot_code(lot: object) -> str:
    return "" if lot is None else str(lot)
