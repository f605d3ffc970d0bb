"""From goods in the hand to the allocations they were picked for, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import Allocation, AllocationState, Lot, Package, Product, SalesOrder
from inventory.models.catalog import LotTracking
from inventory.rules.units import quantity_fault
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.packing_errors import NotInPackage, NotPicked, ShortItem
from inventory.services.rows import load_many
from tenancy.errors import Invalid, NotFound, Problem

ZERO = Decimal(0)
Goods = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class PackItem:
    """A quantity (base units) of a product, and its lot where lots are tracked."""

    product_id: int
    quantity: Decimal
    lot_id: int | None = None

    @property
    def goods(self) -> Goods:
        return self.product_id, self.lot_id


def from_picked(order: SalesOrder, items: Sequence[PackItem]) -> dict[int, Decimal]:
    """Return how much of which picked allocation of the order the items are, oldest first.

    The allocations are locked. Raises ``NotFound``, ``Invalid``, ``NotPicked``.
    """
    products = _checked(items)
    rows = (
        Allocation.objects.filter(
            order_line__order=order,
            state=AllocationState.PICKED,
            product_id__in=products,
        )
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    supply = [
        (row.pk, (row.product_id, row.lot_id), row.quantity - row.quantity_packed) for row in rows
    ]
    amounts, short = _share(items, supply)
    if short:
        raise NotPicked(_named(short, products))
    return amounts


def from_package(package: Package, items: Sequence[PackItem]) -> dict[int, Decimal]:
    """Return how much of which package line the items are, the last line first.

    Raises ``NotFound``, ``Invalid``, ``NotInPackage``.
    """
    products = _checked(items)
    rows = package.lines.select_related("allocation").order_by("-pk")
    supply = [
        (row.pk, (row.allocation.product_id, row.allocation.lot_id), row.quantity) for row in rows
    ]
    amounts, short = _share(items, supply)
    if short:
        raise NotInPackage(_named(short, products))
    return amounts


def _checked(items: Sequence[PackItem]) -> dict[int, Product]:
    if not items:
        raise Invalid.field("items", "empty", _("There is nothing to pack."))
    products = load_many(Product, [item.product_id for item in items])
    lots = load_many(Lot, [item.lot_id for item in items if item.lot_id is not None])
    problems: list[Problem] = []
    for number, item in enumerate(items):
        product = products[item.product_id]
        if fault := quantity_fault(item.quantity, whole_units=product.whole_units):
            problems.append(Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number))
        if item.lot_id is not None and lots[item.lot_id].product_id != product.pk:
            raise NotFound("lot", item.lot_id, line=number)
        if item.lot_id is None and product.lot_tracking != LotTracking.NONE:
            message = _("This product is tracked by lot: name the lot.")
            problems.append(Problem("lot_id", "lot_required", message, number))
    if problems:
        raise Invalid(problems)
    return products


def _share(
    items: Sequence[PackItem], supply: Iterable[tuple[int, Goods, Decimal]]
) -> tuple[dict[int, Decimal], list[tuple[Goods, Decimal, Decimal]]]:
    """Return the quantity taken of each source, and goods, asked and there where it falls short."""
    asked: dict[Goods, Decimal] = {}
    for item in items:
        asked[item.goods] = asked.get(item.goods, ZERO) + item.quantity
    left = dict(asked)
    amounts: dict[int, Decimal] = {}
    for source_id, goods, there in supply:
        taken = min(there, left.get(goods, ZERO))
        if taken > 0:
            amounts[source_id] = taken
            left[goods] -= taken
    short = [(goods, asked[goods], asked[goods] - rest) for goods, rest in left.items() if rest > 0]
    return amounts, short


def _named(
    short: Sequence[tuple[Goods, Decimal, Decimal]], products: Mapping[int, Product]
) -> list[ShortItem]:
    lots = load_many(Lot, [lot_id for (_product, lot_id), *_numbers in short if lot_id is not None])
    return [
        ShortItem(
            products[product_id].sku,
            lots[lot_id].code if lot_id is not None else "",
            asked,
            possible,
        )
        for (product_id, lot_id), asked, possible in short
    ]
