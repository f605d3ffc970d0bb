"""A scanned document leads to the work it has; commands begin, print and open; orders go on."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from inventory.models import CycleCount, LotTracking, SalesOrder, Wave
from inventory.services.count_entry import CountEntry, enter_count, submit_count
from inventory.services.counting import request_count, start_count
from inventory.services.packing import close_package, open_package, pack_rest
from tests.cast import House
from tests.inventory.book import make_lot, make_product, make_site, on_hand
from tests.inventory.handheld import Handheld
from tests.inventory.outbound_world import Floor, make_floor


@pytest.fixture
def floor(north: House) -> Floor:
    with north.scope():
        return make_floor()


def test_an_order_leads_from_step_to_step(north: House, floor: Floor) -> None:
    with north.scope():
        apple = make_product()
        floor.stock(apple, 2, "A-1")
        order = floor.order((apple, 2), state="draft")
        number = order.number
    hub = Handheld(north, "scan/", "planner").scan(number)
    assert f"sales-orders/{order.pk}/scan/" in hub.text
    again = hub.scan(number)
    assert again.answer["HX-Redirect"].endswith(f"sales-orders/{order.pk}/scan/")

    # an operator does not sell: the draft stays one, and the command is not known there
    hand = Handheld(north, f"sales-orders/{order.pk}/scan/", "operator").scan("!confirm")
    assert (hand.answer.status_code, hand.result) == (422, "refused")
    with north.scope():
        assert SalesOrder.objects.get().state == "draft"

    hand = Handheld(north, f"sales-orders/{order.pk}/scan/", "planner").scan("!confirm")
    assert "Allocated" in hand.text
    hand.scan("!pick")
    with north.scope():
        wave = Wave.objects.get()
    assert hand.answer["HX-Redirect"].endswith(f"waves/{wave.pk}/pick/")
    # released once: the order's wave is gone on with, from its own page as from the start of picks
    for path in (f"sales-orders/{order.pk}/scan/", "scan/pick/"):
        hand = Handheld(north, path, "planner")
        hand.scan("!pick" if "sales" in path else number)
        assert hand.answer["HX-Redirect"].endswith(f"waves/{wave.pk}/pick/")
    with north.scope():
        assert Wave.objects.count() == 1


def test_goods_in_packages_leave_from_the_scanned_order_and_return_from_it(
    north: House, floor: Floor
) -> None:
    with north.scope():
        order = floor.ready(make_product(), 2)
        floor.picked(order)
    hub = Handheld(north, "scan/").scan(order.number)
    assert 'value="pack"' in hub.text
    assert 'value="ship"' not in hub.text
    to_pack = hub.scan("!pack").answer["HX-Redirect"]
    assert to_pack.endswith(f"scan/pack/?order={order.pk}")
    with north.scope("operator"):
        package = open_package(sales_order_id=order.pk)
        pack_rest(package_id=package.pk)
        close_package(package_id=package.pk)
    hub = Handheld(north, "scan/").scan(order.number)
    assert hub.scan("!ship").answer["HX-Redirect"].endswith(f"scan/ship/?order={order.pk}")
    ship = Handheld(north, "scan/ship/").scan(package.number)
    ship.press("untracked")
    hub = Handheld(north, "scan/").scan(order.number)
    assert hub.scan("!return").answer["HX-Redirect"].endswith(f"returns/scan/?order={order.pk}")


def test_the_label_of_what_was_scanned_is_given_on_command(north: House, floor: Floor) -> None:
    with north.scope():
        milk = make_product("MILK", lot_tracking=LotTracking.LOT)
        lot = make_lot(milk, "L-7")
        floor.stock(milk, 1, "A-1", lot)
    for code, page in (
        ("A-1", f"locations/{floor.bins['A-1'].pk}/labels/"),
        ("MILK", f"products/{milk.pk}/labels/"),
        ("LOT:MILK/L-7", f"lots/{lot.pk}/labels/"),
    ):
        hand = Handheld(north, "scan/", "viewer").scan(code).scan("!label")
        file = json.loads(hand.answer["HX-Trigger"])["scan-file"]["href"]
        assert page in file
        printed = hand.client.get(file)
        assert (printed.status_code, printed["Content-Type"]) == (200, "application/pdf")
    traced = Handheld(north, "scan/", "viewer").scan("LOT:MILK/L-7").scan("!trace")
    assert traced.answer["HX-Redirect"].endswith(f"lots/{lot.pk}/")


def test_a_command_leads_to_its_flow_from_anywhere_and_an_unknown_one_is_refused(
    north: House, floor: Floor
) -> None:
    for command, path in (
        ("put-away", "scan/put-away/"),
        ("scan", "scan/"),
        ("PICK", "scan/pick/"),
    ):
        hand = Handheld(north, "scan/move/").scan(f"!{command}")
        assert hand.answer["HX-Redirect"].endswith(path)
    hand = Handheld(north, "scan/move/").scan("!fly")
    assert (hand.answer.status_code, hand.result) == (422, "refused")
    assert "!fly is not possible at this step" in hand.text


def test_nobody_picks_what_is_not_promised(north: House, floor: Floor) -> None:
    with north.scope():
        order = floor.order((make_product(), 2))
    hand = Handheld(north, "scan/pick/").scan(order.number)
    assert (hand.answer.status_code, hand.result) == (422, "refused")
    assert "nothing of it waits to be picked" in hand.text
    assert Handheld(north, "scan/pick/").press("next").answer.status_code == 422
    with north.scope():
        assert Wave.objects.count() == 0


def test_a_count_is_approved_by_scanning_but_not_by_who_counted(north: House) -> None:
    with north.scope("manager"):
        site, apple = make_site(), make_product(unit_cost=Decimal(50))
        site.receive(apple, 1000)
        count = request_count(location_id=site.at("storage"))
        for _round in range(2):
            start_count(cycle_count_id=count.pk)
            enter_count(cycle_count_id=count.pk, entries=[CountEntry(apple.pk, Decimal(400))])
            submit_count(cycle_count_id=count.pk)
    path = f"counts/{count.pk}/scan/review/"
    assert north.client("operator").get(north.path(path)).status_code == 403
    own = Handheld(north, path, "manager").scan("!approve")
    assert (own.answer.status_code, own.result) == (422, "refused")
    with north.scope():
        assert CycleCount.objects.get().state == "counted"
    hub = Handheld(north, "scan/", "owner").scan(count.number)
    assert hub.scan(count.number).answer["HX-Redirect"].endswith(path)
    hand = Handheld(north, path, "owner").scan("!approve")
    assert (hand.result, hand.step) == ("ok", "over")
    with north.scope():
        assert CycleCount.objects.get().state == "posted"
        assert on_hand(apple) == 400


def test_a_count_whose_stock_moved_is_brought_up_to_it_first(north: House) -> None:
    with north.scope():
        site, apple = make_site(), make_product(unit_cost=Decimal(1))
        site.receive(apple, 100)
    with north.scope("operator"):
        count = request_count(location_id=site.at("storage"))
        start_count(cycle_count_id=count.pk)
        enter_count(cycle_count_id=count.pk, entries=[CountEntry(apple.pk, Decimal(99))])
        assert submit_count(cycle_count_id=count.pk).state == "counted"
        site.receive(apple, 5)
    hand = Handheld(north, f"counts/{count.pk}/scan/review/", "manager")
    assert "!approve is not possible" in hand.scan("!approve").text
    hand.scan("!rebase").scan("!approve")
    assert hand.step == "over"
    with north.scope():
        assert on_hand(apple) == 104
