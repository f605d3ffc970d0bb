"""Buying on a phone: from a draft to goods on the dock, with a thumb and a scanner."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from inventory.models import LotTracking, PurchaseOrder, PurchaseOrderState
from tests.browser.doors import address, enter
from tests.cast import House
from tests.inventory.book import on_hand
from tests.inventory.test_purchase_order_pages import place, world

PHONE = {"width": 390, "height": 844}


@pytest.mark.django_db(transaction=True)
def test_an_operator_receives_an_order_on_a_phone(page: Page, live_server, north: House) -> None:
    site, apple, order = world(north, lot_tracking=LotTracking.LOT)
    place(north, order)
    page.set_viewport_size(PHONE)
    enter(page, live_server, north, "operator")

    page.goto(address(live_server, north, f"purchase-orders/{order.pk}/"))
    page.get_by_role("link", name="Receive goods").click()
    expect(page.get_by_label("Arrived")).to_have_value("10")

    # forgotten: the lot. The page comes back with what was typed and says what is missing
    page.get_by_label("Arrived").fill("6")
    page.get_by_role("button", name="Receive goods").click()
    expect(page.get_by_text("enter the lot printed on the goods.").first).to_be_visible()
    expect(page.get_by_label("Arrived")).to_have_value("6")

    page.get_by_label("Lot", exact=True).fill("L-7")
    page.get_by_text("Some of it is damaged").click()
    page.get_by_label("Damaged").fill("2")
    page.get_by_role("button", name="Receive goods").dblclick()

    expect(page.get_by_text("The goods were received.")).to_be_visible()
    with north.scope():
        assert on_hand(apple, site.at("receiving")) == 4
        assert on_hand(apple, site.at("damaged")) == 2
        state = PurchaseOrder.objects.get(pk=order.pk).state
    assert state == PurchaseOrderState.PARTIALLY_RECEIVED


@pytest.mark.django_db(transaction=True)
def test_a_planner_places_a_draft_after_being_asked(page: Page, live_server, north: House) -> None:
    _site, _apple, order = world(north)
    enter(page, live_server, north, "planner")
    page.goto(address(live_server, north, f"purchase-orders/{order.pk}/"))

    page.get_by_role("button", name="Place order").click()
    question = page.locator("#confirm-dialog")
    expect(question).to_contain_text("Its lines cannot be changed any more.")
    with north.scope():
        assert PurchaseOrder.objects.get(pk=order.pk).state == PurchaseOrderState.DRAFT
    question.get_by_role("button", name="Place order").click()

    expect(page.get_by_text("The order was placed")).to_be_visible()
    with north.scope():
        assert PurchaseOrder.objects.get(pk=order.pk).state == PurchaseOrderState.PLACED


@pytest.mark.django_db(transaction=True)
def test_a_refused_line_is_told_at_the_top_of_the_order(
    page: Page, live_server, north: House
) -> None:
    _site, _apple, order = world(north)
    enter(page, live_server, north, "planner")
    page.goto(address(live_server, north, f"purchase-orders/{order.pk}/"))
    page.get_by_role("button", name="Add line").first.click()
    page.get_by_label("Product").fill("NOSUCH")
    page.get_by_label("Quantity").fill("3")
    page.locator("#add-line").get_by_role("button", name="Add line").click()
    expect(page.get_by_text("No product has the SKU or barcode NOSUCH.").first).to_be_visible()
