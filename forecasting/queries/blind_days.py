"""Days on which demand could not be fully seen, as scores leave them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

BlindDay = tuple[int, int, date]
"""Product, warehouse, day."""

BLIND = """unnest(%(blind_products)s::bigint[], %(blind_places)s::bigint[],
                   %(blind_days)s::date[]) AS b (product_id, warehouse_id, day)"""
"""Blind days as a table in SQL; its parameters are those of `blind_columns`."""


def one_by_one(found: Iterable[tuple[int, int, Sequence[date]]]) -> list[BlindDay]:
    """Return days out of stock, known by product and warehouse, one by one."""
    return [(product, place, day) for product, place, days in found for day in days]


def blind_columns(days: Iterable[BlindDay]) -> dict[str, list[int] | list[date]]:
    """Return the parameters of ``BLIND``."""
    rows = list(days)
    return {
        "blind_products": [product for product, _place, _day in rows],
        "blind_places": [place for _product, place, _day in rows],
        "blind_days": [day for _product, _place, day in rows],
    }
