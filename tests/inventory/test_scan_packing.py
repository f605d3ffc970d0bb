"""Packing in the hand: each scan counts once, each refusal says what to do."""

from __future__ import annotations

from decimal import Decimal

from inventory.models import Barcode, LotTracking, Package, Packaging, WorkClaim, WorkKind
from inventory.services.packing import open_package
from tests.cast import House
from tests.inventory.book import make_lot
from tests.inventory.handheld import Handheld, floor_of, picked
from tests.inventory.outbound_world import D, make_product


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
