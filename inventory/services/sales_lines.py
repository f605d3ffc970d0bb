"""Lines of sales orders: what is asked for, and the change of it while nothing depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import Product, SalesOrder, SalesOrderLine, SalesOrderState
from inventory.rules.units import quantity_fault
from inventory.services.ledger_lines import QUANTITY_FAULTS
from inventory.services.order_states import WrongSalesOrderState, lock_order
from inventory.services.rows import load, load_many
from tenancy.errors import Invalid, NotFound, Problem, Text
from tenancy.permissions import Permission, require
from tenancy.services import audit


@dataclass(frozen=True, slots=True)
class SalesLine:
    """A quantity in base units. Without ``unit_price`` the product's own price applies."""

    product_id: int
    quantity: Decimal
    unit_price: Decimal | None = None


def add_sales_lines(
    *, sales_order_id: int, lines: Sequence[SalesLine], version: int | None = None
) -> SalesOrder:
    """Add lines to a draft.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSalesOrderState``, ``Invalid``.
    """
    require(Permission.SELL)
    order = _lock_draft(sales_order_id, version)
    if not lines:
        raise Invalid.field("lines", "empty", _("There is nothing to add."))
    products = load_many(Product, [line.product_id for line in lines])
    problems = line_problems(lines, products)
    if problems:
        raise Invalid(problems)
    SalesOrderLine.objects.bulk_create(build_lines(order, lines, products))
    save_order(order)
    audit.record("sales_order.lines_added", order, number=order.number, lines=len(lines))
    return order


def change_sales_line(
    *, sales_order_id: int, line_id: int, line: SalesLine, version: int | None = None
) -> SalesOrder:
    """Change the quantity, the price or the product of a draft's line.

    Raises ``NotFound``, ``StaleVersion``, ``WrongSalesOrderState``, ``Invalid``.
    """
    require(Permission.SELL)
    order = _lock_draft(sales_order_id, version)
    row = line_of(order, line_id)
    products = load_many(Product, [line.product_id])
    problems = line_problems([line], products)
    if problems:
        raise Invalid(problems)
    before = str(row.quantity)
    [built] = build_lines(order, [line], products)
    row.product, row.quantity, row.unit_price = built.product, built.quantity, built.unit_price
    row.save()
    save_order(order)
    told = {"sku": row.product.sku, "before": before, "after": str(row.quantity)}
    audit.record("sales_order.line_changed", order, number=order.number, **told)
    return order


def remove_sales_line(
    *, sales_order_id: int, line_id: int, version: int | None = None
) -> SalesOrder:
    """Take a line off a draft. Raises ``NotFound``, ``StaleVersion``, ``WrongSalesOrderState``."""
    require(Permission.SELL)
    order = _lock_draft(sales_order_id, version)
    row = line_of(order, line_id)
    row.delete()
    save_order(order)
    audit.record("sales_order.line_removed", order, number=order.number, product=row.product_id)
    return order


def line_of(order: SalesOrder, line_id: int) -> SalesOrderLine:
    """Return the order's line; another order's answers like a missing one."""
    row = load(SalesOrderLine, line_id)
    if row.order_id != order.pk:
        raise NotFound("sales order line", line_id)
    return row


def save_order(order: SalesOrder) -> None:
    """Save what changed of the order itself, under its next version."""
    order.version += 1
    order.save()


def build_lines(
    order: SalesOrder, lines: Sequence[SalesLine], products: Mapping[int, Product]
) -> list[SalesOrderLine]:
    """Return the unsaved lines of ``order``, each with its price; they were checked before."""
    return [
        SalesOrderLine(
            order=order,
            product=products[line.product_id],
            quantity=line.quantity,
            unit_price=_price(line, products[line.product_id]),
        )
        for line in lines
    ]


def line_problems(lines: Sequence[SalesLine], products: Mapping[int, Product]) -> list[Problem]:
    """Return everything wrong with the lines, with the number of the line."""
    return [
        problem
        for number, line in enumerate(lines)
        for problem in _problems(number, line, products[line.product_id])
    ]


def _problems(number: int, line: SalesLine, product: Product) -> Iterable[Problem]:
    message: Text
    fault = quantity_fault(line.quantity, whole_units=product.whole_units)
    if fault:
        yield Problem("quantity", fault.value, QUANTITY_FAULTS[fault], number)
    price = line.unit_price
    if price and quantity_fault(price, whole_units=False):
        message = _("%(sku)s: the price is not an amount of money from zero up.")
        yield Problem("unit_price", "not_an_amount", message % {"sku": product.sku}, number)
    if not product.is_active:
        message = _("The product %(sku)s is not in use any more.") % {"sku": product.sku}
        yield Problem("product_id", "inactive_product", message, number)


def _price(line: SalesLine, product: Product) -> Decimal:
    return (product.unit_price if line.unit_price is None else line.unit_price) or Decimal(0)


def _lock_draft(sales_order_id: int, version: int | None) -> SalesOrder:
    order = lock_order(sales_order_id, version)
    if order.state != SalesOrderState.DRAFT:
        raise WrongSalesOrderState(order, SalesOrderState.DRAFT)
    return order
