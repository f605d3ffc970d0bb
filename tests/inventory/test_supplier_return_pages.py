"""Pages of returns to suppliers: from a draft to settled, by whom it is allowed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from inventory.models import Product, SupplierReturn, SupplierReturnState
from inventory.queries.returns import quality_by_supplier
from inventory.services.purchasing import OrderLine, create_draft_order, place_order
from inventory.services.receiving import ReceiptLine, receive_order
from inventory.services.supplier_returns import (
    ReturningLine,
    create_supplier_return,
    send_supplier_return,
)
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site, on_hand
from tests.inventory.returns_world import supplied_by


def world(house: House, **product: str) -> tuple[Site, Product, SupplierReturn]:
    with house.scope():
        site, apple = make_site(), make_product(**product)
        lot = make_lot(apple, "L-1").pk if product else None
        site.receive(apple, 10, lot_id=lot)
        back = create_supplier_return(
            supplier_id=supplied_by("SAM", apple).pk, warehouse_id=site.warehouse.pk
        )
    return site, apple, back


def page(house: House, back: SupplierReturn, rest: str = "") -> str:
    return house.path(f"supplier-returns/{back.pk}/{rest}")


def state(house: House, back: SupplierReturn) -> str:
    with house.scope():
        return SupplierReturn.objects.get(pk=back.pk).state


def test_a_return_goes_its_way(north: House) -> None:
    site, apple, _draft = world(north)
    client = north.client("planner")
    with north.scope():
        supplier = SupplierReturn.objects.get().supplier_id
    form = {"supplier_id": supplier, "warehouse_id": site.warehouse.pk, "reference": "RMA-9"}
    made = client.post(north.path("supplier-returns/new/"), form)
    assert made.status_code == 302
    with north.scope():
        back = SupplierReturn.objects.order_by("-id")[0]
    line = {"product_id": "APPLE", "quantity": "3", "location": "storage", "version": 1}
    assert client.post(page(north, back, "lines/"), line).status_code == 302
    client.post(page(north, back, "send/"), {"version": 2})
    with north.scope():
        assert on_hand(apple) == 7
    silent = client.post(page(north, back, "call-back/"), {"version": 3}, follow=True)
    assert "Say why" in silent.content.decode()
    client.post(page(north, back, "call-back/"), {"version": 3, "reason": "lorry came back"})
    assert state(north, back) == SupplierReturnState.DRAFT
    client.post(page(north, back, "send/"), {"version": 4})
    client.post(page(north, back, "close/"), {"version": 5})
    assert state(north, back) == SupplierReturnState.CLOSED
    html = client.get(north.path("supplier-returns/?q=RMA")).content.decode()
    assert "RMA-9" in html
    assert "€7.50" in html  # three at 2.50


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("product_id", "NOSUCH", "No product has the SKU"),
        ("quantity", "0", "must be greater than zero"),
        ("quantity", "1e400", "Ensure that there are no more"),
        ("location", "NOWHERE", "no location of that code"),
        ("location", "IN-TRANSIT", "holds nothing that could go back"),
        ("lot_code", "L-9", "Enter the lot printed"),
        ("version", "9", "changed by somebody else"),
    ],
)
def test_a_wrong_line_is_shown_again(north: House, field: str, value: str, words: str) -> None:
    _site, _apple, back = world(north, lot_tracking="lot")
    line = {
        "product_id": "APPLE",
        "quantity": "1",
        "location": "STORAGE",
        "lot_code": "L-1",
        "version": 1,
    }
    answer = north.client("planner").post(page(north, back, "lines/"), line | {field: value})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with north.scope():
        assert back.lines.count() == 0


@pytest.mark.parametrize("rest", ["lines/", "send/", "close/", "cancel/", "call-back/"])
def test_a_viewer_reads_and_another_tenant_finds_nothing(
    north: House, south: House, rest: str
) -> None:
    _site, _apple, back = world(north)
    viewer = north.client("viewer")
    assert viewer.get(page(north, back)).status_code == 200
    assert viewer.post(page(north, back, rest)).status_code == 403
    own = south.path(f"supplier-returns/{back.pk}/")
    assert south.client("owner").post(own + rest).status_code == 404


def test_what_goes_back_is_a_share_of_what_came(in_north: House) -> None:
    """Ten came at 2, two of them go back at 2: 4 of 20 is a fifth."""
    site, apple = make_site(), make_product()
    supplier, other = supplied_by("SAM", apple), supplied_by("EVE")
    order = create_draft_order(
        supplier_id=supplier.pk,
        warehouse_id=site.warehouse.pk,
        lines=[OrderLine(apple.pk, Decimal(10), Decimal(2))],
    )
    place_order(order_id=order.pk)
    receive_order(order_id=order.pk, lines=[ReceiptLine(order.lines.get().pk, Decimal(10))])
    dock = site.at("receiving")
    back = create_supplier_return(
        supplier_id=supplier.pk,
        warehouse_id=site.warehouse.pk,
        lines=[ReturningLine(apple.pk, dock, Decimal(2), unit_cost=Decimal(2))],
    )
    assert quality_by_supplier([supplier.pk])[supplier.pk].returned_share == 0
    send_supplier_return(supplier_return_id=back.pk)
    found = quality_by_supplier([supplier.pk, other.pk])
    assert found[supplier.pk].returned_share == Decimal("0.2")
    assert found[other.pk].returned_share is None
