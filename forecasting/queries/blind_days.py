"""Days on which demand could not be fully seen, as scores leave them out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from forecasting.models import ForecastRun
from inventory.queries.demand_history import out_of_stock_days

BlindDay = tuple[int, int, date]
"""Product, warehouse, day."""
ClosedDay = tuple[int | None, date]
"""Warehouse, day; without a warehouse all of them were closed."""

BLIND = """unnest(%(blind_products)s::bigint[], %(blind_places)s::bigint[],
                   %(blind_days)s::date[]) AS b (product_id, warehouse_id, day)"""
"""Days out of stock as a table in SQL; its parameters are those of `BlindDays`."""
CLOSED = """unnest(%(closed_places)s::bigint[], %(closed_days)s::date[])
                   AS c (warehouse_id, day)"""
"""Closed days as a table in SQL, likewise; without a warehouse they are days of every one."""


@dataclass(frozen=True)
class BlindDays:
    """Days out of stock of products, and closed days of whole warehouses."""

    out_of_stock: tuple[BlindDay, ...] = ()
    closed: tuple[ClosedDay, ...] = ()

    def between(self, first: date, last: date) -> BlindDays:
        """Return those of some days, both included."""
        return BlindDays(
            tuple(one for one in self.out_of_stock if first <= one[2] <= last),
            tuple(one for one in self.closed if first <= one[1] <= last),
        )

    def parameters(self) -> dict[str, list[Any]]:
        """Return the parameters of ``BLIND`` and ``CLOSED``."""
        return {
            "blind_products": [product for product, _place, _day in self.out_of_stock],
            "blind_places": [place for _product, place, _day in self.out_of_stock],
            "blind_days": [day for _product, _place, day in self.out_of_stock],
            "closed_places": [place for place, _day in self.closed],
            "closed_days": [day for _place, day in self.closed],
        }


def read_blind_days(
    first: date, last: date, *, product_ids: Iterable[int] | None = None
) -> BlindDays:
    """Return the blind days from first to last: two queries.

    Closed days are those that the newest forecasts found in the demand they read.
    """
    found = out_of_stock_days(first, last, product_ids=product_ids)
    # nothing else of the run: its network's curves and a sealed forecaster would come along
    newest = ForecastRun.objects.order_by("-id").values_list("closed_days", flat=True).first()
    closed = [
        (closing["warehouse_id"], date.fromisoformat(day))
        for closing in newest or ()
        for day in closing["days"]
    ]
    out = tuple((product, place, day) for product, place, days in found for day in days)
    return BlindDays(out, tuple(closed)).between(first, last)
