"""The line of life by API: catalogue, order, receipt, sale, adjustment, reversal."""

from __future__ import annotations

from typing import Any

from tests.api.calls import Caller, by_key, by_session
from tests.cast import House


def _made(answer: Any, status: int = 201) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    body: dict[str, Any] = answer.json()
    return body


def _catalogue(caller: Caller) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    warehouse = _made(caller.post("warehouses", {"code": "B", "name": "Berlin"}))
    product = _made(caller.post("products", {"sku": "P1", "name": "Bolt", "unit_cost": "2"}))
    supplier = _made(caller.post("suppliers", {"code": "S", "name": "Steel"}))
    offer = {"supplier_id": supplier["id"], "product_id": product["id"], "price": "2.50"}
    breaks = [{"from_quantity": "100", "price": "2"}]
    _made(caller.post("supplier-items", offer | {"price_breaks": breaks}), 200)
    return warehouse, product, supplier


def _received(caller: Caller) -> tuple[dict[str, Any], dict[str, Any]]:
    """Order 120 bolts (price break: 2.00), place, receive; return warehouse and product."""
    warehouse, product, supplier = _catalogue(caller)
    order = _made(
        caller.post(
            "purchase-orders",
            {
                "supplier_id": supplier["id"],
                "warehouse_id": warehouse["id"],
                "lines": [{"product_id": product["id"], "quantity": "120"}],
            },
        )
    )
    assert order["lines"][0]["unit_price"] == "2"
    path = f"purchase-orders/{order['id']}"
    placed = _made(caller.post(f"{path}/place", {}, If_Match='"1"'), 200)
    assert placed["state"] == "placed"
    line = {"line_id": placed["lines"][0]["id"], "quantity": "120"}
    body = {"lines": [line], "to_location_id": _place(caller, warehouse, "storage")}
    assert _made(caller.post(f"{path}/receive", body))["state"] == "received"
    return warehouse, product


def _place(caller: Caller, warehouse: dict[str, Any], kind: str) -> int:
    found = caller.get("locations", warehouse_id=warehouse["id"], kind=kind).json()["items"]
    return int(found[0]["id"])


def _available(caller: Caller, product: dict[str, Any]) -> str:
    [row] = caller.get("stock/availability", product_id=product["id"]).json()["items"]
    return str(row["available"])


def test_from_order_to_sale_and_back(north: House) -> None:
    """120 received, 20 sold, 5 lost, the loss taken back: 120 - 20 - 5 + 5 = 100."""
    caller = by_key(north)
    warehouse, product = _received(caller)
    assert _available(caller, product) == "120"
    line = {"product_id": product["id"], "quantity": "20", "unit_price": "4"}
    sale = _made(caller.post("sales", {"warehouse_id": warehouse["id"], "lines": [line]}))
    assert sale["shipped"] == ["20"]
    loss = {
        "product_id": product["id"],
        "location_id": _place(caller, warehouse, "storage"),
        "change": "-5",
        "reason": "scrap",
    }
    body = {"warehouse_id": warehouse["id"], "adjustments": [loss]}
    [movement_id] = _made(caller.post("stock/adjustments", body))["movement_ids"]
    assert _available(caller, product) == "95"
    reversal = _made(caller.post(f"movements/{movement_id}/reverse", {"note": "found again"}))
    assert (reversal["reverses_id"], reversal["reason"]) == (movement_id, "scrap")
    assert _available(caller, product) == "100"
    again = caller.post(f"movements/{movement_id}/reverse", {})
    assert (again.status_code, again.json()["code"]) == (409, "already_reversed")
    [demand] = caller.get("demand", product_id=product["id"]).json()["items"]
    assert (demand["quantity"], demand["revenue"]) == ("20", "80")  # 20 x 4


def test_a_shortage_is_told_with_its_numbers_and_changes_nothing(north: House) -> None:
    caller = by_key(north)
    warehouse, product = _received(caller)
    line = {"product_id": product["id"], "quantity": "121"}
    answer = caller.post("sales", {"warehouse_id": warehouse["id"], "lines": [line]})
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_stock")
    assert answer.json()["lines"][0]["short"] == "1"
    assert caller.get("demand").json()["items"] == []


def test_a_receipt_sent_twice_counts_once(north: House) -> None:
    caller = by_key(north)
    warehouse, product, supplier = _catalogue(caller)
    body = {
        "supplier_id": supplier["id"],
        "warehouse_id": warehouse["id"],
        "lines": [{"product_id": product["id"], "quantity": "10"}],
    }
    order = _made(caller.post("purchase-orders", body))
    path = f"purchase-orders/{order['id']}"
    caller.post(f"{path}/place", {}, If_Match='"1"')
    half = {"lines": [{"line_id": order["lines"][0]["id"], "quantity": "5"}]}
    for _attempt in range(2):
        _made(caller.post(f"{path}/receive", half, Idempotency_Key="truck 7"))
    [line] = caller.get(path).json()["lines"]
    assert line["quantity_received"] == "5"


def test_a_viewer_adjusts_nothing(north: House) -> None:
    caller = by_session(north, "viewer")
    body = {
        "warehouse_id": 1,
        "adjustments": [{"product_id": 1, "location_id": 1, "change": "-1", "reason": "scrap"}],
    }
    assert caller.post("stock/adjustments", body).status_code == 403


def test_a_moment_without_its_zone_is_refused(north: House) -> None:
    body = {
        "warehouse_id": 1,
        "lines": [{"product_id": 1, "quantity": "1"}],
        "sold_at": "2026-11-01T10:00:00",
    }
    answer = by_session(north).post("sales", body)
    assert answer.json()["problems"][0] == {
        "field": "sold_at",
        "code": "naive",
        "message": "Give the moment with its time zone, e.g. ...T08:30:00Z.",
    }


def test_search_finds_by_sku_name_and_nothing_else(north: House) -> None:
    caller = by_session(north)
    for sku, name in (("AB-1", "Hex bolt"), ("CD-2", "Washer")):
        caller.post("products", {"sku": sku, "name": name})
    for text, found in (("ab", ["AB-1"]), ("wash", ["CD-2"]), ("B-1", []), ("%", [])):
        items = caller.get("products", search=text).json()["items"]
        assert [item["sku"] for item in items] == found, text
