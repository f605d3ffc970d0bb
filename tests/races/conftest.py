from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from inventory.models import Product, StockBalance, StockMovement
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site


@dataclass(frozen=True)
class Arena:
    """A committed warehouse of *north*, and looks at it from outside."""

    house: House
    site: Site

    def product(self, sku: str, stock: int = 0) -> Product:
        """Create a product with stock in storage."""
        with self.house.scope():
            product = make_product(sku)
            if stock:
                self.site.receive(product, stock)
        return product

    def receiver(self, product: Product, quantity: int = 1) -> Callable[[], list[int]]:
        """Return a worker that receives."""
        return lambda: self.site.receive(product, quantity)

    def shipper(self, product: Product, quantity: int = 1) -> Callable[[], list[int]]:
        """Return a worker that ships."""
        return lambda: self.site.ship(product, quantity)

    def stock(self, product: Product) -> Decimal:
        """Return the committed balance in storage."""
        with self.house.scope():
            row = StockBalance.objects.get(product=product, location=self.site.at("storage"))
            return row.on_hand

    def moved(self, product: Product, start: str, end: str) -> int:
        """Return the number of movements between two kinds of place."""
        with self.house.scope():
            return StockMovement.objects.filter(
                product=product,
                from_location=self.site.at(start),
                to_location=self.site.at(end),
            ).count()


@pytest.fixture
def arena(transactional_db: None, north: House) -> Arena:
    with north.scope():
        site = make_site()
    return Arena(north, site)
