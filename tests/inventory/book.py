"""A small warehouse for tests: places, products and short words for movements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg

from inventory.models import (
    Location,
    LocationKind,
    Lot,
    MovementReason,
    Product,
    StockBalance,
    Warehouse,
)
from inventory.queries.places import standard_locations
from inventory.services.ledger import MovementLine, post_movements
from inventory.services.places import create_warehouse
from tests import engines
from tests.cast import House

USUAL_REASONS = {
    "supplier": MovementReason.RECEIPT,
    "customer": MovementReason.SHIPMENT,
    "loss": MovementReason.COUNT,
    "in_transit": MovementReason.TRANSFER_OUT,
}


@dataclass(frozen=True)
class Site:
    """A warehouse and its standard locations. Open inside a tenant scope."""

    warehouse: Warehouse
    places: dict[LocationKind, Location]

    def at(self, kind: str) -> int:
        """Return the id of the location of that kind."""
        return self.places[LocationKind(kind)].pk

    def line(
        self, product: Product, quantity: Any, start: str, end: str, **more: Any
    ) -> MovementLine:
        """Return a line from one kind of place to another."""
        usual = USUAL_REASONS.get(start) or USUAL_REASONS.get(end) or MovementReason.MOVE
        reason = more.pop("reason", usual)
        number = quantity if isinstance(quantity, Decimal) else Decimal(str(quantity))
        return MovementLine(product.pk, self.at(start), self.at(end), number, reason, **more)

    def receive(self, product: Product, quantity: Any, **more: Any) -> list[int]:
        """Bring goods from the supplier straight to storage."""
        when: datetime | None = more.pop("effective_at", None)
        line = self.line(product, quantity, "supplier", "storage", **more)
        return post_movements(lines=[line], effective_at=when)

    def ship(self, product: Product, quantity: Any, **more: Any) -> list[int]:
        """Send goods from storage to the customer."""
        when: datetime | None = more.pop("effective_at", None)
        line = self.line(product, quantity, "storage", "customer", **more)
        return post_movements(lines=[line], effective_at=when)


def make_site(code: str = "MAIN", **fields: Any) -> Site:
    """Create a warehouse with its standard locations."""
    warehouse = create_warehouse(code=code, name=code.title(), **fields)
    return Site(warehouse, standard_locations(warehouse.pk))


def make_product(sku: str = "APPLE", **fields: Any) -> Product:
    """Create a product, in whole units and without lots unless told otherwise."""
    return Product.objects.create(sku=sku, name=sku.title(), **fields)


Stocked = tuple[House, Site, Product]
"""A tenant with a warehouse and what lies in its storage."""


def make_stocked(units: int) -> tuple[Site, Product]:
    """Return a warehouse with so many apples at 2.00 in storage."""
    site, apple = make_site(), make_product(unit_cost=Decimal(2))
    site.receive(apple, units)
    return site, apple


def make_lot(product: Product, code: str = "L1", **fields: Any) -> Lot:
    """Create a lot of the product."""
    return Lot.objects.create(product=product, code=code, **fields)


def on_hand(product: Product, location_id: int | None = None) -> Decimal:
    """Return what the balances say lies there, or anywhere."""
    rows = StockBalance.objects.filter(product=product)
    if location_id is not None:
        rows = rows.filter(location_id=location_id)
    return sum((row.on_hand for row in rows), Decimal(0))


def tamper(*statements: str) -> None:
    """Change the database past every protection, as a careless administrator could."""
    with psycopg.connect(engines.superuser_url(engines.database_name()), autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        for statement in statements:
            admin.execute(statement)
