"""Picking, packing and shipping by API, as a robot or a conveyor would."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.models import CycleCount, LotTracking, Package, PickTask, Shipment, StockMovement
from tests.api.calls import Caller, by_key
from tests.cast import House
from tests.inventory.book import make_lot
from tests.inventory.outbound_world import (
    Floor,
    make_floor,
    make_product,
    quantities,
    tasks_of,
)


def world(house: House) -> tuple[Floor, Any]:
    with house.scope():
        floor, apple = make_floor(), make_product(lot_tracking=LotTracking.LOT)
        return floor, floor.ready(apple, 5, lot=make_lot(apple, "L1"))


def made(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    body: dict[str, Any] = answer.json()
    return body


def released(caller: Caller, floor: Floor) -> dict[str, Any]:
    [wave] = made(caller.post("waves", {"warehouse_id": floor.site.warehouse.pk}), 201)["waves"]
    return dict(wave)


def scanned(caller: Caller, wave: dict[str, Any], **more: Any) -> dict[str, Any]:
    [task] = caller.get(f"waves/{wave['id']}/tasks", state="open").json()["items"]
    names = ("location_id", "product_id", "lot_id")
    return {"task_id": task["id"], **{name: task[name] for name in names}, **more}


def test_from_wave_to_shipment(north: House) -> None:
    """5 promised: 4 found, 1 missing and nowhere else; 4 packed and shipped."""
    floor, order = world(north)
    caller = by_key(north)
    body = {"warehouse_id": floor.site.warehouse.pk, "kind": "single", "priority_up_to": 9}
    [planned] = made(caller.post("waves/preview", body))["waves"]
    assert (planned["order_count"], planned["line_count"], planned["first_location"]) == (
        1,
        1,
        "A-1",
    )
    wave = released(caller, floor)
    assert (wave["state"], wave["kind"]) == ("released", "batch")
    path = f"waves/{wave['id']}"
    pick = scanned(caller, wave, quantity="4")
    short = made(caller.post(f"{path}/short-picks", {"picks": [pick], "reason": "not_found"}))
    assert (short["missing"], short["reallocated"], short["wave"]["state"]) == (
        "1",
        "0",
        "completed",
    )
    with north.scope():
        assert CycleCount.objects.get(pk=short["count_id"]).reason == "short_pick"
    detail = made(caller.get(path))
    assert detail["progress"] == {
        "tasks": 1,
        "open": 0,
        "picked": 0,
        "short": 1,
        "cancelled": 0,
        "orders": 1,
        "stops": 1,
    }
    package = made(caller.post("packages", {"sales_order_id": order.pk}), 201)
    box = f"packages/{package['id']}"
    item = {"product_id": pick["product_id"], "lot_id": pick["lot_id"], "quantity": "4"}
    packed = made(caller.post(f"{box}/pack", {"items": [item]}))
    assert [(line["sku"], line["lot_code"], line["quantity"]) for line in packed["lines"]] == [
        ("APPLE", "L1", "4")
    ]
    made(caller.post(f"{box}/unpack", {"items": [item | {"quantity": "1"}]}))
    made(caller.post(f"{box}/pack-rest", {}))
    closed = made(caller.post(f"{box}/close", {"weight_kg": "2.5"}))
    assert (closed["state"], closed["weight_kg"]) == ("closed", "2.5")
    made(caller.post(f"{box}/reopen", {}))
    made(caller.post(f"{box}/close", {"weight_kg": "2.5"}))
    staged = made(caller.post(f"sales-orders/{order.pk}/stage", {}))
    assert staged["number"] == order.number
    sent = made(
        caller.post(
            f"sales-orders/{order.pk}/ship",
            {"carrier": "Fast", "tracking_number": "1Z", "transport_cost": "7.5"},
        ),
        201,
    )
    assert (sent["carrier"], sent["transport_cost"]) == ("Fast", "7.5")
    assert [(line["sku"], line["quantity"]) for line in sent["lines"]] == [("APPLE", "4")]
    assert [one["number"] for one in sent["packages"]] == [package["number"]]
    assert made(caller.get("shipments", tracking_number="1Z"))["items"][0]["id"] == sent["id"]
    assert made(caller.get("packages", state="shipped"))["items"][0]["shipment_id"] == sent["id"]
    with north.scope():
        assert quantities(order) == (0, 0, 4)


def test_the_same_key_picks_and_ships_once(north: House) -> None:
    floor, order = world(north)
    caller = by_key(north)
    wave = released(caller, floor)
    body = {"picks": [scanned(caller, wave)]}
    first = caller.post(f"waves/{wave['id']}/picks", body, Idempotency_Key="k1")
    again = caller.post(f"waves/{wave['id']}/picks", body, Idempotency_Key="k1")
    assert made(first) == made(again)
    answers = [
        caller.post(f"sales-orders/{order.pk}/ship", {"pack_all": True}, Idempotency_Key="k2")
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    with north.scope():
        assert StockMovement.objects.filter(reason=50).count() == 1
        assert Shipment.objects.count() == 1


def test_a_pick_is_put_back_and_the_wave_called_off(north: House) -> None:
    floor, order = world(north)
    caller = by_key(north)
    wave = released(caller, floor)
    path = f"waves/{wave['id']}"
    pick = scanned(caller, wave)
    made(caller.post(f"{path}/picks", {"picks": [pick]}))
    back = made(caller.post(f"{path}/put-back", {"task_ids": [pick["task_id"]]}))
    assert (back["wave"]["state"], back["progress"]["open"]) == ("released", 1)
    assert caller.post(f"{path}/cancel", {}, If_Match='"1"').status_code == 412
    version = back["wave"]["version"]
    assert caller.post(f"{path}/cancel", {}).status_code == 428
    off = made(caller.post(f"{path}/cancel", {}, If_Match=f'"{version}"'))
    assert off["wave"]["state"] == "cancelled"
    with north.scope():
        assert quantities(order) == (5, 0, 0)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"location_id": "other"}, 409, "wrong_pick"),
        ({"lot_id": None}, 409, "wrong_pick"),
        ({"quantity": "4"}, 400, "invalid"),
        ({"quantity": "6"}, 400, "invalid"),
        ({"quantity": "-1"}, 400, "invalid"),
        ({"quantity": 5}, 400, "invalid"),
        ({"task_id": 987654}, 404, "not_found"),
        ({"location_id": 987654}, 404, "not_found"),
        ({"sku": "APPLE"}, 400, "invalid"),
    ],
)
def test_a_wrong_pick_is_refused_with_its_code(
    north: House, change: dict[str, Any], status: int, code: str
) -> None:
    floor, order = world(north)
    caller = by_key(north)
    wave = released(caller, floor)
    wrong = {k: floor.site.at("storage") if v == "other" else v for k, v in change.items()}
    answer = caller.post(f"waves/{wave['id']}/picks", {"picks": [scanned(caller, wave, **wrong)]})
    assert answer.status_code == status, answer.content
    assert answer.json()["code"] == code
    with north.scope():
        assert PickTask.objects.get().state == "open"
        assert quantities(order) == (5, 0, 0)


def test_refusals_carry_their_numbers(north: House) -> None:
    floor, order = world(north)
    caller = by_key(north)
    empty = caller.post(f"sales-orders/{order.pk}/ship", {})
    assert (empty.status_code, empty.json()["code"]) == (409, "empty_shipment")
    nothing = caller.post("packages", {"sales_order_id": order.pk})
    assert nothing.json()["code"] == "nothing_to_pack"
    with north.scope():
        wave = floor.picked(order)
        product_id, lot_id = order.lines.get().product_id, tasks_of(wave)[0].lot_id
    package = made(caller.post("packages", {"sales_order_id": order.pk}), 201)
    item = {"product_id": product_id, "lot_id": lot_id, "quantity": "6"}
    much = caller.post(f"packages/{package['id']}/pack", {"items": [item]})
    assert much.json()["items"] == [{"sku": "APPLE", "lot": "L1", "asked": "6", "possible": "5"}]
    loose = caller.post(f"sales-orders/{order.pk}/ship", {})
    assert loose.json()["code"] == "unpacked_goods"
    assert loose.json()["lines"] == [{"sku": "APPLE", "lot": "L1", "quantity": "5"}]
    again = caller.post("waves", {"warehouse_id": floor.site.warehouse.pk})
    assert again.json()["code"] == "nothing_to_release"
    gone = made(caller.post(f"packages/{package['id']}/discard", {}))
    assert gone == {"sales_order_id": order.pk}
    with north.scope():
        assert not Package.objects.exists()
        assert not Shipment.objects.exists()


def test_work_is_taken_and_given_back(north: House) -> None:
    floor, _order = world(north)
    caller = by_key(north)
    wave = released(caller, floor)
    work = {"kind": "pick", "subject_id": wave["id"]}
    claim = made(caller.post("work/claims", work))
    assert claim["subject_id"] == wave["id"]
    listed = made(caller.get("work/claims", kind="pick"))["items"]
    assert [one["claimed_by"] for one in listed] == [claim["claimed_by"]]
    made(caller.post("work/claims/release", work))
    assert made(caller.get("work/claims"))["items"] == []
    assert caller.post("work/claims", work | {"subject_id": 987654}).status_code == 404


@pytest.mark.parametrize(
    "path", ["waves", "waves/{wave}/picks", "packages", "sales-orders/{order}/ship"]
)
def test_a_reader_and_a_key_without_the_scope_write_nothing(north: House, path: str) -> None:
    floor, order = world(north)
    wave = released(by_key(north), floor)
    address = path.format(wave=wave["id"], order=order.pk)
    for caller in (by_key(north, scopes=["read"]), by_key(north, role="viewer")):
        assert caller.post(address, {}).status_code == 403
    assert by_key(north).send("POST", address, {}).status_code == 400  # no idempotency key
