"""Receiving and putting away by scanner: each step, its refusals, and what undo takes back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import (
    Barcode,
    LotTracking,
    Packaging,
    Product,
    PurchaseOrder,
    PurchaseOrderState,
    Receipt,
    ReceiptLine,
    ReceiptState,
    StockMovement,
    WorkKind,
)
from inventory.queries.worklists import live_claims
from inventory.services.purchasing import cancel_order
from inventory.services.worklists import claim_work
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site, on_hand
from tests.inventory.handheld import Handheld
from tests.inventory.inbound import placed_order
from tests.inventory.test_put_away import docked, shelf

GTIN = "04006381333931"
RECEIVE, PUT_AWAY = "scan/receive/", "scan/put-away/"


@pytest.fixture
def dock(north: House) -> tuple[Site, Product, Product, PurchaseOrder]:
    """A placed order of ten apples and ten cartons of milk, which is tracked by lot."""
    with north.scope():
        site = make_site()
        apple, milk = make_product(), make_product("MILK", lot_tracking=LotTracking.LOT)
        Barcode.objects.create(code=GTIN, product=milk)
        case = Packaging.objects.create(product=apple, name="case", units=Decimal(4))
        Barcode.objects.create(code="CASE", product=apple, packaging=case)
        return site, apple, milk, placed_order(site, apple, milk)


def lines(house: House) -> list[tuple[str, int, str]]:
    with house.scope():
        rows = ReceiptLine.objects.order_by("id").values_list(
            "product__sku", "quantity", "lot_code"
        )
        return [(sku, int(quantity), lot) for sku, quantity, lot in rows]


# -- receiving ------------------------------------------------------------------------------------
def test_an_order_is_received_by_scans_alone(north: House, dock: Any) -> None:
    site, apple, milk, order = dock
    hand = Handheld(north, RECEIVE)
    assert hand.step == "document"
    assert hand.scan(order.number).step == "goods"
    with north.scope():
        assert order.pk in live_claims(WorkKind.RECEIVE, [order.pk])
        assert Receipt.objects.count() == 0  # nothing is written before something arrived
    assert hand.scan("APPLE").step == "quantity"
    assert hand.scan("10").step == "goods"
    # lot, expiry and count of a GS1 label: nothing is asked
    assert hand.scan(f"(01){GTIN}(17)270331(10)L-7(37)10").step == "goods"
    assert lines(north) == [("APPLE", 10, ""), ("MILK", 10, "L-7")]
    assert hand.press("complete").step == "document"
    assert "RC-000001 is booked" in hand.text
    with north.scope():
        assert on_hand(apple, site.at("receiving")) == 10
        movement = StockMovement.objects.get(product=milk)
        assert (movement.lot.code, movement.lot.expires_on) == ("L-7", date(2027, 3, 31))
        order.refresh_from_db()
        assert order.state == PurchaseOrderState.RECEIVED


def test_lot_and_expiry_are_asked_when_the_label_says_neither(north: House, dock: Any) -> None:
    _site, _apple, milk, order = dock
    hand = Handheld(north, RECEIVE, query=f"?order={order.pk}")
    assert hand.scan("MILK").step == "lot"
    assert hand.scan("L-8").step == "expiry"
    assert hand.scan("soon").result == "refused"
    assert hand.scan("31.2.2027").result == "refused"
    assert hand.scan("31.3.2027").step == "quantity"
    assert hand.scan("6").step == "goods"
    with north.scope():
        line = ReceiptLine.objects.get()
        assert (line.lot_code, line.expires_on) == ("L-8", date(2027, 3, 31))
        make_lot(milk, "KNOWN", expires_on=date(2027, 5, 5))
    # a lot that is known has its expiry date
    assert hand.scan("MILK").scan("KNOWN").step == "quantity"
    assert hand.press("all").step == "goods"
    assert lines(north)[1] == ("MILK", 4, "KNOWN")
    hand.scan("MILK").scan("L-9")
    assert hand.press("no_expiry").step == "quantity"


def test_pieces_are_counted_by_scanning_and_the_next_product_enters_them(
    north: House, dock: Any
) -> None:
    _site, _apple, _milk, order = dock
    hand = Handheld(north, RECEIVE, query=f"?order={order.pk}")
    hand.scan("CASE").scan("APPLE").scan("APPLE")  # 4 + 1 + 1
    assert "6 pcs" in hand.text
    assert hand.scan("MILK").step == "lot"
    assert lines(north) == [("APPLE", 6, "")]
    hand.press("undo")
    hand.scan("CASE").scan("1")  # one case of four
    assert lines(north) == [("APPLE", 6, ""), ("APPLE", 4, "")]


def test_damaged_goods_are_said_before_the_quantity_is_entered(north: House, dock: Any) -> None:
    _site, _apple, _milk, order = dock
    hand = Handheld(north, RECEIVE, query=f"?order={order.pk}")
    hand.scan("APPLE")
    assert hand.press("damaged").step == "damaged"
    assert hand.scan("2").step == "quantity"
    assert hand.scan("1").result == "refused"  # two damaged of one
    hand.scan("10")
    with north.scope():
        assert ReceiptLine.objects.get().damaged == 2


def test_serial_numbers_are_entered_one_by_one(north: House, dock: Any) -> None:
    site, _apple, _milk, _order = dock
    with north.scope():
        laptop = make_product("LAPTOP", lot_tracking=LotTracking.SERIAL)
        order = placed_order(site, laptop)
    hand = Handheld(north, RECEIVE, query=f"?order={order.pk}")
    for serial in ("SN-1", "SN-2"):
        assert hand.scan("LAPTOP").step == "lot"
        assert hand.scan(serial).step == "goods"
    assert lines(north) == [("LAPTOP", 1, "SN-1"), ("LAPTOP", 1, "SN-2")]


@pytest.mark.parametrize(
    ("scans", "said"),
    [
        (["11"], "11 pcs are too many: at most 10 can still come."),
        (["0"], "greater than zero"),
        (["1.5"], "exact number of base units"),
        (["12345678"], "Nothing here has the code 12345678"),
    ],
)
def test_wrong_quantities_are_refused_and_asked_again(
    north: House, dock: Any, scans: list[str], said: str
) -> None:
    _site, _apple, _milk, order = dock
    hand = Handheld(north, RECEIVE, query=f"?order={order.pk}")
    hand.scan("APPLE")
    for scan in scans:
        hand.scan(scan)
    assert (hand.result, hand.step) == ("refused", "quantity")
    assert said in hand.text
    assert lines(north) == []
    with north.scope():
        assert Receipt.objects.count() == 0


def test_what_is_not_on_the_order_is_put_aside(north: House, dock: Any) -> None:
    _site, _apple, _milk, order = dock
    with north.scope():
        make_product("PEAR")
    hand = Handheld(north, RECEIVE, query=f"?order={order.pk}")
    assert hand.scan("PEAR").result == "refused"
    assert "Pear is not on this order." in hand.text
    assert hand.step == "goods"


def test_only_what_may_be_received_starts(north: House, dock: Any) -> None:
    site, apple, _milk, order = dock
    with north.scope():
        gone = placed_order(site, apple)
        cancel_order(order_id=gone.pk)
    with north.scope("planner"):
        claim_work(kind=WorkKind.RECEIVE, subject_id=order.pk)
    hand = Handheld(north, RECEIVE)
    assert "is not to be received" in hand.scan(gone.number).text
    assert "planner@north.example is doing this already" in hand.scan(order.number).text
    assert "is a product" in hand.scan("APPLE").text
    assert hand.step == "document"


def test_differences_are_told_before_they_are_booked(north: House, dock: Any) -> None:
    _site, apple, _milk, order = dock
    hand = Handheld(north, RECEIVE, query=f"?order={order.pk}")
    hand.scan("APPLE").scan("7")
    assert hand.press("complete").step == "differences"
    assert "Apple: 7 of 10" in hand.text
    with north.scope():
        assert on_hand(apple) == 0
    assert hand.press("more").step == "goods"
    hand.press("complete")
    hand.press("accept")
    with north.scope():
        assert on_hand(apple) == 7
        assert ReceiptLine.objects.get().difference_reason == "short_delivered"


def test_undo_goes_back_line_by_line_to_the_beginning(north: House, dock: Any) -> None:
    _site, _apple, _milk, order = dock
    hand = Handheld(north, RECEIVE)
    hand.scan(order.number)
    hand.scan("APPLE").scan("7")
    hand.scan("APPLE")
    assert hand.press("undo").step == "goods"
    assert lines(north) == [("APPLE", 7, "")]
    hand.press("undo")
    assert lines(north) == []
    assert hand.press("undo").step == "document"
    with north.scope():
        assert Receipt.objects.get().state == ReceiptState.CANCELLED


def test_the_order_scanned_again_completes_the_delivery(north: House, dock: Any) -> None:
    site, apple, _milk, _order = dock
    with north.scope():
        order, other = placed_order(site, apple), placed_order(site, apple)
    hand = Handheld(north, RECEIVE)
    hand.scan(other.number)
    assert hand.scan(order.number).step == "goods"  # nothing was begun: the other one it is
    hand.scan("APPLE").scan("10")
    assert "Complete RC-000001 before" in hand.scan(other.number).text
    assert hand.scan(order.number).step == "document"
    with north.scope():
        assert on_hand(apple) == 10
        assert other.lines.get().quantity_received == 0


def test_a_delivery_goes_on_where_it_was_left(north: House, dock: Any) -> None:
    _site, _apple, _milk, order = dock
    Handheld(north, RECEIVE, query=f"?order={order.pk}").scan("APPLE").scan("7")
    again = Handheld(north, RECEIVE)
    again.scan(order.number).scan("APPLE").scan("3")
    with north.scope():
        assert Receipt.objects.count() == 1
    assert lines(north) == [("APPLE", 7, ""), ("APPLE", 3, "")]
    with north.scope():
        number = Receipt.objects.get().number
    assert Handheld(north, RECEIVE).scan(number).step == "goods"
    start = north.client("operator").get(north.path(f"purchase-orders/{order.pk}/scan/"))
    assert f"order={order.pk}&receipt=" in start["Location"]


def test_a_double_scan_writes_one_line(north: House, dock: Any) -> None:
    _site, _apple, _milk, order = dock
    hand = Handheld(north, RECEIVE, query=f"?order={order.pk}")
    hand.scan("APPLE")
    sent = hand.fields() | {"scan": "10"}
    hand.send(sent)
    hand.send(sent)
    assert lines(north) == [("APPLE", 10, "")]


# -- putting away ---------------------------------------------------------------------------------
def test_goods_go_to_the_suggested_place_and_back(north: House, dock: Any) -> None:
    site, apple, _milk, _order = dock
    with north.scope():
        docked(site, apple)
    hand = Handheld(north, PUT_AWAY)
    assert hand.scan("APPLE").step == "to"
    assert "STORAGE" in hand.text
    assert hand.scan("STORAGE").step == "goods"
    assert "10 pcs Apple put away at STORAGE" in hand.text
    with north.scope():
        assert on_hand(apple, site.at("storage")) == 10
    hand.press("undo")
    with north.scope():
        assert on_hand(apple, site.at("receiving")) == 10


def test_a_place_takes_what_is_suggested_for_it_and_the_rest_waits(north: House, dock: Any) -> None:
    site, apple, _milk, _order = dock
    with north.scope():
        Product.objects.filter(pk=apple.pk).update(volume_l=Decimal(1))
        site.places["storage"].max_volume_l = Decimal(3)
        site.places["storage"].save()
        small = shelf(site, "A-1", max_volume_l=Decimal(6), walking_order=9)
        docked(site, apple)
    hand = Handheld(north, PUT_AWAY)
    hand.scan("APPLE").scan("A-1")
    with north.scope():
        assert on_hand(apple, small.pk) == 6
    hand.scan("APPLE").scan("STORAGE")
    with north.scope():
        assert on_hand(apple, site.at("storage")) == 3
        assert on_hand(apple, site.at("receiving")) == 1


def test_another_place_is_allowed_and_a_bad_fit_wants_a_reason(north: House, dock: Any) -> None:
    site, apple, _milk, _order = dock
    with north.scope():
        Product.objects.filter(pk=apple.pk).update(volume_l=Decimal(1))
        full = shelf(site, "A-1", max_volume_l=Decimal(0))
        other = shelf(site, "A-2")
        docked(site, apple)
    hand = Handheld(north, PUT_AWAY)
    hand.scan("APPLE")
    assert hand.scan("A-1").step == "override"
    assert "A-1 does not take it: its room (10 l, 0 l free)." in hand.text
    assert hand.scan("A-2").step == "goods"  # another place instead
    with north.scope():
        assert on_hand(apple, other.pk) == 10
    hand.press("undo")
    hand.scan("APPLE").scan("A-1")
    assert hand.press("reason_measured").step == "goods"
    with north.scope():
        assert on_hand(apple, full.pk) == 10


def test_lots_and_docks_are_told_apart(north: House, dock: Any) -> None:
    site, _apple, milk, _order = dock
    with north.scope():
        first, second = make_lot(milk, "L-1"), make_lot(milk, "L-2")
        docked(site, milk, 5, lot_id=first.pk)
        docked(site, milk, 6, lot_id=second.pk)
        docked(site, milk, 2, lot_id=second.pk, kind="packing")
    hand = Handheld(north, PUT_AWAY)
    assert hand.scan("MILK").step == "lot"
    assert hand.scan("L-2").step == "dock"
    assert hand.scan("STORAGE").result == "refused"
    assert hand.scan("PACKING").step == "to"
    hand.scan("STORAGE")
    with north.scope():
        assert on_hand(milk, site.at("storage")) == 2


def test_quantities_are_chosen_and_never_more_than_lies_there(north: House, dock: Any) -> None:
    site, apple, _milk, _order = dock
    with north.scope():
        docked(site, apple)
    hand = Handheld(north, PUT_AWAY)
    hand.scan("APPLE")
    assert hand.press("quantity").step == "quantity"
    assert hand.scan("11").step == "to"
    assert hand.scan("STORAGE").result == "refused"
    assert "10 free" in hand.text
    hand.press("quantity")
    hand.scan("4").scan("STORAGE")
    with north.scope():
        assert on_hand(apple, site.at("storage")) == 4


def test_what_does_not_wait_is_refused(north: House, dock: Any) -> None:
    site, apple, _milk, _order = dock
    with north.scope():
        site.receive(apple, 5)
    hand = Handheld(north, PUT_AWAY)
    assert hand.scan("APPLE").result == "refused"
    assert "does not wait to be put away here" in hand.text
    assert "is a location" in hand.scan("STORAGE").text


def test_a_viewer_scans_neither(north: House, dock: Any) -> None:
    for rest in (RECEIVE, PUT_AWAY):
        assert north.client("viewer").get(north.path(rest)).status_code == 403


def test_another_tenants_receipt_is_not_found(north: House, south: House, dock: Any) -> None:
    site, apple, _milk, order = dock
    with north.scope():
        waits = docked(site, apple)
    Handheld(north, RECEIVE, query=f"?order={order.pk}").scan("APPLE").scan("7")
    with north.scope():
        receipt = Receipt.objects.get()
    client = south.client("owner")
    assert client.get(south.path(f"{RECEIVE}?receipt={receipt.pk}")).status_code == 404
    assert client.get(south.path(f"{RECEIVE}?order={order.pk}")).status_code == 404
    assert client.get(south.path(f"to-put-away/{waits.pk}/")).status_code == 404
