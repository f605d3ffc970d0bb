"""The house of the floor machine: two sites, three products, lots good and bad, people to ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from inventory.models import (
    Channel,
    InventorySettings,
    Lot,
    Packaging,
    Product,
    Supplier,
)
from inventory.services.ledger import post_movements
from inventory.services.suppliers import SupplierFields, create_supplier
from tenancy.scope import active_scope
from tests.inventory.book import Site, make_lot, make_product, make_site


@dataclass(frozen=True)
class Furniture:
    """What is there before anything happens."""

    site: Site
    other: Site
    products: list[Product]
    case: Packaging
    channel: Channel
    supplier: Supplier


def furnish() -> Furniture:
    """Create the house, with stock of everything in its first site."""
    site, other = make_site("EAST"), make_site("WEST")
    products = [
        make_product("FLOUR", unit_cost=Decimal(2)),
        make_product("MILK", lot_tracking="lot", unit_cost=Decimal("0.7")),
        make_product("DRILL", lot_tracking="serial", unit_cost=Decimal(90)),
    ]
    today = datetime.now(UTC).date()
    milk = [
        make_lot(products[1], code, expires_on=today + timedelta(days=days) if days else None)
        for code, days in (("M1", 40), ("M2", None), ("OLD", -3))
    ]
    drills = [make_lot(products[2], f"S{n}") for n in range(4)]
    InventorySettings.objects.create(
        tenant=active_scope().tenant,
        count_tolerance_percent=50,
        adjustment_limit=Decimal(5),
    )
    for lot in (None, *milk, *drills):
        _bring(site, products, lot)
    return Furniture(
        site=site,
        other=other,
        products=products,
        case=Packaging.objects.create(product=products[0], name="case", units=Decimal(6)),
        channel=Channel.objects.create(code="web", name="Web"),
        supplier=create_supplier(fields=SupplierFields(code="ACME", name="Acme")),
    )


def _bring(site: Site, products: list[Product], lot: Lot | None) -> None:
    product = next(p for p in products if p.pk == (lot.product_id if lot else products[0].pk))
    line = site.line(
        product,
        1 if product.lot_tracking == "serial" else 12,
        "supplier",
        "storage",
        lot_id=lot.pk if lot else None,
        unit_cost=Decimal(3),
    )
    post_movements(lines=[line])
