"""From whom, at which terms, how fast: the offers a reorder can choose from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Sum

from forecasting.decisions.reorder_inputs import PriceBreak as PriceStep, SupplyTerms
from inventory.models import (
    LeadTimeObservation,
    PriceBreak,
    ReceiptLine,
    ReceiptState,
    SupplierItem,
)

ENOUGH_OWN_RECEIPTS = 3
"""With fewer receipts of the very product, those of its supplier speak for it."""
MOST_RECEIPTS = 100


@dataclass(frozen=True)
class Supply:
    """A supplier item that could be ordered: its row, price steps, and days of past orders.

    reject_share: of the supplier's deliveries, what arrived damaged.
    """

    item: SupplierItem
    price_steps: tuple[PriceStep, ...]
    lead_times_seen_days: tuple[float, ...]
    reject_share: float = 0.0

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

    def terms(self, currency: str, order_line_cost: float = 0.0) -> SupplyTerms:
        """Return what the supplier asks, as decisions read it; prices in its own currency."""
        item = self.item
        return SupplyTerms(
            unit_price=item.price,
            minimum_order_quantity=item.minimum_order_quantity,
            order_multiple=item.order_multiple,
            price_breaks=self.price_steps,
            fixed_order_cost=order_line_cost,
            transport_cost_per_unit=item.transport_cost_per_unit,
            currency=item.supplier.currency or currency,
            lead_time_known=self.lead_time_known,
        )


def read_supplies(product_ids: Iterable[int]) -> dict[int, tuple[Supply, ...]]:
    """Return the offers for each product that has any: the preferred first, then by price."""
    items: dict[int, list[SupplierItem]] = defaultdict(list)
    rows = SupplierItem.objects.filter(
        product_id__in=list(product_ids), is_active=True, supplier__is_active=True
    ).select_related("supplier")
    for item in rows.order_by("product_id", "-is_preferred", "price", "id"):
        items[item.product_id].append(item)
    offered = [item for own in items.values() for item in own]
    steps = _read_price_steps([item.pk for item in offered])
    suppliers = {item.supplier_id for item in offered}
    receipts, rejects = _read_receipts(suppliers), _read_reject_shares(suppliers)
    return {
        product_id: tuple(
            Supply(
                item,
                steps.get(item.pk, ()),
                _receipts_of(item, receipts),
                rejects.get(item.supplier_id, 0.0),
            )
            for item in own
        )
        for product_id, own in items.items()
    }


def _read_price_steps(item_ids: Sequence[int]) -> dict[int, tuple[PriceStep, ...]]:
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


def _read_reject_shares(supplier_ids: set[int]) -> dict[int, float]:
    """Return the share of each supplier's delivered units that arrived damaged."""
    rows = (
        ReceiptLine.objects.filter(
            order_line__order__supplier_id__in=supplier_ids,
            receipt__state=ReceiptState.COMPLETED,
            reversed_at=None,
        )
        .order_by()
        .values_list("order_line__order__supplier_id")
        .annotate(total=Sum("quantity"), damaged=Sum("damaged"))
    )
    return {supplier: float(bad / total) for supplier, total, bad in rows if total}


def _receipts_of(
    item: SupplierItem, receipts: Mapping[tuple[int, int | None], list[float]]
) -> tuple[float, ...]:
    own = receipts.get((item.supplier_id, item.product_id), [])
    if len(own) >= ENOUGH_OWN_RECEIPTS:
        return tuple(own)
    return tuple(receipts.get((item.supplier_id, None), []))
