"""Picking in the hand: each scan counts once, each refusal says what to do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Barcode, CycleCount, LotTracking, Packaging, WorkKind
from inventory.services.waves import cancel_wave
from inventory.services.worklists import claim_work
from tests.cast import House
from tests.inventory.book import make_lot
from tests.inventory.handheld import Handheld, floor_of
from tests.inventory.outbound_world import make_product, quantities, tasks_of

GTIN = "04006381333931"


def picking(house: House, wave: Any, role: str = "operator") -> Handheld:
    return Handheld(house, f"waves/{wave.pk}/pick/", role)


def states(house: House, wave: Any) -> list[tuple[str, int]]:
    with house.scope():
        return [(task.state, int(task.quantity_picked)) for task in tasks_of(wave)]


def test_place_then_goods_then_on_to_the_next_and_to_packing(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        wave = floor.wave(
            floor.ready(make_product("APPLE"), 1, "A-1"),
            floor.ready(make_product("PEAR"), 3, "A-2"),
        )
    hand = picking(north, wave)
    assert "Go to A-1" in hand.text
    assert "Then A-2" in hand.text
    assert hand.scan("a-1").step == "goods"
    hand.scan("APPLE")  # one asked for, one scanned: nothing more to say
    assert (hand.result, hand.step) == ("ok", "place")
    assert "1 pcs of APPLE picked." in hand.text
    assert "Go to A-2" in hand.text
    hand.scan("A-2").scan("PEAR")
    assert hand.step == "quantity"
    assert "Take 3 pcs" in hand.text
    hand.scan("PEAR")  # scanned again: all of it is there
    assert hand.step == "bring"
    assert "Bring the goods to PACKING" in hand.text
    assert states(north, wave) == [("picked", 1), ("picked", 3)]
    wrong = hand.scan("A-1")
    assert "Bring the goods to PACKING, not here." in wrong.text
    done = hand.scan("PACKING")
    assert done.answer["HX-Redirect"] == north.path("scan/pick/")


def test_what_is_scanned_wrongly_is_named_and_nothing_is_picked(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        apple = make_product("APPLE", lot_tracking=LotTracking.LOT)
        other = make_lot(apple, "L2")
        floor.bin("B-9")
        make_product("PEAR")
        wave = floor.wave(floor.ready(apple, 2, lot=make_lot(apple, "L1")))
    hand = picking(north, wave)
    assert "This is B-9. Go to A-1." in hand.scan("B-9").text
    assert "Scan a location" in hand.scan("APPLE").text
    hand.scan("A-1")
    assert "This is Pear. Pick APPLE." in hand.scan("PEAR").text
    assert hand.scan("APPLE").step == "lot"
    assert f"This is lot {other.code}. Pick lot L1." in hand.scan("L2").text
    assert hand.answer.status_code == 422
    assert hand.scan("L1").step == "quantity"
    assert states(north, wave) == [("open", 0)]
    assert hand.press("all").step == "bring"
    assert states(north, wave) == [("picked", 2)]


def test_a_gs1_label_names_product_and_lot_at_once(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        apple = make_product("APPLE", lot_tracking=LotTracking.LOT)
        Barcode.objects.create(code=GTIN, product=apple)
        wave = floor.wave(floor.ready(apple, 1, lot=make_lot(apple, "L1")))
    hand = picking(north, wave).scan("A-1")
    assert "This is lot L9. Pick lot L1." in hand.scan(f"]C101{GTIN}10L9").text
    assert hand.scan(f"]C101{GTIN}10L1").step == "bring"
    assert states(north, wave) == [("picked", 1)]


def test_a_case_of_the_right_size_is_the_whole_pick(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        apple = make_product("APPLE")
        case = Packaging.objects.create(product=apple, name="case", units=Decimal(12))
        Barcode.objects.create(code="CASE", product=apple, packaging=case)
        wave = floor.wave(floor.ready(apple, 12))
    assert picking(north, wave).scan("A-1").scan("CASE").step == "bring"


def test_goods_for_several_orders_are_taken_once_and_shared_out(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        apple = make_product("APPLE")
        floor.stock(apple, 5, "A-1")
        first, second = floor.order((apple, 2)), floor.order((apple, 3))
        floor.promise(first, apple, 2, "A-1")
        floor.promise(second, apple, 3, "A-1")
        wave = floor.wave(first, second)
    hand = picking(north, wave).scan("A-1")
    assert "Take 5 pcs" in hand.text
    for words in ("For which order", first.number, second.number):
        assert words in hand.text
    hand.scan("APPLE").scan("5")
    assert states(north, wave) == [("picked", 2), ("picked", 3)]


def test_a_short_pick_asks_how_many_and_why(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        apple = make_product("APPLE")
        order = floor.ready(apple, 5)
        floor.stock(apple, 9, "A-7")
        wave = floor.wave(order)
    hand = picking(north, wave).scan("A-1").scan("APPLE")
    assert "more than the 5 to be picked" in hand.scan("6").text
    assert hand.scan("2").step == "reason"
    assert "Say why less was found" in hand.scan("9").text
    hand.scan("1")
    assert "2 pcs of APPLE picked. 3 missing, 3 of it fetched elsewhere." in hand.text
    assert "Go to A-7" in hand.text
    with north.scope():
        assert CycleCount.objects.get().location.code == "A-1"
        assert quantities(order) == (3, 2, 0)


def test_an_empty_place_is_told_by_two_buttons(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        order = floor.ready(make_product("APPLE"), 5)
        wave = floor.wave(order)
    hand = picking(north, wave).scan("A-1").press("short")
    assert hand.step == "found"
    assert "Enter how many you found" in hand.scan("APPLE").text
    hand.press("nothing")
    assert hand.step == "reason"
    hand.press("reason:not_found")
    assert hand.step == "bring"
    assert states(north, wave) == [("short", 0)]
    with north.scope():
        order.refresh_from_db()
        assert order.state == "backordered"


def test_scans_are_taken_back_one_by_one_and_then_the_last_pick(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        order = floor.ready(make_product("APPLE"), 5)
        wave = floor.wave(order, floor.ready(make_product("PEAR"), 1, "A-2"))
    hand = picking(north, wave).scan("A-1").scan("APPLE").scan("3")
    assert [hand.press("undo").step for _ in range(3)] == ["quantity", "goods", "place"]
    hand.scan("A-1").scan("APPLE").press("all")
    assert states(north, wave)[0] == ("picked", 5)
    assert "Undo last pick" in hand.text
    hand.press("undo")
    assert "Put APPLE back to A-1." in hand.text
    assert states(north, wave)[0] == ("open", 0)
    refused = hand.press("undo")
    assert "There is no pick to take back." in refused.text


def test_a_stop_is_put_off_and_comes_back_at_the_end(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        products = [make_product(sku) for sku in "ABC"]
        orders = [floor.ready(p, 1, f"A-{n}") for n, p in enumerate(products, 1)]
        wave = floor.wave(*orders)
    hand = picking(north, wave).press("later")
    assert "Go to A-2" in hand.text
    hand.scan("A-2").scan("B").scan("A-3").scan("C")
    assert "Go to A-1" in hand.text
    assert hand.scan("A-1").scan("A").step == "bring"


def test_a_double_scan_counts_once(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        apple = make_product("APPLE")
        order = floor.ready(apple, 1)
        wave = floor.wave(order, floor.ready(apple, 4, "A-2"))
    hand = picking(north, wave).scan("A-1")
    fields = hand.fields() | {"scan": "APPLE"}
    first = hand.send(fields).answer
    second = hand.send(fields).answer
    assert (first.status_code, second.status_code) == (200, 200)
    assert states(north, wave) == [("picked", 1), ("open", 0)]


def test_what_somebody_else_has_taken_is_said_before_and_refused_after(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        wave = floor.wave(floor.ready(make_product("APPLE"), 1))
    with north.scope("planner"):
        claim_work(kind=WorkKind.PICK, subject_id=wave.pk)
    hand = picking(north, wave)
    assert "planner@north.example has taken this wave." in hand.text
    hand.scan("A-1").scan("APPLE")
    assert "planner@north.example is doing this already" in hand.text
    assert states(north, wave) == [("open", 0)]


def test_a_cancelled_wave_says_so(north: House) -> None:
    floor = floor_of(north)
    with north.scope():
        wave = floor.wave(floor.ready(make_product("APPLE"), 1))
        cancel_wave(wave_id=wave.pk)
    hand = picking(north, wave)
    assert "This wave was cancelled." in hand.text
    assert hand.press("all").answer.status_code == 422


@pytest.mark.parametrize("rest", ["waves/{wave}/pick/", "scan/pack/", "scan/ship/"])
def test_a_viewer_scans_nothing(north: House, rest: str) -> None:
    floor = floor_of(north)
    with north.scope():
        wave = floor.wave(floor.ready(make_product("APPLE"), 1))
    client = north.client("viewer")
    path = north.path(rest.format(wave=wave.pk))
    assert client.get(path).status_code == 403
    assert client.post(path, {"scan": "A-1"}).status_code == 403
