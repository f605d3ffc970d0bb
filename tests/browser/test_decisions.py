"""Ten suggestions become two orders and then stock; a what-if; a warning from open to resolved."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from forecasting.models import ReorderSuggestion, RiskWarning
from inventory.models import PurchaseOrder, Supplier, SupplierItem
from inventory.queries.availability import availability
from tenancy.services.jobs import run_job_here
from tests.browser.test_suggestions import sign_in
from tests.cast import House
from tests.forecasting.world import build_world, flat_forecast, stock


def plan_ten(house: House) -> None:
    """Ten products of two suppliers, 15 in stock of each, five a day: 45 of each are needed."""
    with house.scope():
        world = build_world(products=10, days=40)
        second = Supplier.objects.create(code="S2", name="Supplier Two", lead_time_days=5)
        SupplierItem.objects.filter(pk__in=[item.pk for item in world.items[5:]]).update(
            supplier=second
        )
        stock(world, {product.sku: 15 for product in world.products})
        flat_forecast(world, 5.0)
    for kind in ("make_suggestions", "make_warnings"):
        run_job_here(tenant=house.tenant, kind=kind, payload={})


def buy(page: Page, address: str) -> None:
    """Place a draft order and receive all of it, by its pages."""
    page.goto(address)
    page.get_by_role("button", name="Place order").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Place order").click()
    expect(page.get_by_text("The order was placed")).to_be_visible()
    page.get_by_role("link", name="Receive goods").click()
    expect(page.get_by_label("Arrived").first).to_have_value("45")
    page.get_by_role("button", name="Receive goods").click()
    expect(page.get_by_text("The goods were received.")).to_be_visible()


@pytest.mark.django_db(transaction=True)
def test_ten_suggestions_become_two_orders_and_then_stock(
    page: Page, live_server, north: House
) -> None:
    plan_ten(north)
    sign_in(page, north, live_server.url)

    page.get_by_role("link", name="Product 1", exact=True).click()
    expect(page.get_by_role("heading", name="Ways to get it")).to_be_visible()
    page.go_back()
    page.get_by_role("checkbox", name="Select all").check()
    expect(page.locator("[data-selection-count]")).to_have_text("10")
    page.get_by_role("button", name="Make draft orders").click()
    expect(page.get_by_text("2 drafts have been made")).to_be_visible()

    with north.scope():
        orders = list(PurchaseOrder.objects.order_by("supplier__code"))
        assert [order.lines.count() for order in orders] == [5, 5]
    for order in orders:
        buy(page, f"{live_server.url}{north.path(f'purchase-orders/{order.pk}/')}")
    for kind in ("make_suggestions", "make_warnings"):
        run_job_here(tenant=north.tenant, kind=kind, payload={})
    with north.scope():
        positions = {row.inventory_position for row in availability()}
        assert positions == {Decimal(60)}
        assert not ReorderSuggestion.objects.filter(state="new").exists()
    page.goto(f"{live_server.url}{north.path('suggestions/')}")
    expect(page.get_by_text("Nothing to order")).to_be_visible()


@pytest.mark.django_db(transaction=True)
def test_a_what_if_writes_nothing_and_a_warning_is_followed_to_its_end(
    page: Page, live_server, north: House
) -> None:
    plan_ten(north)
    sign_in(page, north, live_server.url)

    page.goto(f"{live_server.url}{north.path('what-if/')}")
    page.get_by_label("Demand more by").fill("20")
    page.get_by_label("Lead times longer by").fill("2")
    page.get_by_role("button", name="Compare").click()
    # 6 a day x (7 + 7) - 15 = 69 of ten products at 4
    expect(page.get_by_role("row", name="Value of those orders")).to_contain_text("2,760.00")
    expect(page.locator("#what-if canvas")).to_be_visible()
    with north.scope():
        assert {row.quantity for row in ReorderSuggestion.objects.all()} == {Decimal(45)}

    page.goto(f"{live_server.url}{north.path('warnings/')}")
    page.get_by_role("checkbox", name="Product 1", exact=True).check()
    page.get_by_label("Assign to").select_option(index=1)
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("1 warning was assigned")).to_be_visible()
    page.get_by_role("checkbox", name="Product 1", exact=True).check()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("is now: Acknowledged")).to_be_visible()
    page.goto(f"{live_server.url}{north.path('warnings/?state=acknowledged')}")
    page.get_by_role("checkbox", name="Product 1", exact=True).check()
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("is now: Resolved")).to_be_visible()
    with north.scope():
        closed = RiskWarning.objects.get(state="resolved")
        assert closed.assigned_to is not None
        assert closed.resolved_at is not None
