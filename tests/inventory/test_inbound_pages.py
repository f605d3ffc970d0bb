"""Pages of the dock: what is expected, receipts, amendments, put-away, places and their rules."""

from __future__ import annotations

from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.utils.html import strip_tags

from inventory.models import (
    Location,
    Packaging,
    Product,
    PurchaseOrder,
    PutAwayRule,
    Receipt,
    ReceiptLine,
    StockBalance,
    StockMovement,
    WorkKind,
    Zone,
)
from inventory.queries.worklists import live_claims
from inventory.services.places import create_zone
from inventory.services.purchasing import OrderLine, create_draft_order
from inventory.services.receiving import Arrival, add_receipt_line, complete_receipt, open_receipt
from inventory.services.suppliers import Offer, set_offer
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site, on_hand
from tests.inventory.test_put_away import docked, shelf
from tests.inventory.test_receiving import placed_order

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


# -- put-away -------------------------------------------------------------------------------------
def test_the_dock_lists_where_goods_belong_and_puts_them_there(north: House, world: World) -> None:
    site, apple, _order = world
    with north.scope():
        place = shelf(site, "A-1", max_volume_l=Decimal(8))
        balance = docked(site, apple)
        Product.objects.filter(pk=apple.pk).update(volume_l=Decimal(1))
    client = north.client("operator")
    listed = client.get(north.path("to-put-away/"))
    [[row, places, claim]] = listed.context["rows"]
    assert (row.pk, claim) == (balance.pk, None)
    assert [str(where.why) for where, _words in places] == ["room"]
    address = north.path(f"to-put-away/{balance.pk}/")
    assert 'value="STORAGE"' in client.get(address).content.decode()
    form = {"place": "a-1", "quantity": "10", "override_reason": ""}
    refused = client.post(address, form)
    assert refused.status_code == 422
    assert "A-1 does not take it: its room (10 l, 8 l free)." in words(refused)
    client.post(address, form | {"quantity": "8"})
    client.post(address, form | {"quantity": "2", "override_reason": "it fits, I tried"})
    with north.scope():
        assert on_hand(apple, place.pk) == 10
    assert "The docks are empty" in html(north, "to-put-away/")
    assert client.get(address).status_code == 404


def test_the_put_away_list_asks_the_same_number_of_questions_however_long(
    north: House, world: World, django_assert_num_queries: Any
) -> None:
    site, apple, _order = world
    with north.scope():
        docked(site, apple)
    client = north.client("viewer")
    with django_assert_num_queries(PUT_AWAY_QUERIES):
        client.get(north.path("to-put-away/"))
    with north.scope():
        for number in range(5):
            docked(site, make_product(f"P{number}"))
    with django_assert_num_queries(PUT_AWAY_QUERIES):
        client.get(north.path("to-put-away/"))


PUT_AWAY_QUERIES = 18


def test_rules_are_added_and_taken_away_on_the_warehouses_page(north: House, world: World) -> None:
    site, apple, _order = world
    with north.scope():
        zone = create_zone(warehouse_id=site.warehouse.pk, code="COLD", name="Cold store")
    address = north.path(f"warehouses/{site.warehouse.pk}/put-away-rules/")
    client = north.client("planner")
    form = {"product_id": "APPLE", "zone_id": zone.pk, "priority": "5"}
    wrong = client.post(address, form | {"location": "NOWHERE"})
    assert "There is no location NOWHERE" in wrong.content.decode()
    both = client.post(address, form | {"location": "STORAGE"})
    assert "one of them" in both.content.decode()
    client.post(address, form)
    assert "Cold store" in html(north, f"warehouses/{site.warehouse.pk}/put-away-rules/")
    with north.scope():
        rule = PutAwayRule.objects.get()
        assert (rule.product_id, rule.priority) == (apple.pk, 5)
    refused = north.client("operator").post(north.path(f"put-away-rules/{rule.pk}/delete/"))
    assert refused.status_code == 403
    client.post(north.path(f"put-away-rules/{rule.pk}/delete/"))
    with north.scope():
        assert PutAwayRule.objects.count() == 0


# -- places ---------------------------------------------------------------------------------------
def test_a_place_is_edited_and_stays_open_while_it_holds_stock(north: House, world: World) -> None:
    site, apple, _order = world
    with north.scope():
        site.receive(apple, 3)
    address = north.path(f"locations/{site.at('storage')}/")
    client = north.client("planner")
    form = {
        "code": "STORAGE",
        "walking_order": "7",
        "zone_id": "",
        "max_volume_l": "120",
        "max_weight_kg": "",
        "mixing_rule": "one_product",
        "is_active": "on",
        "version": "1",
    }
    assert client.post(address, form).status_code == 302
    assert "120 l" in html(north, f"warehouses/{site.warehouse.pk}/")
    closing = {**form, "version": "2"}
    del closing["is_active"]
    refused = client.post(address, closing)
    assert "STORAGE is not empty: 3 APPLE." in words(refused)
    assert client.post(address, form).status_code == 422  # stale
    with north.scope():
        assert Location.objects.get(pk=site.at("storage")).is_active


def test_many_places_are_shown_before_they_are_created(north: House, world: World) -> None:
    site, _apple, _order = world
    address = north.path(f"warehouses/{site.warehouse.pk}/locations/")
    client = north.client("planner")
    form = {
        "pattern": "A-[01-05]-[1-4]",
        "kind": "storage",
        "first_walking_order": "100",
        "walking_step": "10",
        "zone_id": "",
        "mixing_rule": "any",
    }
    seen = client.post(address, form | {"preview": "yes"})
    assert "Create 20 locations" in seen.content.decode()
    with north.scope():
        assert Location.objects.filter(code__startswith="A-").count() == 0
    assert client.post(address, form | {"create": "yes"}).status_code == 302
    with north.scope():
        assert Location.objects.filter(code__startswith="A-").count() == 20
    again = client.post(address, form | {"preview": "yes"}).content.decode()
    assert "20 of them exist" in again
    assert "Create 20 locations" not in again
    wrong = client.post(address, form | {"pattern": "A-[5-1]", "preview": "yes"})
    assert wrong.status_code == 422
    assert "counts backwards" in wrong.content.decode()


def test_zones_are_created_and_told_where_they_overflow(north: House, world: World) -> None:
    site, _apple, _order = world
    address = north.path(f"warehouses/{site.warehouse.pk}/zones/")
    client = north.client("planner")
    client.post(address, {"code": "HALL", "name": "Hall", "parent_id": ""})
    with north.scope():
        hall = Zone.objects.get()
    client.post(address, {"code": "COLD", "name": "", "parent_id": hall.pk})
    with north.scope():
        cold = Zone.objects.get(code="COLD")
        assert cold.parent == hall
    circle = client.post(north.path(f"zones/{hall.pk}/"), {"name": "H", "parent_id": cold.pk})
    assert "would overflow into itself" in circle.content.decode()
    client.post(north.path(f"zones/{cold.pk}/"), {"name": "Cold", "parent_id": ""})
    assert "any place with room" in html(north, f"warehouses/{site.warehouse.pk}/zones/")
    with north.scope():
        assert Zone.objects.get(pk=cold.pk).parent is None


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
