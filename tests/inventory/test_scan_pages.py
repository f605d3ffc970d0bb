"""The scan page and the flow that moves stock: a scan counts once, a refusal is said in words."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Barcode, LotTracking, MovementReason, Packaging, StockMovement
from inventory.pages.scan_links import FLOWS
from inventory.queries.scanning import DOCUMENTS
from inventory.services.ledger import AllocationLine, allocate
from inventory.services.places import create_location
from inventory.services.stock import move_stock
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site, on_hand
from tests.inventory.handheld import Handheld
from tests.inventory.test_purchase_order_pages import place, world


@pytest.fixture
def shop(north: House) -> tuple[House, Site]:
    """Ten apples in storage of MAIN, a shelf A-01, a case of 4 apples with its own barcode."""
    with north.scope():
        site = make_site()
        apple = make_product(name_of := "APPLE")
        case = Packaging.objects.create(product=apple, name="case", units=Decimal(4))
        Barcode.objects.create(code="CASE", product=apple, packaging=case)
        create_location(warehouse_id=site.warehouse.pk, code="A-01")
        site.receive(apple, 10)
    assert name_of == apple.sku
    return north, site


def lies(house: House, code: str = "A-01") -> Decimal:
    with house.scope():
        site_rows = StockMovement.objects.filter(to_location__code=code)
        out = StockMovement.objects.filter(from_location__code=code)
        return sum((m.quantity for m in site_rows), Decimal(0)) - sum(
            (m.quantity for m in out), Decimal(0)
        )


def storage(site: Site) -> str:
    return next(place.code for kind, place in site.places.items() if kind == "storage")


# -- the scan page --------------------------------------------------------------------------------
def test_the_scan_page_shows_what_lies_at_a_location_and_what_starts_there(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/", "viewer").scan(storage(site))
    assert hand.result == "ok"
    assert "Apple" in hand.text
    assert "scan/move/" not in hand.text  # a viewer moves nothing
    hand = Handheld(house, "scan/").scan(storage(site))
    assert f"scan/move/?place={site.at('storage')}" in hand.text
    assert hand.answer["HX-Replace-Url"].endswith(f"?code={storage(site)}")


def test_the_scan_page_shows_where_goods_lie_and_how_many_a_packaging_holds(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/").scan("CASE")
    assert "Apple · case" in hand.text
    assert storage(site) in hand.text
    assert re.search(r"4.{0,40}pcs", hand.text)


def test_a_scanned_order_leads_to_its_page_and_to_receiving(north: House) -> None:
    _site, _apple, order = world(north)
    place(north, order)
    hand = Handheld(north, "scan/").scan(order.number)
    assert north.path(f"purchase-orders/{order.pk}/") in hand.text
    assert north.path(f"purchase-orders/{order.pk}/scan/") in hand.text


def test_an_unknown_code_is_refused_with_422_and_stays_on_the_page(shop) -> None:
    house, _site = shop
    hand = Handheld(house, "scan/").scan("<script>alert(1)</script>")
    assert (hand.answer.status_code, hand.result) == (422, "refused")
    assert "Nothing here has the code" in hand.text
    assert "<script>alert" not in hand.text


def test_the_chosen_warehouse_decides_between_locations_of_the_same_code(shop) -> None:
    house, _site = shop
    with house.scope():
        south = make_site("SOUTH").warehouse
        create_location(warehouse_id=south.pk, code="A-01")
    hand = Handheld(house, "scan/").scan("A-01")
    assert "Choose your warehouse" in hand.text
    hand.press(f"warehouse:{south.pk}").scan("A-01")
    assert hand.result == "ok"
    assert "A-01 (South)" in hand.text


def test_the_warehouse_of_another_tenant_is_not_chosen(shop, south: House) -> None:
    house, _site = shop
    with south.scope():
        theirs = make_site("THEIRS").warehouse
    assert Handheld(house, "scan/").press(f"warehouse:{theirs.pk}").answer.status_code == 404


def test_the_scan_page_costs_the_same_for_a_full_location(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/")

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            hand.scan(storage(site))
        return len(asked)

    few = statements()
    with house.scope():
        for number in range(30):
            site.receive(make_product(f"P{number:02}"), 1)
    assert statements() == few < 35
    assert "There is more" in hand.text


def test_the_documents_that_flows_start_from_can_be_scanned() -> None:
    known = {model.__name__ for model in DOCUMENTS.values()}
    assert {name for flow in FLOWS for name in flow.documents} <= known


# -- moving ---------------------------------------------------------------------------------------
def test_stock_is_moved_by_four_scans(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/")
    assert hand.scan(storage(site)).step == "goods"
    assert hand.scan("APPLE").step == "to"
    assert hand.scan("APPLE").step == "to"  # once more: two
    assert hand.scan("A-01").step == "goods"  # from the same place on
    assert (hand.result, lies(house)) == ("ok", 2)
    assert "2 pcs Apple moved to A-01 (Main)" in hand.text


def test_a_packaging_moves_its_units(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/", query=f"?place={site.at('storage')}")
    hand.scan("CASE").scan("A-01")
    assert lies(house) == 4


def test_a_double_scan_of_the_same_render_counts_once(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("APPLE")
    fields = hand.fields() | {"scan": "A-01"}
    first = hand.send(fields).answer
    second = hand.send(fields).answer
    assert (first.status_code, second.status_code) == (200, 200)
    assert hand.result == "ok"
    assert lies(house) == 1


def test_control_without_its_key_a_repeated_scan_counts_twice(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("APPLE")
    fields = hand.fields() | {"scan": "A-01", "idempotency_key": ""}
    hand.send(fields)
    hand.send(fields)
    assert lies(house) == 2


def test_another_code_with_the_key_of_a_render_that_counted_is_refused(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("APPLE")
    fields = hand.fields()
    hand.send(fields | {"scan": "A-01"})
    hand.send(fields | {"scan": "B-77"})
    assert (hand.answer.status_code, hand.result) == (422, "refused")
    assert lies(house) == 1


def test_the_quantity_is_typed_or_all_of_it(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("APPLE").press("quantity")
    assert hand.step == "quantity"
    assert "decimal" in hand.text
    hand.scan("3").scan("A-01")
    assert lies(house) == 3
    hand.scan("APPLE").press("quantity").press("all").scan("A-01")
    assert lies(house) == 10


@pytest.mark.parametrize("typed", ["0", "-1", "eleven", "11", "1e400", "NaN", "", "0.5"])
def test_a_wrong_quantity_is_refused_and_nothing_moves(shop, typed: str) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("APPLE").press("quantity")
    hand.scan(typed)
    if typed == "0.5":  # a number, but apples are counted whole: the ledger says so at the move
        hand.scan("A-01")
    assert (hand.answer.status_code, hand.result) == (422, "refused")
    assert lies(house) == 0


def test_what_does_not_lie_here_or_is_promised_cannot_be_taken(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/").scan("A-01").scan("APPLE")
    assert (hand.result, hand.step) == ("refused", "goods")
    assert "Apple: 0 pcs can be taken from A-01." in hand.text
    with house.scope():
        apple = make_product("PEAR")
        site.receive(apple, 3)
        allocate(lines=[AllocationLine(apple.pk, site.at("storage"), Decimal(3))])
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("PEAR")
    assert hand.result == "refused"


def test_the_only_lot_here_is_taken_and_of_two_one_is_asked_for(shop) -> None:
    house, site = shop
    with house.scope():
        milk = make_product("MILK", lot_tracking=LotTracking.LOT)
        first, second = make_lot(milk, "L1"), make_lot(milk, "L2")
        site.receive(milk, 5, lot_id=first.pk)
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("MILK")
    assert hand.step == "to"
    with house.scope():
        site.receive(milk, 5, lot_id=second.pk)
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("MILK")
    assert hand.step == "lot"
    hand.scan("L2").scan("A-01")
    assert hand.result == "ok"
    with house.scope():
        moved = StockMovement.objects.latest("id")
    assert (moved.lot_id, moved.reason) == (second.pk, MovementReason.MOVE)


def test_other_goods_in_hand_are_refused(shop) -> None:
    house, site = shop
    with house.scope():
        site.receive(make_product("PEAR"), 3)
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("APPLE").scan("PEAR")
    assert "You hold Apple." in hand.text
    assert hand.step == "to"


def test_the_last_scan_and_the_last_move_are_taken_back(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("APPLE")
    assert hand.press("undo").step == "goods"
    hand.scan("APPLE").scan("A-01")
    assert lies(house) == 1
    fields = hand.fields() | {"scan": "", "action": "undo"}
    hand.send(fields)
    hand.send(fields)  # the button pressed twice
    assert (hand.result, lies(house)) == ("ok", 0)
    with house.scope():
        assert StockMovement.objects.filter(reverses__isnull=False).count() == 1


def test_a_command_code_presses_the_button_of_that_name(shop) -> None:
    hand = Handheld(shop[0], "scan/move/").scan(storage(shop[1])).scan("APPLE")
    assert hand.step == "to"
    assert hand.scan("!UNDO").step == "goods"
    assert hand.result == "ok"


def test_a_command_that_the_step_does_not_have_is_refused_with_those_it_has(shop) -> None:
    hand = Handheld(shop[0], "scan/move/").scan(storage(shop[1]))
    refused = hand.scan("!complete")
    assert (refused.answer.status_code, refused.step) == (422, "goods")
    assert "!complete is not possible at this step. Possible are: !undo" in refused.text


def test_a_move_whose_goods_went_on_is_not_taken_back(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/").scan(storage(site)).scan("APPLE").scan("A-01")
    with house.scope():
        apple = StockMovement.objects.latest("id").product
        there = StockMovement.objects.latest("id").to_location_id
        line = site.line(apple, 1, "storage", "packing")
        move_stock(
            lines=[type(line)(apple.pk, there, line.to_location_id, Decimal(1), line.reason)]
        )
    hand.press("undo")
    assert (hand.answer.status_code, hand.result) == (422, "refused")


def test_only_moves_are_taken_back_here(shop) -> None:
    house, site = shop
    with house.scope():
        receipt = StockMovement.objects.earliest("id")
        assert receipt.reason == MovementReason.RECEIPT
    query = f"?place={site.at('storage')}&done={receipt.pk}"
    hand = Handheld(house, "scan/move/", query=query).press("undo")
    assert hand.result == "refused"
    with house.scope():
        assert on_hand(receipt.product) == 10


def test_another_warehouse_is_refused_in_words(shop) -> None:
    house, site = shop
    with house.scope():
        other = make_site("SOUTH")
        create_location(warehouse_id=other.warehouse.pk, code="S-01")
    hand = Handheld(house, "scan/move/", query=f"?place={site.at('storage')}")
    hand.scan("APPLE").scan("S-01")
    assert "Stock travels between warehouses through the in-transit location." in hand.text
    assert "Line 1" not in hand.text


@pytest.mark.parametrize("query", ["place=x", "place=99999999", "place=1&product=-3"])
def test_a_tampered_address_is_not_found(shop, query: str) -> None:
    house, _site = shop
    assert house.client().get(house.path(f"scan/move/?{query}")).status_code == 404


def test_a_viewer_moves_nothing(shop) -> None:
    house, _site = shop
    assert house.client("viewer").get(house.path("scan/move/")).status_code == 403


def test_without_script_the_page_answers_whole_and_redirects(shop) -> None:
    house, site = shop
    hand = Handheld(house, "scan/move/")
    answer = hand.client.post(hand.path, hand.fields() | {"scan": storage(site)})
    assert answer.status_code == 302
    assert answer["Location"].endswith(f"?place={site.at('storage')}")
    answer = hand.client.post(hand.path, hand.fields() | {"scan": "NOSUCH"})
    assert answer.status_code == 422
    assert b"<html" in answer.content
