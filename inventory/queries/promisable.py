"""Stock that may be promised: in storage, packing or shipping, of lots neither expired nor held."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import F, Q, QuerySet

from inventory.models import PROMISABLE_KINDS, LotStatus, StockBalance
from inventory.models.places import LocationKind
from inventory.rules.lot_choice import FreeStock


def promisable(on: date) -> QuerySet[StockBalance]:
    """Return the balances that may be promised on that business day."""
    lot_good = Q(lot__isnull=True) | Q(lot__status=LotStatus.AVAILABLE) & (
        Q(lot__expires_on__isnull=True) | Q(lot__expires_on__gte=on)
    )
    return StockBalance.objects.filter(
        lot_good, location__kind__in=PROMISABLE_KINDS, location__is_active=True
    )


def free_in_storage(
    warehouse_id: int, product_ids: Iterable[int], on: date
) -> dict[int, list[FreeStock]]:
    """Return, by product, what may be taken from the storage places of a warehouse: one query."""
    rows = (
        promisable(on)
        .filter(
            product_id__in=list(product_ids),
            location__warehouse_id=warehouse_id,
            location__kind=LocationKind.STORAGE,
            on_hand__gt=F("allocated"),
        )
        .order_by("product_id", "id")
        .values_list(
            "product_id",
            "location_id",
            "lot_id",
            "lot__expires_on",
            "location__walking_order",
            "on_hand",
            "allocated",
        )
    )
    free: dict[int, list[FreeStock]] = {}
    for product_id, location_id, lot_id, expires_on, order, on_hand, allocated in rows:
        stock = FreeStock(location_id, lot_id, expires_on, order, on_hand - allocated)
        free.setdefault(product_id, []).append(stock)
    return free
