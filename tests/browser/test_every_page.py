"""Every page that a person reaches from the menu: nothing in the console, nothing cut off."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from inventory.queries.reports import REPORTS
from tests.browser.doors import address, enter
from tests.cast import House
from tests.inventory.test_purchase_order_pages import place, world

PAGES = [
    "",
    "scan/",
    "scan/receive/",
    "scan/put-away/",
    "scan/pick/",
    "scan/commands/",
    "to-receive/",
    "receipts/",
    "receipts/new/",
    "to-put-away/",
    "scan/move/",
    "products/",
    "products/new/",
    "stock/",
    "lots/",
    "lots/of-a-document/",
    "movements/",
    "warehouses/",
    "reports/",
    *(f"reports/{name}/" for name in REPORTS),
    "forecasts/",
    "suggestions/",
    "warnings/",
    "networks/",
    "purchase-orders/",
    "purchase-orders/new/",
    "suppliers/",
    "suppliers/new/",
    "to-allocate/",
    "sales-orders/",
    "sales-orders/new/",
    "customers/",
    "customers/new/",
    "customers/segments/",
    "channels/",
    "channels/new/",
    "import/",
    "jobs/",
    "counts/",
    "counts/review/",
    "counts/all/",
    "counts/risk/",
    "counts/new/",
    "stock/adjust/",
    "scan/count/",
    "scan/adjust/",
    "settings/",
    "settings/counting/",
    "settings/members/",
    "settings/api-keys/",
    "settings/api-keys/new/",
    "settings/audit/",
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 844}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def visit(page: Page, live_server, house: House, rest: str) -> None:
    answer = page.goto(address(live_server, house, rest), wait_until="load")
    assert answer is not None
    assert answer.status == 200, rest
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate(OVERFLOW) <= 0, f"{rest} is wider than the screen"


@pytest.mark.django_db(transaction=True)
def test_pages_of_a_new_tenant_are_clean(page: Page, live_server, north: House) -> None:
    enter(page, live_server, north)
    for rest in PAGES:
        visit(page, live_server, north, rest)


@pytest.mark.django_db(transaction=True)
def test_pages_with_an_order_a_supplier_and_a_product_are_clean(
    page: Page, live_server, north: House
) -> None:
    """At both widths: a page is loaded in the hand and then made wide, as when a tablet turns."""
    site, apple, order = world(north)
    place(north, order)
    enter(page, live_server, north)
    for rest in (
        *PAGES,
        f"products/{apple.pk}/",
        f"products/{apple.pk}/labels/",
        f"warehouses/{site.warehouse.pk}/labels/",
        f"warehouses/{site.warehouse.pk}/",
        f"warehouses/{site.warehouse.pk}/zones/",
        f"warehouses/{site.warehouse.pk}/locations/",
        f"warehouses/{site.warehouse.pk}/put-away-rules/",
        f"locations/{site.at('storage')}/",
        f"purchase-orders/{order.pk}/",
        f"purchase-orders/{order.pk}/receive/",
        f"suppliers/{order.supplier_id}/",
    ):
        page.set_viewport_size(PHONE)
        visit(page, live_server, north, rest)
        page.set_viewport_size(DESK)
        assert page.evaluate(OVERFLOW) <= 0, f"{rest} is wider than the desk"


@pytest.mark.django_db(transaction=True)
def test_the_console_check_sees_what_the_policy_refuses(page: Page, live_server, north) -> None:
    """Control: an inline handler is refused by the policy, and the console says so."""
    enter(page, live_server, north)
    heard: list[str] = []
    watched = page.context.new_page()  # a page whose console is not checked at the end
    watched.on("console", lambda line: heard.append(line.text) if line.type == "error" else None)
    watched.goto(address(live_server, north, "settings/"))
    watched.evaluate("document.body.insertAdjacentHTML('beforeend', '<b style=\"color:red\">')")
    watched.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=1>')")
    watched.wait_for_timeout(200)
    assert any("Content Security Policy" in line for line in heard)
