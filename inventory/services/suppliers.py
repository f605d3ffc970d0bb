"""Suppliers, what they offer, and their prices by quantity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from inventory.models import PriceBreak, Product, Supplier, SupplierItem
from inventory.rules.units import quantity_fault
from inventory.services.rows import load, save
from tenancy.errors import Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit

LONGEST_LEAD_TIME_DAYS = 365
"""Nothing is planned further ahead: a longer promise could not be ordered by."""


@dataclass(frozen=True, kw_only=True)
class SupplierFields:
    """Money in the tenant's currency; ``transport_cost`` is per order.

    ``currency``: what it invoices in, only noted; where that is another, nothing is suggested.
    """

    code: str
    name: str
    email: str = ""
    country: str = ""
    currency: str = ""
    lead_time_days: int | None = None
    minimum_order_value: Decimal = Decimal(0)
    transport_cost: Decimal = Decimal(0)
    is_active: bool = True


@dataclass(frozen=True, kw_only=True)
class Offer:
    """How a supplier sells a product. ``price_breaks``: unit price from a quantity on."""

    price: Decimal
    supplier_sku: str = ""
    minimum_order_quantity: Decimal = Decimal(1)
    order_multiple: Decimal = Decimal(1)
    lead_time_days: int | None = None
    transport_cost_per_unit: Decimal = Decimal(0)
    transport_mode: str = ""
    is_preferred: bool = False
    is_active: bool = True


def create_supplier(*, fields: SupplierFields) -> Supplier:
    """Create a supplier. Raises ``Invalid`` naming the field."""
    require(Permission.BUY)
    _check_money(fields)
    _check_days(fields.lead_time_days)
    supplier = save(Supplier(**asdict(fields)))
    audit.record("supplier.created", supplier, code=supplier.code)
    return supplier


def update_supplier(*, supplier_id: int, fields: SupplierFields) -> Supplier:
    """Replace what is said about a supplier. Raises ``NotFound``, ``Invalid`` naming the field."""
    require(Permission.BUY)
    supplier = load(Supplier, supplier_id, lock=True)
    _check_money(fields)
    _check_days(fields.lead_time_days)
    given = asdict(fields)
    before = {n: str(getattr(supplier, n)) for n, v in given.items() if getattr(supplier, n) != v}
    if not before:
        return supplier
    for name in before:
        setattr(supplier, name, given[name])
    save(supplier)
    after = {name: str(given[name]) for name in before}
    audit.record("supplier.updated", supplier, before=before, after=after)
    return supplier


def _check_money(fields: SupplierFields) -> None:
    if fields.minimum_order_value < 0 or fields.transport_cost < 0:
        message = _("The minimum order value and the transport cost cannot be negative.")
        raise Invalid.field("minimum_order_value", "negative", message)


def _check_days(days: int | None) -> None:
    if days is not None and not 0 <= days <= LONGEST_LEAD_TIME_DAYS:
        message = _("Give a lead time of 0 to %(most)d days.") % {"most": LONGEST_LEAD_TIME_DAYS}
        raise Invalid.field("lead_time_days", "out_of_range", message)


def set_offer(
    *,
    supplier_id: int,
    product_id: int,
    offer: Offer,
    price_breaks: Mapping[Decimal, Decimal] | None = None,
) -> SupplierItem:
    """Create or replace what the supplier offers for a product, with its price breaks.

    A preferred offer takes the preference from the product's other offers. ``price_breaks`` maps
    the quantity from which a price holds to that price; left out, the breaks stay as they are.
    Raises ``NotFound``, ``Invalid`` naming the field.
    """
    require(Permission.BUY)
    _check_days(offer.lead_time_days)
    if offer.transport_cost_per_unit < 0:
        message = _("The transport cost cannot be negative.")
        raise Invalid.field("transport_cost_per_unit", "negative", message)
    supplier, product = load(Supplier, supplier_id), load(Product, product_id, lock=True)
    if offer.is_preferred:
        others = SupplierItem.objects.filter(product=product, is_preferred=True)
        others.exclude(supplier=supplier).update(is_preferred=False)
    item = SupplierItem.objects.filter(supplier=supplier, product=product).first()
    item = item or SupplierItem(supplier=supplier, product=product)
    for name, value in asdict(offer).items():
        setattr(item, name, value)
    save(item)
    if price_breaks is not None:
        _replace_breaks(item, price_breaks)
    audit.record("supplier_item.set", item, supplier=supplier.code, price=str(offer.price))
    return item


def _replace_breaks(item: SupplierItem, price_breaks: Mapping[Decimal, Decimal]) -> None:
    problems = [
        Problem("price_breaks", "not_positive", _("A price break needs two positive numbers."), n)
        for n, (quantity, price) in enumerate(price_breaks.items())
        if quantity_fault(quantity, whole_units=False)
        or (price and quantity_fault(price, whole_units=False))
    ]
    if problems:
        raise Invalid(problems)
    item.price_breaks.all().delete()
    PriceBreak.objects.bulk_create(
        [
            PriceBreak(supplier_item=item, from_quantity=quantity, price=price)
            for quantity, price in price_breaks.items()
        ]
    )
