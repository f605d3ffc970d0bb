"""From the truck to the shelf at 390 px, with nothing but a scanner: keys and Enter."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Barcode, LotTracking, Product, PurchaseOrder, PurchaseOrderState
from inventory.queries.integrity import check_book
from inventory.services.places import Limits, create_location
from tests.browser.doors import address, enter
from tests.browser.test_scanning import PHONE, scan
from tests.cast import House
from tests.inventory.book import make_product, make_site, on_hand
from tests.inventory.inbound import placed_order

GTIN = "04006381333931"


@pytest.mark.django_db(transaction=True)
def test_an_order_with_lot_and_expiry_is_received_and_put_away_by_scanner(
    page: Page, live_server, north: House
) -> None:
    with north.scope():
        site = make_site()
        milk = make_product("MILK", lot_tracking=LotTracking.LOT, volume_l=Decimal(1))
        Barcode.objects.create(code=GTIN, product=milk)
        order = placed_order(site, milk)
        room = Limits(max_volume_l=Decimal(6))
        shelves = [
            create_location(
                warehouse_id=site.warehouse.pk, code=code, walking_order=walk, limits=room
            )
            for walk, code in enumerate(["A-01", "A-02"], 10)
        ]
        site.places["storage"].max_volume_l = Decimal(0)
        site.places["storage"].save()
    page.set_viewport_size(PHONE)
    enter(page, live_server, north, "operator")
    step, said = page.locator("#scan-step"), page.locator(".scan-result-ok")

    # the order's number on the scan page leads to receiving it
    page.goto(address(live_server, north, "scan/receive/"))
    expect(page.locator("[data-scan-input]")).to_be_focused()
    scan(page, order.number)
    expect(step).to_have_attribute("data-scan-step", "goods")
    # a GS1 label says product, expiry and lot; the quantity is typed
    scan(page, f"(01){GTIN}(17)270331(10)L-7")
    expect(step).to_have_attribute("data-scan-step", "quantity")
    scan(page, "11")
    expect(page.get_by_role("alert")).to_contain_text("at most 10 can still come")
    scan(page, "7")
    expect(step).to_have_attribute("data-scan-step", "goods")
    # a label without lot and expiry: both are asked
    scan(page, GTIN)
    expect(step).to_have_attribute("data-scan-step", "lot")
    scan(page, "L-8")
    expect(step).to_have_attribute("data-scan-step", "expiry")
    scan(page, "270430")
    expect(step).to_have_attribute("data-scan-step", "quantity")
    scan(page, "3")
    expect(page.get_by_text("10 / 10")).to_be_visible()
    scan(page, order.number)
    expect(said).to_contain_text("RC-000001 is booked")
    with north.scope():
        assert on_hand(milk, site.at("receiving")) == 10
        expiries = set(Product.objects.get(pk=milk.pk).lots.values_list("code", "expires_on"))
        assert expiries == {("L-7", date(2027, 3, 31)), ("L-8", date(2027, 4, 30))}
        state = PurchaseOrder.objects.get(pk=order.pk).state
    assert state == PurchaseOrderState.RECEIVED

    page.goto(address(live_server, north, "scan/put-away/"))
    scan(page, "L-8")
    expect(step).to_have_attribute("data-scan-step", "to")
    expect(step).to_contain_text("A-01")
    scan(page, "A-01")
    expect(said).to_contain_text("3 pcs Milk put away at A-01")
    # 7 of the other lot: 3 more fit beside it, 4 next door; each place takes what is its
    scan(page, "L-7")
    expect(step).to_have_attribute("data-scan-step", "to")
    scan(page, "A-01")
    expect(said).to_contain_text("3 pcs Milk put away at A-01")
    page.get_by_role("button", name="Take the put-away back").click()
    expect(said).to_contain_text("The last put-away was taken back.")
    # next door first: 4 there as suggested, then 2 beside the same lot, the last one at A-01
    for place, left in (("A-02", "3 pcs"), ("A-02", "1 pcs"), ("A-01", "The docks are empty")):
        scan(page, "L-7")
        expect(step).to_have_attribute("data-scan-step", "to")
        scan(page, place)
        expect(step).to_have_attribute("data-scan-step", "goods")
        expect(step).to_contain_text(left)
    expect(page.get_by_text("The docks are empty")).to_be_visible()
    with north.scope():
        assert [on_hand(milk, shelf.pk) for shelf in shelves] == [4, 6]
        assert check_book() == []
