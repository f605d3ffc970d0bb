"""Products, categories, packagings and barcodes: created and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from inventory.models import Barcode, Category, LotTracking, Packaging, Product, StockMovement
from inventory.rules.units import QuantityFault, quantity_fault
from inventory.services.rows import check_version, load, save
from tenancy.errors import Conflict, Invalid, Problem
from tenancy.permissions import Permission, require
from tenancy.services import audit

FROZEN_ONCE_MOVED = ("base_unit", "whole_units", "lot_tracking")


@dataclass(frozen=True, kw_only=True)
class ProductFields:
    """What may be said about a product. Money is per base unit, in the tenant's currency."""

    sku: str
    name: str
    description: str = ""
    category_id: int | None = None
    base_unit: str = "pcs"
    whole_units: bool = True
    lot_tracking: str = LotTracking.NONE
    shelf_life_days: int | None = None
    unit_cost: Decimal | None = None
    unit_price: Decimal | None = None
    weight_kg: Decimal | None = None
    volume_l: Decimal | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    introduced_on: date | None = None
    discontinued_on: date | None = None
    is_active: bool = True


class ProductInUse(Conflict):
    """How stock is counted cannot change once stock has moved."""

    code = "product_in_use"

    def __init__(self, fields: list[str]) -> None:
        message = _("Stock of this product has moved: %(fields)s cannot be changed any more.")
        super().__init__(message % {"fields": ", ".join(fields)}, fields=fields)


def create_product(*, fields: ProductFields) -> Product:
    """Create a product. Raises ``Invalid`` naming the field, ``NotFound`` for the category."""
    require(Permission.EDIT_CATALOG)
    if fields.category_id is not None:
        load(Category, fields.category_id)
    product = save(Product(**asdict(fields)))
    audit.record("product.created", product, sku=product.sku)
    return product


def update_product(
    *, product_id: int, changes: Mapping[str, Any], version: int | None = None
) -> Product:
    """Change some fields of a product (names as in ``ProductFields``).

    Raises ``NotFound``, ``StaleVersion`` when ``version`` is not the current one, ``ProductInUse``,
    ``Invalid``.
    """
    require(Permission.EDIT_CATALOG)
    _refuse_unknown(changes)
    product = load(Product, product_id, lock=True)
    check_version(product, version)
    changed = {name: value for name, value in changes.items() if getattr(product, name) != value}
    if not changed:
        return product
    _refuse_recounting(product, changed)
    if changed.get("category_id") is not None:
        load(Category, changed["category_id"])
    before = {name: str(getattr(product, name)) for name in changed}
    for name, value in changed.items():
        setattr(product, name, value)
    product.version += 1
    save(product)
    after = {name: str(value) for name, value in changed.items()}
    audit.record("product.updated", product, before=before, after=after)
    return product


def create_category(*, name: str, parent_id: int | None = None) -> Category:
    """Create a category, under another one if given."""
    require(Permission.EDIT_CATALOG)
    parent = load(Category, parent_id) if parent_id is not None else None
    category = save(Category(name=name, parent=parent))
    audit.record("category.created", category, name=name)
    return category


def add_packaging(*, product_id: int, name: str, units: Decimal) -> Packaging:
    """Add a packaging of ``units`` base units. Raises ``Invalid`` for units that are not exact."""
    require(Permission.EDIT_CATALOG)
    product = load(Product, product_id)
    fault = quantity_fault(units, whole_units=product.whole_units)
    if fault is QuantityFault.NOT_WHOLE:
        message = _("The product is counted in whole units, so its packagings hold whole units.")
        raise Invalid.field("units", fault.value, message)
    if fault:
        message = _("A packaging holds a positive number of base units.")
        raise Invalid.field("units", fault.value, message)
    packaging = save(Packaging(product=product, name=name, units=units))
    audit.record("packaging.added", packaging, product=product.sku, units=str(units))
    return packaging


def add_barcode(*, product_id: int, code: str, packaging_id: int | None = None) -> Barcode:
    """Put a barcode on the unit, or on a packaging of the same product."""
    require(Permission.EDIT_CATALOG)
    product = load(Product, product_id)
    packaging = load(Packaging, packaging_id) if packaging_id is not None else None
    if packaging is not None and packaging.product_id != product.pk:
        message = _("This packaging belongs to another product.")
        raise Invalid.field("packaging_id", "other_product", message)
    barcode = save(Barcode(product=product, packaging=packaging, code=code.strip()))
    audit.record("barcode.added", barcode, product=product.sku, code=barcode.code)
    return barcode


def _refuse_unknown(changes: Mapping[str, Any]) -> None:
    known = ProductFields.__dataclass_fields__.keys()
    problems = [
        Problem(name, "unknown_field", _("A product has no field %(name)s.") % {"name": name})
        for name in changes
        if name not in known
    ]
    if problems:
        raise Invalid(problems)


def _refuse_recounting(product: Product, changed: Mapping[str, Any]) -> None:
    frozen = [name for name in FROZEN_ONCE_MOVED if name in changed]
    if frozen and StockMovement.objects.filter(product_id=product.pk).exists():
        raise ProductInUse(frozen)
