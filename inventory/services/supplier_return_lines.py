"""Lines of returns to suppliers: which goods go back, and from where they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import (
    OUTSIDE_KINDS,
    Location,
    LocationKind,
    Lot,
    LotTracking,
    Product,
    PurchaseOrderLine,
    SupplierItem,
    SupplierReturn,
    SupplierReturnLine,
)
from inventory.rules.units import quantity_fault
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.rows import load_many
from tenancy.errors import Invalid, NotFound, Problem
from tenancy.scope import active_tenant_id

NOT_FROM = frozenset({*OUTSIDE_KINDS, LocationKind.IN_TRANSIT})


@dataclass(frozen=True, slots=True)
class ReturningLine:
    """Goods that go back, in base units, and where they are taken from.

    Without ``unit_cost`` it is the price of the return's order, or the supplier's price.
    """

    product_id: int
    location_id: int
    quantity: Decimal
    lot_id: int | None = None
    unit_cost: Decimal | None = None


def build_return_lines(
    back: SupplierReturn, lines: Sequence[ReturningLine]
) -> list[SupplierReturnLine]:
    """Return the checked and unsaved lines of ``back``.

    Raises ``NotFound`` for a product, lot or place, ``Invalid`` for every fault of every line.
    """
    products = load_many(Product, [line.product_id for line in lines])
    lots = load_many(Lot, [line.lot_id for line in lines if line.lot_id is not None])
    places = {
        place.pk: place
        for place in Location.objects.filter(
            pk__in=[line.location_id for line in lines], warehouse_id=back.warehouse_id
        )
    }
    problems: list[Problem] = []
    for number, line in enumerate(lines):
        if line.location_id not in places:
            raise NotFound("location", line.location_id, line=number)
        if line.lot_id is not None and lots[line.lot_id].product_id != line.product_id:
            raise NotFound("lot", line.lot_id, line=number)
        problems += _problems(number, line, products[line.product_id], places[line.location_id])
    if problems:
        raise Invalid(problems)
    costs = _costs(back, set(products))
    return [
        SupplierReturnLine(
            tenant_id=active_tenant_id(),
            supplier_return=back,
            product=products[line.product_id],
            location=places[line.location_id],
            lot_id=line.lot_id,
            quantity=line.quantity,
            unit_cost=costs.get(line.product_id) if line.unit_cost is None else line.unit_cost,
        )
        for line in lines
    ]


def _problems(number: int, line: ReturningLine, product: Product, place: Location) -> list[Problem]:
    problems = []
    if fault := quantity_fault(line.quantity, whole_units=product.whole_units):
        problems.append(Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number))
    if line.unit_cost and quantity_fault(line.unit_cost, whole_units=False):
        message = _("The unit cost is not an amount of money from zero up.")
        problems.append(Problem("unit_cost", "not_an_amount", message, number))
    if (product.lot_tracking != LotTracking.NONE) != (line.lot_id is not None):
        message = _("A lot is named for products tracked by lot, and only for those.")
        problems.append(Problem("lot_id", "lot_mismatch", message, number))
    if place.kind in NOT_FROM:
        message = _("%(code)s holds nothing that could go back to a supplier.")
        words = message % {"code": place.code}
        problems.append(Problem("location_id", "not_inside", words, number))
    return problems


def _costs(back: SupplierReturn, product_ids: set[int]) -> dict[int, Decimal]:
    """Return what a unit was bought for: at this supplier's price, better by the return's order."""
    offers = SupplierItem.objects.filter(
        supplier_id=back.supplier_id, product_id__in=product_ids, is_active=True
    )
    costs = dict(offers.values_list("product_id", "price"))
    if back.purchase_order_id is not None:
        ordered = PurchaseOrderLine.objects.filter(
            order_id=back.purchase_order_id, product_id__in=product_ids
        )
        costs |= dict(ordered.values_list("product_id", "unit_price"))
    return costs
