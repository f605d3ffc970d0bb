"""Receipts without an order: of a supplier, into a warehouse, line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import LeadTimeObservation, Packaging, Receipt, ReceiptLine, StockMovement
from inventory.queries.integrity import check_book
from inventory.services.receiving import Arrival, add_receipt_line, open_receipt
from tenancy.errors import Invalid, NotFound
from tests.inventory.book import Site, make_product, make_site, on_hand
from tests.inventory.inbound import add, blind, complete, placed_order


def test_goods_without_an_order_are_received_blind(site: Site) -> None:
    milk = make_product("MILK", lot_tracking="lot")
    receipt = blind(site)
    more = {"lot_code": "L-1", "expires_on": date(2027, 1, 31), "unit_cost": Decimal("0.8")}
    add(receipt, milk, 24, **more)
    done = complete(receipt)
    assert on_hand(milk, site.at("receiving")) == 24
    movement = StockMovement.objects.get()
    assert (movement.unit_cost, movement.lot.code) == (Decimal("0.8"), "L-1")
    assert movement.lot.expires_on == date(2027, 1, 31)
    assert done.purchase_order is None
    assert LeadTimeObservation.objects.count() == 0
    assert check_book() == []


def test_a_packaging_is_turned_into_base_units(site: Site) -> None:
    beer = make_product("BEER")
    case = Packaging.objects.create(product=beer, name="Case", units=Decimal(24))
    receipt = blind(site)
    assert add(receipt, beer, 3, packaging_id=case.pk).quantity == 72
    assert add(receipt, beer, "0.5", packaging_id=case.pk).quantity == 12
    with pytest.raises(Invalid) as refusal:
        add(receipt, beer, "0.3", packaging_id=case.pk)  # 7.2 bottles
    assert refusal.value.problems[0].code == "inexact_not_whole"
    with pytest.raises(NotFound):
        add(receipt, make_product("WINE"), 1, packaging_id=case.pk)
    complete(receipt)
    assert on_hand(beer) == 84


def test_goods_go_where_the_receipt_says_if_goods_may_arrive_there(site: Site) -> None:
    apple = make_product()
    receipt = blind(site, location_id=site.at("quarantine"))
    add(receipt, apple, 5)
    complete(receipt)
    assert on_hand(apple, site.at("quarantine")) == 5
    other = make_site("OTHER")
    order = placed_order(site, apple)
    with pytest.raises(NotFound):
        open_receipt(order_id=order.pk, location_id=other.at("receiving"))
    with pytest.raises(Invalid) as refusal:
        open_receipt(order_id=order.pk, location_id=site.at("customer"))
    assert refusal.value.problems[0].code == "not_for_receiving"
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"quantity": Decimal(0)}, "not_positive"),
        ({"quantity": Decimal(-1)}, "not_positive"),
        ({"quantity": Decimal("1e400")}, "too_large"),
        ({"quantity": Decimal("0.5")}, "not_whole"),
        ({"quantity": Decimal("NaN")}, "not_a_number"),
        ({"quantity": Decimal("sNaN")}, "not_a_number"),
        ({"quantity": Decimal(0), "difference_reason": "wrong_product"}, "not_positive"),
        ({"damaged": Decimal(2)}, "more_than_arrived"),
        ({"damaged": Decimal(-1)}, "not_exact"),
        ({"damaged": Decimal("sNaN")}, "not_exact"),
        ({"lot_code": "A"}, "lot_mismatch"),
        ({"expires_on": date(2027, 1, 1)}, "lot_missing"),
        ({"unit_cost": Decimal(-1)}, "not_an_amount"),
        ({"difference_reason": "bad mood"}, "unknown_reason"),
        ({"note": "x" * 201}, "too_long"),
    ],
)
def test_absurd_lines_are_refused_by_name(site: Site, change: dict[str, Any], code: str) -> None:
    receipt = blind(site)
    arrival = replace(Arrival(make_product().pk, Decimal(1)), **change)
    with pytest.raises(Invalid) as refusal:
        add_receipt_line(receipt_id=receipt.pk, arrival=arrival)
    assert [problem.code for problem in refusal.value.problems] == [code]
    assert ReceiptLine.objects.count() == 0
    receipt.refresh_from_db()
    assert receipt.version == 1


def test_a_lot_is_required_and_a_serial_is_one(site: Site) -> None:
    receipt = blind(site)
    milk = make_product("MILK", lot_tracking="lot")
    laptop = make_product("LAPTOP", lot_tracking="serial")
    for product, more, code in [
        (milk, {}, "lot_mismatch"),
        (milk, {"lot_code": "L" * 65}, "bad_length"),
        (laptop, {"lot_code": "SN-1", "quantity": 2}, "serial_is_one"),
    ]:
        with pytest.raises(Invalid) as refusal:
            add(receipt, product, **{"quantity": 1, **more})
        assert [problem.code for problem in refusal.value.problems] == [code]


def test_lines_name_what_the_receipt_is_of(site: Site) -> None:
    apple, pear = make_product(), make_product("PEAR")
    receipt = open_receipt(order_id=placed_order(site, apple).pk)
    with pytest.raises(Invalid) as refusal:
        add(receipt, pear)
    assert refusal.value.problems[0].code == "not_on_order"
    with pytest.raises(Invalid) as refusal:
        add(receipt, apple, unit_cost=Decimal(1))
    assert refusal.value.problems[0].code == "price_is_the_orders"
    with pytest.raises(NotFound):
        add_receipt_line(receipt_id=receipt.pk, arrival=Arrival(987_654, Decimal(1)))
    pear.is_active = False
    pear.save()
    with pytest.raises(Invalid) as refusal:
        add(blind(site), pear)
    assert refusal.value.problems[0].code == "inactive_product"


def test_a_receipt_is_of_an_order_or_of_a_supplier_and_a_warehouse(site: Site) -> None:
    order = placed_order(site, make_product())
    for parties in (
        {},
        {"warehouse_id": site.warehouse.pk},
        {"supplier_id": order.supplier_id},
        {"order_id": order.pk, "supplier_id": order.supplier_id + 1},
        {"order_id": order.pk, "note": "x" * 201},
    ):
        with pytest.raises(Invalid):
            open_receipt(**parties)
    with pytest.raises(NotFound):
        open_receipt(order_id=987_654)
    order.supplier.is_active = False
    order.supplier.save()
    with pytest.raises(Invalid):
        open_receipt(supplier_id=order.supplier_id, warehouse_id=site.warehouse.pk)
    assert Receipt.objects.count() == 0
