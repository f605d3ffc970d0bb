"""From a suggestion to a draft purchase order, as a planner does it."""

import pytest
from playwright.sync_api import Page, expect

from inventory.models import PurchaseOrder
from tests.cast import PASSWORD, House
from tests.forecasting.test_pages import plan


def sign_in(page: Page, house: House, address: str) -> None:
    page.goto(f"{address}{house.path('suggestions/')}")
    page.locator("input[name=login]").fill(house.members["planner"].email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form button[type=submit]").first.click()


@pytest.mark.django_db(transaction=True)
def test_a_planner_asks_why_changes_a_quantity_and_makes_draft_orders(
    page: Page, live_server, north: House
) -> None:
    plan(north)
    sign_in(page, north, live_server.url)

    page.get_by_role("button", name="Why this number for Product 1").click()
    expect(page.get_by_text("Expected demand over the next 12 days")).to_be_visible()
    page.get_by_role("button", name="Close").click()

    page.get_by_label("Quantity of Product 1").fill("60")
    page.get_by_role("checkbox", name="Product 1").check()
    page.get_by_role("checkbox", name="Product 2").check()
    expect(page.locator("[data-selection-count]")).to_have_text("2")
    page.get_by_label("Reason").fill("A fair in May")
    page.get_by_role("button", name="Make draft orders").click()

    expect(page.get_by_text("has been made")).to_be_visible()
    with north.scope():
        order = PurchaseOrder.objects.get()
        lines = order.lines.order_by("product__sku").values_list("quantity", flat=True)
        assert list(lines) == [60, 45]
    page.goto(f"{live_server.url}{north.path('suggestions/')}")
    expect(page.get_by_role("checkbox", name="Product 3")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Product 1")).to_have_count(0)


@pytest.mark.django_db(transaction=True)
def test_the_fan_is_drawn_and_its_table_holds_the_same_figures(
    page: Page, live_server, north: House
) -> None:
    world = plan(north)
    sign_in(page, north, live_server.url)

    product, warehouse = world.products[0], world.warehouse
    page.goto(f"{live_server.url}{north.path(f'forecasts/{product.pk}/{warehouse.pk}/')}")
    expect(page.locator("figure[data-chart=fan] canvas")).to_be_visible()
    page.get_by_text("Show as table").click()
    expect(page.locator("figure[data-chart=fan] table tbody tr")).to_have_count(40 + 28)
