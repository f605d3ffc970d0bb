"""Desk pages of packing and shipping: lists, buttons, and what a role may press."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from inventory.models import (
    Package,
    SalesOrder,
    Shipment,
    WorkClaim,
    WorkKind,
)
from inventory.pages import shipping
from inventory.services.packing import PackItem, close_package, open_package, pack, pack_rest
from inventory.services.worklists import claim_work
from tenancy.queries.keyset import keyset_page
from tests.cast import House
from tests.inventory.outbound_world import (
    D,
    Floor,
    balance,
    make_floor,
    make_product,
    quantities,
    someday,
)
from tests.inventory.test_outbound_pages import get, post, world


# -- to pack ---------------------------------------------------------------------------------------
def picked_world(house: House) -> tuple[Floor, SalesOrder, Any]:
    floor, order = world(house)
    with house.scope():
        floor.picked(order)
        return floor, order, order.lines.get().product


def test_an_order_is_packed_at_the_desk(north: House) -> None:
    _floor, order, apple = picked_world(north)
    assert order.number in get(north, "to-pack/")
    client = north.client("operator")
    page = f"sales-orders/{order.pk}/pack/"
    assert 'value="3"' in client.get(north.path(page)).content.decode()
    form = {"package": "", f"quantity_{apple.pk}": "2"}
    client.post(north.path(page), form)
    with north.scope():
        package = Package.objects.get()
        assert package.lines.get().quantity == 2
    client.post(north.path(page), {"package": package.pk, f"quantity_{apple.pk}": "1"})
    answer = client.post(
        north.path(f"packages/{package.pk}/close/"),
        {"weight_kg": "4.5", "length_cm": "30", "width_cm": "", "height_cm": ""},
        follow=True,
    )
    assert "Open again" in answer.content.decode()
    with north.scope():
        package.refresh_from_db()
        assert (package.state, package.weight_kg, package.length_cm) == ("closed", D("4.5"), 30)
    assert order.number not in get(north, "to-pack/")
    client.post(north.path(f"packages/{package.pk}/reopen/"))
    with north.scope():
        line = package.lines.get()
    client.post(north.path(f"packages/{package.pk}/lines/{line.pk}/take-out/"))
    client.post(north.path(f"packages/{package.pk}/discard/"))
    with north.scope():
        assert not Package.objects.exists()


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        ("4", "4 to pack, but 3 picked"),
        ("-1", "greater than or equal to 0"),
        ("x", "Enter a number"),
        ("", "There is nothing to pack"),
        ("0.5", "counted in whole units"),
    ],
)
def test_wrong_packing_is_shown_again(north: House, quantity: str, words: str) -> None:
    _floor, order, apple = picked_world(north)
    form = {"package": "", f"quantity_{apple.pk}": quantity}
    answer = north.client("operator").post(north.path(f"sales-orders/{order.pk}/pack/"), form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with north.scope():
        assert not Package.objects.exists()


def test_pressing_pack_twice_counts_once(north: House) -> None:
    _floor, order, apple = picked_world(north)
    form = {"package": "", f"quantity_{apple.pk}": "1", "idempotency_key": uuid4().hex}
    for _ in range(2):
        north.client("operator").post(north.path(f"sales-orders/{order.pk}/pack/"), form)
    with north.scope():
        assert Package.objects.get().lines.get().quantity == 1


def test_a_wrong_weight_is_shown_again(north: House) -> None:
    _floor, order, _apple = picked_world(north)
    with north.scope("operator"):
        package = open_package(sales_order_id=order.pk)
        pack_rest(package_id=package.pk)
    form = {"weight_kg": "heavy"}
    answer = north.client("operator").post(north.path(f"packages/{package.pk}/close/"), form)
    assert answer.status_code == 422
    assert "heavy" in answer.content.decode()


def test_who_may_not_work_on_the_floor_packs_and_ships_nothing(north: House) -> None:
    floor, order, apple = picked_world(north)
    with north.scope():
        package = open_package(sales_order_id=order.pk)
        pack(package_id=package.pk, items=[PackItem(apple.pk, D(1))])
        line = package.lines.get()
    viewer = north.client("viewer")
    for rest in (
        f"sales-orders/{order.pk}/pack/",
        f"sales-orders/{order.pk}/ship/",
        f"sales-orders/{order.pk}/stage/",
        f"packages/{package.pk}/close/",
        f"packages/{package.pk}/reopen/",
        f"packages/{package.pk}/discard/",
        f"packages/{package.pk}/lines/{line.pk}/take-out/",
    ):
        assert viewer.post(north.path(rest)).status_code == 403
    assert "Close package" not in get(north, f"sales-orders/{order.pk}/pack/")
    with north.scope():
        assert balance(apple, floor.site.at("packing")) == (3, 3)


# -- to ship ---------------------------------------------------------------------------------------
def boxed_world(house: House, *parts: int, **fields: Any) -> tuple[SalesOrder, list[Package]]:
    """Return an order with a closed package of each of these many apples, of three."""
    with house.scope():
        floor, apple = make_floor(), make_product()
        order = floor.ready(apple, 3, **fields)
        floor.picked(order)
        boxes = []
        for part in parts:
            package = open_package(sales_order_id=order.pk)
            pack(package_id=package.pk, items=[PackItem(apple.pk, D(part))])
            boxes.append(close_package(package_id=package.pk))
        WorkClaim.objects.all().delete()
        return order, boxes


def test_an_order_is_shipped_at_the_desk(north: House) -> None:
    order, [package] = boxed_world(north, 3, ship_to_name="Ada", promised_on=someday(1))
    assert order.number in get(north, "to-ship/")
    form = {
        "packages": [package.pk],
        "carrier": "Fast & Far",
        "tracking_number": "1Z-9",
        "transport_cost": "7.5",
    }
    answer = post(north, f"sales-orders/{order.pk}/ship/", **form)
    html = answer.content.decode()
    for words in ("SH-000001", "Fast &amp; Far", "1Z-9", "€7.50", "Ada", package.number):
        assert words in html
    assert "SH-000001" in get(north, "shipments/?q=1Z-")
    assert "No shipment matches" in get(north, "shipments/?q=nothing")
    assert order.number not in get(north, "to-ship/")
    again = post(north, f"sales-orders/{order.pk}/ship/", **form)
    assert again.status_code == 422
    with north.scope():
        assert Shipment.objects.count() == 1


def test_one_package_leaves_and_the_rest_only_when_all_is_said_to_be_packed(north: House) -> None:
    order, [first, second] = boxed_world(north, 1, 1)
    page = f"sales-orders/{order.pk}/ship/"
    html = get(north, page, "operator")
    assert "Not all of it is in closed packages" in html
    refused = post(north, page, packages=[first.pk, second.pk])
    assert refused.status_code == 422
    assert "goods outside closed packages: 1 of APPLE" in refused.content.decode()
    post(north, page, packages=[first.pk])
    with north.scope():
        assert quantities(order) == (0, 2, 1)
    post(north, page, pack_all="on")
    with north.scope():
        assert quantities(order) == (0, 0, 3)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Choose at least one package"),
        ({"packages": "99999"}, "not one of the available choices"),
        ({"transport_cost": "dear"}, "Enter a number"),
    ],
)
def test_a_wrong_shipment_is_shown_again(north: House, form: dict, words: str) -> None:
    order, [package] = boxed_world(north, 3)
    given = {"packages": package.pk} | form if "transport_cost" in form else form
    answer = post(north, f"sales-orders/{order.pk}/ship/", **given)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with north.scope():
        assert not Shipment.objects.exists()


def test_packed_goods_are_brought_to_the_shipping_place_once(north: House) -> None:
    order, _boxes = boxed_world(north, 3)
    page = f"sales-orders/{order.pk}/ship/"
    assert "Bring to the shipping place" in get(north, page, "operator")
    assert (
        "are at the shipping place now"
        in post(north, f"sales-orders/{order.pk}/stage/").content.decode()
    )
    assert "Bring to the shipping place" not in get(north, page, "operator")
    refused = post(north, f"sales-orders/{order.pk}/stage/").content.decode()
    assert "no packed goods to bring there" in refused


@pytest.mark.parametrize(("query", "shown"), [("", True), ("late=on", True), ("q=XX", False)])
def test_orders_to_ship_are_filtered_and_the_late_ones_marked(
    north: House, query: str, shown: bool
) -> None:
    order, _boxes = boxed_world(north, 3, promised_on="2026-01-02")
    html = get(north, f"to-ship/?{query}")
    assert (order.number in html) is shown
    assert ("Late" in html.split("</form>")[-1]) is shown


def test_lists_page_by_their_urgency_without_gaps(north: House, monkeypatch) -> None:
    order, _boxes = boxed_world(north, 3)
    with north.scope():
        floor = Floor(site_of(order))
        apple = order.lines.get().product
        others = [floor.ready(apple, 1, "B-1", promised_on=someday(9 - n)) for n in range(2)]
        floor.picked(*others)
        for one in others:
            package = open_package(sales_order_id=one.pk)
            pack_rest(package_id=package.pk)
            close_package(package_id=package.pk)
    monkeypatch.setattr(shipping, "keyset_page", partial(keyset_page, size=2))
    client = north.client("viewer")
    first = client.get(north.path("to-ship/"))
    rest = client.get(north.path(f"to-ship/?cursor={first.context['next_cursor']}"))
    seen = [row[0].pk for page in (first, rest) for row in page.context["rows"]]
    assert seen == [others[1].pk, others[0].pk, order.pk]


def site_of(order: SalesOrder) -> Any:
    from inventory.queries.places import standard_locations
    from tests.inventory.book import Site

    return Site(order.warehouse, standard_locations(order.warehouse_id))


def test_who_holds_an_order_is_shown_to_the_others(north: House) -> None:
    order, _boxes = boxed_world(north, 3)
    with north.scope("operator"):
        claim_work(kind=WorkKind.SHIP, subject_id=order.pk)
    assert "operator@north.example" in get(north, "to-ship/")
    refused = post(north, f"sales-orders/{order.pk}/ship/", "planner", pack_all="on")
    assert refused.status_code == 422
