"""Two warehouses for tests of transfers, and short words for what happens between them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from inventory.models import (
    Allocation,
    AllocationState,
    Product,
    StockBalance,
    TransferOrder,
    TransferPiece,
)
from inventory.queries.availability import Availability, availability
from inventory.services.transfers import (
    AskedLine,
    ReceivedGoods,
    SentGoods,
    create_transfer,
    receive_transfer,
    release_transfer,
    send_transfer,
)
from tests.inventory.book import Site, make_site


@dataclass(frozen=True)
class Pair:
    """Where goods come from, and where they go. Open inside a tenant scope."""

    here: Site
    there: Site

    def draft(self, *asked: tuple[Product, Any], **fields: Any) -> TransferOrder:
        """Return a draft that asks for these."""
        return create_transfer(
            from_warehouse_id=self.here.warehouse.pk,
            to_warehouse_id=self.there.warehouse.pk,
            lines=[AskedLine(product.pk, Decimal(str(quantity))) for product, quantity in asked],
            **fields,
        )

    def released(self, *asked: tuple[Product, Any], **options: Any) -> TransferOrder:
        """Return a released transfer that asks for these."""
        return release_transfer(transfer_order_id=self.draft(*asked).pk, **options)

    def sent(self, *asked: tuple[Product, Any]) -> TransferOrder:
        """Return a transfer of which everything is on the way."""
        return send_transfer(transfer_order_id=self.released(*asked).pk)

    def send(self, order: TransferOrder, quantity: Any, **more: Any) -> TransferOrder:
        """Send so many of the only line from storage, or from ``location_id``."""
        place = more.pop("location_id", self.here.at("storage"))
        part = SentGoods(order.lines.get().pk, place, Decimal(str(quantity)), **more)
        return send_transfer(transfer_order_id=order.pk, goods=[part])

    def receive(self, order: TransferOrder, quantity: Any, damaged: Any = 0) -> TransferOrder:
        """Receive so many of the only piece on the dock."""
        part = ReceivedGoods(piece_of(order).pk, Decimal(str(quantity)), Decimal(str(damaged)))
        return receive_transfer(transfer_order_id=order.pk, goods=[part])


def make_pair(here: str = "HERE", there: str = "THERE") -> Pair:
    """Create both warehouses."""
    return Pair(make_site(here), make_site(there))


def piece_of(order: TransferOrder) -> TransferPiece:
    """Return the only piece of the transfer."""
    return TransferPiece.objects.get(line__order=order)


def fresh(order: TransferOrder) -> TransferOrder:
    """Return the transfer as the database has it."""
    return TransferOrder.objects.get(pk=order.pk)


def allocated(product: Product) -> Decimal:
    """Return what is promised of the product anywhere; the allocations say the same."""
    total = sum((b.allocated for b in StockBalance.objects.filter(product=product)), Decimal(0))
    live = Allocation.objects.filter(product=product, state=AllocationState.ALLOCATED)
    assert total == sum((promise.quantity for promise in live), Decimal(0))
    return total


def at(site: Site, product: Product) -> Availability:
    """Return what the planner sees of the product at a site; all zero where there is nothing."""
    rows = availability(product_ids=[product.pk], warehouse_id=site.warehouse.pk)
    nothing = Availability(product.pk, site.warehouse.pk, *[Decimal(0)] * 6)
    return rows[0] if rows else nothing
