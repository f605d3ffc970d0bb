"""Counting and adjusting with a scanner: scan by scan, each counted once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.models import (
    Barcode,
    CountLine,
    CycleCount,
    InventorySettings,
    Lot,
    Packaging,
    StockMovement,
)
from inventory.services.counting import request_count
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site, on_hand
from tests.inventory.counts import tolerate
from tests.inventory.handheld import Handheld

World = tuple[House, Site, int]


@pytest.fixture
def world(north: House) -> World:
    """Seven apples and five milks of lot L1 in storage, which is to be counted."""
    with north.scope():
        site, apple = make_site(), make_product(unit_cost=Decimal(1))
        milk = make_product("MILK", lot_tracking="lot", unit_cost=Decimal(1))
        case = Packaging.objects.create(product=apple, name="case", units=Decimal(4))
        Barcode.objects.create(code="CASE", product=apple, packaging=case)
        site.receive(apple, 7)
        site.receive(milk, 5, lot_id=make_lot(milk, "L1").pk)
        tolerate(percent=100, value=1000)
        count = request_count(location_id=site.at("storage"))
    return north, site, count.pk


def entered(house: House) -> dict[str, Decimal]:
    with house.scope():
        lines = CountLine.objects.select_related("product", "lot")
        return {f"{line.product.sku} {line.lot or ''}".strip(): line.counted for line in lines}


def state(house: House) -> str:
    with house.scope():
        return str(CycleCount.objects.latest("id").state)


def test_place_goods_quantity_next_and_that_is_all(world: World) -> None:
    house, _site, pk = world
    hand = Handheld(house, f"scan/count/{pk}/")
    assert (hand.step, "Go to STORAGE and scan it" in hand.text) == ("place", True)
    assert hand.scan("PACKING").result == "refused"
    assert "Go to STORAGE." in hand.text
    assert hand.scan("STORAGE").step == "goods"
    assert hand.scan("APPLE").step == "quantity"
    assert hand.scan("6").step == "goods"
    assert "6 pcs Apple" in hand.text
    assert hand.scan("MILK").step == "lot"
    assert hand.scan("L1").step == "quantity"
    assert hand.scan("0").step == "goods"
    assert entered(house) == {"APPLE": 6, "MILK L1": 0}
    hand.press("all")
    assert hand.answer["HX-Redirect"].endswith("/scan/count/")
    assert state(house) == "counted"


def test_what_was_not_counted_is_named_and_confirmed(world: World) -> None:
    house, _site, pk = world
    hand = Handheld(house, f"scan/count/{pk}/").scan("STORAGE").scan("APPLE").scan("7")
    assert hand.press("all").step == "missing"
    assert "MILK" in hand.text
    assert "5 pcs" not in hand.text  # not how many
    assert state(house) == "counting"
    assert hand.press("undo").step == "goods"
    hand.press("all").press("none")
    assert (state(house), entered(house)["MILK L1"]) == ("counted", 0)


def test_the_last_entry_is_taken_back(world: World) -> None:
    house, _site, pk = world
    hand = Handheld(house, f"scan/count/{pk}/").scan("STORAGE").scan("APPLE")
    assert hand.press("undo").step == "goods"  # a scan
    hand.scan("APPLE").scan("7")
    assert "Taken back: 7 Apple." in hand.press("undo").text  # an entry
    assert entered(house) == {}
    assert hand.press("undo").result == "refused"


def test_each_piece_scanned_adds_one_and_a_case_its_units(world: World) -> None:
    house, _site, pk = world
    hand = Handheld(house, f"scan/count/{pk}/").scan("STORAGE").scan("APPLE")
    hand.scan("APPLE").scan("CASE")
    assert "Enter 6" in hand.text  # 1 + 1 + 4
    hand.press("enter")
    assert entered(house) == {"APPLE": 6}
    hand.scan("APPLE")
    assert "6 pcs are entered already: type the total." in hand.text
    hand.scan("8")
    assert entered(house) == {"APPLE": 8}


def test_another_product_is_refused_until_the_quantity_is_entered(world: World) -> None:
    house, _site, pk = world
    hand = Handheld(house, f"scan/count/{pk}/").scan("STORAGE").scan("APPLE").scan("MILK")
    assert (hand.result, hand.step) == ("refused", "quantity")
    assert "Enter first how many of Apple are here." in hand.text
    for wrong in ("-3", "1e400", "NaN", "2.5", "9999999999"):
        assert hand.scan(wrong).result == "refused", wrong
    assert entered(house) == {}


def test_a_number_that_is_a_product_is_no_quantity(world: World) -> None:
    house, _site, pk = world
    with house.scope():
        make_product("10034")
    hand = Handheld(house, f"scan/count/{pk}/").scan("STORAGE").scan("APPLE").scan("10034")
    assert (hand.result, entered(house)) == ("refused", {})
    assert hand.scan("10035").result == "ok"
    assert entered(house) == {"APPLE": 10035}


def test_a_lot_the_book_does_not_know_is_scanned_twice(world: World) -> None:
    house, _site, pk = world
    hand = Handheld(house, f"scan/count/{pk}/").scan("STORAGE").scan("MILK")
    assert hand.scan("L-NEW").step == "lot"
    assert "Scan it again to enter it as new." in hand.text
    assert hand.scan("L-NEW").step == "quantity"
    hand.scan("2")
    assert entered(house) == {"MILK L-NEW": 2}


def test_a_serial_number_is_one_scan(world: World) -> None:
    house, site, pk = world
    with house.scope():
        laptop = make_product("LAPTOP", lot_tracking="serial")
        serial = make_lot(laptop, "SN-77")
        site.receive(laptop, 1, lot_id=serial.pk)
    hand = Handheld(house, f"scan/count/{pk}/").scan("STORAGE").scan("SN-77")
    assert hand.step == "goods"
    hand.scan("LAPTOP").scan("SN-99").scan("SN-99")
    assert entered(house) == {"LAPTOP SN-77": 1, "LAPTOP SN-99": 1}
    with house.scope():
        assert Lot.objects.filter(code="SN-99").exists()


def test_a_second_round_asks_only_for_what_differs(world: World) -> None:
    house, _site, pk = world
    with house.scope():
        tolerate(percent=0, value=0)
    hand = Handheld(house, f"scan/count/{pk}/").scan("STORAGE").scan("APPLE").scan("6")
    hand.scan("MILK").scan("L1").scan("5").press("all")
    assert (hand.step, state(house)) == ("place", "recount")
    assert "only what differed is counted again" in hand.text
    hand.scan("STORAGE").press("all")
    assert "APPLE" in hand.text
    assert "MILK" not in hand.text
    hand.press("undo").scan("APPLE").scan("6").press("all")
    assert state(house) == "counted"


def test_a_double_scan_counts_once(world: World) -> None:
    house, _site, pk = world
    hand = Handheld(house, f"scan/count/{pk}/").scan("STORAGE").scan("APPLE")
    sent = hand.fields() | {"scan": "7"}
    assert hand.send(sent).result == hand.send(sent).result == "ok"
    assert entered(house) == {"APPLE": 7}


def test_somebody_elses_count_is_not_begun(world: World) -> None:
    house, _site, pk = world
    Handheld(house, f"scan/count/{pk}/").scan("STORAGE")
    other = Handheld(house, f"scan/count/{pk}/", "planner")
    assert "operator@north.example has taken this count." in other.text
    assert other.scan("STORAGE").result == "refused"


def test_scanning_a_place_goes_on_with_its_count_or_asks_for_one(world: World) -> None:
    house, _site, pk = world
    hand = Handheld(house, "scan/count/").scan("STORAGE")
    assert hand.answer["HX-Redirect"].endswith(f"/scan/count/{pk}/")
    assert state(house) == "counting"
    hand = Handheld(house, "scan/count/").scan("PACKING")
    assert (hand.step, "Count PACKING?" in hand.text) == ("ask", True)
    hand.press("count")
    assert "/scan/count/" in hand.answer["HX-Redirect"]
    with house.scope():
        assert CycleCount.objects.latest("id").location.code == "PACKING"
    again = Handheld(house, "scan/count/").scan("RECEIVING").scan("RECEIVING")
    assert "/scan/count/" in again.answer["HX-Redirect"]


@pytest.mark.parametrize(
    "query", ["?product=abc", "?product=999", "?many=x&product=1", "?lot=-1&product=1"]
)
def test_a_tampered_address_breaks_nothing(world: World, query: str) -> None:
    house, _site, pk = world
    Handheld(house, f"scan/count/{pk}/").scan("STORAGE")
    client = house.client("operator")
    assert client.get(house.path(f"scan/count/{pk}/{query}")).status_code in {200, 404}
    fields = dict(part.split("=") for part in query[1:].split("&"))
    for more in ({"scan": "5"}, {"action": "enter"}, {"scan": "APPLE"}):
        answer = client.post(
            house.path(f"scan/count/{pk}/"), fields | {"expires": "2026-13-99"} | more
        )
        assert answer.status_code < 500


# -- adjusting ------------------------------------------------------------------------------------
def test_damage_is_booked_by_scanning_and_taken_back(world: World) -> None:
    house, site, _pk = world
    with house.scope():
        InventorySettings.objects.update(adjustment_limit=Decimal(3))
    hand = Handheld(house, "scan/adjust/")
    assert [hand.scan(code).step for code in ("STORAGE", "APPLE", "2")] == [
        "goods",
        "quantity",
        "reason",
    ]
    assert hand.press("reason:damage").step == "goods"
    assert "2 pcs Apple: Damage" in hand.text
    with house.scope():
        apple = StockMovement.objects.latest("id").product
        assert on_hand(apple, site.at("damaged")) == 2
    hand.press("undo")
    assert "The adjustment was taken back." in hand.text
    with house.scope():
        assert on_hand(apple, site.at("damaged")) == 0
    # by the number of the reason; above the limit it is refused in numbers
    hand.scan("APPLE").scan("4").scan("2")
    assert (hand.result, "above the limit of 3.00" in hand.text) == ("refused", True)
    assert hand.press("undo").step == "quantity"
    hand.scan("3").scan("2")
    with house.scope():
        assert on_hand(apple) == 4
        assert StockMovement.objects.latest("id").get_reason_display() == "Scrap"


def test_a_lot_is_asked_for_and_only_a_known_one_is_adjusted(world: World) -> None:
    house, _site, _pk = world
    hand = Handheld(house, "scan/adjust/", "manager").scan("STORAGE").scan("MILK")
    assert hand.step == "lot"
    assert hand.scan("NOSUCH").result == "refused"
    assert hand.scan("L1").scan("1").press("reason:expired").step == "goods"
    with house.scope():
        assert StockMovement.objects.latest("id").lot.code == "L1"
    assert hand.scan("APPLE").scan("0").result == "refused"
    assert hand.scan("1").press("reason:nonsense").result == "refused"
