"""Picking, packing and shipping in the hand: each scan counts once, each refusal says what to do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import (
    Barcode,
    CycleCount,
    LotTracking,
    Package,
    Packaging,
    SalesOrder,
    Shipment,
    WorkClaim,
    WorkKind,
)
from inventory.services.packing import PackItem, close_package, open_package, pack
from inventory.services.waves import cancel_wave
from inventory.services.worklists import claim_work
from tests.cast import House
from tests.inventory.book import make_lot
from tests.inventory.outbound_world import (
    D,
    Floor,
    make_floor,
    make_product,
    promises_add_up,
    quantities,
    tasks_of,
)
from tests.inventory.test_scan_pages import Handheld

GTIN = "04006381333931"


def floor_of(house: House) -> Floor:
    with house.scope():
        return make_floor()


def picking(house: House, wave: Any, role: str = "operator") -> Handheld:
    return Handheld(house, f"waves/{wave.pk}/pick/", role)


def states(house: House, wave: Any) -> list[tuple[str, int]]:
    with house.scope():
        return [(task.state, int(task.quantity_picked)) for task in tasks_of(wave)]


# -- picking ---------------------------------------------------------------------------------------
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


# -- packing ---------------------------------------------------------------------------------------
def picked(house: House, *lines: tuple[str, int]) -> tuple[Floor, SalesOrder]:
    floor = floor_of(house)
    with house.scope():
        products = {sku: make_product(sku) for sku, _quantity in lines}
        order = floor.order(*((products[sku], quantity) for sku, quantity in lines))
        for number, (sku, quantity) in enumerate(lines):
            floor.stock(products[sku], quantity, f"A-{number}")
            floor.promise(order, products[sku], quantity, f"A-{number}")
        floor.picked(order)
    return floor, order


def inside(house: House) -> dict[str, int]:
    with house.scope():
        return {
            f"{line.package.number}:{line.allocation.product.sku}": int(line.quantity)
            for package in Package.objects.all()
            for line in package.lines.select_related("allocation__product", "package")
        }


def test_an_order_is_packed_scan_by_scan_and_weighed(north: House) -> None:
    _floor, order = picked(north, ("APPLE", 2), ("PEAR", 5))
    hand = Handheld(north, "scan/pack/").scan(order.number.lower())
    assert hand.step == "goods"
    hand.scan("APPLE")
    assert "1 of Apple packed." in hand.text
    assert inside(north) == {"PK-000001:APPLE": 1}
    assert "1 more" in hand.text
    hand.press("rest")
    assert inside(north) == {"PK-000001:APPLE": 2}
    assert "APPLE: 1 to pack, but 0 picked" in hand.scan("APPLE").text
    hand.press("close")
    assert hand.step == "weight"
    assert "Enter a number" in hand.scan("heavy").text
    hand.scan("2.5")
    assert "PK-000001 is closed." in hand.text
    assert (hand.step, "Scan what goes into a new package" in hand.text) == ("goods", True)
    hand.scan("PEAR").press("everything")
    assert inside(north)["PK-000002:PEAR"] == 5
    assert hand.step == "weight"
    hand.press("unweighed")
    assert hand.step == "order"
    assert "PK-000002" in hand.text
    with north.scope():
        weights = [p.weight_kg for p in Package.objects.order_by("id")]
        assert weights == [D("2.5"), None]
        order.refresh_from_db()
        assert order.state == "packed"
        assert not WorkClaim.objects.filter(kind=WorkKind.PACK).exists()


def test_the_last_scan_is_taken_out_again(north: House) -> None:
    _floor, order = picked(north, ("APPLE", 2))
    hand = Handheld(north, "scan/pack/").scan(order.number).scan("APPLE")
    hand.press("undo")
    assert "Taken out." in hand.text
    assert inside(north) == {}
    assert hand.press("undo").step == "order"


def test_the_lot_is_asked_for_where_lots_are_tracked_and_a_case_counts_as_its_units(
    north: House,
) -> None:
    floor = floor_of(north)
    with north.scope():
        apple = make_product("APPLE", lot_tracking=LotTracking.LOT)
        case = Packaging.objects.create(product=apple, name="case", units=Decimal(4))
        Barcode.objects.create(code="CASE", product=apple, packaging=case)
        lot = make_lot(apple, "L1")
        make_lot(apple, "L2")
        order = floor.ready(apple, 5, lot=lot)
        floor.picked(order)
    hand = Handheld(north, "scan/pack/").scan(order.number).scan("CASE")
    assert hand.step == "lot"
    assert "APPLE: 4 to pack, but 0 picked" in hand.scan("L2").text
    hand.scan("L1")
    assert inside(north) == {"PK-000001:APPLE": 4}
    assert hand.step == "goods"


def test_an_order_is_found_by_its_wave_or_an_open_package_and_nothing_else(north: House) -> None:
    floor, order = picked(north, ("APPLE", 2))
    with north.scope():
        wave = order.pick_tasks.get().wave
        later = floor.ready(make_product("PEAR"), 1, "B-1")
        package = open_package(sales_order_id=order.pk)
        WorkClaim.objects.all().delete()
    assert Handheld(north, "scan/pack/").scan(wave.number).step == "goods"
    assert "into PK-000001" in Handheld(north, "scan/pack/").scan(package.number).text
    nothing = Handheld(north, "scan/pack/").scan(later.number)
    assert "nothing of it waits to be packed" in nothing.text
    assert nothing.step == "order"


# -- shipping --------------------------------------------------------------------------------------
def boxed(house: House, *parts: int) -> tuple[SalesOrder, list[Package]]:
    _floor, order = picked(house, ("APPLE", 3))
    with house.scope():
        product_id = order.lines.get().product_id
        boxes = []
        for part in parts:
            package = open_package(sales_order_id=order.pk)
            pack(package_id=package.pk, items=[PackItem(product_id, D(part))])
            boxes.append(close_package(package_id=package.pk))
        WorkClaim.objects.all().delete()
    return order, boxes


def test_every_package_is_scanned_and_then_the_carriers_label(north: House) -> None:
    order, [first, second] = boxed(north, 1, 2)
    hand = Handheld(north, "scan/ship/").scan(first.number)
    assert (hand.step, "1 of 2 scanned." in hand.text) == ("packages", True)
    assert "is no closed package of order" in hand.scan(order.number).text
    assert hand.scan(second.number).step == "tracking"
    assert f"{second.number} is the package." in hand.scan(second.number).text
    hand.scan("1Z999AA10123456784")
    assert "SH-000001 has left." in hand.text
    assert hand.step == "package"
    with north.scope():
        sent = Shipment.objects.get()
        assert sent.tracking_number == "1Z999AA10123456784"
        assert sent.packages.count() == 2
        assert quantities(order) == (0, 0, 3)
        assert promises_add_up()
    again = Handheld(north, "scan/ship/").scan(first.number)
    assert "no closed package of it waits to leave" in again.text


def test_one_package_leaves_alone_and_the_carrier_is_a_button(north: House) -> None:
    order, [first, second] = boxed(north, 1, 2)
    with north.scope():
        Shipment.objects.create(
            number="SH-X",
            sales_order=order,
            warehouse=order.warehouse,
            carrier="Parcel Express",
            shipped_at="2026-11-01T08:00Z",
        )
    hand = Handheld(north, "scan/ship/").scan(order.number)
    hand.scan(first.number).press("part")
    with north.scope():
        assert quantities(order) == (0, 2, 1)
    hand = Handheld(north, "scan/ship/").scan(second.number)
    assert hand.step == "tracking"
    assert hand.press("carrier:Nobody").answer.status_code == 422
    hand.press("carrier:Parcel Express").press("untracked")
    with north.scope():
        assert Shipment.objects.order_by("-id").first().carrier == "Parcel Express"
        assert quantities(order) == (0, 0, 3)


def test_what_is_not_packed_is_said_and_stays(north: House) -> None:
    order, [first] = boxed(north, 1)
    hand = Handheld(north, "scan/ship/").scan(first.number)
    assert "Not all of it is in closed packages" in hand.text
    assert hand.press("untracked").step == "package"
    with north.scope():
        assert quantities(order) == (0, 2, 1)


@pytest.mark.parametrize("code", ["{order}", "WV-000001"])
def test_orders_without_closed_packages_and_other_documents_are_refused(
    north: House, code: str
) -> None:
    _floor, order = picked(north, ("APPLE", 3))
    hand = Handheld(north, "scan/ship/").scan(code.format(order=order.number))
    assert hand.answer.status_code == 422
    assert "no closed package of it waits to leave" in hand.text


@pytest.mark.parametrize("rest", ["waves/{wave}/pick/", "scan/pack/", "scan/ship/"])
def test_a_viewer_scans_nothing(north: House, rest: str) -> None:
    floor = floor_of(north)
    with north.scope():
        wave = floor.wave(floor.ready(make_product("APPLE"), 1))
    client = north.client("viewer")
    path = north.path(rest.format(wave=wave.pk))
    assert client.get(path).status_code == 403
    assert client.post(path, {"scan": "A-1"}).status_code == 403
