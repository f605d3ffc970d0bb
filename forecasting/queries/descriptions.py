"""What is known of products before they sell, and which of them are new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db.models import Min, Sum
from numpy.typing import NDArray

from forecasting.models import ProductEmbedding
from forecasting.pipeline.descriptions import Descriptions
from inventory.models import (
    DailyDemand,
    Product,
    PurchaseOrderLine,
    PurchaseOrderState,
    StockPolicy,
    SupplierItem,
)

NEW_DAYS = 91
"""A product that has not sold within this time of its beginning is no new product any more."""
RECENT_DAYS = 91
MOST_TEXT = 2000
MOST_ATTRIBUTES = 5
"""Of what a tenant keeps in a product's free attributes, so many are compared: the commonest."""

Pair = tuple[int, int]


@dataclass(frozen=True)
class KnownProduct:
    """A product as the catalogue describes it, and the day it begins (None: unknown)."""

    text: str
    category_id: int | None
    category: str
    price: float | None
    attributes: Mapping[str, str]
    begins_on: date | None
    is_new: bool


def read_products(product_ids: Iterable[int], origin: date, today: date) -> dict[int, KnownProduct]:
    """Return the products by id. New is what began in the 13 weeks before the origin, or since.

    A product begins when it was introduced; where that is not recorded, when it was entered,
    unless that was with the tenant's first products: they may be as old as the company.
    """
    first_entered = Product.objects.aggregate(first=Min("created_at"))["first"]
    rows = Product.objects.filter(pk__in=list(product_ids)).select_related("category")
    found = {}
    for row in rows:
        entered = row.created_at.date()
        entered_later = entered > first_entered.date() + timedelta(days=1)
        recent = entered >= today - timedelta(days=NEW_DAYS)
        begins = row.introduced_on or (min(entered, origin) if entered_later and recent else None)
        found[row.pk] = KnownProduct(
            text=f"{row.name} {row.description}"[:MOST_TEXT],
            category_id=row.category_id,
            category=row.category.name if row.category else "",
            price=float(row.unit_price or row.unit_cost or 0) or None,
            attributes={
                str(name): str(value)
                for name, value in (row.attributes or {}).items()
                if isinstance(value, str | int | bool)
            },
            begins_on=begins,
            is_new=begins is not None and begins > origin - timedelta(days=NEW_DAYS),
        )
    return found


def new_pairs(known: Mapping[int, KnownProduct], taken: set[int], until: date) -> set[Pair]:
    """Return where new products without demand or stock will be sold, as (product, warehouse).

    Where a policy or an open order names them; else where most of their category sells.
    """
    fresh = {
        pk
        for pk, one in known.items()
        if one.is_new and pk not in taken and one.begins_on and one.begins_on <= until
    }
    if not fresh:
        return set()
    policies = StockPolicy.objects.filter(product_id__in=fresh).exclude(warehouse=None)
    ordered = PurchaseOrderLine.objects.filter(
        product_id__in=fresh, order__state__in=PurchaseOrderState.on_order()
    )
    pairs = {
        *policies.order_by().values_list("product_id", "warehouse_id"),
        *ordered.order_by().values_list("product_id", "order__warehouse_id"),
    }
    placed = {product for product, _warehouse in pairs}
    main = _main_warehouses()
    for product in fresh - placed:
        warehouse = main.get(known[product].category_id, main.get(None))
        if warehouse is not None:
            pairs.add((product, warehouse))
    return pairs


def _main_warehouses() -> dict[int | None, int]:
    """Return the warehouse that sells most of each category lately; None: of everything."""
    last = DailyDemand.objects.order_by("-business_day").values_list("business_day", flat=True)
    newest = last.first()
    if newest is None:
        return {}
    rows = (
        DailyDemand.objects.filter(business_day__gt=newest - timedelta(days=RECENT_DAYS))
        .order_by()
        .values_list("product__category_id", "warehouse_id")
        .annotate(total=Sum("quantity"))
    )
    sums: dict[int | None, dict[int, float]] = {None: {}}
    for category, warehouse, total in rows:
        for group in {category, None}:
            own = sums.setdefault(group, {})
            own[warehouse] = own.get(warehouse, 0) + float(total)
    return {group: max(sorted(own), key=own.__getitem__) for group, own in sums.items() if own}


def describe(
    pairs: Sequence[Pair], known: Mapping[int, KnownProduct], origin: date
) -> Descriptions:
    """Return the descriptions of series, one per (product, warehouse), in the same order."""
    ids = [product for product, _warehouse in pairs]
    rows = [known[product] for product in ids]
    suppliers = _suppliers(set(ids))
    begins = [row.begins_on for row in rows]
    return Descriptions(
        text=tuple(row.text for row in rows),
        attributes={
            "category": np.array([row.category for row in rows], dtype=str),
            "warehouse": np.array([str(warehouse) for _product, warehouse in pairs], dtype=str),
            "supplier": np.array([suppliers.get(product, "") for product in ids], dtype=str),
            **_free_attributes(rows),
        },
        price=np.array([np.nan if row.price is None else row.price for row in rows]),
        embedding=_embeddings(ids),
        is_new=np.array([row.is_new for row in rows], dtype=bool),
        starts_in=np.array([max((day - origin).days - 1, 0) if day else 0 for day in begins]),
    )


def _suppliers(product_ids: set[int]) -> dict[int, str]:
    rows = SupplierItem.objects.filter(product_id__in=product_ids, is_preferred=True)
    return {
        product: str(supplier)
        for product, supplier in rows.order_by().values_list("product_id", "supplier_id")
    }


def _free_attributes(rows: Sequence[KnownProduct]) -> dict[str, NDArray[np.str_]]:
    counts: dict[str, int] = {}
    for row in rows:
        for name in row.attributes:
            counts[name] = counts.get(name, 0) + 1
    common = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_ATTRIBUTES]
    return {
        f"attribute:{name}": np.array([row.attributes.get(name, "") for row in rows], dtype=str)
        for name in common
    }


def _embeddings(product_ids: Sequence[int]) -> NDArray[np.float64] | None:
    found = dict(
        ProductEmbedding.objects.filter(product_id__in=set(product_ids))
        .order_by()
        .values_list("product_id", "values")
    )
    if not found:
        return None
    size = len(next(iter(found.values())))
    unknown = np.full(size, np.nan)
    return np.array([found.get(product, unknown) for product in product_ids], dtype=np.float64)
