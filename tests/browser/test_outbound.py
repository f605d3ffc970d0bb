"""Pick, pack and ship at 390 px with nothing but a scanner."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from inventory.models import LotTracking, Package, SalesOrder, Shipment
from tests.browser.doors import address, enter
from tests.browser.test_scanning import PHONE, scan
from tests.cast import House
from tests.inventory.book import make_lot
from tests.inventory.outbound_world import make_floor, make_product, quantities


def ready(house: House) -> tuple[SalesOrder, int]:
    """Return an order of 3 hams of a lot and 1 apple, in a released wave, and the wave's id."""
    with house.scope():
        floor = make_floor()
        ham, apple = make_product("HAM", lot_tracking=LotTracking.LOT), make_product("APPLE")
        lot = make_lot(ham, "L-7")
        order = floor.order((ham, 3), (apple, 1))
        floor.stock(ham, 3, "A-1", lot)
        floor.stock(apple, 1, "A-2")
        floor.promise(order, ham, 3, "A-1", lot)
        floor.promise(order, apple, 1, "A-2")
        return order, floor.wave(order).pk


@pytest.mark.django_db(transaction=True)
def test_an_order_is_picked_packed_and_shipped_with_the_scanner_only(
    page: Page, live_server, north: House
) -> None:
    order, wave_id = ready(north)
    page.set_viewport_size(PHONE)
    enter(page, live_server, north, "operator")
    step = page.locator("#scan-step")

    # the scan page leads from the wave's number to picking
    page.goto(address(live_server, north, "scan/"))
    scan(page, "WV-000001")
    page.get_by_role("link", name="Pick this wave").click()
    expect(page).to_have_url(address(live_server, north, f"waves/{wave_id}/pick/"))
    expect(page.get_by_text("Go to A-1")).to_be_visible()
    scan(page, "A-2")
    expect(page.get_by_role("alert")).to_contain_text("This is A-2. Go to A-1.")
    scan(page, "A-1")
    expect(step).to_have_attribute("data-scan-step", "goods")
    scan(page, "HAM")
    expect(step).to_have_attribute("data-scan-step", "lot")
    scan(page, "L-7")
    expect(step).to_have_attribute("data-scan-step", "quantity")
    scan(page, "3")
    expect(page.get_by_text("Go to A-2")).to_be_visible()
    scan(page, "A-2")
    expect(step).to_have_attribute("data-scan-step", "goods")
    scan(page, "APPLE")
    expect(page.get_by_text("Bring the goods to PACKING and scan the place.")).to_be_visible()
    scan(page, "PACKING")
    expect(page).to_have_url(address(live_server, north, "to-pick/"))

    page.goto(address(live_server, north, "scan/pack/"))
    scan(page, order.number)
    expect(page.get_by_text("Scan what goes into a new package")).to_be_visible()
    scan(page, "APPLE")
    expect(page.get_by_text("1 of Apple packed.")).to_be_visible()
    # each scan puts one in; the lot's own label says what it is
    for count in (2, 1, 0):
        scan(page, "LOT:HAM/L-7")
        left = (
            page.get_by_text(f"{count} pcs") if count else page.get_by_text("Weight of PK-000001")
        )
        expect(left.first).to_be_visible()
        page.wait_for_timeout(750)  # the same code again within 0.7 s would be one scan
    scan(page, "4.25")
    expect(page.get_by_text("PK-000001 is closed.")).to_be_visible()

    page.goto(address(live_server, north, "scan/ship/"))
    scan(page, "PK-000001")
    expect(page.get_by_text("Scan the carrier's label")).to_be_visible()
    scan(page, "1Z999AA10123456784")
    expect(page.get_by_text("SH-000001 has left.")).to_be_visible()
    with north.scope():
        sent = Shipment.objects.get()
        assert sent.tracking_number == "1Z999AA10123456784"
        assert Package.objects.get().weight_kg == sent.packages.get().weight_kg
        shipped = [quantities(order, line.product)[2] for line in order.lines.order_by("id")]
        assert shipped == [3, 1]


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
