"""Pages of the dock: what is expected, receipts, amendments."""

from __future__ import annotations

from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.utils.html import strip_tags

from inventory.models import (
    Packaging,
    Product,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    StockBalance,
    StockMovement,
    WorkKind,
)
from inventory.queries.worklists import live_claims
from inventory.services.purchasing import OrderLine, create_draft_order
from inventory.services.receiving import Arrival, add_receipt_line, complete_receipt, open_receipt
from inventory.services.suppliers import Offer, set_offer
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site, on_hand
from tests.inventory.inbound import placed_order
from tests.inventory.test_put_away import docked

World = tuple[Site, Product, PurchaseOrder]


@pytest.fixture
def world(north: House) -> World:
    """A site, an apple, and a placed order of ten."""
    with north.scope():
        site, apple = make_site(), make_product()
        return site, apple, placed_order(site, apple)


def opened(house: House, order: PurchaseOrder, *quantities: int) -> Receipt:
    """Return an open receipt of the order with these lines of its product."""
    with house.scope():
        receipt = open_receipt(order_id=order.pk)
        product_id = order.lines.get().product_id
        for quantity in quantities:
            arrival = Arrival(product_id, Decimal(quantity))
            add_receipt_line(receipt_id=receipt.pk, arrival=arrival)
        receipt.refresh_from_db()
        return receipt


def html(house: House, rest: str, role: str = "operator") -> str:
    answer = house.client(role).get(house.path(rest))
    assert answer.status_code == 200, rest
    return words(answer)


def words(answer: Any) -> str:
    """Return what a page says, without its tags."""
    text = unescape(strip_tags(answer.content.decode()))
    return " ".join(text.split())


# -- what is expected -----------------------------------------------------------------------------
def test_late_orders_come_first_and_can_be_taken(north: House, world: World) -> None:
    site, apple, order = world
    with north.scope():
        later = placed_order(site, apple)
        PurchaseOrder.objects.filter(pk=later.pk).update(expected_on="2099-01-01")
    client = north.client("operator")
    page = client.get(north.path("to-receive/"))
    assert [row[0].pk for row in page.context["rows"]] == [order.pk, later.pk]
    assert [row[3] for row in page.context["rows"]] == [True, False]
    form = {"kind": "receive", "subject": order.pk, "next": north.path("to-receive/")}
    client.post(north.path("work/take/"), form)
    mine = client.get(north.path("to-receive/?assignee=mine"))
    assert [row[0].pk for row in mine.context["rows"]] == [order.pk]
    free = client.get(north.path("to-receive/?assignee=free"))
    assert [row[0].pk for row in free.context["rows"]] == [later.pk]
    assert "Nothing matches" in html(north, "to-receive/?q=nobody")


def test_the_list_asks_the_same_number_of_questions_however_long(
    north: House, world: World, django_assert_num_queries: Any
) -> None:
    site, apple, _order = world
    client = north.client("viewer")
    with django_assert_num_queries(RECEIVE_QUERIES):
        client.get(north.path("to-receive/"))
    with north.scope():
        for _ in range(4):
            placed_order(site, apple)
    with django_assert_num_queries(RECEIVE_QUERIES):
        client.get(north.path("to-receive/"))


# session, user, tenant, savepoint, scope, membership, access, warehouses, orders, lines to come,
# open receipts, claims, transfers, their claims, release
RECEIVE_QUERIES = 15


# -- receipts -------------------------------------------------------------------------------------
def test_a_receipt_of_an_order_is_opened_filled_and_completed(north: House, world: World) -> None:
    _site, apple, order = world
    client = north.client("operator")
    answer = client.post(north.path(f"purchase-orders/{order.pk}/open-receipt/"))
    with north.scope():
        receipt = Receipt.objects.get()
        assert order.pk in live_claims(WorkKind.RECEIVE, [order.pk])
    assert answer["Location"] == north.path(f"receipts/{receipt.pk}/")
    form = {"product_id": "apple", "quantity": "10", "version": receipt.version}
    client.post(north.path(f"receipts/{receipt.pk}/lines/"), form)
    assert "10 pcs" in html(north, f"receipts/{receipt.pk}/")
    client.post(north.path(f"receipts/{receipt.pk}/complete/"), {"version": 2})
    with north.scope():
        assert on_hand(apple) == 10
    assert "Take back" in html(north, f"receipts/{receipt.pk}/")
    assert "Take back" not in html(north, f"receipts/{receipt.pk}/", "viewer")
    assert receipt.number in html(north, f"purchase-orders/{order.pk}/")


def test_a_difference_is_asked_about_before_it_is_booked(north: House, world: World) -> None:
    _site, apple, order = world
    receipt = opened(north, order, 4)
    client = north.client("operator")
    address = north.path(f"receipts/{receipt.pk}/complete/")
    asked = client.post(address, {"version": receipt.version})
    assert asked.status_code == 422
    assert "APPLE: 4 pcs arrived of 10 open." in words(asked)
    with north.scope():
        assert on_hand(apple) == 0
    client.post(address, {"version": receipt.version, "accept_differences": "yes"})
    with north.scope():
        assert on_hand(apple) == 4


def test_completing_twice_counts_once(north: House, world: World) -> None:
    _site, apple, order = world
    receipt = opened(north, order, 10)
    form = {"version": receipt.version, "idempotency_key": uuid4().hex}
    client = north.client("operator")
    for _ in range(2):
        answer = client.post(north.path(f"receipts/{receipt.pk}/complete/"), form)
        assert answer.status_code == 302
    with north.scope():
        assert on_hand(apple) == 10


def test_a_stale_page_completes_nothing_and_says_so(north: House, world: World) -> None:
    _site, apple, order = world
    receipt = opened(north, order, 10)
    address = north.path(f"receipts/{receipt.pk}/complete/")
    answer = north.client("operator").post(address, {"version": 1}, follow=True)
    assert "changed by somebody else" in answer.content.decode()
    with north.scope():
        assert on_hand(apple) == 0


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("product_id", "NOSUCH", "No product has the SKU or barcode NOSUCH."),
        ("product_id", "PEAR", "is not on the order"),
        ("quantity", "-1", "greater than or equal to 0"),
        ("quantity", "0.5", "not a positive, exact number"),
        ("quantity", "lots", "Enter a number"),
        ("damaged", "11", "More is damaged than arrived."),
        ("lot_code", "A", "A lot is named for products tracked by lot"),
        ("packaging", "Crate", "APPLE is packed as: Case."),
        ("version", "99", "changed by somebody else"),
    ],
)
def test_a_wrong_line_is_shown_again_with_its_error(
    north: House, world: World, field: str, value: str, said: str
) -> None:
    _site, apple, order = world
    with north.scope():
        make_product("PEAR")
        Packaging.objects.create(product=apple, name="Case", units=Decimal(5))
    receipt = opened(north, order)
    form = {"product_id": "APPLE", "quantity": "10", "version": receipt.version, field: value}
    answer = north.client("operator").post(north.path(f"receipts/{receipt.pk}/lines/"), form)
    assert answer.status_code == 422
    assert said in words(answer)
    with north.scope():
        assert ReceiptLine.objects.count() == 0


def test_a_line_is_changed_in_packagings_and_removed(north: House, world: World) -> None:
    _site, apple, order = world
    with north.scope():
        Packaging.objects.create(product=apple, name="Case", units=Decimal(5))
    receipt = opened(north, order, 3)
    with north.scope():
        line = receipt.lines.get()
    client = north.client("operator")
    address = north.path(f"receipts/{receipt.pk}/lines/{line.pk}/")
    assert 'value="3"' in client.get(address).content.decode()
    form = {
        "product_id": "APPLE",
        "quantity": "2",
        "packaging": "case",
        "difference_reason": "",
        "version": receipt.version,
    }
    assert client.post(address, form).status_code == 302
    with north.scope():
        assert receipt.lines.get().quantity == 10
    client.post(f"{address}remove/", {"version": receipt.version + 1})
    with north.scope():
        assert receipt.lines.count() == 0


def test_goods_without_an_order_are_received_on_paper(north: House, world: World) -> None:
    site, apple, order = world
    client = north.client("operator")
    form = {
        "supplier_id": order.supplier_id,
        "warehouse_id": site.warehouse.pk,
        "delivery_note": "LS 7",
        "location": "quarantine",
    }
    client.post(north.path("receipts/new/"), form)
    with north.scope():
        receipt = Receipt.objects.get()
    assert receipt.location_id == site.at("quarantine")
    line = {"product_id": "APPLE", "quantity": "3", "unit_cost": "1.20", "version": 1}
    client.post(north.path(f"receipts/{receipt.pk}/lines/"), line)
    client.post(north.path(f"receipts/{receipt.pk}/complete/"), {"version": 2})
    with north.scope():
        assert on_hand(apple, site.at("quarantine")) == 3
    assert "LS 7" in html(north, "receipts/?q=LS")
    wrong = client.post(north.path("receipts/new/"), form | {"location": "NOWHERE"})
    assert "There is no location NOWHERE" in wrong.content.decode()


def test_a_completed_line_is_taken_back_with_its_reason(north: House, world: World) -> None:
    _site, apple, order = world
    receipt = opened(north, order, 10)
    with north.scope():
        receipt = complete_receipt(receipt_id=receipt.pk)
        line = receipt.lines.get()
    address = north.path(f"receipts/{receipt.pk}/lines/{line.pk}/take-back/")
    client = north.client("operator")
    silent = client.post(address, {"reason": " ", "version": receipt.version})
    assert silent.status_code == 422
    client.post(address, {"reason": "wrong pallet", "version": receipt.version})
    assert "Taken back" in html(north, f"receipts/{receipt.pk}/")
    with north.scope():
        assert on_hand(apple) == 0
        assert StockMovement.objects.latest("id").note == "wrong pallet"


def test_a_cancelled_receipt_offers_nothing(north: House, world: World) -> None:
    _site, _apple, order = world
    receipt = opened(north, order, 4)
    client = north.client("operator")
    client.post(north.path(f"receipts/{receipt.pk}/cancel/"), {"version": receipt.version})
    shown = html(north, f"receipts/{receipt.pk}/")
    assert "Cancelled" in shown
    assert "Add line" not in shown


# -- amendments -----------------------------------------------------------------------------------
def test_a_planner_amends_a_placed_line(north: House, world: World) -> None:
    _site, _apple, order = world
    with north.scope():
        line = order.lines.get()
    address = north.path(f"purchase-orders/{order.pk}/lines/{line.pk}/amend/")
    assert north.client("operator").get(address).status_code == 403
    client = north.client("planner")
    form = {
        "quantity": "12",
        "unit_price": "2.5",
        "promised_on": "",
        "reason": "agreed by mail",
        "version": order.version,
    }
    assert client.post(address, form | {"reason": ""}).status_code == 422
    assert client.post(address, form).status_code == 302
    with north.scope():
        assert order.lines.get().quantity == 12
    assert client.post(address, form).status_code == 422  # the version is stale


def test_a_draft_says_what_the_supplier_may_not_deliver(north: House, world: World) -> None:
    site, apple, order = world
    with north.scope():
        offer = Offer(price=Decimal(1), order_multiple=Decimal(12))
        set_offer(supplier_id=order.supplier_id, product_id=apple.pk, offer=offer)
        draft = create_draft_order(
            supplier_id=order.supplier_id,
            warehouse_id=site.warehouse.pk,
            lines=[OrderLine(apple.pk, Decimal(30))],
        )
    shown = html(north, f"purchase-orders/{draft.pk}/", "planner")
    assert "APPLE: 30 pcs are no multiple of 12. Order 36 pcs." in shown


@pytest.mark.parametrize(
    "rest",
    ["locations/{place}/", "warehouses/{site}/locations/", "receipts/new/", "to-put-away/{waits}/"],
)
def test_a_viewer_gets_no_forms(north: House, world: World, rest: str) -> None:
    site, apple, _order = world
    with north.scope():
        waits = docked(site, apple)
        assert StockBalance.objects.count() == 1
    named = {"place": site.at("storage"), "site": site.warehouse.pk, "waits": waits.pk}
    assert north.client("viewer").get(north.path(rest.format(**named))).status_code == 403
