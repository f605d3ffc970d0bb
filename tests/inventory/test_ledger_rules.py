"""What a movement may be: its quantity, lot, places and day; every fault is named."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from inventory.models import MovementReason, StockMovement
from inventory.queries.integrity import check_book
from inventory.services.ledger import MovementLine, SerialNotSingle, post_movements
from tenancy.errors import Invalid, NotFound
from tenancy.permissions import PermissionRefused
from tests.cast import House
from tests.inventory.book import Site, make_lot, make_product, make_site, on_hand


def codes(refusal: pytest.ExceptionInfo[Invalid]) -> list[tuple[int | None, str, str]]:
    return [(p.line, p.field, p.code) for p in refusal.value.problems]


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("0", "not_positive"),
        ("-3", "not_positive"),
        ("NaN", "not_a_number"),
        ("sNaN", "not_a_number"),
        ("-Infinity", "not_a_number"),
        ("1e400", "too_large"),
        ("1000000000000", "too_large"),
        ("1e-400", "too_fine"),
        ("1.0000001", "too_fine"),
        ("1.5", "not_whole"),
    ],
)
def test_absurd_quantities_are_refused_by_name(site: Site, quantity: str, code: str) -> None:
    apple = make_product()
    with pytest.raises(Invalid) as refusal:
        site.receive(apple, Decimal(quantity))
    assert codes(refusal) == [(0, "quantity", code)]


def test_fractions_are_fine_for_products_measured_out(site: Site) -> None:
    flour = make_product("FLOUR", whole_units=False, base_unit="kg")
    for _ in range(10):
        site.receive(flour, "0.1")
    site.ship(flour, "0.999999")
    assert on_hand(flour) == Decimal("0.000001")  # exactly: 10 x 0.1 - 0.999999


def test_all_faults_of_all_lines_are_named_at_once(site: Site) -> None:
    apple, milk = make_product(), make_product("MILK", lot_tracking="lot")
    lot = make_lot(milk)
    with pytest.raises(Invalid) as refusal:
        post_movements(
            lines=[
                site.line(apple, "0.5", "supplier", "storage"),
                site.line(milk, 1, "supplier", "storage"),
                site.line(apple, 1, "supplier", "customer"),
                site.line(milk, 1, "supplier", "storage", lot_id=lot.pk, unit_cost=Decimal(-1)),
                site.line(apple, 1, "storage", "storage", note="x" * 201),
            ]
        )
    assert codes(refusal) == [
        (0, "quantity", "not_whole"),
        (1, "lot_id", "lot_required"),
        (2, "to_location_id", "outside_to_outside"),
        (3, "unit_cost", "not_an_amount"),
        (4, "note", "too_long"),
        (4, "to_location_id", "same_location"),
    ]
    assert "Line 2: This product is tracked by lot" in str(refusal.value)


def test_an_untracked_product_takes_no_lot(site: Site) -> None:
    apple = make_product()
    lot = make_lot(apple)
    with pytest.raises(Invalid) as refusal:
        site.receive(apple, 1, lot_id=lot.pk)
    assert codes(refusal) == [(0, "lot_id", "lot_forbidden")]


def test_a_lot_of_another_product_is_not_found(site: Site) -> None:
    milk, cream = (make_product(sku, lot_tracking="lot") for sku in ("MILK", "CREAM"))
    with pytest.raises(NotFound) as refusal:
        site.receive(milk, 1, lot_id=make_lot(cream).pk)
    assert refusal.value.data["kind"] == "lot"


def test_a_serial_number_moves_alone_and_is_in_stock_once(site: Site) -> None:
    laptop = make_product("LAPTOP", lot_tracking="serial")
    serial = make_lot(laptop, "SN-1")
    with pytest.raises(Invalid) as refusal:
        site.receive(laptop, 2, lot_id=serial.pk)
    assert codes(refusal) == [(0, "quantity", "serial_is_one")]
    site.receive(laptop, 1, lot_id=serial.pk)
    with pytest.raises(SerialNotSingle) as again:
        post_movements(lines=[site.line(laptop, 1, "supplier", "receiving", lot_id=serial.pk)])
    assert again.value.data == {"serials": ["SN-1"]}
    site.ship(laptop, 1, lot_id=serial.pk)
    back = site.line(
        laptop, 1, "customer", "quarantine", lot_id=serial.pk, reason=MovementReason.CUSTOMER_RETURN
    )
    post_movements(lines=[back])
    assert check_book() == []


@pytest.mark.parametrize("field", ["product_id", "from_location_id", "to_location_id", "lot_id"])
def test_a_foreign_id_answers_like_a_missing_one(north: House, south: House, field: str) -> None:
    with south.scope():
        there = make_site()
        theirs = make_product("THEIRS", lot_tracking="lot")
        foreign = {
            "product_id": theirs.pk,
            "from_location_id": there.at("storage"),
            "to_location_id": there.at("storage"),
            "lot_id": make_lot(theirs).pk,
        }[field]
    with north.scope():
        here = make_site()
        ours = make_product("OURS", lot_tracking="lot")
        good = {
            "product_id": ours.pk,
            "from_location_id": here.at("supplier"),
            "to_location_id": here.at("storage"),
            "lot_id": make_lot(ours).pk,
        }
        answers = []
        for row_id in (foreign, 987654321, -1, 10**30):
            line = MovementLine(
                **(good | {field: row_id}), quantity=Decimal(1), reason=MovementReason.RECEIPT
            )
            with pytest.raises(NotFound) as refusal:
                post_movements(lines=[line])
            answers.append({k: v for k, v in refusal.value.data.items() if k != "identity"})
        assert answers == [answers[0]] * 4
        assert answers[0]["line"] == 0


def test_nothing_arrives_where_nothing_may_arrive_but_all_may_leave(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 5)
    storage = site.places["storage"]
    storage.is_active = False
    storage.save()
    with pytest.raises(Invalid) as refusal:
        site.receive(apple, 1)
    assert codes(refusal) == [(0, "to_location_id", "inactive_location")]
    site.ship(apple, 5)
    assert on_hand(apple) == 0


def test_an_inactive_product_leaves_but_is_not_bought_again(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 5)
    apple.is_active = False
    apple.save()
    with pytest.raises(Invalid) as refusal:
        site.receive(apple, 1)
    assert codes(refusal) == [(0, "product_id", "inactive_product")]
    site.ship(apple, 5)


def test_stock_travels_between_warehouses_only_in_transit(site: Site) -> None:
    other = make_site("OTHER", time_zone="Asia/Tokyo")
    apple = make_product()
    site.receive(apple, 5)

    def line(start: int, end: int) -> MovementLine:
        return MovementLine(apple.pk, start, end, Decimal(5), MovementReason.TRANSFER_OUT)

    with pytest.raises(Invalid) as refusal:
        post_movements(lines=[line(site.at("storage"), other.at("storage"))])
    assert codes(refusal) == [(0, "to_location_id", "other_warehouse")]
    post_movements(lines=[line(site.at("storage"), other.at("in_transit"))])
    post_movements(lines=[line(other.at("in_transit"), other.at("receiving"))])
    assert on_hand(apple, other.at("receiving")) == 5


def test_what_is_in_transit_belongs_to_a_transfer(site: Site) -> None:
    apple = make_product()
    site.receive(apple, 5)
    for start, end, reason in (
        ("storage", "in_transit", MovementReason.MOVE),
        ("in_transit", "storage", MovementReason.PUT_AWAY),
        ("loss", "in_transit", MovementReason.FOUND),
    ):
        with pytest.raises(Invalid) as refusal:
            post_movements(lines=[site.line(apple, 1, start, end, reason=reason)])
        assert codes(refusal) == [(0, "to_location_id", "in_transit")]
    assert on_hand(apple, site.at("storage")) == 5


def test_a_movement_cannot_take_effect_in_the_future(site: Site) -> None:
    apple = make_product()
    with pytest.raises(Invalid) as refusal:
        site.receive(apple, 1, effective_at=datetime.now(UTC) + timedelta(hours=1))
    assert codes(refusal) == [(None, "effective_at", "future")]
    with pytest.raises(Invalid) as refusal:
        site.receive(apple, 1, effective_at=datetime(2024, 1, 1))
    assert codes(refusal) == [(None, "effective_at", "naive")]


@pytest.mark.parametrize(
    ("time_zone", "moment", "day"),
    [
        ("Europe/Berlin", "2024-03-30T22:59:59+00:00", date(2024, 3, 30)),
        ("Europe/Berlin", "2024-03-30T23:00:00+00:00", date(2024, 3, 31)),  # +1: midnight
        ("Europe/Berlin", "2024-03-31T22:00:00+00:00", date(2024, 4, 1)),  # +2 after the change
        ("Asia/Kathmandu", "2024-06-01T18:14:59+00:00", date(2024, 6, 1)),  # +5:45
        ("Asia/Kathmandu", "2024-06-01T18:15:00+00:00", date(2024, 6, 2)),
        ("Pacific/Apia", "2024-01-01T10:59:59+00:00", date(2024, 1, 1)),  # +13
        ("Pacific/Apia", "2024-01-01T11:00:00+00:00", date(2024, 1, 2)),
        ("America/Los_Angeles", "2024-01-01T07:59:59+00:00", date(2023, 12, 31)),  # -8
    ],
)
def test_the_business_day_is_that_of_the_warehouse(
    in_north: House, time_zone: str, moment: str, day: date
) -> None:
    site = make_site(time_zone=time_zone)
    [movement_id] = site.receive(make_product(), 1, effective_at=datetime.fromisoformat(moment))
    movement = StockMovement.objects.get(pk=movement_id)
    assert movement.business_day == day
    assert movement.posted_at.year >= 2026
    assert check_book() == []


def test_a_viewer_posts_nothing(north: House) -> None:
    with north.scope():
        site, apple = make_site(), make_product()
    with north.scope("viewer"), pytest.raises(PermissionRefused):
        site.receive(apple, 1)
    with north.scope("operator"):
        site.receive(apple, 1)


def test_nothing_to_post_is_refused(site: Site) -> None:
    with pytest.raises(Invalid):
        post_movements(lines=[])
