"""Damaged, scrapped, expired, found: booked with a reason, by whoever may for that value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import InventorySettings, MovementReason, Product, StockMovement
from inventory.queries.availability import availability
from inventory.queries.costs import unit_costs
from inventory.queries.integrity import check_book
from inventory.services.adjustments import (
    AboveAdjustmentLimit,
    Adjustment,
    adjust_stock,
    take_back_movement,
)
from inventory.services.ledger import AlreadyReversed, InsufficientStock
from tenancy.errors import Invalid, NotFound
from tenancy.models import AuditEvent
from tenancy.permissions import PermissionRefused
from tests.api.calls import by_session
from tests.inventory.book import Site, Stocked, make_product, on_hand


def adjust(site: Site, product: Product, change: Any, reason: str, **more: Any) -> list[int]:
    line = Adjustment(
        product.pk,
        more.pop("location_id", site.at("storage")),
        Decimal(str(change)),
        MovementReason[reason.upper()],
        **more,
    )
    return adjust_stock(warehouse_id=site.warehouse.pk, adjustments=[line])


@pytest.mark.parametrize(
    ("change", "reason", "start", "end"),
    [
        (-3, "damage", "storage", "damaged"),
        (-3, "scrap", "storage", "loss"),
        (-3, "expired", "storage", "loss"),
        (-3, "count", "storage", "loss"),
        (3, "count", "loss", "storage"),
        (3, "found", "loss", "storage"),
    ],
)
def test_each_reason_has_its_way(
    adjustable: Stocked, change: int, reason: str, start: str, end: str
) -> None:
    house, site, apple = adjustable
    with house.scope("operator"):
        [movement_id] = adjust(site, apple, change, reason, note="wet")
        movement = StockMovement.objects.get(pk=movement_id)
        assert (movement.from_location.kind, movement.to_location.kind) == (start, end)
        assert (movement.quantity, movement.note) == (3, "wet")
        assert check_book() == []


def test_damaged_goods_stay_on_hand_and_cannot_be_promised(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    with house.scope("operator"):
        adjust(site, apple, -3, "damage")
        [row] = availability(product_ids=[apple.pk])
        assert (row.on_hand, row.available, row.unusable) == (10, 7, 3)
        adjust(site, apple, -1, "scrap", location_id=site.at("damaged"))
        assert on_hand(apple) == 9
        with pytest.raises(Invalid) as refusal:
            adjust(site, apple, -1, "damage", location_id=site.at("damaged"))
        assert [p.code for p in refusal.value.problems] == ["damaged_already"]


@pytest.mark.parametrize(
    ("change", "reason", "code"),
    [
        ("3", "damage", "wrong_direction"),
        ("3", "scrap", "wrong_direction"),
        ("3", "expired", "wrong_direction"),
        ("-3", "found", "wrong_direction"),
        ("-3", "receipt", "not_an_adjustment"),
        ("0", "scrap", "not_positive"),
        ("NaN", "found", "not_a_number"),
        ("sNaN", "found", "not_a_number"),
        ("-Infinity", "scrap", "not_a_number"),
        ("1e400", "found", "too_large"),
        ("-1e400", "scrap", "too_large"),
        ("0.5", "found", "not_whole"),
    ],
)
def test_impossible_adjustments_change_nothing(
    adjustable: Stocked, change: str, reason: str, code: str
) -> None:
    house, site, apple = adjustable
    with house.scope("manager"):
        before = StockMovement.objects.count()
        with pytest.raises(Invalid) as refusal:
            adjust(site, apple, change, reason)
        assert [p.code for p in refusal.value.problems] == [code]
        assert (StockMovement.objects.count(), on_hand(apple)) == (before, 10)


def test_the_limit_is_the_value_of_all_lines_together(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    with house.scope("operator"):
        adjust(site, apple, -3, "scrap")  # 3 x 2.00 = 6.00, the limit
        lines = [
            Adjustment(apple.pk, site.at("storage"), Decimal(-2), MovementReason.SCRAP),
            Adjustment(apple.pk, site.at("storage"), Decimal(2), MovementReason.FOUND),
        ]
        with pytest.raises(AboveAdjustmentLimit) as refusal:  # 2 x 2.00 + 2 x 2.00
            adjust_stock(warehouse_id=site.warehouse.pk, adjustments=lines)
        assert refusal.value.data == {"value": "8", "limit": "6"}
        assert on_hand(apple) == 7
    with house.scope("manager"):
        adjust_stock(warehouse_id=site.warehouse.pk, adjustments=lines)


def test_what_is_worth_an_unknown_amount_needs_a_manager(adjustable: Stocked) -> None:
    house, site, _apple = adjustable
    with house.scope("manager"):
        gift = make_product("GIFT")
        adjust(site, gift, 5, "found")
    with house.scope("operator"):
        with pytest.raises(AboveAdjustmentLimit) as refusal:
            adjust(site, gift, 1, "found")
        assert refusal.value.value in (None, 0)


def test_without_a_limit_every_adjustment_is_a_managers(adjustable: Stocked) -> None:
    house, site, _apple = adjustable
    with house.scope("manager"):
        InventorySettings.objects.all().delete()
        free = make_product("FREE", unit_cost=Decimal(0))
        adjust(site, free, 1, "found")
    with house.scope("operator"), pytest.raises(AboveAdjustmentLimit) as refusal:
        adjust(site, free, 1, "found")
    assert "manager" in str(refusal.value)


def test_the_cost_is_that_of_the_stock_in_the_warehouse(adjustable: Stocked) -> None:
    """10 at 2.00 and 10 at 4.00 make 3.00 apiece; a product without stock has its usual cost."""
    house, site, apple = adjustable
    with house.scope("operator"):
        site.receive(apple, 10, unit_cost=Decimal(4))
        pear = make_product("PEAR", unit_cost=Decimal(7))
        assert unit_costs(site.warehouse.pk, [apple.pk, pear.pk]) == {apple.pk: 3, pear.pk: 7}
        with pytest.raises(AboveAdjustmentLimit):
            adjust(site, apple, -3, "scrap")  # 9.00
        adjust(site, apple, -2, "scrap")  # 6.00


def test_more_than_lies_there_is_not_taken(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    with house.scope("manager"):
        with pytest.raises(InsufficientStock):
            adjust(site, apple, -11, "scrap")
        assert on_hand(apple) == 10


def test_a_viewer_adjusts_nothing_and_an_empty_adjustment_is_refused(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    with house.scope("viewer"), pytest.raises(PermissionRefused):
        adjust(site, apple, -1, "scrap")
    with house.scope("manager"), pytest.raises(Invalid):
        adjust_stock(warehouse_id=site.warehouse.pk, adjustments=[])


def test_an_adjustment_is_audited_with_its_value(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    with house.scope("operator"):
        [movement_id] = adjust(site, apple, -1, "scrap")
        event = AuditEvent.objects.get(action="stock.adjusted")
        assert event.data == {"lines": 1, "movements": [movement_id], "value": "2"}


# -- taking back ----------------------------------------------------------------------------------
def test_taking_an_adjustment_back_has_the_same_limit(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    with house.scope("manager"):
        [big] = adjust(site, apple, -4, "scrap")  # 8.00
        [small] = adjust(site, apple, -1, "scrap")
    with house.scope("operator"):
        with pytest.raises(AboveAdjustmentLimit):
            take_back_movement(movement_id=big)
        assert take_back_movement(movement_id=small, note="found it").reverses_id == small
        with pytest.raises(AlreadyReversed):
            take_back_movement(movement_id=small)
        assert on_hand(apple) == 6
        with pytest.raises(NotFound):
            take_back_movement(movement_id=987654321)
    with house.scope("manager"):
        take_back_movement(movement_id=big)
        assert on_hand(apple) == 10


def test_other_movements_are_taken_back_by_the_floor_whatever_they_are_worth(
    adjustable: Stocked,
) -> None:
    house, site, apple = adjustable
    with house.scope("operator"):
        [shipment] = site.ship(apple, 9)
        take_back_movement(movement_id=shipment)
        assert on_hand(apple) == 10


def test_by_api_the_limit_is_told_in_numbers(adjustable: Stocked) -> None:
    house, site, apple = adjustable
    operator = by_session(house, "operator")

    def body(change: str) -> dict[str, Any]:
        line = {
            "product_id": apple.pk,
            "location_id": site.at("storage"),
            "change": change,
            "reason": "damage",
        }
        return {"warehouse_id": site.warehouse.pk, "adjustments": [line]}

    assert operator.post("stock/adjustments", body("-3")).status_code == 201
    refused = operator.post("stock/adjustments", body("-4"))
    assert (refused.status_code, refused.json()["code"]) == (409, "above_adjustment_limit")
    assert (refused.json()["value"], refused.json()["limit"]) == ("8", "6")
    with house.scope("operator"):
        assert on_hand(apple, site.at("damaged")) == 3
