"""Adjusting and taking back at the desk, and the settings they obey."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import InventorySettings, MovementReason, StockBalance, StockMovement
from inventory.queries.settings import inventory_settings
from tests.cast import House
from tests.inventory.book import Site, Stocked, make_lot, make_product, on_hand


def send(house: House, rest: str, role: str = "operator", **form: Any) -> Any:
    return house.client(role).post(house.path(rest), form)


def adjustment(site: Site, **more: Any) -> dict[str, Any]:
    usual = {
        "reason": "damage",
        "warehouse_id": site.warehouse.pk,
        "location": "storage",
        "product_id": "APPLE",
        "change": "3",
        "note": "dropped",
    }
    return usual | more


# -- adjusting ------------------------------------------------------------------------------------
def test_damaged_goods_are_adjusted_from_the_stock_list(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    with house.scope():
        balance = StockBalance.objects.get()
    link = f"stock/adjust/?balance={balance.pk}"
    client = house.client("operator")
    assert link in client.get(house.path("stock/")).content.decode()
    page = client.get(house.path(link)).content.decode()
    assert 'value="STORAGE"' in page
    assert "You may adjust up to €6.00 at once." in page
    assert send(house, "stock/adjust/", **adjustment(site)).status_code == 302
    with house.scope():
        movement = StockMovement.objects.latest("id")
        assert (movement.reason, movement.note) == (MovementReason.DAMAGE, "dropped")
        assert on_hand(apple, site.at("damaged")) == 3
    assert client.get(house.path("stock/adjust/?balance=99999")).status_code == 404
    assert client.get(house.path("stock/adjust/?balance=x")).status_code == 404


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"change": "4"}, "This adjustment is worth 8.00, above the limit of 6.00."),
        ({"change": "-3"}, "greater than zero"),
        ({"change": "0"}, "greater than zero"),
        ({"change": "1e400"}, "18 digits"),
        ({"change": "0.5"}, "whole units"),
        ({"location": "NOWHERE"}, "There is no such location in this warehouse."),
        ({"location": "DAMAGED"}, "scrap them instead"),
        ({"product_id": "NOSUCH"}, "No product has the SKU"),
        ({"lot": "L1"}, "not tracked by lot"),
        ({"product_id": "MILK"}, "Enter the lot printed on the goods."),
        ({"product_id": "MILK", "lot": "NO"}, "There is no such lot of this product."),
        ({"reason": "count"}, "not one of the available choices"),
        ({"reason": "scrap", "change": "3", "location": "PACKING"}, "Not enough stock"),
    ],
)
def test_a_refused_adjustment_comes_back_as_typed(
    adjustable: Stocked, more: dict[str, str], words: str
) -> None:
    house, site, apple = adjustable
    with house.scope():
        milk = make_product("MILK", lot_tracking="lot")
        make_lot(milk, "L1")
        before = StockMovement.objects.count()
    answer = send(house, "stock/adjust/", **adjustment(site, **more))
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    with house.scope():
        assert (StockMovement.objects.count(), on_hand(apple)) == (before, 10)


def test_above_the_limit_a_manager_adjusts_and_a_viewer_never(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    assert send(house, "stock/adjust/", "viewer", **adjustment(site)).status_code == 403
    page = house.client("manager").get(house.path("stock/adjust/")).content.decode()
    assert "You may adjust up to" not in page
    scrapped = adjustment(site, reason="scrap", change="9")
    assert send(house, "stock/adjust/", "manager", **scrapped).status_code == 302
    with house.scope():
        assert on_hand(apple) == 1
        InventorySettings.objects.update(adjustment_limit=0)
    page = house.client("operator").get(house.path("stock/adjust/")).content.decode()
    assert "Every adjustment is made by a manager here." in page


def test_found_goods_of_a_lot_come_in(adjustable: Stocked) -> None:
    house, site, _apple = adjustable
    with house.scope():
        milk = make_product("MILK", lot_tracking="lot", unit_cost=Decimal(1))
        make_lot(milk, "L1")
    found = adjustment(site, reason="found", product_id="MILK", lot="l1", change="2")
    assert send(house, "stock/adjust/", **found).status_code == 302
    with house.scope():
        assert on_hand(milk) == 2


# -- taking back ----------------------------------------------------------------------------------
def test_a_movement_is_taken_back_from_the_list_with_a_reason(adjustable: Stocked) -> None:
    house, _site, apple = adjustable
    with house.scope():
        [movement] = StockMovement.objects.all()
    page = f"movements/{movement.pk}/reverse/"
    client = house.client("operator")
    assert page in client.get(house.path("movements/")).content.decode()
    shown = client.get(house.path(page)).content.decode()
    assert "Apple go from STORAGE back to SUPPLIER." in shown
    assert send(house, page).status_code == 422  # without a reason
    assert send(house, page, note="delivered to somebody else").status_code == 302
    with house.scope():
        reversal = StockMovement.objects.latest("id")
        assert (reversal.reverses_id, reversal.note) == (movement.pk, "delivered to somebody else")
        assert on_hand(apple) == 0
    listed = client.get(house.path("movements/")).content.decode()
    assert page not in listed


def test_a_movement_taken_back_already_says_so(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    with house.scope():
        [movement_id] = site.receive(apple, 1)
    page = f"movements/{movement_id}/reverse/"
    send(house, page, note="wrong")
    again = send(house, page, note="wrong once more")
    assert again.status_code == 422
    assert "This movement has been reversed already." in again.content.decode()
    shown = house.client("operator").get(house.path(page)).content.decode()
    assert "Taken back already" in shown
    assert 'name="note"' not in shown


def test_what_cannot_be_taken_back_says_why(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    with house.scope():
        movement = StockMovement.objects.earliest("id")
        site.ship(apple, 8)
    answer = send(house, f"movements/{movement.pk}/reverse/", note="wrong")
    assert (answer.status_code, "Not enough stock" in answer.content.decode()) == (422, True)
    assert house.client("viewer").get(
        house.path(f"movements/{movement.pk}/reverse/")
    ).status_code == 403  # fmt: skip


# -- settings -------------------------------------------------------------------------------------
def test_a_manager_changes_how_counts_and_adjustments_work(north: House) -> None:
    page = north.client("manager").get(north.path("settings/counting/")).content.decode()
    assert "Counting and adjusting" in page
    form = {
        "count_tolerance_percent": "5",
        "count_tolerance_value": "25",
        "counts_per_day": "8",
        "adjustment_limit": "50.5",
        "version": "1",
    }
    assert send(north, "settings/counting/", "manager", **form).status_code == 302
    with north.scope():
        known = inventory_settings()
        assert (known.count_tolerance_percent, known.blind_counts, known.counts_per_day) == (
            5,
            False,
            8,
        )
        assert known.adjustment_limit == Decimal("50.5")
    stale = send(north, "settings/counting/", "manager", **form)
    assert (stale.status_code, "changed by somebody else" in stale.content.decode()) == (422, True)
    wrong = send(north, "settings/counting/", "manager", **form | {"counts_per_day": "-1"})
    assert wrong.status_code == 422
    assert send(north, "settings/counting/", "operator", **form).status_code == 403
    shown = north.client("viewer").get(north.path("settings/counting/")).content.decode()
    assert "Only managers change these." in shown
    assert "€50.50" in shown
