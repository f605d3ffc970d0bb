"""Shipping in the hand: each scan counts once, each refusal says what to do."""

from __future__ import annotations

import pytest

from inventory.models import Package, SalesOrder, Shipment, WorkClaim
from inventory.services.packing import PackItem, close_package, open_package, pack
from tests.cast import House
from tests.inventory.handheld import Handheld, picked
from tests.inventory.outbound_world import D, promises_add_up, quantities


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
