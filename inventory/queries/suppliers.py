"""Find suppliers, what they offer, and how long their deliveries really took."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Count, F, Q, QuerySet

from inventory.models import (
    LeadTimeObservation,
    PurchaseOrder,
    PurchaseOrderState,
    Supplier,
    SupplierItem,
)
from tenancy.errors import NotFound


class DaysAtShare(Aggregate):
    """The least number of days within which that share of the deliveries had come."""

    function = "percentile_disc"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression: str, *, share: str) -> None:
        super().__init__(expression, share=share)


@dataclass(frozen=True)
class LeadTimeFigures:
    """Measured from placed to fully received, in days. ``on_time``: share within the promise."""

    deliveries: int = 0
    median_days: int | None = None
    p90_days: int | None = None
    on_time: float | None = None
    """Of the deliveries that had a promised day; None when none had."""


def suppliers() -> QuerySet[Supplier]:
    """Return every supplier by code."""
    return Supplier.objects.order_by("code", "id")


def search_suppliers(*, text: str = "", is_active: bool | None = None) -> QuerySet[Supplier]:
    """Return suppliers whose code starts with, or whose name contains, ``text``."""
    rows = suppliers()
    if text:
        rows = rows.filter(Q(code__istartswith=text) | Q(name__icontains=text))
    return rows if is_active is None else rows.filter(is_active=is_active)


def get_supplier(supplier_id: int) -> Supplier:
    """Return the supplier; raise ``NotFound``."""
    found = Supplier.objects.filter(pk=supplier_id).first()
    if found is None:
        raise NotFound("supplier", supplier_id)
    return found


def supplier_items() -> QuerySet[SupplierItem]:
    """Return every offer with supplier, product and price breaks."""
    offers = SupplierItem.objects.select_related("supplier", "product")
    return offers.prefetch_related("price_breaks").order_by("id")


def get_supplier_item(supplier_item_id: int) -> SupplierItem:
    """Return the offer; raise ``NotFound``."""
    found = supplier_items().filter(pk=supplier_item_id).first()
    if found is None:
        raise NotFound("supplier item", supplier_item_id)
    return found


def offer_counts(supplier_ids: Collection[int]) -> dict[int, int]:
    """Return how many products each supplier offers now, in one statement."""
    rows = SupplierItem.objects.filter(supplier_id__in=supplier_ids, is_active=True)
    counted = rows.order_by().values("supplier_id").annotate(items=Count("id"))
    return dict(counted.values_list("supplier_id", "items"))


def open_order_counts(supplier_ids: Collection[int]) -> dict[int, int]:
    """Return how many orders each supplier still has to deliver, in one statement."""
    rows = PurchaseOrder.objects.filter(
        supplier_id__in=supplier_ids, state__in=PurchaseOrderState.on_order()
    )
    counted = rows.order_by().values("supplier_id").annotate(orders=Count("id"))
    return dict(counted.values_list("supplier_id", "orders"))


def lead_times_by_supplier(supplier_ids: Collection[int]) -> dict[int, LeadTimeFigures]:
    """Return what was measured of each supplier in one statement; nothing measured: zeros."""
    rows = LeadTimeObservation.objects.filter(supplier_id__in=supplier_ids)
    found = _figures(rows, "supplier_id")
    return {pk: found.get(pk, LeadTimeFigures()) for pk in supplier_ids}


def lead_times_by_offer(
    supplier_id: int, offers: Collection[SupplierItem]
) -> dict[int, LeadTimeFigures]:
    """Return what was measured of a supplier's offers, by offer; a statement for each mode.

    Deliveries of which nobody said the mode count for every mode, and for an offer that says none
    all deliveries count.
    """
    found: dict[int, LeadTimeFigures] = {}
    for mode in sorted({offer.transport_mode for offer in offers}):
        own = {offer.product_id: offer.pk for offer in offers if offer.transport_mode == mode}
        rows = LeadTimeObservation.objects.filter(supplier_id=supplier_id, product_id__in=own)
        if mode:
            rows = rows.filter(transport_mode__in=["", mode])
        measured = _figures(rows, "product_id")
        found |= {pk: measured.get(product, LeadTimeFigures()) for product, pk in own.items()}
    return found


def lead_times_by_mode(supplier_id: int) -> dict[str, LeadTimeFigures]:
    """Return what was measured of one supplier by transport mode, in one statement."""
    rows = LeadTimeObservation.objects.filter(supplier_id=supplier_id)
    return _figures(rows, "transport_mode")


def _figures(rows: QuerySet[LeadTimeObservation], key: str) -> dict[Any, LeadTimeFigures]:
    promised = Q(promised_days__isnull=False)
    kept = promised & Q(lead_time_days__lte=F("promised_days"))
    found = (
        rows.order_by()
        .values(key)
        .annotate(
            deliveries=Count("id"),
            median=DaysAtShare("lead_time_days", share="0.5"),
            p90=DaysAtShare("lead_time_days", share="0.9"),
            with_promise=Count("id", filter=promised),
            on_time=Count("id", filter=kept),
        )
        .values_list(key, "deliveries", "median", "p90", "on_time", "with_promise")
    )
    return {
        pk: LeadTimeFigures(deliveries, median, p90, kept / given if given else None)
        for pk, deliveries, median, p90, kept, given in found
    }


def deliveries_by_days(supplier_id: int) -> dict[int, int]:
    """Return how many deliveries of the supplier took how many days, shortest first."""
    rows = LeadTimeObservation.objects.filter(supplier_id=supplier_id).order_by("lead_time_days")
    counted = rows.values("lead_time_days").annotate(deliveries=Count("id"))
    return dict(counted.values_list("lead_time_days", "deliveries"))
