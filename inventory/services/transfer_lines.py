"""Lines of transfers: which products are to go, and how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import Product, TransferLine, TransferOrder
from inventory.rules.units import quantity_fault
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.rows import load_many
from tenancy.errors import Invalid, Problem
from tenancy.scope import active_tenant_id


@dataclass(frozen=True, slots=True)
class AskedLine:
    """A product and how much of it is to go, in base units."""

    product_id: int
    quantity: Decimal


def build_lines(order: TransferOrder, lines: Sequence[AskedLine]) -> list[TransferLine]:
    """Return the checked and unsaved lines of ``order``.

    Raises ``NotFound`` for a product, ``Invalid`` for every bad quantity and every product that is
    named twice. A product that is not in use may go: that is how a site is cleared.
    """
    products = load_many(Product, [line.product_id for line in lines])
    seen = set(order.lines.values_list("product_id", flat=True)) if order.pk else set()
    problems: list[Problem] = []
    for number, line in enumerate(lines):
        product = products[line.product_id]
        if fault := quantity_fault(line.quantity, whole_units=product.whole_units):
            problems.append(Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number))
        if line.product_id in seen:
            message = _("The product %(sku)s is on this transfer already.") % {"sku": product.sku}
            problems.append(Problem("product_id", "twice", message, number))
        seen.add(line.product_id)
    if problems:
        raise Invalid(problems)
    return [
        TransferLine(
            tenant_id=active_tenant_id(),
            order=order,
            product=products[line.product_id],
            quantity=line.quantity,
        )
        for line in lines
    ]
