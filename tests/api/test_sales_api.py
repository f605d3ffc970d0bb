"""Shops send orders by API: once each, by the hundred, with an answer for every one."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.models import Allocation, DailyDemand, Product, SalesOrder
from tests.api.calls import Caller, by_key
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site
from tests.inventory.selling import confirmed, make_channel, owing


@pytest.fixture
def shop(north: House) -> tuple[Caller, Site, dict[str, int]]:
    """A caller with a planner's key, a warehouse with ten apples, and their ids."""
    with north.scope():
        site = make_site()
        apple = make_product(unit_price=3)
        site.receive(apple, 10)
        ids = {
            "warehouse_id": site.warehouse.pk,
            "channel_id": make_channel().pk,
            "product_id": apple.pk,
        }
    return by_key(north), site, ids


def body(ids: dict[str, int], quantity: str = "1", **more: Any) -> dict[str, Any]:
    lines = [{"product_id": ids["product_id"], "quantity": quantity}]
    return {
        "warehouse_id": ids["warehouse_id"],
        "channel_id": ids["channel_id"],
        "lines": lines,
    } | more


def ok(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_an_order_goes_from_entry_to_cancellation(
    north: House, shop: tuple[Caller, Site, dict[str, int]]
) -> None:
    caller, _site, ids = shop
    order = ok(caller.post("sales-orders", body(ids, "4", reference="4711")), 201)
    assert (order["state"], order["lines"][0]["unit_price"]) == ("draft", "3")
    path = f"sales-orders/{order['id']}"
    more = {"lines": [{"product_id": ids["product_id"], "quantity": "8"}]}
    order = ok(caller.post(f"{path}/lines", more, If_Match='"1"'))
    line = order["lines"][1]["id"]
    order = ok(caller.patch(f"{path}/lines/{line}", {"quantity": "9"}, If_Match='"2"'))
    assert order["lines"][1]["quantity"] == "9"
    stale = caller.post(f"{path}/confirm", {}, If_Match='"1"')
    assert stale.status_code == 412
    order = ok(caller.post(f"{path}/confirm", {}, If_Match=f'"{order["version"]}"'))
    assert order["state"] == "partially_allocated"
    assert [row["quantity_open"] for row in order["lines"]] == ["0", "3"]
    [first, _second] = ok(caller.get("allocations", sales_order_id=order["id"]))["items"]
    ok(caller.post("allocations/release", {"allocation_ids": [first["id"]]}))
    assert caller.post("allocations/release", {"allocation_ids": [first["id"]]}).status_code == 409
    assert ok(caller.get(f"allocations/{first['id']}"))["state"] == "released"
    ran = ok(caller.post("allocations/run", {"sales_order_ids": [order["id"]]}))
    assert ran["orders"] == [{"sales_order_id": order["id"], "state": "partially_allocated"}]
    order = ok(caller.get(path))
    tag = f'"{order["version"]}"'
    order = ok(caller.post(f"{path}/lines/{line}/amend", {"quantity": "6"}, If_Match=tag))
    assert order["state"] == "allocated"
    tag = f'"{order["version"]}"'
    order = ok(caller.patch(path, {"priority": 1, "ship_to_name": "Kim"}, If_Match=tag))
    assert (order["priority"], order["reference"], order["ship_to_name"]) == (1, "4711", "Kim")
    tag = f'"{order["version"]}"'
    assert caller.post(f"{path}/close", {}, If_Match=tag).json()["code"] == "nothing_shipped"
    gone = ok(caller.post(f"{path}/cancel", {"take_back_demand": True}, If_Match=tag))
    assert gone["state"] == "cancelled"
    with north.scope():
        assert not Allocation.objects.filter(state="allocated").exists()
        assert DailyDemand.objects.get().quantity == 3  # 13 asked, 10 were never wanted


def test_the_same_shop_order_is_taken_once_whatever_the_key(
    shop: tuple[Caller, Site, dict[str, int]],
) -> None:
    caller, _site, ids = shop
    first = ok(caller.post("sales-orders", body(ids, reference="4711", confirm=True)), 201)
    assert first["state"] == "allocated"
    again = caller.post("sales-orders", body(ids, reference="4711", confirm=True))
    assert again.status_code == 409
    assert again.json()["code"] == "reference_taken"
    assert again.json()["sales_order_id"] == first["id"]
    key = "11111111-1111-4111-8111-111111111111"
    one = caller.post("sales-orders", body(ids), Idempotency_Key=key)
    two = caller.post("sales-orders", body(ids), Idempotency_Key=key)
    assert one.json()["id"] == two.json()["id"]


def test_of_a_hundred_orders_each_has_its_answer(
    north: House, shop: tuple[Caller, Site, dict[str, int]]
) -> None:
    caller, _site, ids = shop
    orders = [body(ids, reference=f"R{n}") for n in range(8)]
    orders[2]["lines"][0]["quantity"] = "0.5"
    orders[5]["lines"] = []
    orders[6]["reference"] = "R0"
    sent = {"orders": orders, "confirm": True}
    items = ok(caller.post("sales-orders/bulk", sent))["items"]
    told = [
        item["refusal"]["code"] if item["refusal"] else item["order"]["state"] for item in items
    ]
    assert told == [
        "reference_twice",
        "allocated",
        "invalid",
        "allocated",
        "allocated",
        "invalid",
        "reference_twice",
        "allocated",
    ]
    with north.scope():
        assert SalesOrder.objects.count() == 4
        assert DailyDemand.objects.get().order_lines == 4


def test_all_or_nothing_takes_nothing_when_one_is_wrong(
    north: House, shop: tuple[Caller, Site, dict[str, int]]
) -> None:
    caller, _site, ids = shop
    orders = [body(ids), body(ids, "-1")]
    answer = caller.post("sales-orders/bulk", {"orders": orders, "all_or_nothing": True})
    assert answer.status_code == 400
    assert answer.json()["problems"][0]["line"] == 1
    with north.scope():
        assert not SalesOrder.objects.exists()
    many = {"orders": [body(ids)] * 501}
    assert caller.post("sales-orders/bulk", many).status_code == 400


def test_a_shop_asks_what_it_may_sell(
    north: House, shop: tuple[Caller, Site, dict[str, int]]
) -> None:
    caller, site, ids = shop
    store = ok(caller.post("channels", {"code": "STORE", "name": "Store"}), 201)
    kept = {
        "channel_id": store["id"],
        "product_id": ids["product_id"],
        "warehouse_id": ids["warehouse_id"],
        "ring_fenced": "6",
    }
    row = ok(caller.post("channel-stock", kept))
    where = {"product_id": ids["product_id"], "warehouse_id": ids["warehouse_id"]}
    path = f"channels/{ids['channel_id']}/availability"
    [item] = ok(caller.get(path, **where))["items"]
    assert (item["available"], item["free"], item["kept_for_others"]) == ("4", "10", "6")
    changed = ok(caller.patch(f"channel-stock/{row['id']}", {"buffer": "2"}, If_Match='"1"'))
    assert (changed["ring_fenced"], changed["buffer"], changed["version"]) == ("6", "2", 2)
    assert caller.patch(f"channel-stock/{row['id']}", {}, If_Match='"1"').status_code == 412
    with north.scope():
        from inventory.models import Product

        apple = Product.objects.get()
        confirmed(site.warehouse, (apple, 3), channel="STORE")
    [item] = ok(caller.get(path, **where))["items"]
    # 7 are free; of the 6 kept for the store it has 3, so 3 are still its own
    assert (item["available"], item["free"], item["kept_for_others"]) == ("4", "7", "3")
    [own] = ok(caller.get(f"channels/{store['id']}/availability", **where))["items"]
    assert (own["available"], own["buffer"]) == ("5", "2")
    assert caller.get(path, product_id=ids["product_id"]).status_code == 400
    assert caller.get("channels/987654321/availability", **where).status_code == 404
    gone = caller.send("DELETE", f"channel-stock/{row['id']}", If_Match='"2"')
    assert gone.status_code == 200
    assert ok(caller.get("channel-stock"))["items"] == []


def test_a_whole_warehouse_or_a_place_is_allocated(
    north: House, shop: tuple[Caller, Site, dict[str, int]]
) -> None:
    caller, site, ids = shop
    with north.scope():
        from inventory.models import Product

        apple = Product.objects.get()
        first, second = (owing(site.warehouse, (apple, n)) for n in (2, 3))
        line = second.lines.get()
    by_hand = {"line_id": line.pk, "location_id": site.at("storage"), "quantity": "1"}
    made = ok(caller.post("allocations", by_hand), 201)
    assert (made["sales_order_id"], made["quantity"]) == (second.pk, "1")
    too_much = caller.post("allocations", by_hand | {"quantity": "9"})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "more_than_open")
    ran = ok(caller.post("allocations/run", {"warehouse_id": ids["warehouse_id"]}))
    assert {one["state"] for one in ran["orders"]} == {"allocated"}
    assert {one["sales_order_id"] for one in ran["orders"]} == {first.pk, second.pk}
    for wrong in ({}, {"warehouse_id": ids["warehouse_id"], "sales_order_ids": [first.pk]}):
        assert caller.post("allocations/run", wrong).status_code == 400


def test_customers_and_segments_by_api(shop: tuple[Caller, Site, dict[str, int]]) -> None:
    caller, _site, _ids = shop
    segment = ok(caller.post("segments", {"code": "B2B", "name": "Business"}), 201)
    new = {"code": "C1", "name": "Carla", "segment_id": segment["id"]}
    customer = ok(caller.post("customers", new), 201)
    path = f"customers/{customer['id']}"
    changed = ok(caller.patch(path, {"country": "DE"}))
    assert (changed["country"], changed["segment_id"]) == ("DE", segment["id"])
    assert ok(caller.get(path)) == changed
    assert ok(caller.get("customers", search="carl"))["items"] == [changed]
    renamed = ok(caller.patch(f"segments/{segment['id']}", {"name": "Firms"}))
    assert ok(caller.get(f"segments/{segment['id']}")) == renamed
    channel = ok(caller.get("channels"))["items"][0]
    named = ok(caller.patch(f"channels/{channel['id']}", {"name": "Web shop"}))
    assert ok(caller.get(f"channels/{channel['id']}")) == named


def test_a_shop_that_may_sell_promises_stock_and_gives_it_back(
    north: House, shop: tuple[Caller, Site, dict[str, int]]
) -> None:
    _owner, site, _ids = shop
    with north.scope():
        order = owing(site.warehouse, (Product.objects.get(), 2))
        line_id = order.lines.get().pk
    run = {"sales_order_ids": [order.pk]}
    for scopes in (["read"], ["read", "buy"]):
        refused = by_key(north, "planner", scopes).post("allocations/run", run)
        assert refused.status_code == 403
        assert refused.json()["permission"] == "floor_work"
    seller = by_key(north, "planner", ["read", "sell"])
    [made] = ok(seller.post("allocations/run", run))["allocation_ids"]
    ok(seller.post("allocations/release", {"allocation_ids": [made]}))
    by_hand = {
        "line_id": line_id,
        "location_id": site.at("storage"),
        "quantity": "1",
    }
    ok(seller.post("allocations", by_hand), 201)
