"""What lies in each warehouse and what is on its way, product by product, in a few queries."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import F, Sum

from inventory.models import (
    OUTSIDE_KINDS,
    PROMISABLE_KINDS,
    LocationKind,
    LotStatus,
    PurchaseOrderLine,
    PurchaseOrderState,
    StockBalance,
    TransferLine,
    TransferState,
)
from inventory.queries.availability import availability

Pair = tuple[int, int]
"""Product and warehouse, by id."""
ZERO = Decimal(0)


@dataclass(frozen=True)
class Position:
    """Stock and orders of one product in one warehouse, in base units.

    on_hand: usable stock and what waits at the dock, also what is promised to orders already;
    allocated: that part; backordered: owed to customers beyond it; drafted: in draft orders, and in
    transfers to here that have not left. What waits to be transferred elsewhere counts as free
    until it leaves; outgoing: how much that is.
    """

    on_hand: Decimal = ZERO
    allocated: Decimal = ZERO
    on_order: Decimal = ZERO
    in_transit: Decimal = ZERO
    backordered: Decimal = ZERO
    drafted: Decimal = ZERO
    outgoing: Decimal = ZERO
    is_kept: bool = False
    """The product's stock is recorded here; False where only its sales are known."""

    @property
    def free(self) -> Decimal:
        """Return what further demand may have of the stock; below zero when more is owed."""
        return self.on_hand - self.allocated - self.backordered


@dataclass(frozen=True)
class LotOnHand:
    """Stock of one lot that expires, in one warehouse."""

    product_id: int
    warehouse_id: int
    lot_id: int
    expires_on: date
    on_hand: Decimal


def read_positions(today: date) -> dict[Pair, Position]:
    """Return the position of every pair; one without stock and orders has zeros."""
    drafted, kept = _drafted(), _kept_pairs()
    coming, leaving = _transfers_waiting()
    rows = {(row.product_id, row.warehouse_id): row for row in availability(on=today)}
    found: dict[Pair, Position] = defaultdict(Position)
    for pair in {*rows, *drafted, *kept, *coming}:
        row = rows.get(pair)
        found[pair] = Position(
            on_hand=row.on_hand - row.unusable if row else ZERO,
            allocated=row.owed - row.backordered if row else ZERO,
            on_order=row.on_order if row else ZERO,
            in_transit=row.in_transit if row else ZERO,
            backordered=row.backordered if row else ZERO,
            drafted=drafted.get(pair, ZERO) + coming.get(pair, ZERO),
            outgoing=leaving.get(pair, ZERO),
            is_kept=pair in kept,
        )
    return found


def read_lots(today: date) -> list[LotOnHand]:
    """Return the stock that expires, the first to expire first; held and expired lots left out."""
    rows = (
        StockBalance.objects.filter(
            on_hand__gt=0,
            location__kind__in=[*PROMISABLE_KINDS, LocationKind.RECEIVING],
            lot__status=LotStatus.AVAILABLE,
            lot__expires_on__gte=today,
        )
        .order_by("lot__expires_on", "lot_id")
        .values_list("product_id", "location__warehouse_id", "lot_id", "lot__expires_on")
        .annotate(total=Sum("on_hand"))
    )
    return [LotOnHand(*row) for row in rows]


def _kept_pairs() -> set[Pair]:
    rows = StockBalance.objects.exclude(location__kind__in=OUTSIDE_KINDS).order_by()
    return set(rows.values_list("product_id", "location__warehouse_id").distinct())


def _drafted() -> dict[Pair, Decimal]:
    rows = PurchaseOrderLine.objects.filter(order__state=PurchaseOrderState.DRAFT).order_by()
    sums = rows.values_list("product_id", "order__warehouse_id").annotate(t=Sum("quantity"))
    return {(product, place): total for product, place, total in sums}


def _transfers_waiting() -> tuple[dict[Pair, Decimal], dict[Pair, Decimal]]:
    """Return what transfers that have not left will bring to, and take from, each pair."""
    rows = TransferLine.objects.filter(
        order__state__in=[TransferState.DRAFT, TransferState.RELEASED]
    ).values_list(
        "product_id", "order__to_warehouse_id", "order__from_warehouse_id",
        F("quantity") - F("quantity_sent"),
    )  # fmt: skip
    coming: dict[Pair, Decimal] = defaultdict(Decimal)
    leaving: dict[Pair, Decimal] = defaultdict(Decimal)
    for product, to, origin, quantity in rows:
        coming[(product, to)] += quantity
        leaving[(product, origin)] += quantity
    return coming, leaving


def read_arrivals(first: date, days: int) -> dict[Pair, list[tuple[int, Decimal]]]:
    """Return what placed orders promise within the next days: (day from `first`, units) per pair.

    What is late is expected on the first day; what has no promise is not counted on.
    """
    rows = PurchaseOrderLine.objects.filter(
        order__state__in=PurchaseOrderState.on_order(), promised_on__lt=first + timedelta(days=days)
    ).order_by("promised_on", "id")
    found: dict[Pair, list[tuple[int, Decimal]]] = defaultdict(list)
    for product, place, promised_on, open_quantity in rows.values_list(
        "product_id", "order__warehouse_id", "promised_on", F("quantity") - F("quantity_received")
    ):
        if open_quantity > 0:
            found[(product, place)].append((max((promised_on - first).days, 0), open_quantity))
    return found
