"""A transfer sent and received, and a return inspected, at 390 px with nothing but a scanner."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from inventory.models import TransferState
from tests.browser.doors import address, enter
from tests.cast import House
from tests.inventory.book import make_product, on_hand
from tests.inventory.returns_world import make_counter, outcomes
from tests.inventory.shifting import fresh, make_pair

PHONE = {"width": 390, "height": 844}


def scan(page: Page, code: str, then: str) -> None:
    """Type like a keyboard-wedge scanner, and wait for the step that follows."""
    expect(page.locator("[data-scan-input]")).to_be_focused()
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    expect(page.locator("#scan-step")).to_have_attribute("data-scan-step", then)


@pytest.mark.django_db(transaction=True)
def test_a_transfer_is_sent_and_received_with_the_scanner_only(
    page: Page, live_server, north: House
) -> None:
    with north.scope():
        pair, apple = make_pair(), make_product()
        pair.here.receive(apple, 10)
        order = pair.released((apple, 6))
    page.set_viewport_size(PHONE)
    enter(page, live_server, north, "operator")
    page.goto(address(live_server, north, f"transfers/{order.pk}/scan/send/"))
    scan(page, "PACKING", "place")
    expect(page.get_by_role("alert")).to_contain_text("does not wait here")
    scan(page, "STORAGE", "goods")
    scan(page, "APPLE", "quantity")
    scan(page, "4", "place")
    expect(page.get_by_role("status").filter(has_text="4 pcs Apple sent")).to_be_visible()
    scan(page, "STORAGE", "goods")
    scan(page, "APPLE", "quantity")
    scan(page, "!all", "over")

    page.goto(address(live_server, north, f"transfers/{order.pk}/scan/receive/"))
    scan(page, "APPLE", "quantity")
    scan(page, "!all", "over")
    with north.scope():
        assert fresh(order).state == TransferState.RECEIVED
        assert on_hand(apple, pair.there.at("receiving")) == 6
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.django_db(transaction=True)
def test_a_return_is_received_and_inspected_with_the_scanner_only(
    page: Page, live_server, north: House
) -> None:
    with north.scope():
        counter, apple = make_counter(), make_product()
        shipment = counter.shipped(apple, 3)
    page.set_viewport_size(PHONE)
    enter(page, live_server, north, "operator")
    page.goto(address(live_server, north, "returns/scan/"))
    scan(page, shipment.number, "goods")
    scan(page, "APPLE", "quantity")
    scan(page, "1", "goods")
    expect(page.get_by_role("status").filter(has_text="are in quarantine")).to_be_visible()
    with north.scope():
        back = shipment.sales_order.returns.get()
    page.goto(address(live_server, north, f"returns/{back.pk}/scan/inspect/"))
    scan(page, "APPLE", "quantity")
    scan(page, "!all", "outcome")
    scan(page, "!restock", "over")
    with north.scope():
        assert outcomes(back) == (1, 0, 0, 0)
        assert on_hand(apple, counter.at("receiving")) == 1
