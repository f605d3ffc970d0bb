"""Desk pages of picking, packing and shipping: lists, buttons, and what a role may press."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from inventory.models import (
    Package,
    PickTask,
    SalesOrder,
    Shipment,
    Wave,
    WorkClaim,
    WorkKind,
    Zone,
)
from inventory.pages import shipping, waves
from inventory.services.packing import PackItem, close_package, open_package, pack, pack_rest
from inventory.services.picking import pick
from inventory.services.worklists import claim_work
from tenancy.queries.keyset import keyset_page
from tests.cast import House
from tests.inventory.book import make_lot, make_site
from tests.inventory.outbound_world import (
    D,
    Floor,
    balance,
    make_floor,
    make_product,
    quantities,
    scan,
    someday,
    tasks_of,
)


def world(house: House) -> tuple[Floor, SalesOrder]:
    """Return a floor and an order of three promised apples."""
    with house.scope():
        floor = make_floor()
        return floor, floor.ready(make_product(), 3)


def get(house: House, rest: str, role: str = "viewer") -> str:
    answer = house.client(role).get(house.path(rest))
    assert answer.status_code == 200
    return answer.content.decode()


def post(house: House, rest: str, role: str = "operator", **form: Any) -> Any:
    return house.client(role).post(house.path(rest), form, follow=True)


# -- to pick ---------------------------------------------------------------------------------------
def test_the_list_shows_orders_that_wait_and_then_their_wave(north: House) -> None:
    floor, order = world(north)
    html = get(north, "to-pick/")
    assert order.number in html
    assert "No wave waits for a picker" in html
    with north.scope():
        wave = floor.wave(order)
    html = get(north, "to-pick/")
    assert wave.number in html
    assert "No order waits for a wave" in html


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", True),
        ("warehouse={warehouse}", True),
        ("warehouse={other}", False),
        ("zone={zone}", False),
        ("assignee=mine", False),
        ("assignee=free", True),
        ("q=WV-", True),
        ("q=SO-", True),
        ("q=XX", False),
        ("warehouse=rubbish", True),
    ],
)
def test_released_waves_are_filtered(north: House, query: str, shown: bool) -> None:
    floor, order = world(north)
    with north.scope():
        wave, other = floor.wave(order), make_site("OTHER")
        zone = Zone.objects.create(warehouse=floor.site.warehouse, code="COLD")
    named = {"warehouse": floor.site.warehouse.pk, "other": other.warehouse.pk, "zone": zone.pk}
    assert (wave.number in get(north, f"to-pick/?{query.format(**named)}")) is shown


def test_orders_that_wait_page_by_urgency_without_gaps(north: House, monkeypatch) -> None:
    floor, calm = world(north)
    with north.scope():
        apple = calm.lines.get().product
        soon = floor.ready(apple, 1, promised_on=someday(2))
        urgent = floor.ready(apple, 1, priority=1)
    monkeypatch.setattr(waves, "keyset_page", partial(keyset_page, size=2))
    client = north.client("viewer")
    first = client.get(north.path("to-pick/"))
    cursor = first.context["next_cursor"]
    rest = client.get(north.path(f"to-pick/?cursor={cursor}"))
    seen = [row[0].pk for page in (first, rest) for row in page.context["rows"]]
    assert seen == [urgent.pk, soon.pk, calm.pk]


def grow(house: House, floor: Floor) -> None:
    """Three more orders in every stage."""
    with house.scope():
        product = make_product(f"P{PickTask.objects.count()}")
        for _ in range(3):
            floor.ready(product, 1)
            floor.wave(floor.ready(product, 1))
            floor.picked(floor.ready(product, 1))
            packed = floor.ready(product, 1)
            floor.picked(packed)
            package = open_package(sales_order_id=packed.pk)
            pack_rest(package_id=package.pk)
            close_package(package_id=package.pk)


def test_lists_ask_the_same_number_of_questions_however_much_there_is(
    north: House, django_assert_num_queries
) -> None:
    floor, _order = world(north)
    client = north.client("operator")
    client.get(north.path("to-pick/"))
    for _size in range(2):
        grow(north, floor)
        for rest, queries in LIST_QUERIES.items():
            with django_assert_num_queries(queries, info=rest):
                client.get(north.path(rest))


# session, user, tenant, savepoint, scope, membership, access ... scope left, release; between them
LIST_QUERIES = {
    "to-pick/": 16,
    "waves/": 12,
    "to-pack/": 14,
    "to-ship/": 14,
    "shipments/": 11,
    "waves/release/": 14,
}


def test_work_is_taken_and_given_back_from_the_list(north: House) -> None:
    floor, order = world(north)
    with north.scope():
        wave = floor.wave(order)
    form = {"kind": "pick", "subject": wave.pk, "next": north.path("to-pick/?assignee=mine")}
    answer = post(north, "work/take/", **form)
    assert answer.request["QUERY_STRING"] == "assignee=mine"
    assert wave.number in answer.content.decode()
    with north.scope():
        assert WorkClaim.objects.get().actor_label == "operator@north.example"
    refused = post(north, "work/take/", "planner", **form)
    assert "operator@north.example is doing this already" in refused.content.decode()
    post(north, "work/give-back/", **form)
    with north.scope():
        assert not WorkClaim.objects.exists()


def test_nobody_is_led_off_the_site_and_unknown_work_is_missing(north: House) -> None:
    floor, order = world(north)
    with north.scope():
        wave = floor.wave(order)
    form = {"kind": "pick", "subject": wave.pk, "next": "https://evil.example/"}
    answer = north.client("operator").post(north.path("work/take/"), form)
    assert answer["Location"] == north.path("to-pick/")
    for wrong in (form | {"kind": "sleep"}, form | {"subject": "x"}, form | {"subject": 10**9}):
        assert north.client("operator").post(north.path("work/take/"), wrong).status_code == 404
    assert north.client("viewer").post(north.path("work/take/"), form).status_code == 403


# -- releasing -------------------------------------------------------------------------------------
def release_form(floor: Floor, **more: Any) -> dict[str, Any]:
    usual = {
        "warehouse": floor.site.warehouse.pk,
        "kind": "batch",
        "orders": "12",
        "lines": "60",
        "to_location": floor.site.at("packing"),
    }
    return usual | more


def test_the_preview_says_what_would_come_and_writes_nothing(north: House) -> None:
    floor, order = world(north)
    with north.scope():
        floor.ready(make_product("PEAR"), 2, "A-2")
    client = north.client("operator")
    answer = client.get(north.path("waves/release/"))
    assert answer.context["totals"] == {"waves": 1, "orders": 2, "lines": 2, "stops": 2}
    single = client.get(north.path("waves/release/"), release_form(floor, kind="single"))
    assert single.context["totals"]["waves"] == 2
    only = client.get(north.path("waves/release/"), release_form(floor, order=order.pk))
    assert only.context["totals"]["orders"] == 1
    assert "Only the order you chose." in only.content.decode()
    fragment = client.get(
        north.path("waves/release/"), release_form(floor), headers={"HX-Request": "true"}
    )
    assert "<html" not in fragment.content.decode()
    with north.scope():
        assert Wave.objects.count() == 0


def test_a_wave_is_released_once_however_often_the_button_is_pressed(north: House) -> None:
    floor, _order = world(north)
    form = release_form(floor, idempotency_key=uuid4().hex)
    answers = [north.client("operator").post(north.path("waves/release/"), form) for _ in range(2)]
    with north.scope():
        wave = Wave.objects.get()
    assert [a["Location"] for a in answers] == [north.path(f"waves/{wave.pk}/")] * 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"orders": "0"}, "greater than or equal to 1"),
        ({"lines": "many"}, "Enter a whole number"),
        ({"volume_l": "-1"}, "greater than or equal to"),
        ({"priority_up_to": "1"}, "Nothing here waits for a wave"),
    ],
)
def test_a_wrong_release_is_shown_again(north: House, change: dict, words: str) -> None:
    floor, _order = world(north)
    form = release_form(floor, **change)
    answer = north.client("operator").post(north.path("waves/release/"), form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with north.scope():
        assert Wave.objects.count() == 0


def test_a_packing_place_of_another_warehouse_falls_back_to_the_first_here(north: House) -> None:
    floor, _order = world(north)
    form = release_form(floor, to_location="99999")
    assert north.client("operator").post(north.path("waves/release/"), form).status_code == 302
    with north.scope():
        assert Wave.objects.get().to_location_id == floor.site.at("packing")


def test_a_viewer_releases_nothing_and_sees_no_buttons(north: House) -> None:
    floor, order = world(north)
    client = north.client("viewer")
    assert client.get(north.path("waves/release/")).status_code == 403
    assert client.post(north.path("waves/release/"), release_form(floor)).status_code == 403
    assert "Release waves" not in get(north, "to-pick/")
    with north.scope():
        wave = floor.wave(order)
    html = get(north, f"waves/{wave.pk}/")
    assert wave.number in html
    assert "Cancel wave" not in html


# -- a wave ----------------------------------------------------------------------------------------
def test_a_wave_shows_its_tasks_and_how_far_it_is(north: House) -> None:
    floor, order = world(north)
    with north.scope():
        pear = make_product("PEAR", lot_tracking="lot")
        wave = floor.wave(order, floor.ready(pear, 2, "A-2", lot=make_lot(pear, "L-77")))
        pick(wave_id=wave.pk, picks=[scan(tasks_of(wave)[0])])
    html = get(north, f"waves/{wave.pk}/")
    for words in ("A-1", "A-2", "L-77", order.number, "1 / 2", "owner@north.example"):
        assert words in html


def test_a_pick_is_put_back_and_a_wave_called_off_at_the_desk(north: House) -> None:
    floor, order = world(north)
    with north.scope():
        wave = floor.picked(order)
        [task] = tasks_of(wave)
    html = post(north, f"waves/{wave.pk}/tasks/{task.pk}/put-back/").content.decode()
    assert "The pick was taken back" in html
    again = post(north, f"waves/{wave.pk}/tasks/{task.pk}/put-back/").content.decode()
    assert "There is no pick to take back" in again
    with north.scope():
        assert quantities(order) == (3, 0, 0)
        version = Wave.objects.get().version
    stale = post(north, f"waves/{wave.pk}/cancel/", "manager", version=version + 1)
    assert "changed by somebody else" in stale.content.decode()
    done = post(north, f"waves/{wave.pk}/cancel/", "manager", version=version)
    assert "The wave was cancelled" in done.content.decode()


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
