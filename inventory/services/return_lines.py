"""Lines of customers' returns: what is expected back, of a shipment or of unknown origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from inventory.models import (
    CustomerReturn,
    CustomerReturnLine,
    Lot,
    Product,
    SalesOrder,
    ShipmentLine,
)
from inventory.rules.units import plain, quantity_fault
from inventory.services.ledger_balances import execute
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.return_sql import ADD_RETURNED
from inventory.services.rows import load_many
from tenancy.errors import Conflict, Invalid, NotFound, Problem
from tenancy.scope import active_tenant_id


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """Goods of a shipment line that come back, in base units; the lot is the one shipped."""

    shipment_line_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BlindLine:
    """Goods that come back without a shipment to point at, in base units."""

    product_id: int
    quantity: Decimal
    lot_id: int | None = None


class MoreThanShipped(Conflict):
    """More would come back than was shipped; ``data`` has the numbers of every such line."""

    code = "more_than_shipped"

    def __init__(self, over: Sequence[tuple[ShipmentLine, Decimal]]) -> None:
        line, returning = over[0]
        message = _(
            "%(sku)s: %(returning)s to come back, but %(returned)s of %(shipped)s shipped are "
            "expected or back already."
        ) % {
            "sku": line.product.sku,
            "returning": plain(returning),
            "returned": plain(line.quantity_returned),
            "shipped": plain(line.quantity),
        }
        data = [_numbers(line, quantity) for line, quantity in over]
        super().__init__(message, lines=data)


def take_from_shipments(
    back: CustomerReturn, order: SalesOrder, lines: Sequence[ExpectedLine]
) -> list[CustomerReturnLine]:
    """Count the lines as coming back on their shipment lines; return them unsaved.

    Raises ``NotFound`` for a line of another order, ``Invalid``, ``MoreThanShipped``.
    """
    shipped = {
        line.pk: line
        for line in ShipmentLine.objects.filter(
            pk__in=[line.shipment_line_id for line in lines], shipment__sales_order_id=order.pk
        ).select_related("product", "lot")
    }
    problems: list[Problem] = []
    seen: set[int] = set()
    for number, line in enumerate(lines):
        found = shipped.get(line.shipment_line_id)
        if found is None:
            raise NotFound("shipment line", line.shipment_line_id, line=number)
        problems += _quantity_problems(number, line.quantity, found.product)
        if line.shipment_line_id in seen:
            message = _("This line of the shipment is named twice.")
            problems.append(Problem("shipment_line_id", "twice", message, number))
        seen.add(line.shipment_line_id)
    if problems:
        raise Invalid(problems)
    count_returned({line.shipment_line_id: line.quantity for line in lines}, shipped)
    return [
        CustomerReturnLine(
            tenant_id=active_tenant_id(),
            customer_return=back,
            shipment_line=shipped[line.shipment_line_id],
            product=shipped[line.shipment_line_id].product,
            lot=shipped[line.shipment_line_id].lot,
            quantity=line.quantity,
        )
        for line in lines
    ]


def count_returned(
    changes: dict[int, Decimal], shipped: dict[int, ShipmentLine] | None = None
) -> None:
    """Add to what is expected or back of shipment lines; below zero takes off again."""
    if not changes:
        return
    arguments = [list(changes), list(changes.values()), active_tenant_id()]
    if execute(ADD_RETURNED, arguments) == len(changes):
        return
    known = shipped or {}
    # read again: somebody else may have been faster than the reading of the caller
    fresh = {
        line.pk: line
        for line in ShipmentLine.objects.filter(pk__in=known or changes).select_related("product")
    }
    over = [
        (fresh[pk], quantity)
        for pk, quantity in changes.items()
        if fresh[pk].quantity_returned + quantity > fresh[pk].quantity
    ]
    raise MoreThanShipped(over)


def blind_lines(back: CustomerReturn, lines: Sequence[BlindLine]) -> list[CustomerReturnLine]:
    """Return the checked and unsaved lines of goods whose shipment is not known.

    Raises ``NotFound`` for a product or lot, ``Invalid``.
    """
    products = load_many(Product, [line.product_id for line in lines])
    lots = load_many(Lot, [line.lot_id for line in lines if line.lot_id is not None])
    problems: list[Problem] = []
    for number, line in enumerate(lines):
        problems += _quantity_problems(number, line.quantity, products[line.product_id])
        if line.lot_id is not None and lots[line.lot_id].product_id != line.product_id:
            raise NotFound("lot", line.lot_id, line=number)
    if problems:
        raise Invalid(problems)
    return [
        CustomerReturnLine(
            tenant_id=active_tenant_id(),
            customer_return=back,
            product=products[line.product_id],
            lot_id=line.lot_id,
            quantity=line.quantity,
        )
        for line in lines
    ]


def _quantity_problems(number: int, quantity: Decimal, product: Product) -> list[Problem]:
    fault = quantity_fault(quantity, whole_units=product.whole_units)
    return [Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number)] if fault else []


def _numbers(line: ShipmentLine, quantity: Decimal) -> dict[str, Any]:
    return {
        "shipment_line_id": line.pk,
        "sku": line.product.sku,
        "shipped": plain(line.quantity),
        "returned": plain(line.quantity_returned),
        "returning": plain(quantity),
    }
