"""Releasing waves at the desk: the preview follows what is chosen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.doors import address, enter
from tests.cast import House
from tests.inventory.outbound_world import make_floor, make_product


@pytest.mark.django_db(transaction=True)
def test_the_preview_follows_the_choice_at_the_desk(page: Page, live_server, north: House) -> None:
    with north.scope():
        floor, apple = make_floor(), make_product()
        for _ in range(3):
            floor.ready(apple, 2)
    enter(page, live_server, north, "operator")
    page.goto(address(live_server, north, "to-pick/"))
    page.get_by_label("Select all orders").check()
    page.get_by_role("button", name="Release as waves").click()
    expect(page.get_by_text("Only the 3 orders you chose.")).to_be_visible()
    preview = page.locator("#wave-release .table tbody tr")
    expect(preview).to_have_count(1)
    page.get_by_text("One order", exact=True).click()
    expect(preview).to_have_count(3)
    page.get_by_role("button", name="Release", exact=True).click()
    expect(page.get_by_text("Released. The picks wait in the work list.")).to_be_visible()
    expect(page.get_by_text("WV-000003")).to_be_visible()
