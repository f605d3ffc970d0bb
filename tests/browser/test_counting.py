"""Counting at 390 px with the scanner only, and the approval by another person."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import CycleCount
from inventory.services.counting import request_count
from tests.browser.doors import address, enter
from tests.browser.test_scanning import PHONE, scan
from tests.cast import House
from tests.inventory.book import make_lot, make_product, make_site, on_hand


@pytest.mark.django_db(transaction=True)
def test_a_place_is_counted_with_the_scanner_and_approved_by_another(
    page: Page, live_server, north: House
) -> None:
    with north.scope():
        site = make_site()
        apple = make_product(unit_cost=Decimal(2))
        milk = make_product("MILK", lot_tracking="lot", unit_cost=Decimal(1))
        site.receive(apple, 7341)
        site.receive(milk, 6, lot_id=make_lot(milk, "L-1").pk)
        count = request_count(location_id=site.at("storage"))
    page.set_viewport_size(PHONE)
    enter(page, live_server, north, "operator")
    page.goto(address(live_server, north, "counts/"))
    page.get_by_role("link", name="Count STORAGE").click()
    step = page.locator("#scan-step")
    expect(page.locator("[data-scan-input]")).to_be_focused()

    # two rounds: the first differs, so the apples are counted again; blind all the way
    scan(page, "STORAGE")
    for quantity in ("7000", "7001"):
        expect(step).to_have_attribute("data-scan-step", "goods")
        scan(page, "APPLE")
        expect(step).to_have_attribute("data-scan-step", "quantity")
        scan(page, quantity)
        expect(step).to_have_attribute("data-scan-step", "goods")
        if quantity == "7000":
            scan(page, "MILK")
            expect(step).to_have_attribute("data-scan-step", "lot")
            scan(page, "L-1")
            scan(page, "6")
            expect(page.get_by_text("6 pcs Milk").first).to_be_visible()
        assert "7,341" not in page.content()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="That is all").click()
        if quantity == "7000":
            expect(step).to_have_attribute("data-scan-step", "place")
            scan(page, "STORAGE")
    expect(page.get_by_text("is counted and handed in").first).to_be_visible()
    with north.scope():
        assert CycleCount.objects.get().state == "counted"
        assert on_hand(apple) == 7341

    # who counted is not asked to approve; another person sees the rounds and does it
    page.goto(address(live_server, north, f"counts/{count.pk}/"))
    expect(page.get_by_role("button", name="Approve and post")).to_have_count(0)
    page.context.clear_cookies()
    enter(page, live_server, north, "manager")
    page.goto(address(live_server, north, "counts/review/"))
    page.get_by_role("link", name="STORAGE").click()
    expect(page.get_by_text("7,001 pcs").first).to_be_visible()
    page.get_by_role("button", name="Approve and post").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Approve and post").click()
    expect(page.get_by_text("The count was approved").first).to_be_visible()
    with north.scope():
        assert CycleCount.objects.get().state == "posted"
        assert (on_hand(apple), on_hand(milk)) == (7001, 6)
