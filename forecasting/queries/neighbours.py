"""The products that a forecast of a new one was told by, with the names a reader knows them by."""

from __future__ import annotations

from dataclasses import dataclass

from forecasting.models import SeriesForecast
from inventory.models import Product, Warehouse


@dataclass(frozen=True)
class Neighbour:
    """A similar product, where it sold, and how much it counts."""

    product: Product
    warehouse: Warehouse | None
    weight: float


def neighbours_of(series: SeriesForecast) -> list[Neighbour]:
    """Return the similar products that count most; empty for a forecast from own demand."""
    named = (series.basis or {}).get("neighbours", [])
    if not named:
        return []
    products = Product.objects.in_bulk([one["product"] for one in named])
    warehouses = Warehouse.objects.in_bulk([one["warehouse"] for one in named])
    return [
        Neighbour(products[one["product"]], warehouses.get(one["warehouse"]), one["weight"])
        for one in named
        if one["product"] in products
    ]
