"""What lies in each warehouse and what is on its way, product by product, in a handful of queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F, Q, QuerySet, Sum

from inventory.models import (
    PROMISABLE_KINDS,
    LocationKind,
    LotStatus,
    PurchaseOrderLine,
    PurchaseOrderState,
    StockBalance,
)

Pair = tuple[int, int]
"""Product and warehouse, by id."""
ZERO = Decimal(0)


@dataclass(frozen=True)
class Position:
    """Stock and orders of one product in one warehouse, in base units.

    on_hand: usable stock, what waits at the dock included; drafted: in draft orders, not yet placed.
    """

    on_hand: Decimal = ZERO
    on_order: Decimal = ZERO
    in_transit: Decimal = ZERO
    drafted: Decimal = ZERO


@dataclass(frozen=True)
class LotOnHand:
    """Stock of one lot that expires, in one warehouse."""

    product_id: int
    warehouse_id: int
    lot_id: int
    expires_on: date
    on_hand: Decimal


def read_positions(today: date) -> dict[Pair, Position]:
    """Return the position of every pair that has stock or open orders."""
    on_hand = _on_hand(today)
    in_transit = _sum_balances(Q(location__kind=LocationKind.IN_TRANSIT))
    on_order = _open_lines(PurchaseOrderState.on_order())
    drafted = _open_lines([PurchaseOrderState.DRAFT])
    pairs = {*on_hand, *in_transit, *on_order, *drafted}
    found = {
        pair: Position(
            on_hand=on_hand.get(pair, ZERO),
            on_order=on_order.get(pair, ZERO),
            in_transit=in_transit.get(pair, ZERO),
            drafted=drafted.get(pair, ZERO),
        )
        for pair in pairs
    }
    return defaultdict(Position, found)


def read_lots(today: date) -> list[LotOnHand]:
    """Return the stock that expires, the first to expire first; expired lots are left out."""
    rows = (
        _usable(today)
        .filter(lot__expires_on__isnull=False, on_hand__gt=0)
        .order_by("lot__expires_on", "lot_id")
        .values_list("product_id", "location__warehouse_id", "lot_id", "lot__expires_on")
        .annotate(total=Sum("on_hand"))
    )
    return [LotOnHand(*row) for row in rows]


def _usable(today: date) -> QuerySet[StockBalance]:
    """Return the balances that can meet demand: right place, lot neither held nor expired."""
    kinds = [*PROMISABLE_KINDS, LocationKind.RECEIVING]
    good_lot = Q(lot=None) | Q(lot__status=LotStatus.AVAILABLE) & (
        Q(lot__expires_on=None) | Q(lot__expires_on__gte=today)
    )
    return StockBalance.objects.filter(good_lot, location__kind__in=kinds).order_by()


def _on_hand(today: date) -> dict[Pair, Decimal]:
    rows = _usable(today).values_list("product_id", "location__warehouse_id")
    return {(product, place): total for product, place, total in rows.annotate(t=Sum("on_hand"))}


def _sum_balances(condition: Q) -> dict[Pair, Decimal]:
    rows = StockBalance.objects.filter(condition).order_by()
    sums = rows.values_list("product_id", "location__warehouse_id").annotate(t=Sum("on_hand"))
    return {(product, place): total for product, place, total in sums}


def _open_lines(states: list[PurchaseOrderState]) -> dict[Pair, Decimal]:
    rows = PurchaseOrderLine.objects.filter(order__state__in=states).order_by()
    sums = rows.values_list("product_id", "order__warehouse_id").annotate(
        t=Sum(F("quantity") - F("quantity_received"))
    )
    return {(product, place): max(total, ZERO) for product, place, total in sums}
