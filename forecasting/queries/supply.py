"""From whom, at which terms, how fast, and how much service is wanted: what a reorder rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forecasting.decisions.reorder_inputs import PriceBreak as PriceStep
from inventory.models import LeadTimeObservation, PriceBreak, StockPolicy, SupplierItem

ENOUGH_OWN_RECEIPTS = 3
"""With fewer receipts of the very product, those of its supplier speak for it."""
MOST_RECEIPTS = 100


@dataclass(frozen=True)
class Supply:
    """The supplier item that would be ordered: its row, price steps, and days of past orders."""

    item: SupplierItem
    price_steps: tuple[PriceStep, ...]
    lead_times_seen_days: tuple[float, ...]

    @property
    def promised_days(self) -> float | None:
        """Days the supplier states for the item, else for everything; None when it states none."""
        promised = self.item.lead_time_days
        if promised is None:
            promised = self.item.supplier.lead_time_days
        return None if promised is None else float(promised)

    @property
    def lead_time_known(self) -> bool:
        return self.promised_days is not None or bool(self.lead_times_seen_days)


def read_supplies(product_ids: Iterable[int]) -> dict[int, Supply]:
    """Return the supply of each product that has one: the preferred item, else the cheapest."""
    items: dict[int, SupplierItem] = {}
    rows = SupplierItem.objects.filter(
        product_id__in=list(product_ids), is_active=True, supplier__is_active=True
    ).select_related("supplier")
    for item in rows.order_by("product_id", "-is_preferred", "price", "id"):
        items.setdefault(item.product_id, item)
    steps = _read_price_steps([item.pk for item in items.values()])
    receipts = _read_receipts({item.supplier_id for item in items.values()})
    return {
        product_id: Supply(item, steps.get(item.pk, ()), _receipts_of(item, receipts))
        for product_id, item in items.items()
    }


def _read_price_steps(item_ids: list[int]) -> dict[int, tuple[PriceStep, ...]]:
    found: dict[int, list[PriceStep]] = defaultdict(list)
    for row in PriceBreak.objects.filter(supplier_item_id__in=item_ids):
        found[row.supplier_item_id].append(PriceStep(row.from_quantity, row.price))
    return {item: tuple(steps) for item, steps in found.items()}


def _read_receipts(
    supplier_ids: set[int],
) -> Mapping[tuple[int, int | None], list[float]]:
    """Return days of past orders by (supplier, product), and by (supplier, None) for all of it."""
    found: dict[tuple[int, int | None], list[float]] = defaultdict(list)
    rows = LeadTimeObservation.objects.filter(supplier_id__in=supplier_ids).order_by("-id")
    for supplier, product, days in rows.values_list(
        "supplier_id", "product_id", "lead_time_days"
    ).iterator(chunk_size=5000):
        for key in {(supplier, product), (supplier, None)}:
            if len(found[key]) < MOST_RECEIPTS:
                found[key].append(float(days))
    return found


def _receipts_of(
    item: SupplierItem, receipts: Mapping[tuple[int, int | None], list[float]]
) -> tuple[float, ...]:
    own = receipts.get((item.supplier_id, item.product_id), [])
    if len(own) >= ENOUGH_OWN_RECEIPTS:
        return tuple(own)
    return tuple(receipts.get((item.supplier_id, None), []))


class Policies:
    """The stock policies of the tenant: the most specific row wins, else the defaults."""

    def __init__(self, rows: Iterable[StockPolicy]) -> None:
        self._rows = {(row.product_id, row.warehouse_id): row for row in rows}
        self._default = StockPolicy()

    def of(self, product_id: int, warehouse_id: int) -> StockPolicy:
        """Return what holds for a product in a warehouse."""
        for key in ((product_id, warehouse_id), (product_id, None), (None, warehouse_id)):
            if key in self._rows:
                return self._rows[key]
        return self._rows.get((None, None), self._default)


def read_policies() -> Policies:
    """Return the tenant's stock policies."""
    return Policies(StockPolicy.objects.order_by("id"))
