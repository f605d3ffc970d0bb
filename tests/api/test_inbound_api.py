"""Receiving and put-away by API: receipts line by line, amendments, places, rules, the dock."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.calls import Caller, by_key
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site, on_hand
from tests.inventory.inbound import placed_order


def made(answer: Any, status: int = 201) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    body: dict[str, Any] = answer.json()
    return body


def match(document: dict[str, Any]) -> dict[str, str]:
    return {"If_Match": f'"{document["version"]}"'}


@pytest.fixture
def caller(north: House) -> Caller:
    return by_key(north, role="planner")


@pytest.fixture
def world(north: House) -> tuple[Site, Any, Any]:
    """A site, milk tracked by lot, and a placed order of ten."""
    with north.scope():
        site, milk = make_site(), make_product("MILK", lot_tracking="lot")
        return site, milk, placed_order(site, milk)


def test_a_receipt_from_open_to_taken_back(north: House, caller: Caller, world: Any) -> None:
    _site, milk, order = world
    receipt = made(caller.post("receipts", {"order_id": order.pk, "delivery_note": "LS 1"}))
    path = f"receipts/{receipt['id']}"
    arrival = {
        "product_id": milk.pk,
        "quantity": "4",
        "lot_code": "A",
        "expires_on": "2027-03-01",
        "difference_reason": "short_delivered",
    }
    receipt = made(caller.post(f"{path}/lines", arrival, **match(receipt)))
    line = f"{path}/lines/{receipt['lines'][0]['id']}"
    receipt = made(caller.send("PUT", line, arrival | {"quantity": "6"}, **match(receipt)), 200)
    receipt = made(caller.post(f"{path}/lines", arrival, **match(receipt)))
    extra = f"{path}/lines/{receipt['lines'][1]['id']}"
    receipt = made(caller.send("DELETE", extra, **match(receipt)), 200)
    stale = caller.post(f"{path}/complete", {}, If_Match='"1"')
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    receipt = made(caller.post(f"{path}/complete", {}, **match(receipt)), 200)
    assert (receipt["state"], receipt["lines"][0]["quantity"]) == ("completed", "6")
    again = caller.post(f"{path}/complete", {}, **match(receipt))
    assert (again.status_code, again.json()["code"]) == (409, "wrong_receipt_state")
    movement = receipt["lines"][0]["movement_id"]
    refused = caller.post(f"movements/{movement}/reverse", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "correct_the_document")
    reason = {"reason": "miscounted"}
    receipt = made(caller.post(f"{line}/reverse", reason, **match(receipt)))
    assert receipt["lines"][0]["reversed_at"]
    twice = caller.post(f"{line}/reverse", reason, **match(receipt))
    assert (twice.status_code, twice.json()["code"]) == (409, "already_reversed")
    with north.scope():
        assert on_hand(milk) == 0
        assert order.lines.get().quantity_received == 0


def test_differences_without_a_reason_come_back_with_their_numbers(
    north: House, caller: Caller, world: Any
) -> None:
    _site, milk, order = world
    receipt = made(caller.post("receipts", {"order_id": order.pk}))
    path = f"receipts/{receipt['id']}"
    arrival = {"product_id": milk.pk, "quantity": "4", "lot_code": "A"}
    receipt = made(caller.post(f"{path}/lines", arrival, **match(receipt)))
    refused = caller.post(f"{path}/complete", {}, **match(receipt))
    assert refused.status_code == 409
    body = refused.json()
    assert body["code"] == "difference_unexplained"
    assert (body["lines"][0]["open"], body["lines"][0]["arriving"]) == ("10", "4")
    accepted = {"accept_differences": True}
    receipt = made(caller.post(f"{path}/complete", accepted, **match(receipt)), 200)
    assert receipt["lines"][0]["difference_reason"] == "short_delivered"


def test_a_placed_line_is_amended_with_its_version(caller: Caller, world: Any) -> None:
    _site, _milk, order = world
    found = caller.get(f"purchase-orders/{order.pk}").json()
    path = f"purchase-orders/{order.pk}/lines/{found['lines'][0]['id']}/amend"
    body = {"quantity": "12", "reason": "agreed by mail"}
    assert caller.post(path, body).status_code == 428
    amended = made(caller.post(path, body, **match(found)), 200)
    assert amended["lines"][0]["quantity"] == "12"
    assert (
        caller.post(path, {"quantity": "13", "reason": "late"}, **match(found)).status_code == 412
    )


def test_goods_are_put_away_where_a_rule_says(north: House, caller: Caller, world: Any) -> None:
    site, milk, order = world
    zone = made(caller.post("zones", {"warehouse_id": site.warehouse.pk, "code": "COLD"}))
    pattern = {
        "warehouse_id": site.warehouse.pk,
        "pattern": "C-[01-03]",
        "zone_id": zone["id"],
        "max_volume_l": "100",
        "first_walking_order": 50,
    }
    assert made(caller.post("locations/pattern", pattern))["last_code"] == "C-03"
    rule = {"warehouse_id": site.warehouse.pk, "product_id": milk.pk, "zone_id": zone["id"]}
    rule = made(caller.post("put-away-rules", rule))
    line = {"line_id": caller.get(f"purchase-orders/{order.pk}").json()["lines"][0]["id"]}
    body = {"lines": [line | {"quantity": "10", "lot_code": "A"}]}
    made(caller.post(f"purchase-orders/{order.pk}/receive", body))
    [waiting] = caller.get("put-away").json()["items"]
    assert (waiting["sku"], waiting["lot_code"], waiting["quantity"]) == ("MILK", "A", "10")
    path = f"put-away/{waiting['id']}"
    [suggestion] = caller.get(path).json()["suggestions"]
    assert (suggestion["location_code"], suggestion["why"]) == ("C-01", "zone")
    target = {"to_location_id": suggestion["location_id"], "quantity": "11"}
    short = caller.post(path, target)
    assert (short.status_code, short.json()["code"]) == (409, "insufficient_stock")
    movement = made(caller.post(path, target | {"quantity": "10"}))
    assert (movement["reason"], movement["to_location_id"]) == (
        "put_away",
        target["to_location_id"],
    )
    assert caller.get("put-away").json()["items"] == []
    assert made(caller.send("DELETE", f"put-away-rules/{rule['id']}"), 200)["id"] == rule["id"]
    assert caller.get("put-away-rules").json()["items"] == []


def test_a_place_is_changed_with_its_version_and_closed_only_when_empty(
    north: House, caller: Caller, world: Any
) -> None:
    site, _milk, _order = world
    with north.scope():
        site.receive(make_product(), 3)
    path = f"locations/{site.at('storage')}"
    place = caller.get(path).json()
    change = {"max_volume_l": "90", "mixing_rule": "one_product"}
    place = made(caller.patch(path, change, **match(place)), 200)
    assert (place["max_volume_l"], place["version"]) == ("90", 2)
    refused = caller.patch(path, {"is_active": False}, **match(place))
    assert (refused.status_code, refused.json()["code"]) == (409, "location_not_empty")
    assert refused.json()["lines"][0]["on_hand"] == "3"
    assert caller.patch(path, {"kind": "packing"}, **match(place)).status_code == 400
    zone = made(caller.post("zones", {"warehouse_id": site.warehouse.pk, "code": "A"}))
    said = {"name": "Aisle", "parent_id": zone["id"]}
    circle = caller.send("PUT", f"zones/{zone['id']}", said)
    assert (circle.status_code, circle.json()["code"]) == (409, "zones_in_circle")


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_whoever_may_not_is_refused(north: House, world: Any, role: str) -> None:
    site, _milk, order = world
    caller = by_key(north, role=role)
    line = f"purchase-orders/{order.pk}/lines/1/amend"
    assert caller.post(line, {"reason": "x"}, If_Match='"2"').status_code == 403
    pattern = {"warehouse_id": site.warehouse.pk, "pattern": "X"}
    assert caller.post("locations/pattern", pattern).status_code == 403
    opened = caller.post("receipts", {"order_id": order.pk})
    assert opened.status_code == (403 if role == "viewer" else 201)
