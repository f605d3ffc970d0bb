"""Moving stock at 390 px with nothing but a scanner: keys and Enter, no touch."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from inventory.models import StockMovement
from inventory.services.places import create_location
from tests.browser.doors import address, enter
from tests.cast import House
from tests.inventory.book import make_product, make_site, on_hand

PHONE = {"width": 390, "height": 844}


def scan(page: Page, code: str) -> None:
    """Type like a keyboard-wedge scanner: wherever the focus is, without touching the page."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")


@pytest.mark.django_db(transaction=True)
def test_stock_is_moved_with_the_scanner_only(page: Page, live_server, north: House) -> None:
    with north.scope():
        site, apple = make_site(), make_product()
        shelf = create_location(warehouse_id=site.warehouse.pk, code="A-01")
        site.receive(apple, 10)
    page.set_viewport_size(PHONE)
    enter(page, live_server, north, "operator")
    page.goto(address(live_server, north, "scan/move/"))
    step = page.locator("#scan-step")
    expect(page.locator("[data-scan-input]")).to_be_focused()

    # refused: what is asked for is said, with what was scanned, and the input is ready again
    scan(page, "APPLE")
    expect(page.get_by_role("alert")).to_contain_text("is a product. Scan a location.")
    expect(step).to_have_attribute("data-scan-result", "refused")
    expect(page.locator("[data-scan-input]")).to_be_focused()

    # the scanner reads the label twice: the second is dropped, in the same step and within 0.7 s
    scan(page, "STORAGE")
    expect(step).to_have_attribute("data-scan-step", "goods")
    scan(page, "APPLE")
    expect(step).to_have_attribute("data-scan-step", "to")
    scan(page, "APPLE")
    scan(page, "APPLE")
    expect(page.get_by_text("2 pcs").first).to_be_visible()
    page.wait_for_timeout(800)
    expect(step).not_to_contain_text("3 pcs")

    # Enter twice, and a tap somewhere beside the input
    page.keyboard.type("A-01")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="moved to A-01")).to_be_visible()
    page.locator("h1").click()
    expect(page.locator("[data-scan-input]")).to_be_focused()
    with north.scope():
        assert on_hand(apple, shelf.pk) == 2

    # a second code scanned before the first is answered waits its turn
    page.reload()
    expect(step).to_have_attribute("data-scan-step", "goods")
    scan(page, "APPLE")
    scan(page, "A-01")
    expect(page.get_by_text("1 pcs Apple moved to A-01").first).to_be_visible()
    with north.scope():
        assert on_hand(apple, shelf.pk) == 3

    page.get_by_role("button", name="Take the move back").click()
    expect(page.get_by_text("The last move was taken back.")).to_be_visible()
    with north.scope():
        assert on_hand(apple, shelf.pk) == 2
        assert StockMovement.objects.filter(reverses__isnull=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_scan_that_did_not_arrive_is_sent_again_and_counts_once(
    page: Page, live_server, north: House
) -> None:
    with north.scope():
        site, apple = make_site(), make_product()
        shelf = create_location(warehouse_id=site.warehouse.pk, code="A-01")
        site.receive(apple, 10)
        start = f"scan/move/?place={site.at('storage')}&product={apple.pk}&quantity=1"
    page.set_viewport_size(PHONE)
    enter(page, live_server, north, "operator")
    page.goto(address(live_server, north, start))
    # the server gets the scan, the answer gets lost
    lost = page.context.new_page()
    lost.set_viewport_size(PHONE)
    lost.goto(address(live_server, north, start))

    def lose(route) -> None:
        route.fetch()
        route.abort()

    lost.route("**/scan/move/", lose, times=1)
    scan(lost, "A-01")
    expect(lost.locator("[data-scan-input]")).to_have_value("A-01")
    with north.scope():
        assert on_hand(apple, shelf.pk) == 1
    lost.keyboard.press("Enter")
    expect(lost.get_by_text("1 pcs Apple moved to A-01").first).to_be_visible()
    with north.scope():
        assert on_hand(apple, shelf.pk) == 1
