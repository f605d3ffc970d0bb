"""Receipts of orders as documents: opened, filled line by line, completed once, and by whom."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import PurchaseOrderState, ReceiptLine, ReceiptState, StockBalance, WorkKind
from inventory.queries.integrity import check_book
from inventory.queries.movements import movements_of_order
from inventory.queries.put_away import put_away_work
from inventory.queries.receiving import get_receipt, orders_to_receive, receipts
from inventory.queries.worklists import live_claims
from inventory.services.access import set_warehouse_access
from inventory.services.ledger import post_movements
from inventory.services.purchasing import WrongOrderState, cancel_order, close_order
from inventory.services.put_away import put_away
from inventory.services.receiving import (
    Arrival,
    DifferenceUnexplained,
    OverReceipt,
    WrongReceiptState,
    add_receipt_line,
    cancel_receipt,
    change_receipt_line,
    complete_receipt,
    open_receipt,
    remove_receipt_line,
    reverse_receipt_line,
)
from inventory.services.worklists import claim_work
from tenancy.errors import Invalid, NotFound, StaleVersion
from tenancy.models import AuditEvent, Membership
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site, on_hand
from tests.inventory.inbound import PLACED, add, blind, complete, placed_order


# -- with an order --------------------------------------------------------------------------------
def test_nothing_moves_before_a_receipt_is_completed(site: Site) -> None:
    apple = make_product()
    order = placed_order(site, apple)
    receipt = open_receipt(order_id=order.pk, delivery_note="LS 4711")
    add(receipt, apple, 10)
    assert on_hand(apple) == 0
    assert order.lines.get().quantity_received == 0
    done = complete(receipt)
    assert (done.state, done.number) == (ReceiptState.COMPLETED, "RC-000001")
    assert on_hand(apple, site.at("receiving")) == 10
    order.refresh_from_db()
    assert order.state == PurchaseOrderState.RECEIVED
    line = done.lines.get()
    assert line.movement.document_kind == "Receipt"
    assert line.movement.document_id == done.pk
    assert line.unit_cost == Decimal("2.50")
    assert [m.pk for m in movements_of_order(order)] == [line.movement_id]
    assert check_book() == []


def test_lines_are_changed_and_removed_until_then(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    order = placed_order(site, apple, pear)
    receipt = open_receipt(order_id=order.pk)
    wrong, gone = add(receipt, apple, 3), add(receipt, pear, 10)
    change_receipt_line(
        receipt_id=receipt.pk,
        receipt_line_id=wrong.pk,
        arrival=Arrival(apple.pk, Decimal(10), damaged=Decimal(2)),
    )
    remove_receipt_line(receipt_id=receipt.pk, receipt_line_id=gone.pk)
    complete(receipt)
    assert on_hand(apple, site.at("receiving")) == 8
    assert on_hand(apple, site.at("damaged")) == 2
    assert on_hand(pear) == 0


@pytest.mark.parametrize(
    ("quantity", "reason", "is_told"),
    [
        (10, "", False),  # as ordered
        (7, "", True),
        (7, "short_delivered", False),
        (7, "wrong_lot", False),
        (7, "over_delivered", True),
        (11, "", True),
        (11, "over_delivered", False),
        (11, "short_delivered", True),
        (0, "wrong_product", False),  # refused at the dock: nothing was taken in
    ],
)
def test_a_difference_needs_a_reason_that_fits(
    site: Site, quantity: int, reason: str, is_told: bool
) -> None:
    apple = make_product()
    order = placed_order(site, apple, over_receipt_tolerance=Decimal(2))
    receipt = open_receipt(order_id=order.pk)
    add(receipt, apple, quantity, difference_reason=reason)
    if not is_told:
        complete(receipt)
        assert on_hand(apple) == quantity
        assert check_book() == []
        return
    with pytest.raises(DifferenceUnexplained) as refusal:
        complete(receipt)
    [line] = refusal.value.lines
    assert (line.open, line.arriving) == (10, quantity)
    assert on_hand(apple) == 0
    receipt.refresh_from_db()
    assert receipt.state == ReceiptState.OPEN


def test_differences_can_be_accepted_and_are_then_named_as_what_they_are(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    order = placed_order(site, apple, pear, over_receipt_tolerance=Decimal(2))
    receipt = open_receipt(order_id=order.pk)
    add(receipt, apple, 12)
    add(receipt, pear, 3)
    complete(receipt, accept_differences=True)
    reasons = dict(ReceiptLine.objects.values_list("product__sku", "difference_reason"))
    assert reasons == {"APPLE": "over_delivered", "PEAR": "short_delivered"}


def test_more_than_the_tolerance_is_refused_whatever_the_reason(site: Site) -> None:
    apple = make_product()
    order = placed_order(site, apple, over_receipt_tolerance=Decimal(2))
    receipt = open_receipt(order_id=order.pk)
    add(receipt, apple, 13, difference_reason="over_delivered")
    with pytest.raises(OverReceipt) as refusal:
        complete(receipt)
    [over] = refusal.value.data["lines"]
    assert (over["ordered"], over["tolerance"], over["arriving"]) == ("10", "2", "13")
    assert on_hand(apple) == 0


def test_the_second_of_two_drafts_that_together_are_too_much_is_refused(site: Site) -> None:
    apple = make_product()
    order = placed_order(site, apple)
    drafts = [open_receipt(order_id=order.pk) for _ in range(2)]
    for receipt in drafts:
        add(receipt, apple, 6)
    complete(drafts[0], accept_differences=True)
    with pytest.raises(OverReceipt):
        complete(drafts[1], accept_differences=True)
    assert on_hand(apple) == 6


def test_a_delivery_finishes_the_claim_on_its_order(site: Site) -> None:
    apple = make_product()
    order = placed_order(site, apple)
    claim_work(kind=WorkKind.RECEIVE, subject_id=order.pk)
    receipt = open_receipt(order_id=order.pk)
    add(receipt, apple, 10)
    complete(receipt)
    assert live_claims(WorkKind.RECEIVE, [order.pk]) == {}


@pytest.mark.parametrize("end", [cancel_order, close_order])
def test_only_a_placed_order_gets_receipts(site: Site, end: Any) -> None:
    apple = make_product()
    order = placed_order(site, apple)
    receipt = open_receipt(order_id=order.pk)
    add(receipt, apple, 4)
    if end is close_order:
        complete(receipt, accept_differences=True)
        receipt = open_receipt(order_id=order.pk)
        add(receipt, apple, 4)
    had = on_hand(apple)
    end(order_id=order.pk)
    with pytest.raises(WrongOrderState):
        complete(receipt, accept_differences=True)
    with pytest.raises(WrongOrderState):
        open_receipt(order_id=order.pk)
    assert on_hand(apple) == had


# -- once, and by whom ----------------------------------------------------------------------------
def test_what_is_not_open_is_not_changed(site: Site) -> None:
    apple = make_product()
    receipt = blind(site)
    line = add(receipt, apple, 5)
    complete(receipt)
    where = {"receipt_id": receipt.pk, "receipt_line_id": line.pk}
    arrival = Arrival(apple.pk, Decimal(9))
    for attempt in (
        lambda: complete(receipt),
        lambda: cancel_receipt(receipt_id=receipt.pk),
        lambda: add(receipt, apple),
        lambda: change_receipt_line(**where, arrival=arrival),
        lambda: remove_receipt_line(**where),
    ):
        with pytest.raises(WrongReceiptState):
            attempt()
    assert on_hand(apple) == 5


def test_a_cancelled_receipt_moves_nothing_and_is_not_completed(site: Site) -> None:
    apple = make_product()
    receipt = blind(site)
    add(receipt, apple, 5)
    cancel_receipt(receipt_id=receipt.pk, reason="wrong address")
    with pytest.raises(WrongReceiptState):
        complete(receipt)
    assert on_hand(apple) == 0
    event = AuditEvent.objects.get(action="receipt.cancelled")
    assert event.data["reason"] == "wrong address"


def test_an_empty_receipt_is_not_completed(site: Site) -> None:
    with pytest.raises(Invalid):
        complete(blind(site))
    receipt = open_receipt(order_id=placed_order(site, make_product()).pk)
    with pytest.raises(Invalid):
        complete(receipt, received_at=PLACED - timedelta(seconds=1))


def test_a_stale_version_changes_nothing(site: Site) -> None:
    apple = make_product()
    receipt = blind(site)
    line = add(receipt, apple, 5)  # version 2 from here
    stale: dict[str, Any] = {"receipt_id": receipt.pk, "version": 1}
    for attempt in (
        lambda: complete_receipt(**stale),
        lambda: cancel_receipt(**stale),
        lambda: add_receipt_line(**stale, arrival=Arrival(apple.pk, Decimal(1))),
        lambda: remove_receipt_line(**stale, receipt_line_id=line.pk),
    ):
        with pytest.raises(StaleVersion):
            attempt()
    assert ReceiptLine.objects.count() == 1
    assert on_hand(apple) == 0


def test_a_line_is_found_only_on_its_own_receipt(site: Site) -> None:
    apple = make_product()
    order = placed_order(site, apple)
    mine, other = (open_receipt(order_id=order.pk) for _ in range(2))
    line = add(other, apple)
    with pytest.raises(NotFound):
        remove_receipt_line(receipt_id=mine.pk, receipt_line_id=line.pk)
    complete(other, accept_differences=True)
    add(mine, apple)
    complete(mine, accept_differences=True)
    with pytest.raises(NotFound):
        reverse_receipt_line(receipt_id=mine.pk, receipt_line_id=line.pk, reason="x")


def test_another_tenants_receipt_does_not_exist(north: House, south: House) -> None:
    with north.scope():
        receipt = blind(make_site())
    with south.scope():
        apple = make_product()
        for attempt in (
            lambda: add(receipt, apple),
            lambda: complete(receipt),
            lambda: cancel_receipt(receipt_id=receipt.pk),
            lambda: reverse_receipt_line(receipt_id=receipt.pk, receipt_line_id=1, reason="theirs"),
        ):
            with pytest.raises(NotFound):
                attempt()


def test_a_viewer_receives_nothing(north: House) -> None:
    with north.scope():
        apple = make_product()
        receipt = blind(make_site())
    with north.scope("viewer"):
        for attempt in (lambda: add(receipt, apple), lambda: complete(receipt)):
            with pytest.raises(PermissionRefused):
                attempt()


def test_a_member_of_another_warehouse_finds_none_of_it(north: House) -> None:
    with north.scope():
        here, there = make_site(), make_site("THERE")
        apple = make_product()
        order, receipt = placed_order(here, apple), blind(here)
        post_movements(lines=[here.line(apple, 5, "supplier", "receiving")])
        waits = StockBalance.objects.get(location=here.at("receiving"))
        member = Membership.objects.get(user=north.members["operator"])
        set_warehouse_access(membership_id=member.pk, warehouse_ids=[there.warehouse.pk])
    with north.scope("operator"):
        assert list(receipts()) == list(orders_to_receive()) == list(put_away_work()) == []
        for attempt in (
            lambda: open_receipt(order_id=order.pk),
            lambda: add(receipt, apple),
            lambda: complete(receipt),
            lambda: get_receipt(receipt.pk),
            lambda: put_away(
                stock_balance_id=waits.pk,
                to_location_id=here.at("storage"),
                quantity=Decimal(1),
            ),
        ):
            with pytest.raises(NotFound):
                attempt()


def test_completing_a_long_receipt_takes_as_many_statements_as_a_short_one(site: Site) -> None:
    products = [make_product(f"P{n}", lot_tracking="lot") for n in range(60)]
    counts = []
    for some in (products[:2], products[2:]):
        receipt = open_receipt(order_id=placed_order(site, *some).pk)
        for product in some:
            add(receipt, product, 10, lot_code="A")
        with CaptureQueriesContext(connection) as statements:
            complete(receipt)
        counts.append(len(statements))
    assert on_hand(products[59]) == 10
    assert counts[0] == counts[1] <= 40
