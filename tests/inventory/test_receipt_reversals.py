"""What a completed receipt brought, taken back line by line."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from inventory.models import (
    LeadTimeObservation,
    Product,
    PurchaseOrder,
    PurchaseOrderState,
    Receipt,
    ReceiptLine,
    StockMovement,
)
from inventory.queries.integrity import check_book
from inventory.services.ledger import (
    CorrectTheDocument,
    InsufficientStock,
    post_movements,
    reverse_movement,
)
from inventory.services.purchasing import close_order
from inventory.services.receiving import LineAlreadyReversed, open_receipt, reverse_receipt_line
from tenancy.errors import Invalid, Refused, StaleVersion
from tests.inventory.book import Site, make_product, on_hand
from tests.inventory.inbound import PLACED, add, blind, complete, placed_order


# -- corrections ----------------------------------------------------------------------------------
def received(site: Site, quantity: int = 10) -> tuple[Product, PurchaseOrder, Receipt, ReceiptLine]:
    """Return an apple, its order of ten, and a completed receipt with its line, 2 damaged."""
    apple = make_product()
    order = placed_order(site, apple)
    receipt = open_receipt(order_id=order.pk)
    line = add(receipt, apple, quantity, damaged=Decimal(2))
    complete(receipt, accept_differences=True, received_at=PLACED + timedelta(days=6))
    return apple, order, receipt, line


def take_back(receipt: Receipt, line: ReceiptLine, reason: str = "miscounted") -> Receipt:
    return reverse_receipt_line(receipt_id=receipt.pk, receipt_line_id=line.pk, reason=reason)


def test_a_line_taken_back_is_open_on_its_order_again(site: Site) -> None:
    apple, order, receipt, line = received(site)
    assert LeadTimeObservation.objects.count() == 1
    take_back(receipt, line)
    assert on_hand(apple) == 0
    order.refresh_from_db()
    assert (order.state, order.received_at) == (PurchaseOrderState.PLACED, None)
    assert order.lines.get().quantity_received == 0
    assert LeadTimeObservation.objects.count() == 0
    assert check_book() == []
    again = open_receipt(order_id=order.pk)
    add(again, apple, 10)
    complete(again)
    assert on_hand(apple) == 10
    assert check_book() == []


def test_part_of_an_order_taken_back_leaves_the_rest_received(site: Site) -> None:
    apple, order, receipt, line = received(site, 6)
    second = open_receipt(order_id=order.pk)
    add(second, apple, 4)
    complete(second)
    take_back(receipt, line)
    order.refresh_from_db()
    assert order.state == PurchaseOrderState.PARTIALLY_RECEIVED
    assert order.lines.get().quantity_received == 4
    assert on_hand(apple) == 4
    assert check_book() == []


def test_a_line_is_taken_back_once(site: Site) -> None:
    apple, order, receipt, line = received(site)
    take_back(receipt, line)
    with pytest.raises(LineAlreadyReversed):
        take_back(receipt, line)
    assert order.lines.get().quantity_received == 0
    assert StockMovement.objects.count() == 4  # sound and damaged, there and back
    assert on_hand(apple) == 0


def test_goods_that_moved_on_are_not_taken_back(site: Site) -> None:
    apple, order, receipt, line = received(site)
    post_movements(lines=[site.line(apple, 1, "receiving", "storage")])
    with pytest.raises(InsufficientStock):
        take_back(receipt, line)
    line.refresh_from_db()
    assert line.reversed_at is None
    assert order.lines.get().quantity_received == 10
    assert on_hand(apple) == 10


def test_a_movement_of_a_receipt_is_taken_back_by_its_receipt_only(site: Site) -> None:
    apple, order, _receipt, line = received(site)
    line.refresh_from_db()
    with pytest.raises(CorrectTheDocument) as refusal:
        reverse_movement(movement_id=line.movement_id)
    assert refusal.value.data["document_kind"] == "Receipt"
    assert on_hand(apple) == 10
    assert order.lines.get().quantity_received == 10


def test_taking_back_wants_a_reason_and_a_completed_receipt(site: Site) -> None:
    _apple, _order, receipt, line = received(site)
    with pytest.raises(Invalid):
        take_back(receipt, line, " ")
    with pytest.raises(StaleVersion):
        reverse_receipt_line(receipt_id=receipt.pk, receipt_line_id=line.pk, reason="x", version=1)
    still_open = blind(site)
    fresh = add(still_open, make_product("PEAR"))
    with pytest.raises(Refused):
        take_back(still_open, fresh)


def test_a_closed_order_stays_closed(site: Site) -> None:
    _apple, order, receipt, line = received(site)
    close_order(order_id=order.pk)
    take_back(receipt, line)
    order.refresh_from_db()
    assert order.state == PurchaseOrderState.CLOSED
    assert check_book() == []
