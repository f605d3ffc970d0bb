"""Desk pages of waves and picking: lists, buttons, and what a role may press."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from inventory.models import (
    PickTask,
    SalesOrder,
    Wave,
    WorkClaim,
    Zone,
)
from inventory.pages import waves
from inventory.services.packing import close_package, open_package, pack_rest
from inventory.services.picking import pick
from tenancy.queries.keyset import keyset_page
from tests.cast import House
from tests.inventory.book import make_lot, make_site
from tests.inventory.outbound_world import (
    Floor,
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
