"""Pages of purchase orders: from a draft to a placed order, and by whom it is allowed."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from inventory.models import (
    Product,
    PurchaseOrder,
    PurchaseOrderState,
)
from inventory.pages import purchasing
from inventory.services.purchasing import OrderLine, create_draft_order, place_order
from inventory.services.suppliers import Offer, SupplierFields, create_supplier, set_offer
from tenancy.models import User
from tenancy.queries.keyset import keyset_page
from tests.cast import House
from tests.inventory.book import Site, make_product, make_site

LIST = "purchase-orders/"


def world(house: House, **product: Any) -> tuple[Site, Product, PurchaseOrder]:
    """Return a site, an apple that costs 2.50, and a draft of ten of them."""
    with house.scope():
        site, apple = make_site(), make_product(**product)
        supplier = create_supplier(fields=SupplierFields(code="SAM", name="Sam", lead_time_days=7))
        set_offer(
            supplier_id=supplier.pk,
            product_id=apple.pk,
            offer=Offer(price=Decimal("2.5")),
            price_breaks={Decimal(100): Decimal("2.2")},
        )
        order = create_draft_order(
            supplier_id=supplier.pk,
            warehouse_id=site.warehouse.pk,
            lines=[OrderLine(apple.pk, Decimal(10))],
        )
    return site, apple, order


def place(house: House, order: PurchaseOrder) -> PurchaseOrder:
    with house.scope():
        return place_order(order_id=order.pk)


def fresh(house: House, order: PurchaseOrder) -> PurchaseOrder:
    with house.scope():
        return PurchaseOrder.objects.get(pk=order.pk)


def page(house: House, order: PurchaseOrder, rest: str = "") -> str:
    return house.path(f"{LIST}{order.pk}/{rest}")


def receipt(order: PurchaseOrder, house: House, **values: Any) -> dict[str, Any]:
    """Return a filled receipt of the order's only line."""
    with house.scope():
        line = order.lines.get()
    named = {f"{name}_{line.pk}": value for name, value in values.items() if name != "location"}
    return {"location": values.get("location", "RECEIVING"), **named}


# -- list -----------------------------------------------------------------------------------------
def test_the_list_shows_state_value_and_what_has_come(north: House) -> None:
    _site, _apple, order = world(north)
    html = north.client("viewer").get(north.path(LIST)).content.decode()
    assert order.number in html
    assert "€25.00" in html  # ten at 2.50
    assert "Draft" in html


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("state=draft", True),
        ("state=placed", False),
        ("state=expected", False),
        ("state=late", False),
        ("q=PO-", True),
        ("q=sam", True),
        ("q=nobody", False),
    ],
)
def test_the_list_is_filtered_by_state_number_and_supplier(
    north: House, query: str, is_shown: bool
) -> None:
    _site, _apple, order = world(north)
    html = north.client("viewer").get(north.path(f"{LIST}?{query}")).content.decode()
    assert (order.number in html) is is_shown


def test_an_order_past_its_expected_day_is_late(north: House) -> None:
    site, apple, _order = world(north)
    with north.scope():
        supplier = create_supplier(fields=SupplierFields(code="SLO", name="Slow"))
        late = create_draft_order(
            supplier_id=supplier.pk,
            warehouse_id=site.warehouse.pk,
            expected_on="2026-01-02",
            lines=[OrderLine(apple.pk, Decimal(1), Decimal(1))],
        )
    place(north, late)
    html = north.client("viewer").get(north.path(f"{LIST}?state=late")).content.decode()
    assert late.number in html
    assert "Late" in html


def test_the_expected_list_pages_by_day_without_gaps(north: House, monkeypatch) -> None:
    site, apple, order = world(north)
    with north.scope():
        orders = [
            place_order(
                order_id=create_draft_order(
                    supplier_id=order.supplier_id,
                    warehouse_id=site.warehouse.pk,
                    expected_on=f"2027-01-0{9 - day}",
                    lines=[OrderLine(apple.pk, Decimal(1))],
                ).pk
            )
            for day in range(3)
        ]
    monkeypatch.setattr(purchasing, "keyset_page", partial(keyset_page, size=2))
    first = north.client("viewer").get(north.path(f"{LIST}?state=expected"))
    seen = [row[0].pk for row in first.context["rows"]]
    assert first.context["next_cursor"]
    cursor = first.context["next_cursor"]
    rest = north.client("viewer").get(north.path(f"{LIST}?state=expected&cursor={cursor}"))
    seen += [row[0].pk for row in rest.context["rows"]]
    assert seen == [orders[2].pk, orders[1].pk, orders[0].pk]


def test_the_list_asks_the_same_number_of_questions_however_many_orders(
    north: House, django_assert_num_queries
) -> None:
    site, apple, order = world(north)
    client = north.client("viewer")
    with django_assert_num_queries(LIST_QUERIES):
        client.get(north.path(LIST))
    with north.scope():
        for _ in range(5):
            create_draft_order(
                supplier_id=order.supplier_id,
                warehouse_id=site.warehouse.pk,
                lines=[OrderLine(apple.pk, Decimal(3))],
            )
    with django_assert_num_queries(LIST_QUERIES):
        client.get(north.path(LIST))


# session, user, tenant, savepoint, scope, membership, suppliers, warehouses the member works in,
# orders, lines, scope left, release
LIST_QUERIES = 12


# -- drafts ---------------------------------------------------------------------------------------
def test_a_planner_drafts_an_order_and_a_second_press_finds_the_first(north: House) -> None:
    site, _apple, order = world(north)
    client = north.client("planner")
    form = {
        "supplier_id": order.supplier_id,
        "warehouse_id": site.warehouse.pk,
        "note": "by hand",
        "idempotency_key": uuid4().hex,
    }
    first = client.post(north.path(f"{LIST}new/"), form)
    second = client.post(north.path(f"{LIST}new/"), form)
    assert first.status_code == 302
    assert first["Location"] == second["Location"]
    with north.scope():
        assert PurchaseOrder.objects.filter(note="by hand").count() == 1


@pytest.mark.parametrize("role", ["viewer", "operator"])
@pytest.mark.parametrize("rest", ["lines/", "place/", "cancel/", "close/"])
def test_whoever_may_not_buy_is_refused(north: House, role: str, rest: str) -> None:
    _site, apple, order = world(north)
    form = {"product_id": apple.sku, "quantity": "1", "version": order.version}
    answer = north.client(role).post(page(north, order, rest), form)
    assert answer.status_code == 403
    assert fresh(north, order).state == PurchaseOrderState.DRAFT


def test_a_viewer_sees_the_order_without_its_buttons(north: House) -> None:
    _site, _apple, order = world(north)
    html = north.client("viewer").get(page(north, order)).content.decode()
    assert order.number in html
    assert "Place order" not in html
    assert "Add line" not in html


def test_a_line_takes_the_price_of_its_quantity(north: House) -> None:
    _site, _apple, order = world(north)
    with north.scope():
        pear = make_product("PEAR")
        set_offer(
            supplier_id=order.supplier_id,
            product_id=pear.pk,
            offer=Offer(price=Decimal(3)),
            price_breaks={Decimal(100): Decimal("2.2")},
        )
    form = {"product_id": "pear", "quantity": "120", "version": order.version}
    answer = north.client("planner").post(page(north, order, "lines/"), form)
    assert answer.status_code == 302
    with north.scope():
        assert order.lines.get(product=pear).unit_price == Decimal("2.2")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("product_id", "NOSUCH", "No product has the SKU or barcode NOSUCH."),
        ("product_id", "APPLE", "is on this order already"),
        ("quantity", "-1", "not a positive"),
        ("quantity", "lots", "Enter a number"),
        ("version", "99", "changed by somebody else"),
    ],
)
def test_a_wrong_line_is_shown_again_with_its_error(
    north: House, field: str, value: str, words: str
) -> None:
    _site, _apple, order = world(north)
    with north.scope():
        pear = make_product("PEAR")
        set_offer(supplier_id=order.supplier_id, product_id=pear.pk, offer=Offer(price=Decimal(3)))
    form = {"product_id": "PEAR", "quantity": "1", "version": order.version, field: value}
    answer = north.client("planner").post(page(north, order, "lines/"), form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with north.scope():
        assert order.lines.count() == 1


def test_a_line_is_taken_off(north: House) -> None:
    _site, _apple, order = world(north)
    with north.scope():
        line = order.lines.get()
    answer = north.client("planner").post(page(north, order, f"lines/{line.pk}/remove/"))
    assert answer.status_code == 302
    with north.scope():
        assert order.lines.count() == 0


# -- states ---------------------------------------------------------------------------------------
def test_a_draft_is_placed_and_then_offers_receiving(north: House) -> None:
    _site, _apple, order = world(north)
    client = north.client("planner")
    client.post(page(north, order, "place/"), {"version": order.version})
    assert fresh(north, order).state == PurchaseOrderState.PLACED
    html = client.get(page(north, order)).content.decode()
    assert "Receive goods" in html
    assert "Add line" not in html


def test_an_order_below_the_minimum_is_placed_only_when_said_so(north: House) -> None:
    _site, _apple, order = world(north)
    with north.scope():
        order.supplier.minimum_order_value = Decimal(100)
        order.supplier.save()
    client = north.client("planner")
    refused = client.post(page(north, order, "place/"), follow=True)
    assert "25.00" in refused.content.decode()
    assert fresh(north, order).state == PurchaseOrderState.DRAFT
    client.post(page(north, order, "place/"), {"accept_below_minimum": "yes"})
    assert fresh(north, order).state == PurchaseOrderState.PLACED


def test_a_stale_page_places_nothing(north: House) -> None:
    _site, _apple, order = world(north)
    answer = north.client("planner").post(
        page(north, order, "place/"), {"version": 99}, follow=True
    )
    assert "changed by somebody else" in answer.content.decode()
    assert fresh(north, order).state == PurchaseOrderState.DRAFT


def test_an_order_is_cancelled_until_goods_have_come(north: House) -> None:
    _site, _apple, order = world(north)
    client = north.client("planner")
    place(north, order)
    client.post(page(north, order, "receive/"), receipt(order, north, quantity="1"))
    refused = client.post(page(north, order, "cancel/"), follow=True)
    assert "possible only when" in refused.content.decode()
    client.post(page(north, order, "close/"))
    assert fresh(north, order).state == PurchaseOrderState.CLOSED


# -- strangers ------------------------------------------------------------------------------------
def test_a_stranger_and_another_tenant_find_nothing(
    north: House, south: House, stranger: User
) -> None:
    _site, _apple, order = world(north)
    visitor = Client()
    visitor.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    assert visitor.get(page(north, order)).status_code == 404
    own = south.path(f"{LIST}{order.pk}/")
    assert south.client("owner").get(own).status_code == 404
    for rest in ("place/", "cancel/", "close/", "lines/", "receive/"):
        assert south.client("owner").post(own + rest).status_code == 404
