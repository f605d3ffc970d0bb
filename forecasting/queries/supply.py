"""From whom, at which terms, how fast: the offers a reorder can choose from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from forecasting.decisions.lead_times import MAX_LEAD_TIME_DAYS, LeadTimeHistory
from forecasting.decisions.reorder_inputs import PriceBreak as PriceStep, SupplyTerms
from inventory.models import (
    LeadTimeObservation,
    PriceBreak,
    ReceiptLine,
    ReceiptState,
    Supplier,
    SupplierItem,
)
from tenancy.scope import active_scope

MOST_RECEIPTS = 100


@dataclass(frozen=True)
class Supply:
    """A supplier item that could be ordered: its row, price steps, and how long it takes.

    reject_share: of the supplier's deliveries, what arrived damaged; own_price: the price in the
    tenant's currency, None where it is asked in another or not known.
    """

    item: SupplierItem
    price_steps: tuple[PriceStep, ...]
    history: LeadTimeHistory
    reject_share: float = 0.0
    own_price: Decimal | None = None

    @property
    def promised_days(self) -> float | None:
        """Days the supplier states for the item, else for everything; None when it states none."""
        return self.history.promised_days

    @property
    def lead_time_known(self) -> bool:
        return self.history.is_known

    def terms(self, currency: str, order_line_cost: float = 0.0) -> SupplyTerms:
        """Return what the supplier asks, as decisions read it; prices in its own currency.

        Nobody gives goods away: a price of zero is one that was not filled in.
        """
        item = self.item
        return SupplyTerms(
            unit_price=item.price or None,
            minimum_order_quantity=item.minimum_order_quantity,
            order_multiple=item.order_multiple,
            price_breaks=self.price_steps,
            fixed_order_cost=order_line_cost,
            transport_cost_per_unit=item.transport_cost_per_unit,
            currency=item.supplier.currency or currency,
            lead_time_known=self.lead_time_known,
        )


@dataclass(frozen=True)
class SupplyBook:
    """The offers for each product that has any: the preferred first, then by price.

    ratios: actual over promised days of past orders of everybody.
    """

    offers: Mapping[int, tuple[Supply, ...]]
    ratios: tuple[float, ...]


def read_supplies(product_ids: Iterable[int]) -> SupplyBook:
    """Return the offers for products, with what their past orders teach."""
    items: dict[int, list[SupplierItem]] = defaultdict(list)
    # many items share a supplier: joining would build its row once for each of them
    suppliers = {one.pk: one for one in Supplier.objects.filter(is_active=True)}
    rows = SupplierItem.objects.filter(
        product_id__in=list(product_ids), is_active=True, supplier__is_active=True
    )
    for item in rows.order_by("product_id", "-is_preferred", "price", "id"):
        if item.supplier_id in suppliers:
            item.supplier = suppliers[item.supplier_id]
            items[item.product_id].append(item)
    offered = [item for own in items.values() for item in own]
    steps = _read_price_steps([item.pk for item in offered])
    used = {item.supplier_id for item in offered}
    seen, rejects = _read_lead_times(used), _read_reject_shares(used)
    offers = {
        product_id: tuple(
            Supply(
                item,
                steps.get(item.pk, ()),
                seen.history(item),
                rejects.get(item.supplier_id, 0.0),
                _own_price(item),
            )
            for item in own
        )
        for product_id, own in items.items()
    }
    return SupplyBook(offers, seen.ratios)


def _own_price(item: SupplierItem) -> Decimal | None:
    if item.supplier.currency not in ("", active_scope().tenant.currency):
        return None
    return item.price or None


def _read_price_steps(item_ids: Sequence[int]) -> dict[int, tuple[PriceStep, ...]]:
    found: dict[int, list[PriceStep]] = defaultdict(list)
    for row in PriceBreak.objects.filter(supplier_item_id__in=item_ids):
        found[row.supplier_item_id].append(PriceStep(row.from_quantity, row.price))
    return {item: tuple(steps) for item, steps in found.items()}


@dataclass(frozen=True)
class _Order:
    """A past order line: the transport mode it came by (nothing: nobody said), and its days."""

    mode: str
    days: float
    promised: float | None

    def came_by(self, mode: str) -> bool:
        """Tell whether it teaches about a mode; where nobody has said, it may have been that."""
        return not mode or not self.mode or self.mode == mode

    def scaled_to(self, promised: float | None) -> float:
        """Return the days an order promised in so many would have taken."""
        if not promised or not self.promised:
            return self.days
        return min(self.days / self.promised * promised, MAX_LEAD_TIME_DAYS)


@dataclass(frozen=True)
class _LeadTimes:
    """The latest past orders by supplier and by supplier and product."""

    by_supplier: Mapping[int, list[_Order]]
    by_item: Mapping[tuple[int, int], list[_Order]]
    ratios: tuple[float, ...]

    def history(self, item: SupplierItem) -> LeadTimeHistory:
        """Return the chain of an offer: its supplier, that by its mode, the item by its mode."""
        stated, mode = _stated_days(item), item.transport_mode
        of_supplier = self.by_supplier.get(item.supplier_id, [])
        levels = [[one.scaled_to(stated) for one in of_supplier]]
        if mode:
            levels.append([one.scaled_to(stated) for one in of_supplier if one.came_by(mode)])
        own = self.by_item.get((item.supplier_id, item.product_id), [])
        levels.append([one.days for one in own if one.came_by(mode)])
        return LeadTimeHistory(stated, tuple(tuple(level) for level in levels))


def _stated_days(item: SupplierItem) -> float | None:
    """Return the days stated for the item, else for its supplier; above a year is no promise."""
    days = item.lead_time_days
    if days is None:
        days = item.supplier.lead_time_days
    return None if days is None or days > MAX_LEAD_TIME_DAYS else float(days)


def _read_lead_times(supplier_ids: set[int]) -> _LeadTimes:
    by_supplier: dict[int, list[_Order]] = defaultdict(list)
    by_item: dict[tuple[int, int], list[_Order]] = defaultdict(list)
    ratios: list[float] = []
    rows = LeadTimeObservation.objects.filter(supplier_id__in=supplier_ids).order_by("-id")
    for supplier, product, mode, days, promised in rows.values_list(
        "supplier_id", "product_id", "transport_mode", "lead_time_days", "promised_days"
    ).iterator(chunk_size=5000):
        # an order that came after years must not end the planning of everything else
        taken = min(float(days), MAX_LEAD_TIME_DAYS)
        order = _Order(mode, taken, None if promised is None else float(promised))
        if order.promised:
            ratios.append(order.days / order.promised)
        if len(by_supplier[supplier]) < MOST_RECEIPTS:
            by_supplier[supplier].append(order)
        if len(by_item[supplier, product]) < MOST_RECEIPTS:
            by_item[supplier, product].append(order)
    return _LeadTimes(by_supplier, by_item, tuple(ratios))


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
