"""Lines of purchase orders: what to buy, at which price, and how much of it has come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import PriceBreak, Product, PurchaseOrder, PurchaseOrderLine, SupplierItem
from inventory.rules.units import quantity_fault
from inventory.services.rows import load_many
from tenancy.errors import Invalid, Problem, Text
from tenancy.scope import active_tenant_id


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A quantity in base units. Without ``unit_price`` the supplier's price break applies."""

    product_id: int
    quantity: Decimal
    unit_price: Decimal | None = None
    promised_on: date | None = None
    over_receipt_tolerance: Decimal = Decimal(0)


def price_for(item: SupplierItem, breaks: Iterable[PriceBreak], quantity: Decimal) -> Decimal:
    """Return the unit price at this quantity: of the highest price break it reaches."""
    reached = [b for b in breaks if b.from_quantity <= quantity]
    price: Decimal = item.price
    if reached:
        price = max(reached, key=lambda b: b.from_quantity).price
    return price


def build_lines(order: PurchaseOrder, lines: Sequence[OrderLine]) -> list[PurchaseOrderLine]:
    """Return the checked, priced and unsaved lines of ``order``.

    Raises ``NotFound`` for a product, ``Invalid`` for every bad quantity, missing price, product
    named twice or not in use.
    """
    products = load_many(Product, [line.product_id for line in lines])
    items = {
        item.product_id: item
        for item in SupplierItem.objects.filter(
            supplier_id=order.supplier_id, product_id__in=products, is_active=True
        ).prefetch_related("price_breaks")
    }
    problems: list[Problem] = []
    built: list[PurchaseOrderLine] = []
    seen = set(order.lines.values_list("product_id", flat=True)) if order.pk else set()
    for number, line in enumerate(lines):
        product, item = products[line.product_id], items.get(line.product_id)
        fault = quantity_fault(line.quantity, whole_units=product.whole_units)
        price = line.unit_price
        if price is None and item is not None and not fault:
            price = price_for(item, item.price_breaks.all(), line.quantity)
        problems += _problems(number, line, product, price)
        if line.product_id in seen:
            message = _("The product %(sku)s is on this order already.") % {"sku": product.sku}
            problems.append(Problem("product_id", "twice", message, number))
        seen.add(line.product_id)
        built.append(
            PurchaseOrderLine(
                tenant_id=active_tenant_id(),
                order=order,
                product=product,
                supplier_item=item,
                quantity=line.quantity,
                unit_price=price or Decimal(0),
                over_receipt_tolerance=line.over_receipt_tolerance,
                promised_on=line.promised_on,
            )
        )
    if problems:
        raise Invalid(problems)
    return built


def _problems(
    number: int, line: OrderLine, product: Product, price: Decimal | None
) -> Iterable[Problem]:
    message: Text
    fault = quantity_fault(line.quantity, whole_units=product.whole_units)
    if fault:
        message = _("%(sku)s: the quantity is not a positive, exact number of base units.")
        yield Problem("quantity", fault.value, message % {"sku": product.sku}, number)
    tolerance = line.over_receipt_tolerance
    if tolerance and quantity_fault(tolerance, whole_units=product.whole_units):
        message = _("The tolerance is not an exact number of base units from zero up.")
        yield Problem("over_receipt_tolerance", "not_exact", message, number)
    if price is None:
        message = _("%(sku)s: this supplier has no price for it; give one.")
        yield Problem("unit_price", "price_missing", message % {"sku": product.sku}, number)
    elif price and quantity_fault(price, whole_units=False):
        message = _("%(sku)s: the price is not an amount of money from zero up.")
        yield Problem("unit_price", "not_an_amount", message % {"sku": product.sku}, number)
    if not product.is_active:
        message = _("The product %(sku)s is not in use any more.") % {"sku": product.sku}
        yield Problem("product_id", "inactive_product", message, number)
