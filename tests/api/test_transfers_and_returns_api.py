"""Transfers and returns by the API: the whole way, once per key, and only as allowed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from inventory.models import ShipmentLine
from tests.api.calls import by_key
from tests.cast import House
from tests.inventory.book import make_product
from tests.inventory.returns_world import make_counter, supplied_by
from tests.inventory.shifting import make_pair

pytestmark = pytest.mark.django_db


def version(body: dict[str, Any]) -> str:
    return f'"{body["version"]}"'


def test_a_transfer_goes_its_way_by_the_api(north: House) -> None:
    with north.scope():
        pair, apple, pear = make_pair(), make_product(), make_product("PEAR")
        pair.here.receive(apple, 10)
    api = by_key(north)
    draft = {
        "from_warehouse_id": pair.here.warehouse.pk,
        "to_warehouse_id": pair.there.warehouse.pk,
        "lines": [{"product_id": apple.pk, "quantity": "6"}],
    }
    body = api.post("transfers", draft).json()
    path = f"transfers/{body['id']}"
    more = {"lines": [{"product_id": pear.pk, "quantity": "1"}]}
    body = api.post(f"{path}/lines", more, If_Match=version(body)).json()
    line = body["lines"][1]["id"]
    body = api.send("DELETE", f"{path}/lines/{line}", If_Match=version(body)).json()
    assert [line["sku"] for line in body["lines"]] == ["APPLE"]
    assert api.post(f"{path}/release", {}).status_code == 428
    assert api.post(f"{path}/release", {}, If_Match='"99"').status_code == 412
    body = api.post(f"{path}/release", {}, If_Match=version(body)).json()
    assert body["state"] == "released"

    part = {"line_id": body["lines"][0]["id"], "location_id": pair.here.at("storage")}
    sending = {"goods": [part | {"quantity": "4"}]}
    key = uuid4().hex
    sent = [api.post(f"{path}/send", sending, Idempotency_Key=key) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [201, 201]
    body = sent[1].json()
    assert body["lines"][0]["quantity_sent"] == "4"
    other = {"goods": [part | {"quantity": "1"}]}
    assert api.post(f"{path}/send", other, Idempotency_Key=key).status_code == 422
    assert api.send("POST", f"{path}/send", sending).status_code == 400

    too_many = api.post(f"{path}/send", {"goods": [part | {"quantity": "3"}]})
    assert (too_many.status_code, too_many.json()["code"]) == (409, "more_than_asked")
    huge = api.post(f"{path}/send", {"goods": [part | {"quantity": "1e400"}]})
    assert huge.status_code == 400
    body = api.post(f"{path}/send", {}).json()
    [piece] = body["lines"][0]["pieces"]
    assert piece["quantity"] == "6"

    arrived = {"goods": [{"piece_id": piece["id"], "quantity": "4", "damaged": "1"}]}
    body = api.post(f"{path}/receive", arrived).json()
    assert body["state"] == "in_transit"
    lost = {"goods": [{"piece_id": piece["id"], "quantity": "2"}], "note": "fell off"}
    assert api.post(f"{path}/loss", lost | {"note": ""}).status_code == 400
    body = api.post(f"{path}/loss", lost).json()
    assert body["state"] == "received"
    moves = api.get("movements").json()["items"]
    loss = next(move["id"] for move in moves if move["note"] == "fell off")
    assert api.post(f"movements/{loss}/reverse", {}).json()["code"] == "correct_the_document"
    back = api.post(f"{path}/movements/{loss}/reverse", {"reason": "found"})
    assert (back.status_code, back.json()["state"]) == (201, "in_transit")
    assert api.post(f"{path}/cancel", {}, If_Match=version(back.json())).status_code == 409
    listed = api.get("transfers", state="in_transit").json()["items"]
    assert [item["id"] for item in listed] == [body["id"]]


def test_a_return_goes_its_way_by_the_api(north: House) -> None:
    with north.scope():
        counter, apple = make_counter(), make_product()
        supplied_by("SAM", apple)
        shipment = counter.shipped(apple, 5)
        shipped = ShipmentLine.objects.get()
    api = by_key(north)
    expected = {
        "sales_order_id": shipment.sales_order_id,
        "lines": [{"shipment_line_id": shipped.pk, "quantity": "4"}],
    }
    key = uuid4().hex
    first = api.post("customer-returns", expected, Idempotency_Key=key)
    again = api.post("customer-returns", expected, Idempotency_Key=key)
    assert (first.status_code, first.json()) == (201, again.json())
    refused = api.post("customer-returns", expected)
    assert (refused.status_code, refused.json()["code"]) == (409, "more_than_shipped")
    body = first.json()
    path, line = f"customer-returns/{body['id']}", body["lines"][0]["id"]
    came = {"goods": [{"line_id": line, "quantity": "3"}]}
    body = api.post(f"{path}/receive", came).json()
    assert body["state"] == "received"

    def decided(outcome: str, quantity: str) -> dict[str, Any]:
        return {"line_id": line, "outcome": outcome, "quantity": quantity}

    nonsense = api.post(f"{path}/inspect", {"goods": [decided("burn", "1")]})
    assert nonsense.status_code == 400
    body = api.post(
        f"{path}/inspect", {"goods": [decided("restock", "2"), decided("to_supplier", "1")]}
    ).json()
    assert body["lines"][0]["quantity_restocked"] == "2"
    assert api.post(f"{path}/close", None).status_code == 428
    body = api.post(f"{path}/close", None, If_Match=version(body)).json()
    assert (body["state"], body["lines"][0]["quantity"]) == ("inspected", "3")

    [going] = api.get("supplier-returns").json()["items"]
    away = f"supplier-returns/{going['id']}"
    body = api.get(away).json()
    assert body["lines"][0]["return_line_id"] == line
    body = api.post(f"{away}/send", {}, If_Match=version(body)).json()
    assert body["state"] == "sent"
    body = api.post(f"{away}/call-back", {"reason": "wrong lorry"}, If_Match=version(body)).json()
    body = api.post(f"{away}/send", {}, If_Match=version(body)).json()
    body = api.post(f"{away}/close", None, If_Match=version(body)).json()
    assert body["state"] == "closed"


def test_goods_of_unknown_origin_are_expected_and_cancelled(north: House) -> None:
    with north.scope():
        counter, apple = make_counter(), make_product()
    api = by_key(north)
    asked = {
        "warehouse_id": counter.floor.site.warehouse.pk,
        "lines": [{"product_id": apple.pk, "quantity": "2"}],
    }
    body = api.post("customer-returns/blind", asked).json()
    path = f"customer-returns/{body['id']}"
    more = {"lines": [{"product_id": apple.pk, "quantity": "1"}]}
    body = api.post(f"{path}/lines", more, If_Match=version(body)).json()
    assert len(body["lines"]) == 2
    body = api.post(f"{path}/cancel", {}, If_Match=version(body)).json()
    assert body["state"] == "cancelled"


def test_a_draft_to_a_supplier_is_changed_and_cancelled(north: House) -> None:
    with north.scope():
        counter, apple = make_counter(), make_product()
        supplier = supplied_by("SAM", apple)
    api = by_key(north)
    asked = {
        "supplier_id": supplier.pk,
        "warehouse_id": counter.floor.site.warehouse.pk,
        "reference": "RMA-1",
    }
    body = api.post("supplier-returns", asked).json()
    path = f"supplier-returns/{body['id']}"
    line = {"product_id": apple.pk, "location_id": counter.at("storage"), "quantity": "1"}
    body = api.post(f"{path}/lines", {"lines": [line]}, If_Match=version(body)).json()
    assert body["lines"][0]["unit_cost"] == "2.5"
    gone = f"{path}/lines/{body['lines'][0]['id']}"
    body = api.send("DELETE", gone, If_Match=version(body)).json()
    assert body["lines"] == []
    body = api.post(f"{path}/cancel", {"reason": "no need"}, If_Match=version(body)).json()
    assert body["state"] == "cancelled"


def test_a_key_without_the_right_is_refused(north: House) -> None:
    with north.scope():
        pair, apple = make_pair(), make_product()
        pair.here.receive(apple, 5)
        order = pair.released((apple, 5))
    reader = by_key(north, scopes=["read"])
    assert reader.get(f"transfers/{order.pk}").status_code == 200
    assert reader.post(f"transfers/{order.pk}/send", {}).status_code == 403
    floor = by_key(north, scopes=["read", "floor_work"])
    assert floor.post(f"transfers/{order.pk}/send", {}).status_code == 201


def test_an_owner_lets_numbers_begin_elsewhere(north: House) -> None:
    with north.scope():
        pair = make_pair()
        assert pair.draft().number == "TO-000001"
    api = by_key(north)
    begun = api.post("document-numbers", {"kind": "TO", "next_number": 4711})
    assert (begun.status_code, begun.json()["last_number"]) == (200, 4710)
    again = api.post("document-numbers", {"kind": "TO", "next_number": 1})
    assert (again.status_code, again.json()["code"]) == (409, "number_given")
    assert api.post("document-numbers", {"kind": "XX", "next_number": 9}).status_code == 400
    planner = by_key(north, "planner")
    asked = {"kind": "TO", "next_number": 9000}
    assert planner.post("document-numbers", asked).status_code == 403
    with north.scope():
        assert pair.draft().number == "TO-004711"
